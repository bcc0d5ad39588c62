//! The core's types, described as serde writes them. Pure.

use super::shape::{at, list, nullable, or_null, reading, strict, tagged, words};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

pub(in crate::record) fn inputs(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": "#/$defs/Inputs"})
}

pub(in crate::record) fn output(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": "#/$defs/Decision"})
}

pub(in crate::record) fn mode(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": "#/$defs/Mode"})
}

pub(in crate::record) fn objective(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"enum": ["Thrifty", "Balanced", "Fast", "NoWait", null]})
}

/// The hash of a forest.
pub(in crate::record) fn hash(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[0-9a-f]{16}$"})
}

pub(in crate::record) fn reason(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": "#/$defs/Reason"})
}

pub(in crate::record) fn outcome(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": "#/$defs/Outcome"})
}

pub(in crate::record) fn outcomes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"$ref": "#/$defs/Outcome"}})
}

pub(in crate::record) fn memory_inputs(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "description": "Policy, sight, standing and time, as the core's MemoryInputs."})
}

pub(in crate::record) fn memory_decision(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "description": "Standing, steps and reasons, as the core's MemoryDecision."})
}

/// A step of the floor, or of memory.
pub(in crate::record) fn memory_step(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [{"$ref": "#/$defs/Step"}, {"type": "object", "minProperties": 1, "maxProperties": 1,
        "description": "SetBirth, Resize or Evict, with what it writes."}]})
}

/// The workload; null where none can be named.
pub(in crate::record) fn target_ref(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [{"$ref": "#/$defs/TargetRef"}, {"type": "null"}]})
}

/// Everything that the functions above point to.
pub(super) fn definitions() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, schema) in units()
        .into_iter()
        .chain(asked())
        .chain(seen())
        .chain(forecast())
        .chain(standing())
        .chain(decided())
    {
        all.insert(name.to_owned(), schema);
    }
    all
}

type Definitions = Vec<(&'static str, Value)>;

fn units() -> Definitions {
    vec![
        (
            "Pods",
            json!({"type": "integer", "minimum": 0, "maximum": u32::MAX, "description": "Whole pods."}),
        ),
        (
            "Amount",
            json!({"type": "number", "minimum": 0, "description": "Demand, in the profile's unit."}),
        ),
        ("Percent", json!({"type": "integer", "minimum": 0, "maximum": 100})),
        ("Seconds", json!({"type": "integer", "minimum": 0, "maximum": u32::MAX})),
        (
            "Mono",
            json!({"type": "integer", "minimum": 0, "description": "Milliseconds on the process's own clock."}),
        ),
        (
            "Wall",
            json!({"type": "integer", "description": "Milliseconds since 1970 UTC."}),
        ),
        ("Text", json!({"type": "string", "maxLength": 512})),
        (
            "Now",
            strict("Both clocks.", json!({"wall": at("Wall"), "mono": at("Mono")})),
        ),
        (
            "TargetRef",
            strict(
                "A workload.",
                json!({
            "api_version": at("Text"), "kind": at("Text"), "namespace": at("Text"), "name": at("Text")}),
            ),
        ),
    ]
}

fn asked() -> Definitions {
    vec![
        (
            "Inputs",
            strict(
                "The complete input of one decision.",
                json!({
            "function": at("Function"), "fleet": at("Fleet"), "standing": at("Standing"), "now": at("Now")}),
            ),
        ),
        (
            "Function",
            strict(
                "What is asked, seen and forecast.",
                json!({
            "policy": at("Policy"), "observation": at("Observation"), "forecast": at("Forecast")}),
            ),
        ),
        (
            "Fleet",
            strict(
                "What a decision needs to know of the others.",
                json!({
            "targets": at("Pods"), "ramps_begun": at("Pods"), "ramp_place": at("Pods"),
            "unexpected_falls": at("Pods"), "world_vanished": {"type": "boolean"}}),
            ),
        ),
        ("Mode", words(&["Shadow", "Enforce"])),
        (
            "Policy",
            strict(
                "What the user asks.",
                json!({
            "generation": {"type": "integer"}, "mode": at("Mode"), "paused": {"type": "boolean"},
            "on_conflict": words(&["StandAside", "Take"]),
            "floor": strict("Bounds of the floor.", json!({"min": or_null("Pods"), "max": at("Pods")})),
            "scale_down": strict("How fast the floor may fall.", json!({
                "stabilization": at("Seconds"), "step_percent": at("Percent"), "step": at("Seconds")})),
            "per_replica": or_null("Amount"), "utilization": at("Percent"), "forecast": words(&["Auto", "Off"]),
            "crash_loop": words(&["Report", "Hold"])}),
            ),
        ),
    ]
}

/// How calls are served.
fn service() -> Value {
    let whole = || json!({"type": "integer", "minimum": 0});
    let banded = || {
        let upper = nullable(whole());
        nullable(strict("A value and its band.", json!({"now": whole(), "upper": upper})))
    };
    strict(
        "Failed calls of a thousand and microseconds a call, each with its band.",
        json!({"errors": banded(), "latency": banded(), "unanswered": {"type": "boolean"}}),
    )
}

/// What lies far outside its own band.
fn anomaly() -> Value {
    let whole = || json!({"type": "integer", "minimum": 0});
    tagged(
        &[],
        json!({
            "DemandAboveBand": strict("", json!({"upper": at("Amount")})),
            "DemandBelowBand": strict("", json!({"lower": at("Amount")})),
            "ErrorsAboveBand": strict("", json!({"upper_permille": whole()})),
            "LatencyAboveBand": strict("", json!({"upper_micros": whole()}))}),
    )
}

fn seen() -> Definitions {
    let sample = strict(
        "Demand summed over the pods.",
        json!({"current": at("Amount"), "peak": at("Amount"), "unheard": at("Pods")}),
    );
    let lead_time = strict(
        "How long a new pod takes.",
        json!({
        "total": at("Seconds"), "source": words(&["Policy", "Learned", "Default"])}),
    );
    let failing = strict(
        "A revision whose pods fail.",
        json!({"revision": at("Text"), "pods": at("Pods"),
            "cause": words(&["OutOfMemory", "Probe", "Config", "ImagePull", "Dependency", "WorseThanSiblings"])}),
    );
    let capacity = strict(
        "What the cluster can take of its pods.",
        json!({"placed": at("Pods"), "stuck": at("Pods"), "quota": or_null("Pods")}),
    );
    let why = tagged(
        &[
            "NotYetRead",
            "Absent",
            "NotANumber",
            "Infinite",
            "Negative",
            "WrongShape",
            "SourceDown",
            "QueryFailed",
            "PartialAnswer",
            "TooLarge",
            "ProfileUnusable",
            "PerReplicaUnknown",
            "TargetMissing",
            "TargetStale",
            "KindNotListed",
            "KnativeTooOld",
            "NoRevision",
        ],
        json!({
            "Stale": strict("", json!({"age": at("Seconds")})),
            "Incomplete": strict("", json!({
                "reporting": at("Pods"), "ready": at("Pods"), "at_least": at("Amount")})),
            "ImplausibleJump": strict("", json!({"from": at("Amount"), "to": at("Amount")}))}),
    );
    let field = strict(
        "The floor field of a scaler.",
        json!({
        "scaler": at("Text"), "field": at("Text"), "max": or_null("Pods"), "recorded": or_null("Recorded"),
        "absent": {"type": "boolean"}, "default": at("Pods"), "bare": {"type": "boolean"},
        "annotated": {"type": "boolean"}, "halted": nullable(words(&["AtZero", "Paused"])), "unheeded": or_null("Text"), "idle": or_null("Pods")}),
    );
    let scaler = tagged(&[], json!({"One": field, "Several": at("Text")}));
    vec![
        ("Recorded", tagged(&["Absent"], json!({"Value": at("Pods")}))),
        ("Why", why),
        (
            "Target",
            strict(
                "The target as the watch last showed it.",
                json!({
            "uid": at("Text"), "floor": at("Pods"), "ready": at("Pods"), "starting": at("Pods"),
            "ownership": at("Ownership"), "scaler": nullable(scaler)}),
            ),
        ),
        (
            "Ownership",
            strict(
                "Who has the floor field.",
                json!({
            "applied_by": or_null("Text"), "adopted": {"type": "boolean"},
            "written_by_us": {"type": "boolean"}, "updated_by": nullable(writer())}),
            ),
        ),
        (
            "Observation",
            strict(
                "One function now.",
                json!({
            "target": reading(at("Target")), "demand": reading(sample), "lead_time": lead_time,
            "demand_known_at": or_null("Mono"), "failing": nullable(failing),
            "backlog": {"type": "boolean"}, "capacity": capacity, "service": service(), "anomalies": list(anomaly())}),
            ),
        ),
    ]
}

fn writer() -> Value {
    strict(
        "Somebody else who wrote the field.",
        json!({"name": at("Text"), "kind": words(&["Deploy", "Person"])}),
    )
}

fn forecast() -> Definitions {
    let band = strict(
        "A lower and an upper quantile.",
        json!({"lower": at("Amount"), "upper": at("Amount")}),
    );
    vec![
        (
            "Distrust",
            words(&[
                "TooLittleHistory",
                "WorseThanSeasonalNaive",
                "WorseThanTrailingPeak",
                "Undercovers",
                "ModelFailed",
                "HistoryStale",
            ]),
        ),
        (
            "Forecast",
            strict(
                "The forecast of the peak demand over the horizon.",
                json!({
            "trust": tagged(&["Trusted"], json!({"Untrusted": at("Distrust")})), "demoted": or_null("Distrust"),
            "model": at("Text"), "minute": {"type": "integer"}, "horizon": at("Seconds"), "quantile": at("Percent"),
            "point": at("Amount"), "upper": at("Amount"), "expected_now": nullable(band), "coverage": or_null("Percent")}),
            ),
        ),
    ]
}

fn standing() -> Definitions {
    let aside = strict(
        "Somebody else has the field.",
        json!({
        "why": at("AsideWhy"), "generation": {"type": "integer"}, "by": at("Text")}),
    );
    let user = strict(
        "The user's own floor.",
        json!({"value": at("Pods"), "from": words(&["TakeOver", "Deploy"])}),
    );
    let wished = strict(
        "A wish remembered for stabilisation.",
        json!({"at": at("Mono"), "floor": at("Pods")}),
    );
    let fall = strict(
        "One of our falls.",
        json!({"at": at("Mono"), "from": at("Pods"), "to": at("Pods")}),
    );
    let crowded = strict(
        "The cluster had no place for more pods.",
        json!({"most": at("Pods"), "at": at("Mono"), "tries": {"type": "integer", "minimum": 1}}),
    );
    vec![
        ("AsideWhy", words(&["FieldTaken", "ResetTooOften"])),
        (
            "Standing",
            strict(
                "What is in force because of Forewarm.",
                json!({
            "since": or_null("Mono"), "mode": at("Mode"), "user": nullable(user), "held": or_null("Pods"),
            "written": or_null("Pods"), "written_at": or_null("Mono"), "replaced": or_null("Pods"),
            "unsettled": list(at("Pods")), "wishes": list(wished), "wishes_span": at("Seconds"),
            "falls": list(fall), "falls_span": at("Seconds"), "ramp_since": or_null("Mono"),
            "ramps_begun": list(at("Mono")), "resets": list(at("Mono")), "aside": nullable(aside),
            "full": nullable(crowded)}),
            ),
        ),
    ]
}

fn decided() -> Definitions {
    let wish = strict(
        "The floor wished for, and its parts.",
        json!({
        "to": at("Pods"), "user": at("Pods"), "forecast": or_null("Pods"), "reactive": reading(at("Pods")),
        "at_least": or_null("Pods"),
        "bound_by": words(&["User", "Forecast", "Reactive", "Max"])}),
    );
    let clamp = strict(
        "What one guard rule did.",
        json!({"rule": at("Text"), "from": at("Pods"), "to": at("Pods")}),
    );
    let by = || json!({"by": at("Text")});
    let field = tagged(
        &["Unseen", "Free", "AtZero", "Renewed", "Lagging"],
        json!({
        "TakeOver": strict("", json!({"user": at("Pods")})),
        "Reset": strict("", by()),
        "NewUserFloor": strict("", json!({"user": at("Pods"), "by": at("Text")})),
        "ScalerPaused": strict("", json!({"by": at("Text")})),
        "InManifest": strict("", json!({"by": at("Text"), "adopted": {"type": "boolean"}})),
        "Aside": strict("", json!({"by": at("Text"), "why": at("AsideWhy")})),
        "Scaler": strict("", by())}),
    );
    let refused = strict(
        "",
        json!({
        "kind": words(&["PermissionDenied", "Invalid", "NotFound", "ServerError", "Unreachable"]), "message": at("Text")}),
    );
    let fence = words(&[
        "SwitchedOff",
        "LeaseLost",
        "ForeignNamespace",
        "TickFull",
        "NotYetVisible",
        "EarlierStep",
        "StaleView",
        "IntentNotPrinted",
    ]);
    let along = strict(
        "What the write of a scaler's field takes along.",
        json!({
        "absent": {"type": "boolean"}, "bare": {"type": "boolean"}, "record": or_null("Recorded")}),
    );
    vec![
        (
            "Reason",
            words(&[
                "ForecastRise",
                "ReactiveRise",
                "UserFloor",
                "DeployReset",
                "Quiet",
                "LoweredMax",
                "CapacityLimited",
                "Steady",
                "Adopting",
                "ClaimDropped",
                "Rollout",
                "Woken",
                "Held",
                "TargetUnknown",
            ]),
        ),
        (
            "Step",
            tagged(
                &[],
                json!({
            "SetFloor": strict("Move the floor.", json!({"uid": at("Text"), "from": at("Pods"), "to": at("Pods"),
                "along": nullable(along)})),
            "DropClaim": strict("Take our name off the field.", json!({"uid": at("Text")})),
            "GiveBack": strict("The user's own value back.", json!({"uid": at("Text"), "from": at("Recorded"), "to": at("Recorded")})),
            "Wake": strict("Start the pods that a floor asks for in the scaler's place.", json!({"uid": at("Text"), "to": at("Pods")})),
            "Adopt": strict("Own the field without moving it.", json!({"uid": at("Text"), "value": at("Pods")}))}),
            ),
        ),
        (
            "Outcome",
            tagged(
                &["Applied", "Shadow", "Conflict", "TimedOut"],
                json!({
            "Refused": refused, "Fenced": strict("", json!({"by": fence}))}),
            ),
        ),
        (
            "Decision",
            strict(
                "The complete decision.",
                json!({
            "held": or_null("Pods"), "field": field, "wish": nullable(wish), "clamps": list(clamp),
            "verdict": tagged(&["Steady"], json!({"Apply": list(at("Step")), "Hold": at("Text")})),
            "reason": at("Reason"), "counterfactual": reading(at("Pods"))}),
            ),
        ),
    ]
}
