//! A contact as the caller may see it: whom the other side is shown to.

use atalaya_domain::contact::Contact;
use atalaya_domain::ids::ContactId;
use serde_json::Value;

use crate::api::call::Call;
use crate::api::personal;
use crate::api::roles::Role;
use crate::views::contact_json;

/// The contact; none that has not come. `position`: where it waits.
pub fn json(
    call: &Call,
    id: ContactId,
    contact: &Contact,
    position: Option<usize>,
) -> Option<Value> {
    contact.entered.as_ref()?;
    let personal = personal::contact(&call.api.core, id, contact);
    Some(contact_json(id, contact, &personal, position, !shows_personal(call, contact)))
}

/// The agent who has it and the supervisor see the other side; a screen on a wall and a program
/// do not.
fn shows_personal(call: &Call, contact: &Contact) -> bool {
    let Ok(caller) = call.caller() else { return false };
    match caller.role {
        Role::Agent => caller.agent.is_some() && caller.agent.as_ref() == contact.agent(),
        Role::Supervisor => !caller.reads_only,
        Role::Coordinator
        | Role::Integrator
        | Role::Administrator
        | Role::Auditor
        | Role::Citizen => false,
    }
}
