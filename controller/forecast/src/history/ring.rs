//! A ring of cells addressed by a running number (minute, quarter hour). Pure.

/// The newest `LEN` cells of an endless row; the ones never set read as a gap. The lengths are constants, so
/// that finding a place needs no division: a forecast looks up some five hundred of them.
///
/// The cells lie in `PIECES` pieces of `PIECE`, each made when something in it is first known: a young function needs little, and
/// an allocator, which keeps sizes in steps, gives a full ring of 8,880 bytes in one piece 10,240.
#[derive(Debug)]
pub(super) struct Ring<T, const LEN: i64, const PIECE: usize, const PIECES: usize> {
    newest: i64,
    gap: T,
    pieces: [Option<Box<[T; PIECE]>>; PIECES],
}

impl<T: Copy, const LEN: i64, const PIECE: usize, const PIECES: usize> Ring<T, LEN, PIECE, PIECES> {
    /// Gaps alone.
    pub(super) fn new(gap: T) -> Self {
        Self {
            newest: i64::MIN,
            gap,
            pieces: [const { None }; PIECES],
        }
    }

    /// The cell of `at`; the gap for those not yet reached and those that have left the ring.
    pub(super) fn get(&self, at: i64) -> T {
        let (piece, place) = Self::place(at);
        match &self.pieces[piece] {
            Some(cells) if self.holds(at) => cells[place],
            _ => self.gap,
        }
    }

    /// Reads the cells from `from` on, as [`Self::get`] gives them one by one.
    pub(super) fn copy<U>(&self, from: i64, into: &mut [U], read: impl Fn(T) -> U) {
        // What the ring holds of them lies between what has left it and what is not reached yet.
        let reach = |at: i64| usize::try_from(at.saturating_sub(from)).unwrap_or(0).min(into.len());
        let first = reach(self.newest.saturating_sub(LEN - 1));
        let end = reach(self.newest.saturating_add(1)).max(first);
        let (held, later) = into.split_at_mut(end);
        let (gone, mut held) = held.split_at_mut(first);
        for slot in gone.iter_mut().chain(later) {
            *slot = read(self.gap);
        }
        let mut at = from.saturating_add(i64::try_from(first).unwrap_or(i64::MAX));
        while !held.is_empty() {
            let (piece, place) = Self::place(at);
            // A run ends with its piece, and with the ring, whose last piece may not be full.
            let ring = usize::try_from(LEN - at.rem_euclid(LEN)).unwrap_or(1);
            let count = (PIECE - place).min(ring).min(held.len());
            let (run, more) = held.split_at_mut(count);
            match &self.pieces[piece] {
                Some(cells) => {
                    for (slot, cell) in run.iter_mut().zip(&cells[place..]) {
                        *slot = read(*cell);
                    }
                }
                None => run.iter_mut().for_each(|slot| *slot = read(self.gap)),
            }
            at = at.saturating_add(i64::try_from(count).unwrap_or(1));
            held = more;
        }
    }

    /// Sets the cell of `at`, moving the ring on when `at` is newer than all. False: too old to be held.
    pub(super) fn set(&mut self, at: i64, cell: T) -> bool {
        self.advance(at);
        let held = self.holds(at);
        if held {
            let (piece, place) = Self::place(at);
            let cells = self.pieces[piece].get_or_insert_with(|| Box::new([self.gap; PIECE]));
            cells[place] = cell;
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
            self.clear(at);
        }
        self.newest = self.newest.min(to);
    }

    /// Bytes of the cells.
    pub(super) fn bytes(&self) -> usize {
        self.pieces
            .iter()
            .flatten()
            .map(|cells| std::mem::size_of_val(&**cells))
            .sum()
    }

    fn advance(&mut self, to: i64) {
        if to <= self.newest {
            return;
        }
        let passed = self.newest.max(to.saturating_sub(LEN));
        for at in passed.saturating_add(1)..=to {
            self.clear(at);
        }
        self.newest = to;
    }

    fn clear(&mut self, at: i64) {
        let (piece, place) = Self::place(at);
        if let Some(cells) = &mut self.pieces[piece] {
            cells[place] = self.gap;
        }
    }

    /// The piece of a cell, and its place in there.
    fn place(at: i64) -> (usize, usize) {
        let place = usize::try_from(at.rem_euclid(LEN)).expect("a remainder is not negative");
        (place / PIECE, place % PIECE)
    }
}
