//! A life in batches, and what the picture must hold after each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use atalaya::journal::commit::{Said, Whose};
use atalaya::journal::follower::Dirty;
use atalaya::journal::picture::{Applied, Change, Kept, Picture, Receipt, Standing};
use atalaya_domain::ids::{ContactId, CredentialId};
use atalaya_domain::time::Timestamp;
use atalaya_domain::{EntityId, State};
use uuid::Uuid;

use crate::life::Life;
use crate::samples::ana;

pub(crate) const EPOCH: Uuid = Uuid::from_u128(7);
pub(crate) const KEY: [u8; 16] = [9; 16];

pub(crate) fn open(dir: &Path) -> (Picture, Standing) {
    Picture::open(dir, EPOCH, KEY).unwrap()
}

pub(crate) type States = BTreeMap<EntityId, Kept>;

pub(crate) fn states_of(picture: &Picture) -> States {
    picture.states().map(Result::unwrap).collect()
}

pub(crate) fn receipt(number: u8, wall: i64) -> Receipt {
    Receipt {
        token: CredentialId(Uuid::from_u128(1)),
        key: [number; 16],
        request: [3; 16],
        status: 201,
        entity: ContactId(Uuid::from_u128(number.into())).into(),
        wall: Timestamp(wall),
        seq: number.into(),
    }
}

/// The changes of a life, a batch every few steps, with the states as they are after each.
pub(crate) fn history(steps: &[(u8, u8, u8)], steps_per_batch: usize) -> Vec<(Change, States)> {
    let mut life = Life::new();
    let (mut dirty, mut states) = (Dirty::default(), States::new());
    let mut told = 0;
    let mut all = Vec::new();
    for (batch, steps) in (1..).zip(steps.chunks(steps_per_batch)) {
        for step in steps {
            life.step(*step);
        }
        for folded in &life.log[told..] {
            let id = folded.recorded.entity.clone();
            dirty.touch(&id, folded.seq);
            let kept = Kept {
                state: folded.after.clone(),
                version: folded.recorded.version,
                first_seq: states.get(&id).map_or(folded.seq, |kept: &Kept| kept.first_seq),
                seq: folded.seq,
                frozen: folded.seq % 50 == 0,
                quarantined: (folded.seq % 25 == 0).then_some(Timestamp(7)),
            };
            states.insert(id, kept);
        }
        told = life.log.len();
        let text = format!("Ana {batch}");
        dirty.say(&Said { of: Whose::Agent(ana()), field: "name".into(), text });
        let shade = u8::try_from(batch % 100).unwrap();
        dirty.receipt(receipt(shade, batch));
        let number = u64::try_from(batch).unwrap();
        dirty.mark(Applied { batch: number, seq: told as u64, now: life.now });
        let read = |id: &EntityId, _| states[id].clone();
        let change = dirty.take(read, || BTreeMap::from([("board".into(), vec![shade; 40_000])]));
        all.push((change, states.clone()));
    }
    all
}

/// Steps that do much, always the same.
pub(crate) fn steps(count: usize) -> Vec<(u8, u8, u8)> {
    let mut seed = 1_u32;
    let mut next = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    (0..count).map(|_| (next(), next(), next())).collect()
}

/// What a crash leaves: the files as they are now.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A state with nothing in it but the name of another system.
pub(crate) fn contact_called(name: &str) -> Kept {
    let mut life = Life::new();
    let id = life.arrive("general", false);
    let State::Contact(mut contact) = life.states[&id.into()].clone() else { panic!() };
    let mut entered = contact.entered.as_deref().unwrap().clone();
    entered.external_id = Some(name.into());
    contact.entered = Some(entered.into());
    Kept {
        state: State::Contact(contact),
        version: 1,
        first_seq: 1,
        seq: 1,
        frozen: false,
        quarantined: None,
    }
}
