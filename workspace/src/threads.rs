//! How many threads large work is given to.

use std::num::NonZero;
use std::thread::available_parallelism;

/// As many threads as the machine runs at once; one if it does not tell.
pub fn threads() -> NonZero<usize> {
    available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}
