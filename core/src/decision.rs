//! Decisions: which policies decide about an action, and how.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::action::{Action, Lookup};
use crate::condition::{Conditions, Fields, Path, Trace, Truth};
use crate::limits::{self, TRACE_BYTES};
use crate::policy::{AllowList, Policy, PolicySet};
use crate::value::Value;
use crate::view::{Decision, PolicyResult, RuleResult, Status};

// Who sends an action cannot add to the map, so that a hash which can be foreseen does no harm.
type Map<T> = HashMap<Box<str>, T, foldhash::fast::FixedState>;

/// Policies by action type, without regard to ASCII case.
#[derive(Debug, Default)]
pub(crate) struct Index {
    exact: Map<Level>,
    /// By what stands before `.*`.
    below: Map<Level>,
    any: Level,
}

/// The policies that share an action type, in name order.
#[derive(Debug, Default)]
pub(crate) struct Level {
    /// Tells it from the other levels of its index; 0 for the one that decides about everything else.
    id: usize,
    policies: Vec<Arc<Policy>>,
    /// The paths that several policies read, each once; empty for a lone policy, whose comparisons have a field each.
    paths: Vec<Arc<Path>>,
    /// For each comparison of each policy, in their order, which of the paths it reads.
    slots: Vec<u32>,
    /// How many rules a trace has.
    rules: usize,
}

impl Index {
    pub(crate) fn new<'p>(policies: impl Iterator<Item = &'p Arc<Policy>>) -> Self {
        let mut index = Self::default();
        for policy in policies {
            let mut key = policy.action_type().to_ascii_lowercase();
            let level = if key == "*" {
                &mut index.any
            } else if key.ends_with(".*") {
                key.truncate(key.len() - ".*".len());
                index.below.entry(key.into()).or_default()
            } else {
                index.exact.entry(key.into()).or_default()
            };
            level.policies.push(Arc::clone(policy));
        }
        index.any.finish(0);
        for (level, id) in index
            .exact
            .values_mut()
            .chain(index.below.values_mut())
            .zip(1..)
        {
            level.finish(id);
        }
        index
    }

    /// The policies that share the most specific action type matching `action_type`: itself, then the longest
    /// `TYPE.*`, then `*`. Given a pattern, the level that decides about the types below it that no other
    /// policy names.
    pub(crate) fn level(&self, action_type: &str) -> &Level {
        let mut key = Cow::Borrowed(action_type);
        if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
            key.to_mut().make_ascii_lowercase();
        }
        let mut rest = match key.strip_suffix(".*") {
            Some(prefix) => prefix,
            None => match self.exact.get(&*key) {
                Some(level) => return level,
                None => parent(&key),
            },
        };
        while !rest.is_empty() {
            if let Some(level) = self.below.get(rest) {
                return level;
            }
            rest = parent(rest);
        }
        &self.any
    }
}

/// What stands before the last dot; nothing where there is none.
fn parent(action_type: &str) -> &str {
    action_type
        .rsplit_once('.')
        .map_or("", |(parent, _)| parent)
}

impl Level {
    pub(crate) fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    fn finish(&mut self, id: usize) {
        self.id = id;
        self.rules = self.policies.iter().map(|policy| policy.rules()).sum();
        if self.policies.len() < 2 {
            return;
        }
        let mut known: HashMap<&Path, u32> = HashMap::new();
        for conditions in self
            .policies
            .iter()
            .filter_map(|policy| policy.conditions())
        {
            conditions.root().each_comparison(&mut |comparison| {
                let next = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
                let slot = *known.entry(comparison.path()).or_insert_with(|| {
                    self.paths.push(comparison.shared_path());
                    next
                });
                self.slots.push(slot);
            });
        }
    }

    /// What the comparisons of the policies read from an action.
    fn find<'a>(&'a self, action: &'a Action<'a>) -> Vec<Lookup<'a>> {
        if let [policy] = self.policies.as_slice() {
            let mut fields = Vec::with_capacity(self.rules);
            if let Some(conditions) = policy.conditions() {
                let root = conditions.root();
                root.each_comparison(&mut |comparison| {
                    fields.push(action.lookup(comparison.path()));
                });
            }
            return fields;
        }
        self.paths.iter().map(|path| action.lookup(path)).collect()
    }

    /// Shows `visit` each policy with the fields that its conditions read.
    fn each<'a>(
        &'a self,
        fields: &[Lookup<'a>],
        mut visit: impl FnMut(&'a Policy, &Fields<'_, 'a>),
    ) {
        let mut rest = self.slots.as_slice();
        for policy in &self.policies {
            let comparisons = policy.conditions().map_or(0, Conditions::comparisons);
            let (slots, behind) = rest.split_at_checked(comparisons).unwrap_or_default();
            rest = behind;
            visit(policy, &Fields::Found { fields, slots });
        }
    }
}

/// How an action is met, without a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict<'p> {
    /// How the action is met.
    pub status: Status,
    /// The policy that decided; none if none was found.
    pub policy: Option<&'p Policy>,
}

impl Verdict<'_> {
    /// Why the action is denied; `None` unless it is.
    pub fn denial_reason(&self) -> Option<&'static str> {
        (self.status == Status::Denied).then_some("CONDITIONS_DENIED")
    }

    /// Hours until an approval expires; `None` unless one is requested.
    pub fn approval_timeout_hours(&self) -> Option<u16> {
        let policy = self.policy.filter(|_| self.status == Status::Requested);
        policy.map(Policy::approval_timeout_hours)
    }
}

impl PolicySet {
    /// Decides about an action, without a trace: rules that can no longer change a policy's result are skipped.
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
    /// assert_eq!(manifest.policies().verdict(&action).status, Status::Executed);
    /// # Ok::<(), lattice_core::Error>(())
    /// ```
    pub fn verdict<'a>(&'a self, action: &'a Action<'a>) -> Verdict<'a> {
        let level = self.index().level(action.action_type());
        if let [policy] = level.policies() {
            let mut tally = Tally::default();
            tally.add(policy, policy.test(action, &Fields::Of(action)));
            return tally.verdict();
        }
        Prepared::new(level, action).verdict()
    }

    /// Decides about an action, with the whole trace, which borrows from both.
    pub fn decide<'a>(&'a self, action: &'a Action<'a>) -> Decision<'a> {
        self.prepare(action).decide()
    }

    /// Finds the policies that decide about an action, and what they read from it: for who asks for the verdict first
    /// and perhaps for the trace behind it.
    pub fn prepare<'a>(&'a self, action: &'a Action<'a>) -> Prepared<'a> {
        Prepared::new(self.index().level(action.action_type()), action)
    }
}

/// An action beside the policies that decide about it.
#[derive(Debug)]
pub struct Prepared<'a> {
    level: &'a Level,
    action: &'a Action<'a>,
    fields: Vec<Lookup<'a>>,
}

impl<'a> Prepared<'a> {
    fn new(level: &'a Level, action: &'a Action<'a>) -> Self {
        let fields = level.find(action);
        Self {
            level,
            action,
            fields,
        }
    }

    /// Tells apart, within one set, which policies decide. The decisions of one level differ in the status and what
    /// belongs to it, and in each rule's `actual`, `result` and `reason`; all else is the same.
    pub fn level(&self) -> usize {
        self.level.id
    }

    /// What [`PolicySet::verdict`] says.
    pub fn verdict(&self) -> Verdict<'a> {
        let mut tally = Tally::default();
        self.level.each(&self.fields, |policy, fields| {
            tally.add(policy, policy.test(self.action, fields));
        });
        tally.verdict()
    }

    /// What [`PolicySet::decide`] says.
    pub fn decide(&self) -> Decision<'a> {
        let mut left = TRACE_BYTES;
        let mut tally = Tally::default();
        let mut rules = Vec::with_capacity(self.level.rules);
        let mut policies = Vec::with_capacity(self.level.policies.len());
        self.level.each(&self.fields, |policy, fields| {
            let name = policy.name();
            let result = policy.trace(self.action, fields, &mut left, |trace| {
                rules.push(RuleResult::new(name, trace));
            });
            policies.push(PolicyResult {
                name: name.into(),
                result: result.as_bool(),
                approval_required: policy.approval_required(),
            });
            tally.add(policy, result);
        });
        let verdict = tally.verdict();
        Decision {
            status: verdict.status,
            denial_reason: verdict.denial_reason().map(Cow::from),
            policy_name: verdict.policy.map(|policy| policy.name().into()),
            approval_timeout_hours: verdict.approval_timeout_hours(),
            conditions_evaluated: rules,
            policies,
        }
    }
}

/// What the policies of a level, which come in name order, amount to.
#[derive(Default)]
struct Tally<'p> {
    first: Option<&'p Policy>,
    grant: Option<&'p Policy>,
    approver: Option<&'p Policy>,
}

impl<'p> Tally<'p> {
    fn add(&mut self, policy: &'p Policy, result: Truth) {
        self.first.get_or_insert(policy);
        if result == Truth::True {
            self.grant.get_or_insert(policy);
        }
        // Unknown takes the stricter branch: it may not grant, but it may ask for approval.
        if policy.approval_required() && result != Truth::False {
            let hours = policy.approval_timeout_hours();
            let is_shorter = |known: &Policy| hours < known.approval_timeout_hours();
            if self.approver.is_none_or(is_shorter) {
                self.approver = Some(policy);
            }
        }
    }

    fn verdict(self) -> Verdict<'p> {
        let (status, policy) = match (self.first, self.grant, self.approver) {
            (None, _, _) => (Status::PolicyNotFound, None),
            (first, None, _) => (Status::Denied, first),
            (_, Some(_), Some(approver)) => (Status::Requested, Some(approver)),
            (_, grant, None) => (Status::Executed, grant),
        };
        Verdict { status, policy }
    }
}

impl Policy {
    /// Whether the policy's predicate holds.
    fn test<'a>(&'a self, action: &'a Action<'a>, fields: &Fields<'_, 'a>) -> Truth {
        let mut result = Truth::True;
        for (field, _, list) in self.allow_lists() {
            let Some(list) = list else { continue };
            result = result.and(list.admits(action.metadata().get(field)).0);
        }
        match self.conditions() {
            Some(conditions) if result != Truth::False => result.and(conditions.test_in(fields)),
            _ => result,
        }
    }

    /// Whether the policy's predicate holds; every rule's outcome is handed on, allow-lists first.
    fn trace<'a>(
        &'a self,
        action: &'a Action<'a>,
        fields: &Fields<'_, 'a>,
        left: &mut usize,
        mut write: impl FnMut(Trace<'a>),
    ) -> Truth {
        let mut result = Truth::True;
        for (field, operator, list) in self.allow_lists() {
            let Some(list) = list else { continue };
            let value = action.metadata().get(field);
            let (truth, flaw) = list.admits(value);
            result = result.and(truth);
            write(Trace {
                field,
                operator,
                expected: Some(list.operand()),
                actual: value.and_then(|value| value.within(left)),
                result: truth,
                reason: flaw.map(|flaw| format!("`{field}` {flaw}")),
            });
        }
        match self.conditions() {
            Some(conditions) => result.and(conditions.trace_in(fields, left, write)),
            None => result,
        }
    }

    /// Field, operator and list of both allow-lists.
    fn allow_lists(&self) -> [(&'static str, &'static str, Option<&AllowList>); 2] {
        [
            ("repo", "allowed_repos", self.allowed_repos()),
            ("branch", "allowed_branches", self.allowed_branches()),
        ]
    }
}

impl AllowList {
    /// Whether the list admits a value, and why that is unknown.
    fn admits(&self, value: Option<&Value>) -> (Truth, Option<Cow<'static, str>>) {
        let unknown = |flaw| (Truth::Unknown, Some(flaw));
        match value {
            _ if self.patterns().is_empty() => (Truth::False, None),
            None => unknown("is missing".into()),
            Some(Value::String(text)) if text.len() > limits::TEXT_BYTES => {
                unknown(format!("is longer than {} bytes", limits::TEXT_BYTES).into())
            }
            Some(Value::String(text)) => {
                let admitted = self.patterns().iter().any(|glob| glob.matches(text));
                (Truth::from(admitted), None)
            }
            Some(Value::Null) => unknown("is null".into()),
            Some(other) => unknown(format!("is {}, not a string", other.kind()).into()),
        }
    }
}
