//! Whether a workspace's audit log still says what was appended to it, and its policies are what the log says.

use std::thread;

use lattice_core::audit::{
    self, Checkpoint, LogKeys, Record, Tree, Verifier, VerifyingKey, leaf_hash, log_name,
};
use lattice_core::hash::hex;
use lattice_core::view::{self, PinResult, Trust};
use lattice_core::{Code, Error, PolicySet};

use crate::events::tampered;
use crate::reader::Reader;
use crate::signer::expect_in_use;
use crate::store::{Contents, Head, PAGE_RECORDS, SnapshotError};
use crate::threads::{Meanwhile, threads};

/// Records whose check takes many times what a thread takes to start.
const WORTH_A_THREAD: usize = 64;

/// A checkpoint that was kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its file, as it was named.
    pub file: Option<String>,
    /// What the file holds.
    pub checkpoint: Checkpoint,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The verdict.
    pub verification: view::Verification,
    /// The first reason against it, for people; `None` where all is well.
    pub reason: Option<String>,
    /// The checkpoint of the events as they stand, unsigned.
    pub checkpoint: Checkpoint,
}

/// A log that verified as far as it went. An import that rests on it has to look at the events behind that alone.
#[derive(Debug, Clone)]
pub struct Proven(Verifier);

impl Proven {
    /// The head of the log.
    pub fn checkpoint(&self) -> Checkpoint {
        head_of(&self.0.clone().finish(), self.0.log())
    }

    /// The name of the log.
    pub(crate) fn log(&self) -> &str {
        self.0.log()
    }

    /// The keys that the log named.
    pub(crate) fn keys(&self) -> LogKeys {
        self.0.clone().finish().keys
    }

    /// What is proven of `read`, a later look at the workspace.
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED` where it has not the same events and whole ones behind them; `STORE_UNAVAILABLE`.
    pub(crate) fn go_on(self, read: &dyn Contents, workspace: &str) -> Result<Self, Error> {
        let verifier = replay(read, workspace, self.0)?;
        let log = verifier.clone().finish();
        match against_head(read, workspace, &log)? {
            Some(reason) => Err(unverified(&log, &reason)),
            None => Ok(Self(verifier)),
        }
    }

    /// The log with `event` on top of it, as `read`, a later look at the workspace, has it. The event is the one that was asked
    /// for: `read` has to have it, and is not believed what it is.
    ///
    /// # Errors
    ///
    /// As [`Proven::go_on`].
    pub(crate) fn with(
        self,
        event: &view::Event,
        read: &dyn Contents,
        workspace: &str,
    ) -> Result<Self, Error> {
        let seq = event.leaf.seq;
        let before = replay_to(seq, read, workspace, self.0)?;
        let mut verifier = before.clone();
        let body = event.leaf.to_bytes();
        verifier.push(&Record {
            seq,
            leaf: Some(leaf_hash(&body)),
            names: event.names.to_bytes(),
            body,
        });
        let there = replay_to(seq.saturating_add(1), read, workspace, before)?.finish();
        let log = verifier.clone().finish();
        let other = "it has another event in the place of the new one".to_owned();
        let is_there = (there.size, there.root) == (log.size, log.root);
        match log.reason.clone().or((!is_there).then_some(other)) {
            Some(reason) => Err(unverified(&log, &reason)),
            None => Ok(Self(verifier)),
        }
    }
}

impl Reader {
    /// Recomputes the whole audit log from the stored events and compares it with the stored head and with `kept`
    /// checkpoints, which `keys` have to have signed if there are any: one of every type that is given. With `state` the
    /// active policies are compared with what the log recorded last, too.
    ///
    /// # Errors
    ///
    /// `USAGE` for keys without a checkpoint; `INVALID_CHECKPOINT` for a checkpoint without a signature that `keys` ask for;
    /// `INVALID_SERVICE_KEY` for an agent's key; `STORE_UNAVAILABLE` where the store cannot be read. What was edited is no
    /// error but a verdict.
    pub fn verify(
        &self,
        kept: &[Kept],
        keys: &[VerifyingKey],
        state: bool,
    ) -> Result<Verified, Error> {
        self.require_service_key()?;
        let trusts = trusts(kept, keys)?;
        let checkpoints = kept.iter().map(|kept| &kept.checkpoint);
        let verifier = verifier(&self.workspace.id).against(checkpoints);
        let log = replay(&*self.read, &self.workspace.id, verifier)?.finish();
        let head = against_head(&*self.read, &self.workspace.id, &log)?;
        let pin = kept.iter().zip(&log.pins).find_map(|(kept, result)| {
            against_pin(&kept.checkpoint, *result, &self.log_name(), log.size)
        });
        let state = if state {
            Some(self.against_state(log.last_after.as_deref())?)
        } else {
            None
        };
        if log.reason.is_none() && head.is_none() && pin.is_none() {
            for kept in kept {
                expect_in_use(&log.keys, &kept.checkpoint, keys)
                    .map_err(|error| in_file(error, kept))?;
            }
        }
        let checkpoint = head_of(&log, &self.log_name());
        let state_matches = state.as_ref().map(Option::is_none);
        let reason = log.reason.or(head).or(pin).or(state.flatten());
        let pins = kept.iter().zip(trusts).zip(log.pins);
        let pins: Vec<view::Pin> = pins
            .map(|((kept, (trust, signers)), result)| view::Pin {
                file: kept.file.clone(),
                origin: kept.checkpoint.origin().to_owned(),
                size: kept.checkpoint.size(),
                root: hex(kept.checkpoint.root()),
                result,
                trust,
                signers,
            })
            .collect();
        // Every log extends the empty one.
        let kept = pins.iter().filter(|pin| pin.size > 0);
        let trust = kept.map(|pin| pin.trust).max();
        let trust = trust.filter(|_| reason.is_none());
        let verification = view::Verification {
            valid: reason.is_none(),
            workspace: self.workspace.name.clone(),
            size: log.size,
            root: hex(&log.root),
            first_broken_seq: log.first_broken_seq,
            state_matches,
            trust: trust.unwrap_or(Trust::SelfOnly),
            pins,
        };
        Ok(Verified {
            verification,
            reason,
            checkpoint,
        })
    }

    /// Refuses to go on where the log does not verify, or does not extend a checkpoint that was kept.
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED`; `INVALID_SERVICE_KEY` for an agent's key; `STORE_UNAVAILABLE`.
    pub fn expect_log(&self, kept: Option<&Checkpoint>) -> Result<Proven, Error> {
        self.require_service_key()?;
        expect_log(&*self.read, &self.workspace.id, kept)
    }

    /// Whether `checkpoint` is one of the workspace's log.
    pub fn is_log(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.origin() == self.log_name()
    }

    /// The name of the workspace's log.
    pub(crate) fn log_name(&self) -> String {
        log_name(&self.workspace.id)
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

/// As [`Reader::expect_log`], of the workspace with the UUID `workspace`.
pub(crate) fn expect_log(
    read: &dyn Contents,
    workspace: &str,
    kept: Option<&Checkpoint>,
) -> Result<Proven, Error> {
    let (proven, lost) = hold_against(read, workspace, kept)?;
    match lost {
        Some(reason) => Err(unverified(&proven.0.finish(), &reason)),
        None => Ok(proven),
    }
}

/// The log of the workspace with the UUID `workspace`, and what a checkpoint that was kept says against it.
///
/// # Errors
///
/// `AUDIT_TAMPERED` where the log does not verify by itself; `STORE_UNAVAILABLE`.
pub(crate) fn hold_against(
    read: &dyn Contents,
    workspace: &str,
    kept: Option<&Checkpoint>,
) -> Result<(Proven, Option<String>), Error> {
    let proven = Proven(verifier(workspace).against(kept)).go_on(read, workspace)?;
    let log = proven.0.clone().finish();
    let lost = kept
        .into_iter()
        .zip(&log.pins)
        .find_map(|(kept, result)| against_pin(kept, *result, proven.log(), log.size));
    Ok((proven, lost))
}

/// Refuses a checkpoint of another log than `log`: a file that was mixed up.
///
/// # Errors
///
/// `INVALID_CHECKPOINT`.
pub(crate) fn expect_own(kept: &Checkpoint, log: &str) -> Result<(), Error> {
    let origin = kept.origin();
    if origin == log {
        return Ok(());
    }
    let message = format!("the checkpoint is of the log `{origin}`, and this is `{log}`");
    Err(Error::new(Code::InvalidCheckpoint, message)
        .with_help("give a checkpoint of this workspace's log"))
}

/// A verifier that has seen nothing yet.
fn verifier(workspace: &str) -> Verifier {
    Verifier::new(&log_name(workspace), PolicySet::default().digest())
}

/// What each checkpoint rests on, and who of `keys` signed it.
fn trusts(kept: &[Kept], keys: &[VerifyingKey]) -> Result<Vec<(Trust, Vec<String>)>, Error> {
    if kept.is_empty() && !keys.is_empty() {
        let message = "keys were given, and no checkpoint that they could have signed";
        return Err(Error::new(Code::Usage, message)
            .with_help("give a checkpoint that was kept, too, or leave out the keys"));
    }
    let trusts = kept.iter().map(|kept| {
        let trust = kept.checkpoint.trust(keys);
        trust.map_err(|error| in_file(error, kept))
    });
    trusts.collect()
}

fn in_file(error: Error, kept: &Kept) -> Error {
    match &kept.file {
        Some(file) => error.in_file(file),
        None => error,
    }
}

/// Shows a verifier the records of a workspace that it has not seen.
fn replay(read: &dyn Contents, workspace: &str, verifier: Verifier) -> Result<Verifier, Error> {
    replay_to(u64::MAX, read, workspace, verifier)
}

/// Those before the event `end`.
fn replay_to(
    end: u64,
    read: &dyn Contents,
    workspace: &str,
    mut verifier: Verifier,
) -> Result<Verifier, Error> {
    let next_page = |from: u64| {
        let left = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
        match left.min(PAGE_RECORDS) {
            0 => Ok(Vec::new()),
            limit => read.records(workspace, from, limit),
        }
    };
    let mut page = next_page(verifier.size())?;
    while let Some(last) = page.last() {
        let from = last.seq.saturating_add(1);
        let check = || checked(&verifier, &page);
        let next;
        (verifier, next) = if page.len() < WORTH_A_THREAD {
            (check(), next_page(from))
        } else {
            thread::scope(|scope| {
                let checked = Meanwhile::begin(scope, &check);
                let next = next_page(from);
                (checked.end(), next)
            })
        };
        page = next?;
    }
    Ok(verifier)
}

/// `verifier` after the next records.
fn checked(verifier: &Verifier, records: &[Record]) -> Verifier {
    let mut verifier = verifier.clone();
    for record in records {
        verifier.push(record);
    }
    verifier
}

/// What an event or the stored head says against the events.
fn against_head(
    read: &dyn Contents,
    workspace: &str,
    log: &audit::Verification,
) -> Result<Option<String>, Error> {
    if let Some(reason) = &log.reason {
        return Ok(Some(reason.clone()));
    }
    let tree = read.head(workspace)?.as_ref().and_then(Head::tree);
    Ok(match tree {
        None => Some("the head of the log was not written by al".to_owned()),
        Some(tree) => against_tree(&tree, log),
    })
}

fn against_tree(tree: &Tree, log: &audit::Verification) -> Option<String> {
    if tree.size() != log.size {
        let (events, counted) = (log.size, tree.size());
        Some(format!(
            "the log holds {events} events, and its head counts {counted}"
        ))
    } else if tree.root() != log.root {
        Some("the events are not those that the head of the log was made from".to_owned())
    } else {
        None
    }
}

/// What a checkpoint that was kept says against the log of that name, which holds `size` events.
fn against_pin(kept: &Checkpoint, result: PinResult, log: &str, size: u64) -> Option<String> {
    let counted = kept.size();
    match result {
        PinResult::Consistent => None,
        PinResult::Forked if kept.origin() != log => Some(format!(
            "the checkpoint is of the log `{}`, and this is `{log}`: another workspace took its place, or the checkpoint is that of another",
            kept.origin()
        )),
        PinResult::Forked => Some(format!(
            "the first {counted} events are not those of the checkpoint: they were rewritten, or a copy of the log went another way"
        )),
        PinResult::Truncated => Some(format!(
            "the log holds {size} events, and the checkpoint counts {counted}: events were cut off at its end, or an old copy of the store was restored"
        )),
    }
}

/// The error of a log that does not verify.
fn unverified(log: &audit::Verification, reason: &str) -> Error {
    let from = log.first_broken_seq;
    let from = from.map_or_else(String::new, |seq| format!(" from event `{seq}` on"));
    tampered(&format!("the audit log does not verify{from}: {reason}"))
}

fn head_of(log: &audit::Verification, name: &str) -> Checkpoint {
    Checkpoint::new(name, log.size, log.root)
}
