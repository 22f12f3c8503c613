//! What a client asks for that planned by itself: made where it is what the server comes to, refused where it is anything else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test may fail, and a table be long"
)]

mod common;

use common::{Host, Reply, manifest};
use lattice_core::audit::{Checkpoint, Handover, KeyType, SigningKey, log_name};
use lattice_core::hash::{hex, sha256};
use serde_json::{Value, json};

type Row<'a> = (&'a str, Value, (u16, &'a str));

/// The proposal of what a saved plan shows, as a client sends it.
fn proposal(host: &Host, key: &str, query: &str, text: &str) -> Value {
    let saved = host
        .post(&format!("/v1/plans?{query}"), key, text)
        .document();
    json!({
        "workspace": saved["plan"]["workspace"], "base": saved["base"], "after": saved["after"],
        "manifest_sha256": saved["plan"]["manifest"]["sha256"], "rendered_sha256": saved["plan"]["manifest"]["rendered_sha256"],
        "mode": saved["plan"]["mode"], "guard": saved["guard"], "manifests": saved["manifests"],
        "overlays": saved["overlays"], "rollback_to": null, "source": null, "extends": null, "signer": null, "saved": false,
    })
}

fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

/// The same with another text, whose digest is right.
fn retold(proposal: &Value, text: &str) -> Value {
    let told = with(proposal, "/manifests/0/text", json!(text));
    with(
        &told,
        "/manifests/0/sha256",
        json!(hex(&sha256(text.as_bytes()))),
    )
}

fn opened(host: &Host, key: &str) -> Value {
    host.get("/v1/rows", key).document()
}

/// Sends each to `path`: it is refused as it has to be, and nothing is written.
fn hold(host: &Host, key: &str, path: &str, rows: &[Row<'_>]) {
    let before = opened(host, key);
    for (name, body, (status, code)) in rows {
        let refused = host.post(path, key, &body.to_string());
        assert_ne!(refused.status, 200, "{name}: {refused:?}");
        assert_eq!(
            refused.refusal(),
            (*status, (*code).to_owned()),
            "{name}: {refused:?}"
        );
        assert_eq!(opened(host, key), before, "{name}");
    }
}

#[test]
fn a_change_that_the_server_does_not_come_to_is_refused() {
    for host in Host::each() {
        let (key, other) = (host.workspace("dev"), host.workspace("other"));
        let kept = host.get("/v1/audit/checkpoint", &key).body;
        let strange = host.get("/v1/audit/checkpoint", &other).body;
        let forged = Checkpoint::parse(kept.as_bytes()).unwrap();
        let forged = Checkpoint::new(forged.origin(), forged.size(), [7; 32]).to_string();
        let text = manifest(&[("a", true)]);
        let good = proposal(&host, &key, "", &text);
        let loose = manifest(&[("a", false)]);
        let rollback = with(&good, "/manifests", json!([]));
        let rollback = with(&rollback, "/mode", json!("replace"));
        let invalid = (400, "INVALID_PLAN");
        let zeros = "0".repeat(64);
        let missing = {
            let mut document = good.clone();
            document.as_object_mut().unwrap().remove("after");
            document
        };
        let input = (400, "INVALID_MANIFEST");
        let rows: [Row<'_>; 20] = [
            (
                "another state after it",
                with(&good, "/after", json!(zeros)),
                (400, "INVALID_PLAN"),
            ),
            (
                "no state after it",
                with(&good, "/after", json!("")),
                (400, "INVALID_PLAN"),
            ),
            (
                "a text that was damaged",
                with(&good, "/manifests/0/text", json!(loose)),
                invalid,
            ),
            ("another text", retold(&good, &loose), invalid),
            (
                "another text that says the same",
                retold(&good, &(text + "# the same\n")),
                invalid,
            ),
            (
                "another digest",
                with(&good, "/manifest_sha256", json!(zeros)),
                invalid,
            ),
            (
                "overlays that are not there",
                with(&good, "/rendered_sha256", json!(zeros)),
                invalid,
            ),
            (
                "a rollback with texts",
                with(&good, "/rollback_to", json!(0)),
                invalid,
            ),
            (
                "another state before it",
                with(&good, "/base/state", json!(zeros)),
                (400, "INVALID_PLAN"),
            ),
            (
                "a later revision",
                with(&good, "/base/revision", json!(1)),
                (409, "STATE_CHANGED"),
            ),
            (
                "a later revision of a saved plan",
                with(
                    &with(&good, "/base/revision", json!(1)),
                    "/saved",
                    json!(true),
                ),
                (409, "STALE_PLAN"),
            ),
            (
                "for another workspace",
                with(
                    &good,
                    "/workspace",
                    opened(&host, &other)["workspace"].clone(),
                ),
                (409, "WORKSPACE_MISMATCH"),
            ),
            ("no manifest", retold(&good, ""), input),
            (
                "not one manifest",
                with(&good, "/manifests", json!([])),
                input,
            ),
            (
                "a log that is not its own",
                with(&good, "/extends", json!(strange)),
                (409, "AUDIT_TAMPERED"),
            ),
            (
                "a log that never was",
                with(&good, "/extends", json!(forged)),
                (409, "AUDIT_TAMPERED"),
            ),
            (
                "a source that is none",
                with(&good, "/source", json!("al/x")),
                (400, "INVALID_CHECKPOINT"),
            ),
            (
                "an event that is not there",
                with(&rollback, "/rollback_to", json!(9)),
                (400, "USAGE"),
            ),
            (
                "a share of more than all",
                with(&good, "/guard/percent", json!(101)),
                (400, "USAGE"),
            ),
            ("a field too few", missing, (400, "USAGE")),
        ];
        hold(&host, &key, "/v1/changes", &rows);
    }
}

#[test]
fn a_change_that_the_server_comes_to_as_well_is_made() {
    for host in Host::each() {
        let key = host.workspace("dev");
        let kept = host.get("/v1/audit/checkpoint", &key).body;
        let good = proposal(&host, &key, "", &manifest(&[("a", true)]));
        let good = with(&good, "/extends", json!(kept));
        let made = host.post("/v1/changes", &key, &good.to_string()).document();
        assert_eq!(made["event"]["kind"], "import", "{made}");
        assert_eq!(
            made["checkpoint"],
            host.get("/v1/audit/checkpoint", &key).body
        );
        let again = host.post("/v1/changes", &key, &good.to_string());
        assert_eq!(again.refusal(), (409, "STATE_CHANGED".to_owned()));
    }
}

/// The guard is asked where the change is made: a client that does not ask it gains nothing.
#[test]
fn a_change_is_guarded() {
    let host = Host::sqlite();
    let key = host.workspace("dev");
    let many: Vec<String> = (0..12).map(|n| format!("p{n}")).collect();
    let many: Vec<(&str, bool)> = many.iter().map(|name| (&**name, true)).collect();
    host.post("/v1/import", &key, &manifest(&many)).document();
    let good = proposal(
        &host,
        &key,
        "replace=true&allow_deactivations=10",
        &manifest(&many[..2]),
    );
    let held = (422, "DEACTIVATION_LIMIT");
    let rows: [Row<'_>; 3] = [
        (
            "allows nothing",
            with(&good, "/guard/allowed", Value::Null),
            held,
        ),
        ("allows less", with(&good, "/guard/allowed", json!(9)), held),
        (
            "allows more",
            with(&good, "/guard/allowed", json!(11)),
            held,
        ),
    ];
    hold(&host, &key, "/v1/changes", &rows);
    host.post("/v1/changes", &key, &good.to_string()).document();
}

#[test]
fn a_change_is_made_once() {
    for host in Host::each() {
        let key = host.workspace("dev");
        let send = |path: &str, id: &str, body: &str| -> Reply {
            host.send("POST", path, &key, &[("Idempotency-Key", id)], body)
        };
        let text = manifest(&[("a", true)]);
        let first = proposal(&host, &key, "", &text).to_string();
        let other = proposal(&host, &key, "", &manifest(&[("b", true)])).to_string();
        let made = send("/v1/changes", "one", &first);
        assert_eq!(made.status, 200, "{made:?}");
        assert_eq!(send("/v1/changes", "one", &first).body, made.body);
        let usage = (400, "USAGE".to_owned());
        assert_eq!(send("/v1/changes", "one", &other).refusal(), usage);
        assert_eq!(send("/v1/import", "one", &text).refusal(), usage);
        let stale = send("/v1/changes", "two", &first).refusal();
        assert_eq!(stale, (409, "STATE_CHANGED".to_owned()));
        assert_eq!(opened(&host, &key)["head"]["size"], 2);
    }
}

/// What logs `new` after the head of the log as it is now, signed with those keys.
fn rotation(
    host: &Host,
    key: &str,
    (new, new_signer): (&SigningKey, &SigningKey),
    old: Option<(&SigningKey, &SigningKey)>,
) -> Value {
    let head = host.get("/v1/audit/checkpoint", key).body;
    let head = Checkpoint::parse(head.as_bytes()).unwrap();
    let handover = Handover {
        head: &head,
        old: old.map(|(old, _)| old.verifying_key()),
        new: new.verifying_key(),
    };
    json!({
        "head": head.to_string(),
        "new": new.verifying_key().to_string(),
        "new_signature": handover.sign(new_signer),
        "old": old.map(|(old, _)| old.verifying_key().to_string()),
        "old_signature": old.map(|(_, signer)| handover.sign(signer)),
    })
}

/// Whoever holds the service key alone does not get to say which key signs: the first one is the admin's to name, and each
/// that follows is signed for by the one before.
#[test]
fn a_signing_key_is_logged_by_those_who_hold_it_and_the_one_before() {
    const PATH: &str = "/v1/audit/keys";
    const ADMIN_PATH: &str = "/v1/workspaces/dev/audit/keys";
    for host in Host::each() {
        let (key, admin) = (&*host.workspace("dev"), host.admin());
        let id = opened(&host, key)["workspace"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let of = |name: &str, seed| SigningKey::new(name, KeyType::Log, [seed; 32]).unwrap();
        let [first, second, third] = [1, 2, 3].map(|seed| of(&log_name(&id), seed));
        let foreign = of("al/another", 4);
        let refused = (400, "INVALID_AUDIT_KEY");
        let first_key = (401, "INVALID_SERVICE_KEY");
        let ask = |new, old| rotation(&host, key, new, old);
        let own = (&first, &first);
        let initial = ask(own, None);

        let rows: [Row<'_>; 5] = [
            ("the first key", initial.clone(), first_key),
            (
                "a key before that never was",
                ask(own, Some((&second, &second))),
                first_key,
            ),
            ("another signed", ask((&first, &second), None), refused),
            ("of another log", ask((&foreign, &foreign), None), refused),
            (
                "nobody signed",
                with(&initial, "/new_signature", json!("")),
                refused,
            ),
        ];
        hold(&host, key, PATH, &rows);
        let done = host.post(ADMIN_PATH, admin, &initial.to_string());
        assert_eq!(done.document()["event"]["actor"], "local");

        let stale = {
            let rotation = ask((&second, &second), Some(own));
            host.post("/v1/keys", key, r#"{"kind": "agent"}"#)
                .document();
            rotation
        };
        let old = Some(own);
        let good = ask((&second, &second), old);
        let rows: [Row<'_>; 8] = [
            ("the log went on", stale, (409, "STATE_CHANGED")),
            (
                "the new key alone",
                ask((&second, &second), Some((&first, &second))),
                refused,
            ),
            ("the old key alone", ask((&second, &first), old), refused),
            (
                "no word of the old one",
                ask((&second, &second), None),
                refused,
            ),
            (
                "another than the old one",
                ask((&second, &second), Some((&third, &third))),
                refused,
            ),
            ("the same key again", ask(own, old), refused),
            (
                "for another key",
                with(&good, "/new", json!(third.verifying_key().to_string())),
                refused,
            ),
            (
                "a signature less",
                with(&good, "/old_signature", Value::Null),
                refused,
            ),
        ];
        hold(&host, key, PATH, &rows);
        // The admin has the keys of no log.
        let stolen = ask((&third, &third), None).to_string();
        let stolen = host.post(ADMIN_PATH, admin, &stolen).refusal();
        assert_eq!(stolen, (400, "INVALID_AUDIT_KEY".to_owned()));
        host.post(PATH, key, &good.to_string()).document();
        let verified = host.post("/v1/audit/verify", key, "").document();
        assert_eq!(
            (&verified["valid"], &verified["size"]),
            (&json!(true), &json!(4))
        );
    }
}

/// A log is left for another one by whoever runs the server, and where it is lost.
#[test]
fn a_log_is_begun_anew_by_the_admin_alone() {
    const ADMIN_PATH: &str = "/v1/workspaces/dev/audit/restart";
    for host in Host::each() {
        let (key, admin) = (host.workspace("dev"), host.admin());
        let before = opened(&host, &key);
        let kept = host.get("/v1/audit/checkpoint", &key).body;
        let log = log_name(before["workspace"]["id"].as_str().unwrap());
        let lost = Checkpoint::new(&log, 99, [7; 32]).to_string();
        let foreign = Checkpoint::new("al/another", 99, [7; 32]).to_string();
        let asked = host.post("/v1/audit/restart", &key, &lost);
        assert_eq!(asked.refusal(), (404, "USAGE".to_owned()));
        for (name, key, body, refusal) in [
            ("a service key", &*key, &lost, (401, "INVALID_SERVICE_KEY")),
            ("not lost", admin, &kept, (400, "USAGE")),
            (
                "of another log",
                admin,
                &foreign,
                (400, "INVALID_CHECKPOINT"),
            ),
            ("none", admin, &"x".to_owned(), (400, "INVALID_CHECKPOINT")),
        ] {
            let refused = host.post(ADMIN_PATH, key, body);
            let (status, code) = refusal;
            assert_eq!(refused.refusal(), (status, code.to_owned()), "{name}");
        }
        assert_eq!(opened(&host, &key), before);
        let begun = host.post(ADMIN_PATH, admin, &lost).document();
        assert_eq!(begun["previous"], before["workspace"]["id"]);
        assert_eq!(host.post(ADMIN_PATH, admin, &lost).document(), begun);
        assert_eq!(opened(&host, &key)["workspace"], begun["workspace"]);
    }
}

/// An answer holds few large events or many small ones, and says where the next begins.
#[test]
fn pages_of_large_events_are_short() {
    for host in Host::each() {
        let key = host.workspace("dev");
        let name = |round: usize, n: usize| format!("{round}-{n:0>100}");
        for round in 0..4 {
            let names: Vec<String> = (0..12_000).map(|n| name(round, n)).collect();
            let policies: Vec<(&str, bool)> = names.iter().map(|name| (&**name, true)).collect();
            let path = "/v1/import?replace=true&deactivation_threshold=100";
            let import = host.post(path, &key, &manifest(&policies));
            assert_eq!(import.status, 200, "{import:?}");
        }
        for (path, events) in [
            ("/v1/rows/events?from=0&limit=1000", "events"),
            ("/v1/audit/events?cursor=0&limit=1000", "events"),
        ] {
            let page = host.get(path, &key);
            let found = page.document()[events].as_array().unwrap().len();
            assert!((2..5).contains(&found), "{path}: {found}");
        }
        let mut seen = Vec::new();
        let mut cursor = json!(0);
        while !cursor.is_null() {
            let path = format!("/v1/audit/events?cursor={cursor}&limit=1000");
            let page = host.get(&path, &key).document();
            let events = page["events"].as_array().unwrap().iter();
            seen.extend(events.map(|event| event["seq"].as_u64().unwrap()));
            cursor = page["next_cursor"].clone();
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }
}

/// Where the store is stays the server's own, in what it says of a row that cannot be read as well.
#[test]
fn a_row_that_is_no_policy_is_told_without_the_place_of_the_store() {
    let host = Host::sqlite();
    let key = host.workspace("dev");
    host.post("/v1/import", &key, &manifest(&[("a", true)]))
        .document();
    host.sql("UPDATE policy SET allowed_repos = '{' WHERE name = 'a'");
    let rows = host.get("/v1/rows/policies?revision=1", &key);
    let found = &rows.document()["undecodable"];
    assert!(found["message"].to_string().contains("`a`"), "{rows:?}");
    let folder = host.folder().display().to_string();
    assert!(!rows.body.contains(&folder), "{rows:?}");
}
