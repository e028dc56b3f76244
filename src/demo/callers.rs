//! Those who call: when, about what, how long they wait and how long they speak.
//!
//! Who calls is drawn by one generator, one caller after the other, so that a seed always brings
//! the same people. What becomes of a call is the server's: a caller looks at its contact from time
//! to time, as its telephone would tell it.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Exp1, StandardNormal};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::centre::{LINES, Line};
use super::{Count, World, told_to};
use crate::client::ClientError;

/// Calls at one time; who comes past it finds the line engaged and is counted.
pub const CALLS_MAX: usize = 400;
/// How often a caller looks, in centre seconds, and the bounds of it in time here.
const LOOK_EVERY_S: f64 = 10.0;
const LOOK_LEAST: Duration = Duration::from_millis(100);
const LOOK_MOST: Duration = Duration::from_secs(3);
/// Centre seconds after which a call is forgotten, whatever became of it.
const CALL_MAX_S: f64 = 4.0 * 3600.0;

/// Mean patience in centre seconds.
const PATIENCE_MEAN_S: f64 = 150.0;
/// The share of callers who want Catalan, of those who are urgent.
const CATALAN: f64 = 0.1;
const URGENT: f64 = 0.04;
/// The crowd comes and goes: by this share of the mean, in so many centre seconds.
const SWING: f64 = 0.4;
const SWING_PERIOD_S: f64 = 2_400.0;
/// Either side may end a call, and the first does; so each means to stay longer than the mean.
pub const EITHER_SIDE: f64 = 1.35;
/// Spread of the length of talks (of its logarithm).
pub const TALK_SIGMA: f64 = 0.6;

/// One who calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// When, in centre seconds since the start.
    pub at_s: f64,
    /// The queue's slug.
    pub queue: &'static str,
    /// The number.
    pub from: String,
    /// What about.
    pub subject: &'static str,
    /// Whether only Catalan will do.
    pub wants_catalan: bool,
    /// Whether it is urgent.
    pub is_urgent: bool,
    /// Centre seconds of patience.
    pub patience_s: f64,
    /// Centre seconds of talk after which this side hangs up.
    pub talk_s: f64,
}

/// All who call, in order; it never ends.
#[derive(Debug)]
pub struct Arrivals {
    chance: ChaCha8Rng,
    at_s: f64,
}

impl Arrivals {
    /// Those of this seed.
    pub fn new(seed: u64) -> Self {
        Self { chance: ChaCha8Rng::seed_from_u64(seed), at_s: 0.0 }
    }

    fn line(&mut self) -> &'static Line {
        let total: f64 = LINES.iter().map(|line| line.calls_per_hour).sum();
        let mut left = self.chance.random::<f64>() * total;
        let mut found = &LINES[0];
        for line in &LINES {
            found = line;
            left -= line.calls_per_hour;
            if left < 0.0 {
                break;
            }
        }
        found
    }
}

impl Iterator for Arrivals {
    type Item = Caller;

    /// A Poisson process whose rate swings, by thinning (Lewis and Shedler 1979).
    fn next(&mut self) -> Option<Caller> {
        let mean: f64 = LINES.iter().map(|line| line.calls_per_hour / 3600.0).sum();
        let most = mean * (1.0 + SWING);
        loop {
            let gap: f64 = self.chance.sample(Exp1);
            self.at_s += gap / most;
            let now = mean * (1.0 + SWING * (TAU * self.at_s / SWING_PERIOD_S).sin());
            if self.chance.random::<f64>() * most < now {
                break;
            }
        }
        let line = self.line();
        let patience: f64 = self.chance.sample(Exp1);
        let subject = self.chance.random_range(0..line.subjects.len());
        Some(Caller {
            at_s: self.at_s,
            queue: line.id,
            from: format!("+34600{:06}", self.chance.random_range(0..1_000_000)),
            subject: line.subjects[subject],
            wants_catalan: self.chance.random_bool(CATALAN),
            is_urgent: self.chance.random_bool(URGENT),
            patience_s: patience * PATIENCE_MEAN_S,
            talk_s: lognormal_s(&mut self.chance, line.talk_mean_s * EITHER_SIDE, TALK_SIGMA),
        })
    }
}

/// Draws a time with this mean; `sigma` is the spread of its logarithm.
pub fn lognormal_s(chance: &mut ChaCha8Rng, mean_s: f64, sigma: f64) -> f64 {
    let normal: f64 = chance.sample(StandardNormal);
    mean_s * (sigma * normal - sigma * sigma / 2.0).exp()
}

impl Caller {
    /// The body of `POST /contacts`.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "channel": "voice",
            "queue": self.queue,
            "from": self.from,
            "subject": self.subject,
            "priority": if self.is_urgent { "high" } else { "normal" },
        });
        if self.wants_catalan {
            body["language"] = "ca".into();
        }
        body
    }
}

/// Lets them call until told to stop, then waits until the last has hung up.
pub async fn arrive(world: Arc<World>, seed: u64, mut hurry: watch::Receiver<bool>) {
    let start = Instant::now();
    let mut calls = JoinSet::new();
    for caller in Arrivals::new(seed) {
        tokio::select! {
            () = sleep_until(start + world.pace.wall(caller.at_s)) => (),
            () = told_to(&mut hurry) => break,
        }
        while calls.try_join_next().is_some() {}
        if calls.len() < CALLS_MAX {
            calls.spawn(call(world.clone(), caller, hurry.clone()));
        } else {
            world.tally.add(Count::Engaged);
        }
    }
    while calls.join_next().await.is_some() {}
}

async fn call(world: Arc<World>, caller: Caller, hurry: watch::Receiver<bool>) {
    world.tally.add(Count::Caller);
    match speak(&world, &caller, hurry).await {
        Ok(()) => (),
        Err(error) => world.tally.error(caller.queue, &error),
    }
}

/// One call from dialling to hanging up.
async fn speak(
    world: &World,
    caller: &Caller,
    mut hurry: watch::Receiver<bool>,
) -> Result<(), ClientError> {
    let dialled = Instant::now();
    let made = world.client.post("/api/v1/contacts", &caller.body()).await?;
    let path = format!("/api/v1/contacts/{}", made["id"].as_str().unwrap_or_default());
    if made["state"] == "refused" {
        world.tally.add(Count::Refused);
        return Ok(());
    }
    let pace = world.pace;
    let every = pace.wall(LOOK_EVERY_S).clamp(LOOK_LEAST, LOOK_MOST);
    let mut hang_up = dialled + pace.wall(caller.patience_s);
    let mut was_answered = false;
    loop {
        if !*hurry.borrow() {
            let left = hang_up.saturating_duration_since(Instant::now());
            tokio::select! {
                () = sleep(left.min(every)) => (),
                () = told_to(&mut hurry) => (),
            }
        }
        let is_late = dialled.elapsed() > pace.wall(CALL_MAX_S);
        let has_enough = is_late || *hurry.borrow() || hang_up <= Instant::now();
        let contact = world.client.get(&path).await?;
        if !was_answered && contact["answered_at"].is_string() {
            was_answered = true;
            world.tally.add(Count::Answered);
            hang_up = dialled + pace.wall(waited_s(&contact) + caller.talk_s);
            if !*hurry.borrow() {
                continue;
            }
        }
        let left = match contact["state"].as_str() {
            Some("queued" | "offered") if has_enough => {
                world.client.post(&format!("{path}/abandon"), &json!({})).await
            }
            Some("active" | "held") if has_enough => {
                world.client.post(&format!("{path}/end"), &json!({"by": "citizen"})).await
            }
            Some("queued" | "offered" | "active" | "held") => continue,
            _ => return Ok(()),
        };
        match left {
            Ok(_) if was_answered => return Ok(()),
            Ok(_) => {
                world.tally.add(Count::Abandoned);
                return Ok(());
            }
            // Answered, or ended, between the look and the hanging up: look again.
            Err(error) if error.is_conflict() && !is_late => sleep(LOOK_LEAST).await,
            Err(error) => return Err(error),
        }
    }
}

/// Centre seconds from arrival to answer.
fn waited_s(contact: &Value) -> f64 {
    let instant = |name: &str| contact[name].as_str()?.parse::<Timestamp>().ok();
    match (instant("arrived_at"), instant("answered_at")) {
        (Some(arrived), Some(answered)) => answered.duration_since(arrived).as_secs_f64(),
        (None, _) | (_, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_brings_the_same_people_and_another_brings_others() {
        let of = |seed| Arrivals::new(seed).take(200).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn as_many_call_as_the_lines_say() {
        // 50 whole swings: what the wave adds it takes away again.
        let span_s = 50.0 * SWING_PERIOD_S;
        let callers: Vec<_> = Arrivals::new(7).take_while(|caller| caller.at_s < span_s).collect();
        for line in &LINES {
            let came = callers.iter().filter(|caller| caller.queue == line.id);
            let share = f64::from(u32::try_from(came.count()).unwrap())
                / (line.calls_per_hour * span_s / 3600.0);
            // Three deviations of the rarest line are 9 in 100.
            assert!((0.9..1.1).contains(&share), "{}: {share}", line.id);
        }
        assert!(callers.is_sorted_by(|a, b| a.at_s < b.at_s));
        assert!(callers.iter().all(|caller| caller.patience_s >= 0.0 && caller.talk_s > 0.0));
    }
}
