//! The audit log through the command line: what it shows, and what it says when someone edited the store.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use common::{Sandbox, assert_snapshot, manifest, policy, text};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&manifest(&[policy("a", "b.c", true)]));
    sandbox.al(&["key", "create", "--name", "ci", "--workspace", "staging"]);
    sandbox
}

#[test]
fn the_log_as_people_read_it() {
    let sandbox = sandbox();
    assert_snapshot!(sandbox.transcript(&[
        &["audit", "list"],
        &["audit", "list", "--limit", "1", "--cursor", "1"],
        &["audit", "show", "2"],
        &["audit", "show", "3"],
        &["audit", "verify"],
        &["audit", "verify", "--state"],
        &["audit", "verify", "--format", "markdown", "--quiet"],
    ]));
}

#[test]
fn a_store_that_was_edited() {
    let edits = [
        "UPDATE policy SET approval_required = FALSE",
        "UPDATE audit_event SET body = replace(body, '\"added\":1', '\"added\":2') WHERE seq = 1",
        "DELETE FROM audit_event WHERE seq = 1",
        "DELETE FROM audit_event WHERE seq = 2",
        "UPDATE policy SET allowed_repos = '[1]'",
    ];
    let mut shown = String::new();
    for edit in edits {
        let sandbox = sandbox();
        sandbox.store().sql(edit);
        let (code, verification) = sandbox.json(&["audit", "verify", "--state"]);
        assert_eq!((code, &verification["valid"]), (1, &false.into()), "{edit}");
        shown.push_str(&format!(
            "{edit}\n{}",
            sandbox.transcript(&[&["audit", "verify", "--state"]])
        ));
    }
    assert_snapshot!(shown);
}

/// Names are kept beside the event, which holds their digest alone.
#[test]
fn forged_names_are_not_shown() {
    let sandbox = sandbox();
    let edit = "UPDATE audit_event SET names = replace(names, '[\"a\"]', '[\"b\"]') WHERE seq = 1";
    sandbox.store().sql(edit);
    for args in [&["audit", "show", "1"][..], &["audit", "list"]] {
        let refused = (1, "AUDIT_TAMPERED".to_owned());
        assert_eq!(sandbox.error(args), refused, "{args:?}");
    }
    insta::assert_snapshot!(sandbox.transcript(&[&["audit", "show", "1"]]), @r"
    $ al audit show 1
    exit 1
    --- stderr
    error[AUDIT_TAMPERED]: the audit event `1` was edited: the names are not those of the event
      help: `al audit verify` says what of the log still stands
    ");
}

/// What `verify` says on stderr is what an import gave to keep.
#[test]
fn a_verified_log_shows_the_checkpoint_to_compare() {
    let sandbox = sandbox();
    let (_, plan) = sandbox.json(&["import", "--file", "base.yaml"]);
    let checkpoint = text(&plan["checkpoint"]);
    let run = sandbox.al(&["audit", "verify"]);
    assert_eq!(
        run.stderr,
        format!(
            "the policies were not compared with the log; `--state` does\ntrust: self — compare this checkpoint with one that was kept elsewhere:\n{checkpoint}"
        )
    );
}
