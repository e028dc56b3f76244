//! Sessions: a token becomes a cookie, so that a page can call and open sockets.

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use atalaya_domain::credential::{Command, Grant};
use atalaya_domain::ids::{CredentialId, EntityId};
use atalaya_domain::machine;
use atalaya_domain::time::Span;
use serde_json::json;
use uuid::Uuid;

use super::body::{Body, missing, slug};
use super::call::Call;
use super::guard::{CSRF_COOKIE, CSRF_HEADER, SESSION_COOKIE, by_token};
use super::problem::{Code, Problem};
use super::secrets::Secrets;
use super::wire;
use crate::actors::clock::wall_now;

/// How long a session holds, in wall time.
pub const SESSION_FOR: Span = Span::seconds(12 * 3_600);

/// `POST /sessions`: open to all who know a token.
pub async fn create(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let mut fields = body.fields(&["token"], &[])?;
    let token = fields.text("token", 200)?.ok_or_else(|| missing("token"))?;
    let caller = by_token(&call.api, &token).ok_or_else(|| {
        Problem::new(Code::Unauthenticated, "cannot make a session: the token does not hold")
    })?;
    let secret = Secrets::make()?;
    let hash = call.api.secrets.hash("session", &secret);
    let id = CredentialId(Uuid::now_v7());
    let to = EntityId::Session(id);
    let expires_at = Some(wall_now().plus(SESSION_FOR));
    let grant = Grant {
        hash,
        role: slug("role", caller.role.name())?,
        agent: caller.agent.clone(),
        scope: None,
        token: Some(caller.token),
        expires_at,
    };
    let command = machine::Command::Credential(Command::Make(grant));
    call.api.core.tell(to.clone(), command, caller.cause()).await?;
    call.api.secrets.learn(hash, to);
    let csrf = call.api.secrets.csrf(&secret);
    let cookie = |name: &str, value: &str, more: &str| {
        let seconds = SESSION_FOR.0 / atalaya_domain::time::MICROS_PER_SECOND;
        format!("{name}={value}; Path=/; Secure; SameSite=Strict; Max-Age={seconds}{more}")
    };
    let mut response = HttpResponse::Created();
    response.append_header((SET_COOKIE, cookie(SESSION_COOKIE, &secret, "; HttpOnly")));
    response.append_header((SET_COOKIE, cookie(CSRF_COOKIE, &csrf, "")));
    response.insert_header(("Location", "/api/v1/sessions/current"));
    Ok(response.json(json!({
        "id": id.to_string(),
        "role": caller.role.name(),
        "agent": wire::text_or_null(caller.agent.as_ref()),
        "expires_at": wire::instant_or_null(expires_at),
        "csrf": { "header": CSRF_HEADER, "cookie": CSRF_COOKIE },
    })))
}

/// `DELETE /sessions/current`: signs out; 404 for a caller who came with a token.
pub async fn end(call: Call) -> Result<HttpResponse, Problem> {
    let session = call.caller()?.session.ok_or_else(|| Problem::not_found("session"))?;
    let to = EntityId::Session(session);
    let credential = call.api.core.credential(&to);
    call.tell(to, machine::Command::Credential(Command::End)).await?;
    if let Some(grant) = credential.and_then(|credential| credential.grant) {
        call.api.secrets.forget(&grant.hash);
    }
    let gone = |name: &str, more: &str| {
        format!("{name}=; Path=/; Secure; SameSite=Strict; Max-Age=0{more}")
    };
    let mut response = HttpResponse::NoContent();
    response.append_header((SET_COOKIE, gone(SESSION_COOKIE, "; HttpOnly")));
    response.append_header((SET_COOKIE, gone(CSRF_COOKIE, "")));
    Ok(response.finish())
}
