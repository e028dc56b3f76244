//! What the API asks of the core, in one place: commands in, published states out.
//!
//! Thin functions over the centre and nothing else; no handler reaches past them.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use actix_web::web;
use atalaya_domain::agent::{Agent, Command as AgentCommand, Work};
use atalaya_domain::contact::{Contact, State as ContactState};
use atalaya_domain::credential::Credential;
use atalaya_domain::decision::Rejection;
use atalaya_domain::explain::{Explanation, Seen, explain};
use atalaya_domain::ids::{AgentId, ContactId, CredentialId, EntityId, OfferId, QueueId};
use atalaya_domain::machine::{Command, State};
use atalaya_domain::queue::Queue;
use atalaya_domain::time::{Span, Timestamp};
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::time::timeout;

use crate::actors::centre::{Asked, Centre};
use crate::actors::cold::Walk;
use crate::actors::pulse::COMMIT_SLOW;
use crate::actors::receipts::Receipts;
use crate::actors::shell::{Done, Failure, Terms};
use crate::actors::slots::Published;
use crate::actors::stream::Told;
use crate::actors::timekeeper::advance;
use crate::actors::workings::Workings;
use crate::journal::commit::{Cause, PastError, Whose};
use crate::journal::picture::PictureError;
use crate::views::{CellsAt, CountedIn, Measures, Scope};

/// Events that a search from the end of the stream looks at in one go.
const HISTORY_STEP: u64 = 1_024;

/// Why a contact has its agent or waits, all of one instant.
pub struct Explained {
    /// The contact.
    pub contact: Contact,
    /// Why it waits.
    pub explanation: Explanation,
    /// The centre's present.
    pub at: Timestamp,
    /// Number of the last event in it.
    pub seq: u64,
}

/// The centre, as the API sees it.
#[derive(Clone)]
pub struct Core(Arc<Centre>);

impl Core {
    /// The API's view of `centre`.
    pub const fn new(centre: Arc<Centre>) -> Self {
        Self(centre)
    }

    /// Carries out a command now; answers once it is committed and can be read, or, where that
    /// takes over [`COMMIT_SLOW`], that it is unknown: its lane goes on, and it may still happen.
    pub async fn tell(&self, asked: Asked) -> Result<Done, Failure> {
        let answer = self.0.tell(asked);
        timeout(COMMIT_SLOW, answer).await.unwrap_or_else(|_| {
            let seconds = COMMIT_SLOW.as_secs();
            Err(Failure::Unknown(format!("the commit takes over {seconds} s")))
        })
    }

    /// What became of requests with keys.
    pub fn receipts(&self) -> &Arc<Receipts> {
        &self.0.receipts
    }

    /// Whether what is published of `id` is in memory.
    pub fn is_in_memory(&self, id: &EntityId) -> bool {
        self.0.slots.here(id).is_some()
    }

    /// What is published of `id`.
    pub fn read(&self, id: &EntityId) -> Arc<Published> {
        self.0.slots.read(id)
    }

    /// The present of the centre.
    pub fn now(&self) -> Timestamp {
        self.0.now().at
    }

    /// Events after `seq`, at most `limit`; `None`: from the first that is kept.
    pub async fn events_after(
        &self,
        seq: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Told>, PastError> {
        let centre = self.0.clone();
        let seq = seq.unwrap_or_else(|| centre.stream().first_seq().saturating_sub(1));
        if let Some(recent) = centre.stream().recent_after(seq, limit) {
            return Ok(recent);
        }
        let read = web::block(move || centre.stream().after(seq, limit)).await;
        read.unwrap_or_else(|error| Err(PastError::Unreadable(error.to_string())))
    }

    /// Number of the last event that can be read.
    pub fn last_seq(&self) -> u64 {
        self.0.last_seq()
    }

    /// The cells of a report, as of one number. It may read the disk: not for an async task.
    pub fn cells(
        &self,
        from: i64,
        to: i64,
        queue: Option<&QueueId>,
    ) -> Result<CellsAt, PictureError> {
        self.0.cells(from, to, queue)
    }

    /// Whose midnights turn the days.
    pub fn time_zone(&self) -> TimeZone {
        self.0.board().time_zone().clone()
    }

    /// The contacts that a figure counts, and the number at which it does; `None`: too many.
    pub fn counted_in(&self, counted: &CountedIn) -> (u64, Timestamp, Option<Vec<ContactId>>) {
        self.0.counted_in(counted)
    }

    /// Tells whoever waits for it when more can be read.
    pub fn follow(&self) -> tokio::sync::watch::Receiver<u64> {
        self.0.follow()
    }

    /// Centre seconds in a second.
    pub fn rate(&self) -> f64 {
        self.0.clock().rate()
    }

    /// Whether the clock moves only when it is told to.
    pub fn stands_still(&self) -> bool {
        self.0.stands_still()
    }

    /// Moves a clock that stands still.
    pub async fn advance(
        &self,
        span: Span,
        leases: bool,
        terms: Terms,
        cause: Cause,
    ) -> Result<Done, Failure> {
        advance(&self.0, span, leases, terms, cause).await
    }

    /// Whether the centre has ended.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// What the roster holds, likewise.
    pub fn roster(&self, scope: Scope) -> (u64, serde_json::Value, Timestamp) {
        self.0.roster(scope)
    }

    /// Reads published states while nothing is folded: with the number of the last event in them.
    /// What reads may not look at the board or the order of those who wait.
    pub fn at_one_instant<T>(&self, read: impl FnOnce(u64) -> T) -> T {
        let board = self.0.board();
        let value = read(self.0.last_seq());
        drop(board);
        value
    }

    /// Number of the server's start.
    pub fn start(&self) -> u64 {
        self.0.start_number()
    }

    /// Contacts behind `after`, in memory and out of it, by id. It may read the disk: not for an
    /// async task.
    pub fn contacts_after(&self, after: Option<ContactId>) -> Walk<'_> {
        Walk::after(&self.0.slots, after)
    }

    /// The contacts out of memory that another system calls so; `None`: too many to be told.
    pub fn named_outside(&self, name: &str) -> Result<Option<Vec<ContactId>>, PictureError> {
        self.0.slots.cold().by_external_id(name)
    }

    /// Contacts in memory behind `after`, by id.
    pub fn in_memory_after(&self, after: Option<ContactId>) -> Vec<ContactId> {
        self.0.slots.contacts_after(after)
    }

    /// Why the server takes no work just now; empty: it does.
    pub fn not_ready(&self) -> Vec<String> {
        self.0.pulse.reasons(Instant::now())
    }

    /// An agent that is configured, with the log's version.
    pub fn agent(&self, id: &AgentId) -> Option<(Agent, u64)> {
        let published = self.read(&id.clone().into());
        match &published.state {
            State::Agent(agent) if agent.facts.is_some() => {
                Some((agent.clone(), published.version))
            }
            _ => None,
        }
    }

    /// Since when the agent is out of service, and shown lost.
    pub fn out_of_service(&self, id: &AgentId) -> Option<Timestamp> {
        self.read(&id.clone().into()).quarantined
    }

    /// A queue that is configured, with the log's version.
    pub fn queue(&self, id: &QueueId) -> Option<(Queue, u64)> {
        let published = self.read(&id.clone().into());
        match &published.state {
            State::Queue(queue) if queue.rules.is_some() => {
                Some((queue.clone(), published.version))
            }
            _ => None,
        }
    }

    /// A contact that has come, with the log's version.
    pub fn contact(&self, id: ContactId) -> Option<(Contact, u64)> {
        self.contact_if(id, |_| true)
    }

    /// The same, if it is `wanted`: a list looks at many and copies few.
    pub fn contact_if(
        &self,
        id: ContactId,
        wanted: impl Fn(&Contact) -> bool,
    ) -> Option<(Contact, u64)> {
        let published = self.read(&id.into());
        match &published.state {
            State::Contact(contact) if contact.entered.is_some() && wanted(contact) => {
                Some((contact.clone(), published.version))
            }
            _ => None,
        }
    }

    /// A token or session that was made; one whose machine has failed holds no more.
    pub fn credential(&self, id: &EntityId) -> Option<Credential> {
        let published = self.read(id);
        match &published.state {
            State::Credential(_) if published.frozen => None,
            State::Credential(credential) if credential.grant.is_some() => Some(credential.clone()),
            _ => None,
        }
    }

    /// Every id for which `wanted` has an answer, in order.
    pub fn ids<T: Ord>(&self, wanted: impl Fn(EntityId) -> Option<T>) -> Vec<T> {
        let mut ids: Vec<T> = self.0.slots.ids().into_iter().filter_map(wanted).collect();
        ids.sort_unstable();
        ids
    }

    /// All queues, by id.
    pub fn queues(&self) -> Vec<QueueId> {
        self.ids(|id| match id {
            EntityId::Queue(id) => Some(id),
            _ => None,
        })
    }

    /// All tokens, by id.
    pub fn tokens(&self) -> Vec<CredentialId> {
        self.ids(|id| match id {
            EntityId::Token(id) => Some(id),
            _ => None,
        })
    }

    /// Who waits in `queue`, in the order of service.
    pub fn waiting(&self, queue: &QueueId) -> Vec<ContactId> {
        self.0.brain().intake.order(queue)
    }

    /// Explains a contact that has come. What it reads is of one instant: nothing is folded while
    /// the brain is held, and what is published does not change under its readers.
    pub fn explain(&self, id: ContactId) -> Option<Explained> {
        // It may have to be read from the disk, for which nobody is kept waiting; in memory it may
        // be another by then.
        let before = self.read(&id.into());
        let brain = self.0.brain();
        let (seq, at) = (self.0.last_seq(), self.now());
        let published = self.0.slots.here(&id.into()).unwrap_or(before);
        let State::Contact(contact) = &published.state else { return None };
        let contact = Some(contact.clone()).filter(|contact| contact.entered.is_some())?;
        let queue = contact.entered.as_ref().filter(|_| contact.is_waiting());
        let waiting = queue.map(|entered| brain.intake.order(&entered.queue)).unwrap_or_default();
        let agents = brain.intake.agents();
        let agents: Vec<_> = agents
            .map(|(id, standing)| (id.clone(), self.read(&id.clone().into()), standing))
            .collect();
        drop(brain);
        let seen = agents.iter().filter_map(|(id, published, standing)| match &published.state {
            State::Agent(agent) => Some(Seen { id, agent, standing: *standing }),
            _ => None,
        });
        let explanation = explain(id, &contact, &waiting, &seen.collect::<Vec<_>>());
        Some(Explained { contact, explanation, at, seq })
    }

    /// Every event of `entity`, in order: its state tells the last, and from there each names the
    /// one before it.
    pub async fn history(&self, entity: &EntityId) -> Result<Vec<Told>, PastError> {
        let mut found = Vec::new();
        // What is published may be of an event that the stream is only about to have.
        let last = self.read(entity).seq.checked_sub(1);
        let mut next = match last {
            Some(before) => self.events_after(Some(before), 1).await?.pop(),
            None => None,
        };
        if next.is_none() {
            next = self.last_of(entity).await?;
        }
        while let Some(told) = next {
            let previous = told.numbered.previous;
            found.push(told);
            next = match previous.checked_sub(1) {
                Some(before) => self.events_after(Some(before), 1).await?.pop(),
                None => None,
            };
        }
        found.reverse();
        Ok(found)
    }

    /// The last event of `entity`.
    async fn last_of(&self, entity: &EntityId) -> Result<Option<Told>, PastError> {
        let mut to = self.last_seq();
        while 0 < to {
            let from = to.saturating_sub(HISTORY_STEP);
            let limit = usize::try_from(to - from).unwrap_or(usize::MAX);
            let mut events = self.events_after(Some(from), limit).await?.into_iter().rev();
            let found = events.find(|told| told.numbered.recorded.entity == *entity);
            if found.is_some() {
                return Ok(found);
            }
            to = from;
        }
        Ok(None)
    }

    /// The live figures of `queue`, as the wallboard has them.
    pub fn figures(&self, queue: &QueueId) -> Option<Value> {
        let mut board = self.0.board();
        board.roll_to(self.0.clock().now());
        board.figures(queue)
    }

    /// The wallboard, and the number of the last event in it.
    pub fn wallboard(&self, scope: Scope) -> (u64, Value, Timestamp) {
        self.0.wallboard(scope)
    }

    /// Commands in flight.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight()
    }

    /// How many actors were started anew, and how often the impossible was found, by kind.
    pub fn faults(&self) -> (BTreeMap<&'static str, u64>, BTreeMap<&'static str, u64>) {
        (self.0.guardian().restarts(), self.0.checker().counts())
    }

    /// What the machinery tells of itself.
    pub fn workings(&self) -> Workings {
        self.0.workings(Instant::now())
    }

    /// What metrics are made of: the number of the last event in it, and how much is out of
    /// service.
    pub fn measures(&self) -> (u64, Measures, u64) {
        self.0.measures()
    }

    /// The last that was said of `field` of somebody.
    pub fn said(&self, of: &Whose, field: &str) -> Option<String> {
        self.0.said(of, field)
    }

    /// Place of everyone who waits in one of `queues`, from 1.
    pub fn positions(&self, queues: impl Iterator<Item = QueueId>) -> HashMap<ContactId, usize> {
        queues.flat_map(|queue| self.waiting(&queue).into_iter().zip(1..)).collect()
    }

    /// The place of a waiting contact in its queue's order of service, from 1.
    pub fn position(&self, id: ContactId) -> Option<usize> {
        self.0.brain().intake.position(id)
    }

    /// The contact that `offer` is about: `agent`'s, else any that waits.
    pub fn offered(&self, offer: OfferId, agent: &AgentId) -> Option<ContactId> {
        let own = self.agent(agent).and_then(|(agent, _)| {
            agent.work.iter().find_map(|(contact, work)| match work {
                Work::Offered { offer: held, .. } if *held == offer => Some(*contact),
                Work::Offered { .. } | Work::Active { .. } | Work::WrapUp { .. } => None,
            })
        });
        own.or_else(|| {
            let mut waiting = self.queues().into_iter().flat_map(|queue| self.waiting(&queue));
            waiting.find(|id| {
                self.contact(*id).is_some_and(|(contact, _)| match &contact.state {
                    ContactState::Offered { offer: held, .. } => *held == offer,
                    _ => false,
                })
            })
        })
    }

    /// Whether the agent is heard of: the lease is the session register's.
    pub fn is_heard(&self, agent: &AgentId) -> bool {
        let open = self.0.register.has_socket(agent);
        open || self.agent(agent).is_some_and(|(agent, _)| {
            agent.signed_in.is_some() && agent.lost.is_none() && agent.unheard.is_none()
        })
    }

    /// A socket of the agent's has opened.
    pub fn open(&self, id: &AgentId) {
        if self.agent(id).is_some() {
            self.0.register.open(id, Instant::now());
        }
    }

    /// A socket of the agent's is gone.
    pub fn close(&self, id: &AgentId) {
        self.0.register.close(id);
    }

    /// Renews the agent's lease; says whether they are shown lost, which `hear` ends.
    ///
    /// Who is not configured has none: names that callers make up do not fill the register.
    pub fn renew(&self, id: &AgentId) -> bool {
        let Some((agent, _)) = self.agent(id) else { return false };
        self.0.register.renew(id, Instant::now());
        agent.signed_in.is_some() && (agent.lost.is_some() || agent.unheard.is_some())
    }

    /// A request of the agent's is a sign of life: ends being lost.
    pub async fn hear(&self, id: &AgentId, cause: Cause) -> Result<(), Failure> {
        if self.renew(id) {
            let command = Command::Agent(AgentCommand::Heard { start: self.start() });
            let heard = self.tell(Asked::new(id.clone(), command, cause)).await;
            // Out of service they stay lost, and may still end what they have in hand.
            if !matches!(heard, Err(Failure::Rejected(Rejection::Quarantined { .. }))) {
                heard?;
            }
        }
        Ok(())
    }
}
