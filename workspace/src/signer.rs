//! The key that signs the checkpoints of a log, and its successor.
//!
//! Which key that is, the log itself says: it is asked of one that was verified, and of nothing that is stored beside it.

use lattice_core::audit::{
    Checkpoint, Event, KeyType, LogKeys, Names, SigningKey, Tree, VerifyingKey, log_name,
};
use lattice_core::view;
use lattice_core::{Code, Error};

use crate::access::look_up_locked;
use crate::ambient::Ambient;
use crate::events;
use crate::key::Key;
use crate::log::Log;
use crate::store::{Read, Store};
use crate::verify::{Proven, expect_log};

/// A key that now signs for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Its audit event.
    pub event: view::Event,
    /// The checkpoint of the audit log with it, signed by the key before, if there was one, and by the new one.
    pub checkpoint: Checkpoint,
}

impl Proven {
    /// Refuses a key that does not sign for this log: another log's, or one that is not the one that the log names.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY`.
    pub fn expect_signer(&self, key: &SigningKey) -> Result<(), Error> {
        key.expect_log(self.log())?;
        let keys = self.keys();
        match keys.current() {
            Some(named) if named.key != *key.verifying_key() => Err(refuse(
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

/// Logs `new` as the key that signs the checkpoints of a workspace's log, in the place of `old`: the one that did so, if
/// there was one. Where the log names it already, as the successor of `old`, nothing is logged, and the checkpoint of that
/// event is signed again.
///
/// The log has to verify, and to extend `kept`, if there is one.
///
/// # Errors
///
/// `INVALID_AUDIT_KEY` where `old` is not the key that signs now or is missing, or `new` is of another log or was in use
/// before; `INVALID_SERVICE_KEY`; `AUDIT_TAMPERED`; `STORE_UNAVAILABLE`.
pub fn rotate_log_key(
    store: &dyn Store,
    key: &Key,
    old: Option<&SigningKey>,
    new: &SigningKey,
    kept: Option<&Checkpoint>,
    ambient: &Ambient,
) -> Result<Rotated, Error> {
    let write = store.write()?;
    let (workspace, key) = look_up_locked(&*write, key)?;
    let id = &workspace.id;
    new.expect_log(&log_name(id))?;
    let proven = expect_log(&*write, id, kept)?;
    if let Some(kept) = kept {
        proven.expect_successor(kept, old.or(Some(new)))?;
    }
    let keys = proven.keys();
    let public = SigningKey::verifying_key;
    let (event, unsigned) = match keys.current() {
        Some(named) if named.key == *public(new) && named.before.as_ref() == old.map(public) => {
            let event = rotation(&*write, id, named.size)?;
            let checkpoint = Checkpoint::new(&log_name(id), named.size, named.root);
            (event, checkpoint)
        }
        current => {
            match (old, current) {
                (Some(old), _) => proven.expect_signer(old)?,
                (None, None) => {}
                (None, Some(_)) => {
                    return Err(refuse(
                        "the log has a signing key, which has to sign for the new one",
                        "set AL_AUDIT_KEY_FILE to the file of the key that signs now",
                    ));
                }
            }
            if keys.known().any(|known| known == public(new))
                || old.map(public) == Some(public(new))
            {
                return Err(refuse(
                    "the new key was in use before",
                    "a key that was put out of use stays so: make another with `al audit keygen`",
                ));
            }
            let names = Names {
                added: vec![public(new).to_string()],
                deactivated: old.map(|old| public(old).to_string()).into_iter().collect(),
                modified: Vec::new(),
            };
            let log = Log::open(&*write, id)?;
            let leaf = Event::rotation(id, log.seq(), ambient.now, &key.id, &names);
            let tree = log.append(&leaf, &names)?;
            write.commit()?;
            (view::Event { leaf, names }, head(id, &tree))
        }
    };
    let checkpoint = match old {
        Some(old) => unsigned.signed(old)?,
        None => unsigned,
    };
    Ok(Rotated {
        event,
        checkpoint: checkpoint.signed(new)?,
    })
}

/// The event with which the log had `size` events.
fn rotation(read: &dyn Read, workspace: &str, size: u64) -> Result<view::Event, Error> {
    let records = read.records(workspace, size.saturating_sub(1), 1)?;
    let record = records.first();
    let event = record.map(|record| events::open(record, &log_name(workspace)));
    event.unwrap_or_else(|| Err(events::tampered("an event of the audit log is missing")))
}

/// The head of the log of the workspace with the UUID `workspace`, unsigned.
pub(crate) fn head(workspace: &str, tree: &Tree) -> Checkpoint {
    Checkpoint::of(&log_name(workspace), tree)
}

fn refuse(message: &str, help: &str) -> Error {
    Error::new(Code::InvalidAuditKey, message).with_help(help)
}
