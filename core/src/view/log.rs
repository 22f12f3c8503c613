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

/// `al history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct History {
    /// The states that the workspace had, newest first.
    pub states: Vec<RecordedState>,
    /// The event before which the next page begins; null at the beginning of the log.
    pub next_cursor: Option<u64>,
}

/// A state of a workspace that its audit log recorded: what an import or a rollback left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecordedState {
    /// The number of the event that left it.
    pub event: u64,
    /// When that was: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// What happened.
    pub kind: crate::audit::Kind,
    /// The id of the key that acted; `local` where no key was needed.
    pub actor: String,
    /// How many policies were added or came back.
    pub added: u64,
    /// How many policies were modified.
    pub modified: u64,
    /// How many policies were deactivated.
    pub deactivated: u64,
    /// How many policies of the manifest were already as it says.
    pub unchanged: u64,
    /// The state digest.
    pub state: String,
    /// SHA-256 of the manifest's bytes as read.
    pub manifest_sha256: String,
    /// SHA-256 of the manifest after overlays; null where there were none.
    pub rendered_sha256: Option<String>,
    /// Whether policies absent from the manifest were deactivated.
    pub replace: bool,
    /// Whether no event of the log left another state later.
    pub current: bool,
}

impl RecordedState {
    /// The state that `event` left; `None` for an event that changes no policies. Which one is current is for the log to
    /// say.
    pub fn of(event: &crate::audit::Event) -> Option<Self> {
        Some(Self {
            event: event.seq,
            time: event.time.clone(),
            kind: event.kind,
            actor: event.actor.clone(),
            added: event.added?,
            modified: event.modified?,
            deactivated: event.deleted?,
            unchanged: event.unchanged?,
            state: event.after.clone()?,
            manifest_sha256: event.manifest_sha256.clone()?,
            rendered_sha256: event.rendered_sha256.clone(),
            replace: event.replace?,
            current: false,
        })
    }
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
