//! SHA-256 digests and their one spelling: bare lower-case hex.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The SHA-256 digest of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The SHA-256 digest of bytes that are hashed piece by piece, from the first to the last.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    hasher: Sha256,
    rest: &'a [u8],
}

impl<'a> Running<'a> {
    /// The digest of `bytes`, none of which is hashed yet.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            hasher: Sha256::new(),
            rest: bytes,
        }
    }

    /// Goes on until no more than so many bytes are left.
    pub(crate) fn all_but(&mut self, left: usize) {
        let (next, rest) = self.rest.split_at(self.rest.len().saturating_sub(left));
        self.hasher.update(next);
        self.rest = rest;
    }

    /// The digest of all bytes.
    pub(crate) fn finish(mut self) -> Hash {
        self.all_but(0);
        self.hasher.finalize().into()
    }
}

/// `bytes` as lower-case hex, two digits a byte, without a prefix.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .map(|nibble| {
            let zero = if nibble < 10 { b'0' } else { b'a' - 10 };
            char::from(zero + nibble)
        })
        .collect()
}

/// The digest that `text` spells in exactly the form that [`hex`] writes: 64 lower-case digits.
///
/// `None` for any other text, upper-case digits included: a digest has one spelling, so that equal
/// digests are equal strings.
pub fn parse_hex(text: &str) -> Option<Hash> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut hash = Hash::default();
    // All digits without a way out before the last: the compiler looks at many at once.
    let are_digits = text.bytes().fold(true, |all, byte| all & is_digit(byte));
    if pairs.len() != hash.len() || !are_digits {
        return None;
    }
    for (byte, &[high, low]) in hash.iter_mut().zip(pairs) {
        *byte = (nibble(high) << 4) | nibble(low);
    }
    Some(hash)
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// The value of a digit.
fn nibble(digit: u8) -> u8 {
    let value = digit & 0x0f;
    if digit < b'a' {
        value
    } else {
        value.wrapping_add(9)
    }
}
