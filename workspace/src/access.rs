//! Who asks, and for which workspace.

use lattice_core::view::KeyKind;
use lattice_core::{Code, Error};
use subtle::ConstantTimeEq;

use crate::key::Key;
use crate::store::{KeyRow, Read, WorkspaceRow, Write};

/// Who asks for something that needs a workspace.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Whoever holds a key; it says which workspace.
    Key(Key),
    /// Whoever may open the file of an embedded store, which needs no key. Audited as `local`.
    Local {
        /// The workspace's name.
        workspace: String,
    },
}

/// The `actor` of an audit event where no key was needed.
pub(crate) const LOCAL: &str = "local";

impl Caller {
    /// The workspace, and the actor for its audit log. An agent key is refused.
    pub(crate) fn workspace(&self, read: &dyn Read) -> Result<(WorkspaceRow, String), Error> {
        match self {
            Self::Key(key) => {
                let (workspace, key) = look_up(read, key, KeyKind::Service)?;
                Ok((workspace, key.id))
            }
            Self::Local { workspace: name } => {
                let workspace = read.workspace(name)?.ok_or_else(|| {
                    Error::new(Code::Usage, format!("there is no workspace `{name}`"))
                        .with_help("`al workspace list` names those of the store")
                })?;
                Ok((workspace, LOCAL.to_owned()))
            }
        }
    }

    /// As [`Caller::workspace`], and locks it.
    pub(crate) fn locked(&self, write: &dyn Write) -> Result<(WorkspaceRow, String), Error> {
        locked(write, || self.workspace(write))
    }
}

/// The workspace that a service key opens, locked to be written to.
pub(crate) fn look_up_locked(
    write: &dyn Write,
    key: &Key,
) -> Result<(WorkspaceRow, KeyRow), Error> {
    locked(write, || look_up(write, key, KeyKind::Service))
}

/// Locks the workspace that `find` finds. Which one that is, and whether it may be opened, is asked again under the lock:
/// until then another writer may have revoked the key, or given it to the successor of the workspace.
fn locked<T>(
    write: &dyn Write,
    find: impl Fn() -> Result<(WorkspaceRow, T), Error>,
) -> Result<(WorkspaceRow, T), Error> {
    let mut seen = find()?;
    loop {
        write.lock(&seen.0.id)?;
        let found = find()?;
        if found.0.id == seen.0.id {
            return Ok(found);
        }
        seen = found;
    }
}

/// Finds the workspace that `key` opens. `need` is the least it must open: an agent key where `Agent` is needed
/// opens decisions, and a service key opens everything.
pub(crate) fn look_up(
    read: &dyn Read,
    key: &Key,
    need: KeyKind,
) -> Result<(WorkspaceRow, KeyRow), Error> {
    let hash = key.hash();
    let row = read
        .key_by_hash(&hash)?
        // The index found it by comparing bytes one after the other. The verdict takes the same time for all.
        .filter(|row| bool::from(row.hash.ct_eq(&hash)))
        .ok_or_else(|| {
            Error::new(Code::InvalidServiceKey, "the key is unknown to the store")
                .with_help("check that `AL_URL` is the store that the key was made in, or make a new key there with `al key create`")
        })?;
    if let Some(at) = &row.revoked_at {
        let message = format!("the key `{}` was revoked at {at}", row.id);
        return Err(Error::new(Code::InvalidServiceKey, message)
            .with_help("make a new key with `al key create`"));
    }
    allow(row.kind, need)?;
    let workspace = read.workspace_by_id(&row.workspace)?.ok_or_else(|| {
        let message = format!("the workspace of the key `{}` is not in the store", row.id);
        Error::new(Code::StoreUnavailable, message).with_help("restore the store from a backup")
    })?;
    Ok((workspace, row))
}

/// Refuses an agent key where a service key is needed.
pub(crate) fn allow(kind: KeyKind, need: KeyKind) -> Result<(), Error> {
    match (kind, need) {
        (KeyKind::Service, _) | (KeyKind::Agent, KeyKind::Agent) => Ok(()),
        (KeyKind::Agent, KeyKind::Service) => Err(Error::new(
            Code::InvalidServiceKey,
            "an agent key may ask for decisions, and for nothing else",
        )
        .with_help("use a service key (`al_svc_…`)")),
    }
}
