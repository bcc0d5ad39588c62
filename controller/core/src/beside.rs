//! Maps by function walked beside each other. Keys and a map in, its values in the order of the keys out. Pure.
//!
//! Whatever is known of the functions of a tick lies in maps in the order of their keys. The line walks them side by
//! side: a look-up by name in each of a dozen maps cost more than all that is decided.

use crate::policy::FunctionKey;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::iter::Peekable;

/// What `entries` (a map, borrowed or not) hold of each of `keys`, in their order; `None` where nothing.
///
/// `keys` and entries ascend; a key that is less than the one before it gets `None`.
pub fn beside<'k, K: Borrow<FunctionKey>, T>(
    keys: impl IntoIterator<Item = &'k FunctionKey>,
    entries: impl IntoIterator<Item = (K, T)>,
) -> impl Iterator<Item = Option<T>> {
    let mut rest = entries.into_iter().peekable();
    keys.into_iter().map(move |key| find(&mut rest, key))
}

fn find<K: Borrow<FunctionKey>, T>(rest: &mut Peekable<impl Iterator<Item = (K, T)>>, key: &FunctionKey) -> Option<T> {
    loop {
        let next = rest.peek()?.0.borrow();
        if next == key {
            return rest.next().map(|(_, value)| value);
        }
        if next > key {
            return None;
        }
        rest.next();
    }
}

/// Gives `map` exactly the keys of `keys`: those that are missing get what `make` makes, those that are not among
/// them go. `keys` ascend; afterwards the map's values lie in their order.
///
/// Where nothing has come or gone, as in nearly every tick, this only compares.
pub fn lay_beside<'k, T, K>(map: &mut BTreeMap<FunctionKey, T>, keys: K, mut make: impl FnMut(&FunctionKey) -> T)
where
    K: IntoIterator<Item = &'k FunctionKey> + Clone,
{
    if map.keys().eq(keys.clone()) {
        return;
    }
    let mut old = std::mem::take(map);
    let row = |key: &FunctionKey| {
        let (key, value) = old.remove_entry(key).unwrap_or_else(|| (key.clone(), make(key)));
        (key, value)
    };
    *map = keys.into_iter().map(row).collect();
}

#[cfg(test)]
mod tests {
    use super::{beside, lay_beside};
    use crate::policy::FunctionKey;
    use std::collections::BTreeMap;

    fn key(name: &str) -> FunctionKey {
        FunctionKey {
            namespace: "payments".into(),
            name: name.into(),
        }
    }

    fn map(names: &str) -> BTreeMap<FunctionKey, char> {
        names.chars().map(|name| (key(&name.to_string()), name)).collect()
    }

    #[test]
    fn what_lies_beside_a_key_is_what_a_look_up_would_find() {
        for (keys, names) in [
            ("abc", "abc"),
            ("ace", "abcd"),
            ("abc", ""),
            ("", "abc"),
            ("bd", "abcde"),
        ] {
            let (keys, names) = (map(keys), map(names));
            let found: Vec<_> = beside(keys.keys(), &names).collect();
            let expected: Vec<_> = keys.keys().map(|key| names.get(key)).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn laid_beside_it_has_the_keys_and_keeps_what_it_knew() {
        for (keys, known) in [("abc", "abc"), ("abd", "bc"), ("", "ab"), ("ab", "")] {
            let mut rows = map(known);
            for value in rows.values_mut() {
                *value = '!';
            }
            let keys = map(keys);
            lay_beside(&mut rows, keys.keys(), |_| '?');
            let expected: BTreeMap<_, _> = keys
                .iter()
                .map(|(key, name)| (key.clone(), if known.contains(*name) { '!' } else { '?' }))
                .collect();
            assert_eq!(rows, expected);
        }
    }
}
