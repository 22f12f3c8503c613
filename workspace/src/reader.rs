//! An opened workspace: everything that changes nothing.

use jiff::Timestamp;
use lattice_core::audit::{Record, log_name};
use lattice_core::view::{self, KeyKind};
use lattice_core::{Action, Code, Error, Manifest, Mode, PolicySet, State};

use crate::access::{allow, look_up};
use crate::events;
use crate::http::Remote;
use crate::import::Planned;
use crate::key::Key;
use crate::store::{Contents, KeyRow, Read, Snapshot, Store, WorkspaceRow};
use crate::threads::threads;

/// A workspace as it stood when it was opened: every method reads the same snapshot, and none can write.
#[derive(Debug)]
pub struct Reader {
    pub(crate) read: Box<dyn Contents>,
    pub(crate) workspace: WorkspaceRow,
    pub(crate) key: KeyRow,
    is_remote: bool,
}

impl Reader {
    /// Opens the workspace of `key`. `need` is the least that the key must open: with [`KeyKind::Agent`], keys of
    /// both kinds open decisions. `expect` is the name that the caller takes the workspace to have.
    ///
    /// # Errors
    ///
    /// In this order: `STORE_UNAVAILABLE`, then `INVALID_SERVICE_KEY` for a key that is unknown, revoked or an
    /// agent's where a service key is needed, or whose workspace is not the expected one.
    pub fn open(
        store: &dyn Store,
        key: &Key,
        need: KeyKind,
        expect: Option<&str>,
    ) -> Result<Self, Error> {
        match store.remote() {
            Some(remote) => Self::through(remote, key, need, expect),
            None => Self::on(store.read()?, key, need, expect),
        }
    }

    /// As [`Reader::open`] with a service key, for a caller that is about to import. A store of an older version reads
    /// as the import will migrate it, and is locked until the reader is dropped, which must come before the import.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`].
    pub fn open_to_import(
        store: &dyn Store,
        key: &Key,
        expect: Option<&str>,
    ) -> Result<Self, Error> {
        match store.remote() {
            Some(remote) => Self::through(remote, key, KeyKind::Service, expect),
            None => Self::on(store.read_migrated()?, key, KeyKind::Service, expect),
        }
    }

    fn on(
        read: Box<dyn Read>,
        key: &Key,
        need: KeyKind,
        expect: Option<&str>,
    ) -> Result<Self, Error> {
        let (workspace, key) = look_up(&*read, key, need)?;
        expect_name(&workspace, expect)?;
        Ok(Self {
            read,
            workspace,
            key,
            is_remote: false,
        })
    }

    fn through(
        remote: &Remote,
        key: &Key,
        need: KeyKind,
        expect: Option<&str>,
    ) -> Result<Self, Error> {
        let (read, workspace, key) = remote.open(key)?;
        allow(key.kind, need)?;
        expect_name(&workspace, expect)?;
        Ok(Self {
            read,
            workspace,
            key,
            is_remote: true,
        })
    }

    /// Which workspace this is.
    pub fn workspace(&self) -> view::WorkspaceRef {
        view::WorkspaceRef::from(&self.workspace)
    }

    /// The manifest of the workspace, exported at `at`.
    pub fn export(&self, at: Timestamp) -> Result<String, Error> {
        self.require_service_key()?;
        let state = self.state()?;
        let breakers = self.read.breakers(&self.workspace.id)?;
        Ok(Manifest::write(
            &self.workspace.org_name,
            at,
            &state.active,
            &breakers,
        ))
    }

    /// What importing `manifest` would do.
    pub fn plan(&self, manifest: &Manifest, mode: Mode) -> Result<Planned, Error> {
        self.require_service_key()?;
        let planned = Planned::new(&self.workspace, manifest, mode, || {
            self.state_beside(manifest.policies())
        })?;
        Ok(planned.for_server(self.is_remote))
    }

    /// How the workspace's policies meet `action`. All that an agent key may ask for.
    pub fn decide(&self, action: &Action) -> Result<view::Decision<'static>, Error> {
        match self.read.decide(action) {
            Some(decision) => decision,
            None => Ok(self.state()?.active.decide(action).into_owned()),
        }
    }

    /// At most `limit` audit events in order of `seq`, from `cursor` on (the `next_cursor` of the page before).
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED` where a stored event or its names are not what was appended; `STORE_UNAVAILABLE`.
    pub fn events(&self, cursor: Option<u64>, limit: usize) -> Result<view::EventPage, Error> {
        self.require_service_key()?;
        let from = cursor.unwrap_or(0);
        let records = self.records(from, limit)?;
        // A page of few large events ends before its `limit`.
        let next = match records.last() {
            Some(last) => Some(last.seq.saturating_add(1)),
            None => (limit == 0).then_some(from),
        };
        let head = self.read.head(&self.workspace.id)?;
        let next = next.filter(|next| head.is_some_and(|head| *next < head.size));
        let events = records
            .iter()
            .map(|record| self.show(record))
            .collect::<Result<_, _>>()?;
        Ok(view::EventPage {
            events,
            next_cursor: next,
        })
    }

    /// One audit event.
    ///
    /// # Errors
    ///
    /// `USAGE` where the log has no such event; else as [`Reader::events`].
    pub fn event(&self, seq: u64) -> Result<view::Event, Error> {
        self.require_service_key()?;
        match self.records(seq, 1)?.first() {
            Some(record) if record.seq == seq => self.show(record),
            _ => {
                let message = format!(
                    "the audit log of `{}` has no event `{seq}`",
                    self.workspace.name
                );
                Err(Error::new(Code::Usage, message)
                    .with_help("`al audit list` shows the events of the log"))
            }
        }
    }

    /// An agent's key opens decisions alone, whatever the caller of [`Reader::open`] asked for.
    pub(crate) fn require_service_key(&self) -> Result<(), Error> {
        allow(self.key.kind, KeyKind::Service)
    }

    pub(crate) fn records(&self, from: u64, limit: usize) -> Result<Vec<Record>, Error> {
        self.read.records(&self.workspace.id, from, limit)
    }

    fn show(&self, record: &Record) -> Result<view::Event, Error> {
        events::open(record, &log_name(&self.workspace.id))
    }

    fn state(&self) -> Result<State, Error> {
        self.state_beside(&PolicySet::default())
    }

    /// The state; what is stored just as it is written in `known` is not compiled again.
    pub(crate) fn state_beside(&self, known: &PolicySet) -> Result<State, Error> {
        compile(
            self.read.snapshot(&self.workspace.id, known)?,
            &self.workspace.name,
        )
    }
}

/// Refuses a workspace of another name than the caller expected.
fn expect_name(workspace: &WorkspaceRow, expected: Option<&str>) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != workspace.name => Err(unexpected(&workspace.name, expected)),
        _ => Ok(()),
    }
}

/// The error for a key of another workspace than the caller expected.
pub(crate) fn unexpected(opened: &str, expected: &str) -> Error {
    let message = format!("the key opens the workspace `{opened}`, not `{expected}`");
    Error::new(Code::InvalidServiceKey, message)
        .with_help(format!("use a service key of `{expected}`"))
}

/// What was imported compiled then; if it no longer does, the store was edited or this engine is another one.
pub(crate) fn compile(snapshot: Snapshot<'_>, workspace: &str) -> Result<State, Error> {
    let active = snapshot.active.compile(threads()).map_err(|error| {
        let name = error
            .diagnostics()
            .next()
            .and_then(|first| first.policy.clone())
            .unwrap_or_default();
        let message =
            format!("the policy `{name}` of the workspace `{workspace}` does not load: {error}");
        Error::new(Code::StoreUnavailable, message)
            .with_help(
                "restore the store from a backup; `al audit verify` says whether it was edited",
            )
            .in_policy(&name)
    })?;
    Ok(State {
        active,
        deactivated: snapshot.deactivated,
    })
}
