//! A token as JSON, without its secret.

use atalaya_domain::credential::Credential;
use atalaya_domain::ids::CredentialId;
use serde_json::{Value, json};

use super::{instant_or_null, text_or_null};

/// The token; none that was not made.
pub fn json(id: CredentialId, credential: &Credential) -> Option<Value> {
    let grant = credential.grant.as_ref()?;
    Some(json!({
        "id": id.to_string(),
        "role": grant.role.as_str(),
        "agent": text_or_null(grant.agent.as_ref()),
        "scope": text_or_null(grant.scope.as_ref()),
        "expires_at": instant_or_null(grant.expires_at),
        "ended": credential.ended,
        "version": credential.version,
    }))
}
