//! Decisions and evaluations with their traces.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::condition::Trace;
use crate::value::{Operand, Value};

/// How an action is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision<'a> {
    /// How the action is met.
    pub status: Status,
    /// `CONDITIONS_DENIED`, or null unless denied.
    pub denial_reason: Option<Cow<'a, str>>,
    /// The policy that decided; null if none was found.
    pub policy_name: Option<Cow<'a, str>>,
    /// Hours until an approval expires, null unless requested.
    pub approval_timeout_hours: Option<u16>,
    /// Every rule of every policy of the deciding level, by policy name, then in document order.
    pub conditions_evaluated: Vec<RuleResult<'a>>,
    /// The policies of the deciding level, by name.
    pub policies: Vec<PolicyResult<'a>>,
}

/// One rule of a decision's trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleResult<'a> {
    /// The policy's name.
    pub policy: Cow<'a, str>,
    /// The path, or `repo` or `branch` for an allow-list.
    pub field: Cow<'a, str>,
    /// The operator's canonical name, or `allowed_repos` or `allowed_branches`.
    pub operator: Cow<'a, str>,
    /// What the rule compares with; null where the operator takes no value.
    #[schemars(with = "serde_json::Value")]
    pub expected: Option<Cow<'a, Operand>>,
    /// What the action holds; null where it holds nothing, and from the value on with which those of the trace would
    /// take more than 8 MiB together.
    #[serde(deserialize_with = "actual")]
    #[schemars(with = "serde_json::Value")]
    pub actual: Option<Value<'a>>,
    /// True, false, or null for unknown.
    pub result: Option<bool>,
    /// Why the result is unknown; null otherwise.
    pub reason: Option<String>,
}

/// Reads a value that borrows nothing.
fn actual<'de, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value<'a>>, D::Error> {
    Option::<Value<'static>>::deserialize(deserializer)
}

/// One policy of a decision's trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyResult<'a> {
    /// The policy's name.
    pub name: Cow<'a, str>,
    /// True, false, or null for unknown.
    pub result: Option<bool>,
    /// Whether it asks for approval.
    pub approval_required: bool,
}

impl Decision<'_> {
    /// The decision with copies of what it borrows.
    pub fn into_owned(self) -> Decision<'static> {
        let rules = self.conditions_evaluated.into_iter();
        let policies = self.policies.into_iter();
        Decision {
            status: self.status,
            denial_reason: self.denial_reason.map(owned),
            policy_name: self.policy_name.map(owned),
            approval_timeout_hours: self.approval_timeout_hours,
            conditions_evaluated: rules.map(RuleResult::into_owned).collect(),
            policies: policies
                .map(|policy| PolicyResult {
                    name: owned(policy.name),
                    ..policy
                })
                .collect(),
        }
    }
}

impl<'a> RuleResult<'a> {
    pub(crate) fn new(policy: &'a str, trace: Trace<'a>) -> Self {
        Self {
            policy: policy.into(),
            field: trace.field.into(),
            operator: trace.operator.into(),
            expected: trace.expected.map(Cow::Borrowed),
            // Null is what a document says of a field that is not there, too.
            actual: trace
                .actual
                .filter(|value| !matches!(value, Value::Null))
                .map(Value::borrowed),
            result: trace.result.as_bool(),
            reason: trace.reason,
        }
    }

    fn into_owned(self) -> RuleResult<'static> {
        RuleResult {
            policy: owned(self.policy),
            field: owned(self.field),
            operator: owned(self.operator),
            expected: self.expected.map(owned),
            actual: self.actual.map(Value::into_owned),
            result: self.result,
            reason: self.reason,
        }
    }
}

fn owned<T: ToOwned + ?Sized>(borrowed: Cow<'_, T>) -> Cow<'static, T> {
    Cow::Owned(borrowed.into_owned())
}

/// What conditions alone, without a policy around them, say about an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evaluation<'a> {
    /// True, false, or null for unknown.
    pub result: Option<bool>,
    /// Every rule in document order.
    pub conditions_evaluated: Vec<ConditionResult<'a>>,
}

/// One rule of an evaluation: that of a decision's trace, without the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConditionResult<'a> {
    /// The path.
    pub field: &'a str,
    /// The operator's canonical name.
    pub operator: &'a str,
    /// What the rule compares with; null where the operator takes no value.
    #[schemars(with = "serde_json::Value")]
    pub expected: Option<&'a Operand>,
    /// What the action holds; null as in a decision's trace.
    #[schemars(with = "serde_json::Value")]
    pub actual: Option<&'a Value<'a>>,
    /// True, false, or null for unknown.
    pub result: Option<bool>,
    /// Why the result is unknown; null otherwise.
    pub reason: Option<String>,
}

impl<'a> Evaluation<'a> {
    /// Evaluates conditions for an action.
    pub fn new(conditions: &'a crate::Conditions, action: &'a crate::Action) -> Self {
        let (result, traces) = conditions.evaluate(action);
        let rules = traces.into_iter().map(|trace| ConditionResult {
            field: trace.field,
            operator: trace.operator,
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
