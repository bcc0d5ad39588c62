//! A Kubernetes quantity of demand or slots: a string or a whole number in, a finite number out. Pure.
//!
//! Of the quantity grammar this takes decimal numbers with the suffixes `m`, `k` and `M`; that is every amount a
//! replica can serve, and leaves no room for exponents that overflow.

use forewarm_core::units::{Demand, Slots};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// An amount as written in a resource, for example `20`, `"0.5"`, `"500m"` or `"2k"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Amount(pub String);

impl Amount {
    /// The number; `None` for what does not have the form.
    pub fn number(&self) -> Option<f64> {
        let (digits, scale) = match self.0.as_bytes().last()? {
            b'm' => (&self.0[..self.0.len() - 1], 1e-3),
            b'k' => (&self.0[..self.0.len() - 1], 1e3),
            b'M' => (&self.0[..self.0.len() - 1], 1e6),
            _ => (self.0.as_str(), 1.0),
        };
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let well = digits_only(whole, 9) && fraction.is_none_or(|f| digits_only(f, 3));
        // Dividing keeps "1m" the float nearest to 0.001; multiplying by 1e-3 would not.
        well.then(|| digits.parse::<f64>().ok())
            .flatten()
            .map(|n| if scale < 1.0 { n / 1e3 } else { n * scale })
    }

    /// Slots of one replica; `None` for what does not have the form, or lies outside of 0.001 to 1,000,000.
    pub fn slots(&self) -> Option<Slots> {
        self.number().filter(|n| (0.001..=1e6).contains(n)).and_then(Slots::new)
    }

    /// An amount of demand, rounded up to thousandths; at most 999,999,999M.
    pub fn of(demand: Demand) -> Self {
        let thousandths = (demand.get() * 1e3 - 1e-6).ceil().max(0.0) + 0.0; // no -0
        if thousandths < 999_999_999_000.0 {
            return Self(trim(&format!("{:.3}", thousandths / 1e3)));
        }
        Self(format!("{:.0}M", (demand.get() / 1e6).ceil().min(999_999_999.0)))
    }
}

/// Between 1 and `most` ASCII digits.
fn digits_only(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Without zeros that say nothing: `2.500` is `2.5`, `20.000` is `20`.
fn trim(number: &str) -> String {
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Whole(i64),
            Text(String),
        }
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::Whole(number) => number.to_string(),
            Written::Text(text) => text,
        }))
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": 14 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_writes_them() {
        let rows = [
            ("20", Some(20.0)),
            ("0.5", Some(0.5)),
            ("500m", Some(0.5)),
            ("2k", Some(2000.0)),
            ("1.5M", Some(1_500_000.0)),
            ("0", Some(0.0)),
            ("", None),
            ("-1", None),
            ("+1", None),
            (".5", None),
            ("1.", None),
            ("1e3", None),
            ("1e1000", None),
            ("1Ki", None),
            ("9E", None),
            ("NaN", None),
            ("inf", None),
            ("1 ", None),
            ("9999999999", None),
            ("1.2345", None),
            ("٣", None),
        ];
        for (text, expected) in rows {
            assert_eq!(Amount(text.to_owned()).number(), expected, "{text:?}");
        }
    }

    #[test]
    fn slots_lie_between_a_thousandth_and_a_million() {
        assert_eq!(Amount("1M".into()).slots(), Slots::new(1e6));
        assert_eq!(Amount("1001k".into()).slots(), None);
        assert_eq!(Amount("0".into()).slots(), None);
        assert_eq!(Amount("0.1m".into()).slots(), None);
        assert_eq!(Amount("1m".into()).slots(), Slots::new(0.001));
    }

    #[test]
    fn demand_is_written_rounded_up_and_reads_back() {
        let rows = [
            (0.0, "0"),
            (212.0, "212"),
            (0.35, "0.35"),
            (0.0001, "0.001"),
            (20.0, "20"),
            (3.5e9, "3500M"),
            (1e300, "999999999M"),
        ];
        for (demand, text) in rows {
            let amount = Amount::of(Demand::new(demand).expect("an amount"));
            assert_eq!(amount.0, text);
            assert!(amount.number().is_some_and(|n| n >= demand.min(1e14)), "{text}");
        }
    }

    #[test]
    fn whole_numbers_and_strings_are_both_taken() {
        for (json, text) in [("20", "20"), ("\"20\"", "20"), ("-1", "-1")] {
            assert_eq!(
                serde_json::from_str::<Amount>(json).expect("decodes"),
                Amount(text.to_owned())
            );
        }
        assert!(serde_json::from_str::<Amount>("1.5").is_err());
    }
}
