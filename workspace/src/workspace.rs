//! Making and showing workspaces.

use lattice_core::time::format_time;
use lattice_core::view::{self, KeyKind};
use lattice_core::{Code, Error};
use uuid::Uuid;

use crate::access::{Caller, LOCAL};
use crate::ambient::Ambient;
use crate::keys;
use crate::store::{Read, Store, WorkspaceRow};

/// Makes a workspace with its first service key, and the store if there is none. The name stands in for a missing
/// organisation name.
///
/// # Errors
///
/// `USAGE` for a name that is taken or not `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`, or an organisation name with
/// control characters; `STORE_UNAVAILABLE`.
pub fn create_workspace(
    store: &dyn Store,
    name: &str,
    org_name: Option<&str>,
    ambient: &Ambient,
) -> Result<view::CreatedWorkspace, Error> {
    // A log that begins anew leaves its old one under its UUID.
    if !is_name(name) || Uuid::try_parse(name).is_ok() {
        return Err(Error::new(
            Code::Usage,
            format!("`{name}` cannot be the name of a workspace"),
        )
        .with_help("use 1 to 63 lower-case letters, digits and inner hyphens, such as `staging`"));
    }
    let org_name = org_name.unwrap_or(name);
    check_label("organisation name", org_name)?;

    if let Some(remote) = store.remote() {
        return remote.create_workspace(name, Some(org_name));
    }
    let write = store.create()?;
    if write.workspace(name)?.is_some() {
        return Err(Error::new(
            Code::Usage,
            format!("there is a workspace `{name}` already"),
        )
        .with_help("choose another name; `al key create` makes a further key for a workspace"));
    }
    let workspace = WorkspaceRow {
        id: ambient.workspace_id(),
        name: name.to_owned(),
        org_name: org_name.to_owned(),
        revision: 0,
        created_at: format_time(ambient.now),
    };
    write.add_workspace(&workspace)?;
    let key = keys::add(&*write, &workspace, KeyKind::Service, None, LOCAL, ambient)?;
    write.commit()?;
    Ok(view::CreatedWorkspace {
        id: workspace.id,
        name: workspace.name,
        org_name: workspace.org_name,
        service_key: key.key,
    })
}

/// The workspaces of a store, by name.
pub fn list_workspaces(store: &dyn Store) -> Result<view::Workspaces, Error> {
    if let Some(remote) = store.remote() {
        return remote.list_workspaces();
    }
    let read = store.read()?;
    let rows = read.workspaces()?.into_iter();
    let workspaces = rows
        .map(|row| show(&*read, row))
        .collect::<Result<_, _>>()?;
    Ok(view::Workspaces { workspaces })
}

/// The caller's workspace.
pub fn show_workspace(store: &dyn Store, caller: &Caller) -> Result<view::Workspace, Error> {
    if let Some(remote) = store.remote() {
        return remote.show_workspace(caller);
    }
    let read = store.read()?;
    let (row, _) = caller.workspace(&*read)?;
    show(&*read, row)
}

fn show(read: &dyn Read, row: WorkspaceRow) -> Result<view::Workspace, Error> {
    Ok(view::Workspace {
        policies: read.count_policies(&row.id)?,
        id: row.id,
        name: row.name,
        org_name: row.org_name,
        revision: row.revision,
    })
}

impl From<&WorkspaceRow> for view::WorkspaceRef {
    fn from(row: &WorkspaceRow) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            org_name: row.org_name.clone(),
        }
    }
}

/// Whether `text` is `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Checks a text that people give and that is printed to terminals.
pub(crate) fn check_label(what: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
        let message =
            format!("the {what} is empty, longer than 200 characters or holds a control character");
        return Err(Error::new(Code::Usage, message).with_help("choose another"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let longest = "a".repeat(63);
        for name in ["a", "0", "dev", "eu-west-1", "a--b", &longest] {
            assert!(is_name(name), "{name}");
        }
        let too_long = "a".repeat(64);
        for text in [
            "", "-", "-a", "a-", "A", "a_b", "a b", "a.b", "ä", "a\n", &too_long,
        ] {
            assert!(!is_name(text), "{text}");
        }
    }
}
