use super::fixture::member;
use super::*;

#[test]
fn a_target_belongs_to_the_first_policy_that_names_it() {
    let mut twin = member("a/f", &[("f-1", None)]);
    twin.key.name = "twin".into();
    let members = Membership::new([member("a/f", &[("f-1", None)]), twin]);
    assert_eq!(
        (members.workload("a", "f"), members.pod("a", "f-1")),
        (Some(0), Some(0))
    );
    assert_eq!((members.workload("b", "f"), members.pod("b", "f-1")), (None, None));
}

#[test]
fn a_name_that_two_kinds_have_means_neither_but_tells_owners_apart() {
    let mut set = member("a/f", &[]);
    set.kind = "StatefulSet".into();
    let members = Membership::new([member("a/f", &[]), set]);
    assert_eq!(members.workload("a", "f"), None);
    assert_eq!(members.owner("a", Owner::Deployment("f")), Some(0));
    assert_eq!(members.owner("a", Owner::StatefulSet("f")), Some(1));
}

proptest::proptest! {
    /// What is found of members that have changed is what is found of them indexed anew.
    #[test]
    fn members_that_are_replaced_are_found_as_those_indexed_anew(
        changes in proptest::collection::vec(
            proptest::collection::vec((0..3_usize, proptest::collection::vec(0..6_u8, 0..4), 0..8_u8), 0..3), 1..12),
    ) {
        let paths = ["a/f", "a/g", "b/f"];
        let mut all: Vec<Member> = paths.map(|path| member(path, &[])).to_vec();
        let mut kept = Membership::new(all.clone());
        for changes in changes {
            let changed = changes.into_iter().map(|(number, pods, state)| {
                let names: Vec<String> = pods.iter().map(|pod| format!("p-{pod}")).collect();
                let distinct: std::collections::BTreeSet<_> = names.iter().map(|name| (name.as_str(), Some(7))).collect();
                let mut member = member(paths[number], &distinct.into_iter().collect::<Vec<_>>());
                // Mostly its pods alone are others.
                match state {
                    0 => member.workload = "w".into(),
                    1 => member.profile = "q".into(),
                    2 => member.kind = "StatefulSet".into(),
                    3 => member.revisions = vec!["r".to_owned()],
                    _ => {}
                }
                all[number] = member.clone();
                (number, member)
            }).collect::<Vec<_>>();
            kept.replace(changed);
            let anew = Membership::new(all.clone());
            proptest::prop_assert_eq!(kept.all(), anew.all());
            let pods = |members: &Membership, number: usize| -> Vec<_> {
                members.slots(number).map(|(slot, found)| (members.member_of_slot(slot), found.name(), found.ready_since)).collect()
            };
            for number in 0..3 {
                proptest::prop_assert_eq!(pods(&kept, number), pods(&anew, number));
                proptest::prop_assert_eq!(
                    &kept.profiles()[kept.profile(number)], &anew.profiles()[anew.profile(number)]);
            }
            for (namespace, pod) in ["a", "b"].into_iter().flat_map(|namespace| (0..6).map(move |pod| (namespace, pod))) {
                let of = |members: &Membership| members.pod(namespace, &format!("p-{pod}")).map(|slot| members.member_of_slot(slot));
                proptest::prop_assert_eq!(of(&kept), of(&anew));
                let of = |members: &Membership, name: &str| (members.workload(namespace, name), members.revision(namespace, name));
                for name in ["f", "g", "w", "r", "f-00001"] {
                    proptest::prop_assert_eq!(of(&kept, name), of(&anew, name));
                }
            }
        }
    }
}

#[test]
fn of_several_owners_of_a_name_cut_short_the_longest_is_meant() {
    let long = "a-function-with-a-name-so-long-that-its-pods-are-cut-short-and-more";
    let members = Membership::new([member(&format!("a/{}", &long[..60]), &[]), member("a/a-function", &[])]);
    assert_eq!(members.owner("a", Owner::Cut(&long[..58])), Some(0));
    assert_eq!(members.owner("a", Owner::Cut(&"b".repeat(58))), None);
}
