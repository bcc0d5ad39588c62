//! What a namespace lets a pod have of memory, in the terms of the decision. Pure.

use crate::observe::limit_ranges::Allowed;
use crate::observe::quotas::MemoryLeft;
use forewarm_core::memory::{Amounts, MemorySeen};
use forewarm_core::units::Bytes;

/// Fills in what `LimitRange`s and quotas leave beyond the template of `sight`.
pub(super) fn fill(sight: &mut MemorySeen, allowed: Allowed, left: MemoryLeft) {
    let sum = |of: fn(&Amounts) -> Option<Bytes>| {
        let amounts = sight.template.values().filter_map(of);
        amounts.fold(Bytes(0), Bytes::plus)
    };
    let (requests, limits) = (sum(|amounts| amounts.request), sum(|amounts| amounts.size()));
    let spare = [
        allowed.pod_most.map(|most| most.minus(limits)),
        left.requests.map(|left| left.minus(requests)),
        left.limits.map(|left| left.minus(limits)),
    ];
    sight.allowed_least = allowed.least;
    sight.allowed_most = allowed.most;
    sight.spare = spare.into_iter().flatten().min();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::health::seen;

    #[test]
    fn the_scarcest_says_what_is_left_beyond_the_template() {
        let mut sight = seen(Vec::new(), Vec::new());
        let app = Amounts {
            request: Some(Bytes::mib(32)),
            limit: Some(Bytes::mib(64)),
        };
        sight.template = [
            ("app".to_owned(), app),
            ("side".to_owned(), Amounts::both(Bytes::mib(16))),
        ]
        .into();
        fill(&mut sight, Allowed::default(), MemoryLeft::default());
        assert_eq!(sight.spare, None);
        let allowed = Allowed {
            least: Some(Bytes::mib(8)),
            most: Some(Bytes::mib(256)),
            pod_most: Some(Bytes::mib(300)),
        };
        fill(&mut sight, allowed, MemoryLeft::default());
        assert_eq!((sight.allowed_least, sight.allowed_most), (allowed.least, allowed.most));
        assert_eq!(sight.spare, Some(Bytes::mib(220)));
        let left = MemoryLeft {
            requests: Some(Bytes::mib(100)),
            limits: Some(Bytes::mib(20)),
        };
        fill(&mut sight, allowed, MemoryLeft { limits: None, ..left });
        assert_eq!(sight.spare, Some(Bytes::mib(52)));
        fill(&mut sight, allowed, left);
        assert_eq!(sight.spare, Some(Bytes(0)), "not even its own fits");
    }
}
