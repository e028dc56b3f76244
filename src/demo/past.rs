//! The hours that lie behind an opening: the same callers, rota and minds, in virtual time, without
//! a server.
//!
//! A wallboard that opens on an empty day says nothing. So before a new demo listens, its day is
//! played from midnight to the opening by the pure loop, through the very domain that the server
//! runs, in a second or two; what it commits becomes the log that the server then finds, as any
//! server finds its own after a stop. Whoever is in talk, waits or works at the opening is taken up
//! by the live callers and agents. The road not taken is to start earlier and to hurry the wire: a
//! morning of three hours in two seconds is 5,000 times the speed of life, where one hop is a
//! minute of waiting and no figure is true.
//!
//! The people of these hours have no supervisor and no wire: their desktops fall silent by the
//! centre's time, and what they say arrives at once. Writing the log is not here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use atalaya_domain::agent::{self, Agent, Wish, Work};
use atalaya_domain::contact::{self, Arrival, Who};
use atalaya_domain::entry::Recorded;
use atalaya_domain::ids::{AgentId, ContactId, EntityId, OfferId, PersonId, QueueId, Slug};
use atalaya_domain::machine::{Command, Event, State};
use atalaya_domain::priority::Priorities;
use atalaya_domain::time::{Phase, Timestamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;
use uuid::Uuid;

use super::callers::{Arrivals, Caller};
use super::centre::Centre;
use super::mind::{Mind, Say, Standing};
use super::rota;
use crate::simulation::driver::{Due, LEASE, Place};
use crate::simulation::ids::Ids;
use crate::simulation::pure::People;

/// The number of the server's start under which these hours are.
const START: u64 = 1;
/// Mean centre seconds from one silence of a desktop to the next, and how long it lasts.
const SILENT_EVERY_MEAN_S: f64 = 5.0 * 3600.0;
const SILENT_S: std::ops::Range<f64> = 5.0..90.0;
/// Sets this chance apart.
const OWN_CHANCE: u64 = 0x7061_7374;

/// Whose a telephone number is: the id that the server will give the same person.
pub type Persons = Box<dyn Fn(&str) -> Uuid>;

#[derive(Debug, Clone)]
enum Todo {
    Arrive(usize),
    /// The caller has had enough of waiting.
    GiveUp(ContactId),
    /// The caller has had enough of talking.
    HangUp(ContactId),
    /// The mind's time has come; the number tells it from an older plan.
    Act(AgentId, u64),
    Look(AgentId),
    Silent(AgentId),
    Lost(AgentId),
    Back(AgentId),
}

struct Desk {
    mind: Mind,
    /// Which plan holds, and for when.
    plan: u64,
    due_s: f64,
    is_silent: bool,
}

/// See the module.
pub struct Past {
    centre: Arc<Centre>,
    seed: u64,
    persons: Persons,
    priorities: Priorities,
    callers: Vec<Caller>,
    numbers: HashMap<ContactId, usize>,
    offers: HashMap<String, ContactId>,
    desks: BTreeMap<AgentId, Desk>,
    places: BTreeMap<AgentId, usize>,
    plan: BTreeMap<Place, Todo>,
    announced: u64,
    chance: ChaCha8Rng,
}

impl Past {
    /// The people of the day of `until`, from its midnight, and that midnight.
    pub fn new(
        centre: Arc<Centre>,
        seed: u64,
        until: Timestamp,
        persons: Persons,
    ) -> (Self, Timestamp) {
        let until_s = second_of(until);
        let date = rota::date_at(until_s, &centre.time_zone);
        let start_s = rota::midnight_s(date, &centre.time_zone);
        let callers = Arrivals::new(&centre, seed, date);
        let callers = callers.take_while(|caller| caller.at_s < until_s).collect();
        let place = |(place, id): (usize, &str)| Some((AgentId::new(id).ok()?, place));
        let ids = centre.people.iter().map(|person| person.id.as_str()).enumerate();
        let places: BTreeMap<_, _> = ids.filter_map(place).collect();
        let mut past = Self {
            centre: centre.clone(),
            seed,
            persons,
            priorities: Priorities::default(),
            callers,
            numbers: HashMap::new(),
            offers: HashMap::new(),
            desks: BTreeMap::new(),
            places,
            plan: BTreeMap::new(),
            announced: 0,
            chance: ChaCha8Rng::seed_from_u64(seed ^ OWN_CHANCE),
        };
        let agents: Vec<_> = past.places.keys().cloned().collect();
        for agent in agents {
            past.begin(&agent, start_s);
        }
        for number in 0..past.callers.len() {
            let at_s = past.callers[number].at_s;
            past.announce(instant_of(at_s), Todo::Arrive(number));
        }
        (past, instant_of(start_s))
    }

    /// Who calls under this name.
    pub fn caller(&self, name: &str) -> Option<&Caller> {
        self.callers.iter().find(|caller| caller.name == name)
    }

    fn announce(&mut self, at: Timestamp, todo: Todo) {
        self.announced += 1;
        self.plan.insert((at, Phase::Live, String::new(), self.announced), todo);
    }

    /// The agent's next turn.
    fn begin(&mut self, agent: &AgentId, now_s: f64) {
        let Some(person) = self.places.get(agent).and_then(|at| self.centre.people.get(*at)) else {
            return;
        };
        let Some(duty) = rota::next_duty(&self.centre, self.seed, person, now_s) else { return };
        let comes_s = now_s.max(duty.from_s);
        let mut mind = Mind::new(self.seed, &duty, comes_s);
        mind.hear(comes_s, &Standing { state: "signed_out".into(), ..Standing::default() });
        let desk = Desk { mind, plan: 0, due_s: 0.0, is_silent: false };
        self.desks.insert(agent.clone(), desk);
        self.replan(agent, comes_s);
        self.plan_silence(agent, comes_s);
    }

    fn plan_silence(&mut self, agent: &AgentId, now_s: f64) {
        let gap: f64 = self.chance.sample(Exp1);
        let at = instant_of(now_s + gap * SILENT_EVERY_MEAN_S);
        self.announce(at, Todo::Silent(agent.clone()));
    }

    fn replan(&mut self, agent: &AgentId, now_s: f64) {
        self.announced += 1;
        let plan = self.announced;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        let due_s = desk.mind.next_s().max(now_s);
        (desk.plan, desk.due_s) = (plan, due_s);
        if due_s.is_finite() {
            let place = (instant_of(due_s), Phase::Live, String::new(), plan);
            self.plan.insert(place, Todo::Act(agent.clone(), plan));
        }
    }

    fn command(
        &mut self,
        at: Timestamp,
        todo: Todo,
        look: &dyn Fn(&EntityId) -> State,
        ids: &mut Ids,
    ) -> Option<(EntityId, Command)> {
        let now_s = second_of(at);
        match todo {
            Todo::Arrive(number) => self.arrive(at, number, ids),
            Todo::GiveUp(id) => {
                let State::Contact(contact) = look(&EntityId::Contact(id)) else { return None };
                let leaves = Command::Contact(contact::Command::Abandon);
                contact.is_waiting().then_some((id.into(), leaves))
            }
            Todo::HangUp(id) => {
                let State::Contact(contact) = look(&EntityId::Contact(id)) else { return None };
                let ends = Command::Contact(contact::Command::Complete { by: Who::Citizen });
                let talks = matches!(
                    contact.state,
                    contact::State::Active { .. } | contact::State::Held { .. }
                );
                talks.then_some((id.into(), ends))
            }
            Todo::Act(agent, plan) => self.act(&agent, plan, now_s),
            Todo::Look(agent) => {
                let State::Agent(state) = look(&EntityId::Agent(agent.clone())) else {
                    return None;
                };
                let desk = self.desks.get_mut(&agent).filter(|desk| !desk.is_silent)?;
                desk.mind.hear(now_s, &standing(&state));
                if desk.mind.has_left() {
                    self.begin(&agent, now_s);
                } else {
                    self.replan(&agent, now_s);
                }
                None
            }
            Todo::Silent(agent) => {
                let desk = self.desks.get_mut(&agent)?;
                if desk.mind.is_leaving() {
                    return None;
                }
                desk.is_silent = true;
                let back_s = now_s + self.chance.random_range(SILENT_S);
                self.announce(at.plus(LEASE), Todo::Lost(agent.clone()));
                self.announce(instant_of(back_s), Todo::Back(agent));
                None
            }
            Todo::Lost(agent) => {
                let is_silent = self.desks.get(&agent).is_some_and(|desk| desk.is_silent);
                let lost = Command::Agent(agent::Command::Lost);
                is_silent.then_some((EntityId::Agent(agent), lost))
            }
            Todo::Back(agent) => {
                let desk = self.desks.get_mut(&agent)?;
                desk.is_silent = false;
                desk.mind.refused(now_s);
                self.announce(at, Todo::Look(agent.clone()));
                self.plan_silence(&agent, now_s);
                let heard = Command::Agent(agent::Command::Heard { start: START });
                Some((EntityId::Agent(agent), heard))
            }
        }
    }

    fn act(&mut self, agent: &AgentId, plan: u64, now_s: f64) -> Option<(EntityId, Command)> {
        let desk = self.desks.get_mut(agent)?;
        if desk.plan != plan || desk.is_silent {
            return None;
        }
        // An instant is a little less exact than a mind's second.
        let now_s = now_s.max(desk.due_s);
        let said = desk.mind.due(now_s);
        if desk.mind.has_left() {
            self.begin(agent, now_s);
        } else {
            self.replan(agent, now_s);
        }
        self.words(agent, said?)
    }

    /// What is said, as a command.
    fn words(&self, agent: &AgentId, say: Say) -> Option<(EntityId, Command)> {
        let presence = |wish, after| {
            let command = agent::Command::Presence { wish, after, start: START };
            Some((EntityId::Agent(agent.clone()), Command::Agent(command)))
        };
        let to = |id: ContactId, command| Some((id.into(), Command::Contact(command)));
        let contact = |id: &str| Uuid::parse_str(id).ok().map(ContactId);
        let offered = |offer: &str| {
            let id = Uuid::parse_str(offer).ok().map(OfferId)?;
            Some((*self.offers.get(offer)?, id))
        };
        let (agent, by) = (agent.clone(), Who::Agent(agent.clone()));
        match say {
            Say::Ready => presence(Wish::Ready, false),
            Say::NotReady(reason) => presence(Wish::NotReady(Slug::new(reason).ok()?), true),
            Say::SignOut => presence(Wish::SignedOut, true),
            Say::Accept { offer } => {
                let (id, offer) = offered(&offer)?;
                to(id, contact::Command::Accept { offer, agent })
            }
            Say::Reject { offer } => {
                let (id, offer) = offered(&offer)?;
                let reason = Slug::new("busy_elsewhere").ok();
                to(id, contact::Command::Reject { offer, agent, reason })
            }
            Say::Complete { contact: id } => to(contact(&id)?, contact::Command::Complete { by }),
            Say::WrapUp { contact: id, outcome, topic } => {
                let outcome = Some(outcome.to_owned());
                let topic = Some(topic).filter(|topic| !topic.is_empty());
                to(contact(&id)?, contact::Command::EndWrapUp { by, outcome, topic })
            }
        }
    }

    fn arrive(
        &mut self,
        at: Timestamp,
        number: usize,
        ids: &mut Ids,
    ) -> Option<(EntityId, Command)> {
        let caller = self.callers.get(number)?.clone();
        let priority = Slug::new(caller.priority()).ok()?;
        let id = ContactId(ids.make(at));
        self.numbers.insert(id, number);
        let enough = instant_of(caller.at_s + caller.patience_s);
        self.announce(enough.max(at), Todo::GiveUp(id));
        let arrival = Arrival {
            queue: QueueId::new(&caller.queue).ok()?,
            credit: self.priorities.0.get(&priority).copied()?,
            priority,
            language: if caller.wants_catalan { Slug::new("ca").ok() } else { None },
            skills: None,
            levels: None,
            external_id: Some(caller.name),
            person: PersonId((self.persons)(&caller.from)),
            full: false,
        };
        Some((id.into(), Command::Contact(contact::Command::Arrive(Box::new(arrival)))))
    }

    fn hear_contact(&mut self, at: Timestamp, id: ContactId, event: &contact::Event) {
        let Some(caller) = self.numbers.get(&id).and_then(|number| self.callers.get(*number))
        else {
            return;
        };
        match event {
            contact::Event::Offered { offer, agent, .. } => {
                let talk_mean_s = self.centre.line(&caller.queue).map(|line| line.talk_mean_s);
                let queue = caller.queue.clone();
                self.offers.insert(offer.to_string(), id);
                if let Some(desk) = self.desks.get_mut(agent) {
                    desk.mind.offered(second_of(at), &offer.to_string(), &queue, talk_mean_s);
                    self.replan(agent, second_of(at));
                }
            }
            contact::Event::Answered { .. } => {
                let talk = instant_of(second_of(at) + caller.talk_s);
                self.announce(talk, Todo::HangUp(id));
            }
            contact::Event::OfferRecalled { offer, agent, .. } => {
                self.offers.remove(&offer.to_string());
                if let Some(desk) = self.desks.get_mut(agent) {
                    desk.mind.recalled(&offer.to_string());
                }
            }
            contact::Event::OfferAccepted { offer, .. }
            | contact::Event::OfferRejected { offer, .. }
            | contact::Event::OfferMissed { offer, .. } => {
                self.offers.remove(&offer.to_string());
            }
            _ => (),
        }
    }
}

impl People for Past {
    fn next(&self) -> Option<&Place> {
        self.plan.first_key_value().map(|(place, _)| place)
    }

    fn name_of(&self, id: ContactId) -> Option<&str> {
        self.numbers.get(&id).map(|number| self.callers[*number].name.as_str())
    }

    fn take(
        &mut self,
        look: &dyn Fn(&EntityId) -> State,
        ids: &mut Ids,
    ) -> Option<(Place, Option<Due>)> {
        let (place, todo) = self.plan.pop_first()?;
        let command = self.command(place.0, todo, look, ids);
        let due = command.map(|(to, command)| Due { place: place.clone(), to, command });
        Some((place, due))
    }

    fn hear(&mut self, events: &[Recorded]) {
        for Recorded { entity, at, event, .. } in events {
            match (entity, event) {
                (EntityId::Contact(id), Event::Contact(event)) => {
                    self.hear_contact(*at, *id, event);
                }
                (EntityId::Agent(agent), Event::Agent(agent::Event::PresenceChanged { .. })) => {
                    self.announce(*at, Todo::Look(agent.clone()))
                }
                _ => (),
            }
        }
    }

    fn refused(&mut self, due: &Due) {
        let Some(agent) = speaker(&due.to, &due.command) else { return };
        let now_s = second_of(due.place.0);
        if let Some(desk) = self.desks.get_mut(&agent) {
            desk.mind.refused(now_s);
            self.replan(&agent, now_s);
        }
    }
}

/// The agent who says this, if one does.
pub fn speaker(to: &EntityId, command: &Command) -> Option<AgentId> {
    match (to, command) {
        (EntityId::Agent(agent), Command::Agent(agent::Command::Presence { .. })) => {
            Some(agent.clone())
        }
        (_, Command::Contact(command)) => match command {
            contact::Command::Accept { agent, .. }
            | contact::Command::Reject { agent, .. }
            | contact::Command::Complete { by: Who::Agent(agent) }
            | contact::Command::EndWrapUp { by: Who::Agent(agent), .. } => Some(agent.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// How an agent stands, as the wire would say it.
fn standing(agent: &Agent) -> Standing {
    let presence = agent.presence();
    let leg = |wanted: fn(&Work) -> bool| {
        let found = agent.work.iter().find(|(_, work)| wanted(work));
        found.map(|(id, _)| id.to_string()).unwrap_or_default()
    };
    Standing {
        state: presence.state.name().to_owned(),
        reason: presence.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        talks: leg(|work| matches!(work, Work::Active { .. })),
        wraps: leg(|work| matches!(work, Work::WrapUp { .. })),
    }
}

fn second_of(at: Timestamp) -> f64 {
    jiff::Timestamp::from_microsecond(at.0).map_or(0.0, rota::seconds)
}

/// The instant of a second, to the microsecond.
fn instant_of(at_s: f64) -> Timestamp {
    Timestamp(rota::instant(at_s).as_microsecond())
}
