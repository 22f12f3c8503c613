//! Databases that are not there, not ours or not well, and who may do what in them.

use std::fs;
use std::thread;

use jiff::SignedDuration;
use lattice_core::view::{KeyKind, Mode};
use lattice_core::{Breaker, Code, Error, Number};
use lattice_testing::{Cluster, PASSWORD, run};
use lattice_workspace::{
    Imported, Location, Once, answered, create_key, create_workspace, import, import_once,
    list_workspaces, revoke_key, set_breaker, show_workspace,
};
use regex::Regex;

use crate::common::{self, Place, World, local, manifest, refusal};

/// What a read of the store at `url` is refused with, the port left out.
fn refused(url: &str) -> String {
    let store = Location::parse(url).unwrap().open();
    let (code, message) = refusal(list_workspaces(&*store));
    assert_eq!(code, Code::StoreUnavailable, "{message}");
    assert!(!message.contains("p@ss"), "{message}");
    Regex::new(":[0-9]+/")
        .unwrap()
        .replace_all(&message, "/")
        .into_owned()
}

/// The refusals of a read, of a write and of a creation, where they refuse.
fn refusals(world: &World) -> [Option<String>; 3] {
    let message = |refused: Option<Error>| {
        refused.map(|error| {
            let (code, message) = refusal(Err::<(), _>(error));
            assert_eq!(code, Code::StoreUnavailable, "{message}");
            Regex::new("`[^`]*`")
                .unwrap()
                .replace(&message, "STORE")
                .into_owned()
        })
    };
    let (store, ambient) = (&*world.store, world.ambient());
    let dev = local("dev");
    let key = create_key(store, &dev, KeyKind::Agent, None, &ambient);
    [
        message(list_workspaces(store).err()),
        message(key.err()),
        message(create_workspace(store, "new", None, &world.ambient()).err()),
    ]
}

fn all(message: &str) -> [Option<String>; 3] {
    [(); 3].map(|()| Some(message.to_owned()))
}

#[test]
fn a_database_that_cannot_be_reached_is_said_to_be_so() {
    let cluster = Cluster::shared();
    let url = cluster.database();
    let port = cluster.port();
    let rows = [
        (
            "postgres://lattice@localhost:1/db".to_owned(),
            "the store `postgres://localhost/db` cannot be reached: connection refused",
        ),
        (
            "postgres://lattice@no-such-host.invalid/db".to_owned(),
            "the store `postgres://no-such-host.invalid/db` cannot be reached: ",
        ),
        (
            format!("postgres://lattice:wrong@localhost:{port}/db"),
            "the store `postgres://localhost/db` refuses the login: password authentication failed for user \"lattice\"",
        ),
        (
            cluster.url("nothing"),
            "the store `postgres://localhost/nothing` does not exist: database \"nothing\" does not exist",
        ),
        // The certificate of the server is of an authority that nobody here knows.
        (
            format!("{url}?sslmode=verify-full"),
            "cannot be reached safely: invalid peer certificate: UnknownIssuer",
        ),
        // It is for `localhost`.
        (
            format!(
                "{}?sslmode=verify-full&sslrootcert={}",
                url.replace("localhost", "127.0.0.1"),
                cluster.authority().display()
            ),
            "cannot be reached safely: invalid peer certificate: ",
        ),
        (
            format!("{url}?sslmode=verify-full&sslrootcert=/no/such/file"),
            "cannot be reached",
        ),
    ];
    for (url, words) in rows {
        let message = refused(&url);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_server_is_known_by_its_certificate() {
    let cluster = Cluster::shared();
    let (url, authority) = (cluster.database(), cluster.authority());
    let url = format!(
        "{url}?sslmode=verify-full&sslrootcert={}",
        authority.display()
    );
    let store = Location::parse(&url).unwrap().open();
    create_workspace(&*store, "dev", None, &common::ambient(1)).unwrap();
    assert_eq!(list_workspaces(&*store).unwrap().workspaces.len(), 1);
}

/// Over a network nothing less will do, unless somebody says so.
#[test]
fn a_connection_is_checked_unless_the_url_says_otherwise() {
    let location = Location::parse("postgres://u@db.example.com/d").unwrap();
    let Location::Postgres(address) = &location else {
        panic!("{location}");
    };
    assert_eq!(
        format!("{address:?}"),
        "Address(postgres://db.example.com/d)"
    );
}

#[test]
fn an_empty_database_is_a_store_that_is_yet_to_be_created() {
    let world = World::new();
    let empty = Some("the store STORE holds no workspaces yet".to_owned());
    assert_eq!(refusals(&world), [empty.clone(), empty, None]);
}

/// What cannot hold every policy is refused before it holds any.
#[test]
fn a_database_in_another_encoding_is_refused() {
    let cluster = Cluster::shared();
    let create = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    run(&cluster.url("postgres"), create);
    let store = Location::parse(&cluster.url("latin")).unwrap().open();
    let made = create_workspace(&*store, "dev", None, &common::ambient(1));
    let (code, message) = refusal(made);
    assert_eq!(code, Code::StoreUnavailable);
    let words = "is not in UTF-8, and policies may hold any character";
    assert!(message.ends_with(words), "{message}");
}

#[test]
fn another_programs_schema_is_refused_and_left_alone() {
    let world = World::new();
    run(
        &world.place.url,
        "CREATE SCHEMA lattice; CREATE TABLE lattice.note (text TEXT)",
    );
    let foreign = "the store STORE has a schema `lattice` of another program";
    assert_eq!(refusals(&world), all(foreign));
    assert_eq!(world.rows("SELECT count(*) FROM note"), ["0"]);
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let (world, _) = World::with_dev();
    world.sql("UPDATE store SET version = 1000; ALTER TABLE policy RENAME TO rule");
    let newer = "the store STORE was made by a newer version of al";
    assert_eq!(refusals(&world), all(newer));
    assert_eq!(world.rows("SELECT count(*) FROM rule"), ["0"]);
}

/// Version 0 never was released; it has the marker of a store and none of its tables.
const OLDER: &str = "
    CREATE SCHEMA lattice; CREATE TABLE lattice.store (one BOOLEAN DEFAULT TRUE, version BIGINT);
    INSERT INTO lattice.store (version) VALUES (0)";

#[test]
fn a_store_of_an_older_version_is_migrated_by_writing_alone() {
    let world = World::new();
    run(&world.place.url, OLDER);
    let (code, message) = refusal(list_workspaces(&*world.store));
    assert_eq!(code, Code::StoreUnavailable);
    assert!(
        message.ends_with("was made by an older version of al"),
        "{message}"
    );

    // A writing command that is refused undoes its migration, and so does a look before an import.
    let dev = local("dev");
    let refused = create_key(&*world.store, &dev, KeyKind::Agent, None, &world.ambient());
    assert_eq!(refusal(refused).0, Code::Usage);
    let read = world.store.read_migrated().unwrap();
    assert_eq!(read.workspaces().unwrap(), []);
    drop(read);
    assert_eq!(world.rows("SELECT version FROM store"), ["0"]);

    world.create("dev");
    assert_eq!(list_workspaces(&*world.store).unwrap().workspaces.len(), 1);
    assert_eq!(world.rows("SELECT version FROM store"), ["1"]);
}

/// Nobody changes the tables under the hands of someone who writes.
#[test]
fn a_migration_waits_for_writers() {
    let (world, _) = World::with_dev();
    let write = world.store.write().unwrap();
    let waiting = "
        SET lock_timeout = '100ms';
        SELECT pg_advisory_xact_lock(1281455220, 1)";
    let alone = std::panic::catch_unwind(|| run(&world.place.url, waiting));
    assert!(alone.is_err());
    // Other writers go on.
    drop(world.open().write().unwrap());
    drop(write);
    run(&world.place.url, waiting);
}

#[test]
fn many_create_the_same_store_at_once() {
    let world = World::new();
    thread::scope(|scope| {
        for n in 0..8 {
            let place = &world.place;
            scope.spawn(move || {
                let store = place.location().open();
                create_workspace(&*store, &format!("w{n}"), None, &common::ambient(n)).unwrap();
            });
        }
    });
    assert_eq!(list_workspaces(&*world.store).unwrap().workspaces.len(), 8);
}

/// One of them gets it, and the others are told so.
#[test]
fn a_name_is_given_once_to_many_who_ask_at_once() {
    let (world, _) = World::with_dev();
    let created = thread::scope(|scope| {
        let ask = |n| {
            let store = world.open();
            scope.spawn(move || create_workspace(&*store, "prod", None, &common::ambient(n)))
        };
        let asked: Vec<_> = (100..106).map(ask).collect();
        let answers = asked.into_iter().map(|thread| thread.join().unwrap());
        answers.collect::<Vec<_>>()
    });
    assert_eq!(created.iter().filter(|created| created.is_ok()).count(), 1);
    for refused in created.into_iter().filter(Result::is_err) {
        let taken = "there is a workspace `prod` already".to_owned();
        assert_eq!(refusal(refused), (Code::Usage, taken));
    }
}

/// Who writes to one workspace waits for nobody who writes to another.
#[test]
fn a_workspace_is_locked_by_itself() {
    let (world, _) = World::with_dev();
    world.create("staging");
    let id = show_workspace(&*world.store, &local("dev")).unwrap().id;
    let write = world.store.write().unwrap();
    write.lock(&id).unwrap();

    let other = world.open();
    let ambient = world.ambient();
    create_key(&*other, &local("staging"), KeyKind::Agent, None, &ambient).unwrap();
    let refused = create_key(
        &*other,
        &local("dev"),
        KeyKind::Agent,
        None,
        &world.ambient(),
    );
    let (code, message) = refusal(refused);
    assert_eq!(code, Code::StoreUnavailable);
    let locked = "has been locked by another process for more than 10 seconds";
    assert!(message.ends_with(locked), "{message}");
}

/// A service that keeps its store open goes on when the server was started again.
#[test]
fn connections_are_made_anew() {
    let (world, _) = World::with_dev();
    let database = world.place.url.rsplit_once('/').unwrap().1.to_owned();
    let end_all = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    );
    for _ in 0..2 {
        run(&world.place.url, &end_all);
        assert_eq!(list_workspaces(&*world.store).unwrap().workspaces.len(), 1);
    }
    // One that ends in the middle is gone, and says so.
    let read = world.store.read().unwrap();
    run(&world.place.url, &end_all);
    for _ in 0..2 {
        assert_eq!(refusal(read.workspaces()).0, Code::StoreUnavailable);
    }
    drop(read);
    assert_eq!(list_workspaces(&*world.store).unwrap().workspaces.len(), 1);
}

/// The script of the docs is enough for everything that al does, and for no more.
#[test]
fn roles_have_the_rights_that_they_need() {
    let (world, key) = World::with_dev();
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/postgres-roles.sql");
    let database = world.place.url.rsplit_once('/').unwrap().1.to_owned();
    let (writer, reader) = (format!("writer_{database}"), format!("reader_{database}"));
    run(
        &world.place.url,
        &format!(
            "CREATE ROLE {writer} LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE {reader} LOGIN PASSWORD '{PASSWORD}'"
        ),
    );
    let script = fs::read_to_string(docs).unwrap();
    // What is for `psql` alone.
    let script: Vec<&str> = script
        .lines()
        .filter(|line| !line.starts_with('\\'))
        .collect();
    let script = script.join("\n");
    let script = script
        .replace(":\"writer\"", &writer)
        .replace(":\"reader\"", &reader);
    run(&world.place.url, &script);

    let url = |role: &str| Cluster::shared().url_for(role, &database);
    let open = |role: &str| Location::parse(&url(role)).unwrap().open();
    let store = open(&writer);
    for (n, desired) in [&[("a", false), ("b", true)][..], &[("a", true)]]
        .iter()
        .enumerate()
    {
        let planned = world.plan(&key, &manifest(desired), Mode::Replace);
        import(&*store, &key, &planned, &world.ambient()).unwrap();
        let staging = create_workspace(&*store, &format!("w{n}"), None, &world.ambient());
        staging.unwrap();
    }
    // The second is so late that it forgets the first.
    for (id, hours) in [("one", 0), ("two", 25)] {
        let planned = world.plan(&key, &manifest(&[("c", false)]), Mode::Additive);
        let once = Once::new(id, [0; 32]).unwrap();
        let mut ambient = world.ambient();
        ambient.now += SignedDuration::from_hours(hours);
        let document = |imported: &Imported| Ok(imported.checkpoint.to_string());
        let answer = import_once(&*store, &key, &planned, Some(&once), document, &ambient).unwrap();
        assert_eq!(answered(&*store, &key, &once).unwrap(), Some(answer));
    }
    assert_eq!(world.rows("SELECT id FROM request"), ["two"]);
    let breaker = Breaker::new("rapid", Number::from(70_i64), "HALT").unwrap();
    for _ in 0..2 {
        set_breaker(&*store, &local("dev"), &breaker).unwrap();
    }
    let made = create_key(
        &*store,
        &local("dev"),
        KeyKind::Agent,
        None,
        &world.ambient(),
    );
    revoke_key(&*store, &local("dev"), &made.unwrap().id, &world.ambient()).unwrap();
    assert_eq!(world.verify(&key).reason, None);

    for table in ["audit_event", "audit_node", "policy_version"] {
        for sql in [
            "UPDATE lattice.TABLE SET workspace = ''",
            "DELETE FROM lattice.TABLE",
        ] {
            let sql = sql.replace("TABLE", table);
            let done = std::panic::catch_unwind(|| run(&url(&writer), &sql));
            assert!(done.is_err(), "{sql}");
        }
    }
    for sql in [
        "DELETE FROM lattice.policy",
        "DELETE FROM lattice.audit_head",
        "TRUNCATE lattice.audit_event",
        "UPDATE lattice.request SET answer = ''",
    ] {
        assert!(
            std::panic::catch_unwind(|| run(&url(&writer), sql)).is_err(),
            "{sql}"
        );
    }

    let delete = "DELETE FROM lattice.request";
    assert!(std::panic::catch_unwind(|| run(&url(&reader), delete)).is_err());
    let store = open(&reader);
    assert_eq!(list_workspaces(&*store).unwrap().workspaces.len(), 3);
    let refused = create_key(
        &*store,
        &local("dev"),
        KeyKind::Agent,
        None,
        &world.ambient(),
    );
    let (code, message) = refusal(refused);
    assert_eq!(code, Code::StoreUnavailable);
    assert!(
        message.contains("does not let this role do that: "),
        "{message}"
    );
}
