//! Two weeks of history cut into pieces that a source will answer. Pure.
//!
//! Prometheus gives at most 11,000 points a series, holds at most 50 million samples at a time, and ends a query
//! after two minutes. Six hours of minutes are 360 points a series; where a piece is too much, it is halved.

use crate::client::Span;
use crate::history_query::Resolution;
use std::collections::VecDeque;

/// Minutes of history at one-minute resolution: 74 hours.
const MINUTES: i64 = 74 * 60;
/// Minutes of history in all: 15 days.
const ALL: i64 = 15 * 24 * 60;
/// Minutes of a piece at the start.
const PIECE: [(Resolution, i64); 2] = [(Resolution::Minute, 6 * 60), (Resolution::Quarter, 24 * 60)];
/// Answers in a row after which a larger piece is tried again: a failed try may cost the source as much as eight.
const STREAK: u32 = 8;
/// Minutes of the smallest piece: a quarter hour, so that no quarter is torn apart.
const SMALLEST: i64 = 15;

/// A piece of history: minutes since 1970 UTC from `first` up to, but not with, `end`. It begins with a quarter hour
/// and ends with one, but for the newest, which ends with the last minute that has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) resolution: Resolution,
    pub(crate) first: i64,
    pub(crate) end: i64,
}

/// The pieces still to come, newest first.
#[derive(Debug)]
pub(crate) struct Pieces {
    pending: VecDeque<Piece>,
    largest: [i64; 2],
    /// Answers since the last failure.
    streak: [u32; 2],
}

impl Pieces {
    /// Everything before the running minute `now`: without the minutes of the running quarter hour a function
    /// would be without a forecast until a minute was seen, since the newest known one would be too old.
    pub(crate) fn up_to(now: i64) -> Self {
        let quarter = |minute: i64| minute.div_euclid(SMALLEST) * SMALLEST;
        let (seam, start) = (quarter(now - MINUTES), quarter(now - ALL));
        let mut pending = VecDeque::new();
        for (span, (resolution, length)) in [(seam..now, PIECE[0]), (start..seam, PIECE[1])] {
            let mut end = span.end;
            while end > span.start {
                let first = span.start.max(next_quarter(end - length));
                pending.push_back(Piece { resolution, first, end });
                end = first;
            }
        }
        Self {
            pending,
            largest: [PIECE[0].1, PIECE[1].1],
            streak: [0; 2],
        }
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// The next piece, no larger than what was last answered.
    pub(crate) fn next(&mut self) -> Option<Piece> {
        let piece = self.pending.pop_front()?;
        let largest = self.largest[place(piece.resolution)];
        if piece.end - piece.first <= largest {
            return Some(piece);
        }
        let seam = next_quarter(piece.end - largest);
        self.pending.push_front(Piece { end: seam, ..piece });
        Some(Piece { first: seam, ..piece })
    }

    /// The piece was answered: after some more the next may be larger again.
    pub(crate) fn answered(&mut self, piece: Piece) {
        let at = place(piece.resolution);
        self.streak[at] += 1;
        if self.streak[at] >= STREAK {
            self.streak[at] = 0;
            self.largest[at] = (self.largest[at] * 2).min(PIECE[at].1);
        }
    }

    /// The piece was not answered. `too_much`: it will come back in halves; false where it cannot get smaller.
    pub(crate) fn failed(&mut self, piece: Piece, too_much: bool) -> bool {
        self.pending.push_front(piece);
        let length = piece.end - piece.first;
        let half = (length / 2 / SMALLEST * SMALLEST).max(SMALLEST);
        let smaller = too_much && half < length;
        if smaller {
            self.largest[place(piece.resolution)] = half;
            self.streak[place(piece.resolution)] = 0;
        }
        smaller
    }
}

impl Piece {
    /// The evaluations that give its points: at second 59 of each minute, or at the end of each quarter hour.
    pub(crate) fn span(self) -> Span {
        let (first, end) = (self.first * 60, self.end * 60);
        match self.resolution {
            Resolution::Minute => Span {
                start: first + 59,
                end: end - 1,
                step: 60,
            },
            Resolution::Quarter => Span {
                start: first + 900,
                end,
                step: 900,
            },
        }
    }

    /// The minute that a point evaluated at `second` is about: itself, or the first of its quarter hour.
    pub(crate) fn minute(self, second: f64) -> Option<i64> {
        #[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // saturates, and is looked at below
        let second = second.round() as i64;
        let minute = match self.resolution {
            Resolution::Minute => second.div_euclid(60),
            Resolution::Quarter => second.div_euclid(900) * 15 - 15,
        };
        (self.first..self.end).contains(&minute).then_some(minute)
    }
}

/// The minute itself where a quarter hour begins with it, else the first of the next quarter hour.
fn next_quarter(minute: i64) -> i64 {
    -(-minute).div_euclid(SMALLEST) * SMALLEST
}

fn place(resolution: Resolution) -> usize {
    match resolution {
        Resolution::Minute => 0,
        Resolution::Quarter => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 28_000_003;

    #[test]
    fn the_pieces_cover_fifteen_days_up_to_the_running_minute_once_newest_first() {
        let mut pieces = Pieces::up_to(NOW);
        let all: Vec<Piece> = std::iter::from_fn(|| pieces.next()).collect();
        assert_eq!((all[0].first, all[0].end), (27_999_645, NOW));
        assert_eq!(all.len(), 13 + 12);
        for pair in all.windows(2) {
            assert_eq!(pair[1].end, pair[0].first);
        }
        let first = all.last().expect("some").first;
        assert_eq!(first, (NOW - ALL).div_euclid(15) * 15);
        assert!(all.iter().all(|p| p.first % 15 == 0 && p.end - p.first <= 24 * 60));
    }

    #[test]
    fn a_piece_that_is_too_much_comes_back_in_halves_and_grows_again() {
        let mut pieces = Pieces::up_to(NOW - 13);
        let whole = pieces.next().expect("some");
        assert!(pieces.failed(whole, true));
        let half = pieces.next().expect("some");
        assert_eq!((half.end, half.first), (whole.end, whole.end - 180));
        for _ in 0..7 {
            let next = pieces.next().expect("some");
            assert_eq!(next.end - next.first, 180);
            pieces.answered(next);
        }
        pieces.answered(half);
        assert_eq!(pieces.next().map(|p| p.end - p.first), Some(360));
    }

    #[test]
    fn a_quarter_hour_is_the_smallest_piece() {
        let mut pieces = Pieces::up_to(NOW);
        let mut piece = pieces.next().expect("some");
        while pieces.failed(piece, true) {
            piece = pieces.next().expect("some");
        }
        assert_eq!((piece.first, piece.end), (27_999_990, NOW));
        assert_eq!(pieces.next(), Some(piece));
        assert!(!pieces.failed(piece, false));
    }

    #[test]
    fn a_point_is_about_the_minute_or_quarter_it_was_evaluated_for() {
        let minutes = Piece {
            resolution: Resolution::Minute,
            first: 30,
            end: 45,
        };
        assert_eq!(
            minutes.span(),
            Span {
                start: 1859,
                end: 2699,
                step: 60
            }
        );
        assert_eq!(
            [minutes.minute(1859.0), minutes.minute(2699.0), minutes.minute(2700.0)],
            [Some(30), Some(44), None]
        );
        let quarters = Piece {
            resolution: Resolution::Quarter,
            first: 30,
            end: 60,
        };
        assert_eq!(
            quarters.span(),
            Span {
                start: 2700,
                end: 3600,
                step: 900
            }
        );
        assert_eq!(
            [
                quarters.minute(2700.0),
                quarters.minute(3600.0),
                quarters.minute(1800.0)
            ],
            [Some(30), Some(45), None]
        );
        assert_eq!(
            [
                minutes.minute(f64::NAN),
                minutes.minute(f64::INFINITY),
                minutes.minute(-1e300)
            ],
            [None; 3]
        );
    }
}
