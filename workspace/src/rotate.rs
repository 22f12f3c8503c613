//! The successor of the key that signs the checkpoints of a log.

use jiff::{SignedDuration, Timestamp};
use lattice_core::audit::{
    Checkpoint, Event, NamedKey, Names, SigningKey, VerifyingKey, leaf_hash, log_name,
};
use lattice_core::view;
use lattice_core::{Code, Error};

use crate::access::{allow, look_up_locked};
use crate::ambient::Ambient;
use crate::events;
use crate::http::Remote;
use crate::key::Key;
use crate::log::Log;
use crate::signer::{head, refuse};
use crate::store::{Contents, Store};
use crate::verify::{Proven, expect_log};

/// How far the clock of a client may be from that of its server.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// A key that now signs for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Its audit event.
    pub event: view::Event,
    /// The checkpoint of the audit log with it, signed by the key before, if there was one, and by the new one.
    pub checkpoint: Checkpoint,
}

/// A key, and the one that it takes the place of.
#[derive(Clone, Copy)]
struct Succession<'a> {
    old: Option<&'a SigningKey>,
    new: &'a SigningKey,
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
    let keys = Succession { old, new };
    if let Some(remote) = store.remote() {
        return keys.through(remote, key, kept, ambient);
    }
    let write = store.write()?;
    let (workspace, key) = look_up_locked(&*write, key)?;
    let id = &workspace.id;
    let proven = keys.prove(&*write, id, kept)?;
    let Some(names) = keys.names(&proven)? else {
        return keys.again(&proven, &*write, id);
    };
    let log = Log::open(&*write, id)?;
    let leaf = Event::rotation(id, log.seq(), ambient.now, &key.id, &names);
    let tree = log.append(&leaf, &names)?;
    write.commit()?;
    Ok(Rotated {
        event: view::Event { leaf, names },
        checkpoint: keys.sign(head(id, &tree))?,
    })
}

/// Logs a key that a client made, which shows that it has this one and the one before: it signed the very log that comes of
/// it with both.
///
/// # Errors
///
/// `USAGE` for a time that is far from that of `ambient`; `STATE_CHANGED` where the log has moved on since; else as
/// [`rotate_log_key`].
pub fn log_key(
    store: &dyn Store,
    key: &Key,
    rotation: &view::Rotation,
    ambient: &Ambient,
) -> Result<view::Committed, Error> {
    let new = VerifyingKey::parse(&rotation.new)?;
    let old = rotation
        .old
        .as_deref()
        .map(VerifyingKey::parse)
        .transpose()?;
    let checkpoint = Checkpoint::parse(rotation.checkpoint.as_bytes())?;
    let time = time_of(rotation, ambient)?;

    let write = store.write()?;
    let (workspace, key) = look_up_locked(&*write, key)?;
    let id = &workspace.id;
    new.expect_log(&log_name(id))?;
    let proven = expect_log(&*write, id, None)?;
    let names = successor(&proven, old.as_ref(), &new)?;
    let log = Log::open(&*write, id)?;
    let leaf = Event::rotation(id, log.seq(), time, &key.id, &names);
    let tree = log.append(&leaf, &names)?;
    let unsigned = head(id, &tree);
    if (unsigned.size(), unsigned.root()) != (checkpoint.size(), checkpoint.root()) {
        let message = format!(
            "the log of `{}` is not the one that was signed",
            workspace.name
        );
        return Err(Error::new(Code::StateChanged, message)
            .with_help("nothing was written; run the command again"));
    }
    let needed: Vec<VerifyingKey> = old.into_iter().chain([new]).collect();
    if checkpoint.origin() != unsigned.origin()
        || checkpoint.signers(&needed)?.len() != needed.len()
    {
        return Err(refuse(
            "the log with the new key is not signed with it and with the one before",
            "sign it with both: `al audit rotate-key` does",
        ));
    }
    write.commit()?;
    Ok(view::Committed {
        event: view::Event { leaf, names },
        checkpoint: unsigned.to_string(),
    })
}

/// When a client says that it is.
fn time_of(rotation: &view::Rotation, ambient: &Ambient) -> Result<Timestamp, Error> {
    let time: Option<Timestamp> = rotation.time.parse().ok();
    let is_near = |time: &Timestamp| time.duration_since(ambient.now).abs() <= SKEW;
    time.filter(is_near).ok_or_else(|| {
        let message = "the time of the event is not that of the server";
        Error::new(Code::Usage, message).with_help("set the clock of this machine")
    })
}

impl Succession<'_> {
    /// The log, if it verifies, extends `kept`, and is the one of the keys.
    fn prove(
        self,
        contents: &dyn Contents,
        workspace: &str,
        kept: Option<&Checkpoint>,
    ) -> Result<Proven, Error> {
        self.new.expect_log(&log_name(workspace))?;
        let proven = expect_log(contents, workspace, kept)?;
        if let Some(kept) = kept {
            proven.expect_successor(kept, self.old.or(Some(self.new)))?;
        }
        Ok(proven)
    }

    /// What is to be logged; `None` where the log names the new key already, as the successor of the old one.
    fn names(self, proven: &Proven) -> Result<Option<Names>, Error> {
        let (old, new) = (
            self.old.map(SigningKey::verifying_key),
            self.new.verifying_key(),
        );
        let keys = proven.keys();
        let is_named = |named: &NamedKey| named.key == *new && named.before.as_ref() == old;
        if keys.current().is_some_and(is_named) {
            return Ok(None);
        }
        successor(proven, old, new).map(Some)
    }

    /// What was logged before, signed again.
    fn again(
        self,
        proven: &Proven,
        contents: &dyn Contents,
        workspace: &str,
    ) -> Result<Rotated, Error> {
        let keys = proven.keys();
        let named = keys.current().ok_or_else(missing)?;
        let log = log_name(workspace);
        let records = contents.records(workspace, named.size.saturating_sub(1), 1)?;
        let record = records.first().ok_or_else(missing)?;
        Ok(Rotated {
            event: events::open(record, &log)?,
            checkpoint: self.sign(Checkpoint::new(&log, named.size, named.root))?,
        })
    }

    /// The checkpoint, signed with the old key, if there is one, and with the new one.
    fn sign(self, unsigned: Checkpoint) -> Result<Checkpoint, Error> {
        let checkpoint = match self.old {
            Some(old) => unsigned.signed(old)?,
            None => unsigned,
        };
        checkpoint.signed(self.new)
    }

    /// Has a server log the new key. The secret ones stay here.
    fn through(
        self,
        remote: &Remote,
        key: &Key,
        kept: Option<&Checkpoint>,
        ambient: &Ambient,
    ) -> Result<Rotated, Error> {
        let (contents, workspace, row) = remote.open(key)?;
        allow(row.kind, view::KeyKind::Service)?;
        let id = &workspace.id;
        let proven = self.prove(&*contents, id, kept)?;
        let Some(names) = self.names(&proven)? else {
            return self.again(&proven, &*contents, id);
        };
        let mut tree = events::tree(&*contents, id)?;
        let leaf = Event::rotation(id, tree.size(), ambient.now, &row.id, &names);
        tree.append(leaf_hash(&leaf.to_bytes()));
        let checkpoint = self.sign(head(id, &tree))?;
        let rotation = view::Rotation {
            new: self.new.verifying_key().to_string(),
            old: self.old.map(|old| old.verifying_key().to_string()),
            time: leaf.time.clone(),
            checkpoint: checkpoint.to_string(),
        };
        let event = view::Event { leaf, names };
        if remote.log_key(key, &rotation)?.event != event {
            return Err(events::tampered(
                "the server answered that the key was logged, and recorded something else",
            ));
        }
        Ok(Rotated { event, checkpoint })
    }
}

/// The names of the event with which `new` takes the place of `old`, if it may.
fn successor(
    proven: &Proven,
    old: Option<&VerifyingKey>,
    new: &VerifyingKey,
) -> Result<Names, Error> {
    let keys = proven.keys();
    match (old, keys.current()) {
        (Some(old), _) => proven.expect_named(old)?,
        (None, None) => {}
        (None, Some(_)) => {
            return Err(refuse(
                "the log has a signing key, which has to sign for the new one",
                "set AL_AUDIT_KEY_FILE to the file of the key that signs now",
            ));
        }
    }
    if keys.known().any(|known| known == new) || old == Some(new) {
        return Err(refuse(
            "the new key was in use before",
            "a key that was put out of use stays so: make another with `al audit keygen`",
        ));
    }
    Ok(Names {
        added: vec![new.to_string()],
        deactivated: old.map(ToString::to_string).into_iter().collect(),
        modified: Vec::new(),
    })
}

fn missing() -> Error {
    events::tampered("an event of the audit log is missing")
}
