//! Whether a workspace's audit log still says what was appended to it, and its policies are what the log says.

use lattice_core::audit::{self, Verifier, log_name};
use lattice_core::hash::hex;
use lattice_core::{Error, PolicySet, view};

use crate::events::tampered;
use crate::log::checkpoint;
use crate::reader::Reader;
use crate::store::SnapshotError;
use crate::threads::threads;

/// Records in memory at a time.
const PAGE: usize = 256;

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The verdict.
    pub verification: view::Verification,
    /// The first reason against it, for people; `None` where all is well.
    pub reason: Option<String>,
    /// The checkpoint of the events as they stand, for a comparison with one that was kept elsewhere: origin, size and
    /// base64 root, a line each.
    pub checkpoint: String,
}

impl Reader {
    /// Recomputes the whole audit log from the stored events and compares it with the stored head, and the active
    /// policies with what the log recorded last.
    ///
    /// # Errors
    ///
    /// `INVALID_SERVICE_KEY` for an agent's key; `STORE_UNAVAILABLE` where the store cannot be read. What was edited is
    /// no error but a verdict.
    pub fn verify(&self) -> Result<Verified, Error> {
        self.require_service_key()?;
        let log = self.replay()?;
        let head = self.against_head(&log)?;
        let state = self.against_state(log.last_after.as_deref())?;
        let state_matches = state.is_none();
        let reason = log.reason.or(head).or(state);
        let verification = view::Verification {
            valid: reason.is_none(),
            workspace: self.workspace.name.clone(),
            size: log.size,
            root: hex(&log.root),
            first_broken_seq: log.first_broken_seq,
            state_matches,
            trust: view::Trust::SelfOnly,
            pins: Vec::new(),
        };
        Ok(Verified {
            verification,
            reason,
            checkpoint: checkpoint(&self.workspace.id, log.size, &log.root),
        })
    }

    /// Refuses to go on where the log does not verify.
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED`; `STORE_UNAVAILABLE`.
    pub(crate) fn expect_log(&self) -> Result<(), Error> {
        let log = self.replay()?;
        let head = self.against_head(&log)?;
        let Some(reason) = log.reason.or(head) else {
            return Ok(());
        };
        let from = log.first_broken_seq;
        let from = from.map_or_else(String::new, |seq| format!(" from event `{seq}` on"));
        let message = format!("the audit log does not verify{from}: {reason}");
        Err(tampered(&message))
    }

    fn replay(&self) -> Result<audit::Verification, Error> {
        let log = log_name(&self.workspace.id);
        let mut verifier = Verifier::new(&log, PolicySet::default().digest());
        let mut from = 0;
        loop {
            let page = self.records(from, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(verifier.finish());
            };
            from = last.seq.saturating_add(1);
            for record in &page {
                verifier.push(record);
            }
        }
    }

    /// What the stored head says against the events.
    fn against_head(&self, log: &audit::Verification) -> Result<Option<String>, Error> {
        let head = self.read.head(&self.workspace.id)?;
        let Some(tree) = head.and_then(|head| head.tree()) else {
            return Ok(Some("the head of the log was not written by al".to_owned()));
        };
        Ok(if tree.size() != log.size {
            let (events, counted) = (log.size, tree.size());
            Some(format!(
                "the log holds {events} events, and its head counts {counted}"
            ))
        } else if tree.root() != log.root {
            Some("the events are not those that the head of the log was made from".to_owned())
        } else {
            None
        })
    }

    /// What the active policies say against the state digest that the log recorded last.
    fn against_state(&self, recorded: Option<&str>) -> Result<Option<String>, Error> {
        let unloadable = |error| Ok(Some(format!("the active policies do not load: {error}")));
        let none = PolicySet::default();
        let snapshot = match self.read.snapshot(&self.workspace.id, &none) {
            Ok(snapshot) => snapshot,
            Err(SnapshotError::Undecodable(error)) => return unloadable(error),
            Err(SnapshotError::Unread(error)) => return Err(error),
        };
        match snapshot.active.compile(threads()) {
            Ok(active) => {
                let recorded = recorded.map_or_else(|| hex(&none.digest()), str::to_owned);
                Ok((hex(&active.digest()) != recorded).then(|| {
                    "the active policies are not those that the log recorded last".to_owned()
                }))
            }
            Err(error) => unloadable(error),
        }
    }
}
