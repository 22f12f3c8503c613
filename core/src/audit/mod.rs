//! The audit log: one RFC 6962 Merkle tree per workspace over the stored bytes of JSON events.
//!
//! Writing is [`Event::to_bytes`], [`leaf_hash`], [`Tree::append`]; checking is a [`Verifier`] over the stored
//! records. The log is tamper-evident up to the last root that was kept where the writer of the log cannot
//! write: whoever can rewrite all of it can also compute all of its hashes.

mod event;
mod tree;
mod verify;

pub use event::{Event, EventType, ImportEvent, Kind, Names, log_name};
pub use tree::{Tree, leaf_hash};
pub use verify::{Record, Verification, Verifier};

/// Sequence numbers, counts and tree sizes stay below this: JSON readers that keep numbers as doubles (and so
/// RFC 8785) are exact only up to here.
pub const INTEGER_LIMIT: u64 = 1 << 53;
