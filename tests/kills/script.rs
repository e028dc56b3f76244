//! What the campaigns of single calls play, what its log holds when nobody kills, and the judging
//! of what a killed server left: whole entries, from the first on, none missing that was answered.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use atalaya::actors::clock::wall_now;
use atalaya::journal::commit::Sealed;
use atalaya::journal::recorder::Recorder;
use atalaya_domain::entry::Recorded;
use serde_json::{Value, json};

use super::server::{CONFIG, Server, folder_of};
use super::wire::{Broken, Wire};

/// Entries of a first start: `started`, and the first token.
const FIRST_START: usize = 2;
/// Steps of the script, each one entry: a queue, an agent, a token; then twice the sign-in, a
/// contact, its offer, accept, complete, wrap-up, the sign-out.
pub(crate) const STEPS: usize = 3 + 2 * 7;
/// Small segments, from the script's [`folder`].
pub(crate) const SEGMENT: [&str; 2] = ["--config", CONFIG];
/// The script's segments: a few entries each.
const SEGMENT_SIZE: &str = "4KiB";
/// Segments that the script fills at least: three rotations.
const SEGMENTS_MIN: usize = 4;
/// Skills of the queue and its agent: they make entries large, so that segments fill.
const SKILLS: usize = 56;

/// A data folder whose configuration asks for small segments, of whoever starts with [`SEGMENT`].
pub(crate) fn folder() -> tempfile::TempDir {
    folder_of(SEGMENT_SIZE)
}

/// The script: each step is answered, or for an offer seen, before the next is asked. Counts the
/// steps in `done`; ends where the server does.
pub(crate) async fn walk(server: &Server, done: &AtomicUsize) -> Result<(), Broken> {
    let one_more = || done.fetch_add(1, Ordering::AcqRel);
    let mut admin = server.wire();
    let skills: serde_json::Map<String, Value> = (0..SKILLS)
        .map(|n| (format!("a-skill-with-a-name-as-long-as-one-is-{n}"), json!(5)))
        .collect();
    let rules = json!({"name": "Pensions", "requires": skills, "wrap_up": "none",
        "offer_timeout": "60m"});
    admin.put("/api/v1/queues/pensions", &rules).await?.good();
    one_more();
    let ana = json!({"name": "Ana", "team": "morning", "level": 1, "skills": skills,
        "languages": ["es"], "capacity": {"voice": 1}, "queues": null});
    admin.put("/api/v1/agents/ana", &ana).await?.good();
    one_more();
    let grant = json!({"role": "agent", "agent": "ana"});
    let made = admin.post("/api/v1/tokens", &grant).await?.good();
    one_more();
    let mut desk = admin.with_token(made["token"].as_str().unwrap());
    for _ in 0..2 {
        let presence = "/api/v1/agents/ana/presence";
        desk.post(presence, &json!({"state": "ready"})).await?.good();
        one_more();
        let call = json!({"channel": "voice", "queue": "pensions", "subject": "a".repeat(200)});
        let contact = admin.post("/api/v1/contacts", &call).await?.good();
        one_more();
        let path = format!("/api/v1/contacts/{}", contact["id"].as_str().unwrap());
        let offer = loop {
            let contact = admin.get(&path).await?.good();
            if let Some(offer) = contact["offer"]["id"].as_str() {
                break offer.to_owned();
            }
            actix_web::rt::task::yield_now().await;
        };
        one_more();
        let accept = format!("/api/v1/agents/ana/offers/{offer}/accept");
        desk.post(&accept, &json!({})).await?.good();
        one_more();
        desk.post(&format!("{path}/complete"), &json!({})).await?.good();
        one_more();
        desk.post(&format!("{path}/wrap_up"), &json!({"outcome": "done"})).await?.good();
        one_more();
        desk.post(presence, &json!({"state": "signed_out"})).await?.good();
        one_more();
    }
    Ok(())
}

/// An event by what it is and whose, with the n-th of a kind for an id that each run makes anew.
pub(crate) type Name = (String, String);

/// Names events alike in all runs.
#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    fn of(&mut self, entity: &str, event: &str) -> Name {
        let kind = entity.split(':').next().unwrap();
        let of_kind = self.0.keys().filter(|known| known.starts_with(&format!("{kind}:"))).count();
        let number = *self.0.entry(entity.to_owned()).or_insert(of_kind);
        (format!("{kind} {number}"), event.to_owned())
    }
}

/// The script's log when nobody kills.
pub(crate) struct Whole {
    entries: Vec<Vec<Name>>,
    pub(crate) segments: usize,
}

impl Whole {
    /// Plays the script once.
    pub(crate) async fn played() -> Self {
        let dir = folder();
        let server = Server::start_with(dir.path(), &SEGMENT);
        let done = AtomicUsize::new(0);
        walk(&server, &done).await.unwrap();
        server.kill();
        assert_eq!(done.into_inner(), STEPS);
        let entries = entries(dir.path());
        assert_eq!(entries.len(), FIRST_START + STEPS, "each step is one entry: {entries:#?}");
        let segments = std::fs::read_dir(dir.path().join("log")).unwrap().count();
        assert!(segments >= SEGMENTS_MIN, "{segments} segments only: make the entries larger");
        Self { entries, segments }
    }

    /// How many entries of the script `shown` is, all of them whole and in order.
    fn entries_in(&self, shown: &[Name]) -> Result<usize, String> {
        let mut rest = shown;
        for (number, entry) in self.entries.iter().enumerate() {
            if rest.is_empty() {
                return Ok(number);
            }
            rest = rest
                .strip_prefix(entry.as_slice())
                .ok_or_else(|| format!("entry {number} is {entry:?}, not the first of {rest:?}"))?;
        }
        if rest.is_empty() { Ok(self.entries.len()) } else { Err(format!("more: {rest:?}")) }
    }

    /// Judges what a server shows that was started again after `answered` steps; `None`: after a
    /// first start that did not come to its end.
    pub(crate) async fn judge(
        &self,
        again: &Server,
        answered: Option<usize>,
    ) -> Result<(), String> {
        let mut admin = again.wire();
        let (before, _) = shown_by(&mut admin).await?;
        let shown = self.entries_in(&before)?;
        let Some(answered) = answered else {
            let most = FIRST_START;
            return if shown <= most { Ok(()) } else { Err(format!("{shown} of {most}")) };
        };
        let told = FIRST_START + answered;
        // An offer follows its contact by itself, whose answer may have been on its way.
        let offered = |(_, event): &Name| event == "offered";
        let on_its_own = shown > 0 && self.entries[shown - 1].iter().any(offered);
        let most = told + 1 + usize::from(on_its_own);
        if !(told..=most).contains(&shown) {
            return Err(format!("{told} entries were told, {shown} are there"));
        }
        in_step(&mut admin).await
    }
}

/// The events before the last start, and those from it on; without a gap.
pub(crate) async fn shown_by(admin: &mut Wire) -> Result<(Vec<Name>, Vec<Name>), String> {
    let events = admin.all("/api/v1/events").await;
    let seqs = events.iter().map(|event| event["seq"].as_u64().unwrap());
    if !seqs.eq(1..=events.len() as u64) {
        return Err("the numbers of the events have a gap".into());
    }
    let mut names = Names::default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let name = |event: &Value| names.of(&text(&event["entity"]), &text(&event["event"]));
    let mut before: Vec<_> = events.iter().map(name).collect();
    let start = before.iter().rposition(|(_, event)| event == "started").unwrap();
    let after = before.split_off(start);
    Ok((before, after))
}

/// Whether the agent and the contacts say the same of who has what.
pub(crate) async fn in_step(admin: &mut Wire) -> Result<(), String> {
    let contacts = admin.all("/api/v1/contacts").await;
    let in_hand = |contact: &&Value| {
        matches!(contact["state"].as_str().unwrap(), "offered" | "active" | "wrap_up")
    };
    let in_hand: Vec<_> = contacts
        .iter()
        .filter(in_hand)
        .map(|contact| (contact["id"].clone(), contact["state"].clone()))
        .collect();
    let ana = admin.get("/api/v1/agents/ana").await.unwrap();
    let work = ana.json["work"].as_array().cloned().unwrap_or_default();
    let held: Vec<_> =
        work.iter().map(|work| (work["contact"].clone(), work["state"].clone())).collect();
    if held == in_hand { Ok(()) } else { Err(format!("{held:?} is held, {in_hand:?} in hand")) }
}

/// The names of the events in the log of a folder, entry by entry.
fn entries(dir: &Path) -> Vec<Vec<Name>> {
    let mut names = Names::default();
    let mut all = Vec::new();
    let mut keep = |sealed: Sealed| {
        let recorded = sealed.events.iter().map(|numbered| &numbered.recorded);
        let name =
            |recorded: &Recorded| names.of(&recorded.entity.to_string(), recorded.event.name());
        all.push(recorded.map(name).collect());
    };
    Recorder::open(dir, wall_now, &mut keep).unwrap();
    all
}
