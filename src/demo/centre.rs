//! What the small centre is: five queues, three teams on two levels, and how it is set up.
//!
//! Callers and the behaviour of agents are not here.

use serde_json::{Value, json};

use crate::client::{Client, ClientError};

/// One queue and who calls it.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Its slug.
    pub id: &'static str,
    /// Its name, as people read it.
    pub name: &'static str,
    /// The skill it asks for, and the least level of it; none: anyone answers.
    pub requires: Option<(&'static str, u8)>,
    /// Levels of agent that may answer.
    pub levels: &'static [u8],
    /// Mean calls an hour of centre time.
    pub calls_per_hour: f64,
    /// Mean length of a call, in seconds of centre time.
    pub talk_mean_s: f64,
    /// What callers want, as the screen shows it.
    pub subjects: &'static [&'static str],
    /// Seconds within which 80 of 100 are to be answered.
    pub target_s: u32,
}

/// The queues. Their calls are about what the agents can bear, at times a little more.
pub const LINES: [Line; 5] = [
    Line {
        id: "general",
        name: "Información general",
        requires: None,
        levels: &[1],
        calls_per_hour: 90.0,
        talk_mean_s: 130.0,
        subjects: &["Horario de oficinas", "Certificado digital", "Vida laboral"],
        target_s: 20,
    },
    Line {
        id: "pensions",
        name: "Pensiones",
        requires: Some(("pensions", 5)),
        levels: &[1, 2],
        calls_per_hour: 85.0,
        talk_mean_s: 210.0,
        subjects: &["Revalorización", "Pensión de viudedad", "Estado de mi solicitud"],
        target_s: 20,
    },
    Line {
        id: "benefits",
        name: "Prestaciones",
        requires: Some(("benefits", 5)),
        levels: &[1, 2],
        calls_per_hour: 65.0,
        talk_mean_s: 190.0,
        subjects: &["Nacimiento y cuidado", "Incapacidad temporal", "Ingreso mínimo vital"],
        target_s: 20,
    },
    Line {
        id: "appointments",
        name: "Cita previa",
        requires: Some(("appointments", 3)),
        levels: &[1],
        calls_per_hour: 60.0,
        talk_mean_s: 95.0,
        subjects: &["Pedir cita", "Cambiar la cita", "Anular la cita"],
        target_s: 30,
    },
    Line {
        id: "early-retirement",
        name: "Anticipo de jubilación",
        requires: Some(("pensions", 8)),
        levels: &[2],
        calls_per_hour: 30.0,
        talk_mean_s: 320.0,
        subjects: &["Coeficientes reductores", "Simular la jubilación", "Convenio especial"],
        target_s: 40,
    },
];

/// One agent.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// The slug.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
    /// The team.
    pub team: &'static str,
    /// 1 or 2.
    pub level: u8,
    /// Skills and their levels.
    pub skills: &'static [(&'static str, u8)],
    /// Whether Catalan is spoken beside Spanish.
    pub speaks_catalan: bool,
}

type Skills = &'static [(&'static str, u8)];

const BROAD: Skills = &[("pensions", 6), ("benefits", 6), ("appointments", 5)];
const PENSIONS: Skills = &[("pensions", 7), ("appointments", 5)];
const BENEFITS: Skills = &[("benefits", 7), ("appointments", 5)];
const EXPERT: Skills = &[("pensions", 9), ("benefits", 7)];

const fn person(
    (id, name): (&'static str, &'static str),
    team: &'static str,
    level: u8,
    skills: Skills,
    speaks_catalan: bool,
) -> Person {
    Person { id, name, team, level, skills, speaks_catalan }
}

const EARLY: &str = "morning-1";
const LATE: &str = "morning-2";
const SECOND: &str = "level-2";

/// The agents: two teams of the first level, one of the second.
pub const PEOPLE: [Person; 24] = [
    person(("ana.garcia", "Ana García"), EARLY, 1, BROAD, true),
    person(("luis.romero", "Luis Romero"), EARLY, 1, PENSIONS, false),
    person(("carmen.ortiz", "Carmen Ortiz"), EARLY, 1, BENEFITS, false),
    person(("javier.molina", "Javier Molina"), EARLY, 1, BROAD, false),
    person(("lucia.navarro", "Lucía Navarro"), EARLY, 1, PENSIONS, true),
    person(("pablo.serrano", "Pablo Serrano"), EARLY, 1, BENEFITS, false),
    person(("marta.iglesias", "Marta Iglesias"), EARLY, 1, BROAD, false),
    person(("sergio.castro", "Sergio Castro"), EARLY, 1, PENSIONS, false),
    person(("elena.vidal", "Elena Vidal"), EARLY, 1, BENEFITS, true),
    person(("raul.medina", "Raúl Medina"), LATE, 1, BROAD, false),
    person(("nuria.soler", "Núria Soler"), LATE, 1, PENSIONS, true),
    person(("david.cano", "David Cano"), LATE, 1, BENEFITS, false),
    person(("irene.prieto", "Irene Prieto"), LATE, 1, BROAD, false),
    person(("oscar.fuentes", "Óscar Fuentes"), LATE, 1, PENSIONS, false),
    person(("silvia.pascual", "Silvia Pascual"), LATE, 1, BENEFITS, false),
    person(("hugo.lorenzo", "Hugo Lorenzo"), LATE, 1, BROAD, true),
    person(("teresa.vega", "Teresa Vega"), LATE, 1, PENSIONS, false),
    person(("alvaro.reyes", "Álvaro Reyes"), LATE, 1, BENEFITS, false),
    person(("jordi.ferrer", "Jordi Ferrer"), SECOND, 2, EXPERT, true),
    person(("beatriz.santos", "Beatriz Santos"), SECOND, 2, EXPERT, false),
    person(("miguel.campos", "Miguel Campos"), SECOND, 2, EXPERT, false),
    person(("rosa.mendez", "Rosa Méndez"), SECOND, 2, EXPERT, false),
    person(("andres.gil", "Andrés Gil"), SECOND, 2, EXPERT, true),
    person(("pilar.cruz", "Pilar Cruz"), SECOND, 2, EXPERT, false),
];

impl Line {
    /// The body of its PUT.
    pub fn body(&self) -> Value {
        let requires: serde_json::Map<String, Value> =
            self.requires.iter().map(|(skill, least)| ((*skill).into(), (*least).into())).collect();
        json!({
            "name": self.name,
            "channel": "voice",
            "requires": requires,
            "levels": self.levels,
            "service_level": {"share": 0.8, "within": format!("{}s", self.target_s)},
            "max_waiting": 60,
            "offer_timeout": "20s",
            "wrap_up": "60s",
        })
    }
}

impl Person {
    /// The body of its PUT.
    pub fn body(&self) -> Value {
        let skills: serde_json::Map<String, Value> =
            self.skills.iter().map(|(skill, level)| ((*skill).into(), (*level).into())).collect();
        let languages: &[&str] = if self.speaks_catalan { &["es", "ca"] } else { &["es"] };
        json!({
            "name": self.name,
            "team": self.team,
            "level": self.level,
            "skills": skills,
            "languages": languages,
            "capacity": {"voice": 1},
        })
    }
}

/// Makes the queues and agents, or gives those that are there the demo's rules again.
pub async fn set_up(client: &Client) -> Result<(), ClientError> {
    for line in &LINES {
        client.put(&format!("/api/v1/queues/{}", line.id), &line.body()).await?;
    }
    for person in &PEOPLE {
        client.put(&format!("/api/v1/agents/{}", person.id), &person.body()).await?;
    }
    Ok(())
}
