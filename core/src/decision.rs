//! Decisions: which policies decide about an action, and how.

use std::collections::HashMap;
use std::sync::Arc;

use crate::action::Action;
use crate::condition::{Trace, Tracer, Truth};
use crate::limits;
use crate::policy::{AllowList, Policy, PolicySet};
use crate::value::{Operand, Scalar, Value};
use crate::view::{Decision, PolicyResult, RuleResult, Status};

/// Policies by action type, in name order, without regard to ASCII case.
#[derive(Debug, Default)]
pub(crate) struct Index(HashMap<String, Vec<Arc<Policy>>>);

impl Index {
    pub(crate) fn new<'p>(policies: impl Iterator<Item = &'p Arc<Policy>>) -> Self {
        let mut levels: HashMap<String, Vec<Arc<Policy>>> = HashMap::new();
        for policy in policies {
            let key = policy.action_type().to_ascii_lowercase();
            levels.entry(key).or_default().push(Arc::clone(policy));
        }
        Self(levels)
    }

    /// The policies that share the most specific action type matching `action_type`: itself, then the longest
    /// `TYPE.*`, then `*`. Given a pattern, the level that decides about the types below it that no other
    /// policy names.
    pub(crate) fn level(&self, action_type: &str) -> &[Arc<Policy>] {
        let mut key = action_type.to_ascii_lowercase();
        let mut parent = key.len();
        loop {
            if let Some(level) = self.0.get(&key) {
                return level;
            }
            key.truncate(parent);
            match key.rfind('.') {
                Some(dot) => {
                    key.truncate(dot);
                    parent = dot;
                    key.push_str(".*");
                }
                None if parent == 0 => return &[],
                None => {
                    parent = 0;
                    key.clear();
                    key.push('*');
                }
            }
        }
    }
}

impl PolicySet {
    /// Decides about an action, with the whole trace.
    ///
    /// ```
    /// use lattice_core::{Action, Manifest, view::Status};
    ///
    /// let manifest = Manifest::parse(
    ///     b"manifest_version: '1.0'
    /// policies:
    ///   - name: audit-all-writes
    ///     action_type: db.write
    ///     approval_required: false
    ///     allowed_repos: null
    ///     allowed_branches: null
    ///     conditions: null
    /// ",
    /// )?;
    /// let action = Action::parse(br#"{"action_type": "db.write"}"#)?;
    /// assert_eq!(manifest.policies().decide(&action).status, Status::Executed);
    /// # Ok::<(), lattice_core::Error>(())
    /// ```
    pub fn decide(&self, action: &Action) -> Decision {
        let level = self.index().level(action.action_type());
        let mut tracer = Tracer::new();
        let mut conditions_evaluated = Vec::new();
        let mut policies = Vec::with_capacity(level.len());
        let mut results = Vec::with_capacity(level.len());
        for policy in level {
            let result = policy.evaluate(action, &mut tracer);
            conditions_evaluated.extend(tracer.take().into_iter().map(|trace| RuleResult {
                policy: policy.name().to_owned(),
                field: trace.field,
                operator: trace.operator.to_owned(),
                expected: trace.expected,
                actual: trace.actual,
                result: trace.result.as_bool(),
                reason: trace.reason,
            }));
            policies.push(PolicyResult {
                name: policy.name().to_owned(),
                result: result.as_bool(),
                approval_required: policy.approval_required(),
            });
            results.push((policy.as_ref(), result));
        }
        let (status, decider) = conclude(&results);
        Decision {
            status,
            denial_reason: (status == Status::Denied).then(|| "CONDITIONS_DENIED".to_owned()),
            policy_name: decider.map(|policy| policy.name().to_owned()),
            approval_timeout_hours: decider
                .filter(|_| status == Status::Requested)
                .map(Policy::approval_timeout_hours),
            conditions_evaluated,
            policies,
        }
    }
}

/// The status, and the policy that decided; `results` is the deciding level in name order.
fn conclude<'p>(results: &[(&'p Policy, Truth)]) -> (Status, Option<&'p Policy>) {
    let Some(&(first, _)) = results.first() else {
        return (Status::PolicyNotFound, None);
    };
    let Some(&(grant, _)) = results.iter().find(|(_, result)| *result == Truth::True) else {
        return (Status::Denied, Some(first));
    };
    // Unknown takes the stricter branch: it may not grant, but it may ask for approval.
    let approver = results
        .iter()
        .filter(|(policy, result)| policy.approval_required() && *result != Truth::False)
        .map(|&(policy, _)| policy)
        .min_by_key(|policy| policy.approval_timeout_hours());
    match approver {
        Some(policy) => (Status::Requested, Some(policy)),
        None => (Status::Executed, Some(grant)),
    }
}

impl Policy {
    /// Whether the policy's predicate holds; every rule's outcome goes to the tracer, allow-lists first.
    fn evaluate(&self, action: &Action, tracer: &mut Tracer) -> Truth {
        let mut result = Truth::True;
        let lists = [
            ("repo", "allowed_repos", self.allowed_repos()),
            ("branch", "allowed_branches", self.allowed_branches()),
        ];
        for (field, operator, list) in lists {
            let Some(list) = list else { continue };
            let value = action.metadata.get(field);
            let (truth, reason) = list.admits(field, value);
            result = result.and(truth);
            let actual = value.and_then(|value| tracer.copy(value));
            tracer.push(Trace {
                field: field.to_owned(),
                operator,
                expected: Some(Operand::List(list.scalars())),
                actual,
                result: truth,
                reason,
            });
        }
        match self.conditions() {
            Some(conditions) => result.and(conditions.trace(action, tracer)),
            None => result,
        }
    }
}

impl AllowList {
    /// Whether the list admits a value, and why that is unknown.
    fn admits(&self, field: &str, value: Option<&Value>) -> (Truth, Option<String>) {
        let unknown = |reason: String| (Truth::Unknown, Some(reason));
        match value {
            _ if self.patterns().is_empty() => (Truth::False, None),
            None => unknown(format!("`{field}` is missing")),
            Some(Value::String(text)) if text.len() > limits::TEXT_BYTES => unknown(format!(
                "`{field}` is longer than {} bytes",
                limits::TEXT_BYTES
            )),
            Some(Value::String(text)) => {
                let admitted = self.patterns().iter().any(|glob| glob.matches(text));
                (Truth::from(admitted), None)
            }
            Some(Value::Null) => unknown(format!("`{field}` is null")),
            Some(other) => unknown(format!("`{field}` is {}, not a string", other.kind())),
        }
    }

    fn scalars(&self) -> Vec<Scalar> {
        self.texts()
            .map(|text| Scalar::String(text.to_owned()))
            .collect()
    }
}
