//! Previews and imports as people see them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use common::{Sandbox, assert_snapshot, manifest, policy};

/// What the workspace holds.
fn base() -> String {
    manifest(&[
        policy("audit-all-writes", "db.write", true),
        policy("db-read", "db.read", false),
        policy("deploys", "deploy.*", true),
        policy("everything-else", "'*'", true),
        policy("legacy-rule", "legacy.run", false),
    ])
}

/// What is to be imported.
fn next() -> String {
    manifest(&[
        policy("audit-all-writes", "db.write", false).replace("hours: 8", "hours: 24"),
        policy("block-unreviewed-deploys", "deploy.production", true).replace(
            "conditions: null",
            "conditions: |\n      logic: all\n      rules:\n        - {field: branch, operator: regex, value: '^main$'}",
        ),
        policy("db-read", "db.read", false),
        policy("deploys", "deploy.*", true),
        policy("everything-else", "'*'", true),
    ])
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&base());
    sandbox.write("next.yaml", &next());
    sandbox
}

#[test]
fn the_preview_byte_for_byte() {
    let run = sandbox().al(&["import", "--file", "next.yaml", "--dry-run", "--replace"]);
    let expected = "\
DRY RUN — no changes will be written
Preview — no changes applied:
  + 1 added:
      block-unreviewed-deploys
  ~ 1 modified:
      audit-all-writes
  - 1 deactivated:
      legacy-rule
  = 3 unchanged
";
    assert_eq!((run.code, run.stdout.as_str()), (0, expected));
}

#[test]
fn an_import_prints_the_same_block() {
    let run = sandbox().al(&["import", "--file", "next.yaml", "--replace"]);
    let expected = "\
Imported into staging:
  + 1 added:
      block-unreviewed-deploys
  ~ 1 modified:
      audit-all-writes
  - 1 deactivated:
      legacy-rule
  = 3 unchanged
";
    assert_eq!((run.code, run.stdout.as_str()), (0, expected));
}

#[test]
fn a_promotion_from_the_first_look_to_the_second_import() {
    let sandbox = sandbox();
    let file = ["import", "--file", "next.yaml"];
    let with = |more: &[&'static str]| -> Vec<&str> { [&file, more].concat() };
    assert_snapshot!(sandbox.transcript(&[
        &with(&["--dry-run"]),
        &with(&["--dry-run", "--diff"]),
        &with(&["--dry-run", "--replace", "--format", "markdown"]),
        &with(&["--expect-workspace", "staging"]),
        &with(&["--replace", "--quiet"]),
        &with(&["--replace"]),
        &["import", "--file", "base.yaml", "--dry-run"],
        &[
            "import",
            "--file",
            "base.yaml",
            "--dry-run",
            "--color",
            "always",
            "--quiet"
        ],
        &["audit", "list"],
    ]));
}

#[test]
fn the_exit_code_tells_changes_only_when_asked() {
    let sandbox = sandbox();
    let rows: [(&[&str], i32); 7] = [
        (&["import", "--file", "next.yaml", "--dry-run"], 0),
        (
            &[
                "import",
                "--file",
                "next.yaml",
                "--dry-run",
                "--detailed-exitcode",
            ],
            2,
        ),
        (
            &[
                "import",
                "--file",
                "base.yaml",
                "--dry-run",
                "--detailed-exitcode",
            ],
            0,
        ),
        (
            &["diff", "base.yaml", "next.yaml", "--detailed-exitcode"],
            2,
        ),
        (
            &["diff", "base.yaml", "base.yaml", "--detailed-exitcode"],
            0,
        ),
        (&["diff", "--file", "next.yaml", "--detailed-exitcode"], 2),
        (&["diff", "--file", "base.yaml", "--detailed-exitcode"], 0),
    ];
    for (args, expected) in rows {
        for format in ["text", "json", "markdown", "html"] {
            let args: Vec<&str> = args.iter().copied().chain(["--format", format]).collect();
            assert_eq!(sandbox.al(&args).code, expected, "{args:?}");
        }
    }
}

#[test]
fn diffs() {
    let sandbox = sandbox();
    assert_snapshot!(sandbox.transcript(&[
        &["diff", "base.yaml", "next.yaml"],
        &["diff", "next.yaml", "base.yaml", "--quiet"],
        &["diff", "base.yaml", "base.yaml"],
        &["diff", "--file", "next.yaml", "--quiet"],
    ]));
}

#[test]
fn a_dry_run_leaves_every_byte() {
    let sandbox = sandbox();
    let before = sandbox.files();
    for more in [
        &["--dry-run"][..],
        &["--dry-run", "--replace", "--format", "json"],
    ] {
        let args: Vec<&str> = [&["import", "--file", "next.yaml"], more].concat();
        assert_eq!(sandbox.al(&args).code, 0);
        assert_eq!(sandbox.files(), before, "{args:?}");
    }
}

#[test]
fn the_workspace_is_checked_before_the_manifest_is_read() {
    // There is no such manifest: had it been read, that would be the error.
    let args = [
        "import",
        "--file",
        "nowhere.yaml",
        "--expect-workspace",
        "prod",
    ];
    insta::assert_snapshot!(sandbox().transcript(&[&args]), @r"
    $ al import --file nowhere.yaml --expect-workspace prod
    exit 1
    --- stderr
    error[INVALID_SERVICE_KEY]: the key opens the workspace `staging`, not `prod`
      help: use a service key of `prod`
    ");
}

#[test]
fn a_manifest_from_stdin() {
    let sandbox = sandbox();
    let run = sandbox.al_with(next(), &["import", "--file", "-", "--dry-run", "--quiet"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("+ 1 added"), "{run:?}");
}

#[test]
fn circuit_breakers_are_skipped_and_said_so() {
    let sandbox = sandbox();
    let breakers = "circuit_breakers_info:\n  note: none\n  entries:\n    - anomaly_type: burst\n      \
                    score_threshold: 70\n      response_level: HALT\n";
    sandbox.write("with.yaml", &format!("{}{breakers}", base()));
    let run = sandbox.al(&["import", "--file", "with.yaml"]);
    assert!(
        run.stderr.contains("skipped 1 circuit breaker entry"),
        "{run:?}"
    );
    let (_, list) = sandbox.json(&["breaker", "list"]);
    assert_eq!(list, serde_json::json!({"breakers": []}));
}

#[test]
fn markdown_of_many_changes_fits_a_comment_with_counts_intact() {
    let sandbox = sandbox();
    let policies: Vec<String> = (0..5000)
        .map(|i| {
            policy(
                &format!("'generated|policy `{i}`'"),
                &format!("generated.a{i}"),
                false,
            )
        })
        .collect();
    sandbox.write("many.yaml", &manifest(&policies));
    let run = sandbox.al(&[
        "import",
        "--file",
        "many.yaml",
        "--dry-run",
        "--format",
        "markdown",
    ]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.len() < 65_536, "{}", run.stdout.len());
    assert!(run.stdout.contains("| 5000 | 0 | 0 | 0 | 5 |"));
    assert!(run.stdout.contains("more changes not shown."));
    assert!(run.stdout.ends_with("</details>\n"));
    assert!(!run.stdout.contains("generated|policy"));
}
