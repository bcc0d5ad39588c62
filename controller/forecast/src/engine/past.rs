//! Past: what a function's demand was, minute by minute, as the engine reads it. Pure.

/// Amounts by minute; NaN is "not known". Nothing after the minute being forecast from may be shown.
pub trait Past {
    /// The amount of one minute.
    fn at(&self, minute: i64) -> f64;

    /// Copies the amounts from minute `from` on, to the nearest single-precision number.
    fn copy(&self, from: i64, into: &mut [f32]) {
        for (minute, slot) in (from..).zip(into) {
            *slot = narrow(self.at(minute));
        }
    }
}

/// A past held as a slice; its last value is the newest minute that may be known.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Minute of the first value.
    pub first: i64,
    /// The amounts.
    pub values: &'a [f64],
}

impl Past for Series<'_> {
    fn at(&self, minute: i64) -> f64 {
        usize::try_from(minute.saturating_sub(self.first))
            .ok()
            .and_then(|place| self.values.get(place).copied())
            .unwrap_or(f64::NAN)
    }

    fn copy(&self, from: i64, into: &mut [f32]) {
        let start = from.saturating_sub(self.first);
        let whole = usize::try_from(start)
            .ok()
            .and_then(|start| self.values.get(start..start + into.len()));
        match whole {
            Some(values) => into
                .iter_mut()
                .zip(values)
                .for_each(|(slot, value)| *slot = narrow(*value)),
            None => (from..)
                .zip(into)
                .for_each(|(minute, slot)| *slot = narrow(self.at(minute))),
        }
    }
}

impl Past for crate::history::Window<'_> {
    fn at(&self, minute: i64) -> f64 {
        self.minute(minute).unwrap_or(f64::NAN)
    }

    fn copy(&self, from: i64, into: &mut [f32]) {
        self.copy_minutes(from, into);
    }
}

/// The smallest value with at least `share` of all at or below it; NaN of nothing. Reorders the values, all of
/// them known.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    let Some(rank) = rank(values.len(), share) else {
        return f64::NAN;
    };
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

/// Place of a quantile among `count` values in order.
pub(crate) fn rank(count: usize, share: f64) -> Option<usize> {
    let last = count.checked_sub(1)?;
    // From float, `as` saturates; std offers no other way. Less a hair, so that 0.95 * 20 is 19.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let up = (share * number(count) - 1e-9).ceil().max(1.0) as usize;
    Some((up - 1).min(last))
}

/// A count as a number.
pub(crate) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Minutes as a number.
pub(crate) fn minutes(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}

/// The nearest single-precision number.
#[allow(clippy::cast_possible_truncation)] // the rounding is what is wanted
pub(crate) fn narrow(x: f64) -> f32 {
    x as f32
}
