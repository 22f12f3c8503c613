//! What plans and digests say, found in the plainest way.

use std::collections::BTreeMap;

use lattice_core::condition::{Group, Rule};
use lattice_core::view::ChangeAction;
use lattice_core::{AllowList, Operand, Plan, PolicySet, Scalar, State};
use serde_json::{Value, json};

/// The notes about levels, one for each type that changed policies name.
pub(crate) fn level_notes(plan: &Plan, current: &State) -> Vec<String> {
    let before = &current.active;
    let after = &plan.apply(current).active;
    let mut types = BTreeMap::new();
    for change in plan.changes() {
        if matches!(
            change.action,
            ChangeAction::Unchanged | ChangeAction::Untouched
        ) {
            continue;
        }
        for policy in [before, after]
            .iter()
            .filter_map(|set| set.get(&change.name))
        {
            types.insert(policy.action_type().to_lowercase(), policy.action_type());
        }
    }
    let notes = types.into_iter().filter_map(|(key, written)| {
        let ((was, asked), (is, ask)) = (level(before, &key), level(after, &key));
        if was != is {
            return Some(format!("{written}: decided by {was} → {is}"));
        }
        let newly = without(&ask, &asked);
        let no_longer = without(&asked, &ask);
        (asked != ask).then(|| {
            format!(
                "{written}: approval at {is}: newly asked for by {newly}, no longer by {no_longer}"
            )
        })
    });
    notes.collect()
}

/// What decides about a type, in words, and the policies that ask for approval there.
fn level<'s>(policies: &'s PolicySet, key: &str) -> (String, Vec<&'s str>) {
    let above = key
        .match_indices('.')
        .map(|(dot, _)| format!("{}.*", key.split_at(dot).0));
    let mut levels = vec!["*".to_owned()];
    levels.extend(above);
    levels.push(key.to_owned());
    for level in levels.iter().rev() {
        let here = || {
            let policies = policies.iter();
            policies.filter(|policy| policy.action_type().to_lowercase() == *level)
        };
        let asking = here().filter(|policy| policy.approval_required());
        let asking: Vec<&str> = asking.map(|policy| policy.name()).collect();
        let approval = match (asking.len(), here().count()) {
            (_, 0) => continue,
            (0, _) => "no approval".to_owned(),
            (some, all) if some == all => "approval".to_owned(),
            (some, all) => format!("approval by {some} of {all} policies"),
        };
        return (format!("`{level}` ({approval})"), asking);
    }
    ("no policy".to_owned(), Vec::new())
}

fn without(names: &[&str], others: &[&str]) -> String {
    let rest = names.iter().filter(|name| !others.contains(name));
    let rest: Vec<String> = rest.map(|name| format!("`{name}`")).collect();
    if rest.is_empty() {
        "none".to_owned()
    } else {
        rest.join(", ")
    }
}

/// What a state digest is of, written by a JSON library.
pub(crate) fn state_text(policies: &PolicySet) -> String {
    let policies: Value = policies
        .iter()
        .map(|policy| {
            json!({
                "name": policy.name(),
                "action_type": policy.action_type(),
                "approval_required": policy.approval_required(),
                "approval_timeout_hours": policy.approval_timeout_hours(),
                "allowed_repos": policy.allowed_repos().map(texts),
                "allowed_branches": policy.allowed_branches().map(texts),
                "conditions": policy.conditions().map(|conditions| group(conditions.root())),
            })
        })
        .collect();
    // Its objects are in the order of their keys.
    format!("al.state/v1\n{policies}")
}

fn texts(list: &AllowList) -> Value {
    list.texts().collect()
}

fn group(group: &Group) -> Value {
    let rules = group.rules().iter().map(|rule| match rule {
        Rule::Group(rules) => self::group(rules),
        Rule::Comparison(rule) => {
            let mut json = json!({
                "operator": rule.operator().name(),
                "field": rule.path().segments(),
            });
            match rule.value() {
                None => {}
                Some(Operand::Scalar(value)) => json["value"] = scalar(value),
                Some(Operand::List(list)) => json["value"] = list.iter().map(scalar).collect(),
            }
            json
        }
    });
    let rules: Value = rules.collect();
    json!({"rules": rules, "logic": group.logic().as_str()})
}

fn scalar(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(value) => json!(value),
        Scalar::String(text) => json!(&**text),
        Scalar::Number(number) => json!({"num": number.exact_decimal()}),
    }
}
