//! A ring of cells addressed by a running number (minute, quarter hour). Pure.

/// The newest `LEN` cells of an endless row; the ones never set read as a gap. The length is a constant, so
/// that finding a place needs no division: a forecast looks up some five hundred of them.
#[derive(Debug)]
pub(super) struct Ring<T, const LEN: i64> {
    newest: i64,
    gap: T,
    cells: Box<[T]>,
}

impl<T: Copy, const LEN: i64> Ring<T, LEN> {
    /// Gaps alone.
    pub(super) fn new(gap: T) -> Self {
        let len = usize::try_from(LEN).expect("ring lengths are positive constants");
        Self {
            newest: i64::MIN,
            gap,
            cells: vec![gap; len].into_boxed_slice(),
        }
    }

    /// The cell of `at`; the gap for those not yet reached and those that have left the ring.
    pub(super) fn get(&self, at: i64) -> T {
        if self.holds(at) {
            self.cells[Self::place(at)]
        } else {
            self.gap
        }
    }

    /// Sets the cell of `at`, moving the ring on when `at` is newer than all. False: too old to be held.
    pub(super) fn set(&mut self, at: i64, cell: T) -> bool {
        self.advance(at);
        let held = self.holds(at);
        if held {
            let place = Self::place(at);
            self.cells[place] = cell;
        }
        held
    }

    /// True when `at` lies within the ring's present reach.
    pub(super) fn holds(&self, at: i64) -> bool {
        at <= self.newest && self.newest.saturating_sub(at) < LEN
    }

    /// Forgets everything after `to`.
    pub(super) fn rewind(&mut self, to: i64) {
        let kept = to.max(self.newest.saturating_sub(LEN));
        for at in kept.saturating_add(1)..=self.newest {
            let place = Self::place(at);
            self.cells[place] = self.gap;
        }
        self.newest = self.newest.min(to);
    }

    /// Bytes of the cells.
    pub(super) fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.cells)
    }

    fn advance(&mut self, to: i64) {
        if to <= self.newest {
            return;
        }
        let passed = self.newest.max(to.saturating_sub(LEN));
        for at in passed.saturating_add(1)..=to {
            let place = Self::place(at);
            self.cells[place] = self.gap;
        }
        self.newest = to;
    }

    fn place(at: i64) -> usize {
        usize::try_from(at.rem_euclid(LEN)).expect("a remainder is not negative")
    }
}
