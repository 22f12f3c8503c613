//! A counting allocator. It counts in processes that are started to measure memory, and in no other: elsewhere it
//! costs a load and a branch that is never taken.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

use mimalloc::MiMalloc;

use crate::measure;

static COUNTING: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

/// The allocator of `al`, counted.
#[derive(Debug)]
pub struct Counting;

fn count(change: isize) {
    if COUNTING.load(Relaxed) {
        let live = LIVE.fetch_add(change, Relaxed) + change;
        PEAK.fetch_max(live, Relaxed);
    }
}

// SAFETY: every call goes to the allocator with the arguments it came with.
#[expect(unsafe_code, reason = "an allocator is unsafe to implement")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed());
        unsafe { MiMalloc.realloc(pointer, layout, size) }
    }
}

/// Bytes on the heap.
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    /// At most, while the job ran.
    pub peak: usize,
    /// That the result holds.
    pub kept: usize,
}

/// What a job takes on the heap.
pub fn of<T>(job: impl FnOnce() -> T) -> Bytes {
    COUNTING.store(true, Relaxed);
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = job();
    let bytes = |value: isize| usize::try_from(value - before).unwrap_or(0);
    let counted = Bytes {
        peak: bytes(PEAK.load(Relaxed)),
        kept: bytes(LIVE.load(Relaxed)),
    };
    drop(result);
    counted
}

/// Runs the memory job of that name in a process of its own.
pub fn in_child(name: &str) -> Bytes {
    let text = measure::in_child(&["memory".as_ref(), name.as_ref()]);
    let mut numbers = text
        .split_whitespace()
        .map(|word| word.parse().expect("a number"));
    let mut next = || numbers.next().expect("two numbers");
    Bytes {
        peak: next(),
        kept: next(),
    }
}
