//! Who works when: shifts, absences, who is on the telephone, and the few who keep the night.
//!
//! A rota is a function of the seed, the person and the date, so that a centre that is left and
//! taken up again has the same people at work. It follows the model's assumptions: of the staff
//! 80 of 100 are there, of those 70 of 100 on the telephone, and of their time three quarters
//! between breaks, which together makes its 42 of 100. That somebody keeps the night and the
//! weekend is the demo's own.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::centre::{CLOSES_S, Centre, OPENS_S, Person, Shift, TURNS_S};

/// The share who are there; of mornings those who keep a night are away besides.
const PRESENT: f64 = 0.80;
/// The share of those there who are on the telephone.
const ON_PHONE: f64 = 0.70;
/// How many of each level keep a night, or a day of the weekend, of the whole centre.
const GUARDS: [u64; 2] = [4, 2];
/// Days that are looked at for somebody's next turn; past it they are taken to have none.
const DAYS_MAX: i64 = 14;
/// Who keeps a day of the weekend keeps the night so many days later.
const WEEKEND_AHEAD: i64 = 7;
/// Streams of chance of one day: more than there are people.
const STREAMS_PER_DAY: u64 = 1 << 20;
/// Sets the rota's chance apart from the callers'.
const OWN_CHANCE: u64 = 0x726f_7461;
const DAY_S: f64 = 24.0 * 3600.0;

/// One turn of work, in centre seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duty {
    /// When it begins.
    pub from_s: f64,
    /// When it ends.
    pub to_s: f64,
    /// Whether it is on the telephone; else the agent is signed in and does other work.
    pub is_on_phone: bool,
    /// What the chance of its doings grows from.
    pub stream: u64,
}

/// The day's number, from 1970.
pub fn day_number(date: Date) -> i64 {
    i64::from(date.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days()))
}

/// The date of an instant, in the zone.
pub fn date_at(at_s: f64, zone: &TimeZone) -> Date {
    zone.to_datetime(instant(at_s)).date()
}

/// An instant as seconds.
pub fn instant(at_s: f64) -> Timestamp {
    let since = jiff::SignedDuration::try_from_secs_f64(at_s).unwrap_or_default();
    Timestamp::from_duration(since).unwrap_or_default()
}

/// Seconds of an instant.
pub fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

/// When a date begins in the zone.
pub fn midnight_s(date: Date, zone: &TimeZone) -> f64 {
    zone.to_timestamp(date.at(0, 0, 0, 0)).map_or(0.0, seconds)
}

/// Whether the centre opens on that day; it knows no holidays.
pub fn is_working_day(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The turn that `person` is in at `now_s`, else the next one.
pub fn next_duty(centre: &Centre, seed: u64, person: &Person, now_s: f64) -> Option<Duty> {
    let today = date_at(now_s, &centre.time_zone);
    // A night begins the day before.
    (-1..DAYS_MAX).find_map(|days| {
        let date = today.checked_add(jiff::Span::new().days(days)).ok()?;
        duties(centre, seed, person, date).into_iter().find(|duty| now_s < duty.to_s)
    })
}

/// The turns of a date, in order.
fn duties(centre: &Centre, seed: u64, person: &Person, date: Date) -> Vec<Duty> {
    let day = day_number(date);
    let at = |second: f64| midnight_s(date, &centre.time_zone) + second;
    let whole_day = u64::try_from(day).unwrap_or(0).wrapping_mul(STREAMS_PER_DAY);
    let stream = whole_day.wrapping_add(person.number);
    let duty = |from: f64, to: f64, is_on_phone, part: u64| Duty {
        from_s: at(from),
        to_s: at(to),
        is_on_phone,
        stream: stream.wrapping_add(part * (STREAMS_PER_DAY >> 2)),
    };
    let mut found = Vec::new();
    if is_working_day(date) {
        let mut chance = ChaCha8Rng::seed_from_u64(seed ^ OWN_CHANCE);
        chance.set_stream(stream);
        let is_there = chance.random_bool(PRESENT);
        let is_on_phone = chance.random_bool(ON_PHONE);
        let slept = !is_guard(centre, person, day) && !is_guard(centre, person, day - 1);
        if is_there && slept {
            let (from, to) = match person.shift {
                Shift::Morning => (OPENS_S, TURNS_S),
                Shift::Afternoon => (TURNS_S, CLOSES_S),
            };
            found.push(duty(from, to, is_on_phone, 0));
        }
    } else if is_guard(centre, person, day + WEEKEND_AHEAD) {
        found.push(duty(OPENS_S, CLOSES_S, true, 1));
    }
    if is_guard(centre, person, day) {
        found.push(duty(CLOSES_S, DAY_S + OPENS_S, true, 2));
    }
    found
}

/// Whether `person`, one of the mornings, keeps the night after that day: each in turn.
fn is_guard(centre: &Centre, person: &Person, day: i64) -> bool {
    let peers = centre
        .people
        .iter()
        .filter(|other| other.shift == Shift::Morning && other.level == person.level);
    let peers: Vec<u64> = peers.map(|other| other.number).collect();
    let Some(place) = peers.iter().position(|number| *number == person.number) else {
        return false;
    };
    let (place, count) = (place as u64, peers.len() as u64);
    let level = usize::from(person.level.saturating_sub(1)).min(GUARDS.len() - 1);
    // A smaller centre has fewer, and at least one of each level.
    let guards = GUARDS[level].min(count.div_ceil(8)).max(1);
    let first = u64::try_from(day).unwrap_or(0).wrapping_mul(guards) % count;
    (place + count - first) % count < guards
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> f64 {
        seconds(text.parse().unwrap())
    }

    fn at_work(centre: &Centre, now_s: f64) -> Vec<Duty> {
        let duties = centre.people.iter().filter_map(|person| next_duty(centre, 1, person, now_s));
        duties.filter(|duty| duty.from_s <= now_s).collect()
    }

    #[test]
    fn a_working_day_has_the_models_people_and_a_night_has_a_few() {
        let centre = Centre::whole().unwrap();
        let morning = at_work(&centre, at("2026-03-03T10:30:00Z"));
        assert!((85..115).contains(&morning.len()), "{}", morning.len());
        let on_phone = morning.iter().filter(|duty| duty.is_on_phone).count();
        assert!((55..85).contains(&on_phone), "{on_phone}");
        let afternoon = at_work(&centre, at("2026-03-03T16:30:00Z"));
        assert!((20..35).contains(&afternoon.len()), "{}", afternoon.len());
        for night in ["2026-03-03T22:30:00Z", "2026-03-04T04:30:00Z", "2026-03-07T11:00:00Z"] {
            let guards = at_work(&centre, at(night));
            assert_eq!(guards.len(), 6, "{night}");
            assert!(guards.iter().all(|duty| duty.is_on_phone));
        }
    }

    #[test]
    fn nobody_works_two_turns_at_once_and_a_seed_gives_the_same_rota() {
        let centre = Centre::whole().unwrap();
        for person in &centre.people {
            let mut now_s = at("2026-03-02T00:00:00Z");
            let mut before: Option<Duty> = None;
            for _ in 0..20 {
                let duty = next_duty(&centre, 1, person, now_s).unwrap();
                assert_eq!(Some(duty), next_duty(&centre, 1, person, now_s));
                if let Some(before) = before {
                    assert!(before.to_s <= duty.from_s, "{}: {before:?} {duty:?}", person.id);
                }
                now_s = duty.to_s;
                before = Some(duty);
            }
        }
    }
}
