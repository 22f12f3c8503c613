//! The command line itself: help, usage errors, and that a slip never runs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use common::{Sandbox, assert_snapshot, manifest};
use serde_json::json;

#[test]
fn help_of_every_command() {
    let sandbox = Sandbox::new();
    let commands: &[&[&str]] = &[
        &["--help"],
        &["workspace", "--help"],
        &["workspace", "create", "--help"],
        &["workspace", "list", "--help"],
        &["workspace", "show", "--help"],
        &["key", "--help"],
        &["key", "create", "--help"],
        &["key", "list", "--help"],
        &["key", "revoke", "--help"],
        &["export", "--help"],
        &["import", "--help"],
        &["plan", "--help"],
        &["show", "--help"],
        &["apply", "--help"],
        &["diff", "--help"],
        &["history", "--help"],
        &["rollback", "--help"],
        &["validate", "--help"],
        &["fmt", "--help"],
        &["schema", "--help"],
        &["eval", "--help"],
        &["audit", "--help"],
        &["audit", "list", "--help"],
        &["audit", "show", "--help"],
        &["audit", "verify", "--help"],
        &["breaker", "--help"],
        &["breaker", "set", "--help"],
        &["breaker", "list", "--help"],
        &["completions", "--help"],
    ];
    assert_snapshot!(sandbox.transcript(commands));
}

#[test]
fn the_version_is_on_stdout() {
    let run = Sandbox::new().al(&["--version"]);
    let version = format!("al {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (run.code, run.stdout, run.stderr),
        (0, version, String::new())
    );
}

const SLIPS: &[&[&str]] = &[
    &[],
    &["workspace"],
    &["imprt", "--file", "a.yaml"],
    &["import"],
    &["import", "--file", "a.yaml", "--dryrun"],
    &["import", "--file", "a.yaml", "--detailed-exitcode"],
    &["import", "--file", "a.yaml", "--service-key", "al_svc_x"],
    &["diff"],
    &["diff", "a.yaml"],
    &["diff", "a.yaml", "b.yaml", "c.yaml"],
    &["diff", "a.yaml", "b.yaml", "--file", "c.yaml"],
    &["diff", "a.yaml", "b.yaml", "--url", "sqlite:al.db"],
    &["diff", "-", "-"],
    &["rollback"],
    &["rollback", "1", "--to", "1"],
    &["rollback", "one"],
    &["rollback", "1", "--detailed-exitcode"],
    &["history", "--limit", "0"],
    &["validate"],
    &["validate", "-", "-"],
    &["fmt", "-", "--format", "json"],
    &["schema", "nothing"],
    &["eval", "--action", "a.json", "--require", "allowed"],
    &[
        "eval",
        "--action",
        "a.json",
        "--file",
        "a.yaml",
        "--url",
        "sqlite:al.db",
    ],
    &["audit", "list", "--limit", "0"],
    &["audit", "show", "first"],
    &["audit", "show", "it's"],
    &["import", "--file", "a.yaml", "--file", "b.yaml"],
    &["import", "--file"],
    &["import", "--file", "a.yaml", "--dry-run=yes"],
    // The key would come from stdin, too.
    &["import", "--file", "-", "--service-key-file", "-"],
    &["diff", "--file", "-", "--service-key-file", "-"],
    &["eval", "--action", "-", "--file", "-"],
    &["eval", "--action", "-", "--service-key-file", "-"],
    // Without a key: the URL is judged first.
    &["export", "--url", "al.db"],
    &["key", "list", "--url", "al.db"],
    &[
        "breaker",
        "set",
        "x",
        "--score-threshold",
        "-1",
        "--response-level",
        "HALT",
    ],
    &[
        "breaker",
        "set",
        "",
        "--score-threshold",
        "1",
        "--response-level",
        "HALT",
    ],
    &[
        "breaker",
        "set",
        "x",
        "--score-threshold",
        "1",
        "--response-level",
        "",
    ],
    &[
        "breaker",
        "set",
        "x",
        "--score-threshold",
        "high",
        "--response-level",
        "HALT",
    ],
    &[
        "key",
        "create",
        "--workspace",
        "a",
        "--service-key-file",
        "b",
    ],
    &["export", "--format", "toml"],
    &["workspace", "create", "Not A Name"],
    &["workspace", "list", "--url", "mysql://user:secret@host/db"],
    &["completions", "tcsh"],
];

#[test]
fn usage_errors() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.transcript(SLIPS));
    assert_eq!(sandbox.files(), [], "a slip made a file");
}

#[test]
fn usage_errors_are_documents_under_json() {
    let sandbox = Sandbox::new();
    for args in SLIPS {
        // Of several the last counts that is one.
        let args: Vec<&str> = ["--format", "json"].iter().chain(*args).copied().collect();
        let run = sandbox.al(&args);
        let document: serde_json::Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{args:?}: {run:?}"));
        assert_eq!(
            (run.code, &document["error"]["code"], run.stderr.as_str()),
            (64, &json!("USAGE"), ""),
            "{args:?}"
        );
    }
}

#[test]
fn an_unknown_flag_never_runs() {
    let sandbox = Sandbox::with(&manifest(&[]));
    let before = sandbox.files();
    for flag in ["--dry_run", "--dryrun", "--dry-run=yes", "--prune"] {
        let run = sandbox.al(&["import", "--file", "base.yaml", flag]);
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{flag}");
    }
    assert_eq!(sandbox.files(), before);
}

#[test]
fn completions_for_every_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = sandbox.al(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell}");
        assert!(run.stdout.contains("detailed-exitcode"), "{shell}");
    }
    let bash = sandbox.al(&["completions", "bash"]).stdout;
    assert!(
        bash.contains("help__subcmd__audit,check)"),
        "`al help audit <TAB>`"
    );
}

#[test]
#[cfg(unix)]
fn a_url_that_is_no_text_is_a_usage_error() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["export"]);
    let run = common::run(command.env("AL_URL", OsStr::from_bytes(b"sqlite:\xff")));
    let expected = "error[USAGE]: AL_URL is not UTF-8\n  help: set it to `sqlite:PATH`, `postgres://…` or `https://…`\n";
    assert_eq!((run.code, run.stderr.as_str()), (64, expected));
}

/// A default place is only asked for when there is something to open there.
#[test]
fn a_missing_key_comes_before_a_missing_home() {
    let sandbox = Sandbox::new();
    let run = common::run(sandbox.command(&["export"]).env_remove("AL_URL"));
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.starts_with("error[INVALID_SERVICE_KEY]"),
        "{run:?}"
    );
}
