//! Commands of a socket: the handlers of their HTTP twins, given the same call and body.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::to_bytes;
use futures_util::FutureExt;
use serde_json::{Map, Value};

use crate::api::body::{Body, missing};
use crate::api::call::{Call, Caller};
use crate::api::problem::{Code, Problem};
use crate::api::roles::Role;
use crate::api::{Api, agents, contacts, guard};

/// Carries `command` out in the caller's name: the entity as it is after the commit.
pub async fn carry_out(
    api: Arc<Api>,
    caller: Caller,
    command: String,
    args: Map<String, Value>,
) -> Result<Value, Problem> {
    let work = AssertUnwindSafe(twin(api, caller, &command, args)).catch_unwind();
    let response = work.await.unwrap_or_else(|_| {
        tracing::error!(command, "a command on a socket panicked");
        Err(Problem::internal())
    })?;
    let body = to_bytes(response.into_body()).await.map_err(|_| Problem::internal())?;
    serde_json::from_slice(&body).map_err(|_| Problem::internal())
}

async fn twin(
    api: Arc<Api>,
    caller: Caller,
    command: &str,
    mut args: Map<String, Value>,
) -> Result<HttpResponse, Problem> {
    if !guard::still_holds(&api, &caller) {
        return Err(Problem::unauthenticated());
    }
    let agent = caller.agent.clone().filter(|_| caller.role == Role::Agent && !caller.reads_only);
    let Some(agent) = agent else {
        let detail = "cannot give commands on a socket but as an agent";
        return Err(Problem::new(Code::Forbidden, detail));
    };
    let params = match command {
        "presence" => vec![("id".to_owned(), agent.to_string())],
        "accept" | "reject" => {
            let offer = param(&mut args, "offer")?;
            vec![("id".to_owned(), agent.to_string()), ("offer".to_owned(), offer)]
        }
        _ => vec![("id".to_owned(), param(&mut args, "contact")?)],
    };
    let call = Call::inside(api, caller, params);
    let body = Body::of(args);
    match command {
        "presence" => agents::presence(call, body).await,
        "accept" => agents::accept(call, body).await,
        "reject" => agents::reject(call, body).await,
        "hold" => contacts::hold(call, body).await,
        "resume" => contacts::resume(call, body).await,
        "complete" => contacts::complete(call, body).await,
        "wrap_up" => contacts::wrap_up(call, body).await,
        "extend_wrap_up" => contacts::extend_wrap_up(call, body).await,
        _ => Err(Problem::later("command")),
    }
}

/// A parameter of the twin's path.
fn param(args: &mut Map<String, Value>, name: &str) -> Result<String, Problem> {
    match args.remove(name) {
        Some(Value::String(value)) => Ok(value),
        Some(_) => Err(Problem::invalid(name, format!("cannot take `{name}`: it is not a text"))),
        None => Err(missing(name)),
    }
}
