//! Series as JSON in, labels and samples out, one at a time and borrowed. Pure.

use crate::answer::{Ranged, Sampled, shape};
use crate::error::SourceError;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The label that names a workload where a query by workload has grouped by it.
pub(crate) const WORKLOAD: &str = "workload";

/// The labels that are read; all others are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelNames {
    namespace: String,
    name: String,
    /// A label put on by our own history query.
    owner: &'static str,
}

impl LabelNames {
    /// Of a profile's join.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            owner: crate::owner::LABEL,
        }
    }
}

/// The labels of one series that tie it to a function. `None`: not there, or empty, which PromQL cannot tell
/// apart.
#[derive(Debug, Default, PartialEq)]
pub struct Labels<'a> {
    /// The join's namespace label.
    pub namespace: Option<Cow<'a, str>>,
    /// The join's name label.
    pub name: Option<Cow<'a, str>>,
    /// The label `workload`, where it is not the name label itself.
    pub workload: Option<Cow<'a, str>>,
    /// The owner found by our own history query.
    pub owner: Option<Cow<'a, str>>,
}

/// Hands each series of an instant vector's `result` to `each`.
pub(crate) fn sampled<'a>(
    result: &'a str,
    names: &LabelNames,
    most: usize,
    mut each: impl FnMut(Sampled<'a>),
) -> Result<usize, SourceError> {
    elements(result, names, most, |labels, samples| {
        let value = match samples {
            Samples::One(value) => value,
            Samples::Many(_) | Samples::None => None,
        };
        each(Sampled { labels, value });
    })
}

/// Hands each series of a matrix's `result` to `each`.
pub(crate) fn ranged<'a>(
    result: &'a str,
    names: &LabelNames,
    most: usize,
    mut each: impl FnMut(Ranged<'a>),
) -> Result<usize, SourceError> {
    elements(result, names, most, |labels, samples| {
        let points = match samples {
            Samples::Many(points) => points,
            Samples::One(_) | Samples::None => Vec::new(),
        };
        each(Ranged { labels, points });
    })
}

fn elements<'a>(
    result: &'a str,
    names: &LabelNames,
    most: usize,
    each: impl FnMut(Labels<'a>, Samples),
) -> Result<usize, SourceError> {
    let mut json = serde_json::Deserializer::from_str(result);
    match json.deserialize_seq(Elements { names, most, each }) {
        Ok(Some(count)) => Ok(count),
        Ok(None) => Err(SourceError::TooManySeries(most)),
        Err(error) => Err(shape(&error)),
    }
}

enum Samples {
    None,
    One(Option<f64>),
    Many(Vec<(f64, Option<f64>)>),
}

struct Elements<'n, F> {
    names: &'n LabelNames,
    most: usize,
    each: F,
}

impl<'de, F: FnMut(Labels<'de>, Samples)> Visitor<'de> for Elements<'_, F> {
    /// `None`: more than `most`.
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut count = 0;
        while count < self.most {
            let Some((labels, samples)) = seq.next_element_seed(Element(self.names))? else {
                return Ok(Some(count));
            };
            (self.each)(labels, samples);
            count += 1;
        }
        let more = seq.next_element::<IgnoredAny>()?.is_some();
        // The rest has to be read for the JSON to end well; nothing of it is kept.
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok((!more).then_some(count))
    }
}

struct Element<'n>(&'n LabelNames);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Metric,
    Value,
    Values,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = (Labels<'de>, Samples);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = (Labels<'de>, Samples);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut labels, mut samples) = (None, Samples::None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Metric => labels = Some(map.next_value_seed(Metric(self.0))?),
                Field::Value => samples = Samples::One(map.next_value::<Point>()?.1),
                Field::Values => {
                    let points: Vec<Point> = map.next_value()?;
                    samples = Samples::Many(points.into_iter().map(|p| (p.0, p.1)).collect());
                }
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        labels
            .map(|labels| (labels, samples))
            .ok_or_else(|| A::Error::missing_field("metric"))
    }
}

struct Metric<'n>(&'n LabelNames);

impl<'de> DeserializeSeed<'de> for Metric<'_> {
    type Value = Labels<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metric<'_> {
    type Value = Labels<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut labels = Labels::default();
        while let Some(Text(label)) = map.next_key()? {
            let place = match label.as_ref() {
                l if l == self.0.namespace => &mut labels.namespace,
                l if l == self.0.name => &mut labels.name,
                WORKLOAD => &mut labels.workload,
                l if l == self.0.owner => &mut labels.owner,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let Text(value) = map.next_value()?;
            *place = (!value.is_empty()).then_some(value);
        }
        Ok(labels)
    }
}

/// A string, borrowed where it holds no escape. (`Cow`'s own `Deserialize` always copies.)
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A pair of time and value.
struct Point(f64, Option<f64>);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (time, Text(text)) = Deserialize::deserialize(deserializer)?;
        Ok(Self(time, number(&text)))
    }
}

/// A float as Prometheus writes it. `None` for all else that Rust would take too (`inf`, `nan`, `1_0`).
fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => {
            let plain = text
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
            plain.then(|| text.parse().ok()).flatten()
        }
    }
}
