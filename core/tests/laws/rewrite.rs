//! The same policies written otherwise, and policies that differ in one place.

use lattice_core::PolicySpec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};

/// A choice that the meaning of a manifest leaves to its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// `neq` and `matches`.
    Aliases,
    /// `1.0` for `1`.
    Fractions,
    /// `"y"."z"` for `y.z`.
    Quotes,
    /// Policies, allow-lists and list values the other way round.
    Reversed,
    /// The first element of a set again at its end.
    Repeats,
    /// Conditions as a block with comments, `logic` last.
    Block,
    /// A timeout of 8 is left out.
    Omitted,
}

/// The choices taken.
#[derive(Debug, Clone)]
pub(crate) struct Spelling(Vec<Choice>);

pub(crate) fn spelling() -> impl Strategy<Value = Spelling> {
    let all = vec![
        Choice::Aliases,
        Choice::Fractions,
        Choice::Quotes,
        Choice::Reversed,
        Choice::Repeats,
        Choice::Block,
        Choice::Omitted,
    ];
    subsequence(all, 0..=7).prop_map(Spelling)
}

impl Spelling {
    fn takes(&self, choice: Choice) -> bool {
        self.0.contains(&choice)
    }

    /// A manifest of the policies.
    pub(crate) fn manifest(&self, specs: &[PolicySpec]) -> String {
        let mut policies: Vec<Value> = specs.iter().map(|spec| self.policy(spec)).collect();
        if self.takes(Choice::Reversed) {
            policies.reverse();
        }
        json!({"manifest_version": "1.0", "policies": policies}).to_string()
    }

    fn policy(&self, spec: &PolicySpec) -> Value {
        let list = |list: &Option<Vec<String>>| {
            let texts = list.as_ref()?.iter().map(|text| json!(text));
            Some(self.set(texts.collect()))
        };
        let conditions = spec.conditions.as_ref().map(|text| {
            let group = self.rule(&parsed(text));
            if self.takes(Choice::Block) {
                block(&group).join("\n")
            } else {
                group.to_string()
            }
        });
        let mut policy = json!({
            "name": spec.name,
            "action_type": spec.action_type,
            "approval_required": spec.approval_required,
            "allowed_repos": list(&spec.allowed_repos),
            "allowed_branches": list(&spec.allowed_branches),
            "conditions": conditions,
        });
        if !(self.takes(Choice::Omitted) && spec.approval_timeout_hours == 8) {
            policy["approval_timeout_hours"] = json!(spec.approval_timeout_hours);
        }
        policy
    }

    fn rule(&self, rule: &Value) -> Value {
        let mut rule = rule.clone();
        if let Some(rules) = rule.get_mut("rules").and_then(Value::as_array_mut) {
            for rule in rules {
                *rule = self.rule(rule);
            }
            return rule;
        }
        let alias = match rule["operator"].as_str() {
            Some("ne") => Some("neq"),
            Some("regex") => Some("matches"),
            _ => None,
        };
        if let Some(alias) = alias.filter(|_| self.takes(Choice::Aliases)) {
            rule["operator"] = json!(alias);
        }
        if self.takes(Choice::Quotes) {
            let segments = rule["field"].as_str().expect("a path").split('.');
            let quoted: Vec<String> = segments.map(|name| format!("\"{name}\"")).collect();
            rule["field"] = json!(quoted.join("."));
        }
        if let Some(value) = rule.get_mut("value") {
            *value = match value.take() {
                Value::Array(items) => {
                    self.set(items.iter().map(|item| self.scalar(item)).collect())
                }
                scalar => self.scalar(&scalar),
            };
        }
        rule
    }

    fn scalar(&self, scalar: &Value) -> Value {
        match scalar.as_f64() {
            Some(number) if self.takes(Choice::Fractions) => json!(number),
            _ => scalar.clone(),
        }
    }

    fn set(&self, mut items: Vec<Value>) -> Value {
        if self.takes(Choice::Reversed) {
            items.reverse();
        }
        if self.takes(Choice::Repeats) {
            items.extend(items.first().cloned());
        }
        items.into()
    }
}

/// The lines of a group in block style, with a comment before every rule.
fn block(group: &Value) -> Vec<String> {
    let mut lines = vec!["rules:".to_owned()];
    for rule in group["rules"].as_array().expect("a group") {
        let rule: Vec<String> = if rule.get("rules").is_some() {
            block(rule)
        } else {
            let parts = rule.as_object().expect("a comparison").iter();
            parts
                .map(|(key, value)| format!("{key}: {value}"))
                .collect()
        };
        lines.extend(["  # why".to_owned(), "  -".to_owned()]);
        lines.extend(rule.iter().map(|line| format!("    {line}")));
    }
    lines.push(format!("logic: {}", group["logic"]));
    lines
}

/// One place of a policy, and how it changes.
pub(crate) type Edit = (&'static str, fn(&mut PolicySpec));

/// Every place of a policy that counts.
pub(crate) const EDITS: [Edit; 15] = [
    ("the name", |policy| policy.name.push('x')),
    ("the action type", |policy| {
        policy.action_type.insert_str(0, "z.");
    }),
    ("the case of the action type", |policy| {
        policy.action_type = match policy.action_type.as_str() {
            "A.b" => "a.b".to_owned(),
            "*" => "Z".to_owned(),
            other => other.to_ascii_uppercase(),
        };
    }),
    ("whether it asks for approval", |policy| {
        policy.approval_required = !policy.approval_required;
    }),
    ("the timeout", |policy| policy.approval_timeout_hours += 1),
    ("the repositories", |policy| {
        other_list(&mut policy.allowed_repos);
    }),
    ("the branches", |policy| {
        other_list(&mut policy.allowed_branches);
    }),
    ("whether there are conditions", |policy| {
        policy.conditions = match policy.conditions {
            Some(_) => None,
            None => Some(json!({"logic": "all", "rules": [marker()]}).to_string()),
        };
    }),
    ("the logic", |policy| {
        edit_group(policy, |group| {
            group["logic"] = match group["logic"].as_str() {
                Some("all") => json!("any"),
                Some("any") => json!("none"),
                _ => json!("all"),
            };
        });
    }),
    ("a rule more", |policy| {
        edit_group(policy, |group| rules(group).push(marker()));
    }),
    ("the order of rules", |policy| {
        edit_group(policy, |group| {
            let before = group.clone();
            rules(group).rotate_left(1);
            if *group == before {
                // All rules are the same one: how often it stands there counts as well.
                let again = rules(group)[0].clone();
                rules(group).push(again);
            }
        });
    }),
    ("the nesting", |policy| {
        edit_group(policy, |group| {
            *group = json!({"logic": "all", "rules": [group.take()]});
        });
    }),
    ("a path", |policy| {
        edit_group(policy, |group| last(group)["field"] = json!("w"));
    }),
    ("an operator", |policy| {
        edit_group(policy, |group| {
            let rule = last(group);
            rule["operator"] = json!(other_operator(rule["operator"].as_str().expect("a name")));
        });
    }),
    ("a value", |policy| {
        edit_group(policy, |group| {
            let rule = last(group);
            match rule.get_mut("value") {
                Some(value) => *value = other_value(value),
                None => *rule = marker(),
            }
        });
    }),
];

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("generated conditions are JSON")
}

/// A rule that is not generated.
fn marker() -> Value {
    json!({"field": "w", "operator": "eq", "value": "marker"})
}

/// Edits the conditions; a policy without any gets some, which is a difference too.
fn edit_group(policy: &mut PolicySpec, edit: fn(&mut Value)) {
    let group = match &policy.conditions {
        Some(text) => {
            let mut group = parsed(text);
            edit(&mut group);
            group
        }
        None => json!({"logic": "all", "rules": [marker()]}),
    };
    policy.conditions = Some(group.to_string());
}

fn rules(group: &mut Value) -> &mut Vec<Value> {
    group["rules"].as_array_mut().expect("a group")
}

/// The last comparison of a group, or of the group that stands last in it.
fn last(group: &mut Value) -> &mut Value {
    let rule = rules(group).last_mut().expect("a rule");
    if rule.get("rules").is_some() {
        last(rule)
    } else {
        rule
    }
}

/// Null, nothing and something are three lists.
fn other_list(list: &mut Option<Vec<String>>) {
    match list {
        None => *list = Some(Vec::new()),
        Some(patterns) if patterns.is_empty() => *list = None,
        Some(patterns) => patterns.push("other".to_owned()),
    }
}

/// An operator that takes the same value.
fn other_operator(operator: &str) -> &'static str {
    match operator {
        "exists" => "not_exists",
        "not_exists" => "exists",
        "is_null" => "is_empty",
        "is_empty" => "is_null",
        "lt" => "lte",
        "lte" => "gt",
        "gt" => "gte",
        "gte" => "lt",
        "eq" => "ne",
        "ne" => "contains",
        "contains" => "not_contains",
        "not_contains" => "eq",
        "in" => "not_in",
        "not_in" => "any_in",
        "any_in" => "all_in",
        "all_in" => "none_in",
        "none_in" | "in_ci" | "cidr_in" => "in",
        "starts_with" => "ends_with",
        "regex" => "not_regex",
        "not_regex" => "full_match",
        "full_match" => "regex",
        "glob" => "starts_with",
        "eq_ci" => "contains_ci",
        "before" => "after",
        "semver_gte" => "semver_gt",
        other => panic!("`{other}` is not generated"),
    }
}

/// A value of the same type.
fn other_value(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_i64().expect("an integer") + 100),
        Value::String(text) => match text.as_str() {
            "1.0.0" => json!("1.0.1"),
            "2027-01-01T00:00:00Z" => json!("2027-01-01T00:00:01Z"),
            other => json!(format!("{other}x")),
        },
        Value::Array(items) => {
            let mut items = items.clone();
            items.push(match &items[0] {
                Value::String(text) if text.contains('/') => json!("192.168.0.0/16"),
                first => other_value(first),
            });
            items.into()
        }
        other => panic!("{other} is not generated"),
    }
}
