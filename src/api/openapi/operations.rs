//! What each line of the table of roles does, takes and answers.
//!
//! Who may is the table's; fields and parameters are the handlers' own lists. What is said here
//! besides is held against the running server by the test of agreement.

use super::forms::{self, Form};
use crate::api::problem::Code;
use crate::api::{agents, contacts, events, reports, sessions};

/// What an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The schema of this name.
    One(&'static str),
    /// A page of it.
    Page(&'static str),
    /// A page of it, with the log's epoch.
    Stream(&'static str),
    /// It, or lines with the same.
    Report(&'static str),
    /// A page for people.
    Html,
    /// Prometheus' text.
    Metrics,
    /// Nothing.
    Empty,
}

/// How an operation works, which says what can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Reads, and looks at no query.
    Read,
    /// Reads, by a query whose every parameter is known.
    Query,
    /// The same, page by page.
    Page,
    /// Changes something, once for an idempotency key.
    Command,
    /// Replaces or ends something.
    Replace,
    /// Signs in or out.
    SignIn,
    /// Opens a socket.
    Socket,
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    /// The method.
    pub(super) method: &'static str,
    /// The path, as the table of roles has it.
    pub(super) path: &'static str,
    /// In one line.
    pub(super) summary: &'static str,
    /// How it works.
    pub(super) way: Way,
    /// Parameters of the query besides those of a page.
    pub(super) query: &'static [&'static str],
    /// The body.
    pub(super) form: Option<Form>,
    /// Answers that are no refusals.
    pub(super) answers: &'static [(u16, Shape)],
    /// Refusals besides those of its way.
    pub(super) codes: &'static [Code],
}

const fn op(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    way: Way,
    answers: &'static [(u16, Shape)],
) -> Operation {
    Operation { method, path, summary, way, query: &[], form: None, answers, codes: &[] }
}

const fn read(
    path: &'static str,
    summary: &'static str,
    shape: &'static [(u16, Shape)],
) -> Operation {
    op("GET", path, summary, Way::Read, shape)
}

/// A command to a contact.
const fn contact(
    path: &'static str,
    summary: &'static str,
    form: Form,
    codes: &'static [Code],
) -> Operation {
    let form = Some(form);
    Operation { form, codes, ..op("POST", path, summary, Way::Command, CONTACT) }
}

const CONTACT: &[(u16, Shape)] = &[(200, Shape::One("Contact"))];
const QUEUE: &[(u16, Shape)] = &[(200, Shape::One("Queue"))];
const HEALTH: &[(u16, Shape)] = &[(200, Shape::One("Health"))];
/// The offer or contact is another's, or has moved on.
const MOVED: &[Code] = &[Code::NotYours, Code::IllegalTransition];
const OFFER: &[Code] = &[Code::NotYours, Code::IllegalTransition, Code::OfferGone];
const EXTENSION: &[Code] = &[Code::NotYours, Code::IllegalTransition, Code::ExtendedAlready];

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[
    read("/health/live", "Whether the process lives.", &[(200, Shape::One("Life"))]),
    Operation {
        answers: &[(200, Shape::One("Health")), (503, Shape::One("Health"))],
        ..read("/health/ready", "Whether it takes work, and if not, why.", HEALTH)
    },
    read("/metrics", "The figures that Prometheus scrapes.", &[(200, Shape::Metrics)]),
    read("/api/openapi.json", "This description.", &[(200, Shape::One("Description"))]),
    read("/api/docs", "This description, as a page.", &[(200, Shape::Html)]),
    Operation {
        codes: &[Code::Malformed, Code::Overloaded],
        ..op("GET", "/ws", "Opens a socket.", Way::Socket, &[(101, Shape::Empty)])
    },
    op(
        "GET",
        "/api/v1/wallboard",
        "What the wallboard topic's snapshot holds.",
        Way::Query,
        &[(200, Shape::One("Wallboard"))],
    ),
    Operation {
        query: &reports::PARAMETERS,
        codes: &[Code::Invalid],
        ..op(
            "GET",
            "/api/v1/reports/intervals",
            "What became of those who arrived in each interval; by default today's quarters.",
            Way::Query,
            &[(200, Shape::Report("Report"))],
        )
    },
    Operation {
        query: &agents::FILTERS,
        ..op(
            "GET",
            "/api/v1/agents",
            "The roster, by id.",
            Way::Page,
            &[(200, Shape::Page("Agent"))],
        )
    },
    read("/api/v1/agents/{id}", "One agent.", &[(200, Shape::One("Agent"))]),
    Operation {
        form: Some(forms::PROFILE),
        codes: &[Code::TooManyProfiles],
        ..op(
            "PUT",
            "/api/v1/agents/{id}",
            "Creates an agent, or replaces the profile.",
            Way::Replace,
            &[(200, Shape::One("Agent")), (201, Shape::One("Agent"))],
        )
    },
    Operation {
        form: Some(forms::PRESENCE),
        codes: &[Code::IllegalTransition, Code::NoSession],
        ..op(
            "POST",
            "/api/v1/agents/{id}/presence",
            "What the agent wants to be; a supervisor forces it and says why.",
            Way::Command,
            &[(200, Shape::One("Agent"))],
        )
    },
    contact("/api/v1/agents/{id}/offers/{offer}/accept", "Takes an offer.", forms::NONE, OFFER),
    contact(
        "/api/v1/agents/{id}/offers/{offer}/reject",
        "Turns an offer down.",
        forms::REJECT,
        OFFER,
    ),
    op(
        "GET",
        "/api/v1/queues",
        "Rules and live figures, by id.",
        Way::Page,
        &[(200, Shape::Page("Queue"))],
    ),
    read("/api/v1/queues/{id}", "One queue.", QUEUE),
    Operation {
        form: Some(forms::RULES),
        ..op(
            "PUT",
            "/api/v1/queues/{id}",
            "Creates a queue, or replaces its rules for those who come after.",
            // Its query must be empty.
            Way::Replace,
            &[(200, Shape::One("Queue")), (201, Shape::One("Queue"))],
        )
    },
    Operation {
        form: Some(forms::OPEN),
        ..op("POST", "/api/v1/queues/{id}/open", "Takes arrivals again.", Way::Command, QUEUE)
    },
    Operation {
        form: Some(forms::CLOSE),
        ..op(
            "POST",
            "/api/v1/queues/{id}/close",
            "Takes no arrivals; in an emergency sends away who waits.",
            Way::Command,
            QUEUE,
        )
    },
    op(
        "GET",
        "/api/v1/queues/{id}/waiting",
        "Who waits, in the order of service; an agent sees queues that they serve.",
        Way::Page,
        &[(200, Shape::Page("Contact"))],
    ),
    Operation {
        query: &contacts::FILTERS,
        ..op(
            "GET",
            "/api/v1/contacts",
            "Contacts, oldest first; an agent sees those that they have or had last.",
            Way::Page,
            &[(200, Shape::Page("Contact"))],
        )
    },
    Operation {
        form: Some(forms::ARRIVAL),
        codes: &[Code::TooManyClasses],
        ..op(
            "POST",
            "/api/v1/contacts",
            "A contact comes; one that its queue refuses is made too, in state `refused`.",
            Way::Command,
            &[(201, Shape::One("Contact"))],
        )
    },
    read("/api/v1/contacts/{id}", "One contact.", CONTACT),
    Operation {
        method: "PATCH",
        ..contact("/api/v1/contacts/{id}", "Another priority.", forms::PATCH, MOVED)
    },
    contact("/api/v1/contacts/{id}/abandon", "The citizen left while waiting.", forms::NONE, MOVED),
    contact("/api/v1/contacts/{id}/hold", "On hold.", forms::NONE, MOVED),
    contact("/api/v1/contacts/{id}/resume", "Back from hold.", forms::NONE, MOVED),
    contact(
        "/api/v1/contacts/{id}/complete",
        "The conversation ends, wrap-up starts.",
        forms::NONE,
        MOVED,
    ),
    contact("/api/v1/contacts/{id}/end", "The other side hung up.", forms::END, MOVED),
    contact(
        "/api/v1/contacts/{id}/wrap_up",
        "Ends wrap-up, with what came of the contact.",
        forms::WRAP_UP,
        MOVED,
    ),
    contact(
        "/api/v1/contacts/{id}/extend_wrap_up",
        "More time for wrap-up: its agent once, a supervisor always.",
        forms::EXTEND,
        EXTENSION,
    ),
    op(
        "GET",
        "/api/v1/contacts/{id}/history",
        "Every event of a contact, with who and when; nothing personal is shown.",
        Way::Page,
        &[(200, Shape::Stream("Event"))],
    ),
    op(
        "GET",
        "/api/v1/contacts/{id}/explain",
        "Why it has its agent, or why it still waits; all as of one event.",
        Way::Query,
        &[(200, Shape::One("Explanation"))],
    ),
    Operation {
        form: Some(forms::ADVANCE),
        codes: &[Code::ClockRuns],
        ..op(
            "POST",
            "/api/v1/clock",
            "Moves a clock that stands still; all that falls due on the way is done by its answer.",
            Way::Command,
            &[(200, Shape::One("Clock"))],
        )
    },
    Operation {
        query: &events::PARAMETERS,
        codes: &[Code::EpochChanged],
        ..op(
            "GET",
            "/api/v1/events",
            "The committed stream after a number, without gaps; nothing personal is in it.",
            Way::Page,
            &[(200, Shape::Stream("Event"))],
        )
    },
    op(
        "GET",
        "/api/v1/tokens",
        "Tokens without their secrets, also those that are over.",
        Way::Page,
        &[(200, Shape::Page("Token"))],
    ),
    Operation {
        form: Some(forms::TOKEN),
        ..op(
            "POST",
            "/api/v1/tokens",
            "Makes a token; its secret is in this answer and nowhere else.",
            Way::Command,
            &[(201, Shape::One("Token"))],
        )
    },
    op(
        "DELETE",
        "/api/v1/tokens/{id}",
        "Ends a token and its sessions.",
        Way::Replace,
        &[(200, Shape::One("Token"))],
    ),
    Operation {
        query: &sessions::ENTER,
        codes: &[Code::Unauthenticated],
        ..op(
            "GET",
            "/enter",
            "The link that a demo prints: signs in once, on this machine only.",
            Way::Query,
            &[(303, Shape::Empty)],
        )
    },
    Operation {
        form: Some(forms::SESSION),
        codes: &[Code::Unauthenticated],
        ..op(
            "POST",
            "/api/v1/sessions",
            "Makes a session of a token: two cookies, so that a page can call and open sockets.",
            Way::SignIn,
            &[(201, Shape::One("Session"))],
        )
    },
    op(
        "DELETE",
        "/api/v1/sessions/current",
        "Signs out; 404 for a caller who came with a token.",
        Way::Replace,
        &[(204, Shape::Empty)],
    ),
];

/// The operation of a line of the table of roles.
pub(super) fn of(method: &str, path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.method == method && operation.path == path)
}

impl Operation {
    /// Every refusal; `open`: to all, without a token.
    pub(super) fn refusals(&self, open: bool) -> Vec<Code> {
        let mut codes = vec![Code::Internal];
        if !open {
            // `Invalid`: the agent that a caller names to act as. What an agent sends is a sign of
            // life, which may have to be committed.
            codes.extend([Code::Unauthenticated, Code::Forbidden, Code::Invalid]);
            codes.extend(COMMITS);
        }
        // What a PUT does not find it makes.
        let looks_up = self.path.contains('{') && self.method != "PUT";
        if looks_up || self.path.ends_with("/current") {
            codes.push(Code::NotFound);
        }
        if self.form.is_some() {
            codes.extend([Code::Malformed, Code::UnknownField, Code::BodyTooLarge]);
            codes.extend([Code::UnsupportedMediaType, Code::Invalid, Code::NotInThisVersion]);
        }
        match self.way {
            Way::Query | Way::Page => codes.push(Code::BadQuery),
            Way::Replace => codes.extend([Code::Csrf, Code::VersionMismatch]),
            Way::Command => {
                codes.extend([Code::Csrf, Code::VersionMismatch, Code::KeyInFlight]);
                codes.extend([Code::KeyReused, Code::TooMany]);
            }
            Way::SignIn => codes.extend(COMMITS),
            Way::Read | Way::Socket => (),
        }
        if self.path == "/api/v1/queues/{id}" && self.method == "PUT" {
            codes.push(Code::BadQuery);
        }
        if self.path == "/enter" {
            codes.extend(COMMITS);
        }
        codes.extend(self.codes);
        let mut all = Vec::new();
        for code in codes {
            if !all.contains(&code) {
                all.push(code);
            }
        }
        all
    }
}

/// What may become of a commit.
const COMMITS: [Code; 4] =
    [Code::Overloaded, Code::Contended, Code::NotCommitted, Code::CommitUnknown];
