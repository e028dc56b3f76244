//! What the description says of members, and the words that some of them are limited to.
//!
//! The words are the program's own lists; sentences are for readers and bind nobody.

use atalaya_domain::agent::Kind;
use atalaya_domain::explain::Rule;
use atalaya_domain::queue::Status;

use crate::api::contacts::STATES;
use crate::api::roles::Role;

/// What all of it is about.
pub(super) const ABOUT: &str = "Atalaya supervises a contact centre live.\n\n\
    Bodies are JSON, times RFC 3339 in UTC, durations a number and one unit (`\"20s\"`). Unknown \
    fields and query parameters are refused and named. A field that may be left out may be null \
    too, which says the same; so may one that this version does not carry out, and it is refused \
    (422) with any other value. Errors are RFC 9457 problems whose `type` is stable. A method that a path does not have is answered 405 with `Allow`; a path that is not \
    here, 404.\n\n\
    A write answers with the entity as it is after the commit, its version as `ETag`, and the \
    log's number as `Atalaya-Seq`; what is read afterwards has it.\n\n\
    **Personal data.** Slugs (ids of agents, queues, teams, skills, reasons), `external_id`, \
    `outcome` and `topic` are not personal: they stand in events and in histories, and stay in the \
    log. Put nothing about a person into them. Personal are `from`, `subject`, an \
    agent's `name` and a `why`: they are kept apart from events, and masked for whom they are \
    not to be shown.\n\n\
    Sockets (`/ws`, subprotocol `atalaya.v1.json`) carry commands with the bodies that are \
    described here, plus the parameters of their paths by name.";

/// What is said of a member wherever it occurs, or of one schema only.
pub(super) fn of_member(schema: &str, member: &str) -> Option<&'static str> {
    Some(match (schema, member) {
        (_, "external_id") => "The other system's name for it. Not personal: it stands in events.",
        (_, "outcome") => "How it went. Not personal: it stands in events.",
        (_, "topic") => "What it was about, as a word. Not personal: it stands in events.",
        ("Contact", "from") => {
            "The other side's address. Personal: masked for whom it is not to be shown."
        }
        ("Contact", "subject") => {
            "What it is about, in free text. Personal: empty for whom it is not to be shown."
        }
        ("Agent", "name") => "Personal; initials for a token of scope read.",
        ("Contact", "position") => "Place in the order of service of its queue, from 1.",
        (_, "version") => "Counts the entity's events; the `ETag`.",
        ("Event" | "Wallboard" | "Explanation" | "Report", "seq") => "The log's number.",
        ("Event", "observed_at") => "When it was done, if later than it fell due.",
        ("Event", "by") => "Who caused it: `agent:ID`, `token:ID`, `system`.",
        ("Event", "entity") => "Whose event it is, as `kind:id`.",
        ("Event", "data") => "By event; nothing personal is in it.",
        (_, "since") => "Since when; readers count from it.",
        ("Explanation", "rules") => {
            "Each agent counted once, at the first rule that stops them, in this order."
        }
        ("Explanation", "stops") => "Agents whom this rule is the first to stop.",
        ("Explanation", "left") => "Agents whom neither this rule nor one before it stops.",
        ("Explanation", "free_agents") => "Agents who could take it now under this requirement.",
        ("Explanation", "order") => "Null for a contact that does not wait.",
        ("Explanation", "ahead") => "Who is served before, at most 100.",
        ("Explanation", "nearest") => "Who is nearest to being able to take it, at most five.",
        ("Explanation", "able_at") => "When the rule stops them no more, if that is known.",
        ("Explanation" | "Event", "decision") => {
            "Why this agent, as it was recorded when the offer was made."
        }
        ("Explanation", "key") => "What the order of service goes by.",
        (_, "next_cursor") => "What to ask for as `cursor`; null: nothing follows.",
        (_, "epoch") => "The log's; another one after a restore.",
        ("Report", "closed") => {
            "The interval is past and all that began in it has ended: the row never changes again."
        }
        ("Report", "queue") => "`totals` in the row of all.",
        ("Report", "from" | "to") => "RFC 3339 with the time zone's offset.",
        ("Token", "ended") => "Whether it is over.",
        _ => return None,
    })
}

/// What is said of a parameter of a query.
pub(super) fn of_parameter(name: &str) -> &'static str {
    match name {
        "state" => "Only those in this state.",
        "team" => "Only those of this team.",
        "skill" => "Only those who have this skill.",
        "queue" => "Only those of this queue; of agents, those who meet what it requires.",
        "agent" => "Only those that this agent has or had last.",
        "external_id" => "Only the one that another system calls so.",
        "after" => "Only what comes after this number of the log.",
        "entity" => "Only the events of this contact, as `contact:ID`.",
        "epoch" => "Refused (410) if the log is of another.",
        "ticket" => "The link's secret.",
        "counted_in" => {
            "Only those whom this figure of the wallboard counts at `Atalaya-Seq` and \
             `Atalaya-At`: a queue or `totals`, a dot, and the figure, as \
             `pensions.abandoned_today`."
        }
        "from" => "RFC 3339, or a date: its midnight in the time zone. Left out: today's.",
        "to" => "Likewise; what lies before it is reported, in whole intervals. Left out: now.",
        "by" => "How long an interval is: 15m, 30m, 1h or 1d. Left out: 15m.",
        "time_zone" => {
            "Whose wall clock intervals follow, like Europe/Madrid. Left out: the centre's."
        }
        _ => "",
    }
}

/// The only words that a member may be.
pub(super) fn values(schema: &str, member: &str) -> Option<Vec<&'static str>> {
    Some(match (schema, member) {
        ("Contact" | "Explanation", "state") => STATES.to_vec(),
        ("Explanation", "rule") => Rule::ALL.map(Rule::name).to_vec(),
        ("Queue", "state") => {
            [Status::Open, Status::Closed, Status::EmergencyClosed].map(Status::name).to_vec()
        }
        ("Agent", "was") => Kind::ALL.map(Kind::name).to_vec(),
        ("Token", "role") => Role::ALL.map(Role::name).to_vec(),
        _ => return None,
    })
}
