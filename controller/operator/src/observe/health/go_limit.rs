//! `GOMEMLIMIT` of a container: its environment in, bytes out. Pure.

use forewarm_core::units::Bytes;
use serde::{Deserialize, Deserializer};

/// Name of the variable.
pub(crate) const NAME: &str = "GOMEMLIMIT";

/// One variable, as far as it is read.
#[derive(Default, Deserialize)]
struct Variable {
    #[serde(default)]
    name: String,
    value: Option<String>,
}

/// Reads the list of variables and keeps no more than the limit.
pub(super) fn of_env<'de, D: Deserializer<'de>>(env: D) -> Result<Option<Bytes>, D::Error> {
    let all = Option::<Vec<Variable>>::deserialize(env)?.unwrap_or_default();
    // Of two of one name the later one counts.
    let found = all.into_iter().rev().find(|one| one.name == NAME);
    Ok(found.and_then(|one| bytes(&one.value?)))
}

/// The bytes of a value: whole bytes, or with a unit of B, `KiB`, `MiB`, `GiB`, `TiB`. `None`: `off`, zero, a reference that
/// the kubelet fills in, or nothing that Go takes.
/// Form: package runtime of Go, "Environment Variables".
pub(crate) fn bytes(value: &str) -> Option<Bytes> {
    const UNITS: [(&str, u64); 5] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("B", 0)];
    let unit = UNITS
        .iter()
        .find_map(|(unit, bits)| Some((value.strip_suffix(unit)?, *bits)));
    let (digits, bits) = unit.unwrap_or((value, 0));
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let count = plain.then(|| digits.parse::<u64>().ok())??;
    count.checked_mul(1 << bits).filter(|bytes| *bytes > 0).map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_go_reads_them() {
        let rows = [
            ("1073741824", Some(1 << 30)),
            ("400MiB", Some(400 << 20)),
            ("2GiB", Some(2 << 30)),
            ("512B", Some(512)),
            ("off", None),
            ("400Mi", None),
            ("400 MiB", None),
            ("$(LIMIT)", None),
            ("99999999999TiB", None),
            ("0", None),
            ("", None),
        ];
        for (text, found) in rows {
            assert_eq!(bytes(text), found.map(Bytes), "{text}");
        }
    }

    #[test]
    fn of_an_environment_only_a_value_of_its_own_is_known() {
        let read = |env: serde_json::Value| of_env(env).unwrap();
        let limit = |value: &str| serde_json::json!({"name": "GOMEMLIMIT", "value": value});
        assert_eq!(
            read(serde_json::json!([{"name": "A"}, limit("1KiB")])),
            Some(Bytes(1024))
        );
        assert_eq!(
            read(serde_json::json!([limit("1KiB"), limit("2KiB")])),
            Some(Bytes(2048))
        );
        let referred = serde_json::json!([{"name": "GOMEMLIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}]);
        assert_eq!(read(referred), None);
        assert_eq!(read(serde_json::Value::Null), None);
    }
}
