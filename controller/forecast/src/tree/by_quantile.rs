//! Forests of one target by the quantile they are for: the one nearest to what is wanted answers. Pure.

use super::{Forest, Malformed};

const MAGIC: &[u8; 4] = b"FWQ1";

/// Some forests, each for one quantile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ByQuantile {
    forests: Vec<(f32, Forest)>,
}

impl ByQuantile {
    /// These forests, each with its quantile in (0, 1).
    pub const fn new(forests: Vec<(f32, Forest)>) -> Self {
        Self { forests }
    }

    /// The forest for the quantile nearest to `quantile`. `None`: there is none at all.
    pub fn nearest(&self, quantile: f64) -> Option<&Forest> {
        let far = |of: f32| (f64::from(of) - quantile).abs();
        let nearest = self.forests.iter().min_by(|a, b| far(a.0).total_cmp(&far(b.0)));
        nearest.map(|(_, forest)| forest)
    }

    /// All of them, each with its quantile.
    pub fn iter(&self) -> impl Iterator<Item = &(f32, Forest)> {
        self.forests.iter()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.forests.is_empty()
    }

    /// A stable number from the compact form (FNV-1a): which forests answered.
    pub fn hash(&self) -> u64 {
        self.to_bytes().iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// The compact form: `FWQ1`, then quantile (f32), length (u32) and bytes of each forest, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (quantile, forest) in &self.forests {
            let forest = forest.to_bytes();
            bytes.extend(quantile.to_le_bytes());
            bytes.extend(u32::try_from(forest.len()).expect("a forest is a few kB").to_le_bytes());
            bytes.extend(forest);
        }
        bytes
    }

    /// Reads and checks the compact form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(Malformed::Format)?;
        let mut forests = Vec::new();
        while !rest.is_empty() {
            let (quantile, more) = rest.split_first_chunk().ok_or(Malformed::Length)?;
            let (length, more) = more.split_first_chunk().ok_or(Malformed::Length)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Malformed::Length)?;
            let (forest, more) = more.split_at_checked(length).ok_or(Malformed::Length)?;
            forests.push((f32::from_le_bytes(*quantile), Forest::from_bytes(forest)?));
            rest = more;
        }
        Ok(Self { forests })
    }
}
