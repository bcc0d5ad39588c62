//! `PromQL` in, the same `PromQL` restricted to fresh samples out. Pure.
//!
//! An instant query's value carries the time of evaluation, not of the sample, and Prometheus goes on showing
//! the last sample for five minutes when nothing newer comes and nobody said that the series has ended: after a
//! restart without targets, behind remote write, behind a gateway. So the age is asked in the query itself.
//! Each selector `m` becomes `(m and (timestamp(m) > (time() - limit)))`, and each function over a range
//! `f(m[r])` becomes `(f(m[r]) and (timestamp(m) > (time() - limit)))`. Both sides are evaluated on the source's
//! own clock, series that have ended stay ended, and nothing but a stale sample is ever removed.

use forewarm_core::units::Seconds;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, BinaryExpr, Call, Expr, Offset, ParenExpr, VectorSelector};

/// `query`, with every sample older than `limit` taken out.
///
/// Where `ranges` is false, functions over a range stay as they are: a query for what is up has to remember what
/// was there an hour ago.
///
/// Fails, with what to do about it, where a selector has no metric name of its own (its samples' age cannot be
/// asked without a clash of names) or the text does not survive being parsed and printed.
pub fn fresh(query: &str, limit: Seconds, ranges: bool) -> Result<String, String> {
    let expression = parser::parse(query).map_err(|e| first_line(&e))?;
    let masked = Mask {
        limit: i64::from(limit.0),
        ranges,
    }
    .mask(expression)?;
    let text = masked.to_string();
    match parser::parse(&text) {
        Ok(again) if again == masked => Ok(text),
        _ => Err("cannot be restricted to fresh samples; write it in a simpler way".to_owned()),
    }
}

/// Functions whose answer is about the absence of samples.
const LEFT_ALONE: [&str; 2] = ["absent", "absent_over_time"];

struct Mask {
    limit: i64,
    ranges: bool,
}

impl Mask {
    fn mask(&self, expression: Expr) -> Result<Expr, String> {
        Ok(match expression {
            Expr::VectorSelector(selector) => {
                let selector = named(selector)?;
                self.guarded(Expr::VectorSelector(selector.clone()), &selector)
            }
            Expr::Call(call) => self.call(call)?,
            Expr::Aggregate(mut aggregate) => {
                aggregate.expr = self.boxed(*aggregate.expr)?;
                Expr::Aggregate(aggregate)
            }
            Expr::Binary(mut binary) => {
                (binary.lhs, binary.rhs) = (self.boxed(*binary.lhs)?, self.boxed(*binary.rhs)?);
                Expr::Binary(binary)
            }
            Expr::Unary(mut unary) => {
                unary.expr = self.boxed(*unary.expr)?;
                Expr::Unary(unary)
            }
            Expr::Paren(paren) => parens(self.mask(*paren.expr)?),
            // A bare range or subquery gives no instant vector; literals have no age.
            other => other,
        })
    }

    fn boxed(&self, expression: Expr) -> Result<Box<Expr>, String> {
        self.mask(expression).map(Box::new)
    }

    fn call(&self, mut call: Call) -> Result<Expr, String> {
        if LEFT_ALONE.contains(&call.func.name) {
            return Ok(Expr::Call(call));
        }
        match over(&call) {
            Some(Over::Range(selector)) if self.ranges => Ok(self.guarded(Expr::Call(call), &named(selector)?)),
            // Over a subquery: what it sees at its end has to be fresh.
            Some(Over::Subquery(inner)) if self.ranges => Ok(both(Expr::Call(call), self.mask(inner)?)),
            Some(Over::Range(_) | Over::Subquery(_)) => Ok(Expr::Call(call)),
            // timestamp(m) shows the sample's time for a bare selector only.
            Some(Over::Timestamp(selector)) => Ok(self.guarded(Expr::Call(call), &named(selector)?)),
            None => {
                let args = std::mem::take(&mut call.args.args);
                call.args.args = args.into_iter().map(|arg| self.boxed(*arg)).collect::<Result<_, _>>()?;
                Ok(Expr::Call(call))
            }
        }
    }

    /// `(expression and (timestamp(selector) > (time() - limit)))`. With `@` the time is fixed, so age says nothing.
    fn guarded(&self, expression: Expr, selector: &VectorSelector) -> Expr {
        if selector.at.is_some() {
            return expression;
        }
        let limit = self.limit + offset_seconds(selector);
        let age = template(
            &format!("timestamp(m) > (time() - {limit})").replace("- -", "+ "),
            selector,
        );
        both(expression, age)
    }
}

/// What a function reads, where its answer does not carry the sample's own time.
enum Over {
    Range(VectorSelector),
    Subquery(Expr),
    Timestamp(VectorSelector),
}

fn over(call: &Call) -> Option<Over> {
    call.args.args.iter().find_map(|arg| match &**arg {
        Expr::MatrixSelector(matrix) => Some(Over::Range(matrix.vs.clone())),
        Expr::Subquery(subquery) if subquery.at.is_none() && subquery.offset.is_none() => {
            Some(Over::Subquery((*subquery.expr).clone()))
        }
        Expr::VectorSelector(selector) if call.func.name == "timestamp" => Some(Over::Timestamp(selector.clone())),
        _ => None,
    })
}

/// `(left and (right))`.
fn both(left: Expr, right: Expr) -> Expr {
    let Ok(Expr::Binary(mut and)) = parser::parse("l and (r)") else {
        unreachable!("the template is PromQL")
    };
    and.lhs = Box::new(left);
    and.rhs = Box::new(parens(right));
    parens(Expr::Binary(and))
}

fn parens(expr: Expr) -> Expr {
    Expr::Paren(ParenExpr { expr: Box::new(expr) })
}

/// `text`, a comparison of `timestamp(m)`, with `selector` in the place of `m`.
fn template(text: &str, selector: &VectorSelector) -> Expr {
    let Ok(Expr::Binary(BinaryExpr { op, lhs, rhs, modifier })) = parser::parse(text) else {
        unreachable!("the template is PromQL")
    };
    let Expr::Call(mut call) = *lhs else {
        unreachable!("the template begins with a call")
    };
    call.args.args = vec![Box::new(Expr::VectorSelector(selector.clone()))];
    Expr::Binary(BinaryExpr {
        op,
        lhs: Box::new(Expr::Call(call)),
        rhs,
        modifier,
    })
}

fn offset_seconds(selector: &VectorSelector) -> i64 {
    let seconds = |d: &std::time::Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX / 2);
    match &selector.offset {
        None => 0,
        Some(Offset::Pos(d)) => seconds(d),
        Some(Offset::Neg(d)) => -seconds(d),
    }
}

/// The selector with its metric name where printing keeps it; an error if it has none.
fn named(mut selector: VectorSelector) -> Result<VectorSelector, String> {
    let legacy = |name: &str| {
        name.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
    };
    match selector.name.take() {
        Some(name) if legacy(&name) => selector.name = Some(name),
        Some(name) => selector
            .matchers
            .matchers
            .push(Matcher::new(MatchOp::Equal, "__name__", &name)),
        None => {
            let named = |m: &Matcher| m.name == "__name__" && m.op == MatchOp::Equal;
            if !selector.matchers.matchers.iter().any(named) {
                return Err(
                    "every selector needs a metric name, so that the age of its samples can be asked".to_owned(),
                );
            }
        }
    }
    Ok(selector)
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_a_query_reads_is_asked_for_its_age() {
        let rows = [
            ("m", "(m and (timestamp(m) > (time() - 60)))"),
            (
                "sum by (a, b) (m{x=\"1\"})",
                "sum by (a, b) ((m{x=\"1\"} and (timestamp(m{x=\"1\"}) > (time() - 60))))",
            ),
            (
                "sum by (a) (rate(m[1m]))",
                "sum by (a) ((rate(m[1m]) and (timestamp(m) > (time() - 60))))",
            ),
            (
                "m offset 5m",
                "(m offset 5m and (timestamp(m offset 5m) > (time() - 360)))",
            ),
            (
                "m offset -2m",
                "(m offset -2m and (timestamp(m offset -2m) > (time() + 60)))",
            ),
            ("m @ 100", "m @ 100.000"),
            ("timestamp(m)", "(timestamp(m) and (timestamp(m) > (time() - 60)))"),
            ("absent(m)", "absent(m)"),
            (
                "{__name__=\"m\"}",
                "({__name__=\"m\"} and (timestamp({__name__=\"m\"}) > (time() - 60)))",
            ),
            (
                "max_over_time(sum by (a) (m)[1m:15s])",
                "(max_over_time(sum by (a) (m)[1m:15s]) and (sum by (a) ((m and (timestamp(m) > (time() - 60))))))",
            ),
            (
                "label_replace(m, \"a\", \"$1\", \"b\", \"(.+)\")",
                "label_replace((m and (timestamp(m) > (time() - 60))), \"a\", \"$1\", \"b\", \"(.+)\")",
            ),
            (
                "clamp_min(a - b, 0)",
                "clamp_min((a and (timestamp(a) > (time() - 60))) - (b and (timestamp(b) > (time() - 60))), 0)",
            ),
            ("vector(1)", "vector(1)"),
        ];
        for (query, expected) in rows {
            assert_eq!(fresh(query, Seconds(60), true).as_deref(), Ok(expected), "{query}");
        }
    }

    #[test]
    fn a_query_for_what_is_up_may_remember() {
        let query = "min by (instance) (up and on (job) last_over_time(m[1h]))";
        let masked = "min by (instance) ((up and (timestamp(up) > (time() - 45))) and on (job) last_over_time(m[1h]))";
        assert_eq!(fresh(query, Seconds(45), false).as_deref(), Ok(masked));
    }

    #[test]
    fn a_name_with_dots_is_kept() {
        let text = fresh("sum({\"kn.serving.count\", a=\"b\"})", Seconds(60), true).expect("can be restricted");
        assert!(
            text.contains("__name__=\"kn.serving.count\"") && text.contains("a=\"b\""),
            "{text}"
        );
    }

    #[test]
    fn a_selector_without_a_name_is_refused() {
        for query in ["{a=\"b\"}", "sum({__name__=~\"a|b\"})", "rate({a=\"b\"}[1m])"] {
            assert!(
                fresh(query, Seconds(60), true)
                    .expect_err(query)
                    .contains("metric name"),
                "{query}"
            );
        }
    }
}
