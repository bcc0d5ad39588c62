//! The functions of a benchmark: how many there are, and what they and their pods are called. Pure.

use crate::demand::{in_flight, of_pod};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Wall;
use std::fmt::Write;

/// Namespaces that the functions are spread over.
const NAMESPACES: u32 = 100;

/// So many functions of so many pods each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fleet {
    pub(crate) functions: u32,
    pub(crate) pods: u32,
}

/// Namespace of a function.
pub(crate) fn namespace(function: u32) -> String {
    format!("payments-team-{:02}", function % NAMESPACES)
}

/// Name of a function: of its policy and of its Deployment.
pub(crate) fn name(function: u32) -> String {
    format!("card-authorizer-{function:05}")
}

/// Both.
pub(crate) fn key(function: u32) -> FunctionKey {
    FunctionKey {
        namespace: namespace(function).into(),
        name: name(function).into(),
    }
}

/// The template hash of a function's `ReplicaSet`.
pub(crate) fn hash(function: u32) -> String {
    format!("{:09x}", u64::from(function) + 0x7_c9f8_b6d4)
}

/// Name of one of its pods.
pub(crate) fn pod(function: u32, pod: u32) -> String {
    format!("{}-{}-x2x{pod:02}", name(function), hash(function))
}

impl Fleet {
    /// Every function.
    pub(crate) fn all(self) -> std::ops::Range<u32> {
        0..self.functions
    }

    /// Series that its pods have.
    pub(crate) const fn series(self) -> u32 {
        self.functions * self.pods
    }

    /// Calls in flight of every pod: namespace, pod and number.
    pub(crate) fn samples(self, at: Wall) -> impl Iterator<Item = (String, String, f64)> {
        self.all().flat_map(move |function| {
            let calls = in_flight(function, at);
            let one = move |number| {
                (
                    namespace(function),
                    pod(function, number),
                    of_pod(calls, number, self.pods),
                )
            };
            (0..self.pods).map(one)
        })
    }

    /// Prometheus's answer to `sum by (namespace, pod) (...)`, as it would give it at `at`.
    pub(crate) fn answer(self, at: Wall) -> Vec<u8> {
        let mut body = String::from(r#"{"status":"success","data":{"resultType":"vector","result":["#);
        let seconds = at.0.div_euclid(1000);
        for (number, (namespace, pod, value)) in self.samples(at).enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(
                body,
                r#"{comma}{{"metric":{{"namespace":"{namespace}","pod":"{pod}"}},"value":[{seconds}.123,"{value}"]}}"#
            )
            .expect("memory takes everything");
        }
        body.push_str("]}}");
        body.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_pods_have_one_name() {
        let fleet = Fleet {
            functions: 300,
            pods: 3,
        };
        let names: BTreeSet<_> = fleet
            .samples(Wall(0))
            .map(|(namespace, pod, _)| (namespace, pod))
            .collect();
        assert_eq!(names.len(), 900);
    }
}
