//! The proof of one event in the C2SP `tlog-proof` form: all that a stranger needs, in one text.

use std::fmt;

use base64ct::{Base64, Encoding};

use super::checkpoint::{decimal, digest};
use super::{Checkpoint, Event, VerifyingKey, leaf_hash, verify_inclusion};
use crate::error::{Code, Error};
use crate::hash::Hash;
use crate::limits;
use crate::view::{self, Trust};

/// An event, where it stands in its log, and the hashes that lead from it to the root of a checkpoint.
///
/// Whatever its maker says, it shows what its hashes show, and no more: [`Proof::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The event's bytes, as they are stored and hashed.
    pub body: Vec<u8>,
    /// The index of its leaf.
    pub index: u64,
    /// From the sibling of the leaf up to the child of the root.
    pub hashes: Vec<Hash>,
    /// The head of a log that holds the event.
    pub checkpoint: Checkpoint,
}

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// More than the longest path of a tree.
const HASHES: usize = 64;

impl Proof {
    /// Reads a proof.
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT` for a text that is none. Whether it holds is not looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let refuse = |reason: &str| {
            Error::new(Code::InvalidCheckpoint, format!("the proof {reason}"))
                .with_help("give it just as `al audit prove` wrote it")
        };
        if bytes.len() > limits::PROOF_BYTES {
            return Err(refuse("is longer than 1 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("is not UTF-8"))?;
        let (proof, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| refuse("has no checkpoint behind an empty line"))?;
        let mut lines = proof.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(refuse("does not begin with `c2sp.org/tlog-proof@v1`"));
        }
        let body = lines.next().and_then(|line| line.strip_prefix("extra "));
        let body = body.and_then(|body| Base64::decode_vec(body).ok());
        let body = body.ok_or_else(|| refuse("has no event on its second line"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(decimal);
        let index = index.ok_or_else(|| refuse("has no index on its third line"))?;
        let hashes: Option<Vec<Hash>> = lines.take(HASHES + 1).map(digest).collect();
        let hashes = hashes.ok_or_else(|| refuse("has a line that is no hash"))?;
        if hashes.len() > HASHES {
            return Err(refuse("has more hashes than any log has levels"));
        }
        Ok(Self {
            body,
            index,
            hashes,
            checkpoint: Checkpoint::parse(checkpoint.as_bytes())?,
        })
    }

    /// What it shows to someone who holds `pins`, checkpoints that were kept elsewhere, and `keys`.
    ///
    /// A checkpoint that was kept stands for the one of the proof where they are the same; one of another size says
    /// nothing about it (make the proof against the one that was kept).
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT` where the checkpoint does not bear the signatures that `keys` ask for, or none of `pins` is
    /// the one of the proof. That the hashes do not lead to the root is no error but a verdict.
    pub fn check(
        &self,
        pins: &[Checkpoint],
        keys: &[VerifyingKey],
    ) -> Result<(view::CheckedProof, Option<String>), Error> {
        let (trust, signers) = self.checkpoint.trust(keys)?;
        let (origin, size) = (self.checkpoint.origin(), self.checkpoint.size());
        let is_same = |pin: &&Checkpoint| pin.origin() == origin && pin.size() == size;
        let mut same = pins.iter().filter(is_same).peekable();
        if same.peek().is_none() && !pins.is_empty() {
            let message =
                format!("none of the checkpoints is that of the proof: `{origin}`, {size} events");
            return Err(Error::new(Code::InvalidCheckpoint, message).with_help(
                "have the proof made against your checkpoint: `al audit prove --event N --checkpoint FILE`",
            ));
        }
        let is_forked = same.any(|pin| pin.root() != self.checkpoint.root());
        let opened = self.open();
        let reason = match &opened {
            Err(reason) => Some(reason.clone()),
            Ok(_) if is_forked => Some(
                "the checkpoint of the proof is not the one that was kept: the log was forked"
                    .to_owned(),
            ),
            Ok(_) => None,
        };
        let is_alone = keys.is_empty() && pins.is_empty();
        let trust = if is_alone || reason.is_some() {
            Trust::SelfOnly
        } else {
            trust
        };
        let document = view::CheckedProof {
            valid: reason.is_none(),
            event: opened.ok(),
            checkpoint: view::Checkpoint::from(&self.checkpoint),
            trust,
            signers,
        };
        Ok((document, reason))
    }

    /// The event, if the hashes lead from it to the root, and it says itself that it stands there.
    fn open(&self) -> Result<Event, String> {
        let checkpoint = &self.checkpoint;
        let leads = verify_inclusion(
            &leaf_hash(&self.body),
            self.index,
            &self.hashes,
            checkpoint.size(),
            checkpoint.root(),
        );
        if !leads {
            return Err(
                "the hashes do not lead from the event to the root of the checkpoint".to_owned(),
            );
        }
        let event = Event::parse(&self.body)?;
        if event.log != checkpoint.origin() {
            return Err(format!("the event belongs to the log `{}`", event.log));
        }
        if event.seq != self.index {
            return Err(format!("the event was appended as event `{}`", event.seq));
        }
        Ok(event)
    }
}

/// The text, which ends in the checkpoint.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = Base64::encode_string(&self.body);
        writeln!(f, "{HEADER}\nextra {event}\nindex {}", self.index)?;
        write_hashes(f, &self.hashes)?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The hashes of a proof, a line each.
pub(super) fn write_hashes(f: &mut fmt::Formatter<'_>, hashes: &[Hash]) -> fmt::Result {
    hashes
        .iter()
        .try_for_each(|hash| writeln!(f, "{}", Base64::encode_string(hash)))
}
