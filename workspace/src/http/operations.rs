//! What a server is asked to do.

use std::sync::{Arc, Mutex};

use lattice_core::audit::Checkpoint;
use lattice_core::view::{self, KeyKind};
use lattice_core::{Breaker, Code, Error};
use serde::de::DeserializeOwned;
use serde_json::json;
use url::form_urlencoded;

use super::Remote;
use super::contents::{Opened, head};
use super::transport::{Ask, Effect};
use crate::access::Caller;
use crate::key::{AdminKey, Key};
use crate::store::{Contents, KeyRow, WorkspaceRow};

impl Remote {
    /// The workspace of `key`, and what the key opens.
    pub(crate) fn open(
        &self,
        key: &Key,
    ) -> Result<(Box<dyn Contents>, WorkspaceRow, KeyRow), Error> {
        let opened: view::Opened = self.ask(key.reveal(), "/v1/rows", None, Effect::None)?;
        let revision = opened.revision.unwrap_or(0);
        let contents = Opened {
            transport: Arc::clone(&self.transport),
            key: key.clone(),
            revision,
            head: opened.head.as_ref().map(head).transpose()?,
            seen: Mutex::default(),
        };
        let workspace = WorkspaceRow {
            id: opened.workspace.id,
            name: opened.workspace.name,
            org_name: opened.workspace.org_name,
            revision,
            created_at: String::new(),
        };
        let row = KeyRow {
            id: opened.key,
            workspace: workspace.id.clone(),
            kind: opened.kind,
            name: None,
            hash: key.hash(),
            created_at: String::new(),
            revoked_at: None,
        };
        Ok((Box::new(contents), workspace, row))
    }

    /// Makes a change that was planned here.
    pub(crate) fn commit(
        &self,
        key: &Key,
        proposal: &view::Proposal,
        once: &str,
    ) -> Result<view::Committed, Error> {
        let body = serde_json::to_vec(proposal)
            .map_err(|_| Error::new(Code::Internal, "the change cannot be written as JSON"))?;
        self.ask(key.reveal(), "/v1/changes", Some(&body), Effect::Once(once))
    }

    /// Logs a key that signs for the log from now on.
    pub(crate) fn log_key(
        &self,
        caller: &Caller,
        rotation: &view::Rotation,
    ) -> Result<view::Committed, Error> {
        let body = serde_json::to_vec(rotation)
            .map_err(|_| Error::new(Code::Internal, "the key cannot be written as JSON"))?;
        let (key, path) = self.inside(caller, "/audit/keys")?;
        self.ask(key, &path, Some(&body), Effect::Each)
    }

    /// Begins a new log of the workspace with that name.
    pub(crate) fn restart_log(
        &self,
        workspace: &str,
        kept: &Checkpoint,
    ) -> Result<view::RestartedLog, Error> {
        let (key, path) = (self.admin_key()?, place(workspace, "/audit/restart"));
        // Where it was done, nothing is done again.
        let body = kept.to_string();
        self.ask(key, &path, Some(body.as_bytes()), Effect::None)
    }

    pub(crate) fn create_workspace(
        &self,
        name: &str,
        org_name: Option<&str>,
    ) -> Result<view::CreatedWorkspace, Error> {
        let body = json!({"name": name, "org_name": org_name});
        self.change(self.admin_key()?, "/v1/workspaces", &body)
    }

    pub(crate) fn list_workspaces(&self) -> Result<view::Workspaces, Error> {
        self.ask(self.admin_key()?, "/v1/workspaces", None, Effect::None)
    }

    pub(crate) fn show_workspace(&self, caller: &Caller) -> Result<view::Workspace, Error> {
        let (key, path) = match caller {
            Caller::Key(key) => (key.reveal(), "/v1/workspace".to_owned()),
            Caller::Local { workspace } => (self.admin_key()?, place(workspace, "")),
        };
        self.ask(key, &path, None, Effect::None)
    }

    pub(crate) fn create_key(
        &self,
        caller: &Caller,
        kind: KeyKind,
        name: Option<&str>,
    ) -> Result<view::CreatedKey, Error> {
        let (key, path) = self.inside(caller, "/keys")?;
        self.change(key, &path, &json!({"kind": kind, "name": name}))
    }

    pub(crate) fn list_keys(&self, caller: &Caller) -> Result<view::Keys, Error> {
        let (key, path) = self.inside(caller, "/keys")?;
        self.ask(key, &path, None, Effect::None)
    }

    pub(crate) fn revoke_key(&self, caller: &Caller, id: &str) -> Result<view::Key, Error> {
        let (key, path) = self.inside(caller, &format!("/keys/{}/revoke", escaped(id)))?;
        self.ask(key, &path, Some(b""), Effect::Each)
    }

    pub(crate) fn set_breaker(
        &self,
        caller: &Caller,
        breaker: &Breaker,
    ) -> Result<view::Breakers, Error> {
        let (key, path) = self.inside(caller, "/breakers")?;
        let view = view::Breaker::from(breaker);
        let body = serde_json::to_vec(&view)
            .map_err(|_| Error::new(Code::Internal, "the breaker cannot be written as JSON"))?;
        self.ask(key, &path, Some(&body), Effect::Each)
    }

    pub(crate) fn list_breakers(&self, caller: &Caller) -> Result<view::Breakers, Error> {
        let (key, path) = self.inside(caller, "/breakers")?;
        self.ask(key, &path, None, Effect::None)
    }

    /// The key that opens what is in the caller's workspace, and the path to it.
    fn inside<'c>(&'c self, caller: &'c Caller, what: &str) -> Result<(&'c str, String), Error> {
        match caller {
            Caller::Key(key) => Ok((key.reveal(), format!("/v1{what}"))),
            Caller::Local { workspace } => Ok((self.admin_key()?, place(workspace, what))),
        }
    }

    fn admin_key(&self) -> Result<&str, Error> {
        let key = self.credentials.admin_key.as_ref();
        key.map(AdminKey::reveal).ok_or_else(|| {
            let message = format!("`{}` wants its admin key for this", self.transport.address());
            Error::new(Code::InvalidServiceKey, message)
                .with_help("set AL_ADMIN_KEY to it; with `--workspace` left out, the service key of a workspace opens its keys and breakers")
        })
    }

    fn change<T: DeserializeOwned>(
        &self,
        key: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, Error> {
        self.ask(key, path, Some(body.to_string().as_bytes()), Effect::Each)
    }

    fn ask<T: DeserializeOwned>(
        &self,
        key: &str,
        path: &str,
        body: Option<&[u8]>,
        effect: Effect<'_>,
    ) -> Result<T, Error> {
        self.transport.ask(&Ask {
            path,
            key,
            body,
            effect,
        })
    }
}

/// The path of a workspace to an admin.
fn place(workspace: &str, what: &str) -> String {
    format!("/v1/workspaces/{}{what}", escaped(workspace))
}

/// A text as one segment of a path.
fn escaped(text: &str) -> String {
    let escaped: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    escaped.replace('+', "%20")
}
