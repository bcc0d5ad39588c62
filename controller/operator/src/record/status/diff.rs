//! Whether two statuses differ in what a reader acts upon, and the patch from one to the other. Pure.

use forewarm_api::FunctionPolicyStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Map, Value};

/// True when something changed that cannot wait: a condition, who holds the floor and at what value, the mode,
/// or the generation spoken of. Everything else are figures; they go along, and once an hour by themselves.
pub fn urgent(old: &FunctionPolicyStatus, new: &FunctionPolicyStatus) -> bool {
    let FunctionPolicyStatus {
        observed_generation,
        mode,
        scaler,
        floor,
        stand_aside,
        conditions,
        forecast: _,
        learned: _,
        history: _,
        last_decision: _,
        memory: _,
        quarantine: _,
    } = new;
    let held = |status: &FunctionPolicyStatus| {
        status
            .floor
            .as_ref()
            .map(|floor| (floor.user, floor.user_from, floor.held))
    };
    *observed_generation != old.observed_generation
        || *mode != old.mode
        || *scaler != old.scaler
        || floor.as_ref().map(|floor| (floor.user, floor.user_from, floor.held)) != held(old)
        || *stand_aside != old.stand_aside
        || !same(conditions, &old.conditions)
}

/// Equal but for their times, which move with the states.
fn same(new: &[Condition], old: &[Condition]) -> bool {
    fn part(condition: &Condition) -> [&str; 4] {
        let Condition {
            type_,
            status,
            reason,
            message,
            ..
        } = condition;
        [type_, status, reason, message]
    }
    new.iter().map(part).eq(old.iter().map(part))
}

/// The merge patch (RFC 7386) that makes `new` of `old`; `None` where they are equal.
pub fn patch(old: &FunctionPolicyStatus, new: &FunctionPolicyStatus) -> Option<Value> {
    let json = |status| serde_json::to_value(status).expect("a status has string keys and finite numbers only");
    difference(&json(old), &json(new))
}

fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let gone = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .map(|key| (key.clone(), Value::Null));
    let changed = after.iter().filter_map(|(key, value)| {
        let difference = before
            .get(key)
            .map_or_else(|| Some(value.clone()), |old| difference(old, value));
        Some((key.clone(), difference?))
    });
    let patch: Map<String, Value> = gone.chain(changed).collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarm_api::status::{FloorStatus, ForecastStatus};
    use serde_json::json;

    #[test]
    fn a_patch_names_what_changed_and_what_went() {
        let floor = |held, bound_by: Option<&str>| {
            Some(FloorStatus {
                held: Some(held),
                user: Some(2),
                bound_by: bound_by.map(str::to_owned),
                ..FloorStatus::default()
            })
        };
        let old = FunctionPolicyStatus {
            floor: floor(12, Some("slew")),
            ..FunctionPolicyStatus::default()
        };
        let new = FunctionPolicyStatus {
            floor: floor(14, None),
            observed_generation: Some(3),
            ..FunctionPolicyStatus::default()
        };
        let expected = json!({"observedGeneration": 3, "floor": {"held": 14, "boundBy": null}});
        assert_eq!(patch(&old, &new), Some(expected));
        assert_eq!(patch(&new, &new), None);
        assert_eq!(
            patch(&new, &FunctionPolicyStatus::default()).unwrap()["floor"],
            Value::Null
        );
    }

    #[test]
    fn figures_are_not_urgent() {
        let old = FunctionPolicyStatus::default();
        let forecast = ForecastStatus {
            coverage_percent: Some(96),
            ..ForecastStatus::default()
        };
        let new = FunctionPolicyStatus {
            forecast: Some(forecast),
            ..old.clone()
        };
        assert!(!urgent(&old, &new));
        assert!(urgent(
            &old,
            &FunctionPolicyStatus {
                observed_generation: Some(1),
                ..old.clone()
            }
        ));
    }
}
