//! A profile and its functions in, two weeks of their past out, piece by piece. Here is I/O.
//!
//! At most two pieces are under way, each of at most 16 MiB, so memory is bounded whatever the fleet; what is
//! not answered is asked again for ever, with growing pauses, and the pieces that are done stay done.

use crate::client::Source;
use crate::error::SourceError;
use crate::history_query::{Resolution, minute_peaks, quarter_peaks};
use crate::membership::Membership;
use crate::past::{Mapped, Past, read};
use crate::pieces::{Piece, Pieces};
use crate::report::Failure;
use forewarm_api::profile_parse::Profile;
use forewarm_core::units::{Mono, Now, Seconds};
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// Pieces asked for at a time.
const AT_A_TIME: usize = 2;
/// Largest answer of a piece.
const MEBIBYTES: usize = 16;
/// Deadline of a piece; Prometheus gives up after two minutes itself.
const WITHIN: Duration = Duration::from_mins(1);
/// The first pause after a failure, doubled with each further one.
const PAUSE: Seconds = Seconds(15);
/// The longest pause.
const PAUSE_MAX: Seconds = Seconds(600);

/// The backfill of one profile.
#[derive(Debug)]
pub struct Backfill {
    profile: Arc<Profile>,
    pieces: Pieces,
    mapped: Mapped,
    failures: u32,
    not_before: Mono,
    failed: Option<Failure>,
}

/// The past of some functions: what [`Backfill::run`] hands over.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Peaks of minutes.
    Minutes(Past),
    /// Peaks of quarter hours.
    Quarters(Past),
}

/// How far a backfill is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Pieces still to come; 0: it is done.
    pub left: usize,
    /// Percent of the demand seen that belongs to pods whose owner their name does not tell.
    pub unmapped_percent: f64,
    /// Why it is not going on, where it is not.
    pub failed: Option<Failure>,
}

impl Backfill {
    /// All of the past before `now`, nothing of it read yet.
    pub fn new(profile: Profile, now: Now) -> Self {
        Self {
            profile: Arc::new(profile),
            pieces: Pieces::up_to(now.wall.minute()),
            mapped: Mapped::default(),
            failures: 0,
            not_before: Mono(0),
            failed: None,
        }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress {
            left: self.pieces.len(),
            unmapped_percent: self.mapped.unmapped_percent(),
            failed: self.failed.clone(),
        }
    }

    /// Reads the next two pieces and hands what they hold to `each`; nothing while pausing after a failure.
    ///
    /// To be called again until nothing is left. Takes at most a minute or two.
    pub async fn run(
        &mut self,
        source: &Source,
        members: &Arc<Membership>,
        now: Mono,
        mut each: impl FnMut(Found),
    ) -> Progress {
        if now < self.not_before {
            return self.progress();
        }
        let pieces: Vec<Piece> = std::iter::from_fn(|| self.pieces.next()).take(AT_A_TIME).collect();
        let profile = &self.profile;
        let answers = join_all(pieces.iter().map(|piece| ask(source, profile, members, *piece))).await;
        // From the last to the first, so that what comes back is in its old order.
        for (piece, answer) in pieces.into_iter().zip(answers).rev() {
            match answer {
                Ok((found, mapped)) => {
                    self.pieces.answered(piece);
                    self.mapped.add(mapped);
                    (self.failures, self.failed) = (0, None);
                    found.into_iter().for_each(&mut each);
                }
                Err(error) => self.put_back(piece, &error, now),
            }
        }
        self.progress()
    }

    fn put_back(&mut self, piece: Piece, error: &SourceError, now: Mono) {
        if self.pieces.failed(piece, error.may_fit_in_pieces()) {
            tracing::debug!(profile = %self.profile.name, %error, "History comes in smaller pieces.");
            return;
        }
        let pause = PAUSE.0.saturating_mul(1 << self.failures.min(10)).min(PAUSE_MAX.0);
        self.failures += 1;
        self.not_before = now.after(Seconds(pause));
        self.failed = Some(error.into());
        tracing::warn!(profile = %self.profile.name, %error, pause_seconds = pause, "History is not answered yet.");
    }
}

async fn ask(
    source: &Source,
    profile: &Arc<Profile>,
    members: &Arc<Membership>,
    piece: Piece,
) -> Result<(Vec<Found>, Mapped), SourceError> {
    let (query, found): (_, fn(Past) -> Found) = match piece.resolution {
        Resolution::Minute => (minute_peaks(profile), Found::Minutes),
        Resolution::Quarter => (quarter_peaks(profile), Found::Quarters),
    };
    let (pasts, mapped) = range(source, profile, members, piece, query).await?;
    Ok((pasts.into_iter().map(found).collect(), mapped))
}

async fn range(
    source: &Source,
    profile: &Arc<Profile>,
    members: &Arc<Membership>,
    piece: Piece,
    query: String,
) -> Result<(Vec<Past>, Mapped), SourceError> {
    // A pod's last sample counts as long as it would live; where the source knows no such limit, five minutes.
    let lookback = Duration::from_secs(profile.stale_after().0.into());
    let body = source.range(&query, piece.span(), lookback, MEBIBYTES, WITHIN).await?;
    let (profile, members, most) = (profile.clone(), members.clone(), source.limits().series);
    let work = tokio::task::spawn_blocking(move || read(&body, piece, &profile, &members, most));
    work.await
        .unwrap_or_else(|_| Err(SourceError::Shape("it could not be read".to_owned())))
}
