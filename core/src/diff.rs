//! What differs between two policies, field by field and rule by rule.

use crate::condition::{Conditions, Group, Rule};
use crate::policy::{AllowList, Policy};
use crate::value::Value;
use crate::view::FieldChange;

/// Every field of a policy that was not there before.
pub(crate) fn all_fields(after: &Policy) -> Vec<FieldChange> {
    let fields = fields(after).into_iter();
    let mut all: Vec<FieldChange> = fields
        .map(|(field, after)| change(field, Value::Null, after))
        .collect();
    all.push(change("conditions", Value::Null, text(after.conditions())));
    all
}

/// Every field that differs, in the order in which fields are written.
pub(crate) fn changed_fields(before: &Policy, after: &Policy) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for ((field, before), (_, after)) in fields(before).into_iter().zip(fields(after)) {
        if before != after {
            changes.push(change(field, before, after));
        }
    }
    if before.conditions() != after.conditions() {
        let places = match (before.conditions(), after.conditions()) {
            (Some(before), Some(after)) => {
                let mut places = Vec::new();
                changed_places(before.root(), after.root(), "conditions", &mut places)
                    .then_some(places)
            }
            _ => None,
        };
        changes.extend(places.unwrap_or_else(|| {
            let (before, after) = (text(before.conditions()), text(after.conditions()));
            vec![change("conditions", before, after)]
        }));
    }
    changes
}

/// The fields beside the name and the conditions.
fn fields(policy: &Policy) -> [(&'static str, Value<'static>); 5] {
    [
        ("action_type", string(policy.action_type())),
        ("approval_required", Value::Bool(policy.approval_required())),
        (
            "approval_timeout_hours",
            Value::Number(i64::from(policy.approval_timeout_hours()).into()),
        ),
        ("allowed_repos", list(policy.allowed_repos())),
        ("allowed_branches", list(policy.allowed_branches())),
    ]
}

/// Collects the changed places of two groups of the same shape; false where the shapes differ.
fn changed_places(before: &Group, after: &Group, at: &str, places: &mut Vec<FieldChange>) -> bool {
    if before.logic() != after.logic() {
        let word = |group: &Group| string(group.logic().as_str());
        places.push(change(&format!("{at}.logic"), word(before), word(after)));
    }
    before.rules().len() == after.rules().len()
        && before
            .rules()
            .iter()
            .zip(after.rules())
            .enumerate()
            .all(|(i, pair)| {
                let at = format!("{at}.rules[{i}]");
                match pair {
                    (Rule::Group(before), Rule::Group(after)) => {
                        changed_places(before, after, &at, places)
                    }
                    (Rule::Comparison(before), Rule::Comparison(after)) => {
                        let parts = [
                            (
                                "field",
                                string(before.path().as_str()),
                                string(after.path().as_str()),
                            ),
                            (
                                "operator",
                                string(before.operator().name()),
                                string(after.operator().name()),
                            ),
                            (
                                "value",
                                before.value().map_or(Value::Null, Value::from),
                                after.value().map_or(Value::Null, Value::from),
                            ),
                        ];
                        for (part, before, after) in parts {
                            if before != after {
                                places.push(change(&format!("{at}.{part}"), before, after));
                            }
                        }
                        true
                    }
                    (Rule::Group(_), Rule::Comparison(_))
                    | (Rule::Comparison(_), Rule::Group(_)) => false,
                }
            })
}

fn string(text: &str) -> Value<'static> {
    Value::String(text.to_owned().into())
}

fn change(field: &str, before: Value<'static>, after: Value<'static>) -> FieldChange {
    FieldChange {
        field: field.to_owned(),
        before,
        after,
    }
}

fn list(list: Option<&AllowList>) -> Value<'static> {
    list.map_or(Value::Null, |list| {
        Value::List(list.texts().map(string).collect())
    })
}

fn text(conditions: Option<&Conditions>) -> Value<'static> {
    conditions.map_or(Value::Null, |conditions| string(conditions.text()))
}
