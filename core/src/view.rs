//! Every document that leaves the product: one set of types for `--format json`, HTTP, Python and Node.
//!
//! Keys are in snake case, always present, and `null` when empty.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{self, Kind};
use crate::hash::{hex, sha256};
use crate::value::{Operand, Value};

/// Where an error or a warning stands, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Error {
    /// The code, from the table of codes.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The policy concerned.
    pub policy: Option<String>,
    /// The file concerned, as it was named.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1, in Unicode scalar values.
    pub column: Option<u32>,
    /// What to do about it.
    pub help: Option<String>,
    /// The plan that was refused.
    pub plan: Option<Box<Plan>>,
    /// Places that belong to the error, then the other errors of the run.
    pub related: Vec<Error>,
}

/// The document of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorDocument {
    /// The first error in file order.
    pub error: Error,
}

impl From<&error::Error> for ErrorDocument {
    fn from(error: &error::Error) -> Self {
        let mut all = error.diagnostics().map(Error::from);
        let mut primary = all.next().unwrap_or_else(Error::nothing);
        primary.related.extend(all);
        Self { error: primary }
    }
}

impl Error {
    fn nothing() -> Self {
        Self {
            code: error::Code::Internal.as_str().to_owned(),
            message: String::new(),
            policy: None,
            file: None,
            line: None,
            column: None,
            help: None,
            plan: None,
            related: Vec::new(),
        }
    }
}

impl From<&error::Diagnostic> for Error {
    fn from(diagnostic: &error::Diagnostic) -> Self {
        let code = diagnostic.kind.as_str();
        let related = diagnostic.related.iter().map(|related| Self {
            code: code.to_owned(),
            message: related.message.clone(),
            policy: diagnostic.policy.clone(),
            file: related.file.clone(),
            line: related.place.map(|place| place.line),
            column: related.place.map(|place| place.column),
            ..Self::nothing()
        });
        Self {
            code: code.to_owned(),
            message: diagnostic.message.clone(),
            policy: diagnostic.policy.clone(),
            file: diagnostic.file.clone(),
            line: diagnostic.place.map(|place| place.line),
            column: diagnostic.place.map(|place| place.column),
            help: diagnostic.help.clone(),
            plan: None,
            related: related.collect(),
        }
    }
}

/// `al validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Validation {
    /// Whether every file is valid.
    pub valid: bool,
    /// Every file that was named, in that order.
    pub files: Vec<ValidatedFile>,
    /// Errors and warnings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

/// One file of `al validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ValidatedFile {
    /// The file, as it was named.
    pub file: String,
    /// Whether it has no error.
    pub valid: bool,
    /// Its manifest version, where that could be read.
    pub manifest_version: Option<String>,
    /// How many policies it holds; null if it is not valid.
    pub policies: Option<usize>,
    /// SHA-256 of its bytes; null if it could not be read.
    pub sha256: Option<String>,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It refuses the file.
    Error,
    /// It does not.
    Warning,
}

/// A finding of `al validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The policy concerned.
    pub policy: Option<String>,
    /// The file concerned, as it was named.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1, in Unicode scalar values.
    pub column: Option<u32>,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// What stands there.
    pub message: String,
    /// The file, as it was named.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
}

impl From<&error::Diagnostic> for Diagnostic {
    fn from(diagnostic: &error::Diagnostic) -> Self {
        Self {
            severity: match diagnostic.kind {
                Kind::Error(_) => Severity::Error,
                Kind::Warning(_) => Severity::Warning,
            },
            code: diagnostic.kind.as_str().to_owned(),
            message: diagnostic.message.clone(),
            policy: diagnostic.policy.clone(),
            file: diagnostic.file.clone(),
            line: diagnostic.place.map(|place| place.line),
            column: diagnostic.place.map(|place| place.column),
            help: diagnostic.help.clone(),
            related: diagnostic
                .related
                .iter()
                .map(|related| Related {
                    message: related.message.clone(),
                    file: related.file.clone(),
                    line: related.place.map(|place| place.line),
                    column: related.place.map(|place| place.column),
                })
                .collect(),
        }
    }
}

/// How a manifest meets what it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// The audit event of an import that was applied.
    pub event: Option<Event>,
    /// The audit log's checkpoint after it.
    pub checkpoint: Option<String>,
}

/// Which workspace a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkspaceRef {
    /// UUID.
    pub id: String,
    /// Name, unique in its store.
    pub name: String,
    /// Organisation name, for people.
    pub org_name: String,
}

/// Which manifest a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ManifestRef {
    /// The file, as it was named.
    pub file: Option<String>,
    /// SHA-256 of the bytes as read.
    pub sha256: String,
    /// Its manifest version.
    pub version: String,
    /// How many policies it holds.
    pub policies: usize,
}

/// A manifest that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Manifest {
    /// The file, as it was named.
    pub file: Option<String>,
    /// SHA-256 of the bytes as read.
    pub sha256: String,
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
            manifest_version: manifest.version().to_owned(),
            exported_at: manifest.exported_at().map(|time| time.to_string()),
            org_name: manifest.org_name().map(str::to_owned),
            policies: policies.collect(),
            circuit_breakers: manifest.breakers().iter().map(Breaker::from).collect(),
        }
    }
}

/// Counts of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
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
}

/// What happens to one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldChange {
    /// The field, or a place in the conditions: `conditions.rules[1].value`.
    pub field: String,
    /// Its value in the workspace; null throughout for an add.
    #[schemars(with = "serde_json::Value")]
    pub before: Value,
    /// Its value in the manifest.
    #[schemars(with = "serde_json::Value")]
    pub after: Value,
}

/// How an action is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No policy names this action type: blocked.
    PolicyNotFound,
    /// No policy of the deciding level grants it: blocked.
    Denied,
    /// A human must approve.
    Requested,
    /// It runs at once.
    Executed,
}

impl Status {
    /// Every status, from the strictest on.
    pub const ALL: &'static [Status] = &[
        Status::PolicyNotFound,
        Status::Denied,
        Status::Requested,
        Status::Executed,
    ];

    /// The status as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::PolicyNotFound => "policy_not_found",
            Status::Denied => "denied",
            Status::Requested => "requested",
            Status::Executed => "executed",
        }
    }
}

/// A decision with its trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// How the action is met.
    pub status: Status,
    /// `CONDITIONS_DENIED`, or null unless denied.
    pub denial_reason: Option<String>,
    /// The policy that decided; null if none was found.
    pub policy_name: Option<String>,
    /// Hours until an approval expires, null unless requested.
    pub approval_timeout_hours: Option<u16>,
    /// Every rule of every policy of the deciding level, by policy name, then in document order.
    pub conditions_evaluated: Vec<RuleResult>,
    /// The policies of the deciding level, by name.
    pub policies: Vec<PolicyResult>,
}

/// One rule of a decision's trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleResult {
    /// The policy's name.
    pub policy: String,
    /// The path, or `repo` or `branch` for an allow-list.
    pub field: String,
    /// The operator's canonical name, or `allowed_repos` or `allowed_branches`.
    pub operator: String,
    /// What the rule compares with; null where the operator takes no value.
    #[schemars(with = "serde_json::Value")]
    pub expected: Option<Operand>,
    /// What the action holds; null where it holds nothing, and where the values of the trace would take more than
    /// 8 MiB together.
    #[schemars(with = "serde_json::Value")]
    pub actual: Option<Value>,
    /// True, false, or null for unknown.
    pub result: Option<bool>,
    /// Why the result is unknown; null otherwise.
    pub reason: Option<String>,
}

/// One policy of a decision's trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyResult {
    /// The policy's name.
    pub name: String,
    /// True, false, or null for unknown.
    pub result: Option<bool>,
    /// Whether it asks for approval.
    pub approval_required: bool,
}

/// What conditions alone, without a policy around them, say about an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evaluation {
    /// True, false, or null for unknown.
    pub result: Option<bool>,
    /// Every rule in document order.
    pub conditions_evaluated: Vec<ConditionResult>,
}

/// One rule of an evaluation: that of a decision's trace, without the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConditionResult {
    /// The path.
    pub field: String,
    /// The operator's canonical name.
    pub operator: String,
    /// What the rule compares with; null where the operator takes no value.
    #[schemars(with = "serde_json::Value")]
    pub expected: Option<Operand>,
    /// What the action holds; null as in a decision's trace.
    #[schemars(with = "serde_json::Value")]
    pub actual: Option<Value>,
    /// True, false, or null for unknown.
    pub result: Option<bool>,
    /// Why the result is unknown; null otherwise.
    pub reason: Option<String>,
}

impl Evaluation {
    /// Evaluates conditions for an action.
    pub fn new(conditions: &crate::Conditions, action: &crate::Action) -> Self {
        let (result, traces) = conditions.evaluate(action);
        let rules = traces.into_iter().map(|trace| ConditionResult {
            field: trace.field,
            operator: trace.operator.to_owned(),
            expected: trace.expected,
            actual: trace.actual,
            result: trace.result.as_bool(),
            reason: trace.reason,
        });
        Self {
            result: result.as_bool(),
            conditions_evaluated: rules.collect(),
        }
    }
}

/// An audit event with the names that its digest covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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

/// `al workspace create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Workspaces {
    /// By name.
    pub workspaces: Vec<Workspace>,
}

/// `al workspace show`, and one of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Keys {
    /// In order of creation.
    pub keys: Vec<Key>,
}

/// One key of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Breakers {
    /// By anomaly type.
    pub breakers: Vec<Breaker>,
}

/// A circuit breaker, kept for reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
            version: manifest.version().to_owned(),
            policies: manifest.policies().len(),
        }
    }
}

impl Default for Validation {
    /// No files yet, and so nothing that is not valid.
    fn default() -> Self {
        Self {
            valid: true,
            files: Vec::new(),
            diagnostics: Vec::new(),
        }
    }
}

impl Validation {
    /// Checks one more file, or records why its bytes could not be read. Returns what was found, with the spans
    /// that the document leaves out.
    pub fn add(
        &mut self,
        file: &str,
        bytes: Result<&[u8], error::Error>,
    ) -> Vec<error::Diagnostic> {
        let (validation, sha256) = match bytes {
            Ok(bytes) => (crate::validate(bytes), Some(hex(&sha256(bytes)))),
            Err(error) => {
                let unread = crate::Validation {
                    version: None,
                    manifest: None,
                    diagnostics: error.into_diagnostics(),
                };
                (unread, None)
            }
        };
        let valid = validation.manifest.is_some();
        self.valid &= valid;
        self.files.push(ValidatedFile {
            file: file.to_owned(),
            valid,
            manifest_version: validation.version,
            policies: validation
                .manifest
                .map(|manifest| manifest.policies().len()),
            sha256,
        });
        let mut found = validation.diagnostics;
        for diagnostic in &mut found {
            diagnostic.set_file(file);
        }
        self.diagnostics.extend(found.iter().map(Diagnostic::from));
        found
    }
}
