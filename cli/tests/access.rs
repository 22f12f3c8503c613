//! Every refusal of keys and stores: which error, in which order, and that nothing is made on the way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use std::fs;

use common::{Sandbox, assert_snapshot, manifest, policy, text};
use rusqlite::Connection;

const STORE_COMMANDS: &[&[&str]] = &[
    &["export"],
    &["import", "--file", "base.yaml"],
    &["import", "--file", "base.yaml", "--dry-run"],
    &["diff", "--file", "base.yaml"],
    &["eval", "--action", "action.json"],
    &["audit", "list"],
    &["audit", "show", "0"],
    &["audit", "verify"],
    &["key", "list"],
    &["key", "create"],
    &["key", "revoke", "x"],
    &["breaker", "list"],
    &[
        "breaker",
        "set",
        "x",
        "--score-threshold",
        "1",
        "--response-level",
        "HALT",
    ],
    &["workspace", "show"],
];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&manifest(&[policy("a", "b.c", false)]));
    sandbox.write("action.json", r#"{"action_type": "b.c"}"#);
    sandbox
}

/// The error of every command that needs a store.
fn each(sandbox: &Sandbox, expected: &str) {
    for args in STORE_COMMANDS {
        assert_eq!(sandbox.error(args), (1, expected.to_owned()), "{args:?}");
    }
}

#[test]
fn refusals_as_people_read_them() {
    let mut sandbox = Sandbox::new();
    let missing = sandbox.transcript(&[
        &["export"],
        &["key", "list"],
        &["workspace", "list"],
        &["key", "list", "--workspace", "dev"],
    ]);
    sandbox.use_key("al_svc_dev_tooshort");
    let malformed = sandbox.transcript(&[&["export"]]);

    let mut sandbox = self::sandbox();
    let agent = sandbox.al(&["key", "create", "--agent"]).stdout;
    let dead = sandbox.json(&["key", "create", "--name", "ci"]).1;
    sandbox.al(&["key", "revoke", &text(&dead["id"])]);
    let other = Sandbox::new().create("staging");
    let mut refused = String::new();
    for key in [agent.trim_end(), &text(&dead["key"]), &other] {
        sandbox.use_key(key);
        refused.push_str(&sandbox.transcript(&[&["export"]]));
    }
    assert_snapshot!([missing, malformed, refused].concat());
}

#[test]
fn without_a_key_nothing_is_opened() {
    let sandbox = Sandbox::new();
    each(&sandbox, "INVALID_SERVICE_KEY");
    assert_eq!(sandbox.files(), []);
}

#[test]
fn a_malformed_key_is_refused_before_the_store_is_looked_for() {
    let mut sandbox = Sandbox::new();
    for key in ["secret", "al_svc_", "al_svc_staging_x", " "] {
        sandbox.use_key(key);
        each(&sandbox, "INVALID_SERVICE_KEY");
    }
    assert_eq!(sandbox.files(), []);
}

#[test]
fn a_missing_store_is_not_made() {
    let mut sandbox = Sandbox::new();
    sandbox.use_key(&Sandbox::new().create("staging"));
    each(&sandbox, "STORE_UNAVAILABLE");
    let run = sandbox.al(&["export", "--url", "sqlite:below/al.db"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("below/al.db"), "{run:?}");
    assert_eq!(fs::read_dir(sandbox.path("")).unwrap().count(), 0);
}

#[test]
fn keys_that_open_nothing_here() {
    let mut sandbox = sandbox();
    let revoked = sandbox.json(&["key", "create"]).1;
    sandbox.al(&["key", "revoke", &text(&revoked["id"])]);
    let unknown = Sandbox::new().create("staging");
    for key in [text(&revoked["key"]), unknown] {
        sandbox.use_key(&key);
        each(&sandbox, "INVALID_SERVICE_KEY");
    }
}

#[test]
fn an_agent_key_decides_and_does_nothing_else() {
    let mut sandbox = sandbox();
    let agent = text(&sandbox.json(&["key", "create", "--agent"]).1["key"]);
    sandbox.use_key(&agent);
    for args in STORE_COMMANDS {
        if args.starts_with(&["eval"]) {
            let (code, decision) = sandbox.json(args);
            assert_eq!((code, text(&decision["status"]).as_str()), (0, "executed"));
        } else {
            let refused = (1, "INVALID_SERVICE_KEY".to_owned());
            assert_eq!(sandbox.error(args), refused, "{args:?}");
        }
    }
}

#[test]
fn the_store_answers_before_the_key_is_looked_up() {
    let mut sandbox = sandbox();
    sandbox.use_key(&Sandbox::new().create("staging"));
    let connection = Connection::open(sandbox.path("al.db")).unwrap();
    connection
        .pragma_update(None, "user_version", 9999)
        .unwrap();
    drop(connection);
    each(&sandbox, "STORE_UNAVAILABLE");
    let (_, document) = sandbox.json(&["export"]);
    let message = text(&document["error"]["message"]);
    assert!(message.contains("al.db"), "{message}");
}

#[test]
fn a_corrupt_store_is_named() {
    let sandbox = sandbox();
    for content in [
        "",
        "this is no database, but it is longer than a header of one hundred bytes would be, so it is judged",
    ] {
        for name in ["al.db-wal", "al.db-shm"] {
            let _ = fs::remove_file(sandbox.path(name));
        }
        sandbox.write("al.db", content);
        each(&sandbox, "STORE_UNAVAILABLE");
        assert_eq!(sandbox.read("al.db"), content);
    }
}

#[test]
fn the_flag_goes_before_the_environment() {
    let mut sandbox = sandbox();
    let staging = text(&sandbox.json(&["key", "create"]).1["key"]);
    let prod = sandbox.create("prod");
    sandbox.use_key(&prod);
    for ending in ["", "\n", "\r\n"] {
        sandbox.write("key", &format!("{staging}{ending}"));
        let (_, shown) = sandbox.json(&["workspace", "show", "--service-key-file", "key"]);
        assert_eq!(text(&shown["name"]), "staging");
    }
    sandbox.write("key", &format!("{staging}\n\n"));
    let refused = sandbox.error(&["export", "--service-key-file", "key"]);
    assert_eq!(refused, (1, "INVALID_SERVICE_KEY".to_owned()));
    let refused = sandbox.error(&["export", "--service-key-file", "nowhere"]);
    assert_eq!(refused, (1, "IO_ERROR".to_owned()));
    let refused = sandbox.error(&["export", "--url", "sqlite:other.db"]);
    assert_eq!(refused, (1, "STORE_UNAVAILABLE".to_owned()));
}

#[test]
fn a_name_goes_before_the_key_of_the_environment() {
    let sandbox = sandbox();
    sandbox.create("prod");
    let (_, shown) = sandbox.json(&["workspace", "show", "--workspace", "prod"]);
    assert_eq!(text(&shown["name"]), "prod");
    let (_, shown) = sandbox.json(&["workspace", "show"]);
    assert_eq!(text(&shown["name"]), "staging");
}

#[test]
#[cfg(target_os = "linux")]
fn the_default_place_is_the_users_data_folder() {
    let sandbox = Sandbox::new();
    let home = sandbox.path("");
    let create = |variable: &str, value: &str| {
        let mut command = sandbox.command(&["workspace", "create", "dev", "--quiet"]);
        common::run(command.env_remove("AL_URL").env(variable, value))
    };
    assert_eq!(create("HOME", home.to_str().unwrap()).code, 0);
    assert!(sandbox.path(".local/share/agentlattice/al.db").is_file());
    assert_eq!(
        create("XDG_DATA_HOME", home.join("xdg").to_str().unwrap()).code,
        0
    );
    assert!(sandbox.path("xdg/agentlattice/al.db").is_file());
    let run = create("HOME", "");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("STORE_UNAVAILABLE"), "{run:?}");
}
