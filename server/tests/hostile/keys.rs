//! Keys that do not open what they are sent to.

use std::thread;

use lattice_core::audit::{Checkpoint, Handover, KeyType, SigningKey};
use lattice_core::hash::{hex, sha256};
use serde_json::json;

use crate::house::{ACTION, House, MANIFEST, Reply, Row, bearer, log, random, request};

const REFUSED: (u16, &str) = (401, "INVALID_SERVICE_KEY");

/// A change that is in order but for who asks for it.
fn proposal() -> String {
    let digest = "0".repeat(64);
    json!({
        "workspace": {"id": "0199", "name": "staging", "org_name": "staging"}, "base": {"revision": 1, "state": digest}, "after": digest,
        "manifest_sha256": digest, "rendered_sha256": null,
        "mode": "replace", "guard": {"percent": 30, "allowed": null},
        "manifests": [{"file": null, "text": MANIFEST, "sha256": hex(&sha256(MANIFEST.as_bytes()))}], "overlays": [], "rollback_to": null,
        "source": null, "extends": null, "signer": null, "saved": false,
    })
    .to_string()
}

/// A new signing key likewise.
fn rotation() -> String {
    let key = SigningKey::new("al/0199", KeyType::Log, [7; 32]).unwrap();
    let (head, new) = (&Checkpoint::new("al/0199", 2, [7; 32]), key.verifying_key());
    let handover = Handover {
        head,
        old: None,
        new,
    };
    json!({
        "head": head.to_string(), "new": new.to_string(), "new_signature": handover.sign(&key),
        "old": null, "old_signature": null,
    })
    .to_string()
}

#[test]
fn no_other_key_opens_anything() {
    let house = House::new();
    let (proposal, rotation) = (proposal(), rotation());
    let checkpoint = "al/0199\n1\noa8DAjHKL9IOzzDFKUuvj2kyHQm7FqxTiFzNF6OFKA0=\n";
    let admin_paths: [(&str, &str, &str); 6] = [
        ("GET", "/v1/workspaces", ""),
        ("POST", "/v1/workspaces", r#"{"name": "mine"}"#),
        (
            "POST",
            "/v1/workspaces/staging/keys",
            r#"{"kind": "service"}"#,
        ),
        ("GET", "/v1/workspaces/staging/breakers", ""),
        ("POST", "/v1/workspaces/staging/audit/keys", &rotation),
        ("POST", "/v1/workspaces/staging/audit/restart", checkpoint),
    ];
    let service_paths: [(&str, &str, &str); 12] = [
        ("GET", "/v1/export", ""),
        ("POST", "/v1/import?replace=true", MANIFEST),
        ("POST", "/v1/import?dry_run=true", MANIFEST),
        ("POST", "/v1/rollback/0", ""),
        ("POST", "/v1/keys", r#"{"kind": "agent"}"#),
        (
            "POST",
            "/v1/breakers",
            r#"{"anomaly_type": "a", "score_threshold": 1, "response_level": "b"}"#,
        ),
        ("GET", "/v1/audit/events", ""),
        ("GET", "/v1/rows/policies?revision=1", ""),
        ("GET", "/v1/rows/events", ""),
        ("GET", "/v1/rows/nodes/0/0", ""),
        ("POST", "/v1/changes", &proposal),
        ("POST", "/v1/audit/keys", &rotation),
    ];
    let agent_paths = [("POST", "/v1/decisions", ACTION), ("GET", "/v1/rows", "")];
    let guessed = format!("al_svc_staging_{}", random());
    let (service, agent) = (bearer(&house.service), bearer(&house.agent));
    let (revoked, admin) = (bearer(&house.revoked), bearer(&house.admin));
    let guessed = bearer(&guessed);
    let basic = format!("Authorization: Basic {}", house.service);
    let bare = format!("Authorization: {}", house.service);
    let cookie = format!("Cookie: key={}", house.service);
    let own_header = format!("X-API-Key: {}", house.service);
    let upper = bearer(&house.service.to_uppercase());
    let cut = bearer(&house.service[..house.service.len() - 1]);
    let longer = bearer(&format!("{}0", house.service));
    let listed = bearer(&format!("{0}, {0}", house.service));
    let wrong: [(&str, Vec<&str>); 14] = [
        ("no key", vec![]),
        ("an empty header", vec!["Authorization:"]),
        ("an empty key", vec!["Authorization: Bearer "]),
        ("a guessed key", vec![&guessed]),
        ("a revoked key", vec![&revoked]),
        ("another scheme", vec![&basic]),
        ("no scheme", vec![&bare]),
        ("two headers", vec![&service, &service]),
        ("a good header after a bad one", vec![&guessed, &service]),
        ("two keys in one header", vec![&listed]),
        ("a cookie", vec![&cookie, &own_header]),
        ("upper case", vec![&upper]),
        ("a digit less", vec![&cut]),
        ("a digit more", vec![&longer]),
    ];
    let mut rows = Vec::new();
    let mut add = |name: &str, (method, path, body): (&str, &str, &str), headers: &[&str]| {
        rows.push((
            format!("{name} at {method} {path}"),
            request(method, path, headers, body),
        ));
    };
    for path in admin_paths.iter().chain(&service_paths).chain(&agent_paths) {
        for (name, headers) in &wrong {
            add(name, *path, headers);
        }
    }
    for path in admin_paths {
        add("a service key", path, &[&service]);
        add("an agent key", path, &[&agent]);
    }
    for path in service_paths {
        add("an agent key", path, &[&agent]);
    }
    for path in service_paths.iter().chain(&agent_paths) {
        add("the admin key", *path, &[&admin]);
    }
    let other = bearer(&house.other);
    for (method, path, body) in [
        ("GET", "/v1/export?expect_workspace=staging", ""),
        ("POST", "/v1/import?expect_workspace=staging", MANIFEST),
        ("POST", "/v1/rollback/0?expect_workspace=staging", ""),
    ] {
        add("another workspace's key", (method, path, body), &[&other]);
    }
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, bytes)| row(name, bytes, REFUSED))
        .collect();
    house.hold(&rows);
}

#[test]
fn a_key_in_the_address_is_none_and_shows_nowhere() {
    let house = House::new();
    let service = bearer(&house.service);
    let usage = (400, "USAGE");
    let key = &house.service;
    let rows = [
        (
            "query",
            format!("/v1/export?key={key}"),
            &[] as &[&str],
            REFUSED,
        ),
        (
            "query beside the header",
            format!("/v1/export?access_token={key}"),
            &[&service],
            usage,
        ),
        ("its name", format!("/v1/export?{key}"), &[&service], usage),
        (
            "the value of another",
            format!("/v1/export?at={key}"),
            &[&service],
            usage,
        ),
        (
            "path",
            format!("/v1/{key}/export"),
            &[&service],
            (404, "USAGE"),
        ),
        (
            "event",
            format!("/v1/audit/events/{key}"),
            &[&service],
            usage,
        ),
        (
            "user",
            format!("http://{key}@lattice/v1/export"),
            &[],
            REFUSED,
        ),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, path, headers, expected)| (name, request("GET", &path, headers, ""), expected))
        .collect();
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, bytes, expected)| row(name, bytes, *expected))
        .collect();
    house.hold(&rows);
}

#[test]
fn a_key_that_names_another_workspace_opens_its_own() {
    // The label in a key is for people: whoever changes it has another key.
    let house = House::new();
    let relabelled = bearer(&house.service.replace("staging", "dev"));
    let bytes = request("GET", "/v1/export", &[&relabelled], "");
    house.hold(&[row("relabelled", &bytes, REFUSED)]);
    let own = house
        .send(&request(
            "GET",
            "/v1/workspace",
            &[&bearer(&house.other)],
            "",
        ))
        .unwrap();
    assert!(own.body.contains(r#""name":"dev""#), "{own:?}");
}

#[test]
fn keys_that_are_not_there_are_not_failures_of_the_callers() {
    // Whoever opens the workspace and names a key that it does not have is no guesser.
    let house = House::new();
    let source = "X-Forwarded-For: 192.0.2.77";
    house.unharmed(|| {
        for _ in 0..40 {
            let headers = [&*bearer(&house.service), source];
            let reply = house
                .send(&request("POST", "/v1/keys/none/revoke", &headers, ""))
                .unwrap();
            assert_eq!((reply.status, &*reply.code()), REFUSED, "{reply:?}");
        }
    });
}

/// Whoever has a key, or none, guesses none: a mistake of theirs does not stop the agents beside them.
#[test]
fn mistakes_stop_nobody() {
    let house = House::new();
    let source = "X-Forwarded-For: 192.0.2.78";
    let agent = bearer(&house.agent);
    house.unharmed(|| {
        for headers in [&[&*agent, source][..], &[source]] {
            for _ in 0..40 {
                let export = request("GET", "/v1/export", headers, "");
                assert_eq!(house.send(&export).unwrap().status, 401);
            }
        }
        let ask = request("POST", "/v1/decisions", &[&agent, source], ACTION);
        assert_eq!(house.send(&ask).unwrap().status, 200);
    });
}

#[test]
fn whoever_guesses_is_not_listened_to_for_a_while() {
    let house = House::new();
    let guess = |source: &str| {
        let key = bearer(&format!("al_svc_staging_{}", random()));
        house
            .send(&request("GET", "/v1/export", &[&key, source], ""))
            .unwrap()
    };
    let ask = |path: &str, source: &str| {
        house
            .send(&request(
                "GET",
                path,
                &[&bearer(&house.service), source],
                "",
            ))
            .unwrap()
    };
    // Only what the proxy saw counts; what a client says in front of it does not.
    let (bad, good) = (
        "X-Forwarded-For: 192.0.2.9, 192.0.2.1",
        "X-Forwarded-For: 192.0.2.1, 192.0.2.9",
    );
    house.unharmed(|| {
        // Several at once, as a guesser would.
        let guesses: Vec<Reply> = thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| (0..10).map(|_| guess(bad)).collect::<Vec<_>>()))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(guesses.iter().all(|reply| reply.status == 401));
        let before = house.metric("lattice_throttled_requests_total");
        for reply in [guess(bad), ask("/v1/export", bad)] {
            assert_eq!((reply.status, &*reply.code()), (429, "INVALID_SERVICE_KEY"));
            let wait: u64 = reply.header("Retry-After").unwrap().parse().unwrap();
            assert!((1..=61).contains(&wait), "{wait}");
        }
        assert_eq!(house.metric("lattice_throttled_requests_total") - before, 2);
        assert_eq!(ask("/v1/export", good).status, 200);
        // What needs no key is not worth guessing for, and whoever watches the server may sit behind the same address.
        assert_eq!(ask("/healthz", bad).status, 200);
    });
}

#[test]
fn a_source_that_the_proxy_does_not_name_is_the_proxy() {
    let house = House::new();
    let guess = |source: &str| {
        let key = bearer(&format!("al_svc_staging_{}", random()));
        let reply = house.send(&request("GET", "/v1/export", &[&key, source], ""));
        reply.unwrap().status
    };
    // Some proxies write the port too.
    for port in 0..30 {
        assert_eq!(guess(&format!("X-Forwarded-For: 192.0.2.3:{port}")), 401);
    }
    assert_eq!(guess("X-Forwarded-For: 192.0.2.3"), 429);
    for _ in 0..15 {
        assert_eq!(guess("X-Forwarded-For: unknown"), 401);
        assert_eq!(guess("X-Forwarded-For:"), 401);
    }
    assert_eq!(guess("X-Forwarded-For: ?"), 429);
    house.answers();
}

#[test]
fn without_a_proxy_nobody_says_who_they_are() {
    let house = House::build(None, false, 4);
    let guess = |source: &str| {
        let key = bearer(&format!("al_svc_staging_{}", random()));
        house
            .send(&request("GET", "/v1/export", &[&key, source], ""))
            .unwrap()
            .status
    };
    for n in 0..30 {
        assert_eq!(guess(&format!("X-Forwarded-For: 192.0.2.{n}")), 401);
    }
    assert_eq!(guess("X-Forwarded-For: 192.0.2.99"), 429);
    assert_eq!(house.get("/healthz").status, 200);
    let log = String::from_utf8_lossy(&log()).into_owned();
    house.keeps_secrets("log", &log);
}

fn row<'a>(name: &'a str, bytes: &[u8], (status, code): (u16, &'a str)) -> Row<'a> {
    Row {
        name,
        bytes: bytes.to_vec(),
        status,
        code,
    }
}
