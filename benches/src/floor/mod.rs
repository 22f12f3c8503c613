//! The hand-written lower bounds: what the job itself costs on this machine, without reasons, errors, positions or
//! anything else that a user would miss. None of them is usable; each says how far an engine is from the ground.

mod bytes;
mod diff;
mod evaluate;
mod leaves;
mod table;

pub use bytes::{hash_file, scan};
pub use diff::{diff, diff_hashes, hashes};
pub use evaluate::{Compiled, Fields};
pub use leaves::Leaves;
pub use table::{Table, rows};
