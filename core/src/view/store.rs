//! Workspaces, keys, circuit breakers, and what `al fmt` and `al schema` list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `al workspace create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedWorkspace {
    /// UUID.
    pub id: String,
    /// Name, unique in its store.
    pub name: String,
    /// Organisation name, for people.
    pub org_name: String,
    /// The first service key; shown this once.
    pub service_key: String,
}

/// `al workspace list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspaces {
    /// By name.
    pub workspaces: Vec<Workspace>,
}

/// `al workspace show`, and one of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// UUID.
    pub id: String,
    /// Name, unique in its store.
    pub name: String,
    /// Organisation name, for people.
    pub org_name: String,
    /// How many policies are active.
    pub policies: u64,
    /// Counts the imports committed so far.
    pub revision: u64,
}

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Reads and changes policies, reads the audit log.
    Service,
    /// Asks for decisions, and nothing else.
    Agent,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: &'static [KeyKind] = &[KeyKind::Service, KeyKind::Agent];

    /// The kind as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::Service => "service",
            KeyKind::Agent => "agent",
        }
    }
}

/// `al key create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedKey {
    /// The key's id: what `al key revoke` takes and the audit log records.
    pub id: String,
    /// What it opens.
    pub kind: KeyKind,
    /// Its name, for people.
    pub name: Option<String>,
    /// The key itself; shown this once.
    pub key: String,
}

/// `al key list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keys {
    /// In order of creation.
    pub keys: Vec<Key>,
}

/// One key of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// The key's id.
    pub id: String,
    /// What it opens.
    pub kind: KeyKind,
    /// Its name, for people.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was revoked; null while it opens.
    pub revoked_at: Option<String>,
}

/// `al fmt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Formatted {
    /// Every file that was named, in that order.
    pub files: Vec<FormattedFile>,
}

/// One file of `al fmt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FormattedFile {
    /// The file, as it was named.
    pub file: String,
    /// Whether its canonical form differs from what it held.
    pub changed: bool,
}

/// `al schema`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SchemaNames {
    /// What `al schema NAME` takes.
    pub schemas: Vec<String>,
}

/// `al breaker list`, and what `al breaker set` stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breakers {
    /// By anomaly type.
    pub breakers: Vec<Breaker>,
}

/// A circuit breaker, kept for reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breaker {
    /// What it watches for.
    pub anomaly_type: String,
    /// The score at which it trips; a number of 0 or more.
    #[schemars(with = "f64")]
    pub score_threshold: crate::Number,
    /// What happens then.
    pub response_level: String,
}

impl From<&crate::Breaker> for Breaker {
    fn from(breaker: &crate::Breaker) -> Self {
        Self {
            anomaly_type: breaker.anomaly_type.clone(),
            score_threshold: breaker.score_threshold,
            response_level: breaker.response_level.clone(),
        }
    }
}
