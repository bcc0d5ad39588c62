//! Condition `Anomalous`: what lies far outside its own band. Pure.

use super::{Said, State, said};
use crate::decide::Function;
use crate::service::Anomaly;

pub(super) fn anomalous(function: &Function) -> Said {
    let anomalies = &function.observation.anomalies;
    let Some(first) = anomalies.first() else {
        return said(
            State::False,
            "WithinBands",
            "Demand, failures and latency lie within their own bands, as far as they are known.",
        );
    };
    let clauses: Vec<String> = anomalies.iter().map(|anomaly| clause(*anomaly)).collect();
    let message = format!("For a while {}.", clauses.join("; "));
    (State::True, first.label(), message.into())
}

/// With the edge at which it was named, which does not move while it lasts.
fn clause(anomaly: Anomaly) -> String {
    match anomaly {
        Anomaly::DemandAboveBand { upper } => {
            format!(
                "the demand is far above its band, whose upper edge was {:.1}",
                upper.get()
            )
        }
        Anomaly::DemandBelowBand { lower } => {
            format!(
                "the demand is far below its band, whose lower edge was {:.1}",
                lower.get()
            )
        }
        Anomaly::ErrorsAboveBand { upper_permille } => {
            let (whole, tenth) = (upper_permille.div_euclid(10), upper_permille.rem_euclid(10));
            format!("more calls fail than in their band, which ends at {whole}.{tenth} %")
        }
        Anomaly::LatencyAboveBand { upper_micros } => {
            let millis = upper_micros.div_euclid(1000);
            format!("calls take longer than in their band, which ends at {millis} ms")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::anomalous;
    use crate::finding::State;
    use crate::sample::{amount, inputs};
    use crate::service::Anomaly;

    #[test]
    fn each_anomaly_is_named_with_its_edge_and_the_first_is_the_reason() {
        let mut inputs = inputs();
        assert_eq!(anomalous(&inputs.function).1, "WithinBands");
        inputs.function.observation.anomalies = vec![
            Anomaly::DemandBelowBand { lower: amount(12.25) },
            Anomaly::ErrorsAboveBand { upper_permille: 22 },
            Anomaly::LatencyAboveBand { upper_micros: 35_900 },
        ];
        let (state, reason, message) = anomalous(&inputs.function);
        assert_eq!((state, reason), (State::True, "DemandBelowBand"));
        for part in ["lower edge was 12.2", "ends at 2.2 %", "ends at 35 ms"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
