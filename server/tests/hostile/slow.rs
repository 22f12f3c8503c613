//! Clients that take their time, and stores that do.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::house::{ACTION, House, MANIFEST, bearer, head, receive, request};

/// Waits in parallel, for the sum of it would be minutes.
#[test]
fn nobody_holds_the_server_up() {
    thread::scope(|scope| {
        scope.spawn(a_slow_head_is_cut_off);
        scope.spawn(a_slow_body_is_cut_off);
        scope.spawn(whoever_finds_no_turn_is_told_to_come_again);
        scope.spawn(a_connection_without_requests_ends);
    });
}

fn a_slow_head_is_cut_off() {
    let house = House::new();
    house.unharmed(|| {
        let start = Instant::now();
        let slow = |opening: &'static [u8], answered: u16| {
            let mut stream = house.connect();
            move || {
                stream.write_all(opening).unwrap();
                // A header each second: always something new, never an end.
                while stream.write_all(b"X-A: b\r\n").is_ok()
                    && start.elapsed() < Duration::from_secs(20)
                {
                    thread::sleep(Duration::from_secs(1));
                }
                let reply = receive(&mut stream);
                assert!(
                    reply.as_ref().is_none_or(|reply| reply.status == answered),
                    "{reply:?}"
                );
            }
        };
        thread::scope(|scope| {
            scope.spawn(slow(b"GET /healthz HTTP/1.1\r\nHost: a\r\n", 408));
            // The first of two is answered.
            scope.spawn(slow(
                b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\n",
                200,
            ));
            // What comes first is no request.
            scope.spawn(slow(b"", 400));
            // Meanwhile there is room for everybody else.
            house.answers();
        });
        let took = start.elapsed();
        assert!(took < Duration::from_secs(16), "{took:?}");
    });
}

fn a_slow_body_is_cut_off() {
    let house = House::new();
    house.unharmed(|| {
        let start = Instant::now();
        let mut stream = house.connect();
        let headers = [&*bearer(&house.service), "Content-Length: 10000"];
        stream
            .write_all(&head("POST", "/v1/import", &headers))
            .unwrap();
        let mut answered = stream.try_clone().unwrap();
        let answer = thread::spawn(move || receive(&mut answered));
        while !answer.is_finished() && start.elapsed() < Duration::from_secs(36) {
            let _ = stream.write_all(b"#");
            thread::sleep(Duration::from_millis(500));
        }
        let reply = answer.join().unwrap().unwrap();
        assert_eq!((reply.status, &*reply.code()), (408, "USAGE"), "{reply:?}");
        let took = start.elapsed();
        assert!((29..=34).contains(&took.as_secs()), "{took:?}");
    });
}

/// Nothing is written while another process holds the store, and who waits too long is told so.
fn whoever_finds_no_turn_is_told_to_come_again() {
    let house = House::build(None, true, 2);
    house.unharmed(|| {
        let holder = Connection::open(house.file()).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        thread::scope(|scope| {
            let import = || {
                let manifest = MANIFEST.replace("reviewed-deploys", "others");
                house
                    .send(&request(
                        "POST",
                        "/v1/import",
                        &[&bearer(&house.service)],
                        manifest,
                    ))
                    .unwrap()
            };
            let working = [scope.spawn(import), scope.spawn(import)];
            thread::sleep(Duration::from_secs(1));
            let start = Instant::now();
            let decide = || {
                house
                    .send(&request(
                        "POST",
                        "/v1/decisions",
                        &[&bearer(&house.agent)],
                        ACTION,
                    ))
                    .unwrap()
            };
            let waiting: Vec<_> = (0..8).map(|_| scope.spawn(decide)).collect();
            for reply in waiting {
                let reply = reply.join().unwrap();
                assert_eq!(
                    (reply.status, &*reply.code()),
                    (503, "STORE_UNAVAILABLE"),
                    "{reply:?}"
                );
                assert_eq!(reply.header("Retry-After"), Some("1"), "{reply:?}");
            }
            let took = start.elapsed();
            assert!((4..=7).contains(&took.as_secs()), "{took:?}");
            for reply in working {
                let reply = reply.join().unwrap();
                assert_eq!(
                    (reply.status, &*reply.code()),
                    (503, "STORE_UNAVAILABLE"),
                    "{reply:?}"
                );
                assert!(reply.body.contains("locked"), "{reply:?}");
            }
        });
        holder.execute_batch("ROLLBACK").unwrap();
    });
}

fn a_connection_without_requests_ends() {
    let house = House::new();
    house.unharmed(|| {
        let start = Instant::now();
        let silent = {
            let mut stream = house.connect();
            thread::spawn(move || receive(&mut stream))
        };
        let mut stream = house.connect();
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        assert_eq!(receive(&mut stream).unwrap().status, 200);
        let silent = silent.join().unwrap();
        assert!(silent.is_none_or(|reply| reply.status == 408));
        let took = start.elapsed();
        assert!(took < Duration::from_secs(35), "{took:?}");
    });
}
