//! Numbers with their unit in the type. Pure.
//!
//! Everything that comes from outside passes a constructor here, so that no NaN, no infinity and no
//! negative amount reaches a decision (R9, R10).

use serde::{Deserialize, Serialize};

/// Whole pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Replicas(pub u32);

impl Replicas {
    /// No pod.
    pub const ZERO: Self = Self(0);
    /// One pod.
    pub const ONE: Self = Self(1);

    /// Sum, at most `u32::MAX`.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Difference, at least zero.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `percent` of this, rounded up; 20 % of 6 pods are 2.
    pub fn percent_up(self, percent: Percent) -> Self {
        let hundredths = u64::from(self.0).saturating_mul(u64::from(percent.get()));
        Self(u32::try_from(hundredths.div_ceil(100)).unwrap_or(u32::MAX))
    }
}

impl std::fmt::Display for Replicas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount of demand: calls in flight, requests per second or items, by the profile's unit. Finite, `>= 0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Demand(f64);

impl Demand {
    /// Nothing in flight. A statement, never a default for what is not known.
    pub const ZERO: Self = Self(0.0);

    /// `None` for NaN, infinite and negative numbers.
    pub fn new(amount: f64) -> Option<Self> {
        // `+ 0.0` turns -0.0 into 0.0, so that equal amounts print alike.
        (amount.is_finite() && amount >= 0.0).then_some(Self(amount + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The larger of the two.
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// Pods needed to serve this much at `slots` a pod, rounded up. Saturates at `u32::MAX`.
    pub fn pods_at(self, slots: Slots) -> Replicas {
        Replicas(ceil_to_u32(self.0 / slots.0))
    }

    /// As [`Self::pods_at`], rounded to the nearest: the rule for one-slot pods (a quantile of 1.2 calls
    /// in flight there means one pod, not two).
    pub fn pods_nearest(self, slots: Slots) -> Replicas {
        Replicas(ceil_to_u32((self.0 / slots.0).round()))
    }
}

impl TryFrom<f64> for Demand {
    type Error = NotAnAmount;
    fn try_from(amount: f64) -> Result<Self, NotAnAmount> {
        Self::new(amount).ok_or(NotAnAmount)
    }
}

impl From<Demand> for f64 {
    fn from(demand: Demand) -> Self {
        demand.0
    }
}

/// What one replica can serve at a time, in the unit of the demand. Finite, `> 0`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Slots(f64);

impl Slots {
    /// `None` for anything but a finite number above zero. Also refuses amounts below one millionth: a
    /// quotient by them says nothing.
    pub fn new(amount: f64) -> Option<Self> {
        (amount.is_finite() && amount >= 1e-6).then_some(Self(amount))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// True for a pod that serves one call at a time.
    pub fn is_one(self) -> bool {
        (self.0 - 1.0).abs() < 1e-9
    }

    /// The part of the slots that is used at `utilization`; 20 slots at 70 % are 14.
    pub fn at(self, utilization: Percent) -> Self {
        Self((self.0 * f64::from(utilization.get().max(1)) / 100.0).max(1e-6))
    }
}

impl TryFrom<f64> for Slots {
    type Error = NotAnAmount;
    fn try_from(amount: f64) -> Result<Self, NotAnAmount> {
        Self::new(amount).ok_or(NotAnAmount)
    }
}

impl From<Slots> for f64 {
    fn from(slots: Slots) -> Self {
        slots.0
    }
}

/// A number that is NaN, infinite or out of range for the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a finite amount in the range of its unit")]
pub struct NotAnAmount;

/// Bytes of memory. A typed amount, so that MiB, decimal units and floats never meet (conversions round up).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// One mebibyte.
    pub const MIB: Self = Self(1024 * 1024);

    /// So many mebibytes; at most `u64::MAX` bytes.
    pub const fn mib(count: u64) -> Self {
        Self(count.saturating_mul(Self::MIB.0))
    }

    /// What a metric source gave, rounded up. `None` for NaN, infinite and negative numbers, and from 2^53 on,
    /// where floats no longer tell bytes apart.
    pub fn of(amount: f64) -> Option<Self> {
        // The cast is exact within these bounds.
        #[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (amount.is_finite() && (0.0..9.0e15).contains(&amount)).then(|| Self(amount.ceil() as u64))
    }

    /// Sum, at most `u64::MAX`.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Difference, at least zero.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `percent` of this, rounded up; above 100 allowed. At most `u64::MAX`.
    pub fn percent_up(self, percent: u32) -> Self {
        let hundredths = u128::from(self.0).saturating_mul(u128::from(percent));
        Self(u64::try_from(hundredths.div_ceil(100)).unwrap_or(u64::MAX))
    }

    /// This times `part / whole`, rounded up: keeps a ratio. This itself where `whole` is zero.
    pub fn times(self, part: Self, whole: Self) -> Self {
        let product = u128::from(self.0).saturating_mul(u128::from(part.0));
        let quotient = if whole.0 == 0 {
            u128::from(self.0)
        } else {
            product.div_ceil(u128::from(whole.0))
        };
        Self(u64::try_from(quotient).unwrap_or(u64::MAX))
    }

    /// Rounded up to whole mebibytes, as we write them; at most `u64::MAX`.
    pub fn whole_mib(self) -> Self {
        Self::mib(self.0.div_ceil(Self::MIB.0))
    }
}

/// Whole percent, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// `None` above 100.
    pub const fn new(percent: u8) -> Option<Self> {
        if percent <= 100 { Some(Self(percent)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The percentage that a share of one is: 0.949 is 94 %, rounded down. What is above one is 100 %, and what is
    /// negative or not a number 0 %.
    pub fn of_share(share: f64) -> Self {
        let below = |percent: &u8| f64::from(*percent) <= share * 100.0;
        Self((0..=100).rev().find(below).unwrap_or(0))
    }

    /// As a share of one: 20 % is 0.2.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = NotAnAmount;
    fn try_from(percent: u8) -> Result<Self, NotAnAmount> {
        Self::new(percent).ok_or(NotAnAmount)
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

/// Whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl Seconds {
    /// In milliseconds.
    pub fn millis(self) -> u64 {
        u64::from(self.0) * 1000
    }
}

/// A point on the process's monotonic clock, in milliseconds. Leases, deadlines and windows run on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mono(pub u64);

impl Mono {
    /// This point and `span` later; at most the end of time.
    pub fn after(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.millis()))
    }

    /// Whole milliseconds from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// True when at least `span` has passed since `earlier`.
    pub fn passed(self, earlier: Self, span: Seconds) -> bool {
        self.since(earlier) >= span.millis()
    }
}

/// A point in time on the wall clock, milliseconds since 1970 UTC. Prometheus and calendars run on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(pub i64);

impl Wall {
    /// The closed minute this point lies in, counted since 1970 UTC.
    pub const fn minute(self) -> i64 {
        self.0.div_euclid(60_000)
    }
}

/// Both clocks, read once at the edge and passed down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// For calendars, Prometheus and the reader of the log.
    pub wall: Wall,
    /// For windows, leases and deadlines.
    pub mono: Mono,
}

/// The smallest whole number not below `x`: 0 for anything below zero or NaN, `u32::MAX` for anything above.
fn ceil_to_u32(x: f64) -> u32 {
    // The one cast of the crate: from float, `as` saturates and maps NaN to 0, and std offers no other way.
    // 1e-9 forgives 0.7 * 10 = 7.000000000000001 without ever hiding a call.
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = (x - 1e-9).ceil() as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::Percent;

    #[test]
    fn a_share_is_rounded_down_to_percent() {
        let of = |share: f64| Percent::of_share(share).get();
        assert_eq!((of(0.949), of(0.95), of(1.2)), (94, 95, 100));
        assert_eq!((of(f64::NAN), of(-0.1)), (0, 0));
    }
}
