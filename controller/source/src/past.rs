//! A matrix of history in, each function's points out. Pure.

use crate::answer::{Answer, Ranged};
use crate::error::SourceError;
use crate::history_query::Resolution;
use crate::membership::Membership;
use crate::owner::Owner;
use crate::pieces::Piece;
use crate::series::{LabelNames, Labels};
use forewarm_api::profile::JoinBy;
use forewarm_api::profile_parse::{Demanded, Profile};
use forewarm_core::policy::FunctionKey;
use forewarm_core::units::Demand;
use std::collections::BTreeMap;

/// The past of one function, a piece of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// The function.
    pub key: FunctionKey,
    /// Resolution of the points.
    pub resolution: Resolution,
    /// Minute since 1970 UTC (of a quarter hour its first) and demand; ascending. Minutes without a sample are
    /// left out.
    pub points: Vec<(i64, Demand)>,
}

/// How much of the demand in the answers belongs to pods whose owner their name does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mapped {
    /// Demand of all series, summed over their points.
    pub total: f64,
    /// Of it, that of series without an owner.
    pub unmapped: f64,
}

impl Mapped {
    /// Percent of the demand that could not be mapped; 0 where there was none.
    pub fn unmapped_percent(self) -> f64 {
        if self.total > 0.0 {
            100.0 * self.unmapped / self.total
        } else {
            0.0
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.total += other.total;
        self.unmapped += other.unmapped;
    }
}

/// Reads the answer to one piece.
///
/// Several series of one function (revisions, names cut short) add up minute by minute. A point that is no
/// amount is left out, as if it had never been.
pub(crate) fn read(
    body: &[u8],
    piece: Piece,
    profile: &Profile,
    members: &Membership,
    most: usize,
) -> Result<(Vec<Past>, Mapped), SourceError> {
    let names = LabelNames::new(&profile.join.namespace, &profile.join.name);
    let mut sums: BTreeMap<usize, BTreeMap<i64, f64>> = BTreeMap::new();
    let mut mapped = Mapped::default();
    Answer::read(body)?.matrix(&names, most, |series| {
        let member = find(&series.labels, profile, members);
        let sum = member.known().map(|member| sums.entry(member).or_default());
        mapped.add(add(&series, piece, &member, sum));
    })?;
    let unit = profile.unit;
    let pasts = sums.into_iter().map(|(member, sums)| Past {
        key: members.key(member).clone(),
        resolution: piece.resolution,
        points: sums
            .into_iter()
            .filter_map(|(minute, sum)| Some((minute, demand(sum, unit)?)))
            .collect(),
    });
    Ok((pasts.filter(|past| !past.points.is_empty()).collect(), mapped))
}

enum Owned {
    By(usize),
    ByStranger,
    Unmapped,
}

impl Owned {
    fn known(&self) -> Option<usize> {
        match self {
            Self::By(member) => Some(*member),
            Self::ByStranger | Self::Unmapped => None,
        }
    }
}

fn add(series: &Ranged<'_>, piece: Piece, owned: &Owned, mut sum: Option<&mut BTreeMap<i64, f64>>) -> Mapped {
    let mut mapped = Mapped::default();
    for (second, value) in &series.points {
        let amount = value.filter(|v| v.is_finite() && *v >= 0.0);
        let (Some(amount), Some(minute)) = (amount, piece.minute(*second)) else {
            continue;
        };
        mapped.total += amount;
        if matches!(owned, Owned::Unmapped) {
            mapped.unmapped += amount;
        }
        if let Some(sum) = &mut sum {
            *sum.entry(minute).or_default() += amount;
        }
    }
    mapped
}

fn find(labels: &Labels<'_>, profile: &Profile, members: &Membership) -> Owned {
    let Some(namespace) = labels.namespace.as_deref() else {
        return Owned::Unmapped;
    };
    let by_pod = profile.join.by == JoinBy::Pod;
    let found = match (
        labels.owner.as_deref(),
        labels.name.as_deref(),
        labels.workload.as_deref(),
    ) {
        (Some(owner), _, _) => match Owner::read(owner) {
            Some(owner) => members.owner(namespace, owner),
            None => return Owned::Unmapped,
        },
        (None, Some(name), _) if profile.join.by == JoinBy::Revision => members.revision(namespace, name),
        (None, Some(name), _) if !by_pod => members.workload(namespace, name),
        (None, _, Some(name)) => members.workload(namespace, name),
        (None, _, None) => return Owned::Unmapped,
    };
    let of_profile = found.filter(|member| Some(members.profile(*member)) == members.profile_number(&profile.name));
    of_profile.map_or(Owned::ByStranger, Owned::By)
}

fn demand(sum: f64, unit: Demanded) -> Option<Demand> {
    match unit {
        Demanded::Concurrency | Demanded::RequestsPerSecond => Demand::new(sum),
        Demanded::Backlog { drain } => Demand::new(sum / f64::from(drain.0.max(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::fixture::member;
    use crate::trust::tests::profile;
    use forewarm_api::profile_parse::Absent;

    fn body(series: &[(&str, &str)]) -> Vec<u8> {
        let one = |(labels, values): &(&str, &str)| format!(r#"{{"metric":{{{labels}}},"values":[{values}]}}"#);
        let result = series.iter().map(one).collect::<Vec<_>>().join(",");
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{result}]}}}}"#).into_bytes()
    }

    type Named = (String, Vec<(i64, f64)>);

    fn by_pod(series: &[(&str, &str)]) -> (Vec<Named>, f64) {
        let mut set = member("a/ledger", &[]);
        set.kind = "StatefulSet".into();
        let mut other = member("a/other", &[]);
        other.profile = "q".into();
        let members = Membership::new([member("a/fraud", &[]), member("a/fraud-scorer", &[]), set, other]);
        let piece = Piece {
            resolution: Resolution::Minute,
            first: 0,
            end: 15,
        };
        let profile = profile(JoinBy::Pod, Absent::Unknown);
        let (pasts, mapped) = read(&body(series), piece, &profile, &members, 100).expect("a matrix");
        let plain = |p: Past| {
            (
                p.key.name.to_string(),
                p.points.into_iter().map(|(m, d)| (m, d.get())).collect(),
            )
        };
        (pasts.into_iter().map(plain).collect(), mapped.unmapped_percent())
    }

    #[test]
    fn the_past_goes_to_the_function_that_owned_the_pods() {
        let (pasts, unmapped) = by_pod(&[
            (r#""namespace":"a","forewarm_owner":"d:fraud""#, r#"[59,"1"],[119,"2"]"#),
            (r#""namespace":"a","forewarm_owner":"d:fraud-scorer""#, r#"[59,"4"]"#),
            (r#""namespace":"a","forewarm_owner":"s:ledger""#, r#"[119,"8"]"#),
            (r#""namespace":"a","workload":"ledger""#, r#"[119,"1"]"#),
            (r#""namespace":"b","forewarm_owner":"d:fraud""#, r#"[59,"16"]"#),
            (r#""namespace":"a","forewarm_owner":"d:other""#, r#"[59,"16"]"#),
            (r#""namespace":"a""#, r#"[59,"12"]"#),
        ]);
        let expected = [
            ("fraud", vec![(0, 1.0), (1, 2.0)]),
            ("fraud-scorer", vec![(0, 4.0)]),
            ("ledger", vec![(1, 9.0)]),
        ];
        assert_eq!(pasts, expected.map(|(n, p)| (n.to_owned(), p)));
        assert!((unmapped - 20.0).abs() < 1e-9, "{unmapped}");
    }

    #[test]
    fn a_point_that_is_no_amount_was_never_there() {
        let values = r#"[59,"NaN"],[119,"-1"],[179,"+Inf"],[239,"x"],[299,"3"],[86399,"5"],[-1,"5"]"#;
        let (pasts, _) = by_pod(&[(r#""namespace":"a","forewarm_owner":"d:fraud""#, values)]);
        assert_eq!(pasts, [("fraud".to_owned(), vec![(4, 3.0)])]);
        let (pasts, unmapped) = by_pod(&[(r#""namespace":"a","forewarm_owner":"d:fraud""#, r#"[59,"NaN"]"#)]);
        assert_eq!((pasts.len(), unmapped), (0, 0.0));
    }
}
