//! The successor of the key that signs the checkpoints of a log.

use lattice_core::audit::{
    Checkpoint, Event, Handover, NamedKey, Names, SigningKey, VerifyingKey, leaf_hash, log_name,
};
use lattice_core::view;
use lattice_core::{Code, Error};

use crate::access::{Caller, LOCAL, allow, look_up_locked};
use crate::ambient::Ambient;
use crate::events;
use crate::http::Remote;
use crate::key::Key;
use crate::log::Log;
use crate::signer::{head, refuse};
use crate::store::{Contents, Store};
use crate::verify::{Proven, expect_log};

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
        return keys.through(remote, key, kept);
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

/// Logs a key that a client made, which shows that it has this one and the one before.
///
/// The first key of a log takes nobody's place: whoever has the key of the workspace alone does not get to name it.
///
/// # Errors
///
/// `INVALID_SERVICE_KEY` for the first key from a caller with a key; `STATE_CHANGED` where the log has moved on since; else as
/// [`rotate_log_key`].
pub fn log_key(
    store: &dyn Store,
    caller: &Caller,
    rotation: &view::Rotation,
    ambient: &Ambient,
) -> Result<view::Committed, Error> {
    let asked = Handed::read(rotation)?;
    let read = store.read()?;
    let (workspace, _) = caller.workspace(&*read)?;
    asked.new.expect_log(&log_name(&workspace.id))?;
    let proven = expect_log(&*read, &workspace.id, None)?;
    drop(read);
    if proven.checkpoint() != asked.head {
        return Err(moved_on(&workspace.name));
    }
    let is_first = proven.keys().current().is_none();
    if is_first && matches!(caller, Caller::Key(_)) {
        let message = "the first key that signs for a log is named by the admin of its server";
        return Err(Error::new(Code::InvalidServiceKey, message)
            .with_help("set AL_ADMIN_KEY to the admin key of the server"));
    }
    let names = successor(&proven, asked.old.as_ref(), &asked.new)?;

    let write = store.write()?;
    let (workspace, actor) = caller.locked(&*write)?;
    let id = &workspace.id;
    let log = Log::open(&*write, id)?;
    // Its head says all of what was proven.
    if Checkpoint::of(&log_name(id), log.tree()) != asked.head {
        return Err(moved_on(&workspace.name));
    }
    let leaf = Event::rotation(id, log.seq(), ambient.now, &actor, &names);
    let tree = log.append(&leaf, &names)?;
    write.commit()?;
    Ok(view::Committed {
        event: view::Event { leaf, names },
        checkpoint: head(id, &tree).to_string(),
    })
}

/// What a client asks for, signed with the keys that it names.
struct Handed {
    head: Checkpoint,
    old: Option<VerifyingKey>,
    new: VerifyingKey,
}

impl Handed {
    fn read(rotation: &view::Rotation) -> Result<Self, Error> {
        let new = VerifyingKey::parse(&rotation.new)?;
        let old = rotation.old.as_deref();
        let old = old.map(VerifyingKey::parse).transpose()?;
        let head = Checkpoint::parse(rotation.head.as_bytes())?;
        let handover = Handover {
            head: &head,
            old: old.as_ref(),
            new: &new,
        };
        let is_signed = handover.is_signed_by(&new, &rotation.new_signature)
            && match (&old, &rotation.old_signature) {
                (Some(old), Some(signature)) => handover.is_signed_by(old, signature),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
        if !is_signed {
            return Err(refuse(
                "the new key is not signed for with it and with the one before",
                "sign with both: `al audit rotate-key` does",
            ));
        }
        Ok(Self { head, old, new })
    }
}

fn moved_on(workspace: &str) -> Error {
    let message = format!("the log of `{workspace}` is not the one that was signed for");
    Error::new(Code::StateChanged, message).with_help("nothing was written; run the command again")
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

    /// Has a server log the new key, and looks at the log with it. The secret ones stay here.
    fn through(
        self,
        remote: &Remote,
        key: &Key,
        kept: Option<&Checkpoint>,
    ) -> Result<Rotated, Error> {
        let (contents, workspace, row) = remote.open(key)?;
        allow(row.kind, view::KeyKind::Service)?;
        let id = &workspace.id;
        let proven = self.prove(&*contents, id, kept)?;
        let Some(names) = self.names(&proven)? else {
            return self.again(&proven, &*contents, id);
        };
        let is_first = proven.keys().current().is_none();
        let caller = if is_first {
            let workspace = workspace.name;
            Caller::Local { workspace }
        } else {
            Caller::Key(key.clone())
        };
        let actor = if is_first { LOCAL } else { &row.id };
        let head_before = proven.checkpoint();
        let committed = remote.log_key(&caller, &self.rotation(&head_before))?;

        let event = committed.event;
        let time = event.leaf.time.parse().ok();
        let expected =
            time.map(|time| Event::rotation(id, head_before.size(), time, actor, &names));
        if event.names != names || expected.as_ref() != Some(&event.leaf) {
            return Err(unlike("recorded something else"));
        }
        let mut tree = events::tree(&*contents, id)?;
        tree.append(leaf_hash(&event.leaf.to_bytes()));
        let unsigned = head(id, &tree);
        let (contents, _, _) = remote.open(key)?;
        expect_log(&*contents, id, Some(&unsigned))?;
        Ok(Rotated {
            event,
            checkpoint: self.sign(unsigned)?,
        })
    }

    /// What a server is asked for where the log has this `head`.
    fn rotation(self, head: &Checkpoint) -> view::Rotation {
        let old = self.old.map(SigningKey::verifying_key);
        let new = self.new.verifying_key();
        let handover = Handover { head, old, new };
        view::Rotation {
            head: head.to_string(),
            new: new.to_string(),
            new_signature: handover.sign(self.new),
            old: old.map(ToString::to_string),
            old_signature: self.old.map(|old| handover.sign(old)),
        }
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

fn unlike(what: &str) -> Error {
    events::tampered(&format!(
        "the server answered that the key was logged, and {what}"
    ))
}

fn missing() -> Error {
    events::tampered("an event of the audit log is missing")
}
