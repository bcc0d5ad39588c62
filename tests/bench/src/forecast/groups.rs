//! Groups: functions by pattern, source and domain, as the report names them.

use super::traces::Function;
use std::collections::BTreeMap;

/// Places of the functions of each group. The four patterns of the goal have a mean of their own in the report.
pub(crate) fn groups(functions: &[Function]) -> BTreeMap<String, Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, function) in functions.iter().enumerate() {
        let domain = format!("domain-{}", function.domain);
        for name in [&function.pattern, &function.source, &domain, &"all".to_owned()] {
            let members = groups.entry(name.clone()).or_default();
            if members.last() != Some(&place) {
                members.push(place);
            }
        }
    }
    groups
}

/// Mean of what there is. `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    let count = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)
}

/// The value at a share of the values in order. `None` of nothing.
pub(crate) fn quantile(mut values: Vec<f64>, percent: usize) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let place = (values.len() * percent / 100).min(values.len().checked_sub(1)?);
    Some(values[place])
}
