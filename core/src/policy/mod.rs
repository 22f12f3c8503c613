//! Policies: their fields, their compiled form, and sets of them by name.

mod beside;
mod draft;
mod patch;
mod read;
mod row;
mod set;

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use crate::condition::AllowList;
use crate::condition::Conditions;

pub use beside::Beside;
pub(crate) use draft::{check_name, label};
pub(crate) use patch::{Change, change};
pub(crate) use read::{name_of, read};
pub use row::PolicyRow;
pub use set::PolicySet;
pub(crate) use set::{Entry, EntryRef, Governed};

/// The fields of a policy, in the order in which they are written.
pub(crate) const FIELDS: [&str; 7] = [
    "name",
    "action_type",
    "approval_required",
    "approval_timeout_hours",
    "allowed_repos",
    "allowed_branches",
    "conditions",
];

/// A policy as plain data: what a manifest says and a store keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicySpec {
    /// Its identity across environments.
    pub name: String,
    /// An action type, `TYPE.*` or `*`, as written.
    pub action_type: String,
    /// Whether a human must approve.
    pub approval_required: bool,
    /// Hours until an approval expires, 1 to 8760.
    pub approval_timeout_hours: u16,
    /// Globs of repositories; null for any.
    pub allowed_repos: Option<Vec<String>>,
    /// Globs of branches; null for any.
    pub allowed_branches: Option<Vec<String>>,
    /// The conditions document, verbatim; null for none.
    pub conditions: Option<String>,
}

/// A policy, checked and compiled.
///
/// Two policies are equal when they mean the same: sets as sets, conditions as trees, numbers by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: SmolStr,
    action_type: SmolStr,
    approval_required: bool,
    approval_timeout_hours: u16,
    // Many policies have the same lists, or none.
    allowed_repos: Option<Arc<AllowList>>,
    allowed_branches: Option<Arc<AllowList>>,
    conditions: Option<Conditions>,
}

impl Policy {
    /// Its identity across environments.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The action types it governs, as written.
    pub fn action_type(&self) -> &str {
        &self.action_type
    }

    /// Whether a human must approve.
    pub fn approval_required(&self) -> bool {
        self.approval_required
    }

    /// Hours until an approval expires.
    pub fn approval_timeout_hours(&self) -> u16 {
        self.approval_timeout_hours
    }

    /// The repositories it admits; `None` for any.
    pub fn allowed_repos(&self) -> Option<&AllowList> {
        self.allowed_repos.as_deref()
    }

    /// The branches it admits; `None` for any.
    pub fn allowed_branches(&self) -> Option<&AllowList> {
        self.allowed_branches.as_deref()
    }

    /// How many rules a trace of it has.
    pub(crate) fn rules(&self) -> usize {
        let lists = [&self.allowed_repos, &self.allowed_branches];
        let conditions = self.conditions.as_ref().map_or(0, Conditions::comparisons);
        lists.into_iter().flatten().count() + conditions
    }

    /// Its conditions.
    pub fn conditions(&self) -> Option<&Conditions> {
        self.conditions.as_ref()
    }

    /// The policy as plain data.
    pub fn spec(&self) -> PolicySpec {
        let texts =
            |list: Option<&AllowList>| list.map(|list| list.texts().map(str::to_owned).collect());
        PolicySpec {
            name: self.name.to_string(),
            action_type: self.action_type.to_string(),
            approval_required: self.approval_required,
            approval_timeout_hours: self.approval_timeout_hours,
            allowed_repos: texts(self.allowed_repos()),
            allowed_branches: texts(self.allowed_branches()),
            conditions: self.conditions.as_ref().map(|c| c.text().to_owned()),
        }
    }

    /// Whether the two conditions are written differently, whatever they mean.
    pub(crate) fn differs_in_text(&self, other: &Self) -> bool {
        self.conditions.as_ref().map(Conditions::text)
            != other.conditions.as_ref().map(Conditions::text)
    }
}

/// The policies of a workspace: those in force, and the names of those that were switched off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// In force.
    pub active: PolicySet,
    /// Switched off and kept.
    pub deactivated: BTreeSet<String>,
}
