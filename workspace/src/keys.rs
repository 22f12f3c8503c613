//! Making, listing and revoking keys.

use lattice_core::audit::{Event, Kind, Names};
use lattice_core::time::format_time;
use lattice_core::view::{self, KeyKind};
use lattice_core::{Code, Error};

use crate::access::Caller;
use crate::ambient::Ambient;
use crate::key::Key;
use crate::log::Log;
use crate::store::{KeyRow, Store, WorkspaceRow, Write};
use crate::workspace::check_label;

/// Makes a key for the caller's workspace. The view holds the key itself; the store only its SHA-256.
///
/// # Errors
///
/// `USAGE` for a name that is empty, longer than 200 characters or holds control characters, or for a workspace
/// that is not there; `INVALID_SERVICE_KEY` for a caller's key that does not open it; `STORE_UNAVAILABLE`.
pub fn create_key(
    store: &dyn Store,
    caller: &Caller,
    kind: KeyKind,
    name: Option<&str>,
    ambient: &Ambient,
) -> Result<view::CreatedKey, Error> {
    if let Some(name) = name {
        check_label("name of the key", name)?;
    }
    if let Some(remote) = store.remote() {
        return remote.create_key(caller, kind, name);
    }
    let write = store.write()?;
    let (workspace, actor) = caller.locked(&*write)?;
    let created = add(&*write, &workspace, kind, name, &actor, ambient)?;
    write.commit()?;
    Ok(created)
}

/// The keys of the caller's workspace, revoked ones included.
pub fn list_keys(store: &dyn Store, caller: &Caller) -> Result<view::Keys, Error> {
    if let Some(remote) = store.remote() {
        return remote.list_keys(caller);
    }
    let read = store.read()?;
    let (workspace, _) = caller.workspace(&*read)?;
    let keys = read.keys(&workspace.id)?.into_iter().map(show).collect();
    Ok(view::Keys { keys })
}

/// Revokes a key of the caller's workspace; it may be the caller's own.
///
/// # Errors
///
/// `INVALID_SERVICE_KEY` where the workspace has no key of that id, or it was revoked before; else as
/// [`create_key`].
pub fn revoke_key(
    store: &dyn Store,
    caller: &Caller,
    id: &str,
    ambient: &Ambient,
) -> Result<view::Key, Error> {
    if let Some(remote) = store.remote() {
        return remote.revoke_key(caller, id);
    }
    let write = store.write()?;
    let (workspace, actor) = caller.locked(&*write)?;
    let keys = write.keys(&workspace.id)?;
    let refuse = |message| {
        Error::new(Code::InvalidServiceKey, message)
            .with_help("`al key list` shows the ids of the workspace's keys")
    };
    let Some(mut key) = keys.into_iter().find(|key| key.id == id) else {
        // Without what was given for the id: it may be the key itself.
        return Err(refuse(format!(
            "the workspace `{}` has no key of that id",
            workspace.name
        )));
    };
    if let Some(at) = &key.revoked_at {
        return Err(refuse(format!("the key `{id}` was revoked at {at}")));
    }
    let at = format_time(ambient.now);
    write.revoke_key(id, &at)?;
    append(&*write, &workspace, Kind::KeyRevoked, &actor, ambient)?;
    write.commit()?;
    key.revoked_at = Some(at);
    Ok(show(key))
}

/// Adds a key to `workspace`, with its audit event.
pub(crate) fn add(
    write: &dyn Write,
    workspace: &WorkspaceRow,
    kind: KeyKind,
    name: Option<&str>,
    actor: &str,
    ambient: &Ambient,
) -> Result<view::CreatedKey, Error> {
    let key = Key::generate(kind, &workspace.name, &ambient.secret());
    let row = KeyRow {
        id: ambient.key_id(),
        workspace: workspace.id.clone(),
        kind,
        name: name.map(str::to_owned),
        hash: key.hash(),
        created_at: format_time(ambient.now),
        revoked_at: None,
    };
    write.add_key(&row)?;
    append(write, workspace, Kind::KeyCreated, actor, ambient)?;
    Ok(view::CreatedKey {
        id: row.id,
        kind,
        name: row.name,
        key: key.reveal().to_owned(),
    })
}

fn append(
    write: &dyn Write,
    workspace: &WorkspaceRow,
    kind: Kind,
    actor: &str,
    ambient: &Ambient,
) -> Result<(), Error> {
    let log = Log::open(write, &workspace.id)?;
    let event = Event::key(kind, &workspace.id, log.seq(), ambient.now, actor);
    log.append(&event, &Names::default())?;
    Ok(())
}

fn show(row: KeyRow) -> view::Key {
    view::Key {
        id: row.id,
        kind: row.kind,
        name: row.name,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
    }
}
