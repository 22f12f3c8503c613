//! Time and randomness, which this crate never fetches itself.

use std::fmt;

use jiff::Timestamp;
use uuid::Builder;

/// When an operation happens, and what chance gives it.
///
/// One value serves one operation: two that share a seed would share ids and secrets.
#[derive(Clone)]
pub struct Ambient {
    /// The time that is stored and audited, kept to the millisecond. It is that of the request, which may then wait
    /// for the write lock: events are in the order of their `seq`, and their times need not be.
    pub now: Timestamp,
    /// Bytes of a cryptographically secure source.
    pub seed: [u8; 64],
}

impl Ambient {
    // INVARIANT: the three read disjoint parts of the seed. Ids are public, the secret is not.

    pub(crate) fn secret(&self) -> [u8; 32] {
        self.part(0)
    }

    pub(crate) fn workspace_id(&self) -> String {
        self.uuid(self.part(32))
    }

    /// The idempotency key of a request that makes no key.
    pub(crate) fn request_id(&self) -> String {
        self.uuid(self.part(42))
    }

    pub(crate) fn key_id(&self) -> String {
        self.uuid(self.part(42))
    }

    fn uuid(&self, random: [u8; 10]) -> String {
        let milliseconds = u64::try_from(self.now.as_millisecond()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(milliseconds, &random)
            .into_uuid()
            .to_string()
    }

    fn part<const N: usize>(&self, from: usize) -> [u8; N] {
        let mut part = [0; N];
        for (to, byte) in part.iter_mut().zip(self.seed.iter().skip(from)) {
            *to = *byte;
        }
        part
    }
}

/// Without the seed, from which secrets are made.
impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ambient")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_the_secret_share_no_byte_of_the_seed() {
        let ambient = Ambient {
            now: Timestamp::from_millisecond(0x0123_4567_89ab).unwrap(),
            seed: std::array::from_fn(|i| u8::try_from(i).unwrap()),
        };
        assert_eq!(
            ambient.secret(),
            std::array::from_fn(|i| u8::try_from(i).unwrap())
        );
        assert_eq!(
            ambient.workspace_id(),
            "01234567-89ab-7021-a223-242526272829"
        );
        assert_eq!(ambient.key_id(), "01234567-89ab-7a2b-ac2d-2e2f30313233");
        assert!(!format!("{ambient:?}").contains("seed"));
    }
}
