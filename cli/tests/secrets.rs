//! A key in the wrong place: whatever a user mixes up, its random part is on neither stream and in no file.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use common::{Run, Sandbox, manifest, policy};

const FORMATS: [&str; 4] = ["text", "json", "markdown", "html"];

/// Every place of a command line that takes a value, as `KEY`.
const PLACES: &[&[&str]] = &[
    &["KEY"],
    &["workspace", "KEY"],
    &["workspace", "create", "KEY"],
    &["workspace", "create", "x", "--org-name", "KEY"],
    &["workspace", "create", "x", "--url", "KEY"],
    &["workspace", "list", "--url", "KEY"],
    &["workspace", "list", "--url", "sqlite:KEY"],
    &["workspace", "show", "--workspace", "KEY"],
    &["key", "create", "--name", "KEY"],
    &["key", "create", "KEY"],
    &["key", "list", "--workspace=KEY"],
    &["key", "revoke", "KEY"],
    &["export", "KEY"],
    &["export", "--file", "KEY"],
    &["export", "--url", "KEY"],
    &["export", "--url", "https://u:KEY@host"],
    &["export", "--service-key-file", "KEY"],
    &["export", "--service-key-file=KEY"],
    &["import", "--file", "KEY"],
    &["import", "--file", "base.yaml", "--expect-workspace", "KEY"],
    &["diff", "KEY", "base.yaml"],
    &["diff", "base.yaml", "KEY"],
    &["diff", "--file", "KEY"],
    &["validate", "KEY"],
    &["fmt", "KEY"],
    &["fmt", "--check", "KEY"],
    &["schema", "KEY"],
    &["eval", "--action", "KEY"],
    &["eval", "--action", "action.json", "--file", "KEY"],
    &["eval", "--action", "action.json", "--require", "KEY"],
    &["audit", "list", "--limit", "KEY"],
    &["audit", "list", "--cursor", "KEY"],
    &["audit", "show", "KEY"],
    &[
        "breaker",
        "set",
        "KEY",
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
        "KEY",
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
        "KEY",
    ],
    &["completions", "KEY"],
    &["export", "--format", "KEY"],
    &["export", "--color", "KEY"],
    &["export", "--KEY"],
];

/// A sandbox with its service key and an agent key.
fn sandbox() -> (Sandbox, [String; 2]) {
    let mut sandbox = Sandbox::new();
    let service = sandbox.create("staging");
    sandbox.use_key(&service);
    let agent = sandbox.al(&["key", "create", "--agent"]).stdout;
    sandbox.write("base.yaml", &manifest(&[policy("a", "b.c", false)]));
    sandbox.write("action.json", r#"{"action_type": "b.c"}"#);
    (sandbox, [service, agent.trim_end().to_owned()])
}

/// Nothing of the random part that is long enough to recognise it is on a stream.
fn is_silent_about(run: &Run, key: &str) -> bool {
    let (_, random) = key.rsplit_once('_').unwrap();
    let part = random.get(..16).unwrap();
    !run.stdout.contains(part) && !run.stderr.contains(part)
}

#[test]
fn a_key_on_the_command_line_is_refused_and_not_repeated() {
    let (sandbox, keys) = sandbox();
    let before = sandbox.files();
    for key in &keys {
        for place in PLACES {
            let args: Vec<String> = place.iter().map(|arg| arg.replace("KEY", key)).collect();
            for format in FORMATS {
                let mut all = vec!["--format", format];
                all.extend(args.iter().map(String::as_str));
                let run = sandbox.al(&all);
                assert_eq!(run.code, 64, "{place:?}: {run:?}");
                assert!(is_silent_about(&run, key), "{place:?}: {run:?}");
            }
        }
    }
    assert_eq!(sandbox.files(), before);
    let run = sandbox.al(&["key", "revoke", &keys[0]]);
    insta::assert_snapshot!(run.shown(), @r"
    exit 64
    --- stderr
    error[USAGE]: a key stands on the command line, where others can see it
      help: set AL_SERVICE_KEY to it, or name its file with `--service-key-file`; AL_ADMIN_KEY takes that of a server; `al key list` shows the id of a key
    ");
}

#[test]
fn a_key_from_elsewhere_is_not_repeated() {
    let (sandbox, keys) = sandbox();
    for key in &keys {
        let urls = [
            key.clone(),
            format!("{key}:"),
            format!("sqlite:{key}"),
            format!("sqlite://{key}"),
            format!("postgres://user:{key}@host/db"),
        ];
        for format in FORMATS {
            for url in &urls {
                let mut command = sandbox.command(&["export", "--format", format]);
                let run = common::run(command.env("AL_URL", url));
                assert_ne!(run.code, 0, "{url}");
                assert!(is_silent_about(&run, key), "{url}: {run:?}");
            }
            // In a manifest that someone pasted a key into: as a key, as a name, in the line that is shown.
            for text in [
                format!("{key}: 1\n"),
                format!("manifest_version: '1.0'\npolicies: [{key}]\n"),
                manifest(&[policy(key, "", false)]),
            ] {
                sandbox.write("bad.yaml", &text);
                for args in [
                    &["validate", "bad.yaml"][..],
                    &["fmt", "bad.yaml"],
                    &["import", "--file", "bad.yaml"],
                ] {
                    let run = sandbox.al(&[args, &["--format", format]].concat());
                    let pages = format != "html" || args.contains(&"import");
                    assert_eq!(run.code, if pages { 1 } else { 64 }, "{text}");
                    assert!(is_silent_about(&run, key), "{text}: {run:?}");
                }
            }
        }
    }
}

#[test]
fn the_password_of_a_url_is_not_repeated() {
    let sandbox = Sandbox::new();
    for url in [
        "postgres://user:hunter2@localhost:1/db",
        "postgres://user:hunter2@localhost:x/db",
        "postgres://user:hunter2@localhost:1/db?pasword=hunter2",
        "mysql://user:hunter2@host/db",
        "https://host/?token=hunter2",
        "user@hunter2",
        "hunter2",
    ] {
        for format in FORMATS {
            let run = sandbox.al(&["workspace", "list", "--url", url, "--format", format]);
            let is_tried = url.ends_with(":1/db") && format != "html";
            let code = if is_tried { 1 } else { 64 };
            assert_eq!(run.code, code, "{url}");
            let shown = [run.stdout, run.stderr].concat();
            assert!(!shown.contains("hunter2"), "{url}: {shown}");
        }
    }
}
