//! Decisions for one who asks often.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lattice_core::view::{self, KeyKind};
use lattice_core::{Action, Error, PolicySet};

use crate::key::Key;
use crate::reader::Reader;
use crate::store::{Head, Store};

/// How many workspaces' policies are kept.
const MOST: usize = 64;

/// Decides as [`Reader::decide`] does, and keeps the compiled policies of the 64 workspaces that were asked for last, so that
/// they are read again only after a change.
///
/// Who asks, which workspace that is and how it stands is read from the store each time: a key that was revoked is refused at
/// once, and an import is seen at once. The policies themselves are taken to be those that were read on the same revision and
/// head of the audit log: where somebody edits them behind al's back, the edit is seen only when these have moved on, as by
/// an import.
#[derive(Debug, Default)]
pub struct Decider {
    /// The one that was used last at the end.
    kept: Mutex<Vec<Compiled>>,
}

/// The policies of a workspace at one point of its history.
#[derive(Debug, Clone)]
struct Compiled {
    workspace: String,
    revision: u64,
    /// A store that was brought back from an old copy, or lost its last commits with a server, counts its revisions once more.
    /// Its log tells the new ones from the old.
    head: Option<Head>,
    active: PolicySet,
}

impl Decider {
    /// How the policies of the workspace of `key` meet `action`. Keys of both kinds open decisions.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`] and [`Reader::decide`].
    pub fn decide(
        &self,
        store: &dyn Store,
        key: &Key,
        action: &Action,
    ) -> Result<view::Decision<'static>, Error> {
        let reader = Reader::open(store, key, KeyKind::Agent, None)?;
        let active = self.policies(&reader)?;
        Ok(active.decide(action).into_owned())
    }

    /// The policies of the reader's snapshot.
    fn policies(&self, reader: &Reader) -> Result<PolicySet, Error> {
        let workspace = &reader.workspace;
        let head = reader.read.head(&workspace.id)?;
        let known = match self.find(&workspace.id) {
            Some(kept) if kept.revision == workspace.revision && kept.head == head => {
                return Ok(kept.active);
            }
            Some(kept) => kept.active,
            None => PolicySet::default(),
        };
        // Nobody waits for this who has the policies already.
        let active = reader.state_beside(&known)?.active;
        self.keep(Compiled {
            workspace: workspace.id.clone(),
            revision: workspace.revision,
            head,
            active: active.clone(),
        });
        Ok(active)
    }

    /// What is kept of a workspace, which is used now.
    fn find(&self, workspace: &str) -> Option<Compiled> {
        let mut kept = self.kept();
        let at = kept.iter().position(|kept| kept.workspace == workspace)?;
        let found = kept.remove(at);
        kept.push(found.clone());
        Some(found)
    }

    fn keep(&self, compiled: Compiled) {
        let mut kept = self.kept();
        kept.retain(|kept| kept.workspace != compiled.workspace);
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(compiled);
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Compiled>> {
        // Whole at every moment: what is done under the lock does not end half-way.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
