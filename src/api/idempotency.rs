//! `Idempotency-Key`: the same key and body gives the first outcome again, for 24 h, also after a
//! restart.
//!
//! A success commits its receipt in the entry that it is about (one that changes nothing, in an
//! entry of its own), and what is remembered is the fold of those receipts
//! (`actors::receipts`): there is no moment at which one is there without the other. A refusal
//! frees the key. After `commit-unknown` the key stays in flight until the outcome is known: then
//! a retry finds the receipt, or runs anew. What was in flight when a process died is not: a retry
//! after the start finds the receipt in the log, or runs anew.
//!
//! An answer's secret is kept nowhere, so a repeat shows the entity without it. Not here: what is
//! done for a key; that is the handler's work, given to [`once`].

use actix_web::http::StatusCode;

use super::answer::{Answer, REPLAY, render};
use super::body::Body;
use super::call::{Call, Keyed};
use super::problem::{Code, Problem};
use crate::actors::clock::wall_now;
use crate::actors::receipts::{Begin, KEYS_MAX, Outcome};

/// Most bytes of a key.
pub const KEY_BYTES_MAX: usize = 128;

/// Does `work` once for the call's key, if it has one, and renders the answer.
///
/// The work is given the call to tell by. It goes on to its end also when the caller is gone, so
/// that a key never stands for half of it.
pub async fn once<W>(
    call: Call,
    body: &Body,
    work: impl FnOnce(Call) -> W,
) -> Result<actix_web::HttpResponse, Problem>
where
    W: Future<Output = Result<Answer, Problem>> + 'static,
{
    let Some(text) = call.key.clone() else {
        let answer = work(call.clone()).await?;
        return render(&call, &answer);
    };
    let plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if text.is_empty() || text.len() > KEY_BYTES_MAX || !plain {
        let detail = format!("cannot use the key: it must have 1 to {KEY_BYTES_MAX} ASCII bytes");
        return Err(Problem::invalid("Idempotency-Key", detail));
    }
    let key = (call.caller()?.token, call.api.secrets.hash("idempotency key", &text));
    let request = fingerprint(&call, body)?;
    let held = match call.api.core.receipts().begin(key, request, wall_now()) {
        Begin::Fresh(held) => held,
        Begin::InFlight => {
            let detail = "cannot begin again: the first request with this key is not done";
            return Err(Problem::new(Code::KeyInFlight, detail));
        }
        Begin::Done(outcome) => return replay(&call, outcome),
        Begin::Reused => {
            let detail = "cannot use this key: it was used for another request; take a new one";
            return Err(Problem::new(Code::KeyReused, detail));
        }
        Begin::Full => {
            let detail = format!("cannot remember more than {KEYS_MAX} keys; try again later");
            return Err(Problem::new(Code::TooMany, detail));
        }
    };
    let work = actix_web::rt::spawn(work(call.clone().keyed(Keyed { key, request, held })));
    let answer = work.await.map_err(|error| {
        tracing::error!(%error, "work with an idempotency key panicked");
        Problem::internal()
    })?;
    render(&call, &answer?)
}

/// The keyed hash of what is asked: by which agent, of which path, with which body.
fn fingerprint(call: &Call, body: &Body) -> Result<[u8; 16], Problem> {
    let agent = call.caller()?.agent.as_ref().map_or("", |agent| agent.as_str());
    let parts = [agent.as_bytes(), call.target.as_bytes(), &body.bytes];
    Ok(call.api.secrets.hash_parts("request", parts))
}

/// The first outcome again: its status and place, the entity as it is now.
fn replay(call: &Call, outcome: Outcome) -> Result<actix_web::HttpResponse, Problem> {
    let Outcome { status, entity, seq } = outcome;
    let status = StatusCode::from_u16(status).map_err(|_| Problem::internal())?;
    let mut response = render(call, &Answer::of(status, entity, seq))?;
    response.headers_mut().insert(REPLAY, "true".parse().map_err(|_| Problem::internal())?);
    Ok(response)
}
