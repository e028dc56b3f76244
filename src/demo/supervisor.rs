//! A supervisor who acts now and then, with a token of the role and nothing more: gives somebody
//! who waits long a head start, sends people back to the telephone, gives another time for a
//! wrap-up, closes a queue for a while.
//!
//! What it closes it opens again; a queue that it finds closed when it comes it opens, since a
//! former life may have been cut off in between.

use std::sync::Arc;

use jiff::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::{Count, World, rota, told_to};
use crate::client::{Client, ClientError};

/// Mean centre seconds from one thing to the next.
const EVERY_S: f64 = 240.0;
/// A queue stays closed for so long.
const CLOSED_S: f64 = 420.0;
/// Who has waited so long is given a head start; who has been away so long is sent back.
const LONG_WAIT_S: f64 = 90.0;
const LONG_BREAK_S: f64 = 1_500.0;
/// Queues that may be closed for a while: those that people can do without.
const MAY_CLOSE: [&str; 2] = ["certificados", "sin_clasificar"];
/// Sets the supervisor's chance apart.
const OWN_CHANCE: u64 = 0x7375_7065;

/// Acts until told to stop; what goes wrong is counted.
pub async fn watch_over(world: Arc<World>, mut stop: watch::Receiver<bool>) {
    let grant = json!({"role": "supervisor"});
    let made = match world.client.post_without_key("/api/v1/tokens", &grant).await {
        Ok(made) => made,
        Err(error) => return world.tally.error("the supervisor", &error),
    };
    let client = world.client.with_token(made["token"].as_str().unwrap_or_default());
    let mut supervisor = Supervisor::new(&world, client);
    supervisor.settle("a new day").await;
    loop {
        let gap: f64 = supervisor.chance.sample(Exp1);
        let next_s = world.clock.now_s() + gap * EVERY_S;
        let due_s = supervisor.opens_s.map_or(next_s, |opens_s| opens_s.min(next_s));
        tokio::select! {
            () = sleep_until(world.clock.at(due_s)) => (),
            () = told_to(&mut stop) => break,
        }
        if supervisor.opens_s.is_some_and(|opens_s| opens_s <= world.clock.now_s()) {
            supervisor.settle("staff_back").await;
        } else {
            supervisor.act().await;
        }
    }
    supervisor.settle("end_of_demo").await;
    let token = made["id"].as_str().unwrap_or_default();
    if let Err(error) = world.client.delete(&format!("/api/v1/tokens/{token}")).await {
        world.tally.error("the supervisor", &error);
    }
}

struct Supervisor<'a> {
    world: &'a World,
    client: Client,
    chance: ChaCha8Rng,
    /// When what was closed is opened again.
    opens_s: Option<f64>,
}

impl<'a> Supervisor<'a> {
    fn new(world: &'a World, client: Client) -> Self {
        let chance = ChaCha8Rng::seed_from_u64(world.seed ^ OWN_CHANCE);
        Self { world, client, chance, opens_s: None }
    }

    /// Opens what is closed.
    async fn settle(&mut self, reason: &str) {
        self.opens_s = None;
        let reason = reason.replace(' ', "_");
        let opened = async {
            for queue in self.client.list("/api/v1/queues").await? {
                if queue["state"] == "closed" {
                    let id = queue["id"].as_str().unwrap_or_default();
                    let body = json!({ "reason": reason });
                    self.client.post(&format!("/api/v1/queues/{id}/open"), &body).await?;
                    self.world.tally.add(Count::Intervention);
                }
            }
            Ok(())
        };
        let opened = opened.await;
        self.tell(opened);
    }

    async fn act(&mut self) {
        let done = match self.chance.random_range(0..10) {
            0..4 => self.give_head_start().await,
            4..7 => self.send_back().await,
            7..9 => self.give_time().await,
            _ => self.close().await,
        };
        self.tell(done);
    }

    /// That somebody was first is a day like any other.
    fn tell(&self, done: Result<(), ClientError>) {
        match done {
            Err(error) if !error.is_conflict() => {
                self.world.tally.error("the supervisor", &error);
            }
            Ok(()) | Err(_) => (),
        }
    }

    fn age_s(&self, since: &Value) -> f64 {
        let since = since.as_str().and_then(|at| at.parse::<Timestamp>().ok());
        since.map_or(0.0, |since| self.world.clock.now_s() - rota::seconds(since))
    }

    async fn give_head_start(&self) -> Result<(), ClientError> {
        let waiting = self.client.list("/api/v1/contacts?state=queued").await?;
        let long = waiting.iter().filter(|contact| contact["priority"] == "normal");
        let long =
            long.max_by(|a, b| self.age_s(&a["queued_at"]).total_cmp(&self.age_s(&b["queued_at"])));
        let Some(contact) = long.filter(|it| self.age_s(&it["queued_at"]) > LONG_WAIT_S) else {
            return Ok(());
        };
        let id = contact["id"].as_str().unwrap_or_default();
        self.client.patch(&format!("/api/v1/contacts/{id}"), &json!({"priority": "high"})).await?;
        self.world.tally.add(Count::Intervention);
        Ok(())
    }

    async fn send_back(&self) -> Result<(), ClientError> {
        let away = self.client.list("/api/v1/agents?state=not_ready").await?;
        let long = away.iter().filter(|agent| agent["reason"] == "break");
        let long = long.max_by(|a, b| self.age_s(&a["since"]).total_cmp(&self.age_s(&b["since"])));
        let Some(agent) = long.filter(|it| self.age_s(&it["since"]) > LONG_BREAK_S) else {
            return Ok(());
        };
        let id = agent["id"].as_str().unwrap_or_default();
        let why = "La cola crece y el descanso ha terminado";
        let body = json!({"state": "ready", "force": true, "why": why});
        self.client.post(&format!("/api/v1/agents/{id}/presence"), &body).await?;
        self.world.tally.add(Count::Intervention);
        Ok(())
    }

    async fn give_time(&self) -> Result<(), ClientError> {
        let wrapping = self.client.list("/api/v1/contacts?state=wrap_up").await?;
        let Some(contact) = wrapping.first() else { return Ok(()) };
        let id = contact["id"].as_str().unwrap_or_default();
        let path = format!("/api/v1/contacts/{id}/extend_wrap_up");
        self.client.post(&path, &json!({"by": "30s"})).await?;
        self.world.tally.add(Count::Intervention);
        Ok(())
    }

    async fn close(&mut self) -> Result<(), ClientError> {
        if self.opens_s.is_some() {
            return Ok(());
        }
        let id = MAY_CLOSE[self.chance.random_range(0..MAY_CLOSE.len())];
        let body = json!({"reason": "short_of_staff"});
        self.client.post(&format!("/api/v1/queues/{id}/close"), &body).await?;
        self.opens_s = Some(self.world.clock.now_s() + CLOSED_S);
        self.world.tally.add(Count::Intervention);
        Ok(())
    }
}
