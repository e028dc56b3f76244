//! Those who call: when, about what, how long they wait and how long they speak.
//!
//! Who calls on a day is drawn by one generator, one caller after the other, from the seed and the
//! date alone, so that a seed always brings the same people, at any speed and after any break. What
//! becomes of a call is the server's: a caller hears it from the exchange (`exchange`), as its
//! telephone would tell it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Exp1, StandardNormal};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use super::centre::{CLOSES_S, Centre, DEMAND, HALF_HOURS, Line, NIGHT_PER_HOUR, OPENS_S};
use super::exchange::Call;
use super::{Count, World, rota, told_to};
use crate::client::ClientError;

/// Calls at one time; who comes past it finds the line engaged and is counted.
pub const CALLS_MAX: usize = 400;
/// Pause before a call is looked at again that somebody else was first at.
const LOOK_LEAST: Duration = Duration::from_millis(100);
/// Centre seconds after which a call is forgotten, whatever became of it.
const CALL_MAX_S: f64 = 4.0 * 3600.0;
/// Who should have called longer ago than this is not let call any more: the demo was not there.
const LATE_MAX_S: f64 = 60.0;

/// Mean patience in centre seconds, exponential: the model's assumption.
const PATIENCE_MEAN_S: f64 = 180.0;
/// The share of callers who want Catalan, of those who are urgent: the demo's own assumptions.
const CATALAN: f64 = 0.05;
const URGENT: f64 = 0.04;
/// Spread of the length of talks (of its logarithm): the deviation is the mean, as in the model.
pub const TALK_SIGMA: f64 = 0.832_554_6;
/// Either side may end a call, and the first does; so each means to stay longer than the mean. The
/// mean of the lesser of two such times is 0.556 of theirs: 2 Φ(−σ/√2).
pub const EITHER_SIDE: f64 = 1.8;
const HALF_HOUR_S: f64 = 1_800.0;
const DAY_S: f64 = 24.0 * 3600.0;

/// One who calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// The day and the number in it; the contact's `external_id`.
    pub name: String,
    /// When, in centre seconds since the Unix epoch.
    pub at_s: f64,
    /// The queue's slug.
    pub queue: String,
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

/// All who call from a day on, in order; it never ends but with the calendar.
#[derive(Debug)]
pub struct Arrivals<'a> {
    centre: &'a Centre,
    seed: u64,
    date: Date,
    midnight_s: f64,
    chance: ChaCha8Rng,
    second: f64,
    number: u64,
}

impl<'a> Arrivals<'a> {
    /// Those of this seed from `date` on.
    pub fn new(centre: &'a Centre, seed: u64, date: Date) -> Self {
        let chance = ChaCha8Rng::seed_from_u64(seed);
        let mut arrivals =
            Self { centre, seed, date, midnight_s: 0.0, chance, second: 0.0, number: 0 };
        arrivals.begin(date);
        arrivals
    }

    fn begin(&mut self, date: Date) {
        self.date = date;
        self.midnight_s = rota::midnight_s(date, &self.centre.time_zone);
        self.chance = ChaCha8Rng::seed_from_u64(self.seed);
        self.chance.set_stream(u64::try_from(rota::day_number(date)).unwrap_or(0));
        (self.second, self.number) = (0.0, 0);
    }

    fn line(&mut self) -> Option<&'a Line> {
        let centre = self.centre;
        let total: f64 = centre.lines.iter().map(|line| line.share).sum();
        let mut left = self.chance.random::<f64>() * total;
        let called = centre.lines.iter().filter(|line| 0.0 < line.share);
        let mut found = None;
        for line in called {
            found = Some(line);
            left -= line.share;
            if left < 0.0 {
                break;
            }
        }
        found
    }
}

/// Calls an hour of the whole centre at a second of a day.
fn rate_at(date: Date, second: f64) -> f64 {
    if !rota::is_working_day(date) || !(OPENS_S..CLOSES_S).contains(&second) {
        return NIGHT_PER_HOUR;
    }
    let mut ends_s = OPENS_S;
    let rate = HALF_HOURS.iter().find(|_| {
        ends_s += HALF_HOUR_S;
        second < ends_s
    });
    rate.map_or(NIGHT_PER_HOUR, |rate| rate * DEMAND)
}

impl Iterator for Arrivals<'_> {
    type Item = Caller;

    /// A Poisson process whose rate follows the day, by thinning (Lewis and Shedler 1979).
    fn next(&mut self) -> Option<Caller> {
        let most = HALF_HOURS.iter().fold(NIGHT_PER_HOUR, |most, rate| most.max(rate * DEMAND));
        loop {
            let gap: f64 = self.chance.sample(Exp1);
            self.second += gap * 3600.0 / (most * self.centre.size);
            if DAY_S <= self.second {
                let date = self.date.tomorrow().ok()?;
                self.begin(date);
                continue;
            }
            if self.chance.random::<f64>() * most < rate_at(self.date, self.second) {
                break;
            }
        }
        self.number += 1;
        let line = self.line()?;
        let patience: f64 = self.chance.sample(Exp1);
        let subject = self.chance.random_range(0..line.subjects.len().max(1));
        Some(Caller {
            name: format!("{}-{:04}", self.date.strftime("%Y%m%d"), self.number),
            at_s: self.midnight_s + self.second,
            queue: line.id.clone(),
            from: format!("+34600{:06}", self.chance.random_range(0..1_000_000)),
            subject: line.subjects.get(subject).copied().unwrap_or_default(),
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
            "priority": self.priority(),
            "external_id": self.name,
        });
        if self.wants_catalan {
            body["language"] = "ca".into();
        }
        body
    }

    /// The class.
    pub fn priority(&self) -> &'static str {
        if self.is_urgent { "high" } else { "normal" }
    }
}

/// Lets them call until told to stop, then waits until the last has hung up.
pub async fn arrive(world: Arc<World>, mut hurry: watch::Receiver<bool>) {
    let mut calls = JoinSet::new();
    adopt(&world, &mut calls, &hurry).await;
    let now_s = world.clock.now_s();
    let date = rota::date_at(now_s, &world.centre.time_zone);
    for caller in Arrivals::new(&world.centre, world.seed, date) {
        // Who called before this life began is there already, or was never heard of.
        if caller.at_s < now_s.max(world.clock.now_s() - LATE_MAX_S) {
            continue;
        }
        tokio::select! {
            () = sleep_until(world.clock.at(caller.at_s)) => (),
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

/// Takes up those whom a former life, or the hours behind the opening, left waiting and talking:
/// their patience is exponential and has no memory, so it is drawn anew.
async fn adopt(world: &Arc<World>, calls: &mut JoinSet<()>, hurry: &watch::Receiver<bool>) {
    let mut chance = ChaCha8Rng::seed_from_u64(world.seed);
    chance.set_stream(u64::MAX);
    let mut known = BTreeSet::new();
    for state in ["queued", "offered", "active", "held"] {
        let left = match world.client.list(&format!("/api/v1/contacts?state={state}")).await {
            Ok(left) => left,
            Err(error) => {
                world.tally.error("callers", &error);
                continue;
            }
        };
        for contact in left {
            let queue = contact["queue"].as_str().unwrap_or_default();
            let Some(line) = world.centre.line(queue) else { continue };
            let id = contact["id"].as_str().unwrap_or_default().to_owned();
            // Who goes on from one state to the next meanwhile is in both lists.
            if !known.insert(id.clone()) {
                continue;
            }
            world.tally.add(Count::TakenOver);
            let patience: f64 = chance.sample(Exp1);
            let patience_s = patience * PATIENCE_MEAN_S;
            let talk_s = lognormal_s(&mut chance, line.talk_mean_s * EITHER_SIDE, TALK_SIGMA);
            let (world, hurry) = (world.clone(), hurry.clone());
            calls.spawn(async move {
                let now_s = world.clock.now_s();
                let waiting = now_s + patience_s;
                let ends = Enough { waiting, since: now_s, talking: talk_s };
                if let Err(error) = speak(&world, &id, ends, hurry).await {
                    world.tally.error("a caller of before", &error);
                }
            });
        }
    }
}

async fn call(world: Arc<World>, caller: Caller, hurry: watch::Receiver<bool>) {
    world.tally.add(Count::Caller);
    if let Err(error) = dial(&world, &caller, hurry).await {
        world.tally.error(&caller.queue, &error);
    }
}

/// One call from dialling to hanging up.
async fn dial(
    world: &World,
    caller: &Caller,
    hurry: watch::Receiver<bool>,
) -> Result<(), ClientError> {
    let now_s = world.clock.now_s();
    let made = world.client.post("/api/v1/contacts", &caller.body()).await?;
    if made["state"] == "refused" {
        world.tally.add(Count::Refused);
        return Ok(());
    }
    let id = made["id"].as_str().unwrap_or_default();
    let waiting = now_s + caller.patience_s;
    let ends = Enough { waiting, since: now_s, talking: caller.talk_s };
    speak(world, id, ends, hurry).await
}

/// When a caller has had enough, in centre seconds.
#[derive(Clone, Copy)]
struct Enough {
    /// Of waiting: at this second.
    waiting: f64,
    /// An answer before this second counts from it.
    since: f64,
    /// Of talking: so many seconds after the answer.
    talking: f64,
}

/// One call that is there, to its end.
async fn speak(
    world: &World,
    id: &str,
    ends: Enough,
    mut hurry: watch::Receiver<bool>,
) -> Result<(), ClientError> {
    let path = format!("/api/v1/contacts/{id}");
    let mut line = world.exchange.connect(id);
    // What happened before the line was there.
    line.look(&world.client.get(&path).await?);
    let gives_up_s = world.clock.now_s() + CALL_MAX_S;
    let mut was_answered = false;
    let mut hangs_up_s = ends.waiting;
    loop {
        let Call { answered_s, is_over } = line.call();
        if let Some(answered_s) = answered_s
            && !was_answered
        {
            was_answered = true;
            world.tally.add(Count::Answered);
            hangs_up_s = answered_s.max(ends.since) + ends.talking;
        }
        if is_over {
            return Ok(());
        }
        let now_s = world.clock.now_s();
        let is_late = gives_up_s <= now_s;
        if !is_late && now_s < hangs_up_s && !*hurry.borrow() {
            tokio::select! {
                () = line.changed() => (),
                () = sleep_until(world.clock.at(hangs_up_s)) => (),
                () = told_to(&mut hurry) => (),
            }
            continue;
        }
        let left = if was_answered {
            world.client.post(&format!("{path}/end"), &json!({"by": "citizen"})).await
        } else {
            world.client.post(&format!("{path}/abandon"), &json!({})).await
        };
        match left {
            Ok(_) => {
                if !was_answered {
                    world.tally.add(Count::Abandoned);
                }
                return Ok(());
            }
            // Answered, or ended, meanwhile: look again.
            Err(error) if error.is_conflict() && !is_late => {
                sleep(LOOK_LEAST).await;
                line.look(&world.client.get(&path).await?);
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: Date = Date::constant(2026, 3, 3);

    #[test]
    fn a_seed_brings_the_same_people_and_another_brings_others() {
        let centre = Centre::whole().unwrap();
        let of = |seed, date| Arrivals::new(&centre, seed, date).take(3_000).collect::<Vec<_>>();
        let first = of(1, DATE);
        assert_eq!(first, of(1, DATE));
        assert_ne!(first, of(2, DATE));
        // A day has its people, whether or not the day before was lived.
        let later: Vec<_> = Arrivals::new(&centre, 1, DATE.yesterday().unwrap())
            .skip_while(|caller| !caller.name.starts_with("20260303"))
            .take(3_000)
            .collect();
        assert_eq!(first, later);
    }

    #[test]
    fn as_many_call_as_the_profile_says() {
        let centre = Centre::whole().unwrap();
        let callers: Vec<_> = Arrivals::new(&centre, 7, DATE)
            .take_while(|caller| caller.name.starts_with("20260303"))
            .collect();
        let opens_s = rota::midnight_s(DATE, &centre.time_zone) + OPENS_S;
        let within = |from_s: f64, to_s: f64| {
            let came =
                callers.iter().filter(|caller| (from_s..to_s).contains(&(caller.at_s - opens_s)));
            f64::from(u32::try_from(came.count()).unwrap())
        };
        let hour = f64::midpoint(HALF_HOURS[2], HALF_HOURS[3]) * DEMAND;
        let peak = within(3_600.0, 7_200.0);
        assert!((peak - hour).abs() < 3.0 * hour.sqrt(), "{peak} of {hour}");
        let day: f64 = HALF_HOURS.iter().sum::<f64>() / 2.0 * DEMAND;
        let came = within(0.0, CLOSES_S - OPENS_S);
        assert!((came - day).abs() < 3.0 * day.sqrt(), "{came} of {day}");
        let night = f64::from(u32::try_from(callers.len()).unwrap()) - came;
        assert!((300.0..480.0).contains(&night), "{night}");
        assert!(callers.is_sorted_by(|a, b| a.at_s < b.at_s));
        assert!(callers.iter().all(|caller| caller.patience_s >= 0.0 && caller.talk_s > 0.0));
        let mean = callers.iter().map(|caller| caller.patience_s).sum::<f64>() / (came + night);
        assert!((165.0..195.0).contains(&mean), "{mean}");
    }
}
