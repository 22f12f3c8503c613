//! Decisions: which policies decide about an action, and how.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::action::{Action, Lookup};
use crate::condition::{Comparison, Conditions, Fields, Joint, Trace, Truth};
use crate::limits::{self, TRACE_BYTES};
use crate::policy::{AllowList, Policy, PolicySet};
use crate::value::Value;
use crate::view::{Decision, PolicyResult, RuleResult, Status};

/// Policies by action type, without regard to ASCII case.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Those of a concrete type, and of `TYPE.*`. The key of a level is what its policies say.
    // INVARIANT: no level is empty.
    levels: HashTable<Level>,
    state: RandomState,
    /// Those of `*`.
    any: Level,
}

/// The policies that share an action type, in name order.
#[derive(Debug, Default)]
pub(crate) struct Level {
    policies: Vec<Arc<Policy>>,
    /// What the conditions of several policies have in common, made at first use.
    joint: OnceLock<Box<Joint>>,
    /// Tells it from the other levels of its index; 0 for the one that decides about everything else.
    id: u32,
    /// How many rules a trace has.
    rules: u32,
}

/// An action type in lower case, or what stands before `.*`.
#[derive(Debug, Clone, Copy)]
struct Key<'k> {
    text: &'k str,
    is_below: bool,
}

impl<'k> Key<'k> {
    fn of(action_type: &'k str) -> Self {
        match action_type.strip_suffix(".*") {
            Some(text) => Self {
                text,
                is_below: true,
            },
            None => Self {
                text: action_type,
                is_below: false,
            },
        }
    }

    fn hash(self, state: &RandomState) -> u64 {
        let mut hasher = state.build_hasher();
        hasher.write(self.text.as_bytes());
        hasher.write_u8(self.is_below.into());
        hasher.finish()
    }

    fn matches(self, level: &Level) -> bool {
        let own = level
            .policies
            .first()
            .map(|policy| Key::of(policy.action_type()));
        own.is_some_and(|own| {
            own.is_below == self.is_below
                && (own.text == self.text || own.text.eq_ignore_ascii_case(self.text))
        })
    }

    /// What lies above: everything below what stands before the last dot.
    fn above(self) -> Option<Self> {
        let (text, _) = self.text.rsplit_once('.')?;
        Some(Self {
            text,
            is_below: true,
        })
    }
}

impl Index {
    pub(crate) fn new<'p>(policies: impl Iterator<Item = &'p Arc<Policy>>) -> Self {
        let mut index = Self::default();
        for policy in policies {
            index.add(policy);
        }
        index.any.finish();
        index.levels.iter_mut().for_each(Level::finish);
        index
    }

    fn add(&mut self, policy: &Arc<Policy>) {
        let lower = policy.action_type().to_ascii_lowercase();
        if lower == "*" {
            self.any.policies.push(Arc::clone(policy));
            return;
        }
        let key = Key::of(&lower);
        let rehash = |level: &Level| {
            let lower = level
                .policies
                .first()
                .map(|policy| policy.action_type().to_ascii_lowercase());
            Key::of(&lower.unwrap_or_default()).hash(&self.state)
        };
        let id = u32::try_from(self.levels.len() + 1).unwrap_or(u32::MAX);
        match self
            .levels
            .entry(key.hash(&self.state), |level| key.matches(level), rehash)
        {
            Entry::Occupied(mut entry) => entry.get_mut().policies.push(Arc::clone(policy)),
            Entry::Vacant(entry) => {
                entry.insert(Level {
                    policies: vec![Arc::clone(policy)],
                    id,
                    ..Level::default()
                });
            }
        }
    }

    /// The policies that share the most specific action type matching `action_type`: itself, then the longest
    /// `TYPE.*`, then `*`. Given a pattern, the level that decides about the types below it that no other
    /// policy names.
    pub(crate) fn level(&self, action_type: &str) -> &Level {
        let own = Key::of(action_type);
        // Most are written in lower case: whether that is so matters only to those that are not found as they are.
        if let Some(level) = self.find(own) {
            return level;
        }
        let is_lower = !action_type.bytes().any(|byte| byte.is_ascii_uppercase());
        if is_lower {
            return self.find_from(own.above());
        }
        let lower = action_type.to_ascii_lowercase();
        self.find_from(Some(Key::of(&lower)))
    }

    /// The level of a key in lower case, or of the nearest one above it.
    fn find_from(&self, mut next: Option<Key<'_>>) -> &Level {
        while let Some(key) = next {
            if let Some(level) = self.find(key) {
                return level;
            }
            next = key.above();
        }
        &self.any
    }

    /// The level of a key in lower case.
    fn find(&self, key: Key<'_>) -> Option<&Level> {
        let hash = key.hash(&self.state);
        self.levels.find(hash, |level| key.matches(level))
    }
}

impl Level {
    pub(crate) fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    fn finish(&mut self) {
        let rules: usize = self.policies.iter().map(|policy| policy.rules()).sum();
        self.rules = u32::try_from(rules).unwrap_or(u32::MAX);
    }

    /// What the conditions of the policies have in common, if there are several.
    fn joint(&self) -> Option<&Joint> {
        let documents = || self.policies.iter().map(|policy| policy.conditions());
        let joint = || self.joint.get_or_init(|| Box::new(Joint::of(documents())));
        (self.policies.len() > 1).then(|| &**joint())
    }

    /// What the comparisons of the policies read from an action.
    fn find<'a>(&'a self, action: &'a Action<'a>) -> Vec<Lookup<'a>> {
        if let Some(joint) = self.joint() {
            return joint.find(action);
        }
        let mut found = Vec::new();
        if let [policy] = self.policies.as_slice()
            && let Some(conditions) = policy.conditions()
        {
            found.reserve_exact(conditions.comparisons());
            let mut find = |comparison: &Comparison| found.push(action.lookup(comparison.path()));
            conditions.root().each_comparison(&mut find);
        }
        found
    }

    /// What the conditions of a policy read.
    fn fields<'f, 'a>(&'f self, at: usize, found: &'f [Lookup<'a>]) -> Fields<'f, 'a> {
        match self.joint() {
            Some(joint) => joint.fields(at, found),
            None => Fields::Own(found),
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
            let test = |conditions: &Conditions| conditions.test(action);
            tally.add(policy, policy.test(action, test));
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
    found: Vec<Lookup<'a>>,
}

impl<'a> Prepared<'a> {
    fn new(level: &'a Level, action: &'a Action<'a>) -> Self {
        let found = level.find(action);
        Self {
            level,
            action,
            found,
        }
    }

    /// Tells apart, within one set, which policies decide. The decisions of one level differ in the status and what
    /// belongs to it, in each rule's `actual`, `result` and `reason` and in each policy's `result`; all else is the same.
    pub fn level(&self) -> u32 {
        self.level.id
    }

    /// What [`PolicySet::verdict`] says.
    pub fn verdict(&self) -> Verdict<'a> {
        let mut tally = Tally::default();
        match self.level.joint() {
            None => {
                for policy in self.level.policies() {
                    let test = |conditions: &Conditions| conditions.test_found(&self.found);
                    tally.add(policy, policy.test(self.action, test));
                }
            }
            Some(joint) => {
                let mut answers = joint.answers(&self.found);
                for (at, policy) in self.level.policies().iter().enumerate() {
                    let test = |conditions: &Conditions| answers.test(at, conditions);
                    tally.add(policy, policy.test(self.action, test));
                }
            }
        }
        tally.verdict()
    }

    /// What [`PolicySet::decide`] says.
    pub fn decide(&self) -> Decision<'a> {
        let mut left = TRACE_BYTES;
        let mut tally = Tally::default();
        let mut rules = Vec::with_capacity(self.level.rules as usize);
        let mut policies = Vec::with_capacity(self.level.policies.len());
        for (at, policy) in self.level.policies.iter().enumerate() {
            let name = policy.name();
            let fields = self.level.fields(at, &self.found);
            let result = policy.trace(self.action, &fields, &mut left, |trace| {
                rules.push(RuleResult::new(name, trace));
            });
            policies.push(PolicyResult {
                name: name.into(),
                result: result.as_bool(),
                approval_required: policy.approval_required(),
            });
            tally.add(policy, result);
        }
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
    /// Whether the policy's predicate holds; `test` is asked about its conditions.
    fn test(&self, action: &Action<'_>, test: impl FnOnce(&Conditions) -> Truth) -> Truth {
        let admits = |field, list: &AllowList| list.admits(action.metadata().get(field)).0;
        let mut result = Truth::True;
        if let Some(repos) = self.allowed_repos() {
            result = admits("repo", repos);
        }
        if let Some(branches) = self.allowed_branches() {
            result = result.and(admits("branch", branches));
        }
        match self.conditions() {
            Some(conditions) if result == Truth::True => test(conditions),
            Some(conditions) if result == Truth::Unknown => result.and(test(conditions)),
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
