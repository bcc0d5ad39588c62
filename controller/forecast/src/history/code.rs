//! One amount in 16 bits. Pure.
//!
//! Bit 15: the minute was measured live. Bits 0-14: 0 is zero, `0x7FFF` a gap, anything else a small float
//! of 6 exponent and 9 mantissa bits, `(1 + m / 512) * 2^(e - 20)`.
//!
//! Amounts are rounded *up* to the next code, so the past is never understated: by at most one part in 512
//! (0.2 %), and not at all for whole numbers up to 1,024. Below 0.96 millionths the smallest code stands;
//! above 1.75e13 the largest (17 trillion calls in flight is not a load).

use forewarm_core::units::Demand;

/// Set where the minute was measured live.
const MEASURED: u16 = 0x8000;
/// The code of "not known".
const GAP: u16 = 0x7FFF;
/// Bits of an `f64` mantissa that are dropped: 52 - 9.
const DROPPED: u32 = 43;
/// An `f64`'s exponent bias (1023) less ours (20), in place.
const BIAS: u64 = (1023 - 20) << 9;
/// The same for an `f32`: 23 - 9, and 127 less 20.
const DROPPED_SINGLE: u32 = 14;
const BIAS_SINGLE: u32 = (127 - 20) << 9;

/// A 16-bit amount or gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code(u16);

impl Code {
    /// Not known.
    pub(super) const GAP: Self = Self(GAP);

    /// The next code at or above the amount.
    pub(super) fn of(amount: Demand) -> Self {
        if amount.get() == 0.0 {
            return Self(0);
        }
        // The sum cannot overflow: a finite f64 without its sign is below 2^63.
        let up = (amount.get().to_bits() + ((1 << DROPPED) - 1)) >> DROPPED;
        let code = up.saturating_sub(BIAS).clamp(1, u64::from(GAP) - 1);
        Self(u16::try_from(code).expect("clamped to 15 bits"))
    }

    /// The amount; `None` for a gap.
    pub(super) fn amount(self) -> Option<f64> {
        match self.0 & !MEASURED {
            GAP => None,
            0 => Some(0.0),
            code => Some(f64::from_bits((u64::from(code) + BIAS) << DROPPED)),
        }
    }

    /// The amount; NaN for a gap. Exact, for ten bits of it are not zero; without a branch, for a forecast reads some
    /// five hundred.
    pub(super) fn number(self) -> f32 {
        let code = u32::from(self.0 & !MEASURED);
        let bits = (code + BIAS_SINGLE) << DROPPED_SINGLE;
        let bits = if code == 0 { 0 } else { bits };
        f32::from_bits(if code == u32::from(GAP) {
            f32::NAN.to_bits()
        } else {
            bits
        })
    }

    /// The same amount, marked as measured live.
    pub(super) const fn measured(self) -> Self {
        Self(self.0 | MEASURED)
    }

    /// The same amount, not marked.
    pub(super) const fn unmeasured(self) -> Self {
        Self(self.0 & !MEASURED)
    }

    /// Whether it was measured live.
    pub(super) const fn is_measured(self) -> bool {
        self.0 & MEASURED != 0
    }

    /// The larger amount of two codes that were not measured live; a gap is less than anything.
    pub(super) fn or_larger(self, other: Self) -> Self {
        match (self.0, other.0) {
            (GAP, _) => other,
            (_, GAP) => self,
            (a, b) => Self(a.max(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(x: f64) -> Code {
        Code::of(Demand::new(x).unwrap())
    }

    #[test]
    fn whole_numbers_up_to_1024_are_exact() {
        for n in 0..=1024_u32 {
            assert_eq!(code(f64::from(n)).amount(), Some(f64::from(n)));
        }
    }

    #[test]
    fn amounts_round_up_to_the_next_code() {
        for (given, kept) in [
            (1025.0, 1026.0),
            (0.3, 0.300_292_968_75),
            (1e-9, 9.555_369_615_554_81e-7),
        ] {
            assert!((code(given).amount().unwrap() / kept - 1.0).abs() < 1e-12, "{given}");
        }
    }

    #[test]
    fn absurd_amounts_stay_finite_and_are_no_gap() {
        for x in [1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324] {
            assert!(
                code(x).amount().is_some_and(|kept| kept.is_finite() && kept > 0.0),
                "{x}"
            );
        }
        assert_eq!(Code::GAP.amount(), None);
        assert_eq!(Code::GAP.measured().amount(), None);
        assert!(Code::GAP.measured().number().is_nan() && Code::GAP.number().is_nan());
    }

    proptest! {
        #[test]
        fn never_understates_and_at_most_by_one_in_512(x in 1e-6_f64..1.7e13) {
            let kept = code(x).amount().unwrap();
            prop_assert_eq!(f64::from(code(x).measured().number()).to_bits(), kept.to_bits());
            prop_assert!(kept >= x && kept <= x * (1.0 + 1.0 / 512.0) , "{x} -> {kept}");
        }

        #[test]
        fn keeps_order_and_its_own_values(a in 0.0_f64..1e14, b in 0.0_f64..1e14) {
            let (ca, cb) = (code(a), code(b));
            prop_assert_eq!(ca.or_larger(cb), if a >= b { ca } else { cb });
            prop_assert_eq!(code(ca.amount().unwrap()), ca);
            prop_assert_eq!(ca.measured().amount(), ca.amount());
        }
    }
}
