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
    /// Whether every event verifies, the root is the stored one, every checkpoint is one that the log extends, and the
    /// policies, where they were compared, are those last recorded.
    pub valid: bool,
    /// The workspace's name.
    pub workspace: String,
    /// How many events the log holds.
    pub size: u64,
    /// Root of the tree, recomputed.
    pub root: String,
    /// The first event that is missing or does not verify; null where a checkpoint alone shows that the log was changed.
    pub first_broken_seq: Option<u64>,
    /// Whether the active policies are those that the last event recorded (on a broken log, the last one before the
    /// break); null where they were not compared.
    pub state_matches: Option<bool>,
    /// What the verification rests on: the best that one of the checkpoints gives; `self` where the log is not valid.
    pub trust: Trust,
    /// The checkpoints that the log was held against, in the order in which they were given.
    pub pins: Vec<Pin>,
}

/// What a verification rests on, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The store alone, or the proof alone: whoever can write it can write one that verifies.
    #[serde(rename = "self")]
    SelfOnly,
    /// A checkpoint that was kept elsewhere.
    Pinned,
    /// A checkpoint that the log signed with a key that was given.
    Signed,
    /// A checkpoint that a witness signed with a key that was given: whoever asks this witness is shown the same history.
    Witnessed,
}

impl Trust {
    /// The trust as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Trust::SelfOnly => "self",
            Trust::Pinned => "pinned",
            Trust::Signed => "signed",
            Trust::Witnessed => "witnessed",
        }
    }
}

/// What the log says about a checkpoint that was kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pin {
    /// Its file, as it was named; null for a text.
    pub file: Option<String>,
    /// The log that it is of.
    pub origin: String,
    /// How many events the log held.
    pub size: u64,
    /// The root over them.
    pub root: String,
    /// Whether the log extends it.
    pub result: PinResult,
    /// What it rests on itself.
    pub trust: Trust,
    /// The names of the given keys that signed it.
    pub signers: Vec<String>,
}

/// Whether a log extends a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PinResult {
    /// It does.
    Consistent,
    /// The log holds fewer events than the checkpoint counts: events were cut off, or an old copy of the store was
    /// restored.
    Truncated,
    /// The first events of the log are not those of the checkpoint: they were rewritten, or the checkpoint is of a copy
    /// that went another way, or of another log.
    Forked,
}

impl PinResult {
    /// The result as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            PinResult::Consistent => "consistent",
            PinResult::Truncated => "truncated",
            PinResult::Forked => "forked",
        }
    }
}

/// `al audit checkpoint`, and the checkpoint of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Checkpoint {
    /// The log.
    pub origin: String,
    /// How many events it holds.
    pub size: u64,
    /// The root over them.
    pub root: String,
    /// The text to keep: three lines, and the signatures behind an empty one.
    pub checkpoint: String,
}

impl From<&crate::audit::Checkpoint> for Checkpoint {
    fn from(checkpoint: &crate::audit::Checkpoint) -> Self {
        Self {
            origin: checkpoint.origin().to_owned(),
            size: checkpoint.size(),
            root: crate::hash::hex(checkpoint.root()),
            checkpoint: checkpoint.to_string(),
        }
    }
}

/// `al audit prove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Proof {
    /// The number of the event.
    pub event: u64,
    /// How many events the checkpoint of the proof counts.
    pub size: u64,
    /// The text to give away, in the C2SP `tlog-proof` form.
    pub proof: String,
}

impl From<&crate::audit::Proof> for Proof {
    fn from(proof: &crate::audit::Proof) -> Self {
        Self {
            event: proof.index,
            size: proof.checkpoint.size(),
            proof: proof.to_string(),
        }
    }
}

/// `al audit check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckedProof {
    /// Whether the event is in the log of the checkpoint, at its place.
    pub valid: bool,
    /// The event; null where the hashes do not lead from it to the root.
    pub event: Option<crate::audit::Event>,
    /// The checkpoint of the proof.
    pub checkpoint: Checkpoint,
    /// What the check rests on; `self` where the proof is not valid.
    pub trust: Trust,
    /// The names of the given keys that signed the checkpoint.
    pub signers: Vec<String>,
}

/// `al audit consistency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Consistency {
    /// How many events the older checkpoint counts.
    pub old: u64,
    /// How many events the log holds.
    pub size: u64,
    /// The text for a witness: what C2SP `tlog-witness` takes at `add-checkpoint`.
    pub proof: String,
}

/// `al audit cosign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cosigned {
    /// The log.
    pub origin: String,
    /// How many events the head counts that was signed.
    pub size: u64,
    /// The line to put below the checkpoint.
    pub signature: String,
    /// The checkpoint with it.
    pub checkpoint: String,
}

/// `al audit rotate-key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RotatedKey {
    /// The event; its names are the verification keys.
    pub event: Event,
    /// The checkpoint with it, signed with the key before, if there was one, and with the new one.
    pub checkpoint: String,
}

/// `al audit restart-after-restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RestartedLog {
    /// The workspace, with its new id.
    pub workspace: super::WorkspaceRef,
    /// The name of the workspace in which the old log stays: its id.
    pub previous: String,
    /// The first event of the new log, which cites the checkpoint of the old one in `from`.
    pub event: Event,
    /// The checkpoint of the new log.
    pub checkpoint: String,
}

/// `al audit keygen` and `al audit vkey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditKey {
    /// The file with the secret part.
    pub file: String,
    /// The name that stands beside its signatures.
    pub name: String,
    /// The key that verifies them, for those who check the log.
    pub vkey: String,
}
