//! The states that a workspace had: what the audit log recorded of them, and the way back.

use jiff::Timestamp;
use lattice_core::audit::Event;
use lattice_core::hash::{Hash, parse_hex};
use lattice_core::view::{self, RecordedState};
use lattice_core::{Beside, Code, Error, Manifest, Mode, PolicySet};

use crate::events::{self, Backwards, edited};
use crate::import::Planned;
use crate::reader::Reader;
use crate::store::SnapshotError;
use crate::threads::threads;

/// The state of a workspace after an audit event.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The event.
    pub event: Event,
    /// When it happened.
    pub time: Timestamp,
    /// The policies that were active then.
    pub policies: PolicySet,
    /// Their state digest, as the log recorded it.
    pub digest: Hash,
    org_name: String,
}

impl Recorded {
    /// The manifest of the state: as the workspace exported it then, without the circuit breakers, which no log records.
    /// It is the same bytes whenever it is asked for.
    pub fn to_text(&self) -> String {
        Manifest::write(&self.org_name, self.time, &self.policies, &[])
    }

    /// What reading [`Recorded::to_text`] would give.
    pub fn manifest(&self) -> Manifest {
        Manifest::exported(&self.org_name, self.time, &self.policies, &[])
    }

    /// Refuses policies of another digest.
    fn expect(&self, digest: &Hash) -> Result<(), Error> {
        if *digest == self.digest {
            Ok(())
        } else {
            Err(lost(self.event.seq, "are not those that the log recorded"))
        }
    }
}

impl Reader {
    /// The state after the audit event `seq`, of whatever kind that is.
    ///
    /// # Errors
    ///
    /// `USAGE` where the log has no such event; `AUDIT_TAMPERED` where an event that tells the state was edited, or the
    /// policies that the store kept are not those that the log recorded; `INVALID_SERVICE_KEY` for an agent's key;
    /// `STORE_UNAVAILABLE`.
    pub fn recorded(&self, seq: u64) -> Result<Recorded, Error> {
        self.recorded_beside(seq, &PolicySet::default())
    }

    /// [`Reader::recorded`]; what is stored just as it is written in `known` is not compiled again.
    pub(crate) fn recorded_beside(&self, seq: u64, known: &PolicySet) -> Result<Recorded, Error> {
        let recorded = self.kept(seq, known)?;
        recorded.expect(&recorded.policies.digest())?;
        Ok(recorded)
    }

    /// What going back to the state after the audit event `seq` would do: an import of [`Recorded::to_text`] that
    /// replaces. As with any other, nothing is written before [`import`](crate::import), and the guard has its say.
    ///
    /// # Errors
    ///
    /// As for [`Reader::recorded`].
    pub fn plan_rollback(&self, seq: u64) -> Result<Planned, Error> {
        let recorded = self.kept(seq, &PolicySet::default())?;
        let planned = Planned::new(&self.workspace, &recorded.manifest(), Mode::Replace, || {
            self.state_beside(&recorded.policies)
        })?;
        // Here, and not where the state is read: the plan hashes it while it reads what there is.
        recorded.expect(&planned.after())?;
        Ok(planned.back_to(recorded.event))
    }

    /// At most `limit` of the states that the workspace had, newest first: those of events before `before` (the
    /// `next_cursor` of the page before), or all.
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED` where an event was edited or is missing; `INVALID_SERVICE_KEY` for an agent's key;
    /// `STORE_UNAVAILABLE`.
    pub fn history(&self, before: Option<u64>, limit: usize) -> Result<view::History, Error> {
        self.require_service_key()?;
        let size = events::tree(&*self.read, &self.workspace.id)?.size();
        let end = before.map_or(size, |before| before.min(size));
        let newest = self.states(size).next().transpose()?;
        let newest = newest.map(|state| state.event);
        // One more than asked for says whether there is a next page.
        let states = self.states(end).take(limit.saturating_add(1));
        let mut states = states.collect::<Result<Vec<_>, _>>()?;
        let is_more = states.len() > limit;
        states.truncate(limit);
        for state in &mut states {
            state.current = Some(state.event) == newest;
        }
        let last = states.last().map_or(end, |state| state.event);
        Ok(view::History {
            states,
            next_cursor: is_more.then_some(last),
        })
    }

    /// The states that events before `end` left, newest first.
    pub(crate) fn states(
        &self,
        end: u64,
    ) -> impl Iterator<Item = Result<RecordedState, Error>> + use<'_> {
        Backwards::before(&*self.read, &self.workspace.id, end).states()
    }

    /// The state after the event `seq` as the store kept it, with the digest that the log recorded. Whoever calls this
    /// compares the two.
    fn kept(&self, seq: u64, known: &PolicySet) -> Result<Recorded, Error> {
        // An event by itself, with what is stored beside it, can be made to say anything: the whole log stands, or nothing
        // that it recorded is given out.
        self.expect_log(None)?;
        let event = self.event(seq).map_err(|error| match error.code() {
            Code::Usage => error.with_help("`al history` shows the states to choose from"),
            _ => error,
        })?;
        let event = event.leaf;
        let time = event.time.parse();
        let time = time.map_err(|_| edited(seq, "its time is none"))?;
        let digest = match self.states(seq.saturating_add(1)).next().transpose()? {
            Some(last) => parse_hex(&last.state)
                .ok_or_else(|| edited(last.event, "its state digest is none"))?,
            None => PolicySet::default().digest(),
        };
        let unloadable = |error: Error| lost(seq, &format!("do not load: {error}"));
        let snapshot = self.read.snapshot_at(&self.workspace.id, seq, known);
        let policies = snapshot
            .map_err(|error| match error {
                SnapshotError::Unread(error) => error,
                SnapshotError::Undecodable(error) => unloadable(error),
            })
            .and_then(|rows: Beside<'_>| rows.compile(threads()).map_err(unloadable))?;
        Ok(Recorded {
            event,
            time,
            policies,
            digest,
            org_name: self.workspace.org_name.clone(),
        })
    }
}

/// The error for a state that the store did not keep as the log recorded it.
fn lost(seq: u64, how: &str) -> Error {
    let message =
        format!("the policies that the store kept of the state after event `{seq}` {how}");
    Error::new(Code::AuditTampered, message).with_help(
        "nothing was written; take the state from a backup of the store, or choose another: `al history`",
    )
}
