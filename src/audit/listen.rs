//! Everything that the auditor hears: one thread that reads `/events`, `/wallboard`, `/metrics`,
//! configuration and two topics, and hands all of it to who judges, in the order of its coming.
//!
//! Before a look goes out it is announced with the number that `/events` had come to (its floor):
//! the answer shows that number or a later one, so who judges folds no further before it is back.
//! A server that is away is asked again; a log of another epoch begins everything anew.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::picture::instant;
use super::wire::{Http, NoAnswer, Place, Socket};

/// Events of one page: the contract's most.
const PAGE: usize = 500;
/// Pause where `/events` had nothing more.
const IDLE: Duration = Duration::from_millis(100);
/// Time between two looks at `/wallboard`, and at `/metrics`.
const LOOK_EACH: Duration = Duration::from_millis(250);
/// Pause before a server that is away is asked again.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// How often it is said that nothing else came.
const TICK: Duration = Duration::from_millis(100);
/// Longest that reading what is behind takes nothing from the time that was asked for.
const SURVEY_MAX: Duration = Duration::from_secs(600);
/// Events that are read a second time when a server is back.
const REREAD: u64 = 16;
/// The topics that are watched.
pub(super) const TOPICS: [&str; 2] = ["wallboard", "roster"];

/// One thing that was heard.
#[derive(Debug)]
pub(super) enum Heard {
    /// A log begins: its epoch, and the zone of the centre's days where the server says it.
    Log { epoch: String, zone: Option<String>, scrape: String },
    /// Events of the log as it stood at first, for the sake of configuration only.
    Survey(Vec<Value>),
    /// Configuration, by entity.
    Texts(Vec<(String, Value)>),
    /// Events after a number, in the order of the answer.
    Events { after: u64, items: Vec<Value> },
    /// Events that were had before, read again after the server was away.
    Again(Vec<Value>),
    /// A look goes out.
    Began { look: u64, floor: u64 },
    /// It brought nothing.
    Gone { look: u64 },
    /// An answer of `GET /wallboard`.
    Wallboard { look: u64, floor: u64, answer: Value },
    /// A scrape, made between two instants of the centre.
    Scrape { look: u64, floor: u64, seq: Option<u64>, text: String, between: (i64, i64) },
    /// The socket watches both topics.
    Open { now: Instant, late: Duration },
    /// A frame of a topic.
    Frame { frame: Value, bytes: usize, now: Instant, late: Duration },
    /// The server did not understand or allow something on the socket.
    Said(Value),
    /// The socket is gone.
    Shut,
    /// The server does not answer.
    Away(String),
    /// It does again.
    Back,
    /// Nothing else came for a while; how late this thread has been so far, all told.
    Tick { late: Duration },
    /// There is no going on.
    Failed(String),
    /// Enough.
    Stop,
}

/// What who judges asks of who listens.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Configuration is to be read.
    pub(super) texts: AtomicBool,
    /// `/events` is to be read again after the number before this one; 0: no.
    pub(super) again: AtomicU64,
    /// A snapshot of each of [`TOPICS`] is wanted.
    pub(super) snapshots: [AtomicBool; 2],
}

/// How long, and of whom.
pub(super) struct Wanted {
    pub(super) place: Place,
    pub(super) run_for: Option<Duration>,
    pub(super) asked: Arc<Asked>,
}

/// Listens until it is enough; the channel is bounded, and full it stops the readers.
pub(super) async fn listen(wanted: Wanted, to: Sender<Heard>) {
    let ear = Ear {
        to,
        received: Cell::new(0),
        caught_up: Cell::new(false),
        away: Cell::new(false),
        late: Cell::new(Duration::ZERO),
        looks: Cell::new(0),
        epoch: RefCell::default(),
        wanted,
    };
    let enough = async {
        match ear.wanted.run_for {
            Some(time) => {
                // What is behind is read first: a long log takes nothing from the looks.
                let _too_long = timeout(SURVEY_MAX, ear.has_caught_up()).await;
                sleep(time).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = enough => (),
        // Without the signal's handler there is only `--for`.
        Ok(()) = tokio::signal::ctrl_c() => (),
        () = ear.ticks() => (),
        () = ear.logs() => (),
        () = ear.to.closed() => (),
    }
    ear.say(Heard::Stop).await;
}

struct Ear {
    to: Sender<Heard>,
    /// Number of the last event handed on.
    received: Cell<u64>,
    /// Whether the log was read to its end once.
    caught_up: Cell<bool>,
    away: Cell<bool>,
    late: Cell<Duration>,
    looks: Cell<u64>,
    epoch: RefCell<String>,
    wanted: Wanted,
}

impl Ear {
    /// Nobody listens any more only when the whole program ends.
    async fn say(&self, heard: Heard) {
        let _ = self.to.send(heard).await;
    }

    fn http(&self) -> Http {
        Http::new(self.wanted.place.clone())
    }

    /// Waits until the log was read to its end once.
    async fn has_caught_up(&self) {
        while !self.caught_up.get() {
            sleep(TICK).await;
        }
    }

    /// Says that time passes, and measures how late this thread runs.
    async fn ticks(&self) {
        let mut due = Instant::now();
        loop {
            due += TICK;
            sleep(due.saturating_duration_since(Instant::now())).await;
            let late = due.elapsed();
            if late > TICK {
                self.late.set(self.late.get() + late);
                due = Instant::now();
            }
            self.say(Heard::Tick { late: self.late.get() }).await;
        }
    }

    async fn lost(&self, why: &NoAnswer) {
        if !self.away.replace(true) {
            self.say(Heard::Away(why.to_string())).await;
        }
    }

    /// One log after the other.
    async fn logs(&self) {
        let mut first = true;
        loop {
            let mut http = self.http();
            let begun = match self.begin(&mut http).await {
                Ok(begun) => begun,
                Err(why) if first => return self.say(Heard::Failed(why.to_string())).await,
                Err(why) => {
                    self.lost(&why).await;
                    sleep(AGAIN_AFTER).await;
                    continue;
                }
            };
            first = false;
            self.epoch.replace(begun.0.clone());
            self.received.set(0);
            self.caught_up.set(false);
            let (epoch, zone, scrape) = begun;
            self.say(Heard::Log { epoch, zone, scrape }).await;
            tokio::select! {
                () = self.events(http) => (),
                () = self.looks() => (),
                () = self.socket() => (),
            }
        }
    }

    /// Epoch, zone and a scrape; then a survey of the log and the configuration, so that the fold
    /// finds every text where it needs it.
    async fn begin(&self, http: &mut Http) -> Result<(String, Option<String>, String), NoAnswer> {
        let first = http.get("/api/v1/events?after=0&limit=1").await?.json()?;
        let epoch = first["epoch"].as_str().unwrap_or_default().to_owned();
        // Not every version has reports.
        let zone = match http.get("/api/v1/reports/intervals?by=1d").await {
            Ok(answer) => answer.json()?["time_zone"].as_str().map(str::to_owned),
            Err(NoAnswer::Refused(..)) => None,
            Err(nothing) => return Err(nothing),
        };
        // Metrics may be on a listener of their own.
        let scrape = match http.get("/metrics").await {
            Ok(answer) => answer.text(),
            Err(NoAnswer::Refused(..)) => String::new(),
            Err(nothing) => return Err(nothing),
        };
        Ok((epoch, zone, scrape))
    }

    /// Follows `/events` until the log is another.
    async fn events(&self, mut http: Http) {
        let mut after = 0;
        // The survey.
        while let Some(items) = self.page(&mut http, after).await {
            let Some(last) = last_seq(&items) else { break };
            after = last;
            // A log that grows is never read to an empty page.
            let full = items.len() >= PAGE;
            self.say(Heard::Survey(items)).await;
            if !full {
                break;
            }
        }
        self.texts(&mut http).await;
        // The fold.
        after = 0;
        let mut was_away = false;
        loop {
            if self.away.get() {
                was_away = true;
            }
            let again = self.wanted.asked.again.swap(0, Ordering::AcqRel);
            let from = if again > 0 { again - 1 } else { after };
            let Some(items) = self.page(&mut http, from).await else { return };
            if was_away {
                was_away = false;
                self.back(&mut http, after).await;
            }
            let full = items.len() >= PAGE;
            if let Some(last) = last_seq(&items) {
                // Both in one step: who looks from now on has this number as its floor.
                let Ok(permit) = self.to.reserve().await else { return };
                after = after.max(last);
                self.received.set(after);
                permit.send(Heard::Events { after: from, items });
            }
            if !full {
                self.caught_up.set(true);
                if self.wanted.asked.texts.swap(false, Ordering::AcqRel) {
                    self.texts(&mut http).await;
                }
                sleep(IDLE).await;
            }
        }
    }

    /// A page of events, asked for until it comes; none: the log is another.
    async fn page(&self, http: &mut Http, after: u64) -> Option<Vec<Value>> {
        let epoch = self.epoch.borrow().clone();
        let path = format!("/api/v1/events?after={after}&epoch={epoch}&limit={PAGE}");
        loop {
            let answer = http.get(&path).await.and_then(|answer| answer.json());
            match answer {
                Ok(mut page) if page["epoch"] == *epoch => {
                    return match page["items"].take() {
                        Value::Array(items) => Some(items),
                        _ => Some(Vec::new()),
                    };
                }
                Ok(_) => return None,
                Err(NoAnswer::Refused(410, problem, _)) if problem == "epoch-changed" => {
                    return None;
                }
                Err(NoAnswer::Refused(status @ 400..=499, problem, detail)) if status != 429 => {
                    let why = NoAnswer::Refused(status, problem, detail);
                    self.say(Heard::Failed(format!("/events: {why}"))).await;
                    std::future::pending::<()>().await;
                }
                Err(why) => {
                    self.lost(&why).await;
                    sleep(AGAIN_AFTER).await;
                }
            }
        }
    }

    /// The server answers again: what was had before must still be there.
    async fn back(&self, http: &mut Http, after: u64) {
        self.away.set(false);
        let from = after.saturating_sub(REREAD);
        if let Some(mut items) = self.page(http, from).await {
            items.retain(|event| event["seq"].as_u64().is_some_and(|seq| seq <= after));
            self.say(Heard::Again(items)).await;
        }
        self.say(Heard::Back).await;
    }

    /// Reads the configuration of every queue and agent.
    async fn texts(&self, http: &mut Http) {
        let mut texts = Vec::new();
        for (kind, path) in [("queue", "/api/v1/queues"), ("agent", "/api/v1/agents")] {
            let mut cursor = String::new();
            loop {
                let page = http.get(&format!("{path}?limit={PAGE}{cursor}")).await;
                let Ok(mut page) = page.and_then(|answer| answer.json()) else {
                    // Asked for again: whoever waits for a text says so.
                    self.wanted.asked.texts.store(true, Ordering::Release);
                    return;
                };
                if let Value::Array(items) = page["items"].take() {
                    texts.extend(items.into_iter().map(|item| {
                        (format!("{kind}:{}", item["id"].as_str().unwrap_or_default()), item)
                    }));
                }
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
        }
        self.say(Heard::Texts(texts)).await;
    }

    /// A look goes out now: its number and its floor.
    async fn announce(&self) -> (u64, u64) {
        let look = self.looks.get() + 1;
        self.looks.set(look);
        // Nothing comes between the reading of the floor and its sending.
        match self.to.reserve().await {
            Ok(permit) => {
                let floor = self.received.get();
                permit.send(Heard::Began { look, floor });
                (look, floor)
            }
            Err(_) => (look, self.received.get()),
        }
    }

    /// `/wallboard` and `/metrics` in turn: a scrape lies between the instants of two wallboards.
    async fn looks(&self) {
        let mut http = self.http();
        let mut turns = interval(LOOK_EACH);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut scrape: Option<(u64, u64, Option<u64>, String)> = None;
        let mut before = None;
        loop {
            turns.tick().await;
            if !self.caught_up.get() || self.away.get() {
                continue;
            }
            let (look, floor) = self.announce().await;
            let answer = http.get("/api/v1/wallboard").await.and_then(|answer| answer.json());
            let at = match &answer {
                Ok(answer) => answer["at"].as_str().and_then(instant),
                Err(why) => {
                    tracing::debug!(%why, "a look at the wallboard brought nothing");
                    None
                }
            };
            self.say(match answer {
                Ok(answer) => Heard::Wallboard { look, floor, answer },
                Err(_) => Heard::Gone { look },
            })
            .await;
            if let Some((look, floor, seq, text)) = scrape.take() {
                self.say(match before.zip(at) {
                    Some(between) => Heard::Scrape { look, floor, seq, text, between },
                    None => Heard::Gone { look },
                })
                .await;
            }
            before = at;
            if at.is_none() {
                continue;
            }
            let (look, floor) = self.announce().await;
            match http.get("/metrics").await {
                Ok(answer) => scrape = Some((look, floor, answer.seq, answer.text())),
                Err(why) => {
                    tracing::debug!(%why, "a scrape brought nothing");
                    self.say(Heard::Gone { look }).await;
                }
            }
        }
    }

    /// The socket, opened again where it ended.
    async fn socket(&self) {
        let mut had = BTreeMap::new();
        loop {
            if self.caught_up.get() && !self.away.get() {
                let why = self.one_socket(&mut had).await;
                self.say(Heard::Shut).await;
                self.lost(&why).await;
            }
            sleep(AGAIN_AFTER).await;
        }
    }

    /// One socket until it ends; why it did.
    async fn one_socket(&self, had: &mut BTreeMap<&'static str, u64>) -> NoAnswer {
        let mut socket = match Socket::open(&self.wanted.place).await {
            Ok(socket) => socket,
            Err(why) => return why,
        };
        let watched = self.watch(&mut socket, had).await;
        NoAnswer::Nothing(format!("the socket: {}", watched.unwrap_or_else(|why| why)))
    }

    async fn watch(
        &self,
        socket: &mut Socket,
        had: &mut BTreeMap<&'static str, u64>,
    ) -> Result<String, String> {
        let welcome: Value =
            serde_json::from_str(&socket.next().await?).map_err(|error| error.to_string())?;
        let epoch = self.epoch.borrow().clone();
        if welcome["type"] != "welcome" || welcome["epoch"] != *epoch {
            return Ok("it is of another log".to_owned());
        }
        for topic in TOPICS {
            let resume = had.get(topic).map(|seq| (epoch.as_str(), *seq));
            socket.subscribe(topic, resume).await?;
        }
        self.say(Heard::Open { now: Instant::now(), late: self.late.get() }).await;
        loop {
            let text = tokio::select! {
                text = socket.next() => text?,
                () = sleep(TICK) => String::new(),
            };
            if !text.is_empty() {
                self.frame(socket, &text, had).await?;
            }
            for (topic, wanted) in TOPICS.iter().zip(&self.wanted.asked.snapshots) {
                if wanted.swap(false, Ordering::AcqRel) {
                    socket.unsubscribe(topic).await?;
                    socket.subscribe(topic, None).await?;
                }
            }
        }
    }

    async fn frame(
        &self,
        socket: &mut Socket,
        text: &str,
        had: &mut BTreeMap<&'static str, u64>,
    ) -> Result<(), String> {
        let now = Instant::now();
        let frame: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match frame["type"].as_str() {
            Some("ping") => return socket.say(&serde_json::json!({ "type": "pong" })).await,
            Some("snapshot" | "delta") => (),
            Some("error") => {
                self.say(Heard::Said(frame)).await;
                return Ok(());
            }
            // What is not watched is not judged.
            _ => return Ok(()),
        }
        let topic = TOPICS.into_iter().find(|topic| frame["topic"] == *topic);
        if let Some((topic, seq)) = topic.zip(frame["seq"].as_u64()) {
            had.insert(topic, seq);
        }
        self.say(Heard::Frame { frame, bytes: text.len(), now, late: self.late.get() }).await;
        Ok(())
    }
}

fn last_seq(items: &[Value]) -> Option<u64> {
    items.last().and_then(|event| event["seq"].as_u64())
}
