//! Workspaces: every call runs off the event loop.

use std::sync::Arc;

use al::{Client, Io, PlanOptions};
use lattice_core::{Action, Code, Error};
use napi_derive::napi;

use crate::input::{Evidence, Json, ManifestOrSource, Source, action, given, sources};
use crate::outcome::{Answer, answer, json};

/// The workspace of a key.
#[napi]
#[derive(Debug)]
pub struct Workspace(Arc<Client>);

#[napi]
impl Workspace {
    /// Opens the workspace of a key.
    #[napi]
    pub fn open(url: Option<String>, key: Option<String>) -> napi::Result<Answer<Workspace>> {
        answer(false, move || {
            let client = Client::open(url.as_deref(), key.as_deref(), &Io::system())?;
            Ok(Workspace(Arc::new(client)))
        })
    }

    /// The manifest of the workspace, or of the state after an event.
    #[napi]
    pub fn export(&self, at: Option<i64>) -> napi::Result<Answer<String>> {
        self.with(move |client| client.export(whole("at", at)?, &Io::system()))
    }

    /// What a replacing import would do, and which side changed.
    #[napi]
    pub fn diff(&self, manifest: ManifestOrSource<'_>) -> napi::Result<Answer<String>> {
        let given = given(manifest);
        self.with(move |client| json(&client.diff(given)?))
    }

    /// The plan of an import, to be kept.
    #[napi]
    pub fn save_plan(
        &self,
        manifest: Source,
        overlays: Vec<Source>,
        options: Promotion,
    ) -> napi::Result<Answer<String>> {
        let sources = sources(manifest, overlays);
        self.with(move |client| client.save_plan(sources, options.read()?, &Io::system()))
    }

    /// Applies a plan that was kept.
    #[napi]
    pub fn apply(&self, plan: Source) -> napi::Result<Answer<String>> {
        let source = plan.into();
        self.with(move |client| json(&client.apply(source, &Io::system())?))
    }

    /// The states that the workspace had.
    #[napi]
    pub fn history(&self, before: Option<i64>, limit: Option<i64>) -> napi::Result<Answer<String>> {
        self.with(move |client| {
            json(&client.history(whole("before", before)?, whole("limit", limit)?)?)
        })
    }

    /// Goes back to the state after an event.
    #[napi]
    pub fn rollback(
        &self,
        event: i64,
        options: Promotion,
        dry_run: Option<bool>,
    ) -> napi::Result<Answer<String>> {
        self.with(move |client| {
            let event = count("event", event)?;
            json(&client.rollback(event, options.read()?, dry_run, &Io::system())?)
        })
    }

    /// What an import would do.
    #[napi]
    pub fn plan(
        &self,
        manifest: ManifestOrSource<'_>,
        options: Promotion,
    ) -> napi::Result<Answer<String>> {
        let given = given(manifest);
        self.with(move |client| json(&client.plan(given, options.read()?, &Io::system())?))
    }

    /// Imports a manifest.
    #[napi]
    pub fn import_manifest(
        &self,
        manifest: ManifestOrSource<'_>,
        options: Promotion,
        dry_run: Option<bool>,
    ) -> napi::Result<Answer<String>> {
        let given = given(manifest);
        self.with(move |client| {
            json(&client.import(given, options.read()?, dry_run, &Io::system())?)
        })
    }

    /// Decides about an action.
    #[napi]
    pub fn decide(&self, json_text: Json) -> napi::Result<Answer<String>> {
        let action = action(&json_text).map(Action::into_owned);
        self.with(|client| json(&client.decide(&action?)?))
    }

    /// A page of the audit log.
    #[napi]
    pub fn audit(&self, cursor: Option<i64>, limit: Option<i64>) -> napi::Result<Answer<String>> {
        self.with(move |client| {
            json(&client.events(whole("cursor", cursor)?, whole("limit", limit)?)?)
        })
    }

    /// Whether the audit log verifies, and extends the checkpoints that were kept.
    #[napi]
    pub fn verify(&self, evidence: Evidence, state: Option<bool>) -> napi::Result<Answer<String>> {
        let evidence = evidence.into();
        self.with(move |client| json(&client.verify(evidence, state)?))
    }

    /// The checkpoint of the audit log.
    #[napi]
    pub fn checkpoint(&self) -> napi::Result<Answer<String>> {
        self.with(|client| client.checkpoint(&Io::system()))
    }

    /// The proof of an audit event.
    #[napi]
    pub fn prove(&self, event: i64, checkpoint: Option<Source>) -> napi::Result<Answer<String>> {
        let checkpoint = checkpoint.map(Into::into);
        self.with(move |client| client.prove(count("event", event)?, checkpoint, &Io::system()))
    }

    fn with(
        &self,
        work: impl FnOnce(&Client) -> Result<String, Error> + Send + 'static,
    ) -> napi::Result<Answer<String>> {
        let client = Arc::clone(&self.0);
        answer(false, move || work(&client))
    }
}

/// How a manifest meets a workspace.
#[napi(object, object_to_js = false)]
#[derive(Debug)]
pub struct Promotion {
    /// Whether policies that the manifest does not name are deactivated.
    pub replace: Option<bool>,
    /// The exact number of deactivations that goes through.
    pub allow_deactivations: Option<i64>,
    /// The share of active policies that may be deactivated without that.
    pub deactivation_threshold: Option<i64>,
}

impl Promotion {
    fn read(self) -> Result<PlanOptions, Error> {
        Ok(PlanOptions {
            replace: self.replace,
            allow_deactivations: whole("allowDeactivations", self.allow_deactivations)?,
            deactivation_threshold: whole("deactivationThreshold", self.deactivation_threshold)?,
        })
    }
}

fn whole(name: &str, number: Option<i64>) -> Result<Option<u64>, Error> {
    number.map(|number| count(name, number)).transpose()
}

fn count(name: &str, number: i64) -> Result<u64, Error> {
    u64::try_from(number).map_err(|_| Error::new(Code::Usage, format!("`{name}` counts from 0")))
}
