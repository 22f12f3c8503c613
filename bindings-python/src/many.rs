//! Decisions about many actions: another thread reads and decides, a little ahead of the one that makes dicts of it.

use std::iter;
use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, Builder, ScopedJoinHandle};

use lattice_core::view::Decision;
use lattice_core::{Action, Error, PolicySet};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::decisions::Decisions;
use crate::input::Unread;
use crate::output::{OrRaise, Uncollected};

/// Actions that are taken from the program before the first of them is decided about.
const AT_A_TIME: usize = 4096;

/// No more are taken once their texts have so many bytes together.
const ROOM: usize = 16 * 1024 * 1024;

/// What an action of Python values counts for there.
const VALUES: usize = 64 * 1024;

/// Decisions that are handed over together, and how many times as many wait at most: a trace may be large.
const BATCH: usize = 128;
const WAITING: usize = 4;

/// The decisions about actions, in their order; what is wrong with the first that is invalid.
pub(crate) fn decide<'py>(
    policies: &PolicySet,
    documents: &Decisions,
    actions: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let mut actions = actions.try_iter()?;
    let decisions = PyList::empty(actions.py());
    loop {
        let (mut some, mut room, mut failure) = (Vec::new(), ROOM, None);
        while some.len() < AT_A_TIME
            && room > 0
            && let Some(action) = actions.next()
        {
            match action {
                Ok(action) => {
                    room = room.saturating_sub(bytes(&action));
                    some.push(action);
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if some.is_empty() && failure.is_none() {
            return Ok(decisions);
        }
        // What is wrong with an action comes before what came after it.
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

fn bytes(action: &Bound<'_, PyAny>) -> usize {
    if let Ok(text) = action.cast::<PyString>() {
        text.to_str().map_or(VALUES, str::len)
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
        let batch: Batch<'_> = some.collect();
        (!matches!(&batch, Ok(batch) if batch.is_empty())).then_some(batch)
    });
    let decided = Mutex::new(decided);
    let decided = || decided.lock().unwrap_or_else(PoisonError::into_inner);

    let (py, list) = (decisions.py(), decisions.clone().unbind());
    let add = |batches: &mut dyn Iterator<Item = Batch<'_>>| {
        Python::attach(|py| {
            let list = list.bind(py);
            let _still = Uncollected::new(py)?;
            for batch in batches {
                for (level, decision) in batch.or_raise(py)? {
                    list.append(documents.document(py, level, &decision)?)?;
                }
            }
            Ok(())
        })
    };
    py.detach(|| {
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(WAITING);
            let ahead = move || {
                // Behind an action that is invalid, none is asked about.
                decided().try_for_each(|batch| {
                    let is_last = batch.is_err();
                    let sent = sender.send(batch);
                    sent.ok().filter(|()| !is_last)
                })
            };
            let start = move || Builder::new().spawn_scoped(scope, ahead).ok();
            let helper = (read.len() > BATCH).then(start).flatten();
            let mut waited = receiver.iter();
            // The interpreter is held while there is something to do, and let go of to wait.
            let added = waited.try_for_each(|batch| {
                let ready = receiver.try_iter();
                add(&mut iter::once(batch).chain(ready))
            });
            drop(receiver);
            if let Some(Err(panic)) = helper.map(ScopedJoinHandle::join) {
                resume_unwind(panic);
            }
            // Where no thread was started, all is still to be done.
            added.and_then(|()| decided().try_for_each(|batch| add(&mut iter::once(batch))))
        })
    })
}

/// Decisions, each beside its level; or why there is none about an action.
type Batch<'a> = Result<Vec<(u32, Decision<'a>)>, Error>;
