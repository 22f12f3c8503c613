//! Plans beyond what two manifests can show: additive ones, policies that come back, and notes side by side.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use lattice_core::view::{self, ManifestRef, WorkspaceRef};
use lattice_core::{Manifest, Mode, Plan, State};
use serde_json::{Value, json};

/// Name, action type, whether it asks for approval, conditions.
type Policy = (&'static str, &'static str, bool, Option<&'static str>);

const A: &str = "{logic: all, rules: [{field: x, operator: eq, value: a}]}";
const A_LAID_OUT: &str = "logic: all\nrules:\n  - field: x\n    operator: eq\n    value: a\n";
const B_ANY_AND_ONE_MORE: &str = "logic: any\nrules:\n  - {field: x, operator: eq, value: b}\n  - {field: w, operator: exists}\n";

fn manifest(policies: &[Policy]) -> Manifest {
    let policies = policies
        .iter()
        .map(|(name, action_type, approval, conditions)| {
            json!({
                "name": name,
                "action_type": action_type,
                "approval_required": approval,
                "allowed_repos": null,
                "allowed_branches": null,
                "conditions": conditions,
            })
        });
    let document = json!({"manifest_version": "1.0", "policies": policies.collect::<Vec<Value>>()});
    Manifest::parse(document.to_string().as_bytes()).unwrap()
}

fn state(active: &[Policy], deactivated: &[&str]) -> State {
    State {
        active: manifest(active).policies().clone(),
        deactivated: deactivated.iter().map(|&name| name.to_owned()).collect(),
    }
}

/// An add of a policy without allow-lists and with the timeout that stands where none is written.
fn added(name: &str, action_type: &str, approval: bool, reactivated: bool) -> Value {
    let field = |field: &str, after: Value| json!({"field": field, "before": null, "after": after});
    json!({
        "name": name,
        "action": "add",
        "reactivated": reactivated,
        "fields": [
            field("action_type", json!(action_type)),
            field("approval_required", json!(approval)),
            field("approval_timeout_hours", json!(8)),
            field("allowed_repos", json!(null)),
            field("allowed_branches", json!(null)),
            field("conditions", json!(null)),
        ],
    })
}

fn modified(name: &str, fields: &[(&str, Value, Value)]) -> Value {
    let fields = fields
        .iter()
        .map(|(field, before, after)| json!({"field": field, "before": before, "after": after}));
    json!({
        "name": name,
        "action": "modify",
        "reactivated": false,
        "fields": fields.collect::<Vec<Value>>(),
    })
}

fn bare(name: &str, action: &str) -> Value {
    json!({"name": name, "action": action, "reactivated": false, "fields": []})
}

struct Row {
    what: &'static str,
    active: &'static [Policy],
    deactivated: &'static [&'static str],
    desired: &'static [Policy],
    mode: Mode,
    /// Added, modified, deactivated, unchanged, untouched.
    counts: [usize; 5],
    changes: Vec<Value>,
    notes: &'static [&'static str],
}

fn check(rows: Vec<Row>) {
    for row in rows {
        let current = state(row.active, row.deactivated);
        let plan = Plan::new(&current, manifest(row.desired).policies(), row.mode);
        let [added, modified, deactivated, unchanged, untouched] = row.counts;
        let summary = json!({
            "added": added,
            "modified": modified,
            "deactivated": deactivated,
            "unchanged": unchanged,
            "untouched": untouched,
        });
        let got = json!({
            "summary": plan.summary(),
            "changes": plan.changes(),
            "notes": plan.notes(),
        });
        let want = json!({"summary": summary, "changes": row.changes, "notes": row.notes});
        assert_eq!(got, want, "{}", row.what);
    }
}

#[test]
fn additive() {
    check(vec![
        Row {
            what: "an absent policy is untouched",
            active: &[("a", "t", false, None), ("b", "u", true, None)],
            deactivated: &[],
            desired: &[("a", "t", false, None)],
            mode: Mode::Additive,
            counts: [0, 0, 0, 1, 1],
            changes: vec![bare("a", "unchanged"), bare("b", "untouched")],
            notes: &[],
        },
        Row {
            what: "every change at once, in name order",
            active: &[
                ("b", "t", false, None),
                ("c", "u", false, None),
                ("d", "v", false, None),
            ],
            deactivated: &[],
            desired: &[
                ("d", "v", false, None),
                ("c", "u", true, None),
                ("a", "w", false, None),
            ],
            mode: Mode::Additive,
            counts: [1, 1, 0, 1, 1],
            changes: vec![
                added("a", "w", false, false),
                bare("b", "untouched"),
                modified("c", &[("approval_required", json!(false), json!(true))]),
                bare("d", "unchanged"),
            ],
            notes: &[
                "u: decided by `u` (no approval) → `u` (approval)",
                "w: decided by no policy → `w` (no approval)",
            ],
        },
        Row {
            what: "a likely rename leaves the old policy active",
            active: &[("old", "t", false, None)],
            deactivated: &[],
            desired: &[("new", "t", false, None)],
            mode: Mode::Additive,
            counts: [1, 0, 0, 0, 1],
            changes: vec![added("new", "t", false, false), bare("old", "untouched")],
            notes: &["`old` → `new` looks like a rename: `old` stays active beside it"],
        },
        Row {
            what: "layout is noted for what the manifest names",
            active: &[("p", "t", false, Some(A)), ("q", "t", false, Some(A))],
            deactivated: &[],
            desired: &[("p", "t", false, Some(A_LAID_OUT))],
            mode: Mode::Additive,
            counts: [0, 0, 0, 1, 1],
            changes: vec![bare("p", "unchanged"), bare("q", "untouched")],
            notes: &["1 unchanged policy differs in layout only; its stored text stays"],
        },
    ]);
}

#[test]
fn levels_of_untouched_policies() {
    check(vec![
        Row {
            what: "an untouched policy stays in its level and still asks",
            active: &[("strict", "t", true, None)],
            deactivated: &[],
            desired: &[("loose", "t", false, None)],
            mode: Mode::Additive,
            counts: [1, 0, 0, 0, 1],
            changes: vec![
                added("loose", "t", false, false),
                bare("strict", "untouched"),
            ],
            notes: &["t: decided by `t` (approval) → `t` (approval by 1 of 2 policies)"],
        },
        Row {
            what: "an untouched policy loses actions to a more specific level",
            active: &[("all", "*", true, None)],
            deactivated: &[],
            desired: &[
                ("deploys", "deploy.production", false, None),
                ("below", "Deploy.*", false, None),
            ],
            mode: Mode::Additive,
            counts: [2, 0, 0, 0, 1],
            changes: vec![
                bare("all", "untouched"),
                added("below", "Deploy.*", false, false),
                added("deploys", "deploy.production", false, false),
            ],
            notes: &[
                "Deploy.*: decided by `*` (approval) → `deploy.*` (no approval)",
                "deploy.production: decided by `*` (approval) → `deploy.production` (no approval)",
            ],
        },
        Row {
            what: "an untouched policy takes over what a policy leaves",
            active: &[("all", "*", true, None), ("p", "t", false, None)],
            deactivated: &[],
            desired: &[("p", "u", false, None)],
            mode: Mode::Additive,
            counts: [0, 1, 0, 0, 1],
            changes: vec![
                bare("all", "untouched"),
                modified("p", &[("action_type", json!("t"), json!("u"))]),
            ],
            notes: &[
                "t: decided by `t` (no approval) → `*` (approval)",
                "u: decided by `*` (approval) → `u` (no approval)",
            ],
        },
    ]);
}

#[test]
fn deactivated_policies() {
    check(vec![
        Row {
            what: "one comes back",
            active: &[],
            deactivated: &["p"],
            desired: &[("p", "t", true, None), ("q", "t", true, None)],
            mode: Mode::Replace,
            counts: [2, 0, 0, 0, 0],
            changes: vec![added("p", "t", true, true), added("q", "t", true, false)],
            notes: &["t: decided by no policy → `t` (approval)"],
        },
        Row {
            what: "one comes back in an additive plan",
            active: &[],
            deactivated: &["p"],
            desired: &[("p", "t", true, None)],
            mode: Mode::Additive,
            counts: [1, 0, 0, 0, 0],
            changes: vec![added("p", "t", true, true)],
            notes: &["t: decided by no policy → `t` (approval)"],
        },
        Row {
            what: "one that the manifest does not name is nothing to deactivate",
            active: &[("a", "t", false, None)],
            deactivated: &["p"],
            desired: &[("a", "t", false, None)],
            mode: Mode::Replace,
            counts: [0, 0, 0, 1, 0],
            changes: vec![bare("a", "unchanged")],
            notes: &[],
        },
        Row {
            what: "a rename to a name that was in use before",
            active: &[("new", "t", false, None)],
            deactivated: &["old"],
            desired: &[("old", "t", false, None)],
            mode: Mode::Replace,
            counts: [1, 0, 1, 0, 0],
            changes: vec![bare("new", "deactivate"), added("old", "t", false, true)],
            notes: &["`new` → `old` looks like a rename: `new` is deactivated"],
        },
    ]);
}

#[test]
fn replace() {
    check(vec![
        Row {
            what: "an exact level is lost to everything",
            active: &[("all", "*", false, None), ("p", "a.b", true, None)],
            deactivated: &[],
            desired: &[("all", "*", false, None)],
            mode: Mode::Replace,
            counts: [0, 0, 1, 1, 0],
            changes: vec![bare("all", "unchanged"), bare("p", "deactivate")],
            notes: &["a.b: decided by `a.b` (approval) → `*` (no approval)"],
        },
        Row {
            what: "some ask, then none, then all",
            active: &[
                ("a", "t", true, None),
                ("b", "t", false, None),
                ("c", "u", true, None),
                ("d", "u", false, None),
            ],
            deactivated: &[],
            desired: &[
                ("b", "t", false, None),
                ("c", "u", true, None),
                ("d", "u", true, None),
            ],
            mode: Mode::Replace,
            counts: [0, 1, 1, 2, 0],
            changes: vec![
                bare("a", "deactivate"),
                bare("b", "unchanged"),
                bare("c", "unchanged"),
                modified("d", &[("approval_required", json!(false), json!(true))]),
            ],
            notes: &[
                "t: decided by `t` (approval by 1 of 2 policies) → `t` (no approval)",
                "u: decided by `u` (approval by 1 of 2 policies) → `u` (approval)",
            ],
        },
        Row {
            what: "levels, then renames, then layout",
            active: &[
                ("kept", "t", false, Some(A)),
                ("old", "u", false, None),
                ("p", "v", false, None),
            ],
            deactivated: &[],
            desired: &[
                ("kept", "t", false, Some(A_LAID_OUT)),
                ("new", "u", false, None),
                ("p", "v", true, None),
            ],
            mode: Mode::Replace,
            counts: [1, 1, 1, 1, 0],
            changes: vec![
                bare("kept", "unchanged"),
                added("new", "u", false, false),
                bare("old", "deactivate"),
                modified("p", &[("approval_required", json!(false), json!(true))]),
            ],
            notes: &[
                "v: decided by `v` (no approval) → `v` (approval)",
                "`old` → `new` looks like a rename: `old` is deactivated",
                "1 unchanged policy differs in layout only; its stored text stays",
            ],
        },
        Row {
            what: "layout is not noted for a policy that changes",
            active: &[("p", "t", false, Some(A))],
            deactivated: &[],
            desired: &[("p", "u", false, Some(A_LAID_OUT))],
            mode: Mode::Replace,
            counts: [0, 1, 0, 0, 0],
            changes: vec![modified("p", &[("action_type", json!("t"), json!("u"))])],
            notes: &[
                "t: decided by `t` (no approval) → no policy",
                "u: decided by no policy → `u` (no approval)",
            ],
        },
        Row {
            what: "a structural change is one entry, whatever else changed in front of it",
            active: &[("p", "t", false, Some(A))],
            deactivated: &[],
            desired: &[("p", "t", false, Some(B_ANY_AND_ONE_MORE))],
            mode: Mode::Replace,
            counts: [0, 1, 0, 0, 0],
            changes: vec![modified(
                "p",
                &[("conditions", json!(A), json!(B_ANY_AND_ONE_MORE))],
            )],
            notes: &[],
        },
    ]);
}

#[test]
fn the_document_of_a_plan_for_a_workspace() {
    let desired = manifest(&[]);
    let workspace = WorkspaceRef {
        id: "0197a3c2-6a50-7000-8000-000000000001".to_owned(),
        name: "staging".to_owned(),
        org_name: "Acme (staging)".to_owned(),
    };
    let plan = Plan::new(&State::default(), desired.policies(), Mode::Additive);
    let reference = ManifestRef::new(None, &desired);
    let document = view::Plan::new(&plan, Some(workspace), reference, false);
    let want = json!({
        "workspace": {
            "id": "0197a3c2-6a50-7000-8000-000000000001",
            "name": "staging",
            "org_name": "Acme (staging)",
        },
        "mode": "additive",
        "dry_run": false,
        "applied": false,
        "manifest": {
            "file": null,
            // SHA-256 of `{"manifest_version":"1.0","policies":[]}`.
            "sha256": "4ecdbd333dc9a6b7661a07c82bd7fa0bb23149ea300f699d5f5726fbfbec2dcc",
            "rendered_sha256": null,
            "version": "1.0",
            "policies": 0,
        },
        "summary": {"added": 0, "modified": 0, "deactivated": 0, "unchanged": 0, "untouched": 0},
        "changes": [],
        "notes": [],
        "drift": null,
        "event": null,
        "checkpoint": null,
    });
    assert_eq!(serde_json::to_value(document).unwrap(), want);
}

/// As many policies ask as before, but not the same ones: counting alone would miss it.
#[test]
fn an_approval_that_moves_within_its_level() {
    let before = state(&[("a", "x.y", true, None), ("b", "x.y", false, None)], &[]);
    let rows: [(&[Policy], &str); 2] = [
        (
            &[("a", "x.y", false, None), ("b", "x.y", true, None)],
            "x.y: approval at `x.y` (approval by 1 of 2 policies): newly asked for by `b`, no longer by `a`",
        ),
        (
            &[("b", "x.y", true, None)],
            "x.y: decided by `x.y` (approval by 1 of 2 policies) → `x.y` (approval)",
        ),
    ];
    for (after, note) in rows {
        let plan = Plan::new(&before, manifest(after).policies(), Mode::Replace);
        assert_eq!(plan.notes(), [note]);
    }
}
