//! What plan would like, before anybody asked whether it is allowed.

use crate::observation::Reading;
use crate::units::Replicas;
use serde::{Deserialize, Serialize};

/// A floor we would like one function to have, with the parts it is the largest of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FloorWish {
    /// The floor: the largest part, at most the policy's `max` (unless the user's own floor is above it).
    pub to: Replicas,
    /// `max(u, min)`: under this no write of ours goes (R1).
    pub user: Replicas,
    /// Pods for the upper quantile of the forecast. `None`: not trusted, or switched off.
    pub forecast: Option<Replicas>,
    /// Pods for the demand of now; joins the floor only where no other scaler owns the target.
    pub reactive: Reading<Replicas>,
    /// Pods for what is known of a demand that is not known whole; may raise, lowers nothing. `None`: it is, or nothing
    /// is known of it.
    #[serde(default)]
    pub at_least: Option<Replicas>,
    /// The part that set `to`.
    pub bound_by: BoundBy,
}

/// The part of a wish that set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BoundBy {
    /// The user's own floor or the policy's `min`.
    User,
    /// The forecast.
    Forecast,
    /// The demand of now.
    Reactive,
    /// The policy's `max`.
    Max,
}
