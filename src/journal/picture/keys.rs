//! Keys and values of the picture's one tree: a letter, then what it is about.
//!
//! ```text
//! m  format, epoch, key fingerprint            a  applied mark, sum of all other records
//! s kind id        version, seqs, flag, state  x length external_id contact   index
//! p owner field    personal text               r token key   receipt
//! c quarter queue  sums, done              t wall token key   index of receipts
//! ```
//!
//! Numbers in keys are big-endian, so that they sort; in values little-endian.

use atalaya_domain::EntityId;
use atalaya_domain::ids::{AgentId, ContactId, CredentialId, PersonId, QueueId};
use atalaya_domain::time::Timestamp;
use uuid::Uuid;

use super::write::Mark;
use super::{Applied, Kept, PictureError, Receipt};
use crate::journal::bytes::Take;
use crate::journal::commit::Whose;
use crate::journal::records::{entity_key, entity_of};
use crate::journal::states::{decode_state, encode_state};

/// What all of it is: which format, of which log, under which key.
pub(super) const PASSPORT: &[u8] = b"m";
/// The applied mark, with the sum of all records but this one.
pub(super) const MARK: &[u8] = b"a";
/// Begins every state.
pub(super) const STATES: u8 = b's';
/// Begins every personal datum.
pub(super) const SAID: u8 = b'p';
const PERSON: u8 = 1;
const AGENT: u8 = 2;
/// Bytes of a state's value before the state.
const STATE_HEAD_BYTES: usize = 34;

/// Bytes that `prefix` begins with something else after.
pub(super) fn under(letter: u8, rest: &[u8]) -> Vec<u8> {
    [&[letter], rest].concat()
}

pub(super) fn state(id: &EntityId) -> Vec<u8> {
    let (kind, id) = entity_key(id);
    under(STATES, &[&[kind], &id[..]].concat())
}

/// What every contact's key begins with.
pub(super) fn contacts() -> Vec<u8> {
    let mut key = state(&ContactId(Uuid::nil()).into());
    key.truncate(2);
    key
}

pub(super) fn entity(key: &[u8]) -> Result<EntityId, PictureError> {
    match key {
        [STATES, kind, id @ ..] => Ok(entity_of(*kind, id)?),
        _ => Err(PictureError::Damaged { what: "a key of no entity".to_owned() }),
    }
}

pub(super) fn state_value(kept: &Kept) -> Result<Vec<u8>, PictureError> {
    let mut value = Vec::with_capacity(256);
    value.extend_from_slice(&kept.version.to_le_bytes());
    value.extend_from_slice(&kept.first_seq.to_le_bytes());
    value.extend_from_slice(&kept.seq.to_le_bytes());
    value.push(u8::from(kept.frozen));
    value.push(u8::from(kept.quarantined.is_some()));
    value.extend_from_slice(&kept.quarantined.unwrap_or_default().0.to_le_bytes());
    value.extend_from_slice(&encode_state(&kept.state)?);
    Ok(value)
}

pub(super) fn kept(value: &[u8]) -> Result<Kept, PictureError> {
    let mut take = Take::new(value, 0);
    let (version, first_seq, seq) = (take.u64()?, take.u64()?, take.u64()?);
    let frozen = take.flag()?;
    let is_quarantined = take.flag()?;
    let since = Timestamp(take.i64()?);
    let quarantined = is_quarantined.then_some(since);
    let state = decode_state(state_bytes(value))?;
    Ok(Kept { state, version, first_seq, seq, frozen, quarantined })
}

/// The state itself in its value.
pub(super) fn state_bytes(value: &[u8]) -> &[u8] {
    value.get(STATE_HEAD_BYTES..).unwrap_or_default()
}

/// What all personal data of `owner` begin with.
pub(super) fn owner(owner: &Whose) -> Vec<u8> {
    let (kind, id) = match owner {
        Whose::Person(id) => (PERSON, id.0.as_bytes().to_vec()),
        // A slug holds no 0, which ends it.
        Whose::Agent(id) => (AGENT, [id.as_str().as_bytes(), &[0]].concat()),
    };
    under(SAID, &[&[kind], &id[..]].concat())
}

/// What a key of [`owner`] with a field after it says.
pub(super) fn owner_and_field(key: &[u8]) -> Result<(Whose, &[u8]), PictureError> {
    let wrong = || PictureError::Damaged { what: "personal data of nobody".to_owned() };
    match key {
        [_, PERSON, rest @ ..] => {
            let (id, field) = rest.split_first_chunk::<16>().ok_or_else(wrong)?;
            Ok((Whose::Person(PersonId(Uuid::from_bytes(*id))), field))
        }
        [_, AGENT, rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == 0).ok_or_else(wrong)?;
            let (id, field) = (rest.get(..end), rest.get(end + 1..));
            let id = id.and_then(|id| std::str::from_utf8(id).ok());
            let id = id.and_then(|id| AgentId::new(id).ok()).ok_or_else(wrong)?;
            Ok((Whose::Agent(id), field.unwrap_or_default()))
        }
        _ => Err(wrong()),
    }
}

pub(super) fn receipt(token: CredentialId, key: &[u8; 16]) -> Vec<u8> {
    under(b'r', &[token.0.as_bytes(), &key[..]].concat())
}

/// What every receipt of `wall` or later comes at or after.
pub(super) fn receipts_from(wall: Timestamp) -> Vec<u8> {
    under(b't', &sorted(wall.0))
}

pub(super) fn receipt_by_wall(receipt: &Receipt) -> Vec<u8> {
    [&receipts_from(receipt.wall)[..], receipt.token.0.as_bytes(), &receipt.key].concat()
}

pub(super) fn receipt_value(receipt: &Receipt) -> Vec<u8> {
    let (kind, id) = entity_key(&receipt.entity);
    let mut value = Vec::with_capacity(64);
    value.extend_from_slice(receipt.token.0.as_bytes());
    value.extend_from_slice(&receipt.key);
    value.extend_from_slice(&receipt.request);
    value.extend_from_slice(&receipt.status.to_le_bytes());
    value.extend_from_slice(&receipt.wall.0.to_le_bytes());
    value.extend_from_slice(&receipt.seq.to_le_bytes());
    value.push(kind);
    value.extend_from_slice(&id);
    value
}

pub(super) fn receipt_of(value: &[u8]) -> Result<Receipt, PictureError> {
    let mut take = Take::new(value, 0);
    let token = CredentialId(Uuid::from_bytes(take.array()?));
    let (key, request) = (take.array()?, take.array()?);
    let (status, wall, seq) = (take.u16()?, Timestamp(take.i64()?), take.u64()?);
    let kind = take.u8()?;
    let entity = entity_of(kind, value.get(take.at()..).unwrap_or_default())?;
    Ok(Receipt { token, key, request, status, entity, wall, seq })
}

/// What all contacts with this name of another system begin with.
pub(super) fn external(external_id: &str) -> Vec<u8> {
    under(b'x', &[&length(external_id)[..], external_id.as_bytes()].concat())
}

/// The contact at the end of a key of [`external`].
pub(super) fn external_contact(key: &[u8]) -> Result<ContactId, PictureError> {
    let id = key.last_chunk::<16>();
    let wrong = || PictureError::Damaged { what: "an index without a contact".to_owned() };
    id.map(|id| ContactId(Uuid::from_bytes(*id))).ok_or_else(wrong)
}

/// The done sums of a quarter of an hour and a queue.
pub(super) fn cell(quarter: i64, queue: &str) -> Vec<u8> {
    let mut key = cells_from(quarter);
    key.extend_from_slice(queue.as_bytes());
    key
}

/// What every cell of `quarter` or later comes at or after.
pub(super) fn cells_from(quarter: i64) -> Vec<u8> {
    under(b'c', &sorted(quarter))
}

/// The quarter and the queue of a key of [`cell`].
pub(super) fn cell_of(key: &[u8]) -> Result<(i64, QueueId), PictureError> {
    let wrong = || PictureError::Damaged { what: "sums of no quarter and queue".to_owned() };
    let (quarter, queue) =
        key.get(1..).and_then(|rest| rest.split_first_chunk::<8>()).ok_or_else(wrong)?;
    let queue = std::str::from_utf8(queue).ok().and_then(|queue| QueueId::new(queue).ok());
    let quarter = (u64::from_be_bytes(*quarter) ^ (1 << 63)).cast_signed();
    Ok((quarter, queue.ok_or_else(wrong)?))
}

/// A number that sorts: the sign's bit turned, negative ones come before the others.
fn sorted(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// A length before a text, so that no text's keys lie among another's.
fn length(text: &str) -> [u8; 8] {
    (text.len() as u64).to_be_bytes()
}

/// The mark with its views' sum, and the sum of all other records.
pub(super) fn mark_value(mark: Option<&Mark>, sum: u64) -> Vec<u8> {
    let mut value = sum.to_le_bytes().to_vec();
    if let Some(Mark { applied, views }) = mark {
        value.extend_from_slice(&applied.batch.to_le_bytes());
        value.extend_from_slice(&applied.seq.to_le_bytes());
        value.extend_from_slice(&applied.now.0.to_le_bytes());
        value.extend(views.iter().flat_map(|sum| sum.to_le_bytes()));
    }
    value
}

pub(super) fn mark_of(value: &[u8]) -> Result<(Option<Mark>, u64), PictureError> {
    let mut take = Take::new(value, 0);
    let sum = take.u64()?;
    if take.at() == value.len() {
        return Ok((None, sum));
    }
    let (batch, seq, now) = (take.u64()?, take.u64()?, Timestamp(take.i64()?));
    let views = if take.at() == value.len() { None } else { Some(take.u32()?) };
    Ok((Some(Mark { applied: Applied { batch, seq, now }, views }), sum))
}

/// What one record adds to the sum: FNV-1a over key and value. It tells accidents, not malice.
pub(super) fn weight(key: &[u8], value: &[u8]) -> u64 {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
    let hash = (key.len() as u64).to_le_bytes().iter().fold(START, step);
    let hash = key.iter().chain(value).fold(hash, step);
    // The last bytes reach the upper half too.
    (hash ^ (hash >> 29)).wrapping_mul(PRIME)
}
