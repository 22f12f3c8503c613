//! Manifests, and what importing one does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Breaker, Event};
use crate::hash::hex;
use crate::value::Value;

/// How a manifest meets what it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Policies that the manifest does not name stay as they are.
    #[default]
    Additive,
    /// Policies that the manifest does not name are deactivated.
    Replace,
}

impl Mode {
    /// The mode of a caller who asks to `replace`, or not to.
    pub fn replacing(replace: bool) -> Self {
        if replace {
            Mode::Replace
        } else {
            Mode::Additive
        }
    }

    /// The mode as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Additive => "additive",
            Mode::Replace => "replace",
        }
    }
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct Plan {
    /// The workspace; null where two files were compared.
    pub workspace: Option<WorkspaceRef>,
    /// Additive or replace.
    pub mode: Mode,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Whether the workspace now stands as planned.
    pub applied: bool,
    /// The manifest that was read.
    pub manifest: ManifestRef,
    /// How many policies each action concerns.
    pub summary: Summary,
    /// The changes, in name order.
    pub changes: Vec<Change>,
    /// What a reviewer should look at twice.
    pub notes: Vec<String>,
    /// Which side changed since the last import; null unless a workspace was compared with a manifest.
    pub drift: Option<Drift>,
    /// The audit event of an import that was applied.
    pub event: Option<Event>,
    /// The audit log's checkpoint after it.
    pub checkpoint: Option<String>,
}

/// Which workspace a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct WorkspaceRef {
    /// UUID.
    pub id: String,
    /// Name, unique in its store.
    pub name: String,
    /// Organisation name, for people.
    pub org_name: String,
}

/// Which manifest a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct ManifestRef {
    /// The file, as it was named.
    pub file: Option<String>,
    /// SHA-256 of the bytes as read.
    pub sha256: String,
    /// SHA-256 of the manifest after overlays; null where there are none.
    pub rendered_sha256: Option<String>,
    /// Its manifest version.
    pub version: String,
    /// How many policies it holds.
    pub policies: usize,
}

/// Which side of a comparison changed since a recorded state. A policy is in at most one of the lists, in name order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct Drift {
    /// The audit event that left the state both sides are compared with: the last import of this very manifest, else the
    /// last import.
    pub since: u64,
    /// Changed in the workspace, by what the audit log recorded later.
    pub workspace: Vec<String>,
    /// Changed in the manifest.
    pub manifest: Vec<String>,
    /// Changed in both, differently.
    pub both: Vec<String>,
}

/// A manifest that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "ManifestDocument")]
pub struct Manifest {
    /// The file, as it was named.
    pub file: Option<String>,
    /// SHA-256 of the bytes as read.
    pub sha256: String,
    /// SHA-256 of the manifest after overlays; null where there are none.
    pub rendered_sha256: Option<String>,
    /// Its manifest version.
    pub manifest_version: String,
    /// When it was exported: RFC 3339, UTC, with all the digits it has.
    pub exported_at: Option<String>,
    /// The organisation that it came from: information, never identity.
    pub org_name: Option<String>,
    /// Its policies, in name order.
    pub policies: Vec<crate::PolicySpec>,
    /// Its circuit breakers, for reference.
    pub circuit_breakers: Vec<Breaker>,
}

impl Manifest {
    /// The document of a manifest that was read from `file`.
    ///
    /// ```
    /// use lattice_core::{Manifest, view};
    ///
    /// let text = "manifest_version: '1.0'\norg_name: Acme\npolicies: []\n";
    /// let document = view::Manifest::new(Some("acme.yaml"), &Manifest::parse(text.as_bytes())?);
    /// assert_eq!(
    ///     serde_json::to_value(&document)?,
    ///     serde_json::json!({
    ///         "file": "acme.yaml",
    ///         "sha256": document.sha256,
    ///         "rendered_sha256": null,
    ///         "manifest_version": "1.0",
    ///         "exported_at": null,
    ///         "org_name": "Acme",
    ///         "policies": [],
    ///         "circuit_breakers": [],
    ///     })
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(file: Option<&str>, manifest: &crate::Manifest) -> Self {
        let policies = manifest.policies().iter().map(|policy| policy.spec());
        Self {
            file: file.map(str::to_owned),
            sha256: hex(&manifest.sha256()),
            rendered_sha256: manifest.rendered_sha256().map(|hash| hex(&hash)),
            manifest_version: manifest.version().to_owned(),
            exported_at: manifest.exported_at().map(|time| time.to_string()),
            org_name: manifest.org_name().map(str::to_owned),
            policies: policies.collect(),
            circuit_breakers: manifest.breakers().iter().map(Breaker::from).collect(),
        }
    }
}

/// Counts of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct Summary {
    /// New in the workspace, or back after a deactivation.
    pub added: usize,
    /// Active, with a field that differs.
    pub modified: usize,
    /// Active, absent from the manifest, switched off.
    pub deactivated: usize,
    /// Equal.
    pub unchanged: usize,
    /// Active, absent from the manifest, left as they are.
    pub untouched: usize,
}

impl Summary {
    /// How many policies would be written or switched off.
    pub fn changes(&self) -> usize {
        self.added + self.modified + self.deactivated
    }

    /// How many policies are active before the change.
    pub fn active(&self) -> usize {
        self.modified + self.deactivated + self.unchanged + self.untouched
    }
}

/// What happens to one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// It becomes active.
    Add,
    /// Fields of it change.
    Modify,
    /// It is switched off and kept.
    Deactivate,
    /// It is equal on both sides.
    Unchanged,
    /// The manifest does not name it, and it stays.
    Untouched,
}

/// One policy of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct Change {
    /// The policy's name.
    pub name: String,
    /// What happens to it.
    pub action: ChangeAction,
    /// Whether an add brings back a policy that was deactivated.
    pub reactivated: bool,
    /// Every field of an add, the changed ones of a modification, none otherwise.
    pub fields: Vec<FieldChange>,
}

/// One changed field of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct FieldChange {
    /// The field, or a place in the conditions: `conditions.rules[1].value`.
    pub field: String,
    /// Its value in the workspace; null throughout for an add.
    #[schemars(with = "serde_json::Value")]
    pub before: Value<'static>,
    /// Its value in the manifest.
    #[schemars(with = "serde_json::Value")]
    pub after: Value<'static>,
}

impl Plan {
    /// The document of a plan that was not applied.
    pub fn new(
        plan: &crate::Plan,
        workspace: Option<WorkspaceRef>,
        manifest: ManifestRef,
        dry_run: bool,
    ) -> Self {
        Self {
            workspace,
            mode: plan.mode(),
            dry_run,
            applied: false,
            manifest,
            summary: plan.summary(),
            changes: plan.changes(),
            notes: plan.notes().to_vec(),
            drift: None,
            event: None,
            checkpoint: None,
        }
    }

    /// The document of what turns the policies of one manifest into those of another, which was read from `file`.
    pub fn between(
        current: &crate::Manifest,
        desired: &crate::Manifest,
        file: Option<&str>,
        mode: Mode,
    ) -> Self {
        let current = crate::State {
            active: current.policies().clone(),
            ..crate::State::default()
        };
        let plan = crate::Plan::new(&current, desired.policies(), mode);
        Self::new(&plan, None, ManifestRef::new(file, desired), true)
    }
}

impl ManifestRef {
    /// Names a manifest that was read from `file`.
    pub fn new(file: Option<&str>, manifest: &crate::Manifest) -> Self {
        Self {
            file: file.map(str::to_owned),
            sha256: hex(&manifest.sha256()),
            rendered_sha256: manifest.rendered_sha256().map(|hash| hex(&hash)),
            version: manifest.version().to_owned(),
            policies: manifest.policies().len(),
        }
    }
}
