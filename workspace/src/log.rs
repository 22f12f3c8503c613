//! Appending to a workspace's audit log.

use lattice_core::audit::{Event, Names, Record, Tree, leaf_hash};
use lattice_core::hash::{Hash, hex};
use lattice_core::view::RecordedState;
use lattice_core::{Code, Error, PolicySet};
use uuid::Uuid;

use crate::events::{self, Backwards};
use crate::store::{Head, Write};
use crate::verify::{Proven, expect_log};

/// A workspace's log inside a transaction that is about to append one event to it.
#[derive(Debug)]
pub(crate) struct Log<'a> {
    write: &'a dyn Write,
    workspace: &'a str,
    tree: Tree,
}

impl<'a> Log<'a> {
    /// The log of the workspace with the UUID `workspace`.
    pub(crate) fn open(write: &'a dyn Write, workspace: &'a str) -> Result<Self, Error> {
        let tree = events::tree(write, workspace).map_err(unwritten)?;
        Ok(Self {
            write,
            workspace,
            tree,
        })
    }

    /// What is there.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The `seq` of the event to append.
    pub(crate) fn seq(&self) -> u64 {
        self.tree.size()
    }

    /// Refuses to go on where the log was edited at its end, or did not record the state `now`: an event that begins
    /// there would hide the edit behind it, and the log could never verify again.
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED`.
    pub(crate) fn recorded(&self, now: &Hash) -> Result<(), Error> {
        let events = Backwards::before(self.write, self.workspace, self.seq());
        let newest = events.states().next().transpose().map_err(unwritten)?;
        expect_state(newest.as_ref(), now)
    }

    /// Refuses to go on where the log is no longer the one that was `proven`, but for events behind that.
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED`.
    pub(crate) fn extends(&self, proven: &Proven) -> Result<Proven, Error> {
        let proven = proven.clone().go_on(self.write, self.workspace);
        proven.map_err(unwritten)
    }

    /// Refuses to go on where the log does not verify.
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED`.
    pub(crate) fn verifies(&self) -> Result<Proven, Error> {
        expect_log(self.write, self.workspace, None).map_err(unwritten)
    }

    /// Appends; the tree with the event in it.
    pub(crate) fn append(mut self, event: &Event, names: &Names) -> Result<Tree, Error> {
        let body = event.to_bytes();
        let leaf = leaf_hash(&body);
        let record = Record {
            seq: self.seq(),
            body,
            names: names.to_bytes(),
            leaf: Some(leaf),
        };
        let mut completed = Vec::new();
        self.tree.append_with(leaf, |node, hash| {
            if node.level > 0 {
                completed.push((node, hash));
            }
        });
        let head = Head::of(&self.tree);
        self.write
            .append(self.workspace, &record, &completed, &head)?;
        Ok(self.tree)
    }
}

/// Whether `origin` is the name of a workspace's log: `al/` and a UUID as this crate writes it.
pub(crate) fn is_log_name(origin: &str) -> bool {
    let id = origin.strip_prefix("al/");
    id.is_some_and(|id| Uuid::try_parse(id).is_ok_and(|uuid| uuid.hyphenated().to_string() == id))
}

/// Refuses a state that is not the one that the log recorded last: `newest`, or that of no policies.
pub(crate) fn expect_state(newest: Option<&RecordedState>, now: &Hash) -> Result<(), Error> {
    let is_recorded = match newest {
        Some(newest) => newest.state == hex(now),
        None => *now == PolicySet::default().digest(),
    };
    if is_recorded {
        return Ok(());
    }
    let message = "the active policies are not those that the audit log recorded last";
    Err(unwritten(Error::new(Code::AuditTampered, message)))
}

/// A refusal to append to a log that was tampered with says that it was one.
fn unwritten(error: Error) -> Error {
    match error.code() {
        Code::AuditTampered => error.with_help("nothing was written; `al audit verify` says what still stands, and a backup of the store what stood"),
        _ => error,
    }
}
