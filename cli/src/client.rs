//! A workspace for programs in other languages: the documents of `--format json` as values.

use lattice_core::view::{self, KeyKind};
use lattice_core::{Action, Code, Error, Guard, SavedPlan};
use lattice_workspace::{Key, Planned, Reader, Store, import_signed, page, threads};

use crate::access::{Opened, key_in_environment, named};
use crate::args::{guard, threshold_in_environment};
use crate::evidence::{Evidence, signer};
use crate::file::Limit;
use crate::given::{Given, Named, Source, Sources, mode};
use crate::io::Io;

/// How a manifest meets a workspace. What is left out is what the commands take it to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanOptions {
    /// Whether policies that the manifest does not name are deactivated.
    pub replace: Option<bool>,
    /// The exact number of deactivations that goes through, however many they are.
    pub allow_deactivations: Option<u64>,
    /// The share of active policies that may be deactivated without that, in percent.
    pub deactivation_threshold: Option<u64>,
}

impl PlanOptions {
    fn guard(self, io: &Io<'_>) -> Result<Guard, Error> {
        guard(self.deactivation_threshold, self.allow_deactivations, io)
    }

    fn plan(self, reader: &Reader, given: &Named, io: &Io<'_>) -> Result<Planned, Error> {
        let guard = self.guard(io)?;
        let planned = reader.plan(&given.manifest, mode(self.replace))?;
        let planned = planned.in_file(given.file.as_deref()).with_guard(guard);
        Ok(planned.from_texts(|| given.texts.clone()))
    }
}

/// A workspace, opened by its key. Every method reads it as it then is.
///
/// A program gives what it has and leaves out the rest, which is then what the commands take it to be.
#[derive(Debug)]
pub struct Client {
    store: Box<dyn Store>,
    key: Key,
    workspace: view::WorkspaceRef,
}

impl Client {
    /// Opens the workspace of a key, of either kind: with an agent's, [`Client::decide`] works and nothing else does.
    /// Left out, `url` is `AL_URL` or a file in the user's data directory, and `key` is `AL_SERVICE_KEY`.
    ///
    /// # Errors
    ///
    /// `INVALID_SERVICE_KEY`, `STORE_UNAVAILABLE`, and `USAGE` for a URL that names no place for workspaces.
    pub fn open(url: Option<&str>, key: Option<&str>, io: &Io<'_>) -> Result<Self, Error> {
        let named = named(url, io)?;
        let key = match key {
            Some(key) => Some(Key::parse(key)?),
            None => key_in_environment(io)?,
        };
        let key = key.ok_or_else(|| {
            Error::new(Code::InvalidServiceKey, "no service key was given")
                .with_help("give the key, or set AL_SERVICE_KEY to it")
        })?;
        let store = Opened::at(named, io)?.store;
        let workspace = Reader::open(&*store, &key, KeyKind::Agent, None)?.workspace();
        Ok(Self {
            store,
            key,
            workspace,
        })
    }

    /// Which workspace this is.
    pub fn workspace(&self) -> &view::WorkspaceRef {
        &self.workspace
    }

    /// The manifest of the workspace, as `al export` writes it; with `at`, that of the state after an audit event.
    ///
    /// # Errors
    ///
    /// As [`Reader::export`] and [`Reader::recorded`].
    pub fn export(&self, at: Option<u64>, io: &Io<'_>) -> Result<String, Error> {
        let reader = self.read(KeyKind::Service)?;
        match at {
            Some(event) => Ok(reader.recorded(event)?.to_text()),
            None => reader.export((io.now)()),
        }
    }

    /// What importing a manifest would do.
    ///
    /// # Errors
    ///
    /// Every error of the text; `DEACTIVATION_LIMIT`, with the plan, where an import would be refused so.
    pub fn plan(
        &self,
        given: Given,
        options: PlanOptions,
        io: &Io<'_>,
    ) -> Result<view::Plan, Error> {
        let reader = self.read(KeyKind::Service)?;
        let planned = options.plan(&reader, &*given.manifest()?, io)?;
        preview(&planned)
    }

    /// Imports a manifest: everything is written or nothing; nothing on a dry run.
    ///
    /// # Errors
    ///
    /// Every error of the text; else as [`lattice_workspace::import`].
    pub fn import(
        &self,
        given: Given,
        options: PlanOptions,
        dry_run: Option<bool>,
        io: &Io<'_>,
    ) -> Result<view::Plan, Error> {
        if dry_run.unwrap_or(false) {
            return self.plan(given, options, io);
        }
        let given = given.manifest()?;
        let reader = Reader::open_to_import(&*self.store, &self.key, None)?;
        let planned = options.plan(&reader, &given, io)?;
        // An older store is locked until then.
        drop(reader);
        self.commit(&planned, io)
    }

    /// What a replacing import of a manifest would do, and which side changed since the last import of it, or of another.
    ///
    /// # Errors
    ///
    /// Every error of the text; else as [`Reader::diff`].
    pub fn diff(&self, given: Given) -> Result<view::Plan, Error> {
        let given = given.manifest()?;
        self.read(KeyKind::Service)?
            .diff(&given.manifest, given.file.as_deref())
    }

    /// Brings the workspace back to the state after an audit event: everything is written or nothing; nothing on a dry run.
    /// Of `options` those of the guard count: a rollback replaces.
    ///
    /// # Errors
    ///
    /// As [`Reader::plan_rollback`] and [`lattice_workspace::import`].
    pub fn rollback(
        &self,
        seq: u64,
        options: PlanOptions,
        dry_run: Option<bool>,
        io: &Io<'_>,
    ) -> Result<view::Plan, Error> {
        let guard = options.guard(io)?;
        if dry_run.unwrap_or(false) {
            let planned = self.read(KeyKind::Service)?.plan_rollback(seq)?;
            return preview(&planned.with_guard(guard));
        }
        let reader = Reader::open_to_import(&*self.store, &self.key, None)?;
        let planned = reader.plan_rollback(seq)?.with_guard(guard);
        // An older store is locked until then.
        drop(reader);
        self.commit(&planned, io)
    }

    /// The states that the workspace had, newest first: those of events before `before`, or all.
    ///
    /// # Errors
    ///
    /// `USAGE` for a `limit` that is not 1 to 1000; else as [`Reader::history`].
    pub fn history(&self, before: Option<u64>, limit: Option<u64>) -> Result<view::History, Error> {
        let limit = page(limit, "states")?;
        self.read(KeyKind::Service)?.history(before, limit)
    }

    /// The text of the plan to keep for [`Client::apply`], as `al plan --out` writes it.
    ///
    /// # Errors
    ///
    /// As [`Client::plan`]: what a safety rule holds is not saved.
    pub fn save_plan(
        &self,
        sources: Sources,
        options: PlanOptions,
        io: &Io<'_>,
    ) -> Result<String, Error> {
        let file = sources.name();
        let texts = sources.read()?;
        let manifest = texts.manifest_on(threads())?;
        let reader = self.read(KeyKind::Service)?;
        let named = Named {
            manifest,
            file,
            texts,
        };
        let planned = options.plan(&reader, &named, io)?;
        Ok(planned.save(named.texts)?.into_text())
    }

    /// Applies a saved plan: exactly what it shows, or nothing.
    ///
    /// # Errors
    ///
    /// `INVALID_PLAN`; else as [`Reader::resume`] and [`lattice_workspace::import`].
    pub fn apply(&self, source: Source, io: &Io<'_>) -> Result<view::Plan, Error> {
        let text = source.read(Limit::PLAN)?;
        let reader = Reader::open_to_import(&*self.store, &self.key, None)?;
        let planned = SavedPlan::parse(&text.bytes)
            .and_then(|saved| reader.resume(&saved))
            .map_err(|error| text.blame(error))?
            .guarded_at_most(threshold_in_environment(io)?);
        // An older store is locked until then.
        drop(reader);
        self.commit(&planned, io)
    }

    /// How the workspace's policies meet `action`.
    pub fn decide(&self, action: &Action) -> Result<view::Decision<'static>, Error> {
        self.read(KeyKind::Agent)?.decide(action)
    }

    /// A page of audit events in order of `seq`, from `cursor` on.
    ///
    /// # Errors
    ///
    /// `USAGE` for a `limit` that is not 1 to 1000; else as [`Reader::events`].
    pub fn events(
        &self,
        cursor: Option<u64>,
        limit: Option<u64>,
    ) -> Result<view::EventPage, Error> {
        let limit = page(limit, "events")?;
        self.read(KeyKind::Service)?.events(cursor, limit)
    }

    /// Whether the audit log still says what was appended to it and extends the checkpoints that were kept; with `state`
    /// also whether the policies are what the log says.
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT` and `INVALID_AUDIT_KEY` for evidence that is none; else as [`Reader::verify`].
    pub fn verify(
        &self,
        evidence: Evidence,
        state: Option<bool>,
    ) -> Result<view::Verification, Error> {
        let keys = evidence.keys()?;
        let kept = evidence.kept()?;
        let reader = self.read(KeyKind::Service)?;
        let verified = reader.verify(&kept, &keys, state.unwrap_or(false))?;
        Ok(verified.verification)
    }

    /// The checkpoint of the audit log, signed if `AL_AUDIT_KEY_FILE` names a key: what to keep elsewhere.
    ///
    /// # Errors
    ///
    /// As [`Reader::signed_head`].
    pub fn checkpoint(&self, io: &Io<'_>) -> Result<String, Error> {
        let signer = signer(io)?;
        let head = self.read(KeyKind::Service)?.signed_head(signer.as_ref())?;
        Ok(head.to_string())
    }

    /// The proof that an event is in the log of a checkpoint that was kept, or of the log as it stands: a text for
    /// [`check`](crate::check).
    ///
    /// # Errors
    ///
    /// As [`Reader::prove`].
    pub fn prove(
        &self,
        event: u64,
        checkpoint: Option<Source>,
        io: &Io<'_>,
    ) -> Result<String, Error> {
        let signer = signer(io)?;
        let kept = checkpoint.map(Source::checkpoint).transpose()?;
        let kept = kept.map(|kept| kept.checkpoint);
        let reader = self.read(KeyKind::Service)?;
        let proof = reader.prove_signed(event, kept, signer.as_ref())?;
        Ok(proof.to_string())
    }

    fn commit(&self, planned: &Planned, io: &Io<'_>) -> Result<view::Plan, Error> {
        let (signer, ambient) = (signer(io)?, io.ambient()?);
        let signer = signer.as_ref();
        let imported = import_signed(&*self.store, &self.key, planned, signer, &ambient)?;
        Ok(planned.view(false, Some(&imported)))
    }

    fn read(&self, need: KeyKind) -> Result<Reader, Error> {
        Reader::open(&*self.store, &self.key, need, None)
    }
}

/// The document of a plan that is only looked at.
fn preview(planned: &Planned) -> Result<view::Plan, Error> {
    planned.check(true)?;
    Ok(planned.view(true, None))
}
