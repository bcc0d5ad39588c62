//! What a model says of the span ahead: who answers, what each expert bets, how it is raised. Pure.

use super::Model;
use super::bet::Bet;
use crate::calibration::Stake;
use crate::expert::{At, COUNT, EXPERTS, Guess, SEASONAL_NAIVE, TRAILING};
use crate::features::{Base, Span};
use crate::gate::Uppers;
use crate::recurring;
use forewarm_core::forecast::Distrust;

/// Who answers, and why it is not the expert with the best record.
#[derive(Clone, Copy, Debug)]
struct Speaker {
    place: usize,
    demoted: Option<Distrust>,
}

/// What was said of the span ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    /// Name of the model that set the upper quantile.
    pub(super) name: &'static str,
    pub(super) demoted: Option<Distrust>,
    pub(super) point: f64,
    pub(super) upper: f64,
}

impl Said {
    fn of(bet: &Bet, guess: Guess, speaker: Speaker) -> Self {
        let (upper, demoted) = (bet.said.published, speaker.demoted);
        if upper > bet.spoken {
            // What recurs is a median already.
            return Self {
                name: recurring::NAME,
                demoted,
                point: upper,
                upper,
            };
        }
        Self {
            name: EXPERTS[speaker.place].name,
            demoted,
            point: guess.point.min(upper),
            upper,
        }
    }
}

/// A guess, silence, or a failure.
type Heard = Result<Option<Guess>, Distrust>;

impl Model {
    /// Says what comes, and remembers it as a bet.
    pub(super) fn say(&mut self, at: &At<'_>) -> Result<Said, Distrust> {
        let span = Span::over(self.horizon);
        let base = at.base.ok_or(Distrust::HistoryStale)?;
        let heard: [Heard; COUNT] = std::array::from_fn(|place| self.hear(place, at, span));
        let fallback = heard[TRAILING]?.ok_or(Distrust::HistoryStale)?;
        // Whoever cannot say is scored with what would be said in its place.
        let guesses = heard.map(|guess| guess.ok().flatten().unwrap_or(fallback));
        let speaker = self.speaker(&heard);
        let bet = self.bet(at, base, &guesses, speaker);
        self.bets.push_back(bet);
        Ok(Said::of(&bet, guesses[speaker.place], speaker))
    }

    /// One expert's guess; an error where it is no amount.
    fn hear(&self, place: usize, at: &At<'_>, span: Span) -> Heard {
        let guess = self.experts[place].guess(at, span);
        if guess.is_none_or(|guess| guess.is_sound()) {
            Ok(guess)
        } else {
            Err(Distrust::ModelFailed)
        }
    }

    fn speaker(&self, heard: &[Heard; COUNT]) -> Speaker {
        let place = self.gate.chosen();
        match (self.gate.demoted(), heard[place]) {
            (Some(why), _) => Speaker {
                place: self.gate.stand_in(&self.tracks),
                demoted: Some(why),
            },
            (None, Err(why)) => Speaker {
                place: TRAILING,
                demoted: Some(why),
            },
            (None, Ok(None)) => Speaker {
                place: TRAILING,
                demoted: Some(Distrust::TooLittleHistory),
            },
            (None, Ok(Some(_))) => Speaker { place, demoted: None },
        }
    }

    fn bet(&self, at: &At<'_>, base: Base, guesses: &[Guess; COUNT], speaker: Speaker) -> Bet {
        let stakes: [Stake; COUNT] = std::array::from_fn(|place| {
            let upper = guesses[place].upper;
            self.tracks[place].stake(upper, base.scale_at(upper))
        });
        let upper = |place: usize| self.tracks[place].upper(stakes[place]);
        // The fallback is said as it is: a high quantile already, whatever theta has learned.
        let plain = speaker.demoted.is_some() && speaker.place == TRAILING;
        let spoken = if plain {
            guesses[TRAILING].upper
        } else {
            upper(speaker.place)
        };
        let due = recurring::due(&at.window, &base, Span::over(self.horizon));
        let raised = |upper: f64| self.recurring.raise(&due, upper);
        let said = Uppers {
            candidate: raised(upper(self.gate.chosen())),
            naive: upper(SEASONAL_NAIVE),
            published: raised(spoken),
        };
        let band = self.band_of(at, base, guesses[speaker.place], speaker);
        Bet {
            made: self.minute,
            horizon: self.horizon,
            stakes,
            said,
            spoken,
            due,
            band,
        }
    }

    /// The band of the span's last minute: it tells an expected fall, so the minutes before do not count, and
    /// what the season foresees is expected too, whoever answers.
    fn band_of(&self, at: &At<'_>, base: Base, guess: Guess, speaker: Speaker) -> (f64, f64) {
        let last = Span::over(self.horizon).last();
        let alone = |place: usize| self.hear(place, at, last).ok().flatten().map(|guess| guess.point);
        let season = [alone(SEASONAL_NAIVE), last.earlier(&at.window, 1440, 0)]
            .into_iter()
            .flatten();
        let own = alone(speaker.place).unwrap_or(guess.point);
        let (low, high) = season.fold((own, own), |(low, high), peak| (low.min(peak), high.max(peak)));
        self.band.band((low, base.scale_at(low)), (high, base.scale_at(high)))
    }
}
