//! Decisions and evaluations with their traces.

use schemars::JsonSchema;
use serde::Serialize;

use crate::value::{Operand, Value};

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
