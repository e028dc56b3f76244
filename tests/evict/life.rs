//! One life, with the picture and without: every answer is the same, and memory is not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use actix_web::test::TestRequest;
use atalaya::api::roles::Role;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::house::{House, Reply, house_in, house_with_picture};
use crate::support;

/// Contacts of the life, in its short and its long form, and how many of them come before it is
/// waited for that memory is small.
const CONTACTS: [usize; 2] = [1_200, 6_000];
const CHUNK: usize = 600;
/// Contacts that another system calls the same.
const NAMES: usize = 600;
/// Of so many one is answered; the others give up.
const ANSWERED_OF: usize = 40;
/// States and lanes that may stay: those of agents, queues and tokens, and the last contacts.
const STATES_MAX: usize = 40;
const LANES_MAX: usize = 12;
/// Agents and persons of whom something may be in memory then.
const OWNERS_MAX: usize = 3;
const KEY_OF: usize = 7;

fn contacts() -> usize {
    CONTACTS[usize::from(support::long())]
}

struct Life {
    house: House,
    pictured: bool,
    ana: String,
    supervisor: String,
    auditor: String,
    contacts: Vec<String>,
    /// What was answered, in order.
    told: Vec<String>,
}

async fn opened(dir: &Path, pictured: bool) -> House {
    if pictured { house_with_picture(dir).await } else { house_in(dir).await.0 }
}

fn arrival(number: usize) -> Value {
    json!({"channel": "voice", "queue": "pensions", "from": format!("+3460000{:04}", number % 50),
        "subject": format!("subject {number}"), "external_id": format!("x-{}", number % NAMES)})
}

impl Life {
    async fn new(dir: &Path, pictured: bool) -> Self {
        let house = opened(dir, pictured).await;
        let ana = house.staffed(&["ana"]).await.remove(0);
        let supervisor = house.token(Role::Supervisor, None).await;
        let auditor = house.token(Role::Auditor, None).await;
        let (contacts, told) = (Vec::new(), Vec::new());
        Self { house, pictured, ana, supervisor, auditor, contacts, told }
    }

    async fn ask(&mut self, request: TestRequest) -> Reply {
        let reply = self.house.send(request).await;
        let seq = reply.header("atalaya-seq").unwrap_or("").to_owned();
        let tag = reply.header("etag").unwrap_or("").to_owned();
        let again = reply.header("idempotent-replay").unwrap_or("").to_owned();
        self.told.push(format!("{} {seq} {tag} {again} {}", reply.status, reply.json));
        reply
    }

    async fn get(&mut self, path: &str) -> Reply {
        let token = if path.contains("/history") { &self.auditor } else { &self.supervisor };
        self.ask(House::request("GET", path, &token.clone())).await
    }

    async fn post(&mut self, path: &str, token: &str, body: Value) -> Reply {
        self.ask(House::request("POST", path, token).set_json(body)).await
    }

    async fn contact(&mut self, number: usize) {
        let admin = self.house.admin.clone();
        let request = House::request("POST", "/api/v1/contacts", &admin)
            .insert_header(("Idempotency-Key", format!("k-{number}")));
        let came = self.ask(request.set_json(arrival(number))).await;
        let id = came.json["id"].as_str().unwrap().to_owned();
        self.contacts.push(id.clone());
        let path = format!("/api/v1/contacts/{id}");
        if !number.is_multiple_of(ANSWERED_OF) {
            self.post(&format!("{path}/abandon"), &admin, json!({})).await;
            return;
        }
        let ana = self.ana.clone();
        self.house.ready("ana", &ana).await;
        let offered = self.house.until(&id, "offered").await;
        let offer = offered["offer"]["id"].as_str().unwrap();
        self.post(&format!("/api/v1/agents/ana/offers/{offer}/accept"), &ana, json!({})).await;
        self.post(&format!("{path}/complete"), &ana, json!({})).await;
        let outcome = json!({"outcome": "solved"});
        self.post(&format!("{path}/wrap_up"), &ana, outcome).await;
        let away = json!({"state": "not_ready", "reason": "break"});
        self.post("/api/v1/agents/ana/presence", &ana, away).await;
        self.pass("1m").await;
        self.post(&format!("{path}/wrap_up"), &ana, json!({"topic": "late"})).await;
    }

    async fn pass(&mut self, span: &str) {
        let admin = self.house.admin.clone();
        let moved = json!({"advance": span, "leases": false});
        let moved = self.post("/api/v1/clock", &admin, moved).await;
        assert_eq!(moved.status, 200, "{moved:?}");
    }

    /// Memory has become small, where it is to.
    async fn small(&self) {
        if !self.pictured {
            return;
        }
        let look = async || {
            let (states, lanes, owners) = self.house.centre.in_memory();
            let is_small = states <= STATES_MAX && lanes <= LANES_MAX && owners <= OWNERS_MAX;
            is_small.then_some(())
        };
        support::wait_for_async("that memory is small", look).await;
    }

    async fn pages(&mut self, filter: &str) -> Vec<String> {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/contacts?limit=500&{filter}{cursor}");
            let page = self.get(&path).await.json;
            let items = page["items"].as_array().unwrap().iter();
            ids.extend(items.map(|item| item["id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids,
            }
        }
    }

    /// Asks for everything that can be asked.
    async fn asked(&mut self) {
        for number in
            (0..contacts()).step_by(KEY_OF * ANSWERED_OF).chain(contacts() - 3..contacts())
        {
            let path = format!("/api/v1/contacts/{}", self.contacts[number]);
            assert_eq!(self.get(&path).await.json["subject"], format!("subject {number}"));
            let history = self.get(&format!("{path}/history")).await;
            assert_eq!(history.json["items"][0]["event"], "queued", "{history:?}");
            self.get(&format!("{path}/explain")).await;
            let ana = self.ana.clone();
            let late = json!({"outcome": "too late"});
            self.post(&format!("{path}/wrap_up"), &ana, late).await;
            self.post(&format!("{path}/hold"), &ana, json!({})).await;
            let admin = self.house.admin.clone();
            let request = House::request("POST", "/api/v1/contacts", &admin)
                .insert_header(("Idempotency-Key", format!("k-{number}")));
            let again = self.ask(request.set_json(arrival(number))).await;
            if again.header("idempotent-replay").is_some() {
                assert_eq!(again.status, 201);
                assert_eq!(again.json["id"], self.contacts[number], "the first outcome");
                assert_ne!(again.json["state"], "queued", "the contact as it is now");
            }
        }
        let contacts = self.contacts[..contacts()].to_vec();
        assert!(self.pages("").await.starts_with(&contacts));
        let closed = self.pages("state=closed").await;
        assert_eq!(closed.len(), contacts.len() / ANSWERED_OF);
        assert_eq!(self.pages("agent=ana").await, closed);
        assert_eq!(self.pages("queue=pensions&state=offered").await.len(), 0);
        let named = self.pages("external_id=x-17").await;
        let same: Vec<_> = contacts.iter().skip(17).step_by(NAMES).cloned().collect();
        assert_eq!(named, same);
        for path in ["/api/v1/wallboard", "/api/v1/queues/pensions", "/api/v1/agents/ana"] {
            self.get(path).await;
        }
    }
}

/// UUIDs by when they were first seen: two lives have others for the same.
fn plain(told: &[String]) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let is_uuid = |word: &str| word.len() == 36 && uuid::Uuid::try_parse(word).is_ok();
    let plain = |text: &String| {
        let words = text.split_inclusive(|c: char| !c.is_ascii_hexdigit() && c != '-');
        let word = |word: &str| {
            let id = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
            if !is_uuid(id) {
                return word.to_owned();
            }
            let next = seen.len();
            let number = *seen.entry(id.to_owned()).or_insert(next);
            format!("#{number}{}", &word[id.len()..])
        };
        words.map(word).collect::<String>()
    };
    told.iter().map(plain).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Lives, stops, starts again; what is answered, in order, and by copies made on the way.
async fn lived(pictured: bool) -> Vec<String> {
    let home = tempdir().unwrap();
    let mut life = Life::new(home.path(), pictured).await;
    let killed = tempdir().unwrap();
    for number in 0..contacts() {
        life.contact(number).await;
        if number % CHUNK == CHUNK - 1 {
            life.pass("10m").await;
            life.small().await;
        }
    }
    life.asked().await;
    life.small().await;
    copy(home.path(), killed.path());
    let Life { house, .. } = life;
    let (admin, told) = (house.admin.clone(), life.told);
    house.stop();
    let mut all = told;
    for dir in [home.path(), killed.path()] {
        let mut house = opened(dir, pictured).await;
        if pictured {
            let (states, _, _) = house.centre.in_memory();
            assert!(states <= STATES_MAX + 4, "{states} states are in memory after a start");
        }
        house.admin.clone_from(&admin);
        let (ana, contacts) = (life.ana.clone(), life.contacts.clone());
        let (supervisor, auditor) = (life.supervisor.clone(), life.auditor.clone());
        let told = Vec::new();
        let mut again = Life { house, pictured, ana, supervisor, auditor, contacts, told };
        again.asked().await;
        again.small().await;
        all.extend(again.told);
        again.house.stop();
    }
    all
}

#[actix_web::test]
async fn nobody_can_tell_who_has_left_memory() {
    let (with, without) = (plain(&lived(true).await), plain(&lived(false).await));
    assert_eq!(with.len(), without.len());
    for (place, (with, without)) in with.iter().zip(&without).enumerate() {
        assert_eq!(with, without, "answer {place} of {}", without.len());
    }
}
