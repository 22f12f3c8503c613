//! Bodies and parameters that are not what was asked for.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::house::{ACTION, House, MANIFEST, Row, bearer, head, random, receive, request};

/// The workspace has no key of that id.
const NO_KEY: (u16, &str) = (401, "INVALID_SERVICE_KEY");
const USAGE: (u16, &str) = (400, "USAGE");
const INVALID_MANIFEST: (u16, &str) = (400, "INVALID_MANIFEST");
const INVALID_ACTION: (u16, &str) = (400, "INVALID_ACTION");
const INVALID_CHECKPOINT: (u16, &str) = (400, "INVALID_CHECKPOINT");
const INVALID_PLAN: (u16, &str) = (400, "INVALID_PLAN");
const TOO_LARGE: (u16, &str) = (413, "LIMIT_EXCEEDED");

#[test]
fn no_body_that_is_wrong_gets_through() {
    let house = House::new();
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let deep_list = deep("[", "]");
    let deep_object = deep(r#"{"a":"#, "}");
    let deep_metadata = format!(
        r#"{{"action_type":"a","metadata":{{"a":{}}}}}"#,
        &deep_list[50_000..150_000]
    );
    let deep_score = format!(
        r#"{{"anomaly_type":"a","score_threshold":{}{},"response_level":"b"}}"#,
        "[".repeat(30_000),
        "]".repeat(30_000)
    );
    let deep_yaml = format!(
        "manifest_version: '1.0'\npolicies: {}{}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nmanifest_version: '1.0'\npolicies: []\n";
    let broken: &[u8] = b"{\"name\": \"\xff\xfe\xc0\x80\"}";
    let nul_in_policy = MANIFEST.replace("reviewed-deploys", "\"a\\0b\"");
    let long_name = format!(r#"{{"name": "{}"}}"#, "a".repeat(64));
    let huge_number = format!(
        r#"{{"anomaly_type":"a","score_threshold":{},"response_level":"b"}}"#,
        "9".repeat(60_000)
    );
    let rows: Vec<(&str, &str, Vec<&[u8]>, (u16, &str))> = vec![
        ("service", "/v1/import", vec![b""], USAGE),
        (
            "service",
            "/v1/import",
            vec![
                b"\0",
                b"[]",
                b"{}",
                b"null",
                b"policies: []",
                b"manifest_version: '1.0'",
                b"manifest_version: '1.0'\npolicies: [1]",
                b"manifest_version: '1.0'\npolicies:\n  - name: a\n",
                b"\xff\xfe\x00m",
                b"manifest_version: '1.0'\npolicies: [\"\xc3\x28\"]",
                b"--- a\n--- b\n",
                bomb.as_bytes(),
                deep_yaml.as_bytes(),
                deep_list.as_bytes(),
                deep_object.as_bytes(),
                nul_in_policy.as_bytes(),
            ],
            INVALID_MANIFEST,
        ),
        (
            "service",
            "/v1/import",
            vec![b"manifest_version: '99.0'\npolicies: []"],
            (400, "UNSUPPORTED_MANIFEST_VERSION"),
        ),
        (
            "service",
            "/v1/diff",
            vec![b"[]", b"\xff", b"a: &a b"],
            INVALID_MANIFEST,
        ),
        (
            "service",
            "/v1/plans",
            vec![b"[]", b"\xff", b"a: &a b"],
            INVALID_MANIFEST,
        ),
        (
            "service",
            "/v1/apply",
            vec![
                b"{}",
                b"[]",
                b"null",
                b"\"",
                b"\xff",
                MANIFEST.as_bytes(),
                br#"{"plan": {}, "bundle": {}}"#,
                deep_list.as_bytes(),
                deep_object.as_bytes(),
            ],
            INVALID_PLAN,
        ),
        (
            "service",
            "/v1/keys",
            vec![
                b"",
                b"{}",
                b"[]",
                b"null",
                b"{",
                b"\xff",
                broken,
                br#"{"kind": "admin"}"#,
                br#"{"kind": 1}"#,
                br#"{"kind": "agent", "kind": "service"}"#,
                br#"{"kind": "agent", "workspace": "dev"}"#,
                br#"{"kind": "agent"} {"kind": "agent"}"#,
                br#"{"kind": "agent", "name": "a\u0000b"}"#,
                br#"{"kind": "agent", "name": "a\u001b[31mb"}"#,
                br#"{"kind": "agent", "name": "\ud800"}"#,
                br#"{"kind": "agent", "name": ""}"#,
                br#"["agent", "a"]"#,
                deep_list.as_bytes(),
                deep_object.as_bytes(),
            ],
            USAGE,
        ),
        (
            "service",
            "/v1/breakers",
            vec![
                b"",
                b"{}",
                br#"{"anomaly_type": "a", "score_threshold": "1", "response_level": "b"}"#,
                br#"{"anomaly_type": "a", "score_threshold": -1, "response_level": "b"}"#,
                br#"{"anomaly_type": "a", "score_threshold": 1e999999999, "response_level": "b"}"#,
                br#"{"anomaly_type": "a", "score_threshold": NaN, "response_level": "b"}"#,
                br#"{"anomaly_type": "a", "score_threshold": {}, "response_level": "b"}"#,
                br#"{"anomaly_type": "", "score_threshold": 1, "response_level": "b"}"#,
                br#"{"anomaly_type": "a\u0000", "score_threshold": 1, "response_level": "b"}"#,
                br#"{"anomaly_type": "a", "score_threshold": 1, "response_level": "\u0000"}"#,
                br#"{"anomaly_type": "a", "score_threshold": 1, "response_level": "b", "x": 1}"#,
                deep_score.as_bytes(),
                huge_number.as_bytes(),
            ],
            USAGE,
        ),
        (
            "service",
            "/v1/audit/verify",
            vec![
                b"[]",
                b"{\"state\": 1}",
                b"{\"log\": 1}",
                b"\xff",
                br#"{"checkpoints": "al/x"}"#,
                deep_list.as_bytes(),
            ],
            USAGE,
        ),
        (
            "service",
            "/v1/audit/verify",
            vec![
                br#"{"checkpoints": [""]}"#,
                br#"{"checkpoints": ["a\n1\nb\n"]}"#,
            ],
            INVALID_CHECKPOINT,
        ),
        (
            "service",
            "/v1/audit/verify",
            vec![br#"{"vkeys": ["a"]}"#],
            (400, "INVALID_AUDIT_KEY"),
        ),
        (
            "service",
            "/v1/audit/consistency",
            vec![b"\0", b"al/x\n1\n", b"\xff", b"{}", deep_list.as_bytes()],
            INVALID_CHECKPOINT,
        ),
        (
            "service",
            "/v1/audit/events/0/proof",
            vec![b"\0", b"{}", b"al/x\n99999999999999999999999\nAAAA\n"],
            INVALID_CHECKPOINT,
        ),
        ("agent", "/v1/decisions", vec![b""], USAGE),
        (
            "agent",
            "/v1/decisions",
            vec![
                b"{}",
                b"[]",
                b"null",
                b"{",
                b"\xff",
                br#"{"action_type": ""}"#,
                br#"{"action_type": 1}"#,
                br#"{"action_type": "a..b"}"#,
                br#"{"action_type": "a*"}"#,
                br#"{"action_type": "a\u0000"}"#,
                br#"{"action_type": "a", "policy": "b"}"#,
                br#"{"action_type": "a", "metadata": []}"#,
                br#"{"action_type": "a", "action_type": "b"}"#,
                br#"{"action_type": "a"} x"#,
                deep_metadata.as_bytes(),
                deep_list.as_bytes(),
                deep_object.as_bytes(),
            ],
            INVALID_ACTION,
        ),
        (
            "admin",
            "/v1/workspaces",
            vec![
                b"",
                b"{}",
                b"null",
                broken,
                br#"{"name": 1}"#,
                br#"{"name": ""}"#,
                br#"{"name": "../dev"}"#,
                br#"{"name": "A"}"#,
                br#"{"name": "a\u0000"}"#,
                br#"{"name": "dev"}"#,
                br#"{"name": "new", "org_name": "\u0000"}"#,
                br#"{"name": "new", "org_name": "a\nb"}"#,
                br#"{"name": "new", "id": "0"}"#,
                long_name.as_bytes(),
                deep_object.as_bytes(),
            ],
            USAGE,
        ),
        (
            "admin",
            "/v1/workspaces/none/keys",
            vec![br#"{"kind": "agent"}"#],
            USAGE,
        ),
    ];
    hold_bodies(&house, rows);
}

#[test]
fn what_a_database_cannot_hold_never_reaches_it() {
    // PostgreSQL has no zero bytes in texts, and its numbers are signed.
    let house = House::on_postgres();
    hold_bodies(
        &house,
        vec![
            (
                "service",
                "/v1/keys",
                vec![br#"{"kind": "agent", "name": "a\u0000b"}"#],
                USAGE,
            ),
            (
                "service",
                "/v1/breakers",
                vec![
                    br#"{"anomaly_type": "a\u0000", "score_threshold": 1, "response_level": "b"}"#,
                ],
                USAGE,
            ),
            (
                "admin",
                "/v1/workspaces",
                vec![br#"{"name": "new", "org_name": "\u0000"}"#],
                USAGE,
            ),
        ],
    );
    hold_targets(&house);
}

#[test]
fn no_path_and_no_parameter_leads_elsewhere() {
    hold_targets(&House::new());
}

/// Paths and queries that are not as they should be, whatever keeps the workspaces.
fn hold_targets(house: &House) {
    let missing = (404, "USAGE");
    let other_method = (405, "USAGE");
    let long = format!("/v1/{}", "a/".repeat(8_000));
    let long_name = format!("/v1/workspaces/{}", "a".repeat(16_000));
    let long_query = format!("/v1/export?at={}", "9".repeat(16_000));
    let many = format!("/v1/export?{}", "at=1&".repeat(3_000));
    let last = u64::MAX;
    let past_signed = format!("/v1/audit/events/{}", 1_u64 << 63);
    let past = format!("/v1/audit/events/{last}");
    let export_past = format!("/v1/export?at={last}");
    let rows: Vec<(&str, &str, &str, (u16, &str))> = vec![
        // Paths that mean another one to whoever decodes too often.
        ("service", "GET", "/v1/%2e%2e/metrics", missing),
        ("service", "GET", "/v1/../metrics", missing),
        ("service", "GET", "/v1/..%2fexport", missing),
        ("service", "GET", "/v1%2fexport", missing),
        ("service", "GET", "//v1/export", missing),
        ("service", "GET", "/v1/export/", missing),
        ("service", "GET", "/V1/export", missing),
        ("service", "GET", "/v1/export;a=b", missing),
        ("service", "GET", "/v1/export%00", missing),
        ("service", "GET", "/", missing),
        ("service", "GET", &long, missing),
        ("service", "GET", "/v1/audit/events/%2e%2e", USAGE),
        ("service", "GET", "/v1/audit/events/%00", USAGE),
        ("service", "GET", "/v1/audit/events/%ff%fe", USAGE),
        ("service", "GET", "/v1/audit/events/%C0%AE", USAGE),
        ("service", "GET", "/v1/audit/events/%zz", USAGE),
        ("service", "GET", "/v1/audit/events/-1", USAGE),
        ("service", "GET", "/v1/audit/events/+1", USAGE),
        ("service", "GET", "/v1/audit/events/1e1", USAGE),
        ("service", "GET", "/v1/audit/events/0x1", USAGE),
        ("service", "GET", "/v1/audit/events/%D9%A1", USAGE),
        (
            "service",
            "GET",
            "/v1/audit/events/99999999999999999999999",
            USAGE,
        ),
        ("service", "GET", "/v1/audit/events/99", USAGE),
        ("service", "GET", &past_signed, USAGE),
        ("service", "GET", &past, USAGE),
        ("admin", "GET", "/v1/workspaces/%2e%2e", USAGE),
        ("admin", "GET", "/v1/workspaces/..%2f..%2fmetrics", USAGE),
        ("admin", "GET", "/v1/workspaces/%00", USAGE),
        ("admin", "GET", "/v1/workspaces/staging%00", USAGE),
        ("admin", "GET", "/v1/workspaces/%ff", USAGE),
        ("admin", "GET", "/v1/workspaces/STAGING", USAGE),
        ("admin", "GET", "/v1/workspaces/staging'--", USAGE),
        ("admin", "GET", "/v1/workspaces/%25", USAGE),
        ("admin", "GET", &long_name, USAGE),
        (
            "admin",
            "POST",
            "/v1/workspaces/staging/keys/%00/revoke",
            NO_KEY,
        ),
        ("service", "POST", "/v1/keys/%00/revoke", NO_KEY),
        ("service", "POST", "/v1/keys/..%2f/revoke", NO_KEY),
        // Methods.
        ("service", "POST", "/v1/export", other_method),
        ("service", "DELETE", "/v1/keys", other_method),
        ("service", "PUT", "/v1/import", other_method),
        ("service", "GET", "/v1/import", other_method),
        ("service", "OPTIONS", "/v1/import", other_method),
        ("service", "TRACE", "/v1/export", other_method),
        ("service", "BREW", "/v1/export", other_method),
        ("service", "POST", "/metrics", other_method),
        ("service", "POST", "/v1/openapi.json", other_method),
        ("service", "OPTIONS", "*", missing),
        ("service", "CONNECT", "lattice:80", missing),
        // Parameters.
        ("service", "GET", "/v1/export?nothing=1", USAGE),
        ("service", "GET", "/v1/export?at=0&at=0", USAGE),
        ("service", "GET", "/v1/export?at=0&%61t=1", USAGE),
        ("service", "GET", "/v1/export?at", USAGE),
        ("service", "GET", "/v1/export?at=", USAGE),
        ("service", "GET", "/v1/export?at=-1", USAGE),
        ("service", "GET", "/v1/export?at=%00", USAGE),
        ("service", "GET", "/v1/export?at=%ff", USAGE),
        ("service", "GET", "/v1/export?AT=1", USAGE),
        ("service", "GET", "/v1/export?%ff=%ff", USAGE),
        ("service", "GET", "/v1/export?=", USAGE),
        ("service", "GET", &long_query, USAGE),
        ("service", "GET", &many, USAGE),
        ("service", "GET", &export_past, USAGE),
        (
            "service",
            "GET",
            "/v1/export?expect_workspace=%00",
            (401, "INVALID_SERVICE_KEY"),
        ),
        ("service", "GET", "/v1/audit/events?limit=0", USAGE),
        ("service", "GET", "/v1/audit/events?limit=1001", USAGE),
        (
            "service",
            "GET",
            "/v1/audit/events?limit=18446744073709551615",
            USAGE,
        ),
        (
            "service",
            "GET",
            "/v1/workspace?expect_workspace=staging",
            USAGE,
        ),
        ("service", "POST", "/v1/rollback/0?dry_run=1", USAGE),
        (
            "service",
            "POST",
            "/v1/rollback/0?dry_run=true&dry_run=false",
            USAGE,
        ),
        ("service", "POST", "/v1/rollback/0?dry_run=TRUE", USAGE),
        ("service", "POST", "/v1/rollback/x", USAGE),
        (
            "service",
            "POST",
            "/v1/rollback/18446744073709551615",
            USAGE,
        ),
        (
            "service",
            "POST",
            "/v1/rollback/2?deactivation_threshold=101",
            USAGE,
        ),
        (
            "service",
            "POST",
            "/v1/rollback/0?allow_deactivations=-1",
            USAGE,
        ),
        (
            "service",
            "POST",
            "/v1/audit/events/18446744073709551615/proof",
            USAGE,
        ),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(key, method, target, expected)| {
            let name: String = format!("{method} {target}").chars().take(80).collect();
            (
                name,
                request(method, target, &[&authorization(house, key)], ""),
                expected,
            )
        })
        .collect();
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, bytes, expected)| row(name, bytes, *expected))
        .collect();
    house.hold(&rows);
    // Far beyond the last one there is nothing, and that is no failure.
    house.unharmed(|| {
        for target in [
            format!("/v1/audit/events?cursor={last}"),
            format!("/v1/audit/events?cursor={}&limit=1000", 1_u64 << 63),
            format!("/v1/history?before={last}"),
        ] {
            let reply = house
                .send(&request("GET", &target, &[&bearer(&house.service)], ""))
                .unwrap();
            assert_eq!(reply.status, 200, "{target}: {reply:?}");
        }
        let refused = house.send(&request("DELETE", "/v1/keys", &[], "")).unwrap();
        assert_eq!(
            refused.header("Allow"),
            Some("GET,HEAD,POST"),
            "{refused:?}"
        );
    });
}

#[test]
fn idempotency_keys_are_plain_and_short() {
    let house = House::new();
    let rows: Vec<(&str, Vec<u8>)> = [
        ("empty", "Idempotency-Key:".to_owned()),
        ("long", format!("Idempotency-Key: {}", "a".repeat(129))),
        ("blank inside", "Idempotency-Key: a b".to_owned()),
        ("not ASCII", "Idempotency-Key: \u{e9}".to_owned()),
    ]
    .iter()
    .map(|(name, header)| {
        (
            *name,
            request(
                "POST",
                "/v1/import",
                &[&bearer(&house.service), header],
                MANIFEST,
            ),
        )
    })
    .collect();
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, bytes)| row(name, bytes, USAGE))
        .collect();
    house.hold(&rows);
}

#[test]
fn bodies_are_read_up_to_a_limit() {
    const MEGABYTE: usize = 1024 * 1024;
    let house = House::new();
    let service = bearer(&house.service);
    let large = "Content-Length: 16777217";
    let overflow = "Content-Length: 18446744073709551615";
    let mut endless = head(
        "POST",
        "/v1/import",
        &[&service, "Transfer-Encoding: chunked"],
    );
    for _ in 0..17 {
        endless.extend(format!("{MEGABYTE:x}\r\n").as_bytes());
        endless.extend(vec![b'#'; MEGABYTE]);
        endless.extend(b"\r\n");
    }
    let mut full = head("POST", "/v1/import", &[&service, large]);
    full.extend(vec![b'#'; 16 * MEGABYTE + 1]);
    let action = format!(
        r#"{{"action_type":"a","metadata":{{"a":"{}"}}}}"#,
        "a".repeat(MEGABYTE)
    );
    house.hold(&[
        // Its head says so; nobody waits for the rest.
        row(
            "announced",
            &head("POST", "/v1/import", &[&service, large]),
            TOO_LARGE,
        ),
        row(
            // A length that is no number of bytes is no request.
            "beyond all",
            &head("POST", "/v1/import", &[&service, overflow]),
            (431, ""),
        ),
        row("sent", &full, TOO_LARGE),
        row("in chunks", &endless, TOO_LARGE),
        row(
            "a large action",
            &request("POST", "/v1/decisions", &[&bearer(&house.agent)], action),
            INVALID_ACTION,
        ),
        row(
            "a bad key",
            &head(
                "POST",
                "/v1/import",
                &[&bearer(&format!("al_svc_staging_{}", random())), large],
            ),
            (401, "INVALID_SERVICE_KEY"),
        ),
    ]);
    // What fits is read, and is what it is: a manifest of comments is none.
    let mut comments = vec![b'#'; 16 * MEGABYTE];
    comments[0] = b'\n';
    let fits = request("POST", "/v1/import", &[&service], comments);
    house.hold(&[row("the largest", &fits, INVALID_MANIFEST)]);
}

#[test]
fn nobody_sends_much_with_a_key_that_opens_nothing() {
    let house = House::new();
    let guessed = bearer(&format!("al_svc_staging_{}", random()));
    let (agent, revoked) = (bearer(&house.agent), bearer(&house.revoked));
    house.unharmed(|| {
        for key in [&guessed, &agent, &revoked] {
            for length in [
                "Content-Length: 70000",
                "Content-Length: 16000000",
                "Transfer-Encoding: chunked",
            ] {
                // The body never comes, and the answer does not wait for it.
                let start = Instant::now();
                let reply = house
                    .send(&head("POST", "/v1/import", &[key, length]))
                    .unwrap();
                assert_eq!((reply.status, &*reply.code()), (401, "INVALID_SERVICE_KEY"));
                let reply = house.send(&head(
                    "POST",
                    "/v1/import",
                    &[key, length, "Expect: 100-continue"],
                ));
                assert_eq!(reply.unwrap().status, 401, "no `100 Continue` for those");
                assert!(start.elapsed() < Duration::from_secs(5));
            }
        }
    });
}

#[test]
fn a_body_that_breaks_off_is_no_body() {
    let house = House::new();
    let service = bearer(&house.service);
    let cut = |length: &str, body: &[u8]| {
        let mut bytes = head("POST", "/v1/import", &[&service, length]);
        bytes.extend(body);
        bytes
    };
    let short = cut("Content-Length: 1000", MANIFEST.as_bytes());
    let mut chunk = format!("{:x}\r\n{MANIFEST}\r\n", MANIFEST.len()).into_bytes();
    // A whole manifest, but who says that it is whole?
    let unfinished = cut("Transfer-Encoding: chunked", &chunk);
    chunk.extend(b"zz\r\n\r\n");
    let bad_chunk = cut("Transfer-Encoding: chunked", &chunk);
    house.unharmed(|| {
        let before = house.refusals();
        for bytes in [&short, &unfinished, &bad_chunk] {
            let reply = house.exchange(bytes, true).unwrap();
            assert_eq!((reply.status, &*reply.code()), (400, "USAGE"), "{reply:?}");
            assert!(reply.body.contains("broke off"), "{reply:?}");
            // Whoever is gone gets no answer, and that is all.
            let mut stream = house.connect();
            stream.write_all(bytes).unwrap();
            drop(stream);
        }
        assert!(house.refusals() - before >= 3);
    });
    let mut stream = house.connect();
    let bytes = request("POST", "/v1/decisions", &[&bearer(&house.agent)], ACTION);
    for byte in bytes.chunks(7) {
        stream.write_all(byte).unwrap();
    }
    assert_eq!(
        receive(&mut stream).unwrap().status,
        200,
        "pieces are no harm"
    );
}

fn hold_bodies(house: &House, rows: Vec<(&str, &str, Vec<&[u8]>, (u16, &str))>) {
    let rows: Vec<_> = rows
        .into_iter()
        .flat_map(|(key, path, bodies, expected)| {
            bodies
                .into_iter()
                .map(move |body| (key, path, body, expected))
        })
        .map(|(key, path, body, expected)| {
            let shown: String = String::from_utf8_lossy(body).chars().take(60).collect();
            let bytes = request("POST", path, &[&authorization(house, key)], body);
            (format!("{path}: {shown}"), bytes, expected)
        })
        .collect();
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, bytes, expected)| row(name, bytes, *expected))
        .collect();
    house.hold(&rows);
}

fn authorization(house: &House, key: &str) -> String {
    bearer(match key {
        "admin" => &house.admin,
        "agent" => &house.agent,
        _ => &house.service,
    })
}

fn row<'a>(name: &'a str, bytes: &[u8], (status, code): (u16, &'a str)) -> Row<'a> {
    Row {
        name,
        bytes: bytes.to_vec(),
        status,
        code,
    }
}
