//! Workspaces: every call runs off the event loop.

use std::sync::Arc;

use al::{Client, Io};
use lattice_core::{Code, Error};
use napi::bindgen_prelude::{AsyncTask, Either, Uint8Array};
use napi_derive::napi;

use crate::input::Wanted;
use crate::outcome::{Job, json, later};
use crate::{ManifestOrSource, action, mode};

/// The workspace of a key.
#[napi]
#[derive(Debug)]
pub struct Workspace(Arc<Client>);

#[napi]
impl Workspace {
    /// Opens the workspace of a key.
    #[napi]
    pub fn open(url: Option<String>, key: Option<String>) -> AsyncTask<Job<Workspace>> {
        later(move || {
            let client = Client::open(url.as_deref(), key.as_deref(), &Io::system())?;
            Ok(Workspace(Arc::new(client)))
        })
    }

    /// The manifest of the workspace.
    #[napi]
    pub fn export(&self) -> AsyncTask<Job<String>> {
        self.with(|client| client.export(&Io::system()))
    }

    /// What an import would do.
    #[napi]
    pub fn plan(
        &self,
        given: ManifestOrSource<'_>,
        replace: Option<bool>,
    ) -> AsyncTask<Job<String>> {
        let given = Wanted::from(given);
        self.with(move |client| {
            let named = given.manifest()?;
            json(&client.plan(&named.manifest, named.file.as_deref(), mode(replace))?)
        })
    }

    /// Imports a manifest.
    #[napi]
    pub fn import_manifest(
        &self,
        given: ManifestOrSource<'_>,
        replace: Option<bool>,
        dry_run: Option<bool>,
    ) -> AsyncTask<Job<String>> {
        let given = Wanted::from(given);
        self.with(move |client| {
            let named = given.manifest()?;
            let file = named.file.as_deref();
            json(&client.import(&named.manifest, file, mode(replace), dry_run, &Io::system())?)
        })
    }

    /// Decides about an action.
    #[napi]
    pub fn decide(&self, json_text: Either<String, Uint8Array>) -> AsyncTask<Job<String>> {
        let action = action(&json_text);
        self.with(|client| json(&client.decide(&action?)?))
    }

    /// A page of the audit log.
    #[napi]
    pub fn audit(&self, cursor: Option<i64>, limit: Option<i64>) -> AsyncTask<Job<String>> {
        self.with(move |client| json(&client.events(whole(cursor)?, whole(limit)?)?))
    }

    /// Whether the audit log verifies.
    #[napi]
    pub fn verify(&self) -> AsyncTask<Job<String>> {
        self.with(|client| json(&client.verify()?))
    }

    fn with(
        &self,
        work: impl FnOnce(&Client) -> Result<String, Error> + Send + 'static,
    ) -> AsyncTask<Job<String>> {
        let client = Arc::clone(&self.0);
        later(move || work(&client))
    }
}

fn whole(number: Option<i64>) -> Result<Option<u64>, Error> {
    let whole = number.map(u64::try_from).transpose();
    whole.map_err(|_| Error::new(Code::Usage, "`cursor` and `limit` count from 0"))
}
