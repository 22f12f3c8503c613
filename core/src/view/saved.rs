//! Saved plans: the one document that is written to be read again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;

/// A plan with everything that it rests on: what `al plan --out` writes and `al apply` reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// The form of the document.
    #[serde(rename = "type")]
    pub form: SavedPlanType,
    /// The version of the engine that saved it.
    pub engine: String,
    /// The state that it was planned on.
    pub base: SavedBase,
    /// The state digest that it leads to.
    pub after: String,
    /// The guard that it was reviewed under.
    pub guard: SavedGuard,
    /// The manifests, in the order in which they were named.
    pub manifests: Vec<SavedText>,
    /// The overlays, in the order in which they apply.
    pub overlays: Vec<SavedText>,
    /// The plan as it was shown: a dry run.
    pub plan: Plan,
    /// SHA-256 of every byte in front of this line. It finds accidents; it is no signature.
    pub sha256: String,
}

/// The form of a saved plan. A later form gets a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SavedPlanType {
    /// Version 1.
    #[serde(rename = "al.plan/v1")]
    V1,
}

impl SavedPlanType {
    /// The form as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            SavedPlanType::V1 => "al.plan/v1",
        }
    }
}

/// The state of a workspace that a plan starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedBase {
    /// How many imports were committed.
    pub revision: u64,
    /// The state digest.
    pub state: String,
}

/// What lets a plan through that deactivates policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedGuard {
    /// The share of active policies that may be deactivated, in percent.
    pub percent: u64,
    /// The exact number of deactivations that goes through all the same; null where none was given.
    pub allowed: Option<u64>,
}

/// A text that the manifest was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedText {
    /// The file, as it was named.
    pub file: Option<String>,
    /// SHA-256 of its bytes as read.
    pub sha256: String,
    /// All of it.
    pub text: String,
}
