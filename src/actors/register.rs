//! The session register: who has been heard of lately, in real time, without a journal.
//!
//! Any message on an agent's socket and any request with their token renews the lease. A sweep
//! finds the leases that are over; only the verdicts, lost and heard, are commands. Where the
//! centre's clock stands still, no lease runs but when the clock is moved with the leases.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use atalaya_domain::agent;
use atalaya_domain::ids::AgentId;
use atalaya_domain::machine::Command;
use atalaya_domain::time::Span;

use super::centre::{Asked, Centre};
use super::gate::Token;

/// How long an agent may be silent, in wall time; then lost.
pub const LEASE: Duration = Duration::from_secs(15);
/// Time between two looks at the leases.
pub const SWEEP: Duration = Duration::from_millis(250);

#[derive(Debug)]
struct Lease {
    heard: Instant,
    /// Open sockets.
    sockets: u32,
    /// Whether the verdict is on its way.
    told: bool,
    /// Whether the agent was heard of since the verdict.
    spoke: bool,
}

impl Lease {
    const fn new(heard: Instant) -> Self {
        Self { heard, sockets: 0, told: false, spoke: false }
    }
}

/// See the module. It holds one lease for each agent who was ever heard of or signed in.
#[derive(Debug, Default)]
pub struct Register {
    leases: Mutex<HashMap<AgentId, Lease>>,
    /// Where the leases' time stands, where it does not run.
    stands: Option<Mutex<Instant>>,
}

impl Register {
    fn leases(&self) -> MutexGuard<'_, HashMap<AgentId, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A register whose time stands at `at`, whatever instants it is told, until it is aged.
    pub fn standing(at: Instant) -> Self {
        Self { leases: Mutex::default(), stands: Some(Mutex::new(at)) }
    }

    /// Moves a time that stands on by `span`.
    pub fn age(&self, span: Span) {
        if let Some(stands) = &self.stands {
            let mut at = stands.lock().unwrap_or_else(PoisonError::into_inner);
            *at += Duration::from_micros(u64::try_from(span.0).unwrap_or(0));
        }
    }

    /// The leases' own present.
    fn present(&self, now: Instant) -> Instant {
        let stands = self.stands.as_ref();
        stands.map_or(now, |at| *at.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How long until the first lease among `held` is over; who was never heard of has a whole one
    /// from now on.
    pub fn first_over(&self, held: &[AgentId]) -> Option<Span> {
        let now = self.present(Instant::now());
        let mut leases = self.leases();
        let left = held.iter().filter_map(|agent| {
            let lease = leases.entry(agent.clone()).or_insert_with(|| Lease::new(now));
            let silent = now.saturating_duration_since(lease.heard);
            (!lease.told).then(|| LEASE.saturating_sub(silent))
        });
        let left = left.min()?;
        Some(Span(i64::try_from(left.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The agent was heard of at `now`.
    pub fn renew(&self, agent: &AgentId, now: Instant) {
        self.with(agent, now, |_| ());
    }

    /// Another socket of the agent's is open.
    pub fn open(&self, agent: &AgentId, now: Instant) {
        self.with(agent, now, |lease| lease.sockets = lease.sockets.saturating_add(1));
    }

    /// A socket of the agent's is gone; the lease runs on from what was heard last.
    pub fn close(&self, agent: &AgentId) {
        if let Some(lease) = self.leases().get_mut(agent) {
            lease.sockets = lease.sockets.saturating_sub(1);
        }
    }

    fn with(&self, agent: &AgentId, now: Instant, change: impl FnOnce(&mut Lease)) {
        let now = self.present(now);
        let mut leases = self.leases();
        if let Some(lease) = leases.get_mut(agent) {
            lease.heard = lease.heard.max(now);
            lease.spoke = true;
            change(lease);
        } else {
            let mut lease = Lease::new(now);
            change(&mut lease);
            leases.insert(agent.clone(), lease);
        }
    }

    /// Whether the agent has a socket open.
    pub fn has_socket(&self, agent: &AgentId) -> bool {
        self.leases().get(agent).is_some_and(|lease| lease.sockets > 0)
    }

    /// A look at `now`, which came `late`: whose lease is over among `held`, who are signed in and
    /// not lost. One who was never heard of has a whole lease from the first look on. Everyone has
    /// `late` more: what the server slept through, nobody was silent in.
    pub fn sweep(&self, held: &[AgentId], now: Instant, late: Duration) -> Vec<AgentId> {
        let now = self.present(now);
        let mut leases = self.leases();
        for lease in leases.values_mut() {
            lease.heard = (lease.heard + late).min(now);
        }
        let mut over = Vec::new();
        for agent in held {
            let lease = leases.entry(agent.clone()).or_insert_with(|| Lease::new(now));
            if !lease.told && now.saturating_duration_since(lease.heard) >= LEASE {
                (lease.told, lease.spoke) = (true, false);
                over.push(agent.clone());
            }
        }
        over
    }

    /// The verdict on the agent has arrived, or was refused: it may be told again. Says whether
    /// the agent was heard of meanwhile.
    fn arrived(&self, agent: &AgentId) -> bool {
        self.leases().get_mut(agent).is_some_and(|lease| {
            lease.told = false;
            lease.spoke
        })
    }
}

/// Looks at the leases for as long as the centre is open.
pub async fn watch(centre: Arc<Centre>) {
    let mut last = Instant::now();
    while !centre.is_closed() {
        tokio::time::sleep(SWEEP).await;
        let now = Instant::now();
        let late = now.saturating_duration_since(last).saturating_sub(SWEEP);
        last = now;
        look(&centre, now, late);
    }
}

/// One look at the leases, which came `late`; whose lease is over is told so.
pub fn look(centre: &Arc<Centre>, now: Instant, late: Duration) {
    let held = centre.board().roster().held();
    for agent in centre.register.sweep(&held, now, late) {
        // The verdict is in flight from here on.
        let token = centre.token();
        actix::spawn(tell_lost(centre.clone(), agent, token));
    }
}

/// Tells the verdict; whoever spoke while it was on its way is heard again.
async fn tell_lost(centre: Arc<Centre>, id: AgentId, token: Token) {
    let lost = Command::Agent(agent::Command::Lost);
    let told = centre.carry_out(Asked::by_system(id.clone(), lost)).await;
    let spoke = centre.register.arrived(&id);
    match told {
        Ok(_) if spoke => {
            let heard = Command::Agent(agent::Command::Heard { start: centre.start_number() });
            let heard = centre.carry_out(Asked::by_system(id.clone(), heard)).await;
            if let Err(error) = heard {
                tracing::warn!(agent = %id, %error, "cannot say that an agent is heard");
            }
        }
        Ok(_) => tracing::info!(agent = %id, "lost: nothing was heard for a lease"),
        Err(error) => tracing::warn!(agent = %id, %error, "cannot say that an agent is lost"),
    }
    drop(token);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ana() -> AgentId {
        AgentId::new("ana").unwrap()
    }

    #[test]
    fn a_lease_is_over_after_silence_and_told_once() {
        let (register, start) = (Register::default(), Instant::now());
        register.renew(&ana(), start);
        let just_before = start + LEASE.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(register.sweep(&[ana()], just_before, Duration::ZERO), vec![]);
        assert_eq!(register.sweep(&[ana()], start + LEASE, Duration::ZERO), vec![ana()]);
        assert_eq!(register.sweep(&[ana()], start + LEASE, Duration::ZERO), vec![]);
        register.arrived(&ana());
        assert_eq!(register.sweep(&[ana()], start + LEASE, Duration::ZERO), vec![ana()]);
    }

    #[test]
    fn one_never_heard_of_has_a_lease_from_the_first_look() {
        let (register, start) = (Register::default(), Instant::now());
        assert_eq!(register.sweep(&[ana()], start, Duration::ZERO), vec![]);
        assert_eq!(register.sweep(&[ana()], start + LEASE, Duration::ZERO), vec![ana()]);
    }

    #[test]
    fn what_the_server_slept_through_is_not_silence() {
        let (register, start) = (Register::default(), Instant::now());
        register.renew(&ana(), start);
        let late = Duration::from_secs(60);
        let woken = start + late + SWEEP;
        assert_eq!(register.sweep(&[ana()], woken, late), vec![]);
        assert_eq!(register.sweep(&[ana()], woken + LEASE, Duration::ZERO), vec![ana()]);
    }
}
