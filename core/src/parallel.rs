//! Work that comes piece by piece, done by several threads: the results are those of one thread, in the same order.
//!
//! The pieces come from the thread that calls, which goes on finding the next while others work, and works itself
//! whenever enough of them wait. No thread outlives the call.

use std::any::Any;
use std::collections::VecDeque;
use std::iter;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// One thread: the calling one.
pub(crate) const ONE: NonZero<usize> = NonZero::<usize>::MIN;

/// Bytes that a thread should take at once: to compile so many takes some hundred times what handing them over takes.
pub(crate) const BATCH: usize = 16 * 1024;

/// A piece is work, however short its text is.
const LEAST: usize = 64;

/// How many times as much for each thread is in hand at most: what is made of a byte may be large.
const IN_HAND: usize = 3;

/// A piece of work.
pub(crate) trait Piece: Send {
    /// Bytes of the text it is about, which is how much work it is.
    fn bytes(&self) -> usize;
}

impl<T: Piece> Piece for Vec<T> {
    fn bytes(&self) -> usize {
        self.iter().map(|piece| piece.bytes().max(LEAST)).sum()
    }
}

/// Small pieces in batches.
pub(crate) fn batches<T: Piece>(pieces: impl Iterator<Item = T>) -> impl Iterator<Item = Vec<T>> {
    let mut pieces = pieces.fuse();
    iter::from_fn(move || {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while bytes < BATCH
            && let Some(piece) = pieces.next()
        {
            bytes += piece.bytes().max(LEAST);
            batch.push(piece);
        }
        (!batch.is_empty()).then_some(batch)
    })
}

/// Does the work, and hands on what comes of it in the order of the pieces.
pub(crate) fn in_order<T: Piece, R: Send>(
    threads: NonZero<usize>,
    pieces: impl Iterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
    mut done: impl FnMut(R),
) {
    if threads == ONE {
        return pieces.for_each(|piece| done(work(piece)));
    }
    let queue = Queue::default();
    thread::scope(|scope| {
        let _end = CloseAtEnd(&queue);
        let (sender, receiver) = mpsc::channel();
        let mut helpers = 0;
        let mut order = Order::new(&queue, &work, receiver);
        for piece in pieces {
            let waiting = queue.push((order.add(piece.bytes()), piece));
            // A thread is started only for a piece that would have to wait.
            if waiting > 1 && helpers + 1 < threads.get() {
                let (queue, work, sender) = (&queue, &work, sender.clone());
                let help = move || help(queue, work, &sender);
                // Where the system has no more threads, those there are do.
                let started = thread::Builder::new().spawn_scoped(scope, help);
                helpers += usize::from(started.is_ok());
            }
            while order.bytes >= IN_HAND * BATCH * threads.get() {
                done(order.first());
            }
        }
        while !order.places.is_empty() {
            done(order.first());
        }
    });
}

/// A piece, or what came of it, and its place in the order.
type Numbered<T> = (usize, T);

/// What came of a piece, or the panic in it.
type Outcome<R> = Result<R, Box<dyn Any + Send>>;

/// Works off the queue until it is closed.
fn help<T, R>(queue: &Queue<T>, work: impl Fn(T) -> R, results: &Sender<Numbered<Outcome<R>>>) {
    while let Some((number, piece)) = queue.pop() {
        // The panic goes on in the thread that calls, which would wait for the result for ever.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(piece)));
        if results.send((number, outcome)).is_err() {
            return;
        }
    }
}

/// The pieces in hand, in order.
struct Order<'q, T, R, W> {
    queue: &'q Queue<T>,
    work: W,
    receiver: Receiver<Numbered<Outcome<R>>>,
    /// The number of the first.
    first: usize,
    /// Of each its bytes, and its result once there is one.
    places: VecDeque<(usize, Option<R>)>,
    /// Bytes of all of them.
    bytes: usize,
}

impl<'q, T, R, W: Fn(T) -> R> Order<'q, T, R, W> {
    fn new(queue: &'q Queue<T>, work: W, receiver: Receiver<Numbered<Outcome<R>>>) -> Self {
        Self {
            queue,
            work,
            receiver,
            first: 0,
            places: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Adds a piece of so many bytes, and returns its number.
    fn add(&mut self, bytes: usize) -> usize {
        self.places.push_back((bytes, None));
        self.bytes += bytes;
        self.first + self.places.len() - 1
    }

    /// What came of the first piece; one must be in hand. Others are worked off while it is not done.
    fn first(&mut self) -> R {
        loop {
            // Results before work: those that are done make room for further pieces, and helpers do not run out of them.
            while let Ok((number, outcome)) = self.receiver.try_recv() {
                self.keep(number, outcome);
            }
            if let Some((bytes, Some(result))) = self.places.pop_front_if(|(_, r)| r.is_some()) {
                self.bytes -= bytes;
                self.first += 1;
                return result;
            }
            if let Some((number, piece)) = self.queue.try_pop() {
                let result = (self.work)(piece);
                self.keep(number, Ok(result));
            } else if let Ok((number, outcome)) = self.receiver.recv() {
                self.keep(number, outcome);
            }
        }
    }

    fn keep(&mut self, number: usize, outcome: Outcome<R>) {
        let result = outcome.unwrap_or_else(|panic| resume_unwind(panic));
        if let Some((_, place)) = self.places.get_mut(number - self.first) {
            *place = Some(result);
        }
    }
}

/// Pieces that no thread has taken.
struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
}

struct Waiting<T> {
    pieces: VecDeque<Numbered<T>>,
    closed: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                pieces: VecDeque::new(),
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a piece, and returns how many wait.
    fn push(&self, piece: Numbered<T>) -> usize {
        let mut waiting = self.lock();
        waiting.pieces.push_back(piece);
        self.changed.notify_one();
        waiting.pieces.len()
    }

    /// The next piece, if one waits.
    fn try_pop(&self) -> Option<Numbered<T>> {
        self.lock().pieces.pop_front()
    }

    /// The next piece, as soon as there is one; `None` when the queue is closed.
    fn pop(&self) -> Option<Numbered<T>> {
        let waiting = self.lock();
        let idle = |waiting: &mut Waiting<T>| waiting.pieces.is_empty() && !waiting.closed;
        let woken = self.changed.wait_while(waiting, idle);
        let mut waiting = woken.unwrap_or_else(PoisonError::into_inner);
        waiting.pieces.pop_front()
    }
}

/// Closes a queue, also when the thread that calls panics: helpers would wait for it for ever.
struct CloseAtEnd<'q, T>(&'q Queue<T>);

impl<T> Drop for CloseAtEnd<'_, T> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashSet;
    use std::sync::Barrier;

    use super::*;

    /// A piece of 1 KiB.
    impl Piece for usize {
        fn bytes(&self) -> usize {
            1024
        }
    }

    /// Pieces that make a batch.
    const FULL: usize = BATCH / 1024;

    fn threads(count: usize) -> NonZero<usize> {
        NonZero::new(count).unwrap()
    }

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for count in [0, 1, FULL - 1, FULL, FULL + 1, 50 * FULL + 3] {
            for threads in [1, 2, 7].map(threads) {
                let mut found = Vec::new();
                in_order(
                    threads,
                    batches(0..count),
                    |batch| batch.iter().map(|n| n * 2).collect::<Vec<_>>(),
                    |batch| found.extend(batch),
                );
                let expected: Vec<_> = (0..count).map(|n| n * 2).collect();
                assert_eq!(found, expected, "{count} on {threads}");
            }
        }
    }

    #[test]
    fn batches_hold_every_piece_once() {
        let sizes = |count| {
            batches(0..count)
                .map(|batch| batch.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(2 * FULL + 1), [FULL, FULL, 1]);
    }

    #[test]
    fn several_threads_work() {
        // Two pieces wait for each other, which no single thread could do.
        let both = Barrier::new(2);
        let mut workers = HashSet::new();
        in_order(
            threads(2),
            0..2,
            |_: usize| {
                both.wait();
                thread::current().id()
            },
            |id| workers.extend([id]),
        );
        assert_eq!(workers.len(), 2);
    }

    #[test]
    fn few_pieces_are_in_hand() {
        let (in_hand, most) = (Cell::new(0), Cell::new(0));
        in_order(
            threads(2),
            (0..100 * FULL).inspect(|_| {
                in_hand.set(in_hand.get() + 1);
                most.set(most.get().max(in_hand.get()));
            }),
            |_| {},
            |()| in_hand.set(in_hand.get() - 1),
        );
        assert_eq!(in_hand.get(), 0);
        assert!(most.get() <= 2 * IN_HAND * FULL, "{}", most.get());
    }

    #[test]
    fn a_panic_goes_on_in_the_thread_that_calls() {
        for threads in [1, 2, 7].map(threads) {
            let failed = catch_unwind(|| {
                in_order(threads, 0..100, |n| assert!(n != 7, "on purpose"), |()| {});
            });
            let panic = failed.unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
        }
    }
}
