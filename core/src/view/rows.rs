//! What a workspace holds, row by row, for a client that works on it where it is, and the change that it asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Event, KeyKind, Mode, SavedBase, SavedGuard, SavedText, WorkspaceRef};
use crate::policy::PolicySpec;

/// The workspace of a key, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// Which workspace that is.
    pub workspace: WorkspaceRef,
    /// The key's id.
    pub key: String,
    /// What the key opens.
    pub kind: KeyKind,
    /// How many imports were committed; null for an agent's key.
    pub revision: Option<u64>,
    /// The head of the audit log; null for an agent's key, or where there is none.
    pub head: Option<LogHead>,
}

/// The head of an audit log, just as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogHead {
    /// How many events the log holds.
    pub size: u64,
    /// The roots of the tree's complete subtrees, largest first, 32 bytes each; in Base64.
    pub frontier: String,
    /// The root of the tree, in Base64.
    pub root: String,
}

/// The policies of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRows {
    /// Active policies, by name.
    pub active: Vec<PolicySpec>,
    /// The names of those that were switched off and kept; of a past state none.
    pub deactivated: Vec<String>,
    /// Why there are none: a row was read that is no policy that al stores.
    pub undecodable: Option<Undecodable>,
}

/// A row that is no policy that al stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undecodable {
    /// Which one, and what is wrong with it.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Audit records in order of `seq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventRows {
    /// The records.
    pub events: Vec<EventRow>,
}

/// An audit record, just as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventRow {
    /// Its number.
    pub seq: u64,
    /// The bytes that are hashed, in Base64.
    pub body: String,
    /// The names that its digest covers, in Base64.
    pub names: String,
    /// The hash that was stored with it, in Base64.
    pub leaf: Option<String>,
}

/// The hash of a complete subtree of an audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeRow {
    /// The hash in Base64; null where none is stored.
    pub hash: Option<String>,
}

/// A change that a client planned, with everything that it rests on. Whoever is asked for it plans again, and comes to the
/// same or refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The workspace that it was planned for.
    pub workspace: WorkspaceRef,
    /// The state that it was planned on.
    pub base: SavedBase,
    /// The state digest that it leads to.
    pub after: String,
    /// SHA-256 of the manifest, in hexadecimal digits, as the event records it.
    pub manifest_sha256: String,
    /// SHA-256 of the manifest with its overlays, if there are any.
    pub rendered_sha256: Option<String>,
    /// How it meets what the manifest does not name.
    pub mode: Mode,
    /// What lets it through where it deactivates policies.
    pub guard: SavedGuard,
    /// The manifests, in the order in which they were named; none for a rollback.
    pub manifests: Vec<SavedText>,
    /// The overlays, in the order in which they apply.
    pub overlays: Vec<SavedText>,
    /// The event whose state a rollback goes back to.
    pub rollback_to: Option<u64>,
    /// The checkpoint of the workspace that exported the manifest.
    pub source: Option<String>,
    /// A checkpoint of the log that the client verified, which the change has to build on.
    pub extends: Option<String>,
    /// The verification key of whoever will sign the log with the change; only together with `extends`.
    pub signer: Option<String>,
    /// Whether the plan was saved, and reviewed since.
    pub saved: bool,
}

/// A key that is to sign the checkpoints of an audit log from now on. Whoever asks for it has it, and the one before: both signed
/// the [`Handover`](crate::audit::Handover).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// The checkpoint of the log that the event will follow.
    pub head: String,
    /// The new key, as its verification key.
    pub new: String,
    /// The signature of the new key, in Base64.
    pub new_signature: String,
    /// The key that signed until now, if there was one.
    pub old: Option<String>,
    /// Its signature.
    pub old_signature: Option<String>,
}

/// What came of a [`Proposal`] or a [`Rotation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Committed {
    /// The audit event.
    pub event: Event,
    /// The checkpoint of the log with it, unsigned.
    pub checkpoint: String,
}
