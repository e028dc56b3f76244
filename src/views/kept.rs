//! The wallboard as bytes, and back: so that a start need not fold it from the whole log.
//!
//! What comes back is equal to what was kept and goes on the same, once it has been told the
//! contacts that are there ([`Wallboard::found`]). A board of another time zone or
//! of another version does not come back: then it is folded from the log. Where the bytes lie, and
//! that they are as of the same instant as the states, is the journal's business.

use std::collections::{BTreeMap, BTreeSet};

use atalaya_domain::State;
use atalaya_domain::agent::{Agent, Tally};
use atalaya_domain::ids::{AgentId, ContactId, EntityId, QueueId};
use atalaya_domain::queue::Queue;
use atalaya_domain::time::{Span, Timestamp};
use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cells::{Cell, CellV1, Cells, counts_from, counts_of};
use super::figures::{Day, Frame, HOUR, QUARTER, Recent, Window};
use super::meter::Meter;
use super::roster::{Held, Roster};
use super::wallboard::{Line, Wallboard, local_day};
use crate::journal::records::{entity_key, entity_of};
use crate::journal::states::{decode_state, encode_state};

/// Begins every kept board: a change of any struct below is another version.
const VERSION: u8 = 2;
/// Most bytes that reading a board may ask for; past it, it is folded from the log.
const KEPT_BYTES_MAX: usize = 256 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct BoardV2 {
    time_zone: String,
    seq: u64,
    now: i64,
    today: Option<(i64, i64)>,
    queues: Vec<(String, LineV2)>,
    agents: Vec<(String, HeldV2)>,
    names: Vec<(String, String)>,
    quarantined: Vec<(String, i64)>,
    contacts: Vec<(Id, String)>,
    alerts: Vec<((u8, Vec<u8>), i64, String)>,
    counted: Vec<(String, Vec<u64>)>,
    out_of_service: Vec<(Id, i64)>,
    told: i64,
    settled: i64,
    cells: Vec<(i64, String, CellV1)>,
}

type Id = [u8; 16];

#[derive(Serialize, Deserialize)]
struct LineV2 {
    /// Rules and status, as a queue's state.
    queue: Vec<u8>,
    waiting: Vec<(i64, Id)>,
    active: Vec<Id>,
    today: DayV2,
    /// The last 15 min, and the last hour.
    windows: [Vec<(i64, RecentV2)>; 2],
}

#[derive(Serialize, Deserialize)]
struct HeldV2 {
    agent: Vec<u8>,
    /// Offered, accepted, handled, missed, rejected.
    midnight: [u64; 5],
    not_ready: i64,
}

#[derive(Serialize, Deserialize)]
struct DayV2 {
    sums: CellV1,
    carried_over: u64,
}

/// Offered; the counts of all, and of those who came under a target.
#[derive(Serialize, Deserialize)]
struct RecentV2(u64, [u64; 5], [u64; 5]);

impl Wallboard {
    /// All that the board holds. Empty where something in it cannot be kept, which does not come
    /// back.
    pub fn keep(&self) -> Vec<u8> {
        let Some(board) = board_of(self) else { return Vec::new() };
        let mut bytes = vec![VERSION];
        match bincode::serde::encode_into_std_write(&board, &mut bytes, config()) {
            Ok(_) => bytes,
            Err(_) => Vec::new(),
        }
    }

    /// The board that `bytes` are, if its days turn at the midnights of `time_zone`.
    pub fn restore(bytes: &[u8], time_zone: TimeZone) -> Option<Self> {
        let (version, content) = bytes.split_first()?;
        if *version != VERSION {
            return None;
        }
        let read = bincode::serde::decode_from_slice::<BoardV2, _>(content, config());
        let (board, length) = read.ok()?;
        let whole = length == content.len() && time_zone.iana_name() == Some(&board.time_zone);
        if whole { restored(board, time_zone) } else { None }
    }
}

fn config() -> Configuration<LittleEndian, Varint, Limit<KEPT_BYTES_MAX>> {
    bincode::config::standard().with_limit::<KEPT_BYTES_MAX>()
}

fn board_of(board: &Wallboard) -> Option<BoardV2> {
    // What the checker found is not of the log: it finds it again.
    let Wallboard { time_zone, seq, now, today, queues, roster, contacts, alerts, .. } = board;
    let Roster { agents, names, quarantined } = roster;
    let queues = queues.iter().map(|(id, line)| Some((id.to_string(), line_of(line)?)));
    let agents = agents.iter().map(|(id, held)| Some((id.to_string(), held_of(held)?)));
    let alerts = alerts.iter().map(|(id, (at, why))| (entity_key(id), at.0, why.clone()));
    let (out, cells) = (board.quarantined.iter(), board.cells.here.iter());
    Some(BoardV2 {
        time_zone: time_zone.iana_name()?.to_owned(),
        seq: *seq,
        now: now.0,
        today: today.map(|(from, to)| (from.0, to.0)),
        queues: queues.collect::<Option<_>>()?,
        agents: agents.collect::<Option<_>>()?,
        names: names.iter().map(|(id, name)| (id.to_string(), name.clone())).collect(),
        quarantined: quarantined.iter().map(|(id, at)| (id.to_string(), at.0)).collect(),
        contacts: contacts.iter().map(|(id, at)| (id.0.into_bytes(), at.to_string())).collect(),
        alerts: alerts.collect(),
        counted: board.meter.numbers(),
        out_of_service: out.map(|(id, at)| (id.0.into_bytes(), at.0)).collect(),
        told: board.cells.told.0,
        settled: board.cells.settled.0,
        cells: cells.map(|((at, id), cell)| (*at, id.to_string(), cell.into())).collect(),
    })
}

fn restored(board: BoardV2, time_zone: TimeZone) -> Option<Wallboard> {
    let now = Timestamp(board.now);
    let today = board.today.map(|(from, to)| (Timestamp(from), Timestamp(to)));
    // The time zone's rules may be other than they were.
    if today.is_some_and(|today| today != local_day(&time_zone, now)) {
        return None;
    }
    let queue = |text: &str| QueueId::new(text).ok();
    let agent = |text: &str| AgentId::new(text).ok();
    let queues = board.queues.into_iter().map(|(id, line)| Some((queue(&id)?, line_from(line)?)));
    let agents = board.agents.into_iter().map(|(id, held)| Some((agent(&id)?, held_from(&held)?)));
    let names = board.names.into_iter().map(|(id, name)| Some((agent(&id)?, name)));
    let quarantined = board.quarantined.iter().map(|(id, at)| Some((agent(id)?, Timestamp(*at))));
    let contacts = board.contacts.iter().map(|(id, at)| Some((contact(*id), queue(at)?)));
    let alerts = board
        .alerts
        .into_iter()
        .map(|((kind, id), at, why)| Some((entity_of(kind, &id).ok()?, (Timestamp(at), why))));
    let out = board.out_of_service.iter();
    let cells = board.cells.into_iter();
    let cells = cells.map(|(at, id, cell)| Some(((at, queue(&id)?), Cell::from(cell))));
    let roster = Roster {
        agents: agents.collect::<Option<BTreeMap<_, _>>>()?,
        names: names.collect::<Option<BTreeMap<_, _>>>()?,
        quarantined: quarantined.collect::<Option<BTreeMap<_, _>>>()?,
    };
    Some(Wallboard {
        seq: board.seq,
        now,
        today,
        queues: queues.collect::<Option<BTreeMap<_, _>>>()?,
        roster,
        contacts: contacts.collect::<Option<BTreeMap<_, _>>>()?,
        alerts: alerts.collect::<Option<BTreeMap<EntityId, _>>>()?,
        meter: Meter::of_numbers(&board.counted)?,
        quarantined: out.map(|(id, at)| (contact(*id), Timestamp(*at))).collect(),
        cells: Cells {
            here: cells.collect::<Option<BTreeMap<_, _>>>()?,
            told: Timestamp(board.told),
            settled: Timestamp(board.settled),
        },
        ..Wallboard::new(time_zone)
    })
}

fn contact(id: Id) -> ContactId {
    ContactId(Uuid::from_bytes(id))
}

fn line_of(line: &Line) -> Option<LineV2> {
    let Line { rules, status, waiting, active, today, windows } = line;
    let queue = Queue { rules: rules.clone(), status: *status, ..Queue::default() };
    Some(LineV2 {
        queue: encode_state(&State::Queue(queue)).ok()?,
        waiting: waiting.iter().map(|(at, id)| (at.0, id.0.into_bytes())).collect(),
        active: active.iter().map(|id| id.0.into_bytes()).collect(),
        today: day_of(today),
        windows: windows.each_ref().map(window_of),
    })
}

fn line_from(line: LineV2) -> Option<Line> {
    let Ok(State::Queue(queue)) = decode_state(&line.queue) else { return None };
    let waiting = line.waiting.iter().map(|(at, id)| (Timestamp(*at), contact(*id)));
    let [quarter, hour] = &line.windows;
    Some(Line {
        rules: queue.rules,
        status: queue.status,
        waiting: waiting.collect::<BTreeSet<_>>(),
        active: line.active.iter().map(|id| contact(*id)).collect(),
        today: day_from(line.today),
        windows: [window_from(QUARTER, quarter), window_from(HOUR, hour)],
    })
}

fn held_of(held: &Held) -> Option<HeldV2> {
    let Held { agent, midnight } = held;
    let Tally { offered, accepted, handled, missed, rejected, not_ready } = *midnight;
    Some(HeldV2 {
        agent: encode_state(&State::Agent(Agent::clone(agent))).ok()?,
        midnight: [offered, accepted, handled, missed, rejected],
        not_ready: not_ready.0,
    })
}

fn held_from(held: &HeldV2) -> Option<Held> {
    let Ok(State::Agent(agent)) = decode_state(&held.agent) else { return None };
    let [offered, accepted, handled, missed, rejected] = held.midnight;
    let not_ready = Span(held.not_ready);
    let midnight = Tally { offered, accepted, handled, missed, rejected, not_ready };
    Some(Held { agent, midnight })
}

fn window_of(window: &Window) -> Vec<(i64, RecentV2)> {
    let kept = |(slice, recent): &(i64, Recent)| {
        let Recent { offered, counts, level } = recent;
        (*slice, RecentV2(*offered, counts_of(counts), counts_of(level)))
    };
    window.slices.iter().map(kept).collect()
}

fn window_from(frame: Frame, slices: &[(i64, RecentV2)]) -> Window {
    let slice = |(slice, recent): &(i64, RecentV2)| {
        let RecentV2(offered, counts, level) = *recent;
        let (counts, level) = (counts_from(counts), counts_from(level));
        (*slice, Recent { offered, counts, level })
    };
    Window { frame, slices: slices.iter().map(slice).collect() }
}

fn day_of(day: &Day) -> DayV2 {
    let Day { sums, carried_over } = *day;
    DayV2 { sums: (&Cell { sums, ..Cell::default() }).into(), carried_over }
}

fn day_from(day: DayV2) -> Day {
    Day { sums: Cell::from(day.sums).sums, carried_over: day.carried_over }
}
