//! The one place that lets requests in: panics, paths, credentials, roles, CSRF, acting as agents.

use std::panic::AssertUnwindSafe;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError, web};
use atalaya_domain::ids::{AgentId, CredentialId, EntityId};
use futures_util::FutureExt;

use super::Api;
use super::call::Caller;
use super::problem::{Code, Problem};
use super::roles::{Look, Role, Who, look_up};
use super::secrets::same;
use crate::actors::clock::wall_now;

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "__Host-atalaya";
/// The cookie that a page reads to send [`CSRF_HEADER`].
pub const CSRF_COOKIE: &str = "__Host-atalaya-csrf";
/// The header that says that the page itself sent the request.
pub const CSRF_HEADER: &str = "Atalaya-Csrf";
/// The header that names the agent to act as.
pub const AGENT_HEADER: &str = "Atalaya-Agent";

/// A panic below becomes a 500; without this the caller got an empty reply.
pub async fn shield(
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (method, path) = (req.method().clone(), req.path().to_owned());
    if let Ok(answer) = AssertUnwindSafe(next.call(req)).catch_unwind().await {
        return answer;
    }
    tracing::error!(%method, path, "a handler panicked");
    Err(Problem::internal().into())
}

/// Lets a request through to its handler, or answers with why not.
pub async fn guard(
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(&req).await {
        Ok(Some(caller)) => {
            req.extensions_mut().insert(caller);
            next.call(req).await
        }
        Ok(None) => next.call(req).await,
        Err(problem) => Ok(req.into_response(problem.error_response())),
    }
}

async fn admit(req: &ServiceRequest) -> Result<Option<Caller>, Problem> {
    let api = req.app_data::<web::Data<Api>>().ok_or_else(Problem::internal)?.clone();
    let path = req.path();
    let look = look_up(req.method().as_str(), path);
    if let Look::Line(line) = look
        && line.who == Who::Open
    {
        return Ok(None);
    }
    let line = match look {
        Look::Line(line) => line,
        // The application's own files are not of the API; what the router does not know is 404.
        Look::NoPath if !path.starts_with("/api/") => return Ok(None),
        Look::NoPath => {
            authenticate(&api, req)?;
            return Err(Problem::not_found("path"));
        }
        Look::OtherMethods(allow) => {
            if path.starts_with("/api/") {
                authenticate(&api, req)?;
            }
            return Err(Problem::method(req.method().as_str(), allow));
        }
    };
    if line.path == "/metrics" && api.open_metrics {
        return Ok(None);
    }
    let caller = acting(req, authenticate(&api, req)?)?;
    let roles = match line.who {
        Who::Open => &[][..],
        Who::Roles(roles) => roles,
    };
    if !roles.contains(&caller.role) {
        let detail = format!("cannot do this as {}", caller.role);
        return Err(Problem::new(Code::Forbidden, detail).with("role", caller.role.name()));
    }
    let ends_itself = line.path == "/api/v1/sessions/current";
    if caller.reads_only && req.method() != Method::GET && !ends_itself {
        let detail = "cannot write with a token of scope read";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    if let Some(agent) = &caller.agent {
        api.core.hear(agent, caller.cause()).await?;
    }
    Ok(Some(caller))
}

/// The value of a cookie.
fn cookie<'a>(req: &'a ServiceRequest, name: &str) -> Option<&'a str> {
    let cookies = req.headers().get_all("Cookie").filter_map(|value| value.to_str().ok());
    cookies.flat_map(|cookies| cookies.split(';')).find_map(|cookie| {
        let (found, value) = cookie.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

/// Who holds the bearer token, or the session's cookie with its CSRF token on writes.
fn authenticate(api: &Api, req: &ServiceRequest) -> Result<Caller, Problem> {
    if let Some(value) = req.headers().get("Authorization") {
        let secret = value.to_str().ok().and_then(|value| value.split_once(' '));
        let secret = secret.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, secret) = secret.ok_or_else(Problem::unauthenticated)?;
        return by_token(api, secret.trim()).ok_or_else(Problem::unauthenticated);
    }
    let secret = cookie(req, SESSION_COOKIE).ok_or_else(Problem::unauthenticated)?;
    let caller = by_session(api, secret).ok_or_else(Problem::unauthenticated)?;
    if req.method() != Method::GET {
        let sent = req.headers().get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        if !sent.is_some_and(|sent| same(sent, &api.secrets.csrf(secret))) {
            let detail = format!(
                "cannot write in a session without `{CSRF_HEADER}`: it repeats the cookie \
                 `{CSRF_COOKIE}`"
            );
            return Err(Problem::new(Code::Csrf, detail));
        }
    }
    Ok(caller)
}

/// Who holds the token `secret`.
pub fn by_token(api: &Api, secret: &str) -> Option<Caller> {
    let EntityId::Token(id) = api.secrets.find("token", secret)? else { return None };
    caller_of(api, id, None)
}

fn by_session(api: &Api, secret: &str) -> Option<Caller> {
    let found = api.secrets.find("session", secret)?;
    let EntityId::Session(session) = found else { return None };
    let credential = api.core.credential(&found).filter(|credential| !credential.ended)?;
    let grant = credential.grant?;
    if grant.expires_at.is_some_and(|end| end <= wall_now()) {
        return None;
    }
    caller_of(api, grant.token?, Some(session))
}

fn caller_of(api: &Api, token: CredentialId, session: Option<CredentialId>) -> Option<Caller> {
    let credential = api.core.credential(&EntityId::Token(token))?;
    let grant = credential.grant.filter(|_| !credential.ended)?;
    let over = grant.expires_at.is_some_and(|end| end <= wall_now());
    if over { None } else { Caller::of(&grant, token, session) }
}

/// Whether what the caller came with still holds: sockets outlive the request that opened them.
pub fn still_holds(api: &Api, caller: &Caller) -> bool {
    let holds = |id: EntityId| {
        let credential = api.core.credential(&id).filter(|credential| !credential.ended);
        let grant = credential.and_then(|credential| credential.grant);
        grant.is_some_and(|grant| grant.expires_at.is_none_or(|end| end > wall_now()))
    };
    let session = caller.session.map(EntityId::Session);
    holds(EntityId::Token(caller.token)) && session.is_none_or(holds)
}

/// The caller as the agent that they name, when their token may act as one.
fn acting(req: &ServiceRequest, caller: Caller) -> Result<Caller, Problem> {
    let Some(named) = req.headers().get(AGENT_HEADER) else { return Ok(caller) };
    let may = caller.acts_as && matches!(caller.role, Role::Integrator | Role::Administrator);
    if !may {
        let detail = format!("cannot act by `{AGENT_HEADER}`: the token's scope is not act_as");
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let agent = named.to_str().ok().and_then(|id| AgentId::new(id).ok());
    let agent = agent.ok_or_else(|| {
        let detail = format!("cannot act by `{AGENT_HEADER}`: it names no agent");
        Problem::invalid(AGENT_HEADER, detail)
    })?;
    Ok(Caller { role: Role::Agent, agent: Some(agent), ..caller })
}
