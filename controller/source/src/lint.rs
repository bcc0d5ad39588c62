//! A query in, the habit in it that would make missing data a number out. Pure.

use promql_parser::parser::token::T_LOR;
use promql_parser::parser::{self, Expr};
use promql_parser::util::{ExprVisitor, walk_expr};

/// Refuses `... or vector(n)`: with it a source that lost its series answers with a number.
///
/// What does not parse is left to those who need it parsed.
pub(crate) fn no_invented_number(query: &str) -> Result<(), String> {
    let Ok(expression) = parser::parse(query) else {
        return Ok(());
    };
    match walk_expr(&mut Invented, &expression) {
        Ok(true) => Ok(()),
        _ => Err(
            "or vector(...) makes missing series a number; leave it out, absent: ZeroIfUp says when none means zero"
                .to_owned(),
        ),
    }
}

struct Invented;

impl ExprVisitor for Invented {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        Ok(match expression {
            Expr::Binary(binary) => binary.op.id() != T_LOR || !is_constant(&binary.rhs),
            _ => true,
        })
    }
}

fn is_constant(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(paren) => is_constant(&paren.expr),
        Expr::Call(call) => call.func.name == "vector",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_the_place_of_missing_series_is_refused() {
        let rows = [
            ("m or vector(0)", false),
            ("sum by (a) (m) or (vector(0))", false),
            ("a + (b or on () vector(0))", false),
            ("max_over_time((m or vector(0))[1m:15s])", false),
            ("a or b", true),
            ("a - (b or 0 * a)", true),
            ("m * on () group_left () vector(2)", true),
        ];
        for (query, fine) in rows {
            assert_eq!(no_invented_number(query).is_ok(), fine, "{query}");
        }
    }
}
