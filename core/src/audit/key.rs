//! The keys of checkpoints: Ed25519 in the text forms of C2SP `signed-note`.

use std::fmt;

use base64ct::{Base64, Encoding};
use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error};

/// What a signature of a key says, and so over which bytes it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// The log says: this is my tree. Signature type 0x01 of `signed-note`.
    Log,
    /// A witness says: at that time I had seen no other history. Type 0x04, of `tlog-cosignature`.
    Witness,
}

impl KeyType {
    const ALL: [KeyType; 2] = [KeyType::Log, KeyType::Witness];

    fn byte(self) -> u8 {
        match self {
            KeyType::Log => 0x01,
            KeyType::Witness => 0x04,
        }
    }

    fn of(byte: u8) -> Option<KeyType> {
        KeyType::ALL.into_iter().find(|known| known.byte() == byte)
    }
}

/// The id of a key in the lines of its signatures: a hint, and no protection.
pub(super) type KeyId = [u8; 4];

/// A key that verifies signatures: `NAME+ID+KEY`, the text that is given to those who verify.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    id: KeyId,
    key_type: KeyType,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// Reads a key.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY` for a text that is none, for a key of another algorithm and for one that anybody could sign
    /// with.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| {
            let message = format!("the verification key {reason}");
            Error::new(Code::InvalidAuditKey, message)
                .with_help("give it as it was made: `NAME+ID+KEY`, on one line")
        };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refuse("is not of the form `NAME+ID+KEY`"));
        };
        let key = Base64::decode_vec(key).map_err(|_| refuse("does not end in base64"))?;
        let Some((&key_type, key)) = key.split_first() else {
            return Err(refuse("holds no key"));
        };
        let Some(key_type) = KeyType::of(key_type) else {
            return Err(refuse("is for another algorithm than Ed25519"));
        };
        let key = <[u8; 32]>::try_from(key).map_err(|_| refuse("is not 32 bytes long"))?;
        // RFC 8032 has one spelling for a point, and the library reads others too.
        let is_canonical = |key: &ed25519_dalek::VerifyingKey| {
            key.to_edwards().compress().as_bytes() == key.as_bytes()
        };
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key)
            .ok()
            .filter(|key| is_canonical(key) && !key.is_weak())
            .ok_or_else(|| refuse("is no Ed25519 key"))?;
        let key = Self::new(name, key_type, key)?;
        if crate::hash::hex(&key.id) == id {
            Ok(key)
        } else {
            Err(refuse("has an id that is not its own"))
        }
    }

    fn new(name: &str, key_type: KeyType, key: ed25519_dalek::VerifyingKey) -> Result<Self, Error> {
        if !is_key_name(name) {
            let message =
                "the name of a key is empty, or holds a space, a `+` or a control character";
            return Err(Error::new(Code::InvalidAuditKey, message)
                .with_help("name it like `witness.example.com/w1`"));
        }
        let id = key_id(name, key_type, key.as_bytes());
        Ok(Self {
            name: name.to_owned(),
            id,
            key_type,
            key,
        })
    }

    /// The name that stands in the lines of its signatures; of a log's key, the origin of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its signatures say.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// Refuses a key of one that does not sign for the log named `log`.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY` for a key of another log, or of a witness.
    pub fn expect_log(&self, log: &str) -> Result<(), Error> {
        let (message, help) = match self.key_type {
            KeyType::Log if self.name == log => return Ok(()),
            KeyType::Log => (
                format!(
                    "the signing key is of the log `{}`, and this is `{log}`",
                    self.name
                ),
                "every log has a key of its own: make one with `al audit keygen`",
            ),
            KeyType::Witness => (
                format!(
                    "the key `{}` is a witness's, and does not sign for a log",
                    self.name
                ),
                "take the key of the log, or make one with `al audit keygen`",
            ),
        };
        Err(Error::new(Code::InvalidAuditKey, message).with_help(help))
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// Whether `signature` is one of this key over the checkpoint with the text `body`.
    pub(super) fn verifies(&self, body: &str, signature: &[u8]) -> bool {
        let verifies = |message: &str, signature: &[u8]| {
            ed25519_dalek::Signature::from_slice(signature).is_ok_and(|signature| {
                self.key
                    .verify_strict(message.as_bytes(), &signature)
                    .is_ok()
            })
        };
        match self.key_type {
            KeyType::Log => verifies(body, signature),
            KeyType::Witness => signature
                .split_first_chunk()
                .is_some_and(|(time, signature)| {
                    let time = u64::from_be_bytes(*time);
                    i64::try_from(time).is_ok() && verifies(&cosigned(body, time), signature)
                }),
        }
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = crate::hash::hex(&self.id);
        let key = encode(self.key_type, self.key.as_bytes());
        write!(f, "{}+{id}+{key}", self.name)
    }
}

/// As its text: of a point that was computed from a secret, the coordinates say more than the point.
impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

/// A key that signs. Its text, `PRIVATE+KEY+NAME+ID+SEED`, is a secret.
#[derive(Clone)]
pub struct SigningKey {
    secret: ed25519_dalek::SigningKey,
    public: VerifyingKey,
}

impl SigningKey {
    /// The key of that name that is made from 32 secret bytes.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY` for a name that is empty or holds a space, a `+` or a control character.
    pub fn new(name: &str, key_type: KeyType, seed: [u8; 32]) -> Result<Self, Error> {
        let secret = ed25519_dalek::SigningKey::from_bytes(&seed);
        let public = VerifyingKey::new(name, key_type, secret.verifying_key())?;
        Ok(Self { secret, public })
    }

    /// Reads a key, with or without a newline behind it.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY`; nothing of the text is in the message.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let read = || {
            let text = text.strip_suffix('\n').unwrap_or(text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            let mut parts = text.strip_prefix(PRIVATE)?.splitn(3, '+');
            let (name, id, seed) = (parts.next()?, parts.next()?, parts.next()?);
            let seed = Base64::decode_vec(seed).ok()?;
            let (&key_type, seed) = seed.split_first()?;
            let seed = <[u8; 32]>::try_from(seed).ok()?;
            let key = Self::new(name, KeyType::of(key_type)?, seed).ok()?;
            (crate::hash::hex(&key.public.id) == id).then_some(key)
        };
        read().ok_or_else(|| {
            Error::new(Code::InvalidAuditKey, "the signing key is not one")
                .with_help("restore the file from where it is kept safe; to begin with a new key, make one with `al audit keygen` and log it with `al audit rotate-key`")
        })
    }

    /// The secret text, which ends in a newline.
    pub fn to_text(&self) -> String {
        let id = crate::hash::hex(&self.public.id);
        let seed = encode(self.public.key_type, self.secret.as_bytes());
        format!("{PRIVATE}{}+{id}+{seed}\n", self.public.name)
    }

    /// The key that verifies its signatures.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Refuses a key that does not sign for the log named `log`.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::expect_log`].
    pub fn expect_log(&self, log: &str) -> Result<(), Error> {
        self.public.expect_log(log)
    }

    /// The signature over a checkpoint with the text `body`; `time` in seconds since 1970, for a witness.
    pub(super) fn sign(&self, body: &str, time: u64) -> Vec<u8> {
        match self.public.key_type {
            KeyType::Log => self.secret.sign(body.as_bytes()).to_bytes().to_vec(),
            KeyType::Witness => {
                let signature = self.secret.sign(cosigned(body, time).as_bytes());
                [&time.to_be_bytes()[..], &signature.to_bytes()].concat()
            }
        }
    }
}

/// Without the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

/// What the text of a signing key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// What a witness signs.
fn cosigned(body: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{body}")
}

fn encode(key_type: KeyType, key: &[u8; 32]) -> String {
    Base64::encode_string(&[&[key_type.byte()], &key[..]].concat())
}

fn key_id(name: &str, key_type: KeyType, key: &[u8; 32]) -> KeyId {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', key_type.byte()])
        .chain_update(key)
        .finalize();
    let mut id = KeyId::default();
    for (to, from) in id.iter_mut().zip(hash) {
        *to = from;
    }
    id
}

pub(super) fn is_key_name(name: &str) -> bool {
    let is_part = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !name.is_empty() && name.chars().all(is_part)
}
