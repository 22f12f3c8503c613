//! The key that signs the checkpoints of a log, and its successor.

use lattice_core::audit::{
    Checkpoint, Event, KeyType, Names, SigningKey, Tree, log_name, not_of_the_log,
};
use lattice_core::view::{self, KeyKind};
use lattice_core::{Code, Error};

use crate::access::look_up;
use crate::ambient::Ambient;
use crate::events;
use crate::key::Key;
use crate::log::Log;
use crate::reader::Reader;
use crate::store::{Read, Store};

/// A key that now signs for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Its audit event.
    pub event: view::Event,
    /// The checkpoint of the audit log with it, signed by the key before, if there was one, and by the new one.
    pub checkpoint: Checkpoint,
}

impl Reader {
    /// Refuses a key that does not sign for this log: another log's, or one that was rotated away.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY`; `AUDIT_TAMPERED` where the event of the last rotation was edited; `STORE_UNAVAILABLE`.
    pub fn expect_signer(&self, key: &SigningKey) -> Result<(), Error> {
        self.require_service_key()?;
        expect_signer(&*self.read, &self.workspace.id, key)
    }
}

/// Logs `new` as the key that signs the checkpoints of a workspace's log, in the place of `old`: the one that did so, if
/// there was one.
///
/// # Errors
///
/// `INVALID_AUDIT_KEY` where `old` is not the key that signs now or is missing, or `new` is of another log or the same
/// key; `INVALID_SERVICE_KEY`; `AUDIT_TAMPERED` where the log cannot be appended to; `STORE_UNAVAILABLE`.
pub fn rotate_log_key(
    store: &dyn Store,
    key: &Key,
    old: Option<&SigningKey>,
    new: &SigningKey,
    ambient: &Ambient,
) -> Result<Rotated, Error> {
    let write = store.write()?;
    let (workspace, key) = look_up(&*write, key, KeyKind::Service)?;
    match old {
        Some(old) => expect_signer(&*write, &workspace.id, old)?,
        None => expect_no_signer(&*write, &workspace.id)?,
    }
    expect_name(&workspace.id, new)?;
    let public = SigningKey::verifying_key;
    if old.is_some_and(|old| public(old) == public(new)) {
        return Err(refuse(
            "the new key is the one that signs already",
            "make another with `al audit keygen`",
        ));
    }
    let names = Names {
        added: vec![public(new).to_string()],
        deactivated: old.map(|old| public(old).to_string()).into_iter().collect(),
        modified: Vec::new(),
    };
    let log = Log::open(&*write, &workspace.id)?;
    let event = Event::rotation(&workspace.id, log.seq(), ambient.now, &key.id, &names);
    let tree = log.append(&event, &names)?;
    write.commit()?;
    let unsigned = head(&workspace.id, &tree);
    let checkpoint = match old {
        Some(old) => unsigned.signed(old)?,
        None => unsigned,
    };
    Ok(Rotated {
        event: view::Event { leaf: event, names },
        checkpoint: checkpoint.signed(new)?,
    })
}

/// Refuses a key that does not sign for the log of the workspace with the UUID `workspace`.
pub(crate) fn expect_signer(
    read: &dyn Read,
    workspace: &str,
    key: &SigningKey,
) -> Result<(), Error> {
    expect_name(workspace, key)?;
    match current(read, workspace)? {
        Some(current) if current != key.verifying_key().to_string() => Err(refuse(
            "the signing key is not the one that the log names as its key",
            "take the key of the last rotation; `al audit list` shows its event",
        )),
        _ => Ok(()),
    }
}

/// Refuses to log a first key where there is one already.
fn expect_no_signer(read: &dyn Read, workspace: &str) -> Result<(), Error> {
    match current(read, workspace)? {
        None => Ok(()),
        Some(_) => Err(refuse(
            "the log has a signing key, which has to sign for the new one",
            "set AL_AUDIT_KEY_FILE to the file of the key that signs now",
        )),
    }
}

fn expect_name(workspace: &str, key: &SigningKey) -> Result<(), Error> {
    let (key, log) = (key.verifying_key(), log_name(workspace));
    match key.key_type() {
        KeyType::Witness => Err(refuse(
            "the signing key is a witness's, and does not sign for a log",
            "make a key for the log with `al audit keygen`",
        )),
        KeyType::Log if key.name() != log => Err(not_of_the_log(key.name(), &log)),
        KeyType::Log => Ok(()),
    }
}

/// The verification key that the last rotation named.
fn current(read: &dyn Read, workspace: &str) -> Result<Option<String>, Error> {
    let Some(record) = read.last_rotation(workspace)? else {
        return Ok(None);
    };
    let event = events::open(&record, &log_name(workspace))?;
    Ok(event.names.added.into_iter().next())
}

/// The head of the log of the workspace with the UUID `workspace`, unsigned.
pub(crate) fn head(workspace: &str, tree: &Tree) -> Checkpoint {
    Checkpoint::of(&log_name(workspace), tree)
}

fn refuse(message: &str, help: &str) -> Error {
    Error::new(Code::InvalidAuditKey, message).with_help(help)
}
