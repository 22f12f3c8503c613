//! The laws of plans and decisions, over generated policies and actions.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail loudly"
)]

#[path = "laws/generate.rs"]
mod generate;
#[path = "laws/naive.rs"]
mod naive;
#[path = "laws/rewrite.rs"]
mod rewrite;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Arc;

use lattice_core::view::{ChangeAction, Decision, Status};
use lattice_core::{Action, Error, Manifest, Mode, Plan, PolicySet, PolicySpec, State, hash};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use generate::{action, comparisons, mode, set, specs, state};
use rewrite::{EDITS, spelling};

fn decide(policies: &PolicySet, action: &Value) -> Decision<'static> {
    let json = action.to_string();
    let action = Action::parse(json.as_bytes()).expect("generated actions parse");
    policies.decide(&action).into_owned()
}

/// All that is said of an error.
fn report(error: &Error) -> Vec<String> {
    let diagnostics = error.diagnostics();
    diagnostics
        .map(|diagnostic| format!("{diagnostic:?}"))
        .collect()
}

/// `policy_not_found` = `denied` < `requested` < `executed`.
fn looseness(status: Status) -> u8 {
    match status {
        Status::PolicyNotFound | Status::Denied => 0,
        Status::Requested => 1,
        Status::Executed => 2,
    }
}

/// A value's type.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "mapping",
    }
}

/// The types that a rule takes; any, if it asks for presence.
fn taken(rule: &Value) -> &'static [&'static str] {
    let value = &rule["value"];
    match rule["operator"].as_str().unwrap() {
        "exists" | "not_exists" | "is_null" | "is_empty" => {
            &["null", "boolean", "number", "string", "list", "mapping"]
        }
        "lt" | "lte" | "gt" | "gte" => &["number"],
        "contains" | "not_contains" if value.is_string() => &["list", "string"],
        "contains" | "not_contains" | "any_in" | "all_in" | "none_in" => &["list"],
        "eq" | "ne" | "in" | "not_in" => match value.get(0).unwrap_or(value) {
            Value::Bool(_) => &["boolean"],
            Value::Number(_) => &["number"],
            _ => &["string"],
        },
        "starts_with" | "regex" | "not_regex" | "full_match" | "glob" | "eq_ci" | "in_ci"
        | "before" | "semver_gte" | "cidr_in" => &["string"],
        other => panic!("`{other}` is not generated"),
    }
}

/// What the policies of one level read of an action.
struct Reading<'a> {
    rules: Vec<&'a Value>,
    repos: bool,
    branches: bool,
}

impl Reading<'_> {
    /// The types that some rule or allow-list takes at `path`.
    fn taken(&self, path: &str) -> BTreeSet<&'static str> {
        let rules = self.rules.iter().filter(|rule| rule["field"] == path);
        let listed = (path == "repo" && self.repos) || (path == "branch" && self.branches);
        let rules = rules.flat_map(|rule| taken(rule).iter().copied());
        rules.chain(listed.then_some("string")).collect()
    }

    /// Whether a rule asks for the presence of `path`, or of one below it.
    fn asks_for_presence(&self, path: &str) -> bool {
        self.rules.iter().any(|rule| {
            let field = rule["field"].as_str().unwrap();
            let below = field.strip_prefix(path);
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                && taken(rule).contains(&"null")
        })
    }
}

/// Every way in which an agent may hide or distort one value of its action without gaining by it.
fn mutations(action: &Value, reading: &Reading) -> Vec<(String, Value)> {
    let strangers = [
        json!(null),
        json!(true),
        json!(1),
        json!("main"),
        json!(["main"]),
        json!([1]),
        json!({}),
    ];
    let mut mutations = Vec::new();
    for path in ["x", "y", "y.z", "tags", "repo", "branch"] {
        let pointer = format!("/metadata/{}", path.replace('.', "/"));
        let Some(value) = action.pointer(&pointer) else {
            continue;
        };
        if reading.asks_for_presence(path) {
            continue;
        }
        let mut replaced = |what: &str, by: Value| {
            let mut action = action.clone();
            *action.pointer_mut(&pointer).unwrap() = by;
            mutations.push((format!("`{path}` {what}"), action));
        };
        let taken = reading.taken(path);
        for stranger in &strangers {
            if !taken.contains(kind(stranger)) {
                replaced(&format!("becomes {stranger}"), stranger.clone());
            }
        }
        if let Value::Array(items) = value {
            let wrapped = items.iter().map(|item| json!([item])).collect();
            replaced("has its elements wrapped", wrapped);
            replaced("is emptied", json!([]));
        }
        let mut without = action.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = without.pointer_mut(parent).unwrap().as_object_mut();
        parent.unwrap().remove(key);
        mutations.push((format!("`{path}` is left out"), without));
    }
    mutations
}

fn reversed(group: &Value) -> Value {
    let mut group = group.clone();
    let rules = group["rules"].as_array_mut().unwrap();
    rules.reverse();
    for rule in rules.iter_mut().filter(|rule| rule.get("rules").is_some()) {
        *rule = reversed(rule);
    }
    group
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn a_plan_against_itself_is_empty(specs in specs(), mode in mode()) {
        let state = State { active: set(specs), ..State::default() };
        let plan = Plan::new(&state, &state.active, mode);
        prop_assert!(plan.is_empty());
        prop_assert!(plan.notes().is_empty());
        prop_assert_eq!(plan.apply(&state), state);
    }

    /// Every change has one side, and it is the one that is no longer as it was.
    #[test]
    fn drift_splits_the_changes_of_a_plan(current in state(), desired in specs(), base in specs(), mode in mode()) {
        let (desired, base) = (set(desired), set(base));
        let plan = Plan::new(&current, &desired, mode);
        let drift = plan.drift(7, true, &base);
        prop_assert_eq!(drift.since, 7);

        let lists = [&drift.workspace, &drift.manifest, &drift.both];
        let mut listed: Vec<&String> = lists.into_iter().flatten().collect();
        listed.sort();
        let names = plan.names();
        let mut changed: Vec<&String> = [&names.added, &names.modified, &names.deactivated].into_iter().flatten().collect();
        changed.sort();
        prop_assert_eq!(&listed, &changed);
        prop_assert!(lists.iter().all(|names| names.is_sorted()));

        let moved = |side: &PolicySet, name: &str| side.get(name) != base.get(name);
        for (names, workspace, manifest) in [
            (&drift.workspace, true, false),
            (&drift.manifest, false, true),
            (&drift.both, true, true),
        ] {
            for name in names {
                prop_assert_eq!((moved(&current.active, name), moved(&desired, name)), (workspace, manifest), "{}", name);
            }
        }

        let all = |names: &[String], others: [&Vec<String>; 2]| {
            names.len() == changed.len() && others.iter().all(|names| names.is_empty())
        };
        let still = plan.drift(7, true, &current.active);
        prop_assert!(all(&still.manifest, [&still.workspace, &still.both]));
        let additive = plan.drift(7, false, &base);
        let unnamed = |name: &&String| desired.get(name).is_none() && current.active.get(name) == base.get(name);
        let named = drift.manifest.iter().filter(|name| !unnamed(name));
        prop_assert!(named.eq(&additive.manifest));
        let absent = |name: &&String| desired.get(name).is_none();
        let both = drift.both.iter().filter(|name| !absent(name));
        prop_assert!(both.eq(&additive.both));
        let mut workspace: Vec<&String> = drift.workspace.iter().chain(drift.both.iter().filter(absent)).collect();
        workspace.sort();
        prop_assert!(workspace.into_iter().eq(&additive.workspace));
        let reviewed = plan.drift(7, true, &desired);
        prop_assert!(all(&reviewed.workspace, [&reviewed.manifest, &reviewed.both]));
    }

    /// In any order, with names that come twice and policies that do not compile among them.
    #[test]
    fn compiling_beside_a_set_is_compiling(
        given in specs(), others in specs(), picks in prop::collection::vec(any::<Index>(), 0..8), bad in any::<bool>(),
    ) {
        let known = set(given.iter().step_by(2).chain(&others).cloned().fold(
            Vec::new(),
            |mut known: Vec<PolicySpec>, spec| {
                if known.iter().all(|other| other.name != spec.name) {
                    known.push(spec);
                }
                known
            },
        ));
        let mut specs: Vec<PolicySpec> = known.iter().map(|policy| policy.spec()).collect();
        specs.extend(given);
        let specs: Vec<PolicySpec> = picks
            .iter()
            .filter(|_| !specs.is_empty())
            .map(|pick| pick.get(&specs).clone())
            .chain(specs.first().filter(|_| bad).map(|spec| PolicySpec { approval_timeout_hours: 0, ..spec.clone() }))
            .collect();
        let (beside, alone) = (PolicySet::compile_beside(NonZero::new(2).unwrap(), specs.clone(), &known), PolicySet::compile(specs));
        match (beside, alone) {
            (Ok(beside), Ok(alone)) => {
                prop_assert_eq!(beside.digest(), alone.digest());
                prop_assert!(beside.iter().map(|policy| policy.spec()).eq(alone.iter().map(|policy| policy.spec())));
            }
            (beside, alone) => prop_assert_eq!(beside.err().as_ref().map(report), alone.err().as_ref().map(report)),
        }
    }

    #[test]
    fn a_verdict_is_the_decision_without_its_trace(policies in specs(), json in action()) {
        let policies = set(policies);
        let json = json.to_string();
        let action = Action::parse(json.as_bytes()).unwrap();
        let decision = policies.decide(&action);
        for verdict in [policies.verdict(&action), policies.prepare(&action).verdict()] {
            let decided = (
                verdict.status,
                verdict.denial_reason(),
                verdict.policy.map(lattice_core::Policy::name),
                verdict.approval_timeout_hours(),
            );
            prop_assert_eq!(decided, (
                decision.status,
                decision.denial_reason.as_deref(),
                decision.policy_name.as_deref(),
                decision.approval_timeout_hours,
            ));
        }
    }

    #[test]
    fn a_digest_is_that_of_canonical_json(specs in specs()) {
        let policies = set(specs);
        let text = naive::state_text(&policies);
        prop_assert_eq!(policies.digest(), hash::sha256(text.as_bytes()), "{}", text);
    }

    #[test]
    fn notes_name_every_type_whose_level_or_approvals_change(state in state(), desired in specs(), mode in mode()) {
        let plan = Plan::new(&state, &set(desired), mode);
        let is_of_level = |note: &&String| note.contains(": decided by ") || note.contains(": approval at ");
        let notes: Vec<String> = plan.notes().iter().filter(is_of_level).cloned().collect();
        prop_assert_eq!(notes, naive::level_notes(&plan, &state));
    }

    #[test]
    fn what_is_written_as_before_is_shared(state in state(), desired in specs(), mode in mode()) {
        let known = Plan::new(&state, &set(desired), mode).apply(&state).active;
        let specs = state.active.iter().map(|policy| policy.spec());
        for policy in PolicySet::compile_beside(NonZero::<usize>::MIN, specs, &known).unwrap().iter() {
            let same = known.get(policy.name()).filter(|known| known.spec() == policy.spec());
            prop_assert!(same.is_none_or(|known| Arc::ptr_eq(known, policy)));
        }
    }

    #[test]
    fn applying_a_replace_gives_the_manifest(state in state(), desired in specs()) {
        let desired = set(desired);
        let after = Plan::new(&state, &desired, Mode::Replace).apply(&state);
        prop_assert_eq!(&after.active, &desired);
        prop_assert_eq!(after.active.digest(), desired.digest());
        // Nothing is lost: what was known before is active or deactivated.
        for name in state.active.iter().map(|p| p.name()).chain(state.deactivated.iter().map(String::as_str)) {
            prop_assert!(after.active.get(name).is_some() || after.deactivated.contains(name));
        }
    }

    #[test]
    fn an_additive_plan_never_deactivates(state in state(), desired in specs()) {
        let desired = set(desired);
        let plan = Plan::new(&state, &desired, Mode::Additive);
        prop_assert_eq!(plan.summary().deactivated, 0);
        let after = plan.apply(&state);
        for policy in state.active.iter() {
            let expected = desired.get(policy.name()).unwrap_or(policy);
            prop_assert_eq!(after.active.get(policy.name()), Some(expected));
        }
    }

    #[test]
    fn a_second_apply_changes_nothing(state in state(), desired in specs(), mode in mode()) {
        let desired = set(desired);
        let after = Plan::new(&state, &desired, mode).apply(&state);
        let again = Plan::new(&after, &desired, mode);
        prop_assert!(again.is_empty());
        prop_assert_eq!(again.apply(&after), after);
    }

    #[test]
    fn changes_say_what_differs(state in state(), desired in specs(), mode in mode()) {
        let desired = set(desired);
        let plan = Plan::new(&state, &desired, mode);
        let changes = plan.changes();
        prop_assert!(changes.windows(2).all(|pair| pair[0].name < pair[1].name));
        for change in changes {
            let fields = change.fields.len();
            prop_assert!(change.fields.iter().all(|field| field.before != field.after || change.action == ChangeAction::Add));
            match change.action {
                ChangeAction::Add => prop_assert_eq!(fields, 6),
                ChangeAction::Modify => prop_assert!(fields > 0),
                ChangeAction::Deactivate | ChangeAction::Unchanged | ChangeAction::Untouched => prop_assert_eq!(fields, 0),
            }
        }
    }

    #[test]
    fn equal_policies_share_a_digest_however_they_are_written(specs in specs(), spelling in spelling()) {
        let text = spelling.manifest(&specs);
        let state = State { active: set(specs), ..State::default() };
        let manifest = Manifest::parse(text.as_bytes()).expect("another spelling parses");
        let written = manifest.policies();
        prop_assert_eq!(written, &state.active, "{}", text);
        prop_assert_eq!(written.digest(), state.active.digest(), "{}", text);
        prop_assert!(Plan::new(&state, written, Mode::Replace).is_empty());
    }

    #[test]
    fn policies_that_differ_in_one_place_have_another_digest(
        specs in specs(), which in any::<Index>(), (place, edit) in select(&EDITS[..]), spelling in spelling(),
    ) {
        prop_assume!(!specs.is_empty());
        let which = which.index(specs.len());
        let mut edited = specs.clone();
        edit(&mut edited[which]);
        let mut fewer = specs.clone();
        fewer.remove(which);
        let state = State { active: set(specs), ..State::default() };
        for (place, other) in [(place, edited), ("a policy", fewer)] {
            let text = spelling.manifest(&other);
            let manifest = Manifest::parse(text.as_bytes()).expect("edited policies parse");
            let other = manifest.policies();
            prop_assert_ne!(other, &state.active, "{}: {}", place, text);
            prop_assert_ne!(other.digest(), state.active.digest(), "{}: {}", place, text);
            prop_assert!(!Plan::new(&state, other, Mode::Replace).is_empty(), "{place}: {text}");
        }
    }

    #[test]
    fn export_then_import_is_unchanged(specs in specs()) {
        let state = State { active: set(specs), ..State::default() };
        let at = "2026-04-01T10:30:00Z".parse().unwrap();
        let text = Manifest::write("Acme (dev)", at, &state.active, &[]);
        let manifest = Manifest::parse(text.as_bytes()).expect("an export parses");
        let plan = Plan::new(&state, manifest.policies(), Mode::Replace);
        prop_assert!(plan.is_empty());
        prop_assert!(plan.notes().is_empty(), "the text of conditions is kept: {:?}", plan.notes());
        prop_assert_eq!(Manifest::write("Acme (dev)", at, manifest.policies(), &[]), text);
    }

    #[test]
    fn the_order_of_policies_and_rules_never_matters(specs in specs(), action in action()) {
        let backward = specs.iter().rev().cloned().map(|mut spec| {
            spec.conditions = spec.conditions.map(|text| {
                reversed(&serde_json::from_str(&text).unwrap()).to_string()
            });
            spec
        });
        let backward = decide(&set(backward.collect()), &action);
        let forward = decide(&set(specs), &action);
        // The trace alone shows rules in document order.
        prop_assert_eq!(forward.status, backward.status);
        prop_assert_eq!(forward.denial_reason, backward.denial_reason);
        prop_assert_eq!(forward.policy_name, backward.policy_name);
        prop_assert_eq!(forward.approval_timeout_hours, backward.approval_timeout_hours);
        prop_assert_eq!(forward.policies, backward.policies);
    }

    #[test]
    fn hiding_or_distorting_a_value_never_loosens_a_decision(specs in specs(), action in action()) {
        let honest = decide(&set(specs.clone()), &action);
        let is_level = |spec: &&PolicySpec| honest.policies.iter().any(|policy| policy.name == spec.name);
        let level: Vec<&PolicySpec> = specs.iter().filter(is_level).collect();
        let texts = level.iter().filter_map(|spec| spec.conditions.as_deref());
        let groups: Vec<Value> = texts.map(|text| serde_json::from_str(text).unwrap()).collect();
        let reading = Reading {
            rules: groups.iter().flat_map(comparisons).collect(),
            repos: level.iter().any(|spec| spec.allowed_repos.is_some()),
            branches: level.iter().any(|spec| spec.allowed_branches.is_some()),
        };
        let policies = set(specs);
        for (what, mutated) in mutations(&action, &reading) {
            let (honest, status) = (honest.status, decide(&policies, &mutated).status);
            prop_assert!(looseness(status) <= looseness(honest), "{what}: {honest:?} became {status:?}");
        }
    }

    #[test]
    fn a_more_general_policy_never_rescues_nor_refuses(specs in specs(), action in action(), approval in any::<bool>()) {
        let decision = decide(&set(specs.clone()), &action);
        let decided_by = |spec: &PolicySpec| Some(spec.name.as_str()) == decision.policy_name.as_deref();
        prop_assume!(specs.iter().any(|spec| decided_by(spec) && spec.action_type != "*"));
        let mut with_all = specs;
        with_all.push(PolicySpec {
            name: "0-everything".to_owned(),
            action_type: "*".to_owned(),
            approval_required: approval,
            approval_timeout_hours: 1,
            allowed_repos: None,
            allowed_branches: None,
            conditions: None,
        });
        prop_assert_eq!(decide(&set(with_all), &action), decision);
    }
}
