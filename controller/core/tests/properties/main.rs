//! The invariants of the safety model as properties of the core, one module each and named by its id.
//!
//! [`given`] makes inputs, on purpose also far from the usual; [`run`] lets one function, [`fleet`] many, live
//! through ticks in which deploys, people, crashes and lost answers happen.

mod fleet;
mod given;
mod run;

mod memory;
mod outage;
mod replace;

mod a5_replay;
mod f1_brake;
mod r10_total;
mod r11_stand_aside;
mod r12_warm_restart;
mod r1_floor;
mod r2_no_data_no_decrease;
mod r3_predictive_only_raises;
mod r4_capacity;
mod r4_ceiling;
mod r5_slew;
mod r6_stabilisation;
mod r7_burst;
mod r7_monotone;
mod r8_fixpoint;
mod r9_closed_under_garbage;
