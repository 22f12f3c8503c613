//! A workspace for programs in other languages: the documents of `--format json` as values.

use lattice_core::view::{self, KeyKind};
use lattice_core::{Action, Code, Error, SavedPlan, limits};
use lattice_workspace::{Key, Planned, Reader, Store, import, threads};

use crate::access::{Opened, key_in_environment, named};
use crate::args::guard;
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
    fn plan(self, reader: &Reader, given: &Named, io: &Io<'_>) -> Result<Planned, Error> {
        let guard = guard(self.deactivation_threshold, self.allow_deactivations, io)?;
        let planned = reader.plan(&given.manifest, mode(self.replace))?;
        Ok(planned.in_file(given.file.as_deref()).with_guard(guard))
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

    /// The manifest of the workspace, as `al export` writes it.
    pub fn export(&self, io: &Io<'_>) -> Result<String, Error> {
        self.read(KeyKind::Service)?.export((io.now)())
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
        planned.check(true)?;
        Ok(planned.view(true, None))
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
        let imported = import(&*self.store, &self.key, &planned, &io.ambient()?)?;
        Ok(planned.view(false, Some(&imported)))
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
        let bundle = sources.read()?;
        let manifest = bundle.manifest_on(threads())?;
        let reader = self.read(KeyKind::Service)?;
        let planned = options.plan(&reader, &Named { manifest, file }, io)?;
        Ok(planned.save(bundle)?.into_text())
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
            .map_err(|error| text.blame(error))?;
        // An older store is locked until then.
        drop(reader);
        let imported = import(&*self.store, &self.key, &planned, &io.ambient()?)?;
        Ok(planned.view(false, Some(&imported)))
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
        let limit = match limit {
            None => limits::PAGE_DEFAULT,
            Some(limit) => usize::try_from(limit)
                .ok()
                .filter(|limit| (1..=limits::PAGE_MAX).contains(limit))
                .ok_or_else(|| {
                    let message = format!("a page of {limit} events cannot be listed");
                    Error::new(Code::Usage, message)
                        .with_help(format!("ask for 1 to {} events", limits::PAGE_MAX))
                })?,
        };
        self.read(KeyKind::Service)?.events(cursor, limit)
    }

    /// Whether the audit log still says what was appended to it, and the policies are what the log says.
    pub fn verify(&self) -> Result<view::Verification, Error> {
        Ok(self.read(KeyKind::Service)?.verify()?.verification)
    }

    fn read(&self, need: KeyKind) -> Result<Reader, Error> {
        Reader::open(&*self.store, &self.key, need, None)
    }
}
