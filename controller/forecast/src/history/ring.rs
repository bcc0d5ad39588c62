//! A ring of cells addressed by a running number (minute, quarter hour). Pure.

/// The newest `len` cells of an endless row; the ones never set read as a gap.
#[derive(Debug)]
pub(super) struct Ring<T> {
    newest: i64,
    gap: T,
    cells: Box<[T]>,
}

impl<T: Copy> Ring<T> {
    /// `len` gaps.
    pub(super) fn new(len: i64, gap: T) -> Self {
        let len = usize::try_from(len).expect("ring lengths are positive constants");
        Self {
            newest: i64::MIN,
            gap,
            cells: vec![gap; len].into_boxed_slice(),
        }
    }

    /// The cell of `at`; the gap for those not yet reached and those that have left the ring.
    pub(super) fn get(&self, at: i64) -> T {
        if self.holds(at) {
            self.cells[self.place(at)]
        } else {
            self.gap
        }
    }

    /// Sets the cell of `at`, moving the ring on when `at` is newer than all. False: too old to be held.
    pub(super) fn set(&mut self, at: i64, cell: T) -> bool {
        self.advance(at);
        let held = self.holds(at);
        if held {
            let place = self.place(at);
            self.cells[place] = cell;
        }
        held
    }

    /// True when `at` lies within the ring's present reach.
    pub(super) fn holds(&self, at: i64) -> bool {
        at <= self.newest && self.newest.saturating_sub(at) < self.len()
    }

    /// Bytes of the cells.
    pub(super) fn bytes(&self) -> usize {
        std::mem::size_of_val(&*self.cells)
    }

    fn advance(&mut self, to: i64) {
        if to <= self.newest {
            return;
        }
        let passed = self.newest.max(to.saturating_sub(self.len()));
        for at in passed.saturating_add(1)..=to {
            let place = self.place(at);
            self.cells[place] = self.gap;
        }
        self.newest = to;
    }

    fn place(&self, at: i64) -> usize {
        usize::try_from(at.rem_euclid(self.len())).expect("a remainder is not negative")
    }

    fn len(&self) -> i64 {
        i64::try_from(self.cells.len()).expect("ring lengths are small")
    }
}
