//! Checkpoints: the head of a log in the C2SP `tlog-checkpoint` form, signed or not.

use std::fmt;

use base64ct::{Base64, Encoding};

use super::key::{KeyId, is_key_name};
use super::{INTEGER_LIMIT, KeyType, SigningKey, Tree, VerifyingKey};
use crate::error::{Code, Error};
use crate::hash::{Hash, sha256};
use crate::limits;
use crate::view::Trust;

/// The head of a log: which one, how many events, and the root over them. Kept where the writer of the log cannot
/// write, it is what the log is held against.
///
/// ```
/// use lattice_core::audit::{Checkpoint, Tree, leaf_hash};
///
/// let checkpoint = Checkpoint::of("al/0199", &Tree::of([leaf_hash(b"first")]));
/// let text = checkpoint.to_string();
/// assert_eq!(text, "al/0199\n1\noa8DAjHKL9IOzzDFKUuvj2kyHQm7FqxTiFzNF6OFKA0=\n");
/// assert_eq!(Checkpoint::parse(text.as_bytes())?, checkpoint);
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    signatures: Vec<Signature>,
}

/// A line under a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    id: KeyId,
    bytes: Vec<u8>,
}

impl Checkpoint {
    /// That of a log ([`log_name`](super::log_name)) with that tree, unsigned.
    pub fn of(log: &str, tree: &Tree) -> Self {
        Self::new(log, tree.size(), tree.root())
    }

    /// That of a log with so many events and the root over them, unsigned.
    pub fn new(log: &str, size: u64, root: Hash) -> Self {
        Self {
            origin: log.to_owned(),
            size,
            root,
            signatures: Vec::new(),
        }
    }

    /// Reads a checkpoint: three lines, and behind an empty one its signatures, if there are any. Whose they are, and
    /// whether they verify, is not looked at.
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).map_err(|reason| {
            Error::new(Code::InvalidCheckpoint, format!("the checkpoint {reason}"))
                .with_help("give it just as it was printed: three lines (the log, the number of events, the root), and below an empty line the signatures, each line with its newline")
        })
    }

    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > limits::CHECKPOINT_BYTES {
            return Err("is longer than 256 KiB");
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
        if text.chars().any(|c| c.is_ascii_control() && c != '\n') {
            return Err("holds a control character");
        }
        let (body, signatures) = match text.split_once("\n\n") {
            Some((body, signatures)) => (body, Some(signatures)),
            None => (
                text.strip_suffix('\n').ok_or("does not end in a newline")?,
                None,
            ),
        };
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err("is not of three lines");
        };
        if origin.is_empty() {
            return Err("does not name its log");
        }
        Ok(Self {
            signatures: signatures.map_or(Ok(Vec::new()), read_signatures)?,
            ..Self::from_parts(origin, size, root)?
        })
    }

    /// Reads the form of [`Checkpoint::to_line`].
    pub(super) fn parse_line(line: &str) -> Option<Self> {
        // An origin may hold spaces; the other two do not.
        let mut parts = line.rsplitn(3, ' ');
        let (root, size, origin) = (parts.next()?, parts.next()?, parts.next()?);
        let is_line = !origin.is_empty() && !origin.contains(|c: char| c.is_ascii_control());
        is_line.then(|| Self::from_parts(origin, size, root).ok())?
    }

    fn from_parts(origin: &str, size: &str, root: &str) -> Result<Self, &'static str> {
        let size = decimal(size).ok_or("has no number of events on its second line")?;
        let root = digest(root).ok_or("has no root on its third line")?;
        if size == 0 && root != sha256(b"") {
            return Err("has no event, and the root of some");
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            signatures: Vec::new(),
        })
    }

    /// The log that it is of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many events the log held.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The three parts on one line, as events cite a checkpoint: `ORIGIN SIZE ROOT`. Signatures are left out.
    pub fn to_line(&self) -> String {
        format!(
            "{} {} {}",
            self.origin,
            self.size,
            Base64::encode_string(&self.root)
        )
    }

    /// What is signed: the three lines.
    pub fn body(&self) -> String {
        let root = Base64::encode_string(&self.root);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// With the signature of a log's key.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY` for a key of another log, or of a witness.
    pub fn signed(self, key: &SigningKey) -> Result<Self, Error> {
        key.expect_log(&self.origin)?;
        Ok(self.with_signature(key, 0))
    }

    /// With the signature of a witness, made so many seconds after 1970.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY` for a key that is no witness's.
    pub(super) fn cosigned(self, key: &SigningKey, time: u64) -> Result<Self, Error> {
        match key.verifying_key().key_type() {
            KeyType::Witness => Ok(self.with_signature(key, time)),
            KeyType::Log => Err(Error::new(
                Code::InvalidAuditKey,
                "the key is a log's, and does not sign as a witness",
            )
            .with_help("make a witness's key with `al audit keygen --witness NAME`")),
        }
    }

    fn with_signature(mut self, key: &SigningKey, time: u64) -> Self {
        let public = key.verifying_key();
        let bytes = key.sign(&self.body(), time);
        self.signatures.push(Signature {
            name: public.name().to_owned(),
            id: public.id(),
            bytes,
        });
        self
    }

    /// The last of its signatures as a line of its own.
    pub(super) fn last_signature(&self) -> String {
        self.signatures
            .last()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Whether it bears a signature that is said to be of its log.
    pub fn is_signed_by_log(&self) -> bool {
        self.signatures.iter().any(|line| line.name == self.origin)
    }

    /// Which of `keys` signed it, in the order of the signatures. Signatures of other keys are passed over.
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT` where a signature is said to be of one of the keys and does not verify.
    pub fn signers<'k>(&self, keys: &'k [VerifyingKey]) -> Result<Vec<&'k VerifyingKey>, Error> {
        let body = self.body();
        let mut signers: Vec<&VerifyingKey> = Vec::new();
        for signature in &self.signatures {
            let is_of =
                |key: &&VerifyingKey| key.id() == signature.id && key.name() == signature.name;
            for key in keys.iter().filter(is_of) {
                if !key.verifies(&body, &signature.bytes) {
                    let message = format!(
                        "the signature of `{}` under the checkpoint is not of its key",
                        key.name()
                    );
                    return Err(Error::new(Code::InvalidCheckpoint, message)
                        .with_help("the checkpoint or the signature was changed, or the key is another of that name: take both anew from where they are kept"));
                }
                if !signers.contains(&key) {
                    signers.push(key);
                }
            }
        }
        Ok(signers)
    }

    /// What it rests on for someone who holds `keys`, with the names of those who signed: of every type of key that is
    /// given, one must have signed.
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT` where none of the given log's keys signed it, or none of the witnesses', and as
    /// [`Checkpoint::signers`].
    pub fn trust(&self, keys: &[VerifyingKey]) -> Result<(Trust, Vec<String>), Error> {
        let signers = self.signers(keys)?;
        let lacks = |key_type: KeyType| {
            let speaks = |key: &VerifyingKey| {
                // Another log's key has nothing to say about this one.
                key.key_type() == key_type
                    && (key_type == KeyType::Witness || key.name() == self.origin)
            };
            keys.iter().any(|key| key.key_type() == key_type)
                && !signers.iter().any(|key| speaks(key))
        };
        let by = if lacks(KeyType::Log) {
            "its log"
        } else if lacks(KeyType::Witness) {
            "a witness"
        } else {
            let is_given = |key_type| keys.iter().any(|key| key.key_type() == key_type);
            let trust = if is_given(KeyType::Witness) {
                Trust::Witnessed
            } else if is_given(KeyType::Log) {
                Trust::Signed
            } else {
                Trust::Pinned
            };
            let names = signers.iter().map(|key| key.name().to_owned());
            return Ok((trust, names.collect()));
        };
        let message = format!("the checkpoint is not signed by {by} with a key that was given");
        Err(Error::new(Code::InvalidCheckpoint, message)
            .with_help("give a checkpoint that is signed so, or leave out the keys to rely on where the checkpoint was kept"))
    }
}

/// The text: three lines, and behind an empty one the signatures, if there are any.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.body())?;
        if !self.signatures.is_empty() {
            f.write_str("\n")?;
        }
        self.signatures.iter().try_for_each(|line| line.fmt(f))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = Base64::encode_string(&[&self.id, &self.bytes[..]].concat());
        writeln!(f, "— {} {signature}", self.name)
    }
}

fn read_signatures(text: &str) -> Result<Vec<Signature>, &'static str> {
    const NO_SIGNATURE: &str = "has a line below the empty one that is no signature";
    let lines = text.strip_suffix('\n').ok_or("does not end in a newline")?;
    let signatures = lines.split('\n').map(|line| {
        let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = Base64::decode_vec(signature).ok()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        (is_key_name(name) && !bytes.is_empty()).then(|| Signature {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    });
    let signatures: Option<Vec<_>> = signatures.collect();
    let signatures = signatures.ok_or(NO_SIGNATURE)?;
    if signatures.len() > limits::CHECKPOINT_SIGNATURES {
        return Err("has more than 64 signatures");
    }
    Ok(signatures)
}

/// A number of events as it is written: no sign, no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok().filter(|size| *size < INTEGER_LIMIT)?;
    (number.to_string() == text).then_some(number)
}

/// A digest in base64.
pub(super) fn digest(text: &str) -> Option<Hash> {
    Base64::decode_vec(text).ok()?.try_into().ok()
}
