//! Ids in virtual time: instant and counter, so that a run is the same each time.

use atalaya_domain::time::Timestamp;
use uuid::Uuid;

/// Makes ids that look like a version 7 UUID and depend on instant and order only.
#[derive(Debug, Default)]
pub struct Ids {
    made: u64,
}

impl Ids {
    /// The next id, made at `at`.
    pub fn make(&mut self, at: Timestamp) -> Uuid {
        self.made += 1;
        let millis = u128::from(at.0.unsigned_abs() / 1_000) & 0xffff_ffff_ffff;
        let number = u128::from(self.made) & 0x3fff_ffff_ffff_ffff;
        Uuid::from_u128(millis << 80 | 0x7 << 76 | 0b10 << 62 | number)
    }
}
