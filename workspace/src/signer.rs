//! The key that signs the checkpoints of a log, and its successor.

use lattice_core::audit::{
    Checkpoint, Event, KeyType, Names, SigningKey, Tree, VerifyingKey, log_name, not_of_the_log,
    root_of,
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
use crate::verify::expect_log;

/// A key that now signs for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Its audit event.
    pub event: view::Event,
    /// The checkpoint of the audit log with it, signed by the key before, if there was one, and by the new one.
    pub checkpoint: Checkpoint,
}

/// What the log says about its keys: each rotation with the key that it named and the one that it put out of use.
#[derive(Debug)]
pub(crate) struct Rotation {
    event: view::Event,
}

impl Rotation {
    /// How many events the log had with it: the last checkpoint that the key before signs.
    fn size(&self) -> u64 {
        self.event.leaf.seq.saturating_add(1)
    }

    fn new_key(&self) -> Option<&String> {
        self.event.names.added.first()
    }

    fn old_key(&self) -> Option<&String> {
        self.event.names.deactivated.first()
    }
}

impl Reader {
    /// Refuses a key that does not sign for this log: another log's, or one that was rotated away.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY`; `AUDIT_TAMPERED` where the event of a rotation was edited; `STORE_UNAVAILABLE`.
    pub fn expect_signer(&self, key: &SigningKey) -> Result<(), Error> {
        self.require_service_key()?;
        expect_signer(&*self.read, &self.workspace.id, key)
    }

    /// Refuses to put a checkpoint in the place of `kept`, one that the log signed, that is not signed by the same key or by
    /// the one that the log named after it.
    ///
    /// # Errors
    ///
    /// `INVALID_AUDIT_KEY`; `INVALID_CHECKPOINT` for a signature that is not of its key; else as [`Reader::expect_signer`].
    pub fn expect_successor(
        &self,
        kept: &Checkpoint,
        signer: Option<&SigningKey>,
    ) -> Result<(), Error> {
        self.require_service_key()?;
        if !kept.is_signed_by_log() {
            return Ok(());
        }
        let Some(signer) = signer else {
            return Err(refuse(
                "the checkpoint that was kept is signed, and the next one would not be: there is no signing key",
                "set AL_AUDIT_KEY_FILE to the file of the log's key; to go on without signatures, keep an unsigned checkpoint in its place",
            ));
        };
        let own = kept.signers(std::slice::from_ref(signer.verifying_key()))?;
        let text = signer.verifying_key().to_string();
        let named = rotations(&*self.read, &self.workspace.id)?;
        let is_named = named.last().and_then(Rotation::new_key) == Some(&text);
        if own.is_empty() && !is_named {
            return Err(refuse(
                "the checkpoint that was kept is signed by another key than the one that would sign the next",
                "log the new key first: `al audit rotate-key`",
            ));
        }
        Ok(())
    }

    /// Refuses a checkpoint whose only signatures of the log are by keys that the log had put out of use by then. To be asked
    /// about a log that verifies and extends the checkpoint.
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT`; `AUDIT_TAMPERED`; `STORE_UNAVAILABLE`.
    pub(crate) fn expect_keys_in_use(
        &self,
        kept: &Checkpoint,
        keys: &[VerifyingKey],
    ) -> Result<(), Error> {
        let signers = kept.signers(keys)?;
        let by_log = signers.iter().filter(|key| key.key_type() == KeyType::Log);
        let by_log: Vec<String> = by_log.map(ToString::to_string).collect();
        if by_log.is_empty() {
            return Ok(());
        }
        let rotations = rotations(&*self.read, &self.workspace.id)?;
        let retired = |key: &String| {
            let gone = |rotation: &&Rotation| rotation.old_key() == Some(key);
            let rotation = rotations.iter().find(gone);
            rotation.filter(|rotation| rotation.size() < kept.size())
        };
        let last = by_log.iter().map(retired).collect::<Option<Vec<_>>>();
        let Some(rotation) = last.and_then(|rotations| rotations.into_iter().next_back()) else {
            return Ok(());
        };
        let message = format!(
            "the checkpoint of {} events is signed by a key that the log put out of use with its event `{}`",
            kept.size(),
            rotation.event.leaf.seq
        );
        Err(Error::new(Code::InvalidCheckpoint, message).with_help(
            "whoever holds the old key made it; ask for a checkpoint that the new key signed",
        ))
    }
}

/// Logs `new` as the key that signs the checkpoints of a workspace's log, in the place of `old`: the one that did so, if
/// there was one. Where the log names it already, as the successor of `old`, nothing is logged, and the checkpoint of that
/// event is signed again.
///
/// The log has to verify, and to extend `kept`, if there is one.
///
/// # Errors
///
/// `INVALID_AUDIT_KEY` where `old` is not the key that signs now or is missing, or `new` is of another log or the same
/// key; `INVALID_SERVICE_KEY`; `AUDIT_TAMPERED`; `STORE_UNAVAILABLE`.
pub fn rotate_log_key(
    store: &dyn Store,
    key: &Key,
    old: Option<&SigningKey>,
    new: &SigningKey,
    kept: Option<&Checkpoint>,
    ambient: &Ambient,
) -> Result<Rotated, Error> {
    let write = store.write()?;
    let (workspace, key) = look_up(&*write, key, KeyKind::Service)?;
    let id = &workspace.id;
    expect_name(id, new)?;
    let public = SigningKey::verifying_key;
    if old.is_some_and(|old| public(old) == public(new)) {
        return Err(refuse(
            "the new key is the one that signs already",
            "make another with `al audit keygen`",
        ));
    }
    expect_log(&*write, id, kept)?;
    let names = Names {
        added: vec![public(new).to_string()],
        deactivated: old.map(|old| public(old).to_string()).into_iter().collect(),
        modified: Vec::new(),
    };
    let last = rotations(&*write, id)?.pop();
    let (event, unsigned) = match last {
        Some(last) if last.event.names == names => {
            let checkpoint = head_at(&*write, id, last.size())?;
            (last.event, checkpoint)
        }
        _ => {
            match old {
                Some(old) => expect_signer(&*write, id, old)?,
                None => expect_no_signer(last.as_ref())?,
            }
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

/// The head that a log had, which verifies as it is.
fn head_at(read: &dyn Read, workspace: &str, size: u64) -> Result<Checkpoint, Error> {
    let root = root_of(size, &mut |node| {
        let hash = read.node(workspace, node)?;
        hash.ok_or_else(|| events::tampered("a stored hash of the audit log is missing"))
    })?;
    let head = Checkpoint::new(&log_name(workspace), size, root);
    // The stored hashes are not trusted.
    expect_log(read, workspace, Some(&head))?;
    Ok(head)
}

/// Refuses a key that does not sign for the log of the workspace with the UUID `workspace`.
pub(crate) fn expect_signer(
    read: &dyn Read,
    workspace: &str,
    key: &SigningKey,
) -> Result<(), Error> {
    expect_name(workspace, key)?;
    let text = key.verifying_key().to_string();
    match rotations(read, workspace)?
        .last()
        .and_then(Rotation::new_key)
    {
        Some(current) if *current != text => Err(refuse(
            "the signing key is not the one that the log names as its key",
            "take the key of the last rotation; `al audit list` shows its event",
        )),
        _ => Ok(()),
    }
}

/// Refuses to log a first key where there is one already.
fn expect_no_signer(last: Option<&Rotation>) -> Result<(), Error> {
    match last {
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

/// The rotations of a log, in their order.
fn rotations(read: &dyn Read, workspace: &str) -> Result<Vec<Rotation>, Error> {
    let log = log_name(workspace);
    let records = read.rotations(workspace)?;
    let events = records.iter().map(|record| events::open(record, &log));
    events.map(|event| Ok(Rotation { event: event? })).collect()
}

/// The head of the log of the workspace with the UUID `workspace`, unsigned.
pub(crate) fn head(workspace: &str, tree: &Tree) -> Checkpoint {
    Checkpoint::of(&log_name(workspace), tree)
}

fn refuse(message: &str, help: &str) -> Error {
    Error::new(Code::InvalidAuditKey, message).with_help(help)
}
