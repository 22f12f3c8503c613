//! What a client asks for that planned by itself: made where it is what the server comes to, refused where it is anything else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod common;

use base64ct::{Base64, Encoding};
use common::{Host, Reply, manifest};
use jiff::{SignedDuration, Timestamp};
use lattice_core::audit::{
    Checkpoint, Event, KeyType, Names, SigningKey, Tree, leaf_hash, log_name,
};
use lattice_core::hash::Hash;
use lattice_core::time::format_time;
use lattice_core::view;
use serde_json::{Value, json};

type Row<'a> = (&'a str, Value, (u16, &'a str));

/// The proposal of what a saved plan shows, as a client sends it.
fn proposal(host: &Host, key: &str, query: &str, text: &str) -> Value {
    let saved = host
        .post(&format!("/v1/plans?{query}"), key, text)
        .document();
    json!({
        "workspace": saved["plan"]["workspace"], "base": saved["base"], "after": saved["after"],
        "mode": saved["plan"]["mode"], "guard": saved["guard"], "manifests": saved["manifests"],
        "overlays": saved["overlays"], "rollback_to": null, "source": null, "extends": null, "saved": false,
    })
}

fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    *document.pointer_mut(pointer).unwrap() = value;
    document
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
        let good = proposal(&host, &key, "", &manifest(&[("a", true)]));
        let loose = manifest(&[("a", false)]);
        let zeros = "0".repeat(64);
        let missing = {
            let mut document = good.clone();
            document.as_object_mut().unwrap().remove("after");
            document
        };
        let input = (400, "INVALID_MANIFEST");
        let rows: [Row<'_>; 15] = [
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
                "another text",
                with(&good, "/manifests/0/text", json!(loose)),
                (400, "INVALID_PLAN"),
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
            (
                "no manifest",
                with(&good, "/manifests/0/text", json!("")),
                input,
            ),
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
                with(&good, "/rollback_to", json!(9)),
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

/// The log of a workspace, and whoever has its keys.
struct Log<'a> {
    host: &'a Host,
    key: String,
}

impl Log<'_> {
    /// What logs `new`, signed with `signers`.
    fn rotation(
        &self,
        new: &SigningKey,
        old: Option<&SigningKey>,
        signers: &[&SigningKey],
        time: Timestamp,
    ) -> Value {
        let opened = opened(self.host, &self.key);
        let id = opened["workspace"]["id"].as_str().unwrap();
        let head: view::LogHead = serde_json::from_value(opened["head"].clone()).unwrap();
        let frontier = Base64::decode_vec(&head.frontier).unwrap();
        let hashes = frontier.chunks_exact(32);
        let hashes = hashes.map(|hash| Hash::try_from(hash).unwrap()).collect();
        let mut tree = Tree::from_parts(head.size, hashes).unwrap();
        let names = Names {
            added: vec![new.verifying_key().to_string()],
            deactivated: old
                .map(|old| old.verifying_key().to_string())
                .into_iter()
                .collect(),
            modified: Vec::new(),
        };
        let leaf = Event::rotation(id, head.size, time, opened["key"].as_str().unwrap(), &names);
        tree.append(leaf_hash(&leaf.to_bytes()));
        let mut checkpoint = Checkpoint::of(&log_name(id), &tree);
        for signer in signers {
            checkpoint = checkpoint.signed(signer).unwrap();
        }
        json!({
            "new": new.verifying_key().to_string(),
            "old": old.map(|old| old.verifying_key().to_string()),
            "time": format_time(time),
            "checkpoint": checkpoint.to_string(),
        })
    }
}

/// Whoever holds the service key alone does not get to say which key signs: it takes the new key and the one before.
#[test]
fn a_signing_key_is_logged_by_those_who_hold_it_and_the_one_before() {
    for host in Host::each() {
        let log = Log {
            key: host.workspace("dev"),
            host: &host,
        };
        let id = opened(&host, &log.key)["workspace"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let of = |name: &str, seed| SigningKey::new(name, KeyType::Log, [seed; 32]).unwrap();
        let [first, second, third] = [1, 2, 3].map(|seed| of(&log_name(&id), seed));
        let foreign = of("al/another", 4);
        let now = Timestamp::now();
        let later = now.checked_add(SignedDuration::from_mins(11)).unwrap();
        let refused = (400, "INVALID_AUDIT_KEY");
        let initial = log.rotation(&first, None, &[&first], now);

        let rows: [Row<'_>; 4] = [
            (
                "nobody signed",
                log.rotation(&first, None, &[], now),
                refused,
            ),
            (
                "another signed",
                log.rotation(&first, None, &[&second], now),
                refused,
            ),
            (
                "of another log",
                log.rotation(&foreign, None, &[&first], now),
                refused,
            ),
            (
                "at another time",
                log.rotation(&first, None, &[&first], later),
                (400, "USAGE"),
            ),
        ];
        hold(&host, &log.key, "/v1/audit/keys", &rows);
        host.post("/v1/audit/keys", &log.key, &initial.to_string())
            .document();

        let stale = {
            let rotation = log.rotation(&second, Some(&first), &[&first, &second], now);
            host.post("/v1/keys", &log.key, r#"{"kind": "agent"}"#)
                .document();
            rotation
        };
        let both = [&first, &second];
        let rows: [Row<'_>; 6] = [
            ("the log went on", stale, (409, "STATE_CHANGED")),
            (
                "the new key alone",
                log.rotation(&second, Some(&first), &[&second], now),
                refused,
            ),
            (
                "the old key alone",
                log.rotation(&second, Some(&first), &[&first], now),
                refused,
            ),
            (
                "no word of the old one",
                log.rotation(&second, None, &[&second], now),
                refused,
            ),
            (
                "another than the old one",
                log.rotation(&second, Some(&third), &[&second, &third], now),
                refused,
            ),
            (
                "the same key again",
                log.rotation(&first, Some(&first), &[&first], now),
                refused,
            ),
        ];
        hold(&host, &log.key, "/v1/audit/keys", &rows);
        let good = log.rotation(&second, Some(&first), &both, now).to_string();
        host.post("/v1/audit/keys", &log.key, &good).document();
        let verified = host.post("/v1/audit/verify", &log.key, "").document();
        assert_eq!(
            (&verified["valid"], &verified["size"]),
            (&json!(true), &json!(4))
        );
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
