//! Imports that may be asked for again: one answer, and nothing written twice.

use std::sync::Barrier;
use std::thread;

use crate::common::{Place, World, key_of, manifest, refusal};
use jiff::SignedDuration;
use lattice_core::hash::sha256;
use lattice_core::view::{self, KeyKind, Mode};
use lattice_core::{Code, Error, Guard};
use lattice_workspace::{Ambient, Key, Once, Planned, Store, answered, import_once, revoke_key};

fn once(id: &str, request: &str) -> Once {
    Once::new(id, sha256(request.as_bytes())).unwrap()
}

/// An import whose answer is its document.
fn import_documented(
    store: &dyn Store,
    key: &Key,
    planned: &Planned,
    once: Option<&Once>,
    ambient: &Ambient,
) -> Result<String, Error> {
    let answer =
        |imported: &_| Ok(serde_json::to_string(&planned.view(false, Some(imported))).unwrap());
    import_once(store, key, planned, once, answer, ambient)
}

/// How many events and answers are stored.
fn counts(world: &World) -> [String; 2] {
    ["audit_event", "request"].map(|table| {
        let rows = world.rows(&format!("SELECT count(*) FROM {table}"));
        rows.concat()
    })
}

fn ask(world: &World, key: &Key, planned: &Planned, once: &Once) -> String {
    import_documented(&*world.store, key, planned, Some(once), &world.ambient()).unwrap()
}

#[test]
fn an_idempotency_key_is_short_and_visible() {
    let longest = "x".repeat(128);
    for id in ["a", "4f2c:a\"quoted\"~", &longest] {
        let once = Once::new(id, [1; 32]).unwrap();
        assert_eq!((&*once.id, once.request), (id, [1; 32]));
    }
    let refused = (
        Code::Usage,
        "the idempotency key is not of 1 to 128 visible ASCII characters".to_owned(),
    );
    for id in [
        "",
        "a b",
        "é",
        "a\nb",
        "\u{7f}",
        "a\0",
        &format!("{longest}x"),
    ] {
        assert_eq!(refusal(Once::new(id, [1; 32])), refused, "{id:?}");
    }
}

#[test]
fn an_import_answers_with_its_document() {
    let (world, key) = World::with_dev();
    for id in [None, Some(once("1", "b"))] {
        let planned = world.plan(&key, &manifest(&[("a", false)]), Mode::Additive);
        let answer =
            import_documented(&*world.store, &key, &planned, id.as_ref(), &world.ambient());
        let reader = world.reader(&key);
        let newest = reader.events(None, 9).unwrap().events.pop().unwrap();
        let checkpoint = reader.signed_head(None).unwrap();
        let expected = view::Plan {
            applied: true,
            event: Some(newest),
            checkpoint: Some(checkpoint.to_string()),
            ..planned.view(false, None)
        };
        assert_eq!(answer.unwrap(), serde_json::to_string(&expected).unwrap());
    }
    assert_eq!(counts(&world), ["3", "1"]);
}

#[test]
fn a_request_that_is_sent_again_gets_the_same_answer() {
    let (world, key) = World::with_dev();
    let (desired, deploy) = (manifest(&[("a", false)]), once("deploy-7", "a"));
    assert_eq!(answered(&*world.store, &key, &deploy).unwrap(), None);
    let planned = world.plan(&key, &desired, Mode::Additive);
    let answer = ask(&world, &key, &planned, &deploy);

    // With the same plan, with one that was made afterwards, with one that the guard holds, and after another import.
    assert_eq!(ask(&world, &key, &planned, &deploy), answer);
    let planned = world.plan(&key, &desired, Mode::Additive);
    assert_eq!(ask(&world, &key, &planned, &deploy), answer);
    let held = world.reader(&key).plan(&manifest(&[]), Mode::Replace);
    let held = held.unwrap().with_guard(Guard::default());
    assert_eq!(
        held.check(false).unwrap_err().code(),
        Code::DeactivationLimit
    );
    assert_eq!(ask(&world, &key, &held, &deploy), answer);
    world.import(&key, &manifest(&[("b", false)]), Mode::Additive);
    assert_eq!(ask(&world, &key, &planned, &deploy), answer);
    let other = world.open();
    assert_eq!(answered(&*other, &key, &deploy).unwrap(), Some(answer));
    assert_eq!(counts(&world), ["3", "1"]);
    assert_eq!(world.verify(&key).reason, None);
}

#[test]
fn an_idempotency_key_is_for_one_request_to_one_workspace() {
    let (world, key) = World::with_dev();
    let planned = world.plan(&key, &manifest(&[("a", false)]), Mode::Additive);
    let answer = ask(&world, &key, &planned, &once("1", "a"));
    let other = once("1", "b");
    let refused = (
        Code::Usage,
        "the idempotency key `1` was used for another request".to_owned(),
    );
    assert_eq!(refusal(answered(&*world.store, &key, &other)), refused);
    let planned = world.plan(&key, &manifest(&[("b", false)]), Mode::Additive);
    let again = import_documented(
        &*world.store,
        &key,
        &planned,
        Some(&other),
        &world.ambient(),
    );
    assert_eq!(refusal(again), refused);
    assert_eq!(counts(&world), ["2", "1"]);

    // Keys are told apart by their bytes.
    let staging = world.create("staging");
    assert_eq!(answered(&*world.store, &staging, &other).unwrap(), None);
    let planned = world.plan(&staging, &manifest(&[("a", false)]), Mode::Additive);
    let elsewhere = ask(&world, &staging, &planned, &other);
    assert_ne!(elsewhere, answer);
    let planned = world.plan(&key, &manifest(&[("b", false)]), Mode::Additive);
    ask(&world, &key, &planned, &once("1.", "b"));
    for (key, once, answer) in [(&key, once("1", "a"), answer), (&staging, other, elsewhere)] {
        assert_eq!(answered(&*world.store, key, &once).unwrap(), Some(answer));
    }
}

#[test]
fn answers_are_for_service_keys_that_still_open() {
    let (world, key) = World::with_dev();
    let planned = world.plan(&key, &manifest(&[("a", false)]), Mode::Additive);
    let request = once("1", "a");
    ask(&world, &key, &planned, &request);
    let revoked = world.create_key(KeyKind::Service);
    let dev = crate::common::local("dev");
    revoke_key(&*world.store, &dev, &revoked.id, &world.ambient()).unwrap();
    for key in [revoked, world.create_key(KeyKind::Agent)].map(|key| key_of(&key)) {
        let refused = answered(&*world.store, &key, &request);
        assert_eq!(refusal(refused).0, Code::InvalidServiceKey);
        let refused = import_documented(
            &*world.store,
            &key,
            &planned,
            Some(&request),
            &world.ambient(),
        );
        assert_eq!(refusal(refused).0, Code::InvalidServiceKey);
    }
}

#[test]
fn requests_that_are_sent_at_once_are_one() {
    const SENDERS: usize = 4;
    let (world, key) = World::with_dev();
    for round in 0..5 {
        let name = format!("p{round}");
        let request = once(&name, "a");
        let planned = world.plan(&key, &manifest(&[(&name, false)]), Mode::Additive);
        let start = Barrier::new(SENDERS);
        let answers: Vec<_> = thread::scope(|scope| {
            let begin = |_| {
                let (store, ambient) = (world.place.location().open(), world.ambient());
                let (start, key, planned, request) = (&start, &key, &planned, &request);
                scope.spawn(move || {
                    start.wait();
                    import_documented(&*store, key, planned, Some(request), &ambient)
                })
            };
            let senders: Vec<_> = (0..SENDERS).map(begin).collect();
            let ended = senders.into_iter().map(|sender| sender.join().unwrap());
            ended.collect::<Result<_, _>>().unwrap()
        });
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        let count = (round + 1).to_string();
        assert_eq!(counts(&world), [(round + 2).to_string(), count]);
    }
    assert_eq!(world.verify(&key).reason, None);
}

#[test]
fn an_answer_is_kept_for_a_day() {
    let (world, key) = World::with_dev();
    let staging = world.create("staging");
    let start = world.ambient();
    let at = |hours, milliseconds| {
        let after = SignedDuration::from_hours(hours) + SignedDuration::from_millis(milliseconds);
        Ambient {
            now: start.now + after,
            ..world.ambient()
        }
    };
    let send = |key: &Key, once: &Once, ambient: &Ambient| {
        let planned = world.plan(key, &manifest(&[("a", false)]), Mode::Additive);
        import_documented(&*world.store, key, &planned, Some(once), ambient)
    };
    let (first, second, other) = (once("1", "a"), once("2", "a"), once("1", "b"));
    let answer = send(&key, &first, &at(0, 0)).unwrap();
    let elsewhere = send(&staging, &first, &at(0, 0)).unwrap();

    // To the last millisecond. What is refused or answered again forgets nothing.
    let latest = send(&key, &second, &at(24, 0)).unwrap();
    assert_eq!(send(&key, &first, &at(24, 0)).unwrap(), answer);
    assert_eq!(refusal(send(&key, &other, &at(24, 0))).0, Code::Usage);
    assert_eq!(send(&key, &second, &at(24, 1)).unwrap(), latest);
    let known = answered(&*world.store, &key, &first).unwrap();
    assert_eq!(known.as_ref(), Some(&answer));

    // Then the idempotency key is free, for the same request and for another one.
    let third = send(&key, &other, &at(24, 1)).unwrap();
    assert_ne!(third, answer);
    let known = answered(&*world.store, &key, &other).unwrap();
    assert_eq!(known, Some(third));
    let ids =
        "SELECT id FROM request WHERE workspace IN (SELECT id FROM workspace WHERE name = 'dev')";
    assert_eq!(world.rows(&format!("{ids} ORDER BY id")), ["1", "2"]);

    // Of that workspace alone.
    let known = answered(&*world.store, &staging, &first).unwrap();
    assert_eq!(known.as_ref(), Some(&elsewhere));
    assert_ne!(send(&staging, &first, &at(48, 0)).unwrap(), elsewhere);
    assert_eq!(counts(&world), ["7", "3"]);
}

/// A clock that is as early as it can be has no day before.
#[test]
fn the_first_moment_forgets_nothing() {
    let (world, key) = World::with_dev();
    let planned = world.plan(&key, &manifest(&[("a", false)]), Mode::Additive);
    let request = once("1", "a");
    let send = || {
        let ambient = Ambient {
            now: jiff::Timestamp::MIN,
            ..world.ambient()
        };
        import_documented(&*world.store, &key, &planned, Some(&request), &ambient).unwrap()
    };
    assert_eq!(send(), send());
    assert_eq!(counts(&world), ["2", "1"]);
}

#[test]
fn what_is_refused_can_be_asked_for_again() {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    let request = once("1", "a");
    let moved = world.plan(&key, &manifest(&[("b", false)]), Mode::Additive);
    world.import(&key, &manifest(&[("c", false)]), Mode::Additive);
    let reader = world.reader(&key);
    let held = reader.plan(&manifest(&[]), Mode::Replace).unwrap();
    drop(reader);
    let staging = world.create("staging");
    let before = counts(&world);
    for (key, planned, code) in [
        (&key, &moved, Code::StateChanged),
        (&key, &held, Code::DeactivationLimit),
        (&staging, &held, Code::DeactivationLimit),
        (&staging, &moved, Code::WorkspaceMismatch),
    ] {
        let refused = import_documented(
            &*world.store,
            key,
            planned,
            Some(&request),
            &world.ambient(),
        );
        assert_eq!(refused.unwrap_err().code(), code);
        assert_eq!(counts(&world), before);
    }
    let planned = world.plan(&key, &manifest(&[("b", false)]), Mode::Additive);
    ask(&world, &key, &planned, &request);
    assert_eq!(before, ["4", "0"]);
    assert_eq!(counts(&world), ["5", "1"]);
}

/// The answer and what it tells of are written together, or neither is.
#[test]
fn an_answer_that_cannot_be_recorded_leaves_no_import() {
    let (world, key) = World::with_dev();
    let planned = world.plan(&key, &manifest(&[("a", false)]), Mode::Additive);
    world.place.fail_on("INSERT ON request");
    let request = once("1", "a");
    let refused = import_documented(
        &*world.store,
        &key,
        &planned,
        Some(&request),
        &world.ambient(),
    );
    let (code, message) = refusal(refused);
    assert_eq!(code, Code::StoreUnavailable);
    assert!(message.contains("` failed: on fire"), "{message}");
    assert_eq!(counts(&world), ["1", "0"]);
    assert_eq!(
        world.plan(&key, &manifest(&[]), Mode::Additive).base(),
        planned.base()
    );

    // Without a key there is no answer to record.
    import_documented(&*world.store, &key, &planned, None, &world.ambient()).unwrap();
    assert_eq!(counts(&world), ["2", "0"]);
}
