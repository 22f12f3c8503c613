//! States that a workspace had, as people see them: listed, exported, compared with and gone back to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly"
)]

mod common;

use common::{Sandbox, assert_snapshot, manifest, policy, text};
use lattice_core::hash::{hex, sha256};

/// A workspace whose log holds: its key, an import of `base.yaml`, a key, an import of `next.yaml` that replaces.
fn sandbox() -> Sandbox {
    let writes = policy("audit-all-writes", "db.write", true);
    let reads = policy("log-reads", "db.read", false);
    let legacy = policy("legacy-rule", "legacy.run", false);
    let sandbox = Sandbox::with(&manifest(&[writes.clone(), legacy, reads.clone()]));
    let run = sandbox.al(&["key", "create", "--agent", "--workspace", "staging"]);
    assert_eq!(run.code, 0, "{run:?}");
    let loose = writes.replace("approval_required: true", "approval_required: false");
    let deploys = policy("deploys", "deploy.*", true);
    sandbox.write("next.yaml", &manifest(&[loose, deploys, reads]));
    let run = sandbox.al(&["import", "--file", "next.yaml", "--replace"]);
    assert_eq!(run.code, 0, "{run:?}");
    sandbox
}

#[test]
fn the_states_of_a_workspace() {
    assert_snapshot!(sandbox().transcript(&[
        &["history"],
        &["history", "--limit", "1"],
        &["history", "--before", "3", "--format", "markdown"],
        &["history", "--before", "1"],
        &["export", "--at", "2"],
        &["export", "--at", "4"],
    ]));
}

#[test]
fn a_rollback_from_the_first_look_to_the_second() {
    let sandbox = sandbox();
    assert_snapshot!(sandbox.transcript(&[
        &[
            "rollback",
            "1",
            "--dry-run",
            "--diff",
            "--detailed-exitcode"
        ],
        &[
            "rollback",
            "1",
            "--dry-run",
            "--format",
            "markdown",
            "--quiet"
        ],
        &["rollback", "0"],
        &["rollback", "0", "--dry-run", "--allow-deactivations", "2"],
        &["rollback", "1", "--expect-workspace", "prod"],
        &["rollback", "--to", "1", "--expect-workspace", "staging"],
        &["rollback", "1", "--dry-run", "--detailed-exitcode"],
        &["rollback", "1", "--format", "markdown", "--quiet"],
        &["rollback", "9"],
        &["history"],
        &["audit", "verify", "--quiet"],
    ]));
}

/// The manifest of a rollback is the file that `export --at` writes, whenever that is.
#[test]
fn a_rollback_records_the_manifest_that_is_exported() {
    let sandbox = sandbox();
    let before = sandbox.al(&["export", "--at", "1"]).stdout;
    let (code, plan) = sandbox.json(&["rollback", "1"]);
    assert_eq!(
        (code, &plan["manifest"]["file"]),
        (0, &serde_json::Value::Null)
    );
    let digest = hex(&sha256(before.as_bytes()));
    assert_eq!(text(&plan["event"]["manifest_sha256"]), digest);
    assert_eq!(text(&plan["event"]["kind"]), "rollback");

    let run = sandbox.al(&["export", "--at", "1", "--file", "then.yaml"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert_eq!(sandbox.read("then.yaml"), before);
    let again = sandbox.al(&["export", "--at", "1", "--file", "then.yaml"]);
    assert!(again.stderr.contains("left untouched"), "{again:?}");

    let (_, history) = sandbox.json(&["history"]);
    let states = history["states"].as_array().unwrap();
    assert_eq!(states[0]["state"], states[2]["state"]);
    assert_eq!(states[0]["manifest_sha256"], digest.as_str());
}

#[test]
fn a_dry_run_writes_nothing() {
    let sandbox = sandbox();
    let before = sandbox.files();
    for args in [
        &["rollback", "1", "--dry-run"][..],
        &["rollback", "0", "--dry-run"],
        &["rollback", "0"],
        &["rollback", "9"],
        &["history"],
        &["export", "--at", "1"],
        &["diff", "--file", "base.yaml"],
    ] {
        sandbox.al(args);
        assert_eq!(sandbox.files(), before, "{args:?}");
    }
}

/// Each change says its side: the file of the last import, one that was imported before, one that never was, and one
/// after a rollback.
#[test]
fn drift_in_each_direction() {
    let sandbox = sandbox();
    let other = manifest(&[
        policy("deploys", "deploy.*", false),
        policy("log-reads", "db.read", false),
        policy("new-rule", "x.y", true),
    ]);
    sandbox.write("other.yaml", &other);
    assert_snapshot!(sandbox.transcript(&[
        &["diff", "--file", "next.yaml", "--quiet"],
        &["diff", "--file", "base.yaml", "--quiet"],
        &["diff", "--file", "other.yaml", "--quiet"],
        &["rollback", "1", "--quiet"],
        &["diff", "--file", "next.yaml", "--quiet"],
        &["diff", "--file", "other.yaml", "--quiet"],
    ]));
}

#[test]
fn a_state_that_was_edited() {
    let sandbox = sandbox();
    let edit =
        "UPDATE policy_version SET approval_required = FALSE WHERE name = 'audit-all-writes'";
    sandbox.store().sql(edit);
    let before = sandbox.files();
    assert_snapshot!(sandbox.transcript(&[
        &["rollback", "1"],
        &["export", "--at", "1", "--file", "then.yaml"],
        &["export", "--at", "3"],
        &["diff", "--file", "base.yaml"],
    ]));
    assert_eq!(sandbox.files(), before);
}

/// The example of the page, command by command.
#[test]
fn the_example_of_the_page_runs() {
    let page = include_str!("../../docs/rollback.md");
    let (_, rest) = page.split_once("```console\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let mut sandbox = Sandbox::new();
    let key = sandbox.create("staging");
    sandbox.use_key(&key);
    sandbox.write(
        "first.yaml",
        include_str!("../../examples/policies/first.yaml"),
    );
    let mut shown = String::new();
    for command in example.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let run = sandbox.shell(&format!("al() {{ \"$AL\" \"$@\"; }}; {command}"));
        assert_eq!(run.code, 0, "{run:?}");
        shown.push_str(&format!("$ {command}\n{}", run.stdout));
    }
    assert_eq!(shown, example);
}
