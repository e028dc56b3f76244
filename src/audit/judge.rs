//! Folds event after event, and compares every look at the sequence number that it names.
//!
//! The fold goes no further than the horizon: the floor of any look that is under way, and the last
//! frame of each topic, since the next frame of it shows that number or a later one. So whatever
//! comes finds the fold where it needs it. What is compared with what is in `looks`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::listen::{Asked, Heard, TOPICS};
use super::picture::{Bounds, Fault, Picture};
use super::report::{Ledger, Sizes, Summary, Watched};
use super::terms::{Known, Terms};
use super::topic::{Topic, is_empty};
use super::{Progress, TIME_ZONE, rules, scrape};

/// How long the fold waits for a look, a frame or a text; after it it goes on without.
const HOLD_MAX: Duration = Duration::from_secs(20);
/// How long a look may name a number that `/events` has not come to.
const BEYOND_MAX: Duration = Duration::from_secs(10);
/// Looks that wait for the fold; past it the oldest are not compared.
const LOOKS_MAX: usize = 1_024;
/// Events that wait for the horizon; past it the fold goes on without it.
const WAITING_MAX: usize = 50_000;
/// Events that were had, kept to be compared with what a server that comes back says.
const HAD_MAX: usize = 16;

/// One look at the server, to be compared at its number.
#[derive(Debug)]
pub(super) enum Look {
    /// A frame of the topic in this place of [`TOPICS`]; whether it follows the one before.
    Frame { place: usize, frame: Value, chained: bool },
    /// An answer of `GET /wallboard`.
    Wallboard(Value),
    /// A scrape, and between which instants it was made.
    Scrape { samples: scrape::Samples, between: (i64, i64) },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Judge {
    zone: Option<TimeZone>,
    pub(super) asked: Arc<Asked>,
    pub(super) picture: Picture,
    terms: Terms,
    pub(super) ledger: Ledger,
    pub(super) summary: Summary,
    pub(super) topics: [Topic; 2],
    sizes: [Sizes; 2],
    /// Bytes of each topic's snapshot.
    pub(super) whole: [usize; 2],
    waiting: VecDeque<(Value, Instant)>,
    /// Number of the last event received.
    received: u64,
    /// A gap after this number has been told.
    gap_after: Option<u64>,
    had: VecDeque<Value>,
    in_flight: BTreeMap<u64, u64>,
    looks: BTreeMap<(u64, u64), (Look, Instant)>,
    numbered: u64,
    names: BTreeSet<String>,
    is_away: bool,
}

impl Judge {
    /// `zone`: of the centre's days, whatever the server says.
    pub(super) fn new(zone: Option<TimeZone>, asked: Arc<Asked>) -> Self {
        Self {
            zone,
            asked,
            picture: Picture::new(TimeZone::UTC),
            terms: Terms::default(),
            ledger: Ledger::default(),
            summary: Summary::default(),
            topics: TOPICS.map(Topic::new),
            sizes: Default::default(),
            whole: [0; 2],
            waiting: VecDeque::new(),
            received: 0,
            gap_after: None,
            had: VecDeque::new(),
            in_flight: BTreeMap::new(),
            looks: BTreeMap::new(),
            numbered: 0,
            names: BTreeSet::new(),
            is_away: false,
        }
    }

    /// Takes one thing that was heard, and goes on as far as it allows.
    pub(super) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Log { epoch, zone, scrape } => self.begin(epoch, zone.as_deref(), &scrape),
            Heard::Survey(events) => {
                for event in &events {
                    self.terms.note(event);
                }
            }
            Heard::Texts(texts) => self.texts(texts),
            Heard::Events { after, items } => self.receive(after, items),
            Heard::Again(events) => self.compare_again(&events),
            Heard::Began { look, floor } => {
                self.in_flight.insert(look, floor);
            }
            Heard::Gone { look } => {
                self.in_flight.remove(&look);
            }
            Heard::Wallboard { look, floor, answer } => self.wallboard(look, floor, answer),
            Heard::Scrape { look, floor, seq, text, between } => {
                self.in_flight.remove(&look);
                self.scrape((floor, seq), &text, between);
            }
            Heard::Open { now, late } => self.topics.iter_mut().for_each(|t| t.begin(now, late)),
            Heard::Frame { frame, bytes, now, late } => self.frame(frame, bytes, (now, late)),
            Heard::Said(problem) => {
                let found = problem["problem"].to_string();
                self.violated("socket", "the socket", ("no error".to_owned(), found));
            }
            Heard::Shut => self.topics.iter_mut().for_each(Topic::pause),
            Heard::Away(why) => {
                tracing::warn!(why, "the server is away; it is asked again until it is back");
                self.summary.outages += 1;
                self.is_away = true;
            }
            Heard::Back => {
                tracing::info!("the server is back, with the same log");
                self.is_away = false;
                self.summary.returns += 1;
            }
            Heard::Tick { late } => self.tick(late),
            Heard::Failed(_) | Heard::Stop => (),
        }
        self.advance();
    }

    pub(super) fn violated(&mut self, kind: &'static str, place: &str, both: (String, String)) {
        self.ledger.add(kind, place, self.picture.seq, both);
    }

    /// A log begins: nothing of another one stands.
    fn begin(&mut self, epoch: String, zone: Option<&str>, text: &str) {
        if !self.summary.epoch.is_empty() {
            self.summary.epochs += 1;
            tracing::warn!(epoch, "the log is of another epoch: the audit starts over");
        }
        self.is_away = false;
        let named = zone.and_then(|zone| TimeZone::get(zone).ok());
        let zone = self.zone.clone().or(named).or_else(|| TimeZone::get(TIME_ZONE).ok());
        let zone = zone.unwrap_or(TimeZone::UTC);
        self.summary.epoch = epoch;
        zone.iana_name().unwrap_or("UTC").clone_into(&mut self.summary.time_zone);
        self.strangers();
        self.picture = Picture::new(zone);
        self.terms = Terms::default();
        let samples = scrape::read(text).unwrap_or_default();
        let of = |family: &str| scrape::bounds(&samples, &format!("atalaya_{family}_seconds"));
        self.picture.bounds = Bounds {
            wait: of("contact_wait"),
            offer_to_answer: of("offer_to_answer"),
            handle: of("contact_handle"),
        };
        self.topics.iter_mut().for_each(Topic::forget);
        self.waiting.clear();
        self.had.clear();
        self.in_flight.clear();
        self.looks.clear();
        (self.received, self.gap_after) = (0, None);
    }

    fn texts(&mut self, texts: Vec<(String, Value)>) {
        for (entity, text) in texts {
            if let (true, Some(name)) = (entity.starts_with("agent:"), text["name"].as_str())
                && entity.strip_prefix("agent:") != Some(name)
            {
                self.names.insert(name.to_owned());
            }
            self.terms.read(entity, text);
        }
    }

    /// Events in the order of an answer: they follow one another without a gap.
    fn receive(&mut self, after: u64, events: Vec<Value>) {
        if self.gap_after == Some(self.received) && after != self.received {
            // Asked for before the gap was seen: it is read again from there.
            return;
        }
        let mut before = 0;
        for event in events {
            let Some(seq) = event["seq"].as_u64() else {
                self.violated("gap", "/events", ("a `seq`".to_owned(), event.to_string()));
                continue;
            };
            if seq <= before {
                let both = (format!("a seq after {before}"), format!("seq {seq}"));
                self.violated("gap", "/events", both);
            }
            before = seq;
            if seq <= self.received {
                continue;
            }
            let told = self.gap_after == Some(self.received);
            if seq != self.received + 1 && !told {
                let both = (format!("seq {}", self.received + 1), format!("seq {seq}"));
                self.violated("gap", "/events", both);
                // Once more: what was left out may be had after all.
                self.gap_after = Some(self.received);
                self.asked.again.store(self.received + 1, Ordering::Release);
                return;
            }
            self.received = seq;
            if let Some(place) = rules::personal(&event, &self.names) {
                let place_found = format!("{place} of {} {}", event["entity"], event["event"]);
                self.violated("personal", "/events", ("nothing personal".into(), place_found));
            }
            if self.terms.note(&event) {
                self.asked.texts.store(true, Ordering::Release);
            }
            self.had.push_back(event.clone());
            if self.had.len() > HAD_MAX {
                self.had.pop_front();
            }
            self.waiting.push_back((event, Instant::now()));
        }
    }

    /// A server that was away says the same as before.
    fn compare_again(&mut self, events: &[Value]) {
        let last = events.last().and_then(|event| event["seq"].as_u64()).unwrap_or(0);
        if last < self.received {
            let both = (format!("events up to {}", self.received), format!("up to {last}"));
            self.violated("lost", "/events", both);
        }
        let had: BTreeMap<_, _> = self.had.iter().map(|had| (had["seq"].as_u64(), had)).collect();
        let other = events.iter().find_map(|event| {
            let had = had.get(&event["seq"].as_u64()).filter(|had| **had != event)?;
            Some((had.to_string(), event.to_string()))
        });
        if let Some(both) = other {
            self.violated("rewritten", "/events", both);
        }
    }

    fn wallboard(&mut self, look: u64, floor: u64, answer: Value) {
        self.in_flight.remove(&look);
        if answer["epoch"] != *self.summary.epoch {
            return;
        }
        match answer["seq"].as_u64() {
            Some(seq) => {
                self.not_before(floor, seq, "GET /wallboard");
                self.look(seq, Look::Wallboard(answer));
            }
            None => self.violated("wallboard", "GET /wallboard", ("a `seq`".into(), "none".into())),
        }
    }

    fn scrape(&mut self, (floor, header): (u64, Option<u64>), text: &str, between: (i64, i64)) {
        let samples = match scrape::read(text) {
            Ok(samples) => samples,
            Err(line) => {
                return self.violated("metrics", "/metrics", ("a sample".into(), line));
            }
        };
        let seq = samples.get("atalaya_event_seq").map(f64::to_string);
        let Some(seq) = seq.and_then(|seq| seq.parse().ok()) else {
            let both = ("atalaya_event_seq".to_owned(), "none".to_owned());
            return self.violated("metrics", "/metrics", both);
        };
        if header.is_some_and(|header| header != seq) {
            let both = (format!("Atalaya-Seq: {seq}"), format!("{header:?}"));
            self.violated("metrics", "/metrics", both);
        }
        self.not_before(floor, seq, "/metrics");
        self.look(seq, Look::Scrape { samples, between });
    }

    /// What `/events` had shown before a look went out is in it.
    fn not_before(&mut self, floor: u64, seq: u64, place: &str) {
        if seq < floor {
            let both = (format!("seq {floor} or more"), format!("seq {seq}"));
            self.violated("stale", place, both);
        }
    }

    fn frame(&mut self, frame: Value, bytes: usize, (now, late): (Instant, Duration)) {
        let Some(place) = TOPICS.iter().position(|topic| frame["topic"] == *topic) else { return };
        let topic = &mut self.topics[place];
        let is_snapshot = frame["type"] == "snapshot";
        if is_snapshot {
            self.whole[place] = bytes;
        } else if !is_empty(&frame) {
            self.sizes[place].add(bytes, self.whole[place]);
        }
        let mut wrong = topic.came(&frame, now, late);
        // Whoever resumes names the epoch of its snapshot: another sends it the wrong way.
        if is_snapshot && frame["epoch"] != *self.summary.epoch {
            let expected = format!("epoch {}", self.summary.epoch);
            wrong.push(("chain", expected, format!("epoch {}", frame["epoch"])));
        }
        let chained = !topic.broken;
        if !chained {
            self.asked.snapshots[place].store(true, Ordering::Release);
        }
        for (kind, expected, found) in wrong {
            self.violated(kind, TOPICS[place], (expected, found));
        }
        if let Some(seq) = frame["seq"].as_u64() {
            self.look(seq, Look::Frame { place, frame, chained });
        }
    }

    fn look(&mut self, seq: u64, look: Look) {
        self.numbered += 1;
        self.looks.insert((seq, self.numbered), (look, Instant::now()));
        while self.looks.len() > LOOKS_MAX {
            if let Some((_, (look, _))) = self.looks.pop_first() {
                self.too_late(look);
            }
        }
    }

    fn tick(&mut self, late: Duration) {
        let now = Instant::now();
        for (place, name) in TOPICS.into_iter().enumerate() {
            if let Some((kind, expected, found)) = self.topics[place].look(now, late) {
                self.violated(kind, name, (expected, found));
            }
        }
        if self.is_away {
            return;
        }
        let beyond = (self.received + 1, 0);
        let old = |looks: &BTreeMap<(u64, u64), (Look, Instant)>| {
            let (key, (_, since)) = looks.range(beyond..).next()?;
            (since.elapsed() > BEYOND_MAX).then_some(*key)
        };
        while let Some(key) = old(&self.looks) {
            let both = (format!("a seq that /events has: {}", self.received), key.0.to_string());
            self.violated("beyond", "a look", both);
            if let Some((look, _)) = self.looks.remove(&key) {
                self.too_late(look);
            }
        }
    }

    /// The number that the fold may come to now.
    fn horizon(&self) -> u64 {
        let held = self.waiting.front().is_some_and(|(_, since)| since.elapsed() > HOLD_MAX);
        if held || self.waiting.len() > WAITING_MAX {
            return u64::MAX;
        }
        let looks = self.in_flight.values().copied();
        looks.chain(self.topics.iter().filter_map(|topic| topic.had)).min().unwrap_or(u64::MAX)
    }

    /// Compares what can be compared, folds what may be folded, and so on.
    fn advance(&mut self) {
        loop {
            self.compare_due();
            let horizon = self.horizon();
            let Some((event, since)) = self.waiting.front() else { return };
            if event["seq"].as_u64().is_none_or(|seq| seq > horizon) {
                return;
            }
            if let Some((entity, version)) = self.picture.needs(event)
                && self.terms.at(&entity, version) == Known::NotYet
            {
                if since.elapsed() <= HOLD_MAX {
                    self.asked.texts.store(true, Ordering::Release);
                    return;
                }
                self.terms.give_up(&entity, version);
            }
            self.fold_next();
        }
    }

    fn fold_next(&mut self) {
        let Some((event, _)) = self.waiting.pop_front() else { return };
        let faults = self.picture.fold(&event, &self.terms);
        let place = format!("event {} of {}", event["event"], event["entity"]);
        self.ledger.folded(event);
        self.summary.folded += 1;
        self.faults(faults, &place);
        self.conserved();
    }

    pub(super) fn faults(&mut self, faults: Vec<Fault>, place: &str) {
        for Fault { kind, expected, found } in faults {
            self.violated(kind, place, (expected, found));
        }
    }

    /// Every look whose number the fold has come to.
    fn compare_due(&mut self) {
        let mut settled = false;
        while let Some(entry) = self.looks.first_entry() {
            let seq = entry.key().0;
            if seq > self.picture.seq {
                return;
            }
            let (look, _) = entry.remove();
            if seq < self.picture.seq {
                self.too_late(look);
                continue;
            }
            if !settled {
                settled = true;
                self.settle();
            }
            self.compare(look);
        }
    }

    /// How far it has come.
    pub(super) fn progress(&self) -> Progress<'_> {
        let Summary { compared, returns, .. } = self.summary;
        let is_away = self.is_away;
        Progress { compared, returns, is_away, violations: &self.ledger.counts }
    }

    /// What remains is judged, and summed up.
    pub(super) fn end(mut self, lasted: Duration) -> Summary {
        self.in_flight.clear();
        self.topics.iter_mut().for_each(|topic| topic.had = None);
        self.advance();
        self.strangers();
        let mut summary = self.summary;
        summary.cut_short = self.is_away.then(|| "it was away at the end".to_owned());
        summary.lasted = lasted;
        summary.seq = self.picture.seq;
        for (topic, sizes) in self.topics.into_iter().zip(self.sizes) {
            let Topic { name, frames, snapshots, empty, longest_silence, .. } = topic;
            let watched = Watched { frames, snapshots, empty, sizes, longest_silence };
            summary.topics.insert(name, watched);
        }
        (summary.violations, summary.kept) = (self.ledger.counts, self.ledger.kept);
        summary
    }

    /// What the picture could not read, into the summary.
    fn strangers(&mut self) {
        self.summary.unknown_texts += std::mem::take(&mut self.picture.unknown_texts);
        for (name, times) in std::mem::take(&mut self.picture.strange) {
            *self.summary.strange.entry(name).or_default() += times;
        }
    }
}
