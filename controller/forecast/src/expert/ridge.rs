//! Ridge: a linear model of the peak ahead on the function's own features, refitted every six hours from its
//! own history. Pure.

mod fit;

use super::{At, Expert, Guess};
use crate::features::{Span, row};
use fit::Linear;

/// Minutes between two fits; which of them is the function's own is given by its seed.
const REFIT: i64 = 360;

/// State: the last fit.
#[derive(Debug, Default)]
pub(super) struct Ridge {
    fitted: Option<Fitted>,
    /// Minute of the last attempt, fitted or not.
    tried: Option<i64>,
}

#[derive(Debug)]
struct Fitted {
    horizon: i64,
    model: Linear,
}

impl Expert for Ridge {
    fn guess(&self, at: &At<'_>, span: Span) -> Option<Guess> {
        let fitted = self.fitted.as_ref().filter(|fitted| fitted.horizon == at.horizon)?;
        let base = at.base?;
        let normal = fitted.model.predict(&row(&at.window, &base, span));
        Some(Guess::of(base.amount(normal)))
    }

    fn refit_due(&self, at: &At<'_>) -> bool {
        let shift = i64::try_from(at.seed % 360).expect("below 360");
        let turn = |minute: i64| (minute + shift).div_euclid(REFIT);
        let other_horizon = self.fitted.as_ref().is_some_and(|fitted| fitted.horizon != at.horizon);
        other_horizon || self.tried.is_none_or(|tried| turn(tried) != turn(at.minute()))
    }

    fn refit(&mut self, at: &At<'_>) {
        self.tried = Some(at.minute());
        self.fitted = fit::fit(at).map(|model| Fitted {
            horizon: at.horizon,
            model,
        });
    }
}
