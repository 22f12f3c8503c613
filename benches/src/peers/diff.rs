//! Generic differences of JSON, given policies as a mapping by name, which is what they are best at.

use serde_json::{Map, Value, json};
use treediff::tools::{ChangeType, Recorder};

use crate::input::{Policy, Rules};
use crate::measure::slow;
use crate::report::Peer;

/// How often each runs.
const RUNS: usize = 3;

fn value(policies: &[Policy]) -> Value {
    let entry = |policy: &Policy| {
        let body = json!({
            "action_type": policy.action_type,
            "approval_required": policy.approval_required,
            "approval_timeout_hours": policy.hours,
            "allowed_repos": policy.repos,
            "allowed_branches": policy.branches,
            "conditions": policy.rules.as_ref().map(Rules::canonical),
        });
        (policy.name.clone(), body)
    };
    Value::Object(policies.iter().map(entry).collect::<Map<_, _>>())
}

fn recorded<'v>(
    before: &'v Value,
    after: &'v Value,
) -> Vec<ChangeType<'v, treediff::value::Key, Value>> {
    let mut recorder = Recorder::default();
    treediff::diff(before, after, &mut recorder);
    recorder.calls
}

/// How many changes each finds.
pub fn changes(before: &[Policy], after: &[Policy]) -> Vec<usize> {
    let (before, after) = (value(before), value(after));
    let calls = recorded(&before, &after);
    let changed = |call: &&ChangeType<_, _>| !matches!(call, ChangeType::Unchanged(..));
    let tree = calls.iter().filter(changed).count();
    let patch = json_patch::diff(&before, &after).0.len();
    let difference = serde_json_diff::values(before, after);
    let difference = serde_json::to_value(difference).expect("a difference");
    let entries = difference["different_entries"]
        .as_object()
        .map_or(0, Map::len);
    vec![tree, patch, entries]
}

/// What a difference of two sets takes.
pub fn diffs(before: &[Policy], after: &[Policy]) -> Vec<Peer> {
    let (before, after) = (value(before), value(after));
    let patch = slow(RUNS, || json_patch::diff(&before, &after));
    let tree = slow(RUNS, || recorded(&before, &after));
    let difference = crate::measure::slow_with(
        RUNS,
        || (before.clone(), after.clone()),
        |(before, after)| serde_json_diff::values(before, after),
    );
    vec![
        Peer::new("json-patch", patch),
        Peer::new("treediff", tree),
        Peer::new("serde_json_diff", difference),
    ]
}
