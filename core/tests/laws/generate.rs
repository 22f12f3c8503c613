//! Generated policies and actions, over a few names, types and paths so that they meet.

use lattice_core::{Mode, PolicySet, PolicySpec, State};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Values that an action may hold at a path, of every type that an operator takes.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(json!("main")),
        Just(json!("release/1.2.0")),
        Just(json!("1.2.0")),
        Just(json!("10.1.2.3")),
        Just(json!("2026-04-01T10:30:00Z")),
        Just(json!(true)),
        (0..4_i64).prop_map(|n| json!(n)),
        Just(json!(1.5)),
    ];
    prop_oneof![
        4 => scalar.clone(),
        2 => prop::collection::vec(scalar, 0..3).prop_map(Value::Array),
    ]
}

/// Comparisons over four paths. Two that are written differently are different.
fn rule() -> impl Strategy<Value = Value> {
    let number = (select(vec!["lt", "lte", "gt", "gte", "eq", "ne"]), 0..4_i64);
    let rows = vec![
        json!({"operator": "eq", "value": "main"}),
        json!({"operator": "ne", "value": true}),
        json!({"operator": "in", "value": ["main", "dev"]}),
        json!({"operator": "not_in", "value": [1, 2]}),
        json!({"operator": "contains", "value": "main"}),
        json!({"operator": "not_contains", "value": 1}),
        json!({"operator": "any_in", "value": ["main"]}),
        json!({"operator": "all_in", "value": [1, 2, 3]}),
        json!({"operator": "none_in", "value": ["main", "1.2.0"]}),
        json!({"operator": "starts_with", "value": "rel"}),
        json!({"operator": "regex", "value": "^release/"}),
        json!({"operator": "not_regex", "value": "^main$"}),
        json!({"operator": "full_match", "value": "ma.n"}),
        json!({"operator": "glob", "value": "release/*"}),
        json!({"operator": "eq_ci", "value": "MAIN"}),
        json!({"operator": "in_ci", "value": ["MAIN", "dev"]}),
        json!({"operator": "before", "value": "2027-01-01T00:00:00Z"}),
        json!({"operator": "semver_gte", "value": "1.0.0"}),
        json!({"operator": "cidr_in", "value": ["10.0.0.0/8"]}),
    ];
    let presence = select(vec!["exists", "not_exists", "is_null", "is_empty"]);
    let comparison = prop_oneof![
        8 => number.prop_map(|(operator, n)| json!({"operator": operator, "value": n})),
        19 => select(rows),
        1 => presence.prop_map(|operator| json!({"operator": operator})),
    ];
    let path = prop_oneof![
        3 => Just("x"),
        3 => Just("y.z"),
        3 => Just("tags"),
        1 => Just("branch"),
    ];
    (path, comparison).prop_map(|(path, mut rule)| {
        rule["field"] = json!(path);
        rule
    })
}

fn group() -> impl Strategy<Value = Value> {
    let logic = || select(vec!["all", "any", "none"]);
    let flat = (logic(), prop::collection::vec(rule(), 1..4))
        .prop_map(|(logic, rules)| json!({"logic": logic, "rules": rules}));
    (
        logic(),
        prop::collection::vec(rule(), 0..3),
        prop::collection::vec(flat, 0..2),
    )
        .prop_map(|(logic, rules, groups)| {
            let mut all: Vec<Value> = rules.into_iter().chain(groups).collect();
            if all.is_empty() {
                all.push(json!({"field": "x", "operator": "lt", "value": 2}));
            }
            json!({"logic": logic, "rules": all})
        })
}

fn allow_list() -> impl Strategy<Value = Option<Vec<String>>> {
    let pattern = select(vec!["acme/*", "main", "**", "release/?"]).prop_map(str::to_owned);
    prop::option::weighted(0.4, prop::collection::vec(pattern, 0..3))
}

/// Policies with distinct names.
pub(crate) fn specs() -> impl Strategy<Value = Vec<PolicySpec>> {
    let fields = (
        // Most share a level: its policies are what decides together.
        prop_oneof![
            3 => Just("a.b"),
            2 => Just("A.b"),
            3 => select(vec!["a.*", "*", "a.b.*", "c"]),
        ],
        any::<bool>(),
        select(vec![1_u16, 8, 24]),
        allow_list(),
        allow_list(),
        prop::option::weighted(0.7, group()),
    );
    let spec = |(name, (action_type, approval, hours, repos, branches, conditions)): (
        String,
        (&str, bool, u16, _, _, Option<Value>),
    )| PolicySpec {
        name,
        action_type: action_type.to_owned(),
        approval_required: approval,
        approval_timeout_hours: hours,
        allowed_repos: repos,
        allowed_branches: branches,
        conditions: conditions.map(|group| group.to_string()),
    };
    prop::collection::btree_map("[a-e]", fields, 0..6)
        .prop_map(move |named| named.into_iter().map(spec).collect())
}

pub(crate) fn set(specs: Vec<PolicySpec>) -> PolicySet {
    PolicySet::compile(specs).expect("generated policies compile")
}

pub(crate) fn state() -> impl Strategy<Value = State> {
    (specs(), prop::collection::btree_set("[a-g]", 0..3)).prop_map(|(specs, off)| {
        let active = set(specs);
        let deactivated = off
            .into_iter()
            .filter(|name| active.get(name).is_none())
            .collect();
        State {
            active,
            deactivated,
        }
    })
}

pub(crate) fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Additive), Just(Mode::Replace)]
}

/// An action with values at some of the paths that rules read.
pub(crate) fn action() -> impl Strategy<Value = Value> {
    let at = || prop::option::weighted(0.8, value());
    let text = || prop::option::weighted(0.8, select(vec!["main", "acme/app", "release/1"]));
    (
        prop_oneof![
            3 => Just("a.b"),
            3 => select(vec!["A.B", "a.b.c", "a.x", "c", "d"]),
        ],
        at(),
        at(),
        at(),
        text(),
        text(),
    )
        .prop_map(|(action_type, x, z, tags, repo, branch)| {
            let fields = [
                ("x", x),
                ("y", z.map(|z| json!({"z": z}))),
                ("tags", tags),
                ("repo", repo.map(Value::from)),
                ("branch", branch.map(Value::from)),
            ];
            let metadata: Map<String, Value> = fields
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect();
            json!({"action_type": action_type, "metadata": metadata})
        })
}

/// The rules of a group and of the groups in it.
pub(crate) fn comparisons(group: &Value) -> Vec<&Value> {
    let rules = group["rules"].as_array().expect("a group");
    let mut all = Vec::new();
    for rule in rules {
        match rule.get("rules") {
            Some(_) => all.extend(comparisons(rule)),
            None => all.push(rule),
        }
    }
    all
}
