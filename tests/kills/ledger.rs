//! Clients that write down what they ask and what they are told, and the holding of what they were
//! told against what a server shows.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::wire::{Answer, Broken, Wire};

/// Events of an entry at most: what was told with the last one's number lies so near.
const ENTRY_MAX: usize = 12;
/// How often an agent without work looks for some.
const LOOK_EACH: Duration = Duration::from_millis(5);
/// Events that happen once in a contact's life.
const ONCE: [&str; 5] = ["queued", "answered", "completed", "wrap_up_ended", "abandoned"];

/// A command that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) agent: Option<String>,
    pub(crate) key: String,
    /// What it does to which entity, as the events name it.
    event: &'static str,
    /// `None`: nothing came back.
    pub(crate) told: Option<Answer>,
}

impl Line {
    /// The contact or agent that was told of.
    pub(crate) fn id(&self) -> Option<&str> {
        self.told.as_ref()?.json["id"].as_str()
    }
}

/// What one client sent, in its order.
pub(crate) type Ledger = Rc<RefCell<Vec<Line>>>;

/// A client: one or two connections, one ledger.
pub(crate) struct Clerk {
    name: String,
    admin: Wire,
    desk: Option<(String, Wire)>,
    pub(crate) ledger: Ledger,
}

impl Clerk {
    /// Of a caller; its keys begin with `name`.
    pub(crate) fn caller(name: String, admin: Wire) -> Self {
        Self { name, admin, desk: None, ledger: Ledger::default() }
    }

    /// Of an agent, who is their own caller.
    pub(crate) fn agent(name: String, agent: &str, admin: Wire) -> Self {
        let desk = Some((agent.to_owned(), admin.acting(agent)));
        Self { name, admin, desk, ledger: Ledger::default() }
    }

    async fn send(
        &mut self,
        as_agent: bool,
        path: String,
        body: Value,
        event: &'static str,
    ) -> Result<Answer, Broken> {
        let number = self.ledger.borrow().len();
        let key = format!("{}-{number}", self.name);
        let desk = self.desk.as_mut().filter(|_| as_agent);
        let agent = desk.as_ref().map(|(agent, _)| agent.clone());
        let wire = desk.map_or(&mut self.admin, |(_, wire)| wire);
        let line = Line { path, body, agent, key, event, told: None };
        self.ledger.borrow_mut().push(line.clone());
        let answer = wire.post_once(&line.path, &line.body, &line.key).await?;
        self.ledger.borrow_mut()[number].told = Some(answer.clone());
        assert!((200..300).contains(&answer.status), "{line:?}: {answer:?}");
        Ok(answer)
    }

    async fn call(&mut self, queue: &str) -> Result<String, Broken> {
        let key = format!("{}-{}", self.name, self.ledger.borrow().len());
        let call = json!({"channel": "voice", "queue": queue, "external_id": key});
        let came = self.send(false, "/api/v1/contacts".into(), call, "queued").await?;
        Ok(came.json["id"].as_str().unwrap().to_owned())
    }

    /// Calls on a queue that nobody serves; each third caller leaves. Ends where the server does.
    pub(crate) async fn call_on(&mut self) -> Result<(), Broken> {
        for number in 0.. {
            let id = self.call("unserved").await?;
            if number % 3 == 2 {
                let leave = format!("/api/v1/contacts/{id}/abandon");
                self.send(false, leave, json!({}), "abandoned").await?;
            }
        }
        Ok(())
    }

    /// Serves what it is offered, and calls when it has nothing.
    pub(crate) async fn serve_on(&mut self) -> Result<(), Broken> {
        let (agent, _) = self.desk.as_ref().unwrap();
        let path = format!("/api/v1/agents/{agent}");
        let ready = json!({"state": "ready"});
        self.send(true, format!("{path}/presence"), ready, "presence").await?;
        let mut called = false;
        let mut pace = actix_web::rt::time::interval(LOOK_EACH);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (_, desk) = self.desk.as_mut().unwrap();
            let me = desk.get(&path).await?.good();
            let Some(work) = me["work"].get(0) else {
                if !called {
                    self.call("served").await?;
                }
                called = true;
                pace.tick().await;
                continue;
            };
            called = false;
            let contact = format!("/api/v1/contacts/{}", work["contact"].as_str().unwrap());
            match work["state"].as_str().unwrap() {
                "offered" => {
                    let offer = self.admin.get(&contact).await?.good()["offer"]["id"].clone();
                    let accept = format!("{path}/offers/{}/accept", offer.as_str().unwrap());
                    self.send(true, accept, json!({}), "answered").await?;
                }
                "active" => {
                    self.send(true, format!("{contact}/complete"), json!({}), "completed").await?;
                }
                _ => {
                    let outcome = json!({"outcome": "done"});
                    let wrap_up = format!("{contact}/wrap_up");
                    self.send(true, wrap_up, outcome, "wrap_up_ended").await?;
                }
            }
        }
    }
}

/// All that was ever sent and told, over all kills.
#[derive(Default)]
pub(crate) struct Books {
    asked: BTreeSet<String>,
    /// Contacts that were told of, by `external_id`.
    contacts: BTreeMap<String, String>,
    /// What the servers have shown, from the first event on.
    pub(crate) events: Vec<Value>,
}

impl Books {
    /// Enters what one round's clients know.
    pub(crate) fn enter(&mut self, ledgers: &[Ledger]) {
        for line in ledgers.iter().flat_map(|ledger| ledger.borrow().clone()) {
            if line.event == "queued" {
                if let Some(id) = line.id() {
                    self.contacts.insert(line.key.clone(), id.to_owned());
                }
                self.asked.insert(line.key);
            }
        }
    }

    /// Reads on in the stream; what was shown before, also to one who `followed` under load, is
    /// there as it was.
    pub(crate) async fn read_on(&mut self, wire: &mut Wire, followed: &[Value]) {
        // The last that is known is read again, so that an overlap is there to be compared.
        let from = self.events.len().saturating_sub(1);
        let mut after = from;
        loop {
            let path = format!("/api/v1/events?limit=500&after={after}");
            let page = wire.get(&path).await.unwrap().good();
            let items = page["items"].as_array().unwrap();
            for item in items {
                match self.events.get(after) {
                    Some(known) => assert_eq!(known, item, "what was there is there as it was"),
                    None => self.events.push(item.clone()),
                }
                after += 1;
                assert_eq!(item["seq"], after, "the numbers have no gap");
            }
            if items.is_empty() {
                break;
            }
        }
        for shown in followed {
            let seq = usize::try_from(shown["seq"].as_u64().unwrap()).unwrap();
            assert_eq!(Some(shown), self.events.get(seq - 1), "what was shown is there");
        }
    }

    /// Every acknowledged command is in the stream where it was told to be, each client's in its
    /// order, and nothing happened twice.
    pub(crate) fn hold(&self, ledgers: &[Ledger]) {
        for ledger in ledgers {
            let mut last = 0;
            for line in ledger.borrow().iter() {
                let Some(told) = &line.told else { continue };
                let (seq, id) = (usize::try_from(told.seq).unwrap(), line.id().unwrap());
                assert!(last <= seq, "out of order: {line:?} after {last}");
                last = seq;
                assert!(seq <= self.events.len(), "lost: {line:?}");
                let entry = &self.events[seq.saturating_sub(ENTRY_MAX)..seq];
                let done = |event: &&Value| {
                    event["event"] == line.event && event["entity"] == format!("contact:{id}")
                };
                let found = line.event == "presence" || entry.iter().any(|event| done(&event));
                assert!(found, "lost: {line:?} is not in {entry:?}");
            }
        }
        let mut once = BTreeSet::new();
        for event in &self.events {
            let name = event["event"].as_str().unwrap();
            if ONCE.contains(&name) {
                assert!(once.insert((event["entity"].to_string(), name)), "doubled: {event}");
            }
        }
    }

    /// The contacts and the figures are what the stream says.
    pub(crate) async fn hold_views(&self, wire: &mut Wire) {
        let count = |name: &str| self.events.iter().filter(|event| event["event"] == name).count();
        let contacts = wire.all("/api/v1/contacts").await;
        let mut by_name = BTreeMap::new();
        for contact in &contacts {
            let name = contact["external_id"].as_str().unwrap();
            assert!(self.asked.contains(name), "invented: {contact}");
            let id = contact["id"].as_str().unwrap();
            assert!(by_name.insert(name, id).is_none(), "doubled: {contact}");
        }
        for (name, id) in &self.contacts {
            assert_eq!(by_name.get(name.as_str()), Some(&id.as_str()), "lost: {name}");
        }
        let in_state = |states: &[&str]| {
            let states = contacts
                .iter()
                .filter(|contact| states.contains(&contact["state"].as_str().unwrap()));
            states.count()
        };
        let board = wire.get("/api/v1/wallboard").await.unwrap().good();
        let totals = &board["data"]["totals"];
        assert_eq!(totals["waiting"], in_state(&["queued", "offered"]));
        assert_eq!(totals["active"], in_state(&["active", "held"]));
        assert_eq!(totals["offered_today"], count("queued"));
        assert_eq!(totals["answered_today"], count("answered"));
        assert_eq!(totals["abandoned_today"], count("abandoned"));
        assert_eq!(count("queued"), contacts.len());
    }
}

/// Sends the last `most` commands of each client again, under their keys: who was answered is
/// answered the same, and who was not is answered now, once. Gives how many, and of those who were
/// not answered how many find it done.
pub(crate) async fn repeat(ledgers: &[Ledger], admin: &Wire, most: usize) -> (usize, usize) {
    let (mut repeated, mut found_done) = (0, 0);
    for ledger in ledgers {
        let lines = ledger.borrow().clone();
        for (number, line) in lines.iter().enumerate().skip(lines.len().saturating_sub(most)) {
            let mut wire = match &line.agent {
                Some(agent) => admin.acting(agent),
                None => admin.another(),
            };
            let again = wire.post_once(&line.path, &line.body, &line.key).await.unwrap();
            assert!((200..300).contains(&again.status), "{line:?}: {again:?}");
            if let Some(told) = &line.told {
                assert!(again.replay, "done twice: {line:?}: {again:?}");
                assert_eq!((told.status, line.id()), (again.status, again.json["id"].as_str()));
            } else {
                found_done += usize::from(again.replay);
                ledger.borrow_mut()[number].told = Some(again);
            }
            repeated += 1;
        }
    }
    (repeated, found_done)
}
