//! Witnesses: someone else who remembers the last head of a log, and signs the next only if it extends that.
//!
//! The texts are those of C2SP `tlog-witness`, so that any witness of that protocol serves.

use std::fmt;

use super::bundle::{read_hashes, split, write_hashes};
use super::checkpoint::decimal;
use super::{Checkpoint, SigningKey, VerifyingKey, verify_consistency};
use crate::error::{Code, Error};
use crate::hash::Hash;

/// What a log sends to a witness: its head, and the proof that it extends the head of `old` events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// How many events the head had that is extended; 0 for a witness that knows none.
    pub old: u64,
    /// The proof; empty where `old` is 0 or all.
    pub hashes: Vec<Hash>,
    /// The head.
    pub checkpoint: Checkpoint,
}

impl Extension {
    /// Reads an extension.
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT` for a text that is none. Whether it holds is not looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let refuse = |reason: &str| {
            Error::new(Code::InvalidCheckpoint, format!("the proof {reason}"))
                .with_help("give it just as `al audit consistency` wrote it")
        };
        let (proof, checkpoint) = split(bytes).map_err(refuse)?;
        let mut lines = proof.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.and_then(decimal);
        let old = old.ok_or_else(|| refuse("does not begin with `old` and a number of events"))?;
        let hashes = read_hashes(lines).map_err(refuse)?;
        Ok(Self {
            old,
            hashes,
            checkpoint: Checkpoint::parse(checkpoint.as_bytes())?,
        })
    }

    /// What a witness with the key `key` says to it, so many seconds after 1970: the head to remember in the place of
    /// `known`, the one that it remembers of this log, and its signature, a line that goes below the head.
    ///
    /// `keys` are the log's, one of which must have signed the head; without them any head is taken that extends the
    /// known one.
    ///
    /// # Errors
    ///
    /// `STATE_CHANGED` where the witness knows another size than the proof starts from; `AUDIT_TAMPERED` where the head does
    /// not extend the known one; `INVALID_CHECKPOINT` for a head without the signature of its log, or with as many as a head may have; `INVALID_AUDIT_KEY` for a
    /// key that is no witness's. In all of them the witness remembers what it remembered.
    pub fn cosign(
        &self,
        known: Option<&Checkpoint>,
        keys: &[VerifyingKey],
        key: &SigningKey,
        time: u64,
    ) -> Result<(Checkpoint, String), Error> {
        self.checkpoint.trust(keys)?;
        if time == 0 || i64::try_from(time).is_err() {
            let message = "the clock of the witness is not after 1970";
            return Err(Error::new(Code::Usage, message).with_help("set the clock first"));
        }
        if let Some(known) = known
            && known.origin() != self.checkpoint.origin()
        {
            let message = format!(
                "the witness remembers the log `{}` there, and this is `{}`",
                known.origin(),
                self.checkpoint.origin()
            );
            return Err(Error::new(Code::InvalidCheckpoint, message)
                .with_help("keep a state file for every log"));
        }
        let (old, old_root) = known.map_or((0, None), |known| (known.size(), Some(known.root())));
        if old != self.old {
            let message = format!(
                "the proof starts from {} events, and the witness has seen {old} of this log",
                self.old
            );
            return Err(Error::new(Code::StateChanged, message).with_help(
                "make the proof from the checkpoint that the witness signed last: `al audit consistency --old FILE`",
            ));
        }
        let (size, root) = (self.checkpoint.size(), self.checkpoint.root());
        let extends = match old_root {
            Some(old_root) => verify_consistency(old, old_root, size, root, &self.hashes),
            None => self.hashes.is_empty(),
        };
        if !extends {
            let message = format!(
                "the checkpoint of {size} events does not extend the one of {old} events that the witness signed"
            );
            return Err(Error::new(Code::AuditTampered, message).with_help(
                "nothing was signed; keep both checkpoints: together they show that the log was forked or cut short",
            ));
        }
        let cosigned = self.checkpoint.clone().cosigned(key, time)?;
        // One signature more may be too many. What could not be read again is not remembered.
        Checkpoint::parse(cosigned.to_string().as_bytes())?;
        let line = cosigned.last_signature();
        Ok((cosigned, line))
    }
}

/// The text, which ends in the checkpoint.
impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        write_hashes(f, &self.hashes)?;
        write!(f, "\n{}", self.checkpoint)
    }
}
