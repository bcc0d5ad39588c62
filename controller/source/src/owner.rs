//! The name of a pod, also of one long dead, to the name of its workload. Pure.
//!
//! A Deployment's pod is `<deployment>-<hash>-<5>` and a StatefulSet's `<set>-<ordinal>`; hash and suffix are
//! written in an alphabet without vowels, so the structure alone tells `fraud` from `fraud-scorer`. History is
//! grouped by it on the side of the source; here is how, and how the group's name is read back.

/// The label that the history query puts on.
pub(crate) const LABEL: &str = "forewarm_owner";

/// The alphabet of random suffixes and of pod template hashes (apimachinery `rand.SafeEncodeString`).
const SAFE: &str = "bcdfghjklmnpqrstvwxz2456789";
/// Longest name of an object that becomes a label or a host name.
const NAME_MAX: usize = 63;
/// The random part of a generated name.
const RANDOM: usize = 5;

/// `query`, its series given the label [`LABEL`] made from the pod's name in label `pod`.
///
/// Each rule overwrites the one before where it matches. The last is for names cut at 63 characters: there the
/// hash may be cut, so 58 characters are kept and [`Owner::owns`] looks at their beginning.
pub(crate) fn labelled(query: &str, pod: &str) -> String {
    let kept = NAME_MAX - RANDOM;
    let rules = [
        ("s", "(.+)-[0-9]+".to_owned()),
        ("d", format!("(.+)-[{SAFE}]{{1,10}}-[{SAFE}]{{{RANDOM}}}")),
        ("t", format!("(.{{{kept}}})[{SAFE}]{{{RANDOM}}}")),
    ];
    rules.iter().fold(query.to_owned(), |inner, (kind, pattern)| {
        format!("label_replace({inner}, \"{LABEL}\", \"{kind}:$1\", \"{pod}\", \"{pattern}\")")
    })
}

/// What a pod's name says of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    /// A Deployment, or another kind that owns `ReplicaSets`.
    Deployment(&'a str),
    /// A StatefulSet.
    StatefulSet(&'a str),
    /// The first 58 characters of the pod's name; the owner's name is at their beginning, or longer.
    Cut(&'a str),
}

impl<'a> Owner<'a> {
    /// Reads the value of [`LABEL`].
    pub(crate) fn read(label: &'a str) -> Option<Self> {
        match label.split_once(':')? {
            ("d", name) => Some(Self::Deployment(name)),
            ("s", name) => Some(Self::StatefulSet(name)),
            ("t", name) => Some(Self::Cut(name)),
            _ => None,
        }
    }

    /// Whether a workload of that kind and name may own the pod; of several that may, the longest name does.
    pub(crate) fn owns(self, kind: &str, name: &str) -> bool {
        let set = kind == "StatefulSet";
        match self {
            Self::Deployment(owner) => !set && owner == name,
            Self::StatefulSet(owner) => set && owner == name,
            Self::Cut(start) => !set && cut_owner(start, name),
        }
    }
}

/// `start` is the beginning of `<name>-<hash>-`.
fn cut_owner(start: &str, name: &str) -> bool {
    match start.strip_prefix(name) {
        Some(rest) => {
            let hash = rest.strip_prefix('-').map(|h| h.strip_suffix('-').unwrap_or(h));
            rest.is_empty() || hash.is_some_and(|h| h.len() <= 10 && h.chars().all(|c| SAFE.contains(c)))
        }
        None => name.starts_with(start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_told_by_exact_structure() {
        let rows = [
            ("d:fraud", "Deployment", "fraud", true),
            ("d:fraud", "Deployment", "fraud-scorer", false),
            ("d:fraud-scorer", "Deployment", "fraud", false),
            ("d:fraud", "StatefulSet", "fraud", false),
            ("d:fraud", "Rollout", "fraud", true),
            ("s:ledger", "StatefulSet", "ledger", true),
            ("s:ledger", "Deployment", "ledger", false),
            ("x:ledger", "Deployment", "ledger", false),
            ("ledger", "Deployment", "ledger", false),
        ];
        for (label, kind, name, owned) in rows {
            let owner = Owner::read(label);
            assert_eq!(
                owner.is_some_and(|o| o.owns(kind, name)),
                owned,
                "{label} {kind}/{name}"
            );
        }
    }

    #[test]
    fn a_name_that_was_cut_is_owned_by_its_beginning() {
        let long = "a-function-with-a-name-so-long-that-its-pods-are-cut-short";
        assert_eq!(long.len(), 58);
        let rows = [
            (format!("{long}-and-more"), true),
            (long.to_owned(), true),
            (format!("{}-7c9f", &long[..53]), false),
            (long[..47].to_owned(), false),
            ("a".to_owned(), false),
        ];
        for (name, owned) in rows {
            assert_eq!(Owner::Cut(long).owns("Deployment", &name), owned, "{name}");
        }
        let start = format!("{}-7c9f8b6d4-", &long[..47]);
        assert!(Owner::Cut(&start).owns("Deployment", &long[..47]));
    }
}
