//! What is not HTTP, or says two things at once.

use std::io::Write as _;

use crate::house::{House, MANIFEST, Row, bearer, head, receive};

#[test]
fn broken_requests_are_no_requests() {
    let house = House::new();
    let service = bearer(&house.service);
    let with = |headers: &[&str], body: &str| {
        let mut all = vec![&*service];
        all.extend(headers);
        let mut bytes = head("POST", "/v1/import", &all);
        bytes.extend(body.as_bytes());
        bytes
    };
    let length = format!("Content-Length: {}", MANIFEST.len());
    let huge = format!("X-Huge: {}", "a".repeat(1024 * 1024));
    let many: Vec<String> = (0..200).map(|n| format!("X-{n}: a")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let raw = |text: &str| text.as_bytes().to_vec();
    let noise: Vec<u8> = (0..4096_u32)
        .map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap())
        .collect();
    let rows: Vec<(&str, Vec<u8>, u16)> = vec![
        ("no request line", raw("hello\r\n\r\n"), 400),
        ("no path", raw("GET HTTP/1.1\r\n\r\n"), 400),
        (
            "two blanks",
            raw("GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
            400,
        ),
        ("HTTP/0.9", raw("GET /healthz\r\n\r\n"), 400),
        (
            "HTTP/9.9",
            raw("GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n"),
            400,
        ),
        (
            "a method with a colon",
            raw("G:T /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
            400,
        ),
        (
            "a NUL in the path",
            raw("GET /v1/\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
            400,
        ),
        ("a NUL in a header", with(&["X-A: a\0b"], ""), 400),
        ("a NUL in a header's name", with(&["X-\0: a"], ""), 400),
        (
            "a line feed alone in a header",
            with(&["X-A: a\rb"], ""),
            400,
        ),
        ("a header without a colon", with(&["X-A"], ""), 400),
        ("a blank before the colon", with(&["X-A : b"], ""), 400),
        ("a folded header", with(&["X-A: b\r\n c"], ""), 400),
        ("a huge header", with(&[&huge], ""), 431),
        ("many headers", with(&many, ""), 431),
        (
            "two lengths",
            with(&[&length, "Content-Length: 5"], MANIFEST),
            400,
        ),
        (
            "two lengths in one",
            with(&["Content-Length: 5, 6"], MANIFEST),
            400,
        ),
        (
            "a length that is none",
            with(&["Content-Length: abc"], MANIFEST),
            400,
        ),
        (
            "a negative length",
            with(&["Content-Length: -1"], MANIFEST),
            400,
        ),
        (
            "a length with a sign",
            with(&["Content-Length: +5"], MANIFEST),
            400,
        ),
        (
            "a length past all",
            with(&["Content-Length: 99999999999999999999"], MANIFEST),
            400,
        ),
        (
            "an encoding that is none",
            with(&["Transfer-Encoding: x"], MANIFEST),
            400,
        ),
        (
            "chunked, then not",
            with(&["Transfer-Encoding: chunked, identity"], MANIFEST),
            400,
        ),
        ("noise", noise, 400),
    ];
    let rows: Vec<Row<'_>> = rows
        .into_iter()
        .map(|(name, bytes, status)| Row {
            name,
            bytes,
            status,
            code: "",
        })
        .collect();
    house.hold(&rows);
}

#[test]
fn a_request_hides_no_other() {
    // Where a length and chunks disagree, a proxy and the server must not see two different requests. The chunks count,
    // and the connection ends, so that what follows is nobody's.
    let house = House::new();
    let hidden = "0\r\n\r\nPOST /v1/rollback/0?allow_deactivations=1 HTTP/1.1\r\nHost: a\r\n";
    let hidden = format!(
        "{hidden}{}\r\nContent-Length: 0\r\n\r\n",
        bearer(&house.service)
    );
    let mut bytes = format!(
        "POST /v1/decisions HTTP/1.1\r\nHost: a\r\n{}\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        bearer(&house.agent),
        hidden.len()
    )
    .into_bytes();
    bytes.extend(hidden.as_bytes());
    house.unharmed(|| {
        let reply = house.exchange(&bytes, true).unwrap();
        assert_eq!((reply.status, &*reply.code()), (400, "USAGE"), "{reply:?}");
        assert_eq!(reply.body.matches("HTTP/1.1").count(), 0, "{reply:?}");
    });
}

#[test]
fn whoever_says_nothing_and_goes_is_no_harm() {
    let house = House::new();
    house.unharmed(|| {
        for _ in 0..50 {
            drop(house.connect());
        }
        for part in [
            "G",
            "GET /v1/export HTTP/1.1\r\nHost",
            "GET /healthz HTTP/1.1\r\nHost: a\r\n",
        ] {
            let mut stream = house.connect();
            stream.write_all(part.as_bytes()).unwrap();
            drop(stream);
            let reply = house.exchange(part.as_bytes(), true);
            assert!(reply.is_none_or(|reply| reply.status == 400));
        }
        // A client of TLS at a port without it.
        let hello = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        let reply = house.exchange(hello, true);
        assert!(reply.is_none_or(|reply| reply.status == 400));
    });
}

#[test]
fn requests_in_a_row_are_answered_in_a_row() {
    let house = House::new();
    house.unharmed(|| {
        let mut stream = house.connect();
        let mut bytes = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
            .repeat(99)
            .into_bytes();
        bytes.extend(head("GET", "/healthz", &[]));
        stream.write_all(&bytes).unwrap();
        let reply = receive(&mut stream).unwrap();
        assert_eq!(reply.body.matches("HTTP/1.1 200 OK").count(), 99);
    });
}
