//! How many threads large work is given to, and work that one of them does meanwhile.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{Builder, Scope, ScopedJoinHandle, available_parallelism};

/// As many threads as the machine runs at once; one if it does not tell.
pub fn threads() -> NonZero<usize> {
    available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Work that another thread does meanwhile.
pub(crate) struct Meanwhile<'scope, T, W> {
    work: W,
    thread: Option<ScopedJoinHandle<'scope, T>>,
}

impl<'scope, T: Send + 'scope, W: Fn() -> T + Copy + Send + 'scope> Meanwhile<'scope, T, W> {
    /// Begins, where there is a thread to spare.
    pub(crate) fn begin(scope: &'scope Scope<'scope, '_>, work: W) -> Self {
        let begin = || Builder::new().spawn_scoped(scope, work).ok();
        Self {
            work,
            thread: (threads().get() > 1).then(begin).flatten(),
        }
    }

    /// What came of it. Does it now where no thread did.
    pub(crate) fn end(self) -> T {
        match self.thread {
            Some(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            None => (self.work)(),
        }
    }
}
