//! Places: one amount for each minute of a season, at two bytes each. Pure.
//!
//! Whole numbers of a unit that fits the largest of them. They are moved by a share of an error at a time, so a
//! half-precision float, whose steps grow with the amount, would stand still where the amounts are large.

/// The largest amount in units when the unit is made, half of what fits; and that from which a smaller unit is worth its work.
const ROOM: f32 = 16_384.0;
const SMALL: i16 = 2_048;
/// The smallest unit, for places that are all zero.
const LEAST: f32 = 1e-6;

#[derive(Debug, Default)]
pub(super) struct Places {
    unit: f32,
    held: Box<[i16]>,
}

impl Places {
    /// Nothing at all: no place, so that nothing can be said.
    pub(super) fn none() -> Self {
        Self::default()
    }

    pub(super) fn of(amounts: &[f32]) -> Self {
        let most = amounts.iter().fold(0.0, |most: f32, amount| most.max(amount.abs()));
        let unit = (most / ROOM).max(LEAST);
        Self {
            unit,
            held: amounts.iter().map(|amount| whole(amount / unit)).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// The amount at a place that there is.
    pub(super) fn get(&self, place: usize) -> f32 {
        f32::from(self.held[place]) * self.unit
    }

    /// The mean of the amounts of five places around one, the last of which is followed by the first.
    pub(super) fn smooth(&self, place: usize) -> f32 {
        let count = self.held.len();
        let around = [count - 2, count - 1, 0, 1, 2].map(|away| i32::from(self.held[(place + away) % count]));
        let sum: i32 = around.iter().sum();
        // At most five times what fits in two bytes: exact.
        #[allow(clippy::cast_precision_loss)]
        let sum = sum as f32;
        sum / 5.0 * self.unit
    }

    /// Puts an amount to a place that there is. One that is not finite changes nothing.
    pub(super) fn set(&mut self, place: usize, amount: f32) {
        if !amount.is_finite() {
            return;
        }
        if amount.abs() >= self.unit * f32::from(i16::MAX) {
            self.measure_by(amount.abs() / ROOM);
        }
        self.held[place] = whole(amount / self.unit);
    }

    /// Gives what has become small a smaller unit; worth a call a season.
    pub(super) fn refit(&mut self) {
        let most = self.held.iter().map(|held| held.saturating_abs()).max().unwrap_or(0);
        if (1..SMALL).contains(&most) {
            self.measure_by((f32::from(most) * self.unit / ROOM).max(LEAST));
        }
    }

    fn measure_by(&mut self, unit: f32) {
        let by = self.unit / unit;
        for held in &mut self.held {
            *held = whole(f32::from(*held) * by);
        }
        self.unit = unit;
    }

    pub(super) fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.held)
    }
}

/// The nearest whole number that fits.
fn whole(amount: f32) -> i16 {
    // From float, `as` saturates; std offers no other way.
    #[allow(clippy::cast_possible_truncation)]
    let whole = amount.round() as i16;
    whole
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // whole numbers of a unit that is a power of two
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_near_what_was_put_however_large_it_grows_and_shrinks() {
        let mut places = Places::of(&[100.0, -50.0, 0.0]);
        places.set(2, 1e6);
        // A step of 1e6 / 16,384 is 61.
        for (place, put) in [(0, 100.0), (1, -50.0), (2, 1e6)] {
            assert!((places.get(place) - put).abs() <= 61.1, "{}", places.get(place));
        }
        places.set(2, 10.0);
        places.refit();
        for (place, put) in [(0, 90.0), (1, -40.0), (2, 10.0)] {
            places.set(place, put);
            assert!((places.get(place) - put).abs() <= 0.01, "{}", places.get(place));
        }
    }

    #[test]
    fn a_small_share_of_an_error_moves_it() {
        let mut places = Places::of(&[1000.0; 60]);
        for _ in 0..100 {
            let amount = places.get(7);
            places.set(7, amount + 0.5);
        }
        assert!((places.get(7) - 1050.0).abs() <= 3.1, "{}", places.get(7));
    }

    #[test]
    fn it_is_smooth_over_the_end_of_the_season() {
        let places = Places::of(&[16.0, 8.0, 0.0, 0.0, 4.0, 12.0]);
        // 4 + 12 + 16 + 8 + 0 of five.
        assert_eq!(places.smooth(0), 8.0);
        // 0 + 4 + 12 + 16 + 8.
        assert_eq!(places.smooth(5), 8.0);
    }

    #[test]
    fn zeros_and_what_is_not_finite_are_borne() {
        let mut places = Places::of(&[0.0; 3]);
        places.refit();
        places.set(1, f32::INFINITY);
        places.set(2, f32::NAN);
        assert_eq!([0, 1, 2].map(|place| places.get(place)), [0.0; 3]);
        places.set(0, 3.0);
        assert!((places.get(0) - 3.0).abs() < 1e-3);
    }
}
