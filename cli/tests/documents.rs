//! `--format json`: one document, whole, under every command.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use common::{Sandbox, assert_snapshot, manifest, policy, redact, text};
use serde_json::Value;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&manifest(&[policy("a", "b.c", true)]));
    sandbox.write(
        "next.yaml",
        &manifest(&[
            policy("a", "b.c", false).replace("branches: null", "branches: [main, 'release/*']"),
            policy("d", "e.f", false),
        ]),
    );
    sandbox.write(
        "bad.yaml",
        "manifest_version: '1.0'\nmanifest_version: '1.0'\npolicies: 3\n",
    );
    sandbox.write("action.json", r#"{"action_type": "b.c", "metadata": {}}"#);
    sandbox
}

/// The exit code and the one document of each command.
fn documents(sandbox: &Sandbox, commands: &[&[&str]]) -> String {
    let mut shown = String::new();
    for args in commands {
        let quiet: Vec<&str> = args
            .iter()
            .copied()
            .chain(["--format", "json", "--quiet"])
            .collect();
        let run = sandbox.al(&quiet);
        assert_eq!(run.stderr, "", "{args:?}");
        assert!(
            serde_json::from_str::<Value>(&run.stdout).is_ok(),
            "{args:?}: {run:?}"
        );
        shown.push_str(&format!(
            "$ al {}\nexit {}\n{}\n",
            args.join(" "),
            run.code,
            redact(&run.stdout)
        ));
    }
    shown
}

#[test]
fn plans() {
    assert_snapshot!(documents(
        &sandbox(),
        &[
            &[
                "import",
                "--file",
                "next.yaml",
                "--dry-run",
                "--detailed-exitcode"
            ],
            &["diff", "base.yaml", "next.yaml"],
            &["diff", "--file", "next.yaml"],
            &["import", "--file", "next.yaml"],
        ]
    ));
}

#[test]
fn states() {
    let sandbox = sandbox();
    assert_snapshot!(documents(
        &sandbox,
        &[
            &["import", "--file", "next.yaml"],
            &["diff", "--file", "base.yaml"],
            &["rollback", "1", "--dry-run", "--detailed-exitcode"],
            &["rollback", "--to", "1"],
            &["rollback", "0"],
            &["history", "--limit", "2"],
            &["history", "--before", "2"],
        ]
    ));
}

#[test]
fn errors() {
    assert_snapshot!(documents(
        &sandbox(),
        &[
            &["import", "--file", "bad.yaml"],
            &["import", "--file", "nowhere.yaml"],
            &["nosuch"],
        ]
    ));
}

#[test]
fn validations() {
    assert_snapshot!(documents(
        &sandbox(),
        &[
            &["validate", "bad.yaml", "nowhere.yaml", "base.yaml"],
            &["fmt", "--check", "base.yaml"],
        ]
    ));
}

#[test]
fn decisions() {
    assert_snapshot!(documents(
        &sandbox(),
        &[
            &["eval", "--action", "action.json"],
            &[
                "eval",
                "--action",
                "action.json",
                "--file",
                "next.yaml",
                "--require",
                "executed"
            ],
        ]
    ));
}

#[test]
fn the_audit_log() {
    assert_snapshot!(documents(
        &sandbox(),
        &[
            &["audit", "list", "--limit", "1"],
            &["audit", "list", "--cursor", "1"],
            &["audit", "show", "1"],
            &["audit", "verify"],
        ]
    ));
}

#[test]
fn workspaces_keys_breakers_and_schemas() {
    let sandbox = sandbox();
    let first = documents(
        &sandbox,
        &[
            &["workspace", "create", "prod"],
            &["workspace", "list"],
            &["workspace", "show"],
            &["key", "create", "--agent", "--name", "bot"],
        ],
    );
    let (_, list) = sandbox.json(&["key", "list"]);
    let bot = text(&list["keys"][1]["id"]);
    let revoked = documents(&sandbox, &[&["key", "revoke", &bot]]);
    let rest = documents(
        &sandbox,
        &[
            &["key", "list"],
            &[
                "breaker",
                "set",
                "burst",
                "--score-threshold",
                "70.5",
                "--response-level",
                "HALT",
            ],
            &["breaker", "list"],
            &["schema"],
        ],
    );
    assert_snapshot!([first, revoked.replace(&bot, "[UUID]"), rest].concat());
}
