//! The label sets of the metrics.

use forewarm_core::decision::RuleName;
use prometheus_client::encoding::EncodeLabelSet;

macro_rules! label_set {
    ($($name:ident { $($label:ident: $type:ty),+ })+) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
        pub(super) struct $name { $(pub(super) $label: $type),+ }
    )+};
}

label_set! {
    Anomaly { anomaly: &'static str }
    Room { room: &'static str }
    ModeState { mode: &'static str, state: &'static str }
    ReasonVerdict { reason: &'static str, verdict: &'static str }
    Outcome { outcome: &'static str }
    Rule { rule: RuleName }
    Why { why: &'static str }
    OfMode { mode: &'static str }
    Namespace { namespace: String }
    Kind { kind: &'static str }
    Profile { profile: String }
    ProfileOf { profile: String, of: &'static str }
    What { what: &'static str }
    Build { version: &'static str }
}
