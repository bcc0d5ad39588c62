//! Phase: where the process is in its life. One writer side, any number of waiters.

use tokio::sync::watch;

/// Where the process is in its life; it only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// `STARTUP_MS` has not passed, or the ballast is not yet resident.
    Starting,
    /// Slots are open.
    Ready,
    /// Asked to stop.
    Draining,
}

/// The present [`Phase`], to read, to advance and to wait for.
#[derive(Debug)]
pub struct Life(watch::Sender<Phase>);

impl Default for Life {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Starting))
    }
}

impl Life {
    /// The present phase.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Goes on to `next`; a phase that is already behind changes nothing, so that a start-up which
    /// ends during the drain does not make the process ready again.
    pub fn advance(&self, next: Phase) {
        self.0.send_if_modified(|now| {
            let forward = next > *now;
            *now = next.max(*now);
            forward
        });
    }

    /// Ends once the process was asked to stop.
    pub async fn draining(&self) {
        let mut phases = self.0.subscribe();
        // An error means that the sender is gone, and it lives as long as `self`.
        let _ = phases.wait_for(|phase| *phase == Phase::Draining).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_start_does_not_undo_the_drain() {
        let life = Life::default();
        life.advance(Phase::Draining);
        life.advance(Phase::Ready);
        assert_eq!(life.phase(), Phase::Draining);
    }
}
