//! Query: a query string in, what this one request overrides out. Pure.

use std::num::ParseIntError;
use std::time::Duration;

use crate::config::millis;

/// What one request overrides.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Query {
    /// `work_ms`: service time in place of `WORK_MS`.
    pub work: Option<Duration>,
    /// `memory_mb`: MiB held while this request is worked on.
    pub memory_mib: u32,
    /// `fail`, other than 0: answer 500 after the work.
    pub fail: bool,
}

impl Query {
    /// What this one overrides, over what the pod has become.
    pub fn over(self, become_: &Self) -> Self {
        Self {
            work: self.work.or(become_.work),
            memory_mib: self.memory_mib.max(become_.memory_mib),
            fail: self.fail || become_.fail,
        }
    }

    /// Reads `key=value` pairs joined by `&`; keys of no meaning here are let pass, for load
    /// generators that number their requests. Errors on a value that is not a whole number.
    pub fn parse(text: &str) -> Result<Self, ParseIntError> {
        let mut query = Self::default();
        for pair in text.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "work_ms" => query.work = Some(millis(value)?),
                "memory_mb" => query.memory_mib = value.parse()?,
                "fail" => query.fail = value.parse::<u32>()? != 0,
                _ => {}
            }
        }
        Ok(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_overridden() {
        let nothing = Query::default;
        let rows = [
            ("empty", "", Ok(nothing())),
            ("unknown key", "id=7&x", Ok(nothing())),
            (
                "fail",
                "fail=1",
                Ok(Query {
                    fail: true,
                    ..nothing()
                }),
            ),
            ("fail off", "fail=0", Ok(nothing())),
            (
                "all",
                "work_ms=20&memory_mb=3&fail=1",
                Ok(Query {
                    work: Some(Duration::from_millis(20)),
                    memory_mib: 3,
                    fail: true,
                }),
            ),
            ("not a number", "work_ms=soon", Err(())),
            ("no value", "fail", Err(())),
        ];
        for (row, text, expected) in rows {
            assert_eq!(Query::parse(text).map_err(drop), expected, "{row}");
        }
    }
}
