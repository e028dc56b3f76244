//! Personal data, apart from the events: who an agent is called, who rang, about what, and why.
//!
//! It goes with its command into sections of the log, and comes back from there at a start. Whether
//! it may be shown is the wire's to decide.

use atalaya_domain::contact::Contact;
use atalaya_domain::ids::{AgentId, ContactId, PersonId};

use super::core::Core;
use crate::journal::commit::{Said, Whose};
use crate::views::Personal;

/// What is said of an agent.
pub fn of_agent(id: &AgentId, field: &str, text: String) -> Said {
    Said { of: Whose::Agent(id.clone()), field: field.into(), text }
}

/// What a contact brings of its person.
pub fn of_arrival(
    id: ContactId,
    person: PersonId,
    from: Option<String>,
    subject: String,
) -> Vec<Said> {
    let said = |field, text| Said { of: Whose::Person(person), field, text };
    let subject = Some(subject).filter(|subject| !subject.is_empty());
    let from = from.map(|from| said("from".into(), from));
    from.into_iter().chain(subject.map(|text| said(subject_of(id), text))).collect()
}

/// An agent's name.
pub fn name(core: &Core, id: &AgentId) -> String {
    core.said(&Whose::Agent(id.clone()), "name").unwrap_or_default()
}

/// What is known of a contact's person.
pub fn contact(core: &Core, id: ContactId, contact: &Contact) -> Personal {
    let Some(entered) = &contact.entered else { return Personal::default() };
    let person = Whose::Person(entered.person);
    let subject = core.said(&person, &subject_of(id)).unwrap_or_default();
    Personal { from: core.said(&person, "from"), subject }
}

fn subject_of(id: ContactId) -> String {
    format!("subject.{id}")
}
