//! What the centre is: its queues and people, read from the text that `serve` is given too, and
//! how much its callers ask of it.
//!
//! The figures of [`LINES`] and [`HALF_HOURS`] are those of a model of such a centre: the mix of
//! questions is given by it, the hours, the profile of the day and the handling times are the
//! model's own assumptions. What is the demo's own assumption says so. Callers and the behaviour of
//! agents are not here.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::DemoError;
use crate::client::{Client, ClientError};

/// The centre as an operator writes it: the same file serves `serve`.
pub const TEXT: &str = include_str!("../../config/atalaya.toml");
/// Where the text lies, for messages about it.
pub const FILE: &str = "config/atalaya.toml";

/// Calls an hour from 09:00 on, by half hours, on a working day: attempts of the model's 8,750 a
/// day by its profile.
pub const HALF_HOURS: [f64; 22] = [
    863.7, 993.9, 1033.0, 1017.1, 977.6, 930.6, 877.4, 852.2, 843.6, 870.9, 877.1, 887.8, 847.7,
    867.8, 842.5, 781.6, 659.0, 594.5, 560.3, 495.5, 435.0, 391.3,
];
/// The share of attempts that call in the demo. Its own assumption: the others are people who call
/// again because nobody answered, and here nobody is made to.
pub const DEMAND: f64 = 0.55;
/// Calls an hour at night and on weekends, of the whole demo. Its own assumption, so that a board
/// that is left alone never dies.
pub const NIGHT_PER_HOUR: f64 = 30.0;
/// The hours of the centre, as seconds of the day: the model's assumption.
pub const OPENS_S: f64 = 9.0 * 3600.0;
/// When the morning hands over to the afternoon.
pub const TURNS_S: f64 = 15.0 * 3600.0;
/// When the afternoon ends.
pub const CLOSES_S: f64 = 20.0 * 3600.0;
/// Mean wrap-up in centre seconds; the model's handling times have it in them.
pub const WRAP_UP_MEAN_S: f64 = 40.0;
/// What each agent and caller of the zone lives by, where the text names none.
const TIME_ZONE: &str = "Europe/Madrid";

/// What a queue's callers want: its slug, their share in percent, the mean handling time in
/// seconds, and what the screen shows.
type Wants = (&'static str, f64, f64, &'static [&'static str]);

/// Who calls which queue; one that is not here has no callers.
pub const LINES: [Wants; 10] = [
    (
        "informacion_general_pensiones",
        27.61,
        380.7,
        &["Requisitos de jubilación", "Revalorización", "Pensión de viudedad"],
    ),
    (
        "informacion_general_subsidios",
        17.64,
        401.9,
        &["Incapacidad temporal", "Nacimiento y cuidado", "Riesgo en el embarazo"],
    ),
    (
        "tramites_subsidios",
        5.77,
        486.5,
        &["Presentar documentos", "Estado del subsidio", "Pago directo"],
    ),
    (
        "tramites_pensiones",
        7.63,
        528.8,
        &["Estado de mi solicitud", "Presentar documentos", "Anticipo de jubilación"],
    ),
    ("variaciones", 3.66, 549.9, &["Cambio de cuenta", "Cambio de domicilio", "Retención de IRPF"]),
    ("cuantias", 8.42, 338.4, &["Importe de la pensión", "Paga extra", "Atrasos"]),
    (
        "asistencia_sanitaria_seguro_escolar_sindrome_toxico",
        7.86,
        465.3,
        &["Tarjeta sanitaria europea", "Beneficiarios", "Seguro escolar"],
    ),
    ("certificados", 1.98, 296.1, &["Certificado de pensión", "Certificado negativo"]),
    ("otros", 18.75, 465.3, &["Cita previa", "Vida laboral", "Otra administración"]),
    ("sin_clasificar", 0.68, 423.0, &["Sin clasificar"]),
];

/// One queue and who calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its slug.
    pub id: String,
    /// The body of its PUT.
    pub body: Value,
    /// Its part of the callers, of any whole.
    pub share: f64,
    /// Mean seconds of talk.
    pub talk_mean_s: f64,
    /// What callers want.
    pub subjects: &'static [&'static str],
}

/// When somebody works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// From [`OPENS_S`] to [`TURNS_S`].
    Morning,
    /// From [`TURNS_S`] to [`CLOSES_S`].
    Afternoon,
}

/// One agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The slug.
    pub id: String,
    /// Which of all, from 1: what its chance grows from.
    pub number: u64,
    /// 1 or 2.
    pub level: u8,
    /// When they work; a team whose name begins with `afternoon` comes in the afternoon.
    pub shift: Shift,
    /// The body of the PUT.
    pub body: Value,
}

/// The whole.
#[derive(Debug, Clone)]
pub struct Centre {
    /// The queues.
    pub lines: Vec<Line>,
    /// The agents.
    pub people: Vec<Person>,
    /// Whose hours it keeps.
    pub time_zone: TimeZone,
    /// What the rates of [`HALF_HOURS`] and [`NIGHT_PER_HOUR`] are multiplied with.
    pub size: f64,
}

impl Centre {
    /// The centre of [`TEXT`].
    pub fn whole() -> Result<Self, DemoError> {
        let table: toml::Table = toml::from_str(TEXT).map_err(|error| unreadable(&error))?;
        let value = serde_json::to_value(table).map_err(|error| unreadable(&error))?;
        let tables = |name: &str| value[name].as_array().cloned().unwrap_or_default();
        let lines = tables("queue").into_iter().filter_map(line).collect();
        let mut people: Vec<Person> = tables("agents").into_iter().filter_map(person).collect();
        for (number, person) in (1..).zip(&mut people) {
            person.number = number;
        }
        let zone = value["centre"]["time_zone"].as_str().unwrap_or(TIME_ZONE);
        let time_zone = TimeZone::get(zone).map_err(|error| unreadable(&error))?;
        Ok(Self { lines, people, time_zone, size: 1.0 })
    }

    /// A smaller centre: one in `parts` of its people, and as much fewer callers.
    pub fn part(parts: u32) -> Result<Self, DemoError> {
        let mut centre = Self::whole()?;
        let parts = parts.max(1);
        centre.people.retain(|person| person.number.is_multiple_of(u64::from(parts)));
        centre.size /= f64::from(parts);
        Ok(centre)
    }

    /// The queue of this slug.
    pub fn line(&self, id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> DemoError {
    DemoError::Centre(error.to_string())
}

/// Takes what says which one it is out of a table.
fn taken(table: &mut Map<String, Value>, key: &str) -> Option<String> {
    table.remove(key)?.as_str().map(str::to_owned)
}

fn line(table: Value) -> Option<Line> {
    let Value::Object(mut table) = table else { return None };
    let id = taken(&mut table, "id")?;
    // What the file may leave out, a PUT asks for.
    table.entry("name").or_insert_with(|| id.clone().into());
    table.entry("channel").or_insert_with(|| "voice".into());
    let wants = LINES.iter().find(|(line, ..)| *line == id);
    let (share, handle_s, subjects) = wants
        .map_or((0.0, 0.0, &[][..]), |(_, share, handle_s, subjects)| {
            (*share, *handle_s, *subjects)
        });
    let talk_mean_s = (handle_s - WRAP_UP_MEAN_S).max(WRAP_UP_MEAN_S);
    Some(Line { id, body: Value::Object(table), share, talk_mean_s, subjects })
}

fn person(table: Value) -> Option<Person> {
    let Value::Object(mut table) = table else { return None };
    let id = taken(&mut table, "id")?;
    table.entry("name").or_insert_with(|| id.clone().into());
    table.entry("capacity").or_insert_with(|| serde_json::json!({"voice": 1}));
    let level = table.get("level").and_then(Value::as_u64).unwrap_or(1);
    let team = table.get("team").and_then(Value::as_str).unwrap_or_default();
    let shift = if team.starts_with("afternoon") { Shift::Afternoon } else { Shift::Morning };
    let level = u8::try_from(level).unwrap_or(1);
    Some(Person { id, number: 0, level, shift, body: Value::Object(table) })
}

/// Makes the queues and agents that are not there; those that are stay as they stand.
pub async fn set_up(client: &Client, centre: &Centre) -> Result<(), ClientError> {
    let there = ids(client, "/api/v1/queues").await?;
    for line in centre.lines.iter().filter(|line| !there.contains(&line.id)) {
        client.put(&format!("/api/v1/queues/{}", line.id), &line.body).await?;
    }
    let there = ids(client, "/api/v1/agents").await?;
    let missing = centre.people.iter().filter(|person| !there.contains(&person.id));
    let made = missing.map(|person| async move {
        client.put(&format!("/api/v1/agents/{}", person.id), &person.body).await
    });
    futures_util::future::try_join_all(made).await?;
    Ok(())
}

/// The ids of a list.
async fn ids(client: &Client, path: &str) -> Result<Vec<String>, ClientError> {
    let items = client.list(path).await?;
    let id = |item: Value| item["id"].as_str().map(str::to_owned);
    Ok(items.into_iter().filter_map(id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_the_models() {
        let centre = Centre::whole().unwrap();
        let count = |shift| centre.people.iter().filter(|person| person.shift == shift).count();
        assert_eq!((count(Shift::Morning), count(Shift::Afternoon)), (129, 35));
        assert_eq!(centre.people.iter().filter(|person| person.level == 2).count(), 34);
        let called: Vec<_> = centre.lines.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(called, LINES.map(|(id, ..)| id), "each queue has its callers");
        for line in &centre.lines {
            let short = line.body["short_name"].as_str().unwrap();
            assert!((1..=24).contains(&short.chars().count()), "{short}");
            // A board without thresholds never says that something is wrong.
            for figure in ["longest_wait", "waiting", "service_level"] {
                let bound = &line.body["thresholds"][figure];
                let bounds = [&bound["warning"], &bound["critical"]];
                assert!(!bounds.contains(&&Value::Null), "{}: no {figure}", line.id);
            }
        }
        let whole: f64 = centre.lines.iter().map(|line| line.share).sum();
        assert!((whole - 100.0).abs() < 0.001, "{whole}");
    }

    #[test]
    fn a_part_has_both_shifts_and_levels() {
        let part = Centre::part(7).unwrap();
        assert_eq!(part.people.len(), 23);
        let has = |of: &dyn Fn(&Person) -> bool| part.people.iter().any(of);
        assert!(has(&|person| person.shift == Shift::Afternoon && person.level == 2));
        assert!(has(&|person| person.shift == Shift::Morning && person.level == 2));
    }
}
