//! The key that signs the checkpoints of a log.
//!
//! Which key that is, the log itself says: it is asked of one that was verified, and of nothing that is stored beside it.

use lattice_core::audit::{Checkpoint, KeyType, LogKeys, SigningKey, Tree, VerifyingKey, log_name};
use lattice_core::{Code, Error};

use crate::verify::Proven;

impl Proven {
    /// Refuses a key that does not sign for this log: another log's, or one that is not the one that the log names.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY`.
    pub fn expect_signer(&self, key: &SigningKey) -> Result<(), Error> {
        self.expect_named(key.verifying_key())
    }

    /// [`Proven::expect_signer`] for someone who has the public half of the key.
    pub(crate) fn expect_named(&self, key: &VerifyingKey) -> Result<(), Error> {
        key.expect_log(self.log())?;
        let keys = self.keys();
        match keys.current() {
            Some(named) if named.key != *key => Err(refuse(
                "the signing key is not the one that the log names as its key",
                "take the key of the last rotation; `al audit list` shows its event",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses to put a checkpoint in the place of `kept`, one that the log signed, that is not signed by the same key or by
    /// the one that the log named after it.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY`; `INVALID_CHECKPOINT` for a signature that is not of its key.
    pub fn expect_successor(
        &self,
        kept: &Checkpoint,
        signer: Option<&SigningKey>,
    ) -> Result<(), Error> {
        if !kept.is_signed_by_log() {
            return Ok(());
        }
        let Some(signer) = signer else {
            return Err(refuse(
                "the checkpoint that was kept is signed, and the next one would not be: there is no signing key",
                "set AL_AUDIT_KEY_FILE to the file of the log's key; to go on without signatures, keep an unsigned checkpoint in its place",
            ));
        };
        let key = signer.verifying_key();
        let keys = self.keys();
        let is_named = keys.current().is_some_and(|named| named.key == *key);
        // A key that the log names is the successor of those before it, and of no other that may have signed.
        let line: Vec<VerifyingKey> = if is_named {
            keys.known().cloned().collect()
        } else {
            vec![key.clone()]
        };
        if kept.signers(&line)?.is_empty() {
            return Err(refuse(
                "the checkpoint that was kept is signed by another key than the one that would sign the next",
                "log the new key first: `al audit rotate-key`",
            ));
        }
        Ok(())
    }
}

/// Refuses a checkpoint whose only signatures of the log are by keys that did not sign for it then, as the log itself says.
///
/// # Errors
///
/// `INVALID_CHECKPOINT`.
pub(crate) fn expect_in_use(
    keys: &LogKeys,
    kept: &Checkpoint,
    given: &[VerifyingKey],
) -> Result<(), Error> {
    let signers = kept.signers(given)?;
    let mut by_log = signers.iter().filter(|key| key.key_type() == KeyType::Log);
    let is_signed = by_log.clone().next().is_some();
    if !is_signed || by_log.any(|key| keys.may_sign(key, kept.size())) {
        return Ok(());
    }
    let message = format!(
        "the checkpoint of {} events is signed by a key that was not the one of the log then",
        kept.size()
    );
    Err(Error::new(Code::InvalidCheckpoint, message).with_help(
        "whoever holds a key that the log put out of use made it; ask for a checkpoint that the log's own key signed",
    ))
}

/// The head of the log of the workspace with the UUID `workspace`, unsigned.
pub(crate) fn head(workspace: &str, tree: &Tree) -> Checkpoint {
    Checkpoint::of(&log_name(workspace), tree)
}

pub(crate) fn refuse(message: &str, help: &str) -> Error {
    Error::new(Code::InvalidAuditKey, message).with_help(help)
}
