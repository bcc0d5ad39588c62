//! The body of an answer in, its series out, one at a time. Pure.
//!
//! No `Value` tree and no map of labels is built: of each series only the labels that tie it to a function and
//! its samples are read, borrowed from the body, so 50,000 series cost their own bytes and little more.

use crate::error::{SourceError, cut, quoted};
use crate::series::{self, LabelNames, Labels};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An answer whose frame is read and whose series are not yet.
#[derive(Debug)]
pub struct Answer<'a> {
    kind: Cow<'a, str>,
    result: &'a RawValue,
    /// Remarks that do not put the answer in doubt (Prometheus 3 `infos`): how many.
    pub infos: usize,
}

/// One series of an instant vector.
#[derive(Debug, PartialEq)]
pub struct Sampled<'a> {
    /// Its labels.
    pub labels: Labels<'a>,
    /// Its value; `None` where there is none that could be read as a float (text, native histogram).
    pub value: Option<f64>,
}

/// One series of a matrix.
#[derive(Debug, PartialEq)]
pub struct Ranged<'a> {
    /// Its labels.
    pub labels: Labels<'a>,
    /// Its points: seconds since 1970 UTC and value, `None` as in [`Sampled`].
    pub points: Vec<(f64, Option<f64>)>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    #[serde(borrow, rename = "errorType")]
    error_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
    warnings: Option<Vec<String>>,
    infos: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow, rename = "resultType")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    result: &'a RawValue,
}

impl<'a> Answer<'a> {
    /// Reads the frame of `body`.
    ///
    /// Refused: what is no JSON of Prometheus's API, an error, and any warning, since an answer with warnings
    /// may lack series (Thanos and Mimir say so that way).
    pub fn read(body: &'a [u8]) -> Result<Self, SourceError> {
        let frame: Frame<'_> = serde_json::from_slice(body).map_err(|error| shape(&error))?;
        let Frame {
            status,
            data,
            error_type,
            error,
            warnings,
            infos,
        } = frame;
        if status != "success" {
            let text = quoted(&error.unwrap_or_default(), None);
            return Err(SourceError::Refused {
                kind: cut(&error_type.unwrap_or_default(), None),
                text,
            });
        }
        if let Some(warning) = warnings.as_ref().and_then(|w| w.first()) {
            return Err(SourceError::Partial(quoted(warning, None)));
        }
        let data = data.ok_or_else(|| SourceError::Shape("no data".to_owned()))?;
        Ok(Self {
            kind: data.kind,
            result: data.result,
            infos: infos.map_or(0, |i| i.len()),
        })
    }

    /// Hands each series of an instant vector to `each`; returns how many there were.
    ///
    /// Refused: scalars, strings and matrices, and more than `most` series (those before have been handed over).
    pub fn vector(&self, names: &LabelNames, most: usize, each: impl FnMut(Sampled<'a>)) -> Result<usize, SourceError> {
        self.expect("vector")?;
        series::sampled(self.result.get(), names, most, each)
    }

    /// Hands each series of a matrix to `each`; otherwise as [`Self::vector`].
    pub fn matrix(&self, names: &LabelNames, most: usize, each: impl FnMut(Ranged<'a>)) -> Result<usize, SourceError> {
        self.expect("matrix")?;
        series::ranged(self.result.get(), names, most, each)
    }

    fn expect(&self, kind: &str) -> Result<(), SourceError> {
        if self.kind == kind {
            return Ok(());
        }
        Err(SourceError::Shape(format!(
            "it is a {}, not a {kind}",
            cut(&self.kind, None)
        )))
    }
}

/// Prometheus's own error in the body of an HTTP error, if it is one.
pub(crate) fn refusal(body: &[u8], secret: Option<&str>) -> Option<SourceError> {
    let frame: Frame<'_> = serde_json::from_slice(body).ok()?;
    (frame.status == "error").then(|| SourceError::Refused {
        kind: cut(&frame.error_type.unwrap_or_default(), secret),
        text: quoted(&frame.error.unwrap_or_default(), secret),
    })
}

pub(crate) fn shape(error: &serde_json::Error) -> SourceError {
    // The message of serde_json may quote the body; where it stopped says enough.
    SourceError::Shape(format!(
        "not an answer of Prometheus's API (line {}, column {})",
        error.line(),
        error.column()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(result: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#)
    }

    fn read(body: &str) -> Result<Vec<(String, Option<f64>)>, SourceError> {
        let names = LabelNames::new("namespace", "pod");
        let mut seen = Vec::new();
        Answer::read(body.as_bytes())?.vector(&names, 3, |s| {
            let name = |l: Option<Cow<'_, str>>| l.map_or_else(|| "-".to_owned(), Cow::into_owned);
            seen.push((
                format!(
                    "{}/{}/{}",
                    name(s.labels.namespace),
                    name(s.labels.name),
                    name(s.labels.workload)
                ),
                s.value,
            ));
        })?;
        Ok(seen)
    }

    #[test]
    fn a_series_gives_its_labels_and_value() {
        let body = vector(
            r#"[{"metric":{"__name__":"x","pod":"p","namespace":"n"},"value":[1.5,"3"]},
               {"value":[1,"0.5"],"metric":{"namespace":"n\u0041","workload":"w","more":"1"}},
               {"metric":{},"value":[1,"1"]}]"#,
        );
        let expected = [("n/p/-", Some(3.0)), ("nA/-/w", Some(0.5)), ("-/-/-", Some(1.0))];
        assert_eq!(read(&body), Ok(expected.map(|(l, v)| (l.to_owned(), v)).to_vec()));
        assert_eq!(read(&vector("[]")), Ok(vec![]));
    }

    #[test]
    fn values_are_read_as_prometheus_writes_them_and_no_other_way() {
        let rows = [
            ("3", Some(3.0)),
            ("-1", Some(-1.0)),
            ("1e308", Some(1e308)),
            ("1e999", Some(f64::INFINITY)),
            ("+Inf", Some(f64::INFINITY)),
            ("-Inf", Some(f64::NEG_INFINITY)),
            ("", None),
            ("0x10", None),
            ("\u{661}", None),
            ("infinity", None),
            ("nan", None),
            (" 1", None),
        ];
        for (text, value) in rows {
            let body = vector(&format!(r#"[{{"metric":{{}},"value":[1,"{text}"]}}]"#));
            assert_eq!(read(&body).expect(text), [("-/-/-".to_owned(), value)], "{text:?}");
        }
        let nan = read(&vector(r#"[{"metric":{},"value":[1,"NaN"]}]"#)).expect("is read");
        assert!(nan[0].1.is_some_and(f64::is_nan));
    }

    #[test]
    fn a_native_histogram_is_no_value() {
        let body = vector(r#"[{"metric":{"namespace":"n"},"histogram":[1,{"count":"3","sum":"2"}]}]"#);
        assert_eq!(read(&body), Ok(vec![("n/-/-".to_owned(), None)]));
    }

    #[test]
    fn what_is_no_whole_vector_is_refused() {
        let answers = [
            (
                r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#,
                "wrong shape: it is a scalar, not a vector",
            ),
            (
                r#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#,
                "it is a string",
            ),
            (
                r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
                "it is a matrix",
            ),
            (r#"{"status":"success"}"#, "no data"),
            (
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}}"#,
                "wrong shape",
            ),
            (
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{}"#,
                "not an answer",
            ),
            (
                r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store x is gone"]}"#,
                "partial: store x is gone",
            ),
            (
                r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
                "refused the query (bad_data): parse error",
            ),
            ("<html>secret</html>", "not an answer of Prometheus's API (line 1"),
            ("[]", "not an answer"),
            ("", "not an answer"),
        ];
        for (body, part) in answers {
            let error = read(body).expect_err(body).to_string();
            assert!(error.contains(part) && !error.contains("secret"), "{body}: {error}");
        }
    }

    #[test]
    fn empty_warnings_and_infos_put_nothing_in_doubt() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":[],"infos":["name should end in _total"]}"#;
        assert_eq!(Answer::read(body.as_bytes()).expect("is read").infos, 1);
    }

    #[test]
    fn a_series_too_many_is_refused() {
        let one = r#"{"metric":{},"value":[1,"1"]}"#;
        assert_eq!(read(&vector(&format!("[{one},{one},{one}]"))).map(|s| s.len()), Ok(3));
        assert_eq!(
            read(&vector(&format!("[{one},{one},{one},{one}]"))),
            Err(SourceError::TooManySeries(3))
        );
    }

    #[test]
    fn a_matrix_gives_its_points() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"pod":"p"},"values":[[60,"1"],[120.5,"x"]]}]}}"#;
        let answer = Answer::read(body.as_bytes()).expect("is read");
        let mut points = Vec::new();
        let count = answer.matrix(&LabelNames::new("namespace", "pod"), 9, |s| points.extend(s.points));
        assert_eq!((count, points), (Ok(1), vec![(60.0, Some(1.0)), (120.5, None)]));
    }

    proptest::proptest! {
        #[test]
        fn r10_no_body_whatever_panics(body: Vec<u8>, value: String) {
            let _ = Answer::read(&body);
            let quoted = serde_json::to_string(&value).expect("a string is JSON");
            let _ = read(&vector(&format!(r#"[{{"metric":{{"pod":{quoted}}},"value":[1,{quoted}]}}]"#)));
        }
    }
}
