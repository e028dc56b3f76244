//! How the centre is asked for something, by others and by itself.

use std::sync::Arc;

use atalaya_domain::ids::EntityId;
use atalaya_domain::machine::Command;
use atalaya_domain::time::Now;
use tokio::sync::oneshot;

use super::super::brain::{Flight, Origin};
use super::super::gate::Token;
use super::super::shell::{Done, Failure, Landing, Lead, Order, Terms};
use super::super::timekeeper::settle;
use super::Centre;
use crate::journal::commit::Cause;

/// A command to one entity, and how it is to be carried out.
#[derive(Debug)]
pub struct Asked {
    to: EntityId,
    command: Command,
    now: Option<Now>,
    cause: Cause,
    terms: Terms,
}

impl Asked {
    /// `command` to `to`, by whom `cause` says, as of when it is decided.
    pub fn new(to: impl Into<EntityId>, command: Command, cause: Cause) -> Self {
        Self { to: to.into(), command, now: None, cause, terms: Terms::default() }
    }

    /// The same, by the system.
    pub fn by_system(to: impl Into<EntityId>, command: Command) -> Self {
        Self::new(to, command, Cause::system())
    }

    /// As of `now`.
    #[must_use]
    pub fn at(self, now: Option<Now>) -> Self {
        Self { now, ..self }
    }

    /// On the asker's terms.
    #[must_use]
    pub fn on(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }
}

impl Centre {
    /// Sends what the centre itself originates to its lane.
    pub fn pass(self: &Arc<Self>, origin: Origin, token: Token) {
        let Origin { now, to, command, flight } = origin;
        let (now, landing) = (Some(now), Landing::new(self.clone(), flight));
        let (cause, terms) = (Cause::system(), Terms::default());
        let order = Order { to, command, now, cause, terms, landing, token };
        let to = order.to.clone();
        if let Err(mut back) = self.directory.send(self, &to, Lead { order, reply: None }) {
            back.order.landing.end(true);
        }
    }

    /// Carries out a command and waits for its end; where the clock stands still, also until
    /// nothing that follows from it at that instant is in flight.
    pub async fn tell(self: &Arc<Self>, asked: Asked) -> Result<Done, Failure> {
        if !self.stands_still() {
            return self.carry_out(asked).await;
        }
        let _unmoved = self.unmoved().await;
        let done = self.carry_out(asked).await;
        settle(self).await;
        done
    }

    /// Carries out a command and waits for its end, and for nothing that follows from it.
    pub async fn carry_out(self: &Arc<Self>, asked: Asked) -> Result<Done, Failure> {
        let Asked { to, command, now, cause, terms } = asked;
        let landing = Landing::new(self.clone(), Flight::Nothing);
        let (reply, answer) = oneshot::channel();
        let token = self.token();
        let order = Order { to: to.clone(), command, now, cause, terms, landing, token };
        let lead = Lead { order, reply: Some(reply) };
        self.directory.send(self, &to, lead).map_err(|_| Failure::Overloaded)?;
        answer.await.unwrap_or_else(|_| Err(Failure::Unknown("the lane died".into())))
    }
}
