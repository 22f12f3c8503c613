//! What is said about many actions, share by share: while JavaScript reads about the first, other threads go on.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use lattice_core::{Action, Error, Prepared};
use napi_derive::napi;

use crate::outcome::{now, panicked};

/// Actions that a thread takes at once: to hand them over takes little beside them, and JavaScript waits for few.
const SHARE: usize = 256;

/// What is said about an action.
pub(crate) type Describe = fn(&Prepared<'_>) -> Result<String, Error>;

/// What is said about many actions, in their order.
#[napi]
pub struct Batch {
    work: Arc<Work>,
    given: usize,
    helpers: Vec<JoinHandle<()>>,
}

#[napi]
impl Batch {
    /// A list of what is said about each of the next actions; null behind the last. An error names the first action
    /// that is none, and nothing comes after it.
    #[napi]
    pub fn next_list(&mut self) -> napi::Result<Option<String>> {
        let said = now(|| self.work.take(self.given).transpose());
        if said.is_err() {
            self.work.end();
        }
        self.given = match said {
            Ok(Some(_)) => self.given + 1,
            Ok(None) | Err(_) => usize::MAX,
        };
        said
    }
}

impl Batch {
    /// Begins to describe.
    pub(crate) fn begin(named: &Arc<al::Named>, actions: Vec<Vec<u8>>, describe: Describe) -> Self {
        let shares = actions.len().div_ceil(SHARE);
        let said = (0..shares).map(|_| None).collect();
        let work = Arc::new(Work {
            named: Arc::clone(named),
            actions,
            describe,
            begun: AtomicUsize::new(0),
            said: Mutex::new(said),
            changed: Condvar::new(),
        });
        let helpers = lattice_workspace::threads().get().min(shares);
        let helpers = (1..helpers).map_while(|_| {
            let work = Arc::clone(&work);
            // Where the system has no more threads, those there are do.
            Builder::new().spawn(move || while work.go_on() {}).ok()
        });
        Self {
            helpers: helpers.collect(),
            work,
            given: 0,
        }
    }
}

/// No thread outlives what it works for: Node may unload the code that it runs.
impl Drop for Batch {
    fn drop(&mut self) {
        self.work.end();
        for helper in self.helpers.drain(..) {
            // Its panics were caught, and are said.
            drop(helper.join());
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").finish_non_exhaustive()
    }
}

type Said = Result<String, Error>;

struct Work {
    named: Arc<al::Named>,
    actions: Vec<Vec<u8>>,
    describe: Describe,
    /// The first share that no thread has begun.
    begun: AtomicUsize,
    /// What was said, by share.
    said: Mutex<Vec<Option<Said>>>,
    changed: Condvar,
}

impl Work {
    /// What is said about a share. Says something about others while another thread is at that one.
    fn take(&self, share: usize) -> Option<Said> {
        loop {
            match self.lock().get_mut(share) {
                None => return None,
                Some(said) => {
                    if let Some(said) = said.take() {
                        return Some(said);
                    }
                }
            }
            if !self.go_on() {
                let is_open = |all: &mut Vec<Option<Said>>| matches!(all.get(share), Some(None));
                let said = self.changed.wait_while(self.lock(), is_open);
                let mut said = said.unwrap_or_else(PoisonError::into_inner);
                return said.get_mut(share).and_then(Option::take);
            }
        }
    }

    /// Describes the next share, if there is one.
    fn go_on(&self) -> bool {
        let share = self.begun.fetch_add(1, Ordering::Relaxed);
        let Some(actions) = self.actions.chunks(SHARE).nth(share) else {
            // However often it is asked.
            self.end();
            return false;
        };
        // A panic goes on as an error: whoever waits for the share would wait for ever.
        let described = || self.describe(share * SHARE, actions);
        let said = catch_unwind(AssertUnwindSafe(described));
        let said = said.unwrap_or_else(|panic| Err(panicked(&*panic)));
        if let Some(place) = self.lock().get_mut(share) {
            *place = Some(said);
        }
        self.changed.notify_all();
        true
    }

    /// Lets no thread begin another share.
    fn end(&self) {
        self.begun.store(self.actions.len(), Ordering::Relaxed);
    }

    fn describe(&self, first: usize, actions: &[Vec<u8>]) -> Said {
        let policies = self.named.manifest.policies();
        let mut list = String::from("[");
        for (at, json_text) in (first..).zip(actions) {
            let action = Action::parse(json_text);
            let action = action.map_err(|error| error.in_file(&format!("actions[{at}]")))?;
            if at > first {
                list.push(',');
            }
            list.push_str(&(self.describe)(&policies.prepare(&action))?);
        }
        list.push(']');
        Ok(list)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Said>>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
