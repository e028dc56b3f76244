//! The guardian: a lane that dies is started anew at once, up to a budget; past it its entity is
//! taken out of service.
//!
//! actix starts nothing anew after a panic. A lane's `Drop` sees that its thread is panicking and
//! tells the centre, which asks here what to do. What dies with the mailbox reports by its own
//! drop: an offer frees its pair, a caller hears *unknown*, a token is let go; a tick is sent
//! again, since a deadline stays armed until its event. Nothing is started here.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::Command;

/// Deaths within [`BUDGET_WINDOW`] that take an entity out of service.
pub const DEATHS_MAX: usize = 3;
/// Wall time within which deaths are counted together.
pub const BUDGET_WINDOW: Duration = Duration::from_secs(60);
/// Why an entity is out of service whose budget is spent, as the log says it.
pub const BUDGET_SPENT: &str = "its actor died 3 times within 60 s";
/// Why an entity is out of service whose state could not follow the log.
pub const APPLY_PANICKED: &str = "its machine panicked while applying an event";

/// A seam where tests make the centre's own code panic. Production gives none.
pub trait Faults: Send + Sync {
    /// In a lane, before it leads `command`: a panic here kills the lane.
    fn before_lead(&self, _to: &EntityId, _command: &Command) {}

    /// In the fold, before `recorded` is applied: a panic here is the machine's.
    fn before_apply(&self, _recorded: &Recorded) {}
}

/// What is to be done about a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A new lane, at once.
    Restart,
    /// No more: out of service.
    Quarantine,
}

/// Counts deaths and those out of service. Counts are by kind of entity.
#[derive(Debug, Default)]
pub struct Guardian(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Deaths of the last window; whoever has none is not in it.
    deaths: HashMap<EntityId, VecDeque<Instant>>,
    restarts: BTreeMap<&'static str, u64>,
    quarantined: BTreeMap<&'static str, u64>,
}

impl Guardian {
    /// The lane of `id` has died at `now`.
    pub fn died(&self, id: &EntityId, now: Instant) -> Verdict {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.deaths.retain(|_, deaths| {
            deaths.retain(|at| now.saturating_duration_since(*at) < BUDGET_WINDOW);
            !deaths.is_empty()
        });
        let deaths = counts.deaths.entry(id.clone()).or_default();
        deaths.push_back(now);
        if deaths.len() >= DEATHS_MAX {
            counts.deaths.remove(id);
            return Verdict::Quarantine;
        }
        *counts.restarts.entry(id.kind()).or_default() += 1;
        Verdict::Restart
    }

    /// `id` is out of service, by the log.
    pub fn quarantined(&self, id: &EntityId) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.quarantined.entry(id.kind()).or_default() += 1;
    }

    /// Lanes started anew since the start: `atalaya_actor_restarts_total{actor}`.
    pub fn restarts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).restarts.clone()
    }

    /// How many entities the log has out of service.
    pub fn quarantines(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).quarantined.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atalaya_domain::ids::AgentId;

    #[test]
    fn the_third_death_within_the_window_is_the_last() {
        let (guardian, start) = (Guardian::default(), Instant::now());
        let [ana, eva] = ["ana", "eva"].map(|name| EntityId::Agent(AgentId::new(name).unwrap()));
        let dies = |id, after| guardian.died(id, start + after);
        let just_before = BUDGET_WINDOW.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(dies(&ana, Duration::ZERO), Verdict::Restart);
        assert_eq!(dies(&eva, Duration::ZERO), Verdict::Restart);
        assert_eq!(dies(&ana, Duration::from_secs(1)), Verdict::Restart);
        assert_eq!(dies(&eva, BUDGET_WINDOW), Verdict::Restart, "the first is forgotten");
        assert_eq!(dies(&eva, BUDGET_WINDOW + just_before), Verdict::Restart);
        assert_eq!(dies(&eva, BUDGET_WINDOW + just_before), Verdict::Quarantine);
        assert_eq!(guardian.restarts(), BTreeMap::from([("agent", 5)]));
    }
}
