//! The audit log: its events, and whether it verifies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An audit event with the names that its digest covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct Event {
    /// The leaf.
    #[serde(flatten)]
    pub leaf: crate::audit::Event,
    /// The policies whose digest is `changes`.
    pub names: crate::audit::Names,
}

/// `al audit list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventPage {
    /// Events in order of `seq`.
    pub events: Vec<Event>,
    /// Where the next page begins; null at the end.
    pub next_cursor: Option<u64>,
}

/// `al audit verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verification {
    /// Whether every event verifies, the root is the stored one and the policies are those last recorded.
    pub valid: bool,
    /// The workspace's name.
    pub workspace: String,
    /// How many events the log holds.
    pub size: u64,
    /// Root of the tree, recomputed.
    pub root: String,
    /// The first event that is missing or does not verify.
    pub first_broken_seq: Option<u64>,
    /// Whether the active policies are those that the last event recorded; on a broken log, the last one before
    /// the break.
    pub state_matches: bool,
    /// What the verification rests on: `self` is the store alone.
    pub trust: Trust,
    /// Results for pinned checkpoints.
    pub pins: Vec<Pin>,
}

/// What a verification rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The store alone: whoever can write it can write a log that verifies.
    #[serde(rename = "self")]
    SelfOnly,
}

/// The result for one pinned checkpoint. There are none yet that can be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pin {
    /// The checkpoint's file, as it was named.
    pub file: String,
}
