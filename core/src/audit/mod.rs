//! The audit log: one RFC 6962 Merkle tree per workspace over the stored bytes of JSON events.
//!
//! Writing is [`Event::to_bytes`], [`leaf_hash`], [`Tree::append`]; checking is a [`Verifier`] over the stored
//! records. The log is tamper-evident up to the last [`Checkpoint`] that was kept where the writer of the log cannot
//! write: whoever can rewrite all of it can also compute all of its hashes.
//!
//! A [`Proof`] shows one event to someone who has a checkpoint and nothing else, an [`Extension`] shows a witness that a
//! head extends the one that it knows. Texts are those of C2SP: `tlog-checkpoint`, `signed-note`, `tlog-proof`,
//! `tlog-cosignature` and `tlog-witness`.

mod bundle;
mod canonical;
mod checkpoint;
mod event;
mod handover;
mod key;
mod keys;
mod proof;
mod tree;
mod verify;
mod witness;

pub use bundle::Proof;
pub use checkpoint::Checkpoint;
pub use event::{Event, EventType, ImportEvent, Kind, Names, log_name};
pub use handover::Handover;
pub use key::{KeyType, SigningKey, VerifyingKey};
pub use keys::{LogKeys, NamedKey};
pub use proof::{
    consistency_proof, inclusion_proof, root_of, verify_consistency, verify_inclusion,
};
pub use tree::{Node, Tree, leaf_hash};
pub use verify::{Record, Verification, Verifier};
pub use witness::Extension;

/// Sequence numbers, counts and tree sizes stay below this: JSON readers that keep numbers as doubles (and so
/// RFC 8785) are exact only up to here.
pub const INTEGER_LIMIT: u64 = 1 << 53;
