//! Decisions about many actions: another thread reads and decides, a little ahead of the one that makes dicts of it.

use std::iter;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, Builder};

use lattice_core::{Action, PolicySet};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::decisions::Decisions;
use crate::input::Unread;
use crate::output::{OrRaise, Uncollected};

/// Actions that are taken from the program before the first of them is decided about.
const AT_A_TIME: usize = 4096;

/// Bytes of their texts, which are held until the last of them is decided about.
const ROOM: usize = 16 * 1024 * 1024;

/// As many as an action of Python values may well take.
const VALUES: usize = 64 * 1024;

/// Decisions that are handed over together. Few of them wait at a time: a trace may be large.
const BATCH: usize = 512;

/// The decisions about actions, in their order; what is wrong with the first that is invalid.
pub(crate) fn decide<'py>(
    policies: &PolicySet,
    documents: &Decisions,
    actions: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let mut actions = actions.try_iter()?;
    let decisions = PyList::empty(actions.py());
    loop {
        let mut room = ROOM;
        let some = iter::from_fn(|| {
            let next = if room > 0 {
                actions.next()?
            } else {
                return None;
            };
            room = room.saturating_sub(next.as_ref().map_or(0, bytes));
            Some(next)
        });
        let some = some.take(AT_A_TIME).collect::<PyResult<Vec<_>>>()?;
        if some.is_empty() {
            return Ok(decisions);
        }
        let mut failure = None;
        let unread = some.iter().map_while(|action| {
            let unread = Unread::new(action);
            unread.map_err(|error| failure = Some(error)).ok()
        });
        let unread = unread.zip(decisions.len()..).collect();
        add(policies, documents, unread, &decisions)?;
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
}

/// About as many as an action holds.
fn bytes(action: &Bound<'_, PyAny>) -> usize {
    if let Ok(text) = action.cast::<PyString>() {
        text.len().unwrap_or(VALUES)
    } else if let Ok(text) = action.cast::<PyBytes>() {
        text.as_bytes().len()
    } else {
        VALUES
    }
}

/// Adds the decisions about actions, each beside its index.
fn add(
    policies: &PolicySet,
    documents: &Decisions,
    unread: Vec<(Unread<'_>, usize)>,
    decisions: &Bound<'_, PyList>,
) -> PyResult<()> {
    let py = decisions.py();
    let read: Vec<OnceLock<Action<'_>>> = unread.iter().map(|_| OnceLock::new()).collect();
    let mut actions = read.iter().zip(unread);
    let decided = iter::from_fn(|| {
        let some = actions.by_ref().take(BATCH);
        let some = some.map(|(place, (unread, index))| {
            let action = unread.read();
            let action = action.map_err(|error| error.in_file(&format!("actions[{index}]")))?;
            let prepared = policies.prepare(place.get_or_init(|| action));
            Ok((prepared.level(), prepared.decide()))
        });
        let batch = some.collect::<Result<Vec<_>, lattice_core::Error>>();
        (!matches!(&batch, Ok(batch) if batch.is_empty())).then_some(batch)
    });
    let decided = Mutex::new(Some(decided));
    let take = || {
        let decided = decided
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        decided.into_iter().flatten()
    };
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(1);
        let ahead = move || {
            let _ = take().try_for_each(|batch| sender.send(batch));
        };
        if read.len() > BATCH {
            // Where there is no thread for it, the sender is gone, and nothing was taken.
            let _ = Builder::new().spawn_scoped(scope, ahead);
        } else {
            drop(ahead);
        }
        let mut here = None;
        let mut next = move || {
            let ahead = receiver.recv().ok();
            ahead.or_else(|| here.get_or_insert_with(take).next())
        };
        while let Some(batch) = py.detach(&mut next) {
            let batch = batch.or_raise(py)?;
            let _still = Uncollected::new(py)?;
            for (level, decision) in batch {
                decisions.append(documents.document(py, level, &decision)?)?;
            }
        }
        Ok(())
    })
}
