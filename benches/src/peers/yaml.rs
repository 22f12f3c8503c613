//! YAML by way of serde: typed structs without positions, strictness or compiled conditions.

use serde::{Deserialize, Serialize};

use crate::input::{Policy, Rules};
use crate::measure::slow;
use crate::report::Peer;

/// How often each runs.
const RUNS: usize = 5;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    manifest_version: String,
    exported_at: Option<String>,
    org_name: Option<String>,
    policies: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    action_type: String,
    approval_required: bool,
    approval_timeout_hours: u16,
    allowed_repos: Option<Vec<String>>,
    allowed_branches: Option<Vec<String>>,
    conditions: Option<String>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what is read is timed, and then thrown away")]
struct Group {
    logic: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what is read is timed, and then thrown away")]
struct Rule {
    field: String,
    operator: String,
    value: Operand,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "what is read is timed, and then thrown away")]
enum Operand {
    Number(u64),
    Text(String),
    List(Vec<String>),
}

/// A manifest, and its conditions one by one.
macro_rules! read {
    ($text:expr, $policies:expr, $parse:path) => {{
        let read = || {
            let document: Document = $parse($text).expect("a manifest");
            let conditions = document
                .policies
                .iter()
                .filter_map(|entry| entry.conditions.as_deref());
            let groups: Vec<Group> = conditions
                .map(|text| $parse(text).expect("conditions"))
                .collect();
            (document, groups)
        };
        let (document, groups) = read();
        assert_eq!(document.policies.len(), $policies.len());
        assert_eq!(
            groups.len(),
            $policies
                .iter()
                .filter(|policy| policy.rules.is_some())
                .count()
        );
        slow(RUNS, read)
    }};
}

fn saphyr<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, serde_saphyr::Error> {
    // Its budgets are made for small files.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: usize::MAX,
            max_events: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
    };
    serde_saphyr::from_str_with_options(text, options)
}

/// What reading a manifest and its conditions takes.
pub fn reads(text: &str, policies: &[Policy]) -> Vec<Peer> {
    vec![
        Peer::new("yaml_serde", read!(text, policies, serde_yaml::from_str)),
        Peer::new(
            "serde_yaml_ng",
            read!(text, policies, serde_yaml_ng::from_str),
        ),
        Peer::new("serde-saphyr", read!(text, policies, saphyr)),
    ]
}

/// What writing a manifest takes.
pub fn writes(policies: &[Policy]) -> Vec<Peer> {
    let entry = |policy: &Policy| Entry {
        name: policy.name.clone(),
        action_type: policy.action_type.clone(),
        approval_required: policy.approval_required,
        approval_timeout_hours: policy.hours,
        allowed_repos: policy.repos.clone(),
        allowed_branches: policy.branches.clone(),
        conditions: policy.rules.as_ref().map(Rules::canonical),
    };
    let document = Document {
        manifest_version: "1.0".to_owned(),
        exported_at: Some("2026-04-01T10:30:00.000Z".to_owned()),
        org_name: Some("Acme".to_owned()),
        policies: policies.iter().map(entry).collect(),
    };
    vec![
        Peer::new(
            "yaml_serde",
            slow(RUNS, || serde_yaml::to_string(&document).expect("text")),
        ),
        Peer::new(
            "serde_yaml_ng",
            slow(RUNS, || serde_yaml_ng::to_string(&document).expect("text")),
        ),
        Peer::new(
            "serde-saphyr",
            slow(RUNS, || serde_saphyr::to_string(&document).expect("text")),
        ),
    ]
}
