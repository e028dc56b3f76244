//! Business time: the cases that must hold, and random calendars beside a slow, obvious reading:
//! minute by minute, with a conversion of local times of its own.
//!
//! `ATALAYA_LONG=1` tries 100,000 calendars; 2,000 by default.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::calendar::{Calendar, CalendarError, Hours, Pause, Place, Week, Why};
use atalaya_domain::time::{Span, Timestamp};
use jiff::ToSpan as _;
use jiff::civil::{Date, Time, Weekday, date, time};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const MINUTE: i64 = 60_000_000;
const MON_FRI: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn minutes(minutes: i64) -> Span {
    Span(minutes * MINUTE)
}

fn hours(text: &str) -> Vec<Hours> {
    let clock = |text: &str| (text != "24").then(|| time(text.parse().unwrap(), 0, 0, 0));
    let one = |text: &str| {
        let (from, to) = text.split_once('-').unwrap();
        Hours { from: clock(from).unwrap(), to: clock(to) }
    };
    text.split(' ').map(one).collect()
}

fn calendar(zone: &str, days: &[Weekday], text: &str) -> Calendar {
    closed_on(zone, days, text, &[])
}

fn closed_on(zone: &str, days: &[Weekday], text: &str, holidays: &[Date]) -> Calendar {
    let week = days.iter().fold(Week::default(), |week, day| week.with(*day, hours(text)));
    let holidays = holidays.iter().copied().collect();
    Calendar::new(TimeZone::get(zone).unwrap(), week, holidays, BTreeMap::new()).unwrap()
}

fn every_day() -> Vec<Weekday> {
    Weekday::Monday.cycle_forward().take(7).collect()
}

#[track_caller]
fn due(calendar: &Calendar, from: &str, span: i64, expected: &str) {
    paused(calendar, from, span, &[], expected);
}

#[track_caller]
fn paused(calendar: &Calendar, from: &str, span: i64, pauses: &[(&str, &str)], expected: &str) {
    let pause = |(from, to): &(&str, &str)| Pause { from: at(from), to: Some(at(to)) };
    let pauses: Vec<_> = pauses.iter().map(pause).collect();
    let due = calendar.reached(at(from), minutes(span), &pauses).unwrap();
    assert_eq!(jiff::Timestamp::from_microsecond(due.0).unwrap().to_string(), expected);
    assert_eq!(calendar.worked(at(from), due, &pauses), minutes(span));
}

#[test]
fn s60_three_clocks() {
    let berlin = calendar("Europe/Berlin", &MON_FRI, "08-18");
    for (target, expected) in [(60, "10:30"), (120, "11:30"), (180, "12:30")] {
        due(&berlin, "2013-03-21T09:30:00Z", target, &format!("2013-03-21T{expected}:00Z"));
    }
    assert_eq!(
        berlin.worked(at("2013-03-21T09:30:00Z"), at("2013-03-21T14:00:00Z"), &[]),
        minutes(270)
    );
}

#[test]
fn s63_and_s64_pauses_and_a_due_time_at_closing() {
    let berlin = calendar("Europe/Berlin", &every_day(), "09-18");
    let stops = [
        ("2013-06-04T09:30:00Z", "2013-06-04T09:45:00Z"),
        ("2013-06-04T10:00:00Z", "2013-06-04T10:30:00Z"),
    ];
    paused(&berlin, "2013-06-04T09:00:00Z", 120, &stops, "2013-06-04T11:45:00Z");
    let stop = [("2013-06-04T10:00:00Z", "2013-06-04T15:00:00Z")];
    paused(&berlin, "2013-06-04T09:00:00Z", 120, &stop, "2013-06-04T16:00:00Z");
}

#[test]
fn s66_a_holiday() {
    let berlin = closed_on("Europe/Berlin", &MON_FRI, "08-20", &[date(2016, 11, 1)]);
    due(&berlin, "2016-11-01T13:56:21Z", 120, "2016-11-02T09:00:00Z");
    due(&berlin, "2016-11-01T13:56:21Z", 1200, "2016-11-03T15:00:00Z");
}

#[test]
fn s67_opening_hours() {
    let utc = |days: &[Weekday]| calendar("UTC", days, "09-17");
    // 2023-10-10 is a Tuesday.
    due(&utc(&[Weekday::Tuesday]), "2023-10-10T18:00:00Z", 60, "2023-10-17T10:00:00Z");
    let two = utc(&[Weekday::Tuesday, Weekday::Wednesday]);
    due(&two, "2023-10-10T09:00:00Z", 900, "2023-10-11T16:00:00Z");
    due(&utc(&[Weekday::Monday]), "2023-10-14T12:00:00Z", 60, "2023-10-16T10:00:00Z");
    due(&two, "2023-10-10T17:00:00Z", 60, "2023-10-11T10:00:00Z");
    let none = Calendar::new(TimeZone::UTC, Week::default(), BTreeSet::new(), BTreeMap::new());
    assert_eq!(none.unwrap_err(), CalendarError::NoHours);
    let kolkata = calendar("Asia/Kolkata", &[Weekday::Tuesday], "09-17");
    due(&kolkata, "2023-10-10T20:00:00Z", 60, "2023-10-17T04:30:00Z");
}

#[test]
fn s68_to_s70_split_days_long_closures_territories() {
    let madrid = calendar("Europe/Madrid", &MON_FRI, "09-14 16-18");
    due(&madrid, "2026-06-01T11:30:00Z", 60, "2026-06-01T14:30:00Z");
    due(&madrid, "2026-06-01T12:30:00Z", 30, "2026-06-01T14:30:00Z");
    let august: Vec<Date> = date(2026, 8, 1).series(1.day()).take(31).collect();
    let closed = closed_on("Europe/Madrid", &MON_FRI, "09-14", &august);
    due(&closed, "2026-07-31T11:30:00Z", 60, "2026-09-01T07:30:00Z");
    let years: Vec<Date> = date(2026, 8, 1).series(1.day()).take(20 * 365).collect();
    let closed = closed_on("Europe/Madrid", &MON_FRI, "09-14", &years);
    due(&closed, "2026-07-31T11:30:00Z", 60, "2046-07-27T07:30:00Z");
    for (zone, expected) in
        [("Europe/Madrid", "2026-03-30T07:30:00Z"), ("Atlantic/Canary", "2026-03-27T13:30:00Z")]
    {
        let mut week = Week::default();
        for day in MON_FRI {
            let text = if day == Weekday::Friday { "09-14" } else { "09-14 16-18" };
            week = week.with(day, hours(text));
        }
        let zone = TimeZone::get(zone).unwrap();
        let calendar = Calendar::new(zone, week, BTreeSet::new(), BTreeMap::new()).unwrap();
        due(&calendar, "2026-03-27T12:30:00Z", 60, expected);
    }
}

#[test]
fn s71_all_day_over_the_change_of_clock() {
    let madrid = calendar("Europe/Madrid", &every_day(), "00-24");
    due(&madrid, "2026-03-28T21:00:00Z", 480, "2026-03-29T05:00:00Z");
    due(&madrid, "2026-10-24T20:00:00Z", 480, "2026-10-25T04:00:00Z");
    for (from, to, length) in [
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 1380),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 1500),
    ] {
        assert_eq!(madrid.worked(at(from), at(to), &[]), minutes(length));
    }
}

#[test]
fn a_mistake_is_named_by_its_place() {
    let with = |hours: Vec<Hours>| {
        let exceptions = BTreeMap::from([(date(2026, 12, 24), hours)]);
        let week = Week::default().with(Weekday::Monday, vec![]);
        Calendar::new(TimeZone::UTC, week, BTreeSet::new(), exceptions).unwrap_err()
    };
    let place = Place::Exception(date(2026, 12, 24));
    assert_eq!(with(hours("09-12 11-13")), CalendarError::Overlap { place, at: 1 });
    assert_eq!(with(hours("09-12 14-14")), CalendarError::Backward { place, at: 1 });
    assert_eq!(with(hours("09-12 12-24")), CalendarError::NoHours);
}

#[test]
fn a_pause_without_an_end_is_never_passed() {
    let utc = calendar("UTC", &every_day(), "09-17");
    let pause = [Pause { from: at("2026-03-02T10:00:00Z"), to: None }];
    let from = at("2026-03-02T09:00:00Z");
    assert_eq!(utc.reached(from, minutes(61), &pause), None);
    assert_eq!(utc.reached(from, minutes(60), &pause), Some(at("2026-03-02T10:00:00Z")));
    assert_eq!(utc.reached(from, Span(-5), &pause), Some(from));
}

#[test]
fn each_stretch_says_why() {
    let exceptions = BTreeMap::from([(date(2026, 3, 3), hours("09-10"))]);
    let week = MON_FRI.iter().fold(Week::default(), |week, day| week.with(*day, hours("09-14")));
    let holidays = BTreeSet::from([date(2026, 3, 4)]);
    let calendar = Calendar::new(TimeZone::UTC, week, holidays, exceptions).unwrap();
    let told = calendar.told(at("2026-03-02T13:00:00Z"), at("2026-03-05T09:00:00Z"));
    let told: Vec<_> = told.into_iter().map(|(from, _, why)| (from, why)).collect();
    assert_eq!(
        told,
        [
            (at("2026-03-02T13:00:00Z"), Why::Open),
            (at("2026-03-02T14:00:00Z"), Why::Closed),
            (at("2026-03-03T00:00:00Z"), Why::Exception),
            (at("2026-03-03T09:00:00Z"), Why::Open),
            (at("2026-03-03T10:00:00Z"), Why::Exception),
            (at("2026-03-04T00:00:00Z"), Why::Holiday),
            (at("2026-03-05T00:00:00Z"), Why::Closed),
        ]
    );
}

/// A calendar as its parts, and a search in it.
#[derive(Debug, Clone)]
struct Life {
    zone: &'static str,
    week: [Vec<(i64, i64)>; 7],
    holidays: BTreeSet<i64>,
    exceptions: BTreeMap<i64, Vec<(i64, i64)>>,
    /// Minutes since the epoch.
    start: i64,
    length: i64,
    span: i64,
    pauses: Vec<(i64, i64)>,
}

/// Zones, and an instant near which each changes its clock (minutes since the epoch): by an hour,
/// by half of one, at midnight, by leaving out a day.
const ZONES: [(&str, &str); 7] = [
    ("Europe/Madrid", "2026-03-29T01:00:00Z"),
    ("Europe/Madrid", "2026-10-25T01:00:00Z"),
    ("Atlantic/Canary", "2026-10-25T01:00:00Z"),
    ("America/Montreal", "2020-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
];

fn spans() -> impl Strategy<Value = Vec<(i64, i64)>> {
    // Apart or touching: cut points, in order, taken in pairs.
    prop::collection::btree_set(0_i64..=96, 0..=6).prop_map(|cuts| {
        let cuts: Vec<i64> = cuts.into_iter().collect();
        cuts.chunks_exact(2).map(|pair| (pair[0] * 15, pair[1] * 15)).collect()
    })
}

fn lives() -> impl Strategy<Value = Life> {
    let week = prop::array::uniform7(spans());
    let around = || -6_i64..=8;
    let holidays = prop::collection::btree_set(around(), 0..3);
    let exceptions = prop::collection::btree_map(around(), spans(), 0..3);
    let pauses = prop::collection::btree_set(0_i64..6_000, 0..=6);
    (
        0..ZONES.len(),
        week,
        holidays,
        exceptions,
        -3_000_i64..3_000,
        0_i64..6_000,
        -10_i64..3_000,
        pauses,
    )
        .prop_map(|(zone, week, holidays, exceptions, offset, length, span, cuts)| {
            let (zone, change) = ZONES[zone];
            let start = at(change).0 / MINUTE + offset;
            let cuts: Vec<i64> = cuts.into_iter().collect();
            let pauses =
                cuts.chunks_exact(2).map(|pair| (start + pair[0], start + pair[1])).collect();
            Life { zone, week, holidays, exceptions, start, length, span, pauses }
        })
}

impl Life {
    fn day(&self, days: i64) -> Date {
        let zone = TimeZone::get(self.zone).unwrap();
        let first = jiff::Timestamp::from_second(self.start * 60).unwrap();
        zone.to_datetime(first).date().checked_add(days.days()).unwrap()
    }

    fn calendar(&self) -> Result<Calendar, CalendarError> {
        let clock = |minute: i64| {
            let (hour, minute) =
                (i8::try_from(minute / 60).unwrap(), i8::try_from(minute % 60).unwrap());
            (hour < 24).then(|| Time::constant(hour, minute, 0, 0))
        };
        let hours = |spans: &Vec<(i64, i64)>| {
            let one =
                |(from, to): &(i64, i64)| Hours { from: clock(*from).unwrap(), to: clock(*to) };
            spans.iter().map(one).collect::<Vec<_>>()
        };
        let days = Weekday::Monday.cycle_forward().zip(&self.week);
        let week = days.fold(Week::default(), |week, (day, spans)| week.with(day, hours(spans)));
        let holidays = self.holidays.iter().map(|day| self.day(*day)).collect();
        let dates = self.exceptions.iter().map(|(day, spans)| (self.day(*day), hours(spans)));
        Calendar::new(TimeZone::get(self.zone).unwrap(), week, holidays, dates.collect())
    }

    /// Every minute that is open from `start` on, for `count` minutes, one by one.
    fn open(&self, count: i64) -> Vec<bool> {
        let zone = TimeZone::get(self.zone).unwrap();
        let offset = |minute: i64| {
            let at = jiff::Timestamp::from_second(minute * 60).unwrap();
            i64::from(zone.to_offset(at).seconds()) / 60
        };
        // The obvious reading of a local minute: the first instant that shows it; where none does,
        // the offset of a day before.
        let instant = |local: i64| {
            let shown = |offset_at: i64| {
                let at = local - offset(offset_at);
                (at + offset(at) == local).then_some(at)
            };
            let (early, late) = (local - 1_560, local + 1_560);
            let found = [early, late].into_iter().filter_map(shown).min();
            found.unwrap_or_else(|| local - offset(early))
        };
        let mut open = vec![false; usize::try_from(count).unwrap()];
        for day in -4..=count / 1_440 + 4 {
            let date = self.day(day);
            let spans = match (self.exceptions.get(&day), self.holidays.contains(&day)) {
                (Some(spans), _) => spans.clone(),
                (None, true) => vec![],
                (None, false) => {
                    let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap();
                    self.week[weekday].clone()
                }
            };
            let midnight =
                TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).unwrap().as_second() / 60;
            for (from, to) in spans {
                for minute in instant(midnight + from)..instant(midnight + to) {
                    let place = usize::try_from(minute - self.start).ok();
                    if let Some(place) = place.and_then(|place| open.get_mut(place)) {
                        *place = true;
                    }
                }
            }
        }
        for (from, to) in &self.pauses {
            for minute in *from..*to {
                let place = usize::try_from(minute - self.start).ok();
                if let Some(place) = place.and_then(|place| open.get_mut(place)) {
                    *place = false;
                }
            }
        }
        open
    }
}

#[test]
fn any_calendar_counts_as_minute_by_minute() {
    const MINUTES: i64 = 12_000;
    let cases = if std::env::var_os("ATALAYA_LONG").is_some() { 100_000 } else { 2_000 };
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let reached = Cell::new(0_u32);
    runner
        .run(&lives(), |life| {
            let Ok(calendar) = life.calendar() else { return Ok(()) };
            let pause = |(from, to): &(i64, i64)| Pause {
                from: Timestamp(from * MINUTE),
                to: Some(Timestamp(to * MINUTE)),
            };
            let pauses: Vec<_> = life.pauses.iter().map(pause).collect();
            let open = life.open(MINUTES);
            let (start, length) =
                (Timestamp(life.start * MINUTE), usize::try_from(life.length).unwrap());
            let worked = open.iter().take(length).filter(|open| **open).count();
            let end = start.plus(Span(life.length * MINUTE));
            let counted = calendar.worked(start, end, &pauses);
            prop_assert_eq!(counted, minutes(i64::try_from(worked).unwrap()));
            let mut left = life.span;
            let passed = open.iter().position(|open| {
                left -= i64::from(*open);
                left <= 0 && *open
            });
            let due = calendar.reached(start, minutes(life.span), &pauses);
            if life.span <= 0 {
                prop_assert_eq!(due, Some(start));
            } else if let Some(passed) = passed {
                let passed = i64::try_from(passed).unwrap() + 1;
                prop_assert_eq!(due, Some(start.plus(minutes(passed))));
                reached.set(reached.get() + 1);
            } else {
                prop_assert!(due.is_none_or(|due| due > start.plus(minutes(MINUTES))));
            }
            let told = calendar.told(start, end);
            let mut from = start;
            for (begin, stop, _) in &told {
                prop_assert_eq!(*begin, from);
                from = *stop;
            }
            prop_assert_eq!(from, end.max(start));
            Ok(())
        })
        .unwrap();
    assert!(cases / 3 < reached.get(), "only {} of {cases} came to an end", reached.get());
}
