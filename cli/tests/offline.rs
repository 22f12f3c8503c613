//! Commands that need no workspace: validate, fmt, schema, eval.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use common::{Sandbox, assert_snapshot, manifest, policy, text};

const BAD: &str = "\
manifest_version: '1.0'
polices: []
policies:
  - name: a
    action_type: deploy.production
    approval_required: yes
    allowed_repos: null
    allowed_branches: null
    conditions: |
      logic: all
      rules:
        - field: branch
          operator: equal
          value: \"^main$\"
        - field: größe
          operator: regex
          value: \"(unclosed\"
  - name: a
    action_type: db.write
    approval_required: false
    allowed_repos: null
    allowed_branches: []
    conditions: null
";

#[test]
fn errors_show_their_lines() {
    let sandbox = Sandbox::new();
    sandbox.write("bad.yaml", BAD);
    sandbox.write("future.yaml", "manifest_version: '2.0'\nnew_key: {}\n");
    sandbox.write("empty.yaml", "");
    sandbox.write(
        "escape.yaml",
        "manifest_version: '1.0'\npolicies: []\n\"\\e[31m\\u202ered\": 1\n",
    );
    assert_snapshot!(sandbox.transcript(&[
        &["validate", "bad.yaml"],
        &["validate", "bad.yaml", "--quiet", "--format", "markdown"],
        &["validate", "future.yaml", "empty.yaml", "escape.yaml"],
        &["fmt", "bad.yaml", "future.yaml"],
        &["diff", "future.yaml", "empty.yaml"],
    ]));
}

/// Raw bytes of a file: the one-character form of escape-bracket, a direction mark and a line separator.
#[test]
fn a_line_that_is_shown_is_not_obeyed() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "raw.yaml",
        "manifest_version: '1.0'\npolicies: []\n\u{200f}\u{2028}x\u{9b}31m: 1\n",
    );
    sandbox.write(
        "bidi.yaml",
        "manifest_version: '1.0'\npolicies: []\n\u{200f}\u{2028}red: 1\n",
    );
    let shown = sandbox.transcript(&[&["validate", "raw.yaml", "bidi.yaml"]]);
    assert!(
        !shown.contains(['\u{9b}', '\u{200f}', '\u{2028}']),
        "{shown:?}"
    );
    insta::assert_snapshot!(shown, @r"
    $ al validate raw.yaml bidi.yaml
    exit 1
    --- stdout
    raw.yaml: not valid, 1 error
    bidi.yaml: not valid, 1 error
    --- stderr
    error[INVALID_MANIFEST]: invalid YAML: unexpected character: `\u{9b}'
     --> raw.yaml:3:1
      |
    3 | ��x�31m: 1
      | ^

    error[INVALID_MANIFEST]: unknown key `\u{200f}\u{2028}red` in a manifest
     --> bidi.yaml:3:1
      |
    3 | ��red: 1
      | ^^^^^
      |
      = help: a manifest has the keys `manifest_version`, `exported_at`, `org_name`, `policies`, `circuit_breakers_info`
    ");
}

#[test]
fn colour_is_only_for_terminals_and_those_who_ask() {
    let sandbox = Sandbox::new();
    sandbox.write("bad.yaml", BAD);
    let coloured = |args: &[&str]| sandbox.al(args).stderr.contains('\u{1b}');
    assert!(!coloured(&["validate", "bad.yaml"]));
    assert!(!coloured(&["validate", "bad.yaml", "--color", "never"]));
    assert!(coloured(&["validate", "bad.yaml", "--color", "always"]));
}

#[test]
fn a_line_without_end_is_shown_in_part() {
    let sandbox = Sandbox::new();
    let run = sandbox.al_with("[".repeat(100_000), &["validate", "-"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (1, "-: not valid, 1 error\n")
    );
    assert!(run.stderr.len() < 1000, "{}", run.stderr);
}

#[test]
fn text_that_is_not_utf_8() {
    let sandbox = Sandbox::new();
    let run = sandbox.al_with(
        *b"manifest_version: '1.0'\npolicies: \xff\n",
        &["validate", "-"],
    );
    assert_snapshot!(run.shown());
}

#[test]
fn valid_files_are_counted() {
    let sandbox = Sandbox::new();
    sandbox.write("none.yaml", &manifest(&[]));
    sandbox.write("one.yaml", &manifest(&[policy("a", "b.c", true)]));
    let run = sandbox.al(&["validate", "none.yaml", "one.yaml"]);
    let expected = "none.yaml: valid, 0 policies\none.yaml: valid, 1 policy\n";
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, expected, "")
    );
}

const UNTIDY: &str = "\
# kept
policies:
  - action_type: b.c
    name: 'a'
    approval_required: true
    allowed_repos: null
    allowed_branches: null
    conditions: null
manifest_version: \"1.0\"
";

#[test]
fn formatting() {
    let sandbox = Sandbox::new();
    sandbox.write("untidy.yaml", UNTIDY);
    let check = sandbox.al(&["fmt", "--check", "untidy.yaml"]);
    assert_eq!((check.code, check.stdout.as_str()), (1, "untidy.yaml\n"));
    assert_eq!(
        sandbox.read("untidy.yaml"),
        UNTIDY,
        "a check writes nothing"
    );

    let piped = sandbox.al_with(UNTIDY, &["fmt", "-"]);
    assert_eq!((piped.code, piped.stderr.as_str()), (0, ""));
    let written = sandbox.al(&["fmt", "untidy.yaml"]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""));
    assert_eq!(sandbox.read("untidy.yaml"), piped.stdout);
    assert!(piped.stdout.contains("# kept"));

    let check = sandbox.al(&["fmt", "--check", "untidy.yaml"]);
    assert_eq!(
        (check.code, check.stdout.as_str(), check.stderr.as_str()),
        (0, "", "")
    );
}

#[test]
fn one_bad_file_and_none_is_formatted() {
    let sandbox = Sandbox::new();
    sandbox.write("untidy.yaml", UNTIDY);
    sandbox.write("bad.yaml", BAD);
    let run = sandbox.al(&["fmt", "untidy.yaml", "bad.yaml"]);
    assert_eq!(run.code, 1);
    assert_eq!(
        (sandbox.read("untidy.yaml"), sandbox.read("bad.yaml")),
        (UNTIDY.into(), BAD.into())
    );
}

#[test]
fn schemas_are_json() {
    let sandbox = Sandbox::new();
    let names = sandbox.al(&["schema"]).stdout;
    assert!(names.lines().any(|name| name == "manifest"), "{names}");
    for name in names.lines() {
        let run = sandbox.al(&["schema", name]);
        let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(schema["$schema"].is_string(), "{name}");
    }
    let (_, listed) = sandbox.json(&["schema"]);
    assert_eq!(
        listed["schemas"].as_array().unwrap().len(),
        names.lines().count()
    );
}

fn refunds() -> Sandbox {
    let sandbox = Sandbox::new();
    let conditions = "conditions: |\n      logic: all\n      rules:\n        \
                      - {field: amount, operator: lte, value: 100}\n        \
                      - {field: reason, operator: contains_ci, value: damaged}";
    sandbox.write(
        "policies.yaml",
        &manifest(&[
            policy("refund-any", "payment.refund", true)
                .replace("allowed_repos: null", "allowed_repos: [acme/*]"),
            policy("refund-small", "payment.refund", false).replace("conditions: null", conditions),
            policy("everything", "payment.*", false),
        ]),
    );
    let actions = [
        (
            "executed",
            r#"{"action_type": "payment.refund", "metadata": {"amount": 10, "reason": "Damaged", "repo": "x"}}"#,
        ),
        (
            "requested",
            r#"{"action_type": "payment.refund", "metadata": {"amount": 10, "reason": "Damaged"}}"#,
        ),
        (
            "denied",
            r#"{"action_type": "payment.refund", "metadata": {"amount": "10", "reason": null, "repo": "\u001b[2J|`"}}"#,
        ),
        ("policy_not_found", r#"{"action_type": "email.send"}"#),
    ];
    for (name, action) in actions {
        sandbox.write(&format!("{name}.json"), action);
    }
    sandbox
}

const STATUSES: [&str; 4] = ["executed", "requested", "denied", "policy_not_found"];

#[test]
fn decisions_with_their_trace() {
    let sandbox = refunds();
    let mut shown = String::new();
    for status in STATUSES {
        let action = format!("{status}.json");
        let args = ["eval", "--action", &action, "--file", "policies.yaml"];
        shown.push_str(&sandbox.transcript(&[&args]));
    }
    let args = [
        "eval",
        "--action",
        "denied.json",
        "--file",
        "policies.yaml",
        "--format",
        "markdown",
    ];
    shown.push_str(&sandbox.transcript(&[&args]));
    assert_snapshot!(shown);
}

#[test]
fn a_requirement_is_met_or_the_exit_code_is_3() {
    let sandbox = refunds();
    for status in STATUSES {
        for required in STATUSES {
            let action = format!("{status}.json");
            let args = [
                "eval",
                "--action",
                &action,
                "--file",
                "policies.yaml",
                "--require",
                required,
            ];
            let (code, decision) = sandbox.json(&args);
            let expected = if status == required { 0 } else { 3 };
            assert_eq!(
                (code, text(&decision["status"]).as_str()),
                (expected, status)
            );
        }
    }
}

#[test]
fn actions_that_are_none() {
    let sandbox = refunds();
    let mut shown = String::new();
    for action in [
        "",
        "[]",
        r#"{"action_type":"a","action_type":"b"}"#,
        r#"{"action_type":"a.*"}"#,
        "{\"x\":\n1}",
    ] {
        let run = sandbox.al_with(
            action,
            &["eval", "--action", "-", "--file", "policies.yaml"],
        );
        assert_eq!(run.stdout, "", "no decision");
        shown.push_str(&format!("{action}\n{}\n", run.shown()));
    }
    assert_snapshot!(shown);
}
