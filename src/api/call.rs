//! One request as the handlers see it: who asks, for what, under which conditions.
//!
//! A call owns all that it needs, so that work that was begun goes on when its caller has gone.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use atalaya_domain::credential::Grant;
use atalaya_domain::ids::{AgentId, ContactId, CredentialId, EntityId, OfferId, QueueId};
use atalaya_domain::machine::Command;
use uuid::Uuid;

use super::Api;
use super::problem::{Code, Problem};
use super::roles::Role;
use crate::actors::centre::Asked;
use crate::actors::clock::wall_now;
use crate::actors::receipts::{Held, Key};
use crate::actors::shell::{Done, Expected, Terms};
use crate::journal::commit::{Cause, Receipt, Said};

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As what; an agent when acting as one.
    pub role: Role,
    /// Which agent, for role `agent`.
    pub agent: Option<AgentId>,
    /// Reads only, and sees less: a screen on a wall.
    pub reads_only: bool,
    /// May act as any agent.
    pub acts_as: bool,
    /// The token, also of a session.
    pub token: CredentialId,
    /// The session, if it is one.
    pub session: Option<CredentialId>,
}

impl Caller {
    /// As the log names it.
    pub fn cause(&self) -> Cause {
        let by = match &self.agent {
            Some(agent) => format!("agent:{agent}"),
            None => format!("token:{}", self.token),
        };
        let credential = self.session.unwrap_or(self.token);
        Cause::of(by, Some(*credential.0.as_bytes()))
    }

    /// What a grant of token `token` makes of its holder.
    pub fn of(grant: &Grant, token: CredentialId, session: Option<CredentialId>) -> Option<Self> {
        let is = |name| grant.scope.as_ref().is_some_and(|scope| scope.as_str() == name);
        Some(Self {
            role: Role::named(grant.role.as_str())?,
            agent: grant.agent.clone(),
            reads_only: is("read"),
            acts_as: is("act_as"),
            token,
            session,
        })
    }
}

/// See the module.
#[derive(Clone)]
pub struct Call {
    /// The API that was called.
    pub api: Arc<Api>,
    /// Who asks; `None` on open routes.
    caller: Option<Caller>,
    params: Vec<(String, String)>,
    /// Method and path, for what must tell requests apart.
    pub target: String,
    /// The query, as it came.
    pub query: String,
    /// `If-Match`, as it came.
    if_match: Option<String>,
    /// `Idempotency-Key`, as it came.
    pub key: Option<String>,
    /// What that key stands for, once the work has begun.
    keyed: Option<Keyed>,
}

/// A key that is in flight.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// Whose, and which.
    pub key: Key,
    /// Keyed hash of the request.
    pub request: [u8; 16],
    /// Keeps it in flight.
    pub held: Held,
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req))
    }
}

impl Call {
    fn of(req: &HttpRequest) -> Result<Self, Problem> {
        let api = req.app_data::<web::Data<Api>>().ok_or_else(Problem::internal)?;
        // What cannot be read as text was sent all the same: a condition that holds for nothing, a
        // key that is refused.
        let header = |name: &str| {
            let value = req.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let params = req.match_info().iter();
        Ok(Self {
            api: api.clone().into_inner(),
            caller: req.extensions().get::<Caller>().cloned(),
            params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            target: format!("{} {}", req.method(), req.path()),
            query: req.query_string().to_owned(),
            if_match: header("If-Match"),
            key: header("Idempotency-Key"),
            keyed: None,
        })
    }

    /// A call that came on a socket, as if it were to a path with these `params`.
    pub fn inside(api: Arc<Api>, caller: Caller, params: Vec<(String, String)>) -> Self {
        let (target, query) = (String::new(), String::new());
        let caller = Some(caller);
        Self { api, caller, params, target, query, if_match: None, key: None, keyed: None }
    }

    /// Who asks.
    pub fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or_else(Problem::unauthenticated)
    }

    /// The agent who asks; only on routes of role `agent`.
    pub fn agent(&self) -> Result<&AgentId, Problem> {
        let agent = self.caller()?.agent.as_ref();
        agent.ok_or_else(|| Problem::new(Code::Forbidden, "cannot do this but as an agent"))
    }

    /// A segment of the path.
    pub fn param(&self, name: &str) -> &str {
        let param = self.params.iter().find(|(param, _)| param == name);
        param.map_or("", |(_, value)| value)
    }

    /// The path's agent.
    pub fn agent_id(&self) -> Result<AgentId, Problem> {
        AgentId::new(self.param("id")).map_err(|_| Problem::not_found("agent"))
    }

    /// The path's queue.
    pub fn queue_id(&self) -> Result<QueueId, Problem> {
        QueueId::new(self.param("id")).map_err(|_| Problem::not_found("queue"))
    }

    /// The path's contact.
    pub fn contact_id(&self) -> Result<ContactId, Problem> {
        self.uuid("id", "contact").map(ContactId)
    }

    /// The path's offer.
    pub fn offer_id(&self) -> Result<OfferId, Problem> {
        self.uuid("offer", "offer").map(OfferId)
    }

    /// A UUID in the path.
    pub fn uuid(&self, name: &str, kind: &str) -> Result<Uuid, Problem> {
        Uuid::try_parse(self.param(name)).map_err(|_| Problem::not_found(kind))
    }

    /// The same call, with what its key stands for.
    #[must_use]
    pub fn keyed(self, keyed: Keyed) -> Self {
        Self { keyed: Some(keyed), ..self }
    }

    /// The caller's condition on the version, to be held against what is decided on.
    fn expects(&self) -> Option<Expected> {
        let wanted = self.if_match.as_ref()?;
        if wanted.trim() == "*" {
            return Some(Expected::Existing);
        }
        let version = |tag: &str| -> Option<u64> {
            let digits = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
            // As it is written, or not at all: `"07"` is no tag that was ever given out.
            digits.parse().ok().filter(|version: &u64| version.to_string() == digits)
        };
        Some(Expected::OneOf(wanted.split(',').filter_map(version).collect()))
    }

    /// Carries out a command in the caller's name, if their condition holds; answered with 200.
    pub async fn tell(&self, to: EntityId, command: Command) -> Result<Done, Problem> {
        self.tell_with(to, command, Vec::new()).await
    }

    /// The same, with personal data that is kept with it.
    pub async fn tell_with(
        &self,
        to: EntityId,
        command: Command,
        said: Vec<Said>,
    ) -> Result<Done, Problem> {
        self.send(StatusCode::OK, to, command, said).await
    }

    /// The same, of what is made by it; answered with 201.
    pub async fn make(
        &self,
        to: EntityId,
        command: Command,
        said: Vec<Said>,
    ) -> Result<Done, Problem> {
        self.send(StatusCode::CREATED, to, command, said).await
    }

    /// The one place where a caller's causes are made: with the receipt, where there is a key.
    async fn send(
        &self,
        status: StatusCode,
        to: EntityId,
        command: Command,
        said: Vec<Said>,
    ) -> Result<Done, Problem> {
        let (terms, cause) = self.terms(status, &to, said)?;
        Ok(self.api.core.tell(Asked::new(to, command, cause).on(terms)).await?)
    }

    /// On what terms a command to `to` is told, and by whom; it will be answered with `status`.
    pub(super) fn terms(
        &self,
        status: StatusCode,
        to: &EntityId,
        said: Vec<Said>,
    ) -> Result<(Terms, Cause), Problem> {
        let receipt = self.keyed.as_ref().map(|keyed| Receipt {
            token: keyed.key.0,
            key: keyed.key.1,
            request: keyed.request,
            status: status.as_u16(),
            entity: to.clone(),
            wall: wall_now(),
        });
        let cause = Cause { said, receipt, ..self.caller()?.cause() };
        let held = self.keyed.as_ref().map(|keyed| keyed.held.clone());
        Ok((Terms { expects: self.expects(), held }, cause))
    }
}
