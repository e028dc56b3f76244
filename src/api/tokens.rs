//! Tokens: made, listed without their secrets, ended.

use actix_web::HttpResponse;
use atalaya_domain::credential::{Command, Grant};
use atalaya_domain::ids::{AgentId, CredentialId, EntityId};
use atalaya_domain::machine;
use uuid::Uuid;

use super::Api;
use super::answer::{self, Answer};
use super::body::{Body, Keys, missing, slug};
use super::call::Call;
use super::idempotency::once;
use super::page::Query;
use super::problem::{Code, Problem};
use super::roles::Role;
use super::secrets::Secrets;
use super::wire;
use crate::actors::centre::Asked;
use crate::actors::shell::Done;
use crate::journal::commit::Cause;

/// Fields of a token.
pub(super) const CREATE: Keys = Keys::of(&["role", "agent", "scope"]);

/// `GET /tokens`, also of those that are over.
pub async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let query = Query::of(&call, &[])?;
    let core = &call.api.core;
    let cursor = |cursor: &str| Uuid::try_parse(cursor).ok().map(CredentialId);
    let page = query.page(core.tokens(), cursor, |id| {
        wire::token::json(*id, &core.credential(&EntityId::Token(*id))?)
    })?;
    Ok(answer::read(&call, &page))
}

/// `POST /tokens`: its secret is in this answer and nowhere else. A repeat by key shows the token
/// without it, since only its hash is kept: whose first answer was lost ends it and makes another.
pub async fn create(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let kept = body.clone();
    let mut fields = body.fields(CREATE)?;
    let role = fields.text("role", 20)?.ok_or_else(|| missing("role"))?;
    let agent = fields.slug("agent")?.map(AgentId);
    let scope = fields.text("scope", 20)?;
    let grant = grant(&role, agent, scope.as_deref())?;
    once(call, &kept, |work| async move {
        let (secret, id) = (Secrets::make()?, CredentialId(Uuid::now_v7()));
        let to = EntityId::Token(id);
        let hash = work.api.secrets.hash("token", &secret);
        let command = machine::Command::Credential(Command::Make(Grant { hash, ..grant }));
        let done = work.make(to.clone(), command, Vec::new()).await?;
        work.api.secrets.learn(hash, to.clone());
        Ok(Answer { secret: Some(secret), ..Answer::made(to, &done) })
    })
    .await
}

/// Makes a token of `grant`, whatever its hash: its id, its secret, how it was committed.
pub async fn make(
    api: &Api,
    grant: Grant,
    cause: Cause,
) -> Result<(CredentialId, String, Done), Problem> {
    make_with(api, Secrets::make()?, grant, cause).await
}

/// The same, of a secret that is kept somewhere already.
pub async fn make_with(
    api: &Api,
    secret: String,
    grant: Grant,
    cause: Cause,
) -> Result<(CredentialId, String, Done), Problem> {
    let hash = api.secrets.hash("token", &secret);
    let id = CredentialId(Uuid::now_v7());
    let command = machine::Command::Credential(Command::Make(Grant { hash, ..grant }));
    let done = api.core.tell(Asked::new(EntityId::Token(id), command, cause)).await?;
    api.secrets.learn(hash, EntityId::Token(id));
    Ok((id, secret, done))
}

/// What a token may be, the hash still to come.
pub fn grant(role: &str, agent: Option<AgentId>, scope: Option<&str>) -> Result<Grant, Problem> {
    let role = Role::named(role).ok_or_else(|| {
        let names = Role::ALL.map(Role::name).join(", ");
        Problem::invalid("role", format!("cannot take `role`: it is none of {names}"))
    })?;
    if role == Role::Citizen {
        let detail = "cannot take `role`: this version has nothing for citizens";
        return Err(Problem::new(Code::NotInThisVersion, detail).with("field", "role"));
    }
    match (role, &agent) {
        (Role::Agent, None) => return Err(missing("agent")),
        (Role::Agent, Some(_)) | (_, None) => (),
        (_, Some(_)) => {
            return Err(Problem::invalid("agent", "cannot take `agent` but for role agent"));
        }
    }
    match (role, scope) {
        (_, None | Some("read")) | (Role::Integrator | Role::Administrator, Some("act_as")) => (),
        (_, Some("act_as")) => {
            let detail = "cannot take scope act_as but for an integrator or administrator";
            return Err(Problem::invalid("scope", detail));
        }
        (_, Some(_)) => {
            let detail = "cannot take `scope`: it is neither read nor act_as";
            return Err(Problem::invalid("scope", detail));
        }
    }
    Ok(Grant {
        hash: [0; 16],
        role: slug("role", role.name())?,
        agent,
        scope: scope.map(|scope| slug("scope", scope)).transpose()?,
        token: None,
        expires_at: None,
    })
}

/// `DELETE /tokens/{id}`: it and its sessions are not to be used again.
pub async fn end(call: Call) -> Result<HttpResponse, Problem> {
    let to = EntityId::Token(CredentialId(call.uuid("id", "token")?));
    let credential = call.api.core.credential(&to);
    let done = call.tell(to.clone(), machine::Command::Credential(Command::End)).await?;
    if let Some(grant) = credential.and_then(|credential| credential.grant) {
        call.api.secrets.forget(&grant.hash);
    }
    answer::render(&call, &Answer::changed(to, &done))
}
