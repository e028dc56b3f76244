//! `Idempotency-Key`: the same key and body gives the first outcome again.
//!
//! [`Outcomes`] is the port. [`InMemory`] is its first form and forgets all at a restart: until a
//! durable form takes its place, a request repeated after a restart is a new one. A durable form
//! must have key and fingerprint committed with the entry they belong to, which a cause can carry:
//! `Call::tell` is the one place where causes are made.
//!
//! Only successes are kept; a refusal frees the key. A commit whose outcome is unknown frees it
//! too, which is safe only once keys are durable.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use atalaya_domain::ids::{CredentialId, EntityId};
use sha2::{Digest, Sha256};

use super::answer::{Answer, REPLAY, render};
use super::body::Body;
use super::call::Call;
use super::problem::{Code, Problem};

/// How long a key is remembered, in wall time.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Keys remembered in all; past it a request with a new key is turned away (429).
pub const KEYS_MAX: usize = 200_000;
/// Most bytes of a key.
pub const KEY_BYTES_MAX: usize = 128;

/// Whose key, and which.
pub type Key = (CredentialId, String);

/// What is kept of a success: the entity itself is read anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The first answer's.
    pub status: StatusCode,
    /// The first answer's.
    pub location: Option<String>,
    /// What it was about.
    pub entity: EntityId,
    /// Number of its last event then.
    pub seq: u64,
}

/// What a key is found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// New: the caller must `keep` or `free` it.
    Fresh,
    /// The first is still being worked on.
    InFlight,
    /// Done before, with this outcome.
    Done(Outcome),
    /// Used for another request.
    Reused,
    /// No more keys can be remembered.
    Full,
}

/// Remembers what became of requests with keys.
pub trait Outcomes: Send + Sync {
    /// Takes a key for the request whose fingerprint this is.
    fn begin(&self, key: &Key, fingerprint: [u8; 32]) -> Begin;
    /// The request succeeded.
    fn keep(&self, key: &Key, outcome: Outcome);
    /// The request was refused.
    fn free(&self, key: &Key);
}

#[derive(Debug)]
struct Entry {
    fingerprint: [u8; 32],
    outcome: Option<Outcome>,
    since: Instant,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Key, Entry>,
    /// In the order of their end.
    ends: BTreeSet<(Instant, Key)>,
}

/// In memory only.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<Table>);

impl InMemory {
    fn with<T>(&self, work: impl FnOnce(&mut Table) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Table {
    fn expire(&mut self, now: Instant) {
        while let Some((since, _)) = self.ends.first()
            && now.duration_since(*since) >= KEPT_FOR
            && let Some((_, key)) = self.ends.pop_first()
        {
            self.entries.remove(&key);
        }
    }
}

impl Outcomes for InMemory {
    fn begin(&self, key: &Key, fingerprint: [u8; 32]) -> Begin {
        self.with(|table| {
            let since = Instant::now();
            table.expire(since);
            match table.entries.get(key) {
                Some(entry) if entry.fingerprint != fingerprint => Begin::Reused,
                Some(entry) => entry.outcome.clone().map_or(Begin::InFlight, Begin::Done),
                None if table.entries.len() >= KEYS_MAX => Begin::Full,
                None => {
                    let entry = Entry { fingerprint, outcome: None, since };
                    table.entries.insert(key.clone(), entry);
                    table.ends.insert((since, key.clone()));
                    Begin::Fresh
                }
            }
        })
    }

    fn keep(&self, key: &Key, outcome: Outcome) {
        self.with(|table| {
            if let Some(entry) = table.entries.get_mut(key) {
                entry.outcome = Some(outcome);
            }
        });
    }

    fn free(&self, key: &Key) {
        self.with(|table| {
            if let Some(entry) = table.entries.remove(key) {
                table.ends.remove(&(entry.since, key.clone()));
            }
        });
    }
}

/// Frees a key whose work ended without a success, also by a panic.
struct Held {
    call: Call,
    key: Key,
    kept: bool,
}

impl Held {
    fn keep(mut self, outcome: Outcome) {
        self.call.api.outcomes.keep(&self.key, outcome);
        self.kept = true;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.kept {
            self.call.api.outcomes.free(&self.key);
        }
    }
}

/// Does `work` once for the call's key, if it has one, and renders the answer.
///
/// The work goes on to its end also when the caller is gone, so that a key never stands for half
/// of it.
pub async fn once(
    call: Call,
    body: &Body,
    work: impl Future<Output = Result<Answer, Problem>> + 'static,
) -> Result<actix_web::HttpResponse, Problem> {
    let Some(text) = call.key.clone() else { return render(&call, &work.await?) };
    if text.is_empty() || text.len() > KEY_BYTES_MAX {
        let detail = format!("cannot use the key: it must have 1 to {KEY_BYTES_MAX} bytes");
        return Err(Problem::invalid("Idempotency-Key", detail));
    }
    let caller = call.caller()?;
    let mut digest = Sha256::new();
    let agent = caller.agent.as_ref().map_or("", |agent| agent.as_str());
    for part in [agent.as_bytes(), call.target.as_bytes(), &body.bytes] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    let key = (caller.token, text);
    match call.api.outcomes.begin(&key, digest.finalize().into()) {
        Begin::Fresh => (),
        Begin::InFlight => {
            let detail = "cannot begin again: the first request with this key is not done";
            return Err(Problem::new(Code::KeyInFlight, detail));
        }
        Begin::Done(Outcome { status, location, entity, seq }) => {
            let answer = Answer { status, location, entity, seq, secret: None };
            let mut response = render(&call, &answer)?;
            response.headers_mut().insert(REPLAY, "true".parse().map_err(|_| Problem::internal())?);
            return Ok(response);
        }
        Begin::Reused => {
            let detail = "cannot use this key: it was used for another request; take a new one";
            return Err(Problem::new(Code::KeyReused, detail));
        }
        Begin::Full => {
            let detail = format!("cannot remember more than {KEYS_MAX} keys; try again later");
            return Err(Problem::new(Code::TooMany, detail));
        }
    }
    let held = Held { call: call.clone(), key, kept: false };
    let work = actix_web::rt::spawn(async move {
        let answer = work.await?;
        let Answer { status, location, entity, seq, .. } = answer.clone();
        held.keep(Outcome { status, location, entity, seq });
        Ok::<_, Problem>(answer)
    });
    let answer = work.await.map_err(|error| {
        tracing::error!(%error, "work with an idempotency key panicked");
        Problem::internal()
    })?;
    render(&call, &answer?)
}
