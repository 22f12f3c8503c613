//! Checkpoints, pins, proofs, keys and witnesses through the command line.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use std::fs;

use common::{Run, Sandbox, Store, assert_snapshot, binary, manifest, policy, run, text};
use lattice_core::audit::{Checkpoint, SigningKey};

/// A store with one import, and a second manifest to import.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&manifest(&[policy("a", "b.c", true)]));
    sandbox.write("next.yaml", &manifest(&[policy("a", "b.c", false)]));
    sandbox
}

fn checkpoint(sandbox: &Sandbox, file: &str) {
    let run = sandbox.al(&["audit", "checkpoint"]);
    assert_eq!(run.code, 0, "{run:?}");
    sandbox.write(file, &run.stdout);
}

/// Runs with the signing key in that file.
fn signed(sandbox: &Sandbox, key: &str, args: &[&str]) -> Run {
    run(sandbox.command(args).env("AL_AUDIT_KEY_FILE", key))
}

/// Makes a key, and gives its verification key.
fn keygen(sandbox: &Sandbox, args: &[&str]) -> String {
    let run = sandbox.al(&[&["audit", "keygen"], args].concat());
    assert_eq!(run.code, 0, "{run:?}");
    run.stdout.trim_end().to_owned()
}

#[test]
fn a_pin_as_a_pipeline_meets_it() {
    let sandbox = sandbox();
    let import = ["import", "--file", "next.yaml", "--pin", "pin"];
    let mut shown = sandbox.transcript(&[&import, &[&import[..], &["--pin-init"]].concat()]);
    let pin = sandbox.read("pin");
    shown.push_str(&sandbox.transcript(&[
        &[&import[..], &["--pin-init"]].concat(),
        &[&import[..], &["--dry-run"]].concat(),
    ]));
    assert_eq!(sandbox.read("pin"), pin, "a dry run keeps the pin");
    shown.push_str(&sandbox.transcript(&[
        &import,
        &["rollback", "1", "--pin", "pin"],
        &["audit", "verify", "--checkpoint", "pin", "--state"],
        &[
            "audit",
            "verify",
            "--checkpoint",
            "pin",
            "--format",
            "markdown",
            "--quiet",
        ],
        &["import", "--file", "next.yaml", "--pin", "-"],
        &["import", "--file", "next.yaml", "--pin-init"],
        &["import", "--file", "next.yaml", "--pin", "next.yaml"],
    ]));
    assert_snapshot!(shown);
}

#[test]
fn a_saved_plan_builds_on_a_pin_too() {
    let sandbox = sandbox();
    checkpoint(&sandbox, "pin");
    let plan = sandbox.al(&["plan", "--file", "next.yaml", "--out", "plan.json"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let applied = sandbox.al(&["apply", "plan.json", "--pin", "pin"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(sandbox.read("pin").contains("\n3\n"));
}

/// A log that was cut short is refused before anything changes, and nothing has to be said twice.
#[test]
fn an_import_on_a_restored_store_is_refused() {
    let sandbox = sandbox();
    sandbox.store().back_up();
    let import = ["import", "--file", "next.yaml", "--pin", "pin"];
    assert_eq!(sandbox.al(&[&import[..], &["--pin-init"]].concat()).code, 0);
    sandbox.store().restore();
    let before = sandbox.files();
    assert_snapshot!(sandbox.transcript(&[
        &import,
        &["rollback", "0", "--pin", "pin"],
        &[
            "audit",
            "verify",
            "--checkpoint",
            "pin",
            "--checkpoint",
            "pin"
        ],
        &["audit", "verify", "--checkpoint", "pin", "--format", "json"],
        &["audit", "consistency", "--old", "pin"],
        &["audit", "prove", "--event", "1", "--checkpoint", "pin"],
    ]));
    assert_eq!(sandbox.files(), before);
}

/// What cannot be read is another error than what was tampered with.
#[test]
fn evidence_that_is_none() {
    let sandbox = sandbox();
    checkpoint(&sandbox, "pin");
    let vkey = keygen(&sandbox, &["--out", "log.key"]);
    let pin = sandbox.read("pin");
    sandbox.write("short", pin.trim_end());
    fs::write(sandbox.path("binary"), b"SQLite format 3\0\xff").unwrap();
    sandbox.write("crlf", &pin.replace('\n', "\r\n"));
    sandbox.write(
        "forged",
        &format!("{pin}\n— {} AAAAAAAA\n", vkey.split('+').next().unwrap()),
    );
    let key = sandbox.read("log.key");
    sandbox.write("torn.key", key.split_at(60).0);
    let codes = [
        (vec!["--checkpoint", "none"], "IO_ERROR"),
        (vec!["--checkpoint", "short"], "INVALID_CHECKPOINT"),
        (vec!["--checkpoint", "crlf"], "INVALID_CHECKPOINT"),
        (vec!["--checkpoint", "binary"], "INVALID_CHECKPOINT"),
        (
            vec!["--checkpoint", "pin", "--vkey", &vkey],
            "INVALID_CHECKPOINT",
        ),
        (
            vec!["--checkpoint", "forged", "--vkey", &vkey],
            "INVALID_CHECKPOINT",
        ),
        (
            vec!["--checkpoint", "pin", "--vkey", "a+b"],
            "INVALID_AUDIT_KEY",
        ),
        (
            vec!["--checkpoint", "pin", "--vkey", vkey.split_at(1).1],
            "INVALID_AUDIT_KEY",
        ),
    ];
    for (args, code) in codes {
        let args = [vec!["audit", "verify"], args].concat();
        assert_eq!(sandbox.error(&args), (1, code.to_owned()), "{args:?}");
    }
    let (code, error) = sandbox.error(&["audit", "verify", "--vkey", &vkey]);
    assert_eq!((code, error.as_str()), (64, "USAGE"));

    // A key that does not sign stops an import before it begins.
    let before = sandbox.files();
    let import = ["import", "--file", "next.yaml", "--format", "json"];
    keygen(&sandbox, &["--witness", "w.example", "--out", "w.key"]);
    let mut open = sandbox.shell("cp log.key open.key && chmod 644 open.key");
    assert_eq!(open.code, 0, "{open:?}");
    for (key, expected) in [
        ("none.key", "IO_ERROR"),
        ("torn.key", "INVALID_AUDIT_KEY"),
        ("pin", "INVALID_AUDIT_KEY"),
        ("open.key", "INVALID_AUDIT_KEY"),
        ("w.key", "INVALID_AUDIT_KEY"),
    ] {
        open = sandbox.shell("chmod 600 torn.key pin");
        assert_eq!(open.code, 0, "{open:?}");
        let refused = signed(&sandbox, key, &import);
        let document: serde_json::Value = serde_json::from_str(&refused.stdout).unwrap();
        let found = (refused.code, text(&document["error"]["code"]));
        assert_eq!(found, (1, expected.to_owned()), "{key}");
        assert!(!refused.stdout.contains("PRIVATE"), "{refused:?}");
    }
    let log = |files: Vec<(String, String)>| files.into_iter().find(|(name, _)| name == "al.db");
    assert_eq!(log(sandbox.files()), log(before));
}

#[test]
fn a_signed_log_and_its_next_key() {
    let sandbox = sandbox();
    let first = keygen(&sandbox, &["--out", "first.key"]);
    let second = keygen(&sandbox, &["--out", "second.key"]);
    let again = sandbox.error(&["audit", "keygen", "--out", "first.key"]);
    assert_eq!(again, (1, "IO_ERROR".to_owned()));

    let import = ["import", "--file", "next.yaml", "--pin", "pin"];
    let run = signed(
        &sandbox,
        "first.key",
        &[&import[..], &["--pin-init"]].concat(),
    );
    assert_eq!(run.code, 0, "{run:?}");
    let signed_by_first = ["audit", "verify", "--checkpoint", "pin", "--vkey", &first];
    let mut shown = sandbox.transcript(&[&signed_by_first]);

    let rotate = ["audit", "rotate-key", "--new-key-file", "second.key"];
    shown.push_str(&signed(&sandbox, "first.key", &rotate).shown());
    let stale = signed(&sandbox, "first.key", &import);
    shown.push_str(&stale.shown());
    let run = signed(&sandbox, "second.key", &import);
    assert_eq!(run.code, 0, "{run:?}");
    shown.push_str(&sandbox.transcript(&[
        &["audit", "verify", "--checkpoint", "pin", "--vkey", &first],
        &[
            "audit",
            "verify",
            "--checkpoint",
            "pin",
            "--vkey",
            &first,
            "--vkey",
            &second,
            "--state",
        ],
        &rotate,
    ]));
    assert_snapshot!(shown);
}

#[test]
fn a_proof_travels_alone() {
    let sandbox = sandbox();
    checkpoint(&sandbox, "auditor");
    assert_eq!(sandbox.al(&["import", "--file", "next.yaml"]).code, 0);
    let prove = sandbox.al(&["audit", "prove", "--event", "1", "--checkpoint", "auditor"]);
    sandbox.write("1.proof", &prove.stdout);
    let head = sandbox.al(&["audit", "prove", "--event", "1"]);
    sandbox.write("head.proof", &head.stdout);
    sandbox.write("edited.proof", &prove.stdout.replace("index 1", "index 0"));
    let elsewhere = tempfile::tempdir().unwrap();
    for file in ["1.proof", "head.proof", "edited.proof", "auditor"] {
        fs::copy(sandbox.path(file), elsewhere.path().join(file)).unwrap();
    }
    // Where there is no store, no key and no environment.
    let check = |args: &[&str]| {
        let mut command = assert_cmd::Command::new(binary());
        command.args(["audit", "check"]).args(args);
        let run = run(command.current_dir(elsewhere.path()).env_clear());
        format!("$ al audit check {}\n{}\n", args.join(" "), run.shown())
    };
    let shown = [
        common::redact(&prove.stdout),
        check(&["1.proof", "--checkpoint", "auditor"]),
        check(&["1.proof"]),
        check(&["head.proof", "--checkpoint", "auditor"]),
        check(&["edited.proof", "--checkpoint", "auditor"]),
        check(&["edited.proof", "--format", "json"]),
        check(&["auditor"]),
    ];
    assert_snapshot!(shown.concat());
    let (code, error) =
        sandbox.error(&["audit", "prove", "--event", "2", "--checkpoint", "auditor"]);
    assert_eq!((code, error.as_str()), (64, "USAGE"));
}

#[test]
fn a_witness_on_another_machine() {
    let sandbox = sandbox();
    let log = keygen(&sandbox, &["--out", "log.key"]);
    let witness = keygen(&sandbox, &["--witness", "w.example/w1", "--out", "w.key"]);
    let extend = |old: &[&str], file: &str| {
        let run = signed(
            &sandbox,
            "log.key",
            &[&["audit", "consistency"], old].concat(),
        );
        assert_eq!(run.code, 0, "{run:?}");
        sandbox.write(file, &run.stdout);
    };
    let cosign = [
        "audit",
        "cosign",
        "--key-file",
        "w.key",
        "--state-file",
        "head",
        "--vkey",
        &log,
    ];
    extend(&[], "first");
    let mut shown = sandbox.transcript(&[
        &[&cosign[..], &["first"]].concat(),
        &[&cosign[..], &["first", "--state-init"]].concat(),
        &[&cosign[..], &["first", "--state-init"]].concat(),
    ]);
    assert_eq!(sandbox.al(&["import", "--file", "next.yaml"]).code, 0);
    extend(&["--old", "head"], "second");
    shown.push_str(&common::redact(&sandbox.read("second")));
    let verify = [
        "audit",
        "verify",
        "--checkpoint",
        "head",
        "--vkey",
        &log,
        "--vkey",
        &witness,
    ];
    shown.push_str(&sandbox.transcript(&[
        &[&cosign[..], &["second"]].concat(),
        &[&cosign[..], &["first"]].concat(),
        &verify,
        &[
            "audit",
            "verify",
            "--checkpoint",
            "head",
            "--vkey",
            &witness,
            "--format",
            "json",
        ],
    ]));

    // Someone cuts off the log and lets it go another way: the witness signs nothing, and still knows what it signed.
    let known = sandbox.read("head");
    let forged = sandbox.read("second").replace("old 2", "old 3");
    sandbox.write("forged", &forged);
    let refused = sandbox.error(&[&cosign[..], &["forged"]].concat());
    assert_eq!(refused, (1, "AUDIT_TAMPERED".to_owned()));
    assert_eq!(sandbox.read("head"), known);
    assert_snapshot!(shown);
}

/// Production witnesses staging: the event of the import cites where the manifest came from.
#[test]
fn an_import_cites_the_checkpoint_of_its_source() {
    let mut sandbox = sandbox();
    checkpoint(&sandbox, "staging.checkpoint");
    let production = sandbox.create("production");
    sandbox.use_key(&production);
    let (code, plan) = sandbox.json(&[
        "import",
        "--file",
        "base.yaml",
        "--source-checkpoint",
        "staging.checkpoint",
    ]);
    assert_eq!(code, 0);
    let cited = sandbox
        .read("staging.checkpoint")
        .trim_end()
        .replace('\n', " ");
    assert_eq!(text(&plan["event"]["from"]), cited);
    let (_, event) = sandbox.json(&["audit", "show", "1"]);
    assert_eq!(text(&event["from"]), cited);
    let import = [
        "import",
        "--file",
        "base.yaml",
        "--source-checkpoint",
        "base.yaml",
    ];
    assert_eq!(sandbox.error(&import), (1, "INVALID_CHECKPOINT".to_owned()));
}

/// The new log says which one it takes the place of, and the old one stays to be read.
#[test]
fn a_new_log_after_a_restore() {
    let mut sandbox = sandbox();
    let agent = sandbox.al(&["key", "create", "--agent", "--workspace", "staging"]);
    let breaker = [
        "breaker",
        "set",
        "x",
        "--score-threshold",
        "7",
        "--response-level",
        "HALT",
    ];
    assert_eq!(
        sandbox
            .al(&[&breaker[..], &["--workspace", "staging"]].concat())
            .code,
        0
    );
    sandbox.store().back_up();
    let import = ["import", "--file", "next.yaml", "--pin", "pin"];
    assert_eq!(sandbox.al(&[&import[..], &["--pin-init"]].concat()).code, 0);
    let lost = sandbox.read("pin");
    let restart = ["audit", "restart-after-restore", "--pin", "pin"];
    // Nothing was lost yet.
    assert_eq!(sandbox.error(&restart), (64, "USAGE".to_owned()));
    let before = sandbox.al(&["export"]).stdout;

    sandbox.store().restore();
    let (_, old) = sandbox.json(&["workspace", "show"]);
    assert_eq!(sandbox.error(&import), (1, "AUDIT_TAMPERED".to_owned()));
    let (code, document) = sandbox.json(&restart);
    assert_eq!(code, 0, "{document}");
    let cited = lost.trim_end().replace('\n', " ");
    assert_eq!(text(&document["event"]["from"]), cited);
    assert_eq!(document["previous"], old["id"]);
    assert_eq!(text(&document["checkpoint"]), sandbox.read("pin"));
    assert_ne!(document["workspace"]["id"], old["id"]);
    assert_eq!(document["workspace"]["name"], old["name"]);
    assert_eq!(
        document["event"]["names"]["added"],
        serde_json::json!(["a"])
    );

    // Keys, policies and breakers are those that were there, and the pipeline goes on.
    assert_snapshot!(sandbox.transcript(&[
        &["audit", "verify", "--checkpoint", "pin", "--state"],
        &["breaker", "list"],
        &["workspace", "list"],
        &import,
        &restart,
    ]));
    let (_, page) = sandbox.json(&["audit", "list"]);
    let events = page["events"].as_array().unwrap();
    assert_eq!((&events[0], events.len()), (&document["event"], 2));
    // At a server it takes its admin.
    let is_local = document["event"]["actor"] == "local";
    assert_eq!(is_local, matches!(sandbox.store(), Store::Server(..)));
    let (_, history) = sandbox.json(&["history"]);
    let states = history["states"].as_array().unwrap();
    assert_eq!(
        (&states[1]["event"], states.len()),
        (&serde_json::json!(0), 2)
    );
    assert!(before.contains("approval_required: false"));
    let service = sandbox.key();
    sandbox.use_key(agent.stdout.trim_end());
    sandbox.write("action.json", r#"{"action_type": "b.c"}"#);
    let decided = sandbox.al(&["eval", "--action", "action.json"]);
    assert!(decided.stdout.starts_with("executed"), "{decided:?}");

    // The old log verifies as it did, and its states can still be exported.
    let id = text(&old["id"]);
    let reader = sandbox.al(&["key", "create", "--workspace", &id]).stdout;
    sandbox.use_key(reader.trim_end());
    assert_eq!(sandbox.al(&["audit", "verify", "--state"]).code, 0);
    assert_eq!(sandbox.al(&["export", "--at", "1"]).code, 0);

    // Who was interrupted before the pin was kept asks again, and nothing is written but the pin.
    sandbox.use_key(&service);
    sandbox.write("old-pin", &lost);
    let (code, again) = sandbox.json(&["audit", "restart-after-restore", "--pin", "old-pin"]);
    assert_eq!((code, &again["event"]), (0, &document["event"]));
    assert_eq!(sandbox.read("old-pin"), sandbox.read("pin"));

    // The pin of another log, another workspace and a log that was edited are no case for it.
    sandbox.write("foreign", &lost.replace("al/0", "al/1"));
    let foreign = ["audit", "restart-after-restore", "--pin", "foreign"];
    let refused = (1, "INVALID_CHECKPOINT".to_owned());
    assert_eq!(sandbox.error(&foreign), refused);
    let expecting = [&restart[..], &["--expect-workspace", "production"]].concat();
    let refused = (1, "INVALID_SERVICE_KEY".to_owned());
    assert_eq!(sandbox.error(&expecting), refused);
    let pin = sandbox.read("pin").replace("\n2\n", "\n9\n");
    sandbox.write("pin", &pin);
    sandbox
        .store()
        .sql("UPDATE policy SET approval_required = TRUE WHERE seq = 1");
    assert_eq!(sandbox.error(&restart), (1, "AUDIT_TAMPERED".to_owned()));
    assert_eq!(sandbox.read("pin"), pin);
}

/// A pin that was signed once is never replaced by one that is not, or that a stranger signed.
#[test]
fn a_signed_pin_stays_signed() {
    let sandbox = sandbox();
    keygen(&sandbox, &["--out", "log.key"]);
    keygen(&sandbox, &["--out", "other.key"]);
    let import = [
        "import",
        "--file",
        "next.yaml",
        "--pin",
        "pin",
        "--format",
        "json",
    ];
    let first = signed(
        &sandbox,
        "log.key",
        &[&import[..], &["--pin-init"]].concat(),
    );
    assert_eq!(first.code, 0, "{first:?}");
    let before = sandbox.files();
    for key in ["", "other.key"] {
        let refused = signed(&sandbox, key, &import);
        let document: serde_json::Value = serde_json::from_str(&refused.stdout).unwrap();
        let found = (refused.code, text(&document["error"]["code"]));
        assert_eq!(found, (1, "INVALID_AUDIT_KEY".to_owned()), "`{key}`");
    }
    assert_eq!(sandbox.files(), before);
    assert_eq!(signed(&sandbox, "log.key", &import).code, 0);
}

/// Whoever still holds a key that was rotated away signs nothing that anybody believes.
#[test]
fn a_key_that_was_rotated_away_is_not_believed() {
    let sandbox = sandbox();
    let [old, new] = ["old.key", "new.key"].map(|key| keygen(&sandbox, &["--out", key]));
    let rotate = [
        "audit",
        "rotate-key",
        "--new-key-file",
        "new.key",
        "--pin",
        "pin",
    ];
    let with_old = |args: &[&str]| signed(&sandbox, "old.key", args);
    let import = ["import", "--file", "next.yaml", "--pin", "pin"];
    assert_eq!(with_old(&[&import[..], &["--pin-init"]].concat()).code, 0);
    sandbox.write("before", &sandbox.read("pin"));
    let rotated = with_old(&rotate);
    assert_eq!(rotated.code, 0, "{rotated:?}");
    assert_eq!(rotated.stdout, sandbox.read("pin"));
    // Once more, and after later events: the same checkpoint, and no event.
    assert_eq!(
        signed(&sandbox, "new.key", &["import", "--file", "next.yaml"]).code,
        0
    );
    let again = with_old(&["audit", "rotate-key", "--new-key-file", "new.key", "-q"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, ""));
    assert_eq!(again.stdout, rotated.stdout);

    // The head as the holder of the old key would sign it.
    let head = sandbox.al(&["audit", "checkpoint"]).stdout;
    let key = SigningKey::parse(&sandbox.read("old.key")).unwrap();
    let forged = Checkpoint::parse(head.as_bytes())
        .unwrap()
        .signed(&key)
        .unwrap();
    sandbox.write("forged", &forged.to_string());
    let verify = |file: &str, keys: &[&str]| {
        let keys = keys.iter().flat_map(|key| ["--vkey", key]);
        let args = ["audit", "verify", "--checkpoint", file]
            .into_iter()
            .chain(keys);
        let (code, document) = sandbox.json(&args.collect::<Vec<_>>());
        (
            code,
            text(&document["trust"]),
            text(&document["error"]["code"]),
        )
    };
    let signed = (0, "signed".to_owned(), String::new());
    let refused = (1, String::new(), "INVALID_CHECKPOINT".to_owned());
    assert_eq!(verify("before", &[&old, &new]), signed);
    assert_eq!(verify("pin", &[&old]), signed);
    assert_eq!(verify("pin", &[&new]), signed);
    assert_eq!(verify("forged", &[&old, &new]), refused);
    assert_eq!(verify("forged", &[&old]), refused);
}

/// Where a pin could not be kept, nothing is committed; and it never goes back.
#[test]
fn a_pin_that_cannot_be_kept_stops_the_import() {
    let sandbox = sandbox();
    checkpoint(&sandbox, "pin");
    let events = |sandbox: &Sandbox| {
        sandbox.json(&["audit", "list"]).1["events"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = events(&sandbox);
    for (pin, init) in [
        ("none/pin", true),
        ("base.yaml/pin", true),
        ("locked", false),
    ] {
        let locked = sandbox.shell("cp pin locked && chmod 444 locked");
        assert_eq!(locked.code, 0, "{locked:?}");
        let mut args = vec!["import", "--file", "next.yaml", "--pin", pin];
        args.extend(init.then_some("--pin-init"));
        assert_eq!(sandbox.error(&args), (1, "IO_ERROR".to_owned()), "{args:?}");
    }
    assert_eq!(events(&sandbox), before);
}

/// An event cites workspaces, and no text that somebody chose.
#[test]
fn only_a_workspace_is_cited() {
    let sandbox = sandbox();
    checkpoint(&sandbox, "source");
    let source = sandbox.read("source");
    let (log, rest) = source.split_once('\n').unwrap();
    let plan = sandbox.al(&["plan", "--file", "next.yaml", "--out", "plan.json"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    for origin in [
        "al/staging",
        "evil words",
        &log.to_uppercase(),
        &format!("{log}0"),
    ] {
        sandbox.write("cited", &format!("{origin}\n{rest}"));
        for command in [
            &["import", "--file", "next.yaml"][..],
            &["apply", "plan.json"],
        ] {
            let args = [command, &["--source-checkpoint", "cited"]].concat();
            assert_eq!(
                sandbox.error(&args),
                (1, "INVALID_CHECKPOINT".to_owned()),
                "{origin}"
            );
        }
    }
    let (code, applied) = sandbox.json(&["apply", "plan.json", "--source-checkpoint", "source"]);
    let cited = source.trim_end().replace('\n', " ");
    assert_eq!((code, text(&applied["event"]["from"])), (0, cited));
}
