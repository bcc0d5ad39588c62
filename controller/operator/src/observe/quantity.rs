//! Memory quantities as objects have them. Pure.

use forewarm_core::units::Bytes;

/// The bytes of a quantity, rounded up: `64Mi`, `0.5Gi`, `67108864`, `128974848000m`, `1e9`. `None` for anything else.
pub fn bytes(text: &str) -> Option<Bytes> {
    scaled(text, 1.0)
}

/// Thousandths of a quantity, rounded up: `100m` and `0.1` are 100. `None` for anything that is no amount.
pub fn thousandths(text: &str) -> Option<u64> {
    scaled(text, 1e3).map(|Bytes(amount)| amount)
}

fn scaled(text: &str, by: f64) -> Option<Bytes> {
    const UNITS: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("", 1.0),
    ];
    let (suffix, factor) = UNITS.iter().find(|(suffix, _)| text.ends_with(suffix))?;
    let digits = &text[..text.len() - suffix.len()];
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    let number = plain.then(|| digits.parse::<f64>().ok())??;
    // In this order: 1e-3 by 1e3 is 1, and 700m are 700.
    Bytes::of(number * (factor * by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_in_every_unit_and_rounded_up() {
        let rows = [
            ("64Mi", Some(67_108_864)),
            ("0.5Gi", Some(536_870_912)),
            ("67108864", Some(67_108_864)),
            ("1500m", Some(2)),
            ("1e9", Some(1_000_000_000)),
            ("64MiB", None),
            ("", None),
            ("-1", None),
            ("NaN", None),
        ];
        for (text, expected) in rows {
            assert_eq!(bytes(text), expected.map(Bytes), "{text}");
        }
    }

    #[test]
    fn amounts_of_cpu_are_read_in_thousandths() {
        let rows = [
            ("100m", Some(100)),
            ("0.1", Some(100)),
            ("2", Some(2000)),
            ("1k", Some(1_000_000)),
            ("many", None),
        ];
        for (text, expected) in rows {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }
}
