//! One short line for a person at a terminal, from the same members as the JSON line. Pure.

use super::ascii::is_unprintable;
use super::line::event;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// How the decision log is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Chained JSON lines.
    Json,
    /// Short lines for reading; they cannot be verified.
    Human,
    /// Human on a terminal, JSON everywhere else.
    #[default]
    Auto,
}

impl LogFormat {
    /// True when lines are for a person; `Auto` asks whether standard output is a terminal.
    pub fn is_human(self) -> bool {
        match self {
            Self::Json => false,
            Self::Human => true,
            Self::Auto => std::io::IsTerminal::is_terminal(&std::io::stdout()),
        }
    }
}

/// The line without its newline.
pub fn line(object: &Map<String, Value>) -> String {
    let event = text(object.get("event.name"));
    let told = match event.as_str() {
        event::DECISION | event::HEARTBEAT => decision(object),
        _ => other(&event, object),
    };
    let clock = text(object.get("time"));
    let line = format!("{} {told}", clock.get(11..19).unwrap_or_default());
    line.chars().flat_map(shown).collect()
}

/// `payments/fraud-scorer 2→12 ForecastRise (p80 212 in 47 s, trailing-peak) applied`.
fn decision(object: &Map<String, Value>) -> String {
    let mut out = format!("{}/{}", text(object.get("namespace")), text(object.get("policy")));
    let _ = match (object.get("from"), object.get("to")) {
        (Some(from), Some(to)) if from != to && !to.is_null() => write!(out, " {}→{}", whole(from), whole(to)),
        (Some(from), _) => write!(out, " {}", whole(from)),
        (None, _) => Ok(()),
    };
    let _ = write!(out, " {}", text(object.get("reason")));
    if let Some(rule) = object.get("rule").and_then(Value::as_str) {
        let _ = write!(
            out,
            " by {rule}, wished {}",
            object.get("wished").map_or_else(String::new, whole)
        );
    }
    let _ = write!(out, " ({})", basis(object));
    for outcome in object.get("outcomes").and_then(Value::as_array).into_iter().flatten() {
        let _ = write!(out, " {}", variant(outcome).to_lowercase());
    }
    out
}

/// What the decision rests on: the forecast where it is trusted, else why not; and why there is no demand.
fn basis(object: &Map<String, Value>) -> String {
    let Some(function) = object.get("inputs").and_then(|inputs| inputs.get("function")) else {
        return String::new();
    };
    let forecast = &function["forecast"];
    let mut out = if forecast["trust"] == "Trusted" {
        let (quantile, horizon) = (whole(&forecast["quantile"]), whole(&forecast["horizon"]));
        let upper = forecast["upper"].as_f64().unwrap_or_default();
        format!("p{quantile} {upper:.0} in {horizon} s, {}", text(forecast.get("model")))
    } else {
        format!("forecast {}", inner(&forecast["trust"]))
    };
    if let Some(why) = function["observation"]["demand"].get("Unknown") {
        let _ = write!(out, ", metrics {}", variant(why));
    }
    out
}

/// Any other event: its name, then its members.
fn other(event: &str, object: &Map<String, Value>) -> String {
    const ENVELOPE: [&str; 6] = ["time", "event.name", "run", "epoch", "seq", "prev"];
    let members = object.iter().filter(|(name, _)| !ENVELOPE.contains(&name.as_str()));
    members.fold(event.to_owned(), |mut out, (name, value)| {
        let _ = match value {
            Value::String(text) => write!(out, " {name}={text}"),
            value => write!(out, " {name}={value}"),
        };
        out
    })
}

/// Name of an enum's variant as serde writes it: a string, or the only key of an object.
fn variant(value: &Value) -> String {
    match value {
        Value::Object(object) => object.keys().next().cloned().unwrap_or_default(),
        value => text(Some(value)),
    }
}

/// Name of the variant inside a variant: `{"Untrusted": "ModelFailed"}` is `ModelFailed`.
fn inner(value: &Value) -> String {
    value
        .as_object()
        .and_then(|object| object.values().next())
        .map(variant)
        .unwrap_or_default()
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn whole(value: &Value) -> String {
    value.as_u64().map_or_else(|| "?".to_owned(), |n| n.to_string())
}

/// What a terminal might act upon is shown escaped.
fn shown(c: char) -> Vec<char> {
    if is_unprintable(c) {
        c.escape_default().collect()
    } else {
        vec![c]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> String {
        let Value::Object(object) = value else {
            panic!("an object")
        };
        line(&object)
    }

    fn rise() -> Value {
        json!({
            "time": "2026-11-24T14:03:15.000Z", "event.name": "forewarm.decision",
            "namespace": "payments", "policy": "fraud-scorer", "reason": "ForecastRise", "rule": null,
            "from": 2, "to": 12, "wished": 12, "outcomes": ["Applied"],
            "inputs": {"function": {
                "forecast": {"trust": "Trusted", "model": "trailing-peak", "quantile": 80, "upper": 211.7, "horizon": 47},
                "observation": {"demand": {"Known": {"current": 3.0, "peak": 4.0}}}}}
        })
    }

    #[test]
    fn a_rise_reads_as_one_sentence() {
        let expected = "14:03:15 payments/fraud-scorer 2→12 ForecastRise (p80 212 in 47 s, trailing-peak) applied";
        assert_eq!(of(rise()), expected);
    }

    #[test]
    fn a_hold_names_its_rule_and_what_was_wished() {
        let mut hold = rise();
        hold["reason"] = "Held".into();
        hold["rule"] = "trust".into();
        hold["wished"] = 1.into();
        hold["to"] = Value::Null;
        hold["outcomes"] = json!([]);
        hold["inputs"]["function"]["observation"]["demand"] = json!({"Unknown": {"Stale": {"age": 90}}});
        hold["inputs"]["function"]["forecast"]["trust"] = json!({"Untrusted": "HistoryStale"});
        let expected =
            "14:03:15 payments/fraud-scorer 2 Held by trust, wished 1 (forecast HistoryStale, metrics Stale)";
        assert_eq!(of(hold), expected);
    }

    #[test]
    fn other_events_show_their_members() {
        let line = of(
            json!({"time": "2026-11-24T14:03:15.000Z", "event.name": "forewarm.leader", "state": "taken",
                             "term": 15, "run": "R", "epoch": 4, "seq": 1, "prev": ""}),
        );
        assert_eq!(line, "14:03:15 forewarm.leader state=taken term=15");
    }

    #[test]
    fn a_name_cannot_move_the_cursor_or_turn_the_text() {
        let line = of(json!({"time": "", "event.name": "x", "name": "a\u{1b}[2J\nb\u{202e}c"}));
        assert_eq!(line, " x name=a\\u{1b}[2J\\nb\\u{202e}c");
    }
}
