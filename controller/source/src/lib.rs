//! Demand by function, read from Prometheus: one way for the operator, the bench and the plugin.
//!
//! ```text
//! sources.yaml ─► Sources ─► Source ──── body ───► Answer ─► Joined ─► judge ─► Reading<DemandSample>
//! DemandProfile ─► Profile ─► fresh ─┘                          ▲
//! pods, workloads (operator's stores) ─► Membership ────────────┘
//! ```
//!
//! * [`sources`]: which Prometheis there are; [`client`]: how one is asked (I/O).
//! * [`fresh`], `lint`: a query restricted to samples that are not stale, and none that makes silence a number.
//! * [`answer`], `series`: the body of an answer, one series at a time.
//! * [`membership`], `join`: which function a series belongs to.
//! * `trust`, `peak`, `track`, `stale`: whether a number may be believed, and the peak within the step; `age`: what a
//!   backlog that has waited needs; `service`: failures and latency.
//! * [`reader`], `ask`: all of it, once a tick (I/O); [`report`]: what came of it.
//! * [`backfill`], `pieces`, `history_query`, `past`, `owner`: the last two weeks, dead pods mapped to their
//!   workloads by name (I/O).
//! * [`error`]: what can go wrong, and the [`forewarm_core::observation::Why`] it becomes.
//!
//! Missing is never zero here: what cannot be read whole and fresh is `Unknown`, with its reason.

mod age;
pub mod answer;
mod ask;
pub mod backfill;
pub mod client;
pub mod error;
pub mod fresh;
pub mod history_query;
mod join;
mod lint;
pub mod membership;
mod owner;
pub mod past;
mod peak;
mod pieces;
pub mod reader;
pub mod report;
mod series;
mod service;
pub mod sources;
mod stale;
mod track;
mod trust;

pub use backfill::{Backfill, Found, Progress};
pub use client::{Source, Span};
pub use error::SourceError;
pub use history_query::Resolution;
pub use membership::{Member, MemberPod, Membership};
pub use past::Past;
pub use reader::DemandReader;
pub use report::{Failure, ProfileState, Readings};
pub use series::{LabelNames, Labels};
pub use service::ServedBy;
pub use sources::{SourceConfig, Sources, SourcesError};
