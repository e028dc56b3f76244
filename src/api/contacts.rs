//! Contacts: their arrival, and what is done to them until they are closed.

use actix_web::HttpResponse;
use atalaya_domain::contact::{Arrival, Command, Contact, Who};
use atalaya_domain::ids::{ContactId, PersonId, QueueId, Slug};
use atalaya_domain::machine;
use atalaya_domain::priority::Credit;
use uuid::Uuid;

use super::answer::{self, Answer};
use super::body::{Body, Keys, missing};
use super::call::Call;
pub use super::contact_list::list;
use super::idempotency::once;
use super::personal;
use super::problem::{Code, Problem};
use super::queues::requirement;
use super::roles::Role;

/// Most characters of an address of the other side.
pub(super) const FROM_CHARS_MAX: usize = 120;
/// Most characters of what a contact is about.
pub(super) const SUBJECT_CHARS_MAX: usize = 200;
/// Most characters of another system's id.
pub(super) const EXTERNAL_ID_CHARS_MAX: usize = 120;
/// Most characters of an outcome or topic.
pub(super) const OUTCOME_CHARS_MAX: usize = 64;
/// Fields of an arrival.
pub(super) const CREATE: Keys = Keys {
    known: &[
        "channel",
        "queue",
        "from",
        "language",
        "requires",
        "levels",
        "priority",
        "subject",
        "external_id",
    ],
    later: &["citizen", "preferred_agent"],
};
/// Fields of its end by the other side.
pub(super) const END: Keys = Keys::of(&["by"]);
/// Fields of the end of its wrap-up.
pub(super) const WRAP_UP: Keys =
    Keys { known: &["outcome", "topic"], later: &["notes", "request"] };
/// Fields of more time for it.
pub(super) const EXTEND: Keys = Keys::of(&["by"]);
/// Fields of a change.
pub(super) const PATCH: Keys =
    Keys { known: &["priority"], later: &["queue", "citizen", "subject"] };
/// Filters of the list.
pub(super) const FILTERS: [&str; 5] = ["state", "queue", "agent", "external_id", "counted_in"];
/// A contact's states, as filters name them.
pub(super) const STATES: [&str; 8] =
    ["queued", "offered", "active", "held", "wrap_up", "closed", "abandoned", "refused"];

/// `POST /contacts`: it arrives; 201 also when its queue refuses it.
pub async fn create(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let mut fields = body.fields(CREATE)?;
    let channel = fields.text("channel", 20)?.ok_or_else(|| missing("channel"))?;
    if channel != "voice" {
        let detail = "cannot take `channel`: this version has voice only";
        return Err(Problem::new(Code::NotInThisVersion, detail).with("field", "channel"));
    }
    let queue = fields.slug("queue")?.ok_or_else(|| missing("queue")).map(QueueId)?;
    if call.api.core.queue(&queue).is_none() {
        return Err(Problem::invalid("queue", format!("there is no queue `{queue}`")));
    }
    let (priority, credit) = match fields.slug("priority")? {
        Some(priority) => class(&call, priority)?,
        None => class(&call, super::body::slug("priority", "normal")?)?,
    };
    let wishes = requirement(&mut fields)?;
    let from = fields.text("from", FROM_CHARS_MAX)?;
    let subject = fields.text("subject", SUBJECT_CHARS_MAX)?.unwrap_or_default();
    let external_id = fields.text("external_id", EXTERNAL_ID_CHARS_MAX)?;
    let person = from.as_deref().map_or_else(Uuid::now_v7, |from| call.api.secrets.person(from));
    let person = PersonId(person);
    let arrival = Box::new(Arrival {
        queue,
        priority,
        credit,
        language: wishes.language,
        skills: wishes.skills,
        levels: wishes.levels,
        external_id,
        person,
        full: false,
    });
    once(call, &kept, |work| async move {
        let id = ContactId(Uuid::now_v7());
        let said = personal::of_arrival(id, person, from, subject);
        let command = machine::Command::Contact(Command::Arrive(arrival));
        let done = work.make(id.into(), command, said).await?;
        Ok(Answer::made(id.into(), &done))
    })
    .await
}

/// A class of priority and what it is worth.
fn class(call: &Call, priority: Slug) -> Result<(Slug, Credit), Problem> {
    let classes = &call.api.priorities().0;
    let credit = classes.get(&priority).copied().ok_or_else(|| {
        let names: Vec<_> = classes.keys().map(Slug::as_str).collect();
        let detail = format!("cannot take `priority`: it is none of {}", names.join(", "));
        Problem::invalid("priority", detail)
    })?;
    Ok((priority, credit))
}

/// Whether the caller may know of the contact: an agent of those it has or had last.
pub(super) fn may_see(call: &Call, contact: &Contact) -> bool {
    call.caller().is_ok_and(|caller| {
        caller.role != Role::Agent
            || (caller.agent.is_some() && caller.agent.as_ref() == contact.agent())
    })
}

/// `GET /contacts/{id}`; one that is not to be seen is not there.
pub async fn one(call: Call) -> Result<HttpResponse, Problem> {
    let id = call.contact_id()?;
    let contact = call.api.core.contact(id);
    if !contact.is_some_and(|(contact, _)| may_see(&call, &contact)) {
        return Err(Problem::not_found("contact"));
    }
    answer::one(&call, &id.into())
}

/// In whose name a command is given.
fn who(call: &Call) -> Result<Who, Problem> {
    let caller = call.caller()?;
    Ok(match &caller.agent {
        Some(agent) if caller.role == Role::Agent => Who::Agent(agent.clone()),
        Some(_) | None => Who::Supervisor,
    })
}

/// Gives `command` to the path's contact.
async fn command(call: Call, body: &Body, command: Command) -> Result<HttpResponse, Problem> {
    let id = call.contact_id()?;
    let Some((contact, _)) = call.api.core.contact(id) else {
        return Err(Problem::not_found("contact"));
    };
    let caller = call.caller()?;
    if caller.role == Role::Agent && caller.agent.as_ref() != contact.agent() {
        let detail = format!("cannot {}: it is not yours", command.name());
        return Err(Problem::new(Code::NotYours, detail).with("command", command.name()));
    }
    once(call, body, |work| async move {
        let done = work.tell(id.into(), machine::Command::Contact(command)).await?;
        Ok(Answer::changed(id.into(), &done))
    })
    .await
}

/// `POST /contacts/{id}/abandon`: the citizen left while waiting.
pub async fn abandon(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    body.fields(Keys::NONE)?;
    command(call, &kept, Command::Abandon).await
}

/// `POST /contacts/{id}/hold`.
pub async fn hold(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    body.fields(Keys::NONE)?;
    let by = who(&call)?;
    command(call, &kept, Command::Hold { by }).await
}

/// `POST /contacts/{id}/resume`.
pub async fn resume(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    body.fields(Keys::NONE)?;
    let by = who(&call)?;
    command(call, &kept, Command::Resume { by }).await
}

/// `POST /contacts/{id}/complete`: the conversation ends, wrap-up starts.
pub async fn complete(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    body.fields(Keys::NONE)?;
    let by = who(&call)?;
    command(call, &kept, Command::Complete { by }).await
}

/// `POST /contacts/{id}/end`: the other side hung up.
pub async fn end(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let by = body.fields(END)?.text("by", 20)?.ok_or_else(|| missing("by"))?;
    if by != "citizen" {
        return Err(Problem::invalid("by", "cannot take `by`: only the citizen ends it this way"));
    }
    command(call, &kept, Command::Complete { by: Who::Citizen }).await
}

/// `POST /contacts/{id}/wrap_up`: wrap-up ends, with what came of the contact.
pub async fn wrap_up(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let mut fields = body.fields(WRAP_UP)?;
    let outcome = fields.text("outcome", OUTCOME_CHARS_MAX)?;
    let topic = fields.text("topic", OUTCOME_CHARS_MAX)?;
    let by = who(&call)?;
    command(call, &kept, Command::EndWrapUp { by, outcome, topic }).await
}

/// `POST /contacts/{id}/extend_wrap_up`.
pub async fn extend_wrap_up(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let span = body.fields(EXTEND)?.duration("by")?.ok_or_else(|| missing("by"))?.span;
    if span.0 == 0 {
        return Err(Problem::invalid("by", "cannot take `by`: it is no time at all"));
    }
    let by = who(&call)?;
    command(call, &kept, Command::ExtendWrapUp { by, span }).await
}

/// `PATCH /contacts/{id}`: another priority.
pub async fn patch(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let mut fields = body.fields(PATCH)?;
    if call.caller()?.role == Role::Agent {
        return Err(Problem::new(Code::Forbidden, "cannot change the priority as agent"));
    }
    let priority = fields.slug("priority")?.ok_or_else(|| missing("priority"))?;
    let (priority, credit) = class(&call, priority)?;
    command(call, &kept, Command::Reprioritise { priority, credit }).await
}
