//! What a caller is told whose connection is lost around a commit: what is so.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lattice_core::view::{KeyKind, Mode};
use lattice_core::{Breaker, Code, Number};
use lattice_testing::Cluster;
use lattice_workspace::store::Store;
use lattice_workspace::{
    Imported, Location, Once, answered, create_key, create_workspace, import, import_once,
    set_breaker,
};

use crate::common::{World, local, manifest, refusal};

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The server never hears of the commit.
    Before,
    /// The server commits, and nobody hears of it.
    After,
}

/// A way to the database on which the next commit is cut, once.
fn cut(world: &World, cut: Cut) -> Box<dyn Store> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Cluster::shared().port();
    let armed = Arc::new(AtomicBool::new(true));
    thread::spawn(move || {
        for client in listener.incoming() {
            let armed = Arc::clone(&armed);
            let server = TcpStream::connect(("localhost", server)).unwrap();
            thread::spawn(move || forward(client.unwrap(), server, cut, &armed));
        }
    });
    let url = world
        .place
        .url
        .replace(&format!(":{server}/"), &format!(":{port}/"));
    Location::parse(&format!("{url}?sslmode=disable"))
        .unwrap()
        .open()
}

fn forward(mut client: TcpStream, mut server: TcpStream, cut: Cut, armed: &AtomicBool) {
    let mut bytes = vec![0; 65_536];
    let (mut answers, mut asker) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut answers, &mut asker));
    while let Ok(read @ 1..) = client.read(&mut bytes) {
        let is_commit = bytes[..read].windows(7).any(|window| window == b"COMMIT\0");
        if is_commit && armed.swap(false, Ordering::SeqCst) {
            // Nothing reaches the client from here on.
            client.shutdown(Shutdown::Both).unwrap();
            match cut {
                Cut::Before => server.shutdown(Shutdown::Both).unwrap(),
                Cut::After => server.write_all(&bytes[..read]).unwrap(),
            }
            return;
        }
        server.write_all(&bytes[..read]).unwrap();
    }
}

#[test]
fn an_import_whose_commit_is_not_answered_is_told_what_became_of_it() {
    for (place, expected) in [
        (Cut::Before, Err("ended the connection before it committed")),
        (Cut::After, Ok(2)),
    ] {
        let (world, key) = World::with_dev();
        let planned = world.plan(&key, &manifest(&[("a", false)]), Mode::Additive);
        let store = cut(&world, place);
        let imported = import(&*store, &key, &planned, &world.ambient());
        let events = world.rows("SELECT count(*) FROM audit_event");
        match expected {
            Ok(size) => {
                assert_eq!(imported.unwrap().checkpoint.size(), size);
                assert_eq!(events, ["2"]);
            }
            Err(words) => {
                let (code, message) = refusal(imported);
                assert_eq!(code, Code::StoreUnavailable);
                assert!(message.ends_with(words), "{message}");
                assert_eq!(events, ["1"]);
                // It is safe to run again, with the same store.
                import(&*store, &key, &planned, &world.ambient()).unwrap();
            }
        }
        assert_eq!(world.rows("SELECT name, seq FROM policy"), ["a 1"]);
        assert_eq!(world.verify(&key).reason, None);
    }
}

/// Whoever heard nothing asks again under the same idempotency key, through whichever server.
#[test]
fn an_import_whose_answer_is_lost_is_asked_for_again() {
    let once = Once::new("deploy-7", [7; 32]).unwrap();
    for (place, written) in [(Cut::Before, false), (Cut::After, true)] {
        let (world, key) = World::with_dev();
        let planned = world.plan(&key, &manifest(&[("a", false)]), Mode::Additive);
        let store = cut(&world, place);
        let answer = |imported: &Imported| Ok(imported.checkpoint.to_string());
        let lost = import_once(
            &*store,
            &key,
            &planned,
            Some(&once),
            answer,
            &world.ambient(),
        );
        assert_eq!(lost.is_ok(), written, "{place:?}");
        let known = answered(&*world.store, &key, &once).unwrap();
        assert_eq!(known.is_some(), written, "{place:?}");

        let again = import_once(
            &*world.open(),
            &key,
            &planned,
            Some(&once),
            answer,
            &world.ambient(),
        );
        let again = again.unwrap();
        assert_eq!(*lost.as_ref().unwrap_or(&again), again, "{place:?}");
        assert_eq!(known.unwrap_or_else(|| again.clone()), again, "{place:?}");
        let counted = "SELECT (SELECT count(*) FROM audit_event), (SELECT count(*) FROM request)";
        assert_eq!(world.rows(counted), ["2 1"], "{place:?}");
        assert_eq!(world.verify(&key).reason, None);
    }
}

#[test]
fn a_key_is_made_or_it_is_not() {
    for (place, made) in [(Cut::Before, false), (Cut::After, true)] {
        let (world, _) = World::with_dev();
        // What the database does where nobody says how, is not what is meant here.
        let database = world.place.url.rsplit_once('/').unwrap().1;
        let strict = "SET default_transaction_isolation = 'serializable'";
        world.sql(&format!("ALTER DATABASE {database} {strict}"));
        let store = cut(&world, place);
        let created = create_key(
            &*store,
            &local("dev"),
            KeyKind::Agent,
            None,
            &world.ambient(),
        );
        assert_eq!(created.is_ok(), made, "{place:?}");
        let keys = world.rows("SELECT count(*) FROM access_key");
        assert_eq!(keys, [if made { "2" } else { "1" }], "{place:?}");

        let store = cut(&world, place);
        let created = create_workspace(&*store, "staging", None, &world.ambient());
        assert_eq!(created.is_ok(), made, "{place:?}");
        let rows = world.rows("SELECT count(*) FROM workspace");
        assert_eq!(rows, [if made { "2" } else { "1" }], "{place:?}");
    }
}

/// What leaves no event cannot be asked for afterwards.
#[test]
fn where_nobody_can_know_that_is_what_is_said() {
    let breaker = Breaker::new("rapid", Number::from(70_i64), "HALT").unwrap();
    for (place, rows) in [(Cut::Before, "0"), (Cut::After, "1")] {
        let (world, _) = World::with_dev();
        let refused = set_breaker(&*cut(&world, place), &local("dev"), &breaker);
        let (code, message) = refusal(refused);
        assert_eq!(code, Code::StoreUnavailable);
        let unknown = "was lost during the commit: it may have been written, or not";
        assert!(message.ends_with(unknown), "{message}");
        assert_eq!(world.rows("SELECT count(*) FROM breaker"), [rows]);
    }
}

/// A server that crashes takes every import with it that it did not answer, and no other.
#[test]
fn a_server_that_crashes_loses_and_doubles_nothing() {
    const IMPORTERS: usize = 4;
    let cluster = Cluster::start();
    let url = cluster.database();
    let open = || Location::parse(&url).unwrap().open();
    let created = create_workspace(&*open(), "dev", None, &crate::common::ambient(0)).unwrap();
    let key = lattice_workspace::Key::parse(&created.service_key).unwrap();
    let stop = AtomicBool::new(false);
    let importer = |thread: usize| {
        let (store, mut done, mut failures) = (open(), 0_u64, 0_u64);
        for n in 0.. {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            let name = format!("p{thread}-{n}");
            let desired = manifest(&[(&name, false)]);
            let ambient = crate::common::ambient(1);
            let reader = lattice_workspace::Reader::open(&*store, &key, KeyKind::Service, None);
            let imported = reader
                .and_then(|reader| reader.plan(&desired, Mode::Additive))
                .and_then(|planned| import(&*store, &key, &planned, &ambient));
            match imported {
                Ok(_) => done += 1,
                Err(error) if error.code() == Code::StateChanged => {}
                Err(error) => {
                    assert_eq!(error.code(), Code::StoreUnavailable, "{error}");
                    assert!(!error.message().contains("or not"), "{error}");
                    failures += 1;
                    thread::sleep(std::time::Duration::from_millis(20));
                }
            }
        }
        (done, failures)
    };
    let (done, failures) = thread::scope(|scope| {
        let importers: Vec<_> = (0..IMPORTERS)
            .map(|n| scope.spawn(move || importer(n)))
            .collect();
        for _ in 0..3 {
            thread::sleep(std::time::Duration::from_millis(500));
            cluster.kill();
            cluster.restart();
        }
        thread::sleep(std::time::Duration::from_millis(300));
        stop.store(true, Ordering::SeqCst);
        let ends = importers
            .into_iter()
            .map(|importer| importer.join().unwrap());
        ends.fold((0, 0), |sum, end| (sum.0 + end.0, sum.1 + end.1))
    });
    assert!(done > 0 && failures > 0, "{done} {failures}");
    let store = open();
    let reader = lattice_workspace::Reader::open(&*store, &key, KeyKind::Service, None).unwrap();
    let verified = reader.verify(&[], &[], true).unwrap();
    assert_eq!(
        (verified.verification.size, verified.reason),
        (done + 1, None)
    );
    let count = lattice_testing::rows(&url, "SELECT count(*) FROM lattice.policy");
    assert_eq!(count, [done.to_string()]);
}
