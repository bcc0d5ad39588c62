//! Prior: what the shipped forests learn from, and they themselves. A seed in, made-up series and training rows
//! out. Pure.
//!
//! Nothing of any real trace is in it: the generator was written before its first test on one and not tuned
//! since, so the shipped forests carry no data licence. `make prior` makes them again, bit for bit on one platform.

mod generate;
mod rows;

pub use generate::series;
pub use rows::Picker;

use crate::tree::ByQuantile;
use std::sync::OnceLock;

/// The shipped forests for the peak of the in-flight count over the minutes ahead.
pub fn peak() -> &'static ByQuantile {
    static PEAK: OnceLock<ByQuantile> = OnceLock::new();
    PEAK.get_or_init(|| ByQuantile::from_bytes(include_bytes!("peak.fwt")).expect("shipped with the code and tested"))
}

/// The shipped forests for the calls in a minute ahead; what the public benchmark scores.
pub fn count() -> &'static ByQuantile {
    static COUNT: OnceLock<ByQuantile> = OnceLock::new();
    COUNT.get_or_init(|| ByQuantile::from_bytes(include_bytes!("count.fwt")).expect("shipped with the code and tested"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::WIDTH;

    #[test]
    fn the_shipped_forests_are_sound_and_small() {
        for forests in [peak(), count()] {
            assert!(forests.iter().all(|(_, forest)| forest.features() == WIDTH));
            assert!(!forests.is_empty() && forests.to_bytes().len() < 64_000);
        }
    }
}
