//! Sessions: a token becomes a cookie, so that a page can call and open sockets.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use atalaya_domain::credential::{Command, Grant};
use atalaya_domain::ids::{AgentId, CredentialId, EntityId};
use atalaya_domain::machine;
use atalaya_domain::time::{Span, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Api;
use super::body::{Body, Keys, missing, slug};
use super::call::{Call, Caller};
use super::guard::{CSRF_COOKIE, CSRF_HEADER, SESSION_COOKIE, by_token};
use super::page::Query;
use super::problem::{Code, Problem};
use super::roles::Role;
use super::secrets::{Secrets, same};
use super::wire;
use crate::actors::centre::Asked;
use crate::actors::clock::wall_now;

/// How long a session holds, in wall time.
pub const SESSION_FOR: Span = Span::seconds(12 * 3_600);

/// Most characters of a token.
pub(super) const TOKEN_CHARS_MAX: usize = 200;
/// Fields of a session.
pub(super) const CREATE: Keys = Keys::of(&["token"]);
/// Parameters of the link that enters.
pub(super) const ENTER: [&str; 1] = ["ticket"];

/// `POST /sessions`: open to all who know a token. An `Idempotency-Key` says nothing here: what is
/// wanted are the cookies, whose secrets are not kept, so a repeat makes another session, and one
/// whose answer was lost ends by its time.
pub async fn create(call: Call, body: Body) -> Result<HttpResponse, Problem> {
    let mut fields = body.fields(CREATE)?;
    let token = fields.text("token", TOKEN_CHARS_MAX)?.ok_or_else(|| missing("token"))?;
    let caller = by_token(&call.api, &token).ok_or_else(|| {
        Problem::new(Code::Unauthenticated, "cannot make a session: the token does not hold")
    })?;
    let opened = open(&call.api, &caller).await?;
    let mut response = HttpResponse::Created();
    opened.set_cookies(&mut response);
    response.insert_header(("Location", "/api/v1/sessions/current"));
    Ok(response.json(json(opened.id, &caller, opened.expires_at)))
}

fn json(id: CredentialId, caller: &Caller, expires_at: Timestamp) -> Value {
    json!({
        "id": id.to_string(),
        "role": caller.role.name(),
        "agent": wire::text_or_null(caller.agent.as_ref()),
        "expires_at": wire::instant_or_null(Some(expires_at)),
        "csrf": { "header": CSRF_HEADER, "cookie": CSRF_COOKIE },
    })
}

/// What the answer looks like, for the description.
pub(super) fn sample() -> Vec<Value> {
    let token = CredentialId(Uuid::nil());
    let agents = [None, AgentId::new("ana.garcia").ok()];
    let caller = |agent| Caller {
        role: Role::Supervisor,
        agent,
        reads_only: false,
        acts_as: false,
        token,
        session: None,
    };
    agents.map(|agent| json(token, &caller(agent), Timestamp::default())).into()
}

/// `GET /enter?ticket=…`: the link that a demo prints: once, from this machine only.
pub async fn enter(call: Call, req: HttpRequest) -> Result<HttpResponse, Problem> {
    let refused = || {
        let detail =
            "cannot enter: the link holds once, and on this machine only; sign in by token";
        Problem::new(Code::Unauthenticated, detail)
    };
    if !req.peer_addr().is_some_and(|peer| peer.ip().is_loopback()) {
        return Err(refused());
    }
    let ticket = Query::of(&call, &ENTER)?.get("ticket").map(str::to_owned);
    let token = ticket.and_then(|ticket| call.api.tickets.take(&ticket)).ok_or_else(refused)?;
    let caller = by_token(&call.api, &token).ok_or_else(refused)?;
    let opened = open(&call.api, &caller).await?;
    let mut response = HttpResponse::SeeOther();
    opened.set_cookies(&mut response);
    response.insert_header(("Location", "/wallboard"));
    Ok(response.finish())
}

/// Most links that wait to be used; past it the oldest is void.
pub const TICKETS_MAX: usize = 16;

/// Links that enter without a token, each once.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<VecDeque<(String, String)>>);

impl Tickets {
    /// A ticket that enters as the holder of `token`.
    pub fn make(&self, token: &str) -> Result<String, Problem> {
        let ticket = Secrets::make()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == TICKETS_MAX {
            all.pop_front();
        }
        all.push_back((ticket.clone(), token.to_owned()));
        Ok(ticket)
    }

    fn take(&self, ticket: &str) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(known, _)| same(known, ticket))?;
        all.remove(at).map(|(_, token)| token)
    }
}

/// A session that was made, with the secrets that go to its cookies.
struct Opened {
    id: CredentialId,
    secret: String,
    csrf: String,
    expires_at: Timestamp,
}

impl Opened {
    fn set_cookies(&self, response: &mut HttpResponseBuilder) {
        let cookie = |name: &str, value: &str, more: &str| {
            let seconds = SESSION_FOR.0 / atalaya_domain::time::MICROS_PER_SECOND;
            format!("{name}={value}; Path=/; Secure; SameSite=Strict; Max-Age={seconds}{more}")
        };
        response.append_header((SET_COOKIE, cookie(SESSION_COOKIE, &self.secret, "; HttpOnly")));
        response.append_header((SET_COOKIE, cookie(CSRF_COOKIE, &self.csrf, "")));
    }
}

async fn open(api: &Api, caller: &Caller) -> Result<Opened, Problem> {
    let secret = Secrets::make()?;
    let hash = api.secrets.hash("session", &secret);
    let id = CredentialId(Uuid::now_v7());
    let to = EntityId::Session(id);
    let expires_at = wall_now().plus(SESSION_FOR);
    let grant = Grant {
        hash,
        role: slug("role", caller.role.name())?,
        agent: caller.agent.clone(),
        // What a token may not do, its session may not; what it may besides is for programs.
        scope: if caller.reads_only { Some(slug("scope", "read")?) } else { None },
        token: Some(caller.token),
        expires_at: Some(expires_at),
    };
    let command = machine::Command::Credential(Command::Make(grant));
    api.core.tell(Asked::new(to.clone(), command, caller.cause())).await?;
    api.secrets.learn(hash, to);
    let csrf = api.secrets.csrf(&secret);
    Ok(Opened { id, secret, csrf, expires_at })
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
