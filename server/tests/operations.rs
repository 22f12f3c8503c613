//! Each operation as a client uses it, over a real socket and a real store.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod common;

use std::thread;

use common::{Host, Reply, manifest};
use lattice_core::hash::{hex, sha256};
use serde_json::{Value, json};

/// The names of a plan's changes by action.
fn changed(plan: &Value, action: &str) -> Vec<String> {
    let changes = plan["changes"].as_array().unwrap().iter();
    let wanted = changes.filter(|change| change["action"] == action);
    wanted
        .map(|change| change["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_manifest_goes_in_and_comes_out() {
    for host in Host::each() {
        let key = host.workspace("dev");
        let text = manifest(&[("a", false), ("b", true)]);
        let import = host.post("/v1/import?file=policies.yaml", &key, &text);
        let plan = import.document();
        assert_eq!(changed(&plan, "add"), ["a", "b"]);
        assert_eq!(plan["applied"], true);
        assert_eq!(
            plan["manifest"],
            json!({"file": "policies.yaml", "sha256": hex(&sha256(text.as_bytes())), "rendered_sha256": null, "version": "1.0", "policies": 2})
        );
        let exported = host.get("/v1/export", &key);
        assert_eq!(exported.header("content-type"), "application/yaml");
        let diff = host.post("/v1/diff", &key, &exported.body).document();
        assert_eq!(changed(&diff, "unchanged"), ["a", "b"]);

        // What would happen, and what does.
        let next = manifest(&[("a", true)]);
        let preview = host.post("/v1/import?replace=true&dry_run=true", &key, &next);
        let preview = preview.document();
        assert_eq!(
            (&preview["dry_run"], &preview["applied"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(changed(&preview, "deactivate"), ["b"]);
        let shown = host.get("/v1/workspace", &key).document();
        assert_eq!(
            (&shown["policies"], &shown["revision"]),
            (&json!(2), &json!(1))
        );
        let done = host.post("/v1/import?replace=true", &key, &next).document();
        assert_eq!(done["changes"], preview["changes"]);

        let history = host.get("/v1/history?limit=1", &key).document();
        assert_eq!(history["states"][0]["event"], 2);
        assert_eq!(history["next_cursor"], 2);
        let past = host.get("/v1/export?at=1", &key);
        assert!(past.body.contains("name: b"), "{past:?}");
        let asked = host.post("/v1/rollback/1", &key, r#"{"dry_run": true}"#);
        assert_eq!(asked.refusal(), (400, "USAGE".to_owned()));
        let back = host.post("/v1/rollback/1", &key, "").document();
        assert_eq!(changed(&back, "add"), ["b"]);
        assert_eq!(changed(&back, "modify"), ["a"]);
    }
}

#[test]
fn a_plan_is_kept_and_applied_once() {
    for host in Host::each() {
        let key = host.workspace("dev");
        let saved = host.post("/v1/plans", &key, &manifest(&[("a", false)]));
        let plan = host.post("/v1/apply", &key, &saved.body).document();
        assert_eq!(changed(&plan, "add"), ["a"]);
        assert_eq!(plan["applied"], true);
        let again = host.post("/v1/apply", &key, &saved.body);
        assert_eq!(again.refusal(), (409, "STALE_PLAN".to_owned()));
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let host = Host::sqlite();
    let key = host.workspace("dev");
    let text = manifest(&[("a", false)]);
    let text = text.replace("approval_required: false", "approval_required: no");
    let refused = host.post("/v1/import?file=p.yaml", &key, &text);
    assert_eq!(refused.refusal(), (400, "INVALID_MANIFEST".to_owned()));
    let error = &refused.document()["error"];
    assert_eq!(
        [&error["file"], &error["line"], &error["column"]],
        [&json!("p.yaml"), &json!(5), &json!(24)]
    );

    let many: Vec<String> = (0..12).map(|n| format!("p{n}")).collect();
    let many: Vec<(&str, bool)> = many.iter().map(|name| (&**name, true)).collect();
    host.post("/v1/import", &key, &manifest(&many)).document();
    let few = manifest(&many[..2]);
    let refused = host.post("/v1/import?replace=true", &key, &few);
    assert_eq!(refused.refusal(), (422, "DEACTIVATION_LIMIT".to_owned()));
    let plan = &refused.document()["error"]["plan"];
    assert_eq!(plan["summary"]["deactivated"], 10);
    let allowed = host.post("/v1/import?replace=true&allow_deactivations=10", &key, &few);
    assert_eq!(allowed.status, 200);
}

#[test]
fn an_agent_asks_for_decisions() {
    for host in Host::each() {
        let key = host.workspace("dev");
        host.post("/v1/import", &key, &manifest(&[("a", true)]))
            .document();
        let new = r#"{"kind": "agent", "name": "bot"}"#;
        let made = host.post("/v1/keys", &key, new).document();
        let agent = made["key"].as_str().unwrap();
        let action = r#"{"action_type": "deploy.a", "metadata": {"branch": "main"}}"#;
        for key in [agent, &key] {
            let decision = host.post("/v1/decisions", key, action).document();
            let found = (&decision["status"], &decision["policy_name"]);
            assert_eq!(found, (&json!("requested"), &json!("a")));
        }
        host.post("/v1/import", &key, &manifest(&[("a", false)]))
            .document();
        let decision = host.post("/v1/decisions", agent, action).document();
        assert_eq!(decision["status"], "executed");

        let keys = host.get("/v1/keys", &key).document();
        assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
        let id = made["id"].as_str().unwrap();
        let revoked = host
            .post(&format!("/v1/keys/{id}/revoke"), &key, "")
            .document();
        assert!(revoked["revoked_at"].is_string());
        let refused = host.post("/v1/decisions", agent, action);
        assert_eq!(refused.refusal(), (401, "INVALID_SERVICE_KEY".to_owned()));
    }
}

#[test]
fn the_log_is_checked_by_those_who_do_not_trust_it() {
    for host in Host::each() {
        let key = host.workspace("dev");
        let kept = host.get("/v1/audit/checkpoint", &key).body;
        for approval in [false, true] {
            let manifest = manifest(&[("a", approval)]);
            host.post("/v1/import", &key, &manifest).document();
        }
        let evidence = json!({"checkpoints": [kept], "state": true}).to_string();
        let verified = host.post("/v1/audit/verify", &key, &evidence).document();
        assert_eq!(
            ["valid", "size", "trust", "state_matches"].map(|field| &verified[field]),
            [&json!(true), &json!(3), &json!("pinned"), &json!(true)]
        );
        let alone = host.post("/v1/audit/verify", &key, "").document();
        assert_eq!(
            (&alone["valid"], &alone["state_matches"]),
            (&json!(true), &Value::Null)
        );

        let page = host
            .get("/v1/audit/events?cursor=1&limit=1", &key)
            .document();
        assert_eq!(
            (&page["events"][0]["seq"], &page["next_cursor"]),
            (&json!(1), &json!(2))
        );
        let event = host.get("/v1/audit/events/1", &key).document();
        assert_eq!(event, page["events"][0]);

        let head = host.get("/v1/audit/checkpoint", &key).body;
        let proof = host.post("/v1/audit/events/1/proof", &key, &head).body;
        let proof = lattice_core::audit::Proof::parse(proof.as_bytes()).unwrap();
        let head = lattice_core::audit::Checkpoint::parse(head.as_bytes()).unwrap();
        let (checked, _) = proof.check(std::slice::from_ref(&head), &[]).unwrap();
        assert!(checked.valid);
        let extension = host.post("/v1/audit/consistency", &key, &kept).body;
        assert!(extension.starts_with("old 1\n"), "{extension}");
    }
}

#[test]
fn an_admin_makes_workspaces_and_their_keys() {
    for host in Host::each() {
        let admin = host.admin();
        host.workspace("dev");
        let listed = host.get("/v1/workspaces", admin).document();
        assert_eq!(listed["workspaces"][0]["name"], "dev");
        let taken = host.post("/v1/workspaces", admin, r#"{"name": "dev"}"#);
        assert_eq!(taken.refusal(), (400, "USAGE".to_owned()));
        let new = r#"{"kind": "service"}"#;
        let made = host.post("/v1/workspaces/dev/keys", admin, new).document();
        let key = made["key"].as_str().unwrap();
        assert_eq!(host.get("/v1/workspace", key).document()["name"], "dev");
        let breaker = r#"{"anomaly_type": "rapid", "score_threshold": 18446744073709551615, "response_level": "HALT"}"#;
        let set = host.post("/v1/breakers", key, breaker);
        let kept = r#""score_threshold":18446744073709551615"#;
        assert!(set.body.contains(kept), "{set:?}");
        let same = host.get("/v1/workspaces/dev/breakers", admin);
        assert_eq!(same.body, set.body);
        let id = made["id"].as_str().unwrap();
        let revoke = format!("/v1/workspaces/dev/keys/{id}/revoke");
        host.post(&revoke, admin, "").document();
        assert_eq!(host.get("/v1/workspace", key).refusal().0, 401);
        let missing = host.get("/v1/workspaces/nothing", admin);
        assert_eq!(missing.refusal(), (400, "USAGE".to_owned()));
    }
}

/// A client that got no answer asks again, and nothing is done twice.
#[test]
fn a_request_is_done_once() {
    for host in Host::each() {
        let key = host.workspace("dev");
        let import = |id: &str, name: &str| -> Reply {
            let headers = [("Idempotency-Key", id)];
            host.send(
                "POST",
                "/v1/import",
                &key,
                &headers,
                &manifest(&[(name, false)]),
            )
        };
        let first = import("one", "a");
        assert_eq!(first.status, 200);
        assert_eq!(import("one", "a").body, first.body);
        assert_eq!(import("one", "b").refusal(), (400, "USAGE".to_owned()));
        let at_once = thread::scope(|scope| {
            let ask = |_| scope.spawn(|| import("two", "b").body);
            let threads: Vec<_> = (0..4).map(ask).collect();
            let bodies = threads.into_iter().map(|thread| thread.join().unwrap());
            bodies.collect::<Vec<_>>()
        });
        assert!(
            at_once.iter().all(|body| body == &at_once[0]),
            "{at_once:?}"
        );
        let events = host.get("/v1/audit/events", &key).document();
        assert_eq!(events["events"].as_array().unwrap().len(), 3);
        for id in ["a b", &"x".repeat(129)] {
            assert_eq!(import(id, "c").status, 400, "{id:?}");
        }
    }
}

#[test]
fn a_request_has_an_id() {
    let host = Host::sqlite();
    let given = host.send("GET", "/healthz", "", &[("X-Request-Id", "ci-42")], "");
    assert_eq!(given.header("x-request-id"), "ci-42");
    for id in ["a b", &"x".repeat(65)] {
        let made = host.send("GET", "/healthz", "", &[("X-Request-Id", id)], "");
        assert_eq!(made.header("x-request-id").len(), 36, "{id:?}");
    }
}

#[test]
fn what_orchestrators_ask() {
    let host = Host::sqlite();
    assert_eq!(host.get("/healthz", "").status, 200);
    assert_eq!(host.get("/readyz", "").status, 200);
    let metrics = host.get("/metrics", "").body;
    let counted = r#"lattice_http_requests_total{operation="readyz",status="200"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    let document = host.get("/v1/openapi.json", "").document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(host.get("/nothing", "").refusal().0, 404);
    assert_eq!(host.get("/v1/import", "").refusal().0, 405);

    host.lose_store();
    let refused = host.get("/readyz", "");
    assert_eq!(refused.refusal(), (503, "STORE_UNAVAILABLE".to_owned()));
    // Where it is, is nobody's business.
    let message = &refused.document()["error"]["message"];
    assert_eq!(message, "the store of the server does not exist");
    assert_eq!(host.get("/healthz", "").status, 200);
}

#[test]
fn a_server_has_a_certificate() {
    let host = Host::with_tls();
    let key = host.workspace("dev");
    assert_eq!(host.get("/v1/workspace", &key).document()["name"], "dev");
}
