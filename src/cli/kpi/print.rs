//! The figures by name, as text for people, JSON or CSV. No figure: "—", `null`, an empty field.

use std::io::{self, Write};

use atalaya_domain::kpi::{Bounds, Figures, Treatment, service_level};
use serde_json::{Map, Value, json};

/// A group's members and its figures.
pub(super) type Shown = (Vec<(&'static str, String)>, Figures);

/// How many figures a group has.
const FIGURES: usize = 23;

/// A figure, by how people read it.
#[derive(Clone, Copy)]
enum Figure {
    Count(u64),
    Share(Option<f64>),
    Seconds(Option<f64>),
}

impl Figure {
    fn value(self) -> Value {
        match self {
            Self::Count(count) => json!(count),
            Self::Share(value) | Self::Seconds(value) => json!(value),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Share(Some(share)) => format!("{:.2} %", share * 100.0),
            Self::Seconds(Some(seconds)) => format!("{seconds:.2} s"),
            Self::Share(None) | Self::Seconds(None) => "—".to_owned(),
        }
    }
}

/// Every figure by its name, in the order in which they are written.
fn named(figures: &Figures) -> [(&'static str, Figure); FIGURES] {
    use Figure::{Count, Seconds, Share};
    let counts = &figures.counts;
    let level = |treatment| Share(service_level(counts, treatment));
    [
        ("offered", Count(figures.offered)),
        ("answered", Count(counts.answered)),
        ("abandoned", Count(counts.abandoned)),
        ("short_abandoned", Count(counts.short_abandoned)),
        ("refused", Count(figures.refused)),
        ("answered_within", Count(counts.answered_within)),
        ("abandoned_within", Count(counts.abandoned_within)),
        ("service_level", level(Treatment::Standard)),
        ("service_level_all", level(Treatment::All)),
        ("service_level_abandons_ignored", level(Treatment::AbandonsIgnored)),
        ("service_level_abandons_in_time_count", level(Treatment::AbandonsInTimeCount)),
        ("service_level_abandons_within_ignored", level(Treatment::AbandonsWithinIgnored)),
        ("asa_s", Seconds(figures.asa_s)),
        ("mean_wait_s", Seconds(figures.mean_wait_s)),
        ("mean_wait_abandoned_s", Seconds(figures.mean_wait_abandoned_s)),
        ("talk_mean_s", Seconds(figures.talk_mean_s)),
        ("abandonment_rate", Share(figures.abandonment_rate)),
        ("abandonment", Share(figures.abandonment)),
        ("max_wait_s", Seconds(figures.max_wait_s)),
        ("wait_p50_s", Seconds(figures.wait_p50_s)),
        ("wait_p90_s", Seconds(figures.wait_p90_s)),
        ("on_bound_within", Count(figures.on_bound_within)),
        ("on_bound_short", Count(figures.on_bound_short)),
    ]
}

pub(super) fn text(groups: &[Shown], bounds: Bounds, to: &mut impl Write) -> io::Result<()> {
    let Bounds { within, short_abandon } = bounds;
    writeln!(to, "Within {within}, short abandons within {short_abandon}, both inclusive")?;
    if groups.is_empty() {
        writeln!(to, "No contacts, so no groups")?;
    }
    for (members, figures) in groups {
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let title = if members.is_empty() { "All contacts".into() } else { members.join(", ") };
        writeln!(to, "\n{title}")?;
        for (name, figure) in named(figures) {
            writeln!(to, "  {name:<37} {:>12}", figure.text())?;
        }
    }
    Ok(())
}

pub(super) fn json(groups: &[Shown], to: &mut impl Write) -> io::Result<()> {
    let objects = groups.iter().map(|(members, figures)| {
        let group: Map<String, Value> =
            members.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let mut object = Map::from_iter([("group".to_owned(), Value::Object(group))]);
        let figures = named(figures).map(|(name, figure)| (name.to_owned(), figure.value()));
        object.extend(figures);
        Value::Object(object)
    });
    writeln!(to, "{}", objects.collect::<Value>())
}

pub(super) fn csv(
    titles: &[&'static str],
    groups: &[Shown],
    to: &mut impl Write,
) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(to);
    // The names stand above nothing, too.
    let names = named(&Figures::default()).map(|(name, _)| name);
    csv.write_record(titles.iter().chain(&names))?;
    for (members, figures) in groups {
        let members = members.iter().map(|(_, value)| value.clone());
        let figures = named(figures).map(|(_, figure)| match figure.value() {
            Value::Null => String::new(),
            value => value.to_string(),
        });
        csv.write_record(members.chain(figures))?;
    }
    csv.flush()
}
