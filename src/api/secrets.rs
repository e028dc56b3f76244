//! Secrets of tokens and sessions: made of chance, kept as a keyed hash, found by it.
//!
//! The grants themselves are the credential machine's; here is only the way from a secret to its
//! credential.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use atalaya_domain::ids::EntityId;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::core::Core;
use super::problem::Problem;

/// Bytes of chance in a secret.
pub const SECRET_BYTES: usize = 32;

/// The installation's key, and the credentials by hash.
///
/// The index has an entry for each token and session that is not over; it is read from the
/// published states at start.
#[derive(Debug)]
pub struct Secrets {
    key: [u8; 32],
    by_hash: RwLock<HashMap<[u8; 16], EntityId>>,
}

impl Secrets {
    /// Hashes with `key`, and knows nobody.
    pub fn bare(key: [u8; 32]) -> Self {
        Self { key, by_hash: RwLock::default() }
    }

    /// Hashes with `key`; knows the credentials that `core` has.
    pub fn new(key: [u8; 32], core: &Core) -> Self {
        let secrets = Self::bare(key);
        let credentials = core.ids(|id| match id {
            EntityId::Token(_) | EntityId::Session(_) => Some(id),
            _ => None,
        });
        for id in credentials {
            let credential = core.credential(&id).filter(|credential| !credential.ended);
            if let Some(grant) = credential.and_then(|credential| credential.grant) {
                secrets.learn(grant.hash, id);
            }
        }
        secrets
    }

    /// 32 bytes of chance, as hex.
    pub fn make() -> Result<String, Problem> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "failed to get random bytes");
            Problem::internal()
        })?;
        Ok(hex(&bytes))
    }

    /// The keyed hash of `secret`, for `purpose`.
    pub fn hash(&self, purpose: &str, secret: &str) -> [u8; 16] {
        self.mac(purpose, |mac| mac.update(secret.as_bytes()))
    }

    /// The keyed hash of `parts`, for `purpose`; what moves from one into the next makes another.
    pub fn hash_parts(&self, purpose: &str, parts: [&[u8]; 3]) -> [u8; 16] {
        self.mac(purpose, |mac| {
            for part in parts {
                mac.update(&part.len().to_le_bytes());
                mac.update(part);
            }
        })
    }

    fn mac(&self, purpose: &str, take: impl FnOnce(&mut Hmac<Sha256>)) -> [u8; 16] {
        let mut mac = match Hmac::<Sha256>::new_from_slice(&self.key) {
            Ok(mac) => mac,
            Err(never) => {
                // HMAC takes a key of any length.
                tracing::error!(%never, "failed to key a hash");
                return [0; 16];
            }
        };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        take(&mut mac);
        first_16(&mac.finalize().into_bytes())
    }

    /// The token to be sent back with a session's writes.
    pub fn csrf(&self, session: &str) -> String {
        hex(&self.hash("csrf", session))
    }

    /// Keeps the way to `id`.
    pub fn learn(&self, hash: [u8; 16], id: EntityId) {
        self.by_hash.write().unwrap_or_else(PoisonError::into_inner).insert(hash, id);
    }

    /// Forgets it.
    pub fn forget(&self, hash: &[u8; 16]) {
        self.by_hash.write().unwrap_or_else(PoisonError::into_inner).remove(hash);
    }

    /// Whose secret it is. The map is keyed by the hash, so no secret is compared byte by byte.
    pub fn find(&self, purpose: &str, secret: &str) -> Option<EntityId> {
        let hash = self.hash(purpose, secret);
        self.by_hash.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned()
    }

    /// A stable id of `text`, told apart from others only with the key.
    pub fn person(&self, text: &str) -> Uuid {
        uuid::Builder::from_custom_bytes(self.hash("person", text)).into_uuid()
    }
}

fn first_16(bytes: &[u8]) -> [u8; 16] {
    let mut first = [0; 16];
    first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    first
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub fn same(left: &str, right: &str) -> bool {
    left.len() == right.len()
        && left.bytes().zip(right.bytes()).fold(0, |seen, (l, r)| seen | (l ^ r)) == 0
}
