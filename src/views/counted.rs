//! Which contacts a figure of the wallboard counts: the list behind each number.
//!
//! Of each contact that a figure of today or of the last hour may count there is a trace, a
//! function of the contact alone, so that a start makes it anew from the contacts that it finds and
//! the board need not keep it. Who waits or talks is the board's own. Not here: how a contact is
//! shown.

use std::collections::BTreeMap;

use atalaya_domain::contact::{Contact, State as Place};
use atalaya_domain::ids::{ContactId, QueueId};
use atalaya_domain::time::{Span, Timestamp};

use super::figures::{Frame, HOUR, QUARTER};
use super::wallboard::{Line, Wallboard};

/// Most traces: some 100 bytes each. Past it no more are kept until a midnight has made room, and
/// figures of the past are not listed.
pub const TRACES_MAX: usize = 1_000_000;
/// How long before midnight something may have been for a window to count it after midnight.
const BEFORE_MIDNIGHT: Span = Span::seconds(3_600);

/// What a contact did that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// It tried to enter.
    Offered,
    /// An agent answered it.
    Answered,
    /// It left while waiting.
    Abandoned,
    /// It left within the short bound.
    ShortAbandoned,
    /// It was not admitted, or sent away.
    Refused,
    /// It left for another queue, was handed on or is to be called back: nobody in this version.
    Nobody,
}

/// What a figure counts, and over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Waiting,
    Active,
    CarriedOver,
    Today(Deed),
    Within(Frame, Deed),
}

/// A figure of one queue, or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedIn {
    queue: Option<QueueId>,
    figure: Figure,
}

const TODAY: [(&str, Deed); 8] = [
    ("offered", Deed::Offered),
    ("answered", Deed::Answered),
    ("abandoned", Deed::Abandoned),
    ("short_abandoned", Deed::ShortAbandoned),
    ("refused", Deed::Refused),
    ("overflowed_out", Deed::Nobody),
    ("transferred_out", Deed::Nobody),
    ("callbacks", Deed::Nobody),
];
/// As many of [`TODAY`] as the windows count.
const WINDOWED: usize = 4;

impl CountedIn {
    /// Every figure that has a list, as the wallboard names them.
    pub fn figures() -> Vec<String> {
        let mut names: Vec<_> =
            ["waiting", "active", "carried_over_today"].map(str::to_owned).into();
        names.extend(TODAY.iter().map(|(deed, _)| format!("{deed}_today")));
        for frame in [QUARTER, HOUR] {
            let windowed = TODAY.iter().take(WINDOWED);
            names.extend(windowed.map(|(deed, _)| format!("{deed}_{}", frame.name)));
        }
        names
    }

    /// Reads `QUEUE.FIGURE` or `totals.FIGURE`; anything else is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (queue, figure) = text.rsplit_once('.')?;
        let queue = match queue {
            "totals" => None,
            queue => Some(QueueId::new(queue).ok()?),
        };
        Some(Self { queue, figure: Figure::parse(figure)? })
    }

    /// The queue; `None`: all of them.
    pub const fn queue(&self) -> Option<&QueueId> {
        self.queue.as_ref()
    }
}

impl Figure {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "waiting" => return Some(Self::Waiting),
            "active" => return Some(Self::Active),
            "carried_over_today" => return Some(Self::CarriedOver),
            _ => (),
        }
        let (deed, time) = name.rsplit_once('_')?;
        let of = |known: &[(&str, Deed)]| {
            known.iter().find(|(word, _)| *word == deed).map(|(_, deed)| *deed)
        };
        if time == "today" {
            return of(&TODAY).map(Self::Today);
        }
        let frame = [QUARTER, HOUR].into_iter().find(|frame| frame.name == time)?;
        of(TODAY.get(..WINDOWED)?).map(|deed| Self::Within(frame, deed))
    }
}

/// What is counted of one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trace {
    queue: QueueId,
    arrived_at: Timestamp,
    /// When and how it ceased to wait.
    left: Option<(Timestamp, Deed)>,
}

impl Trace {
    fn of(contact: &Contact) -> Option<Self> {
        let queue = contact.entered.as_ref()?.queue.clone();
        let left = match (&contact.state, contact.answered_at, contact.ended_at) {
            (_, Some(at), _) => Some((at, Deed::Answered)),
            (Place::Abandoned, None, Some(at)) if contact.is_short(at) => {
                Some((at, Deed::ShortAbandoned))
            }
            (Place::Abandoned, None, Some(at)) => Some((at, Deed::Abandoned)),
            (Place::Refused { .. }, None, Some(at)) => Some((at, Deed::Refused)),
            (_, None, _) => None,
        };
        Some(Self { queue, arrived_at: contact.arrived_at, left })
    }

    fn is_of(&self, since: Timestamp) -> bool {
        self.left.is_none_or(|(at, _)| since <= at) || since <= self.arrived_at
    }

    /// When it did so; `None`: it did not.
    fn did(&self, deed: Deed) -> Option<Timestamp> {
        let (at, did) = match deed {
            Deed::Offered => (self.arrived_at, Deed::Offered),
            _ => self.left?,
        };
        let is_short = deed == Deed::Abandoned && did == Deed::ShortAbandoned;
        (did == deed || is_short).then_some(at)
    }
}

/// The traces of those whom a figure may count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Traces {
    by_contact: BTreeMap<ContactId, Trace>,
    /// Whether there was no room for one.
    short: bool,
}

impl Traces {
    /// What `contact` has become, on the day that began at `midnight`.
    pub(super) fn note(&mut self, id: ContactId, contact: &Contact, midnight: Timestamp) {
        let since = midnight.minus(BEFORE_MIDNIGHT);
        match Trace::of(contact).filter(|trace| trace.is_of(since)) {
            Some(trace) => {
                let is_new = !self.by_contact.contains_key(&id);
                if is_new && TRACES_MAX <= self.by_contact.len() {
                    self.short = true;
                } else {
                    self.by_contact.insert(id, trace);
                }
            }
            None => {
                self.by_contact.remove(&id);
            }
        }
    }

    /// A day has begun at `midnight`.
    pub(super) fn turn(&mut self, midnight: Timestamp) {
        let since = midnight.minus(BEFORE_MIDNIGHT);
        self.by_contact.retain(|_, trace| trace.is_of(since));
        self.short = false;
    }
}

impl Wallboard {
    /// A contact that a start has found: who is counted today is not among what the board keeps.
    pub fn found(&mut self, id: ContactId, contact: &Contact) {
        if let Some((midnight, _)) = self.today {
            self.traces.note(id, contact, midnight);
        }
    }

    /// The contacts that a figure counts just now, by id: as many as it says. `None`: there were
    /// more than [`TRACES_MAX`] today.
    pub fn counted_in(&self, counted: &CountedIn) -> Option<Vec<ContactId>> {
        let wanted = |queue: &QueueId| counted.queue.as_ref().is_none_or(|one| one == queue);
        let lines = || self.queues.iter().filter(|(id, _)| wanted(id)).map(|(_, line)| line);
        let midnight = self.today.map_or(self.now, |(midnight, _)| midnight);
        let mut ids: Vec<_> = match counted.figure {
            Figure::Waiting => {
                lines().flat_map(|line: &Line| line.waiting.iter().map(|(_, id)| *id)).collect()
            }
            Figure::Active => lines().flat_map(|line| line.active.iter().copied()).collect(),
            Figure::CarriedOver => self.traced(&wanted, |id, trace| {
                let out = self.quarantined.get(&id).is_some_and(|at| *at < midnight);
                let left = trace.left.is_some_and(|(at, _)| at < midnight);
                trace.arrived_at < midnight && !left && !out
            })?,
            Figure::Today(deed) => {
                self.traced(&wanted, |_, trace| trace.did(deed).is_some_and(|at| midnight <= at))?
            }
            Figure::Within(frame, deed) => self.traced(&wanted, |_, trace| {
                trace.did(deed).is_some_and(|at| frame.holds(at, self.now))
            })?,
        };
        ids.sort_unstable();
        Some(ids)
    }

    fn traced(
        &self,
        wanted: &dyn Fn(&QueueId) -> bool,
        counts: impl Fn(ContactId, &Trace) -> bool,
    ) -> Option<Vec<ContactId>> {
        let traces = self.traces.by_contact.iter();
        let counted = traces.filter(|(id, trace)| wanted(&trace.queue) && counts(**id, trace));
        (!self.traces.short).then(|| counted.map(|(id, _)| *id).collect())
    }
}
