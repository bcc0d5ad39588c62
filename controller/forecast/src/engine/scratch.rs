//! Scratch: the minutes that one step looks at, and its work space. The past in, slices out. Pure.

use super::past::Past;

/// Newest minutes looked at each minute: four hours, and a horizon more for the local scale.
pub(crate) const NEWEST: usize = 304;
/// Minutes of a day.
pub(crate) const DAY: usize = 1440;
/// Minutes about now that are looked at on the days before: up to 14 before its time, the longest span after, and 5 more.
const BEFORE: usize = 14;
const AROUND: usize = 5;
const ABOUT: usize = BEFORE + 1 + 60 + AROUND;

/// What one step reads and writes; nothing in it outlives the step, so one serves all functions.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(crate) minutes: Minutes,
    pub(crate) room: Room,
}

/// The minutes looked at.
#[derive(Clone, Debug)]
pub(crate) struct Minutes {
    /// The newest [`NEWEST`] minutes, oldest first.
    newest: Vec<f32>,
    /// The last day, when it was looked at this minute.
    pub(crate) day: Vec<f32>,
    /// Those about now on each of the three days before.
    days: [[f32; ABOUT]; 3],
}

/// Work space.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    pub(crate) sort: Vec<f32>,
    pub(crate) sort_whole: Vec<i16>,
    /// What the target was over the last hour and over the last day, with room to find it in; see
    /// [`super::span::Span::targets`].
    pub(crate) targets: [[Vec<f32>; 2]; 2],
}

impl Default for Minutes {
    fn default() -> Self {
        Self {
            newest: vec![f32::NAN; NEWEST],
            day: vec![f32::NAN; DAY],
            days: [[f32::NAN; ABOUT]; 3],
        }
    }
}

impl Minutes {
    /// Reads those of minute `t`; the whole day only when `slow`. `ahead`: minutes of the longest span.
    pub(crate) fn read(&mut self, past: &dyn Past, t: i64, ahead: i64, slow: bool) {
        // The days first: they lie apart in memory, and so short that one is fetched while another is.
        let count = BEFORE + 1 + usize::try_from(ahead).unwrap_or(0) + AROUND;
        for (lag, about) in [1440, 2880, 4320].into_iter().zip(&mut self.days) {
            past.copy(t - lag - 14, &mut about[..count.min(ABOUT)]);
        }
        past.copy(t + 1 - 304, &mut self.newest);
        if slow {
            past.copy(t + 1 - 1440, &mut self.day);
        }
    }

    /// The newest `count` minutes that end `ago` minutes before now.
    pub(crate) fn last(&self, count: usize, ago: usize) -> &[f32] {
        &self.newest[NEWEST - ago - count..NEWEST - ago]
    }

    /// `count` minutes from the one that lies `ahead` of this time `days` days ago: from 14 before it to the longest span
    /// and five minutes after. Of today, 0, what has been: `ahead` is not above zero.
    pub(crate) fn about(&self, days: usize, ahead: i64, count: usize) -> &[f32] {
        let place = |now: usize| now.saturating_add_signed(isize::try_from(ahead).unwrap_or(0));
        match days.checked_sub(1) {
            None => &self.newest[place(NEWEST - 1)..][..count],
            Some(day) => &self.days[day][place(BEFORE)..][..count],
        }
    }
}
