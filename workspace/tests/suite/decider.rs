//! Decisions with policies that are kept: those of a reader, always.

use std::thread;

use crate::common::{Place, World, key_of, local, manifest, refusal};
use lattice_core::view::{KeyKind, Mode, Status};
use lattice_core::{Action, Code};
use lattice_workspace::{Decider, Key, Reader, import, revoke_key};

/// A deployment that the policy `a` is for, from a branch that it allows.
const DEPLOY: &str = r#"{"action_type": "deploy.a", "metadata": {"branch": "main"}}"#;

/// Deployments that policies of the same names are for, from a branch that they allow or from none.
const OTHERS: [&str; 3] = [
    r#"{"action_type": "deploy.b", "metadata": {"branch": "main"}}"#,
    r#"{"action_type": "deploy.c", "metadata": {"branch": "main"}}"#,
    r#"{"action_type": "deploy.a"}"#,
];

fn action(text: &str) -> Action<'_> {
    Action::parse(text.as_bytes()).unwrap()
}

fn status(decider: &Decider, world: &World, key: &Key) -> Status {
    let decision = decider.decide(&*world.store, key, &action(DEPLOY));
    decision.unwrap().status
}

/// Turns every policy around, and leaves no trace of it in the log.
fn edit(world: &World) {
    world.sql("UPDATE policy SET approval_required = NOT approval_required");
}

#[test]
fn a_decider_decides_as_a_reader_does() {
    fn is_shared<T: Send + Sync>(_: &T) {}

    let (world, service) = World::with_dev();
    let agent = key_of(&world.create_key(KeyKind::Agent));
    let decider = Decider::default();
    is_shared(&decider);
    let same = || {
        for key in [&service, &agent] {
            let reader = Reader::open(&*world.store, key, KeyKind::Agent, None).unwrap();
            for text in OTHERS.iter().chain([&DEPLOY]) {
                let action = action(text);
                let decision = decider.decide(&*world.store, key, &action).unwrap();
                assert_eq!(decision, reader.decide(&action).unwrap(), "{text}");
            }
        }
        status(&decider, &world, &agent)
    };
    assert_eq!(same(), Status::PolicyNotFound);
    let steps: [(&[_], _, _); 4] = [
        (
            &[("a", false), ("b", false)],
            Mode::Additive,
            Status::Executed,
        ),
        (
            &[("a", true), ("c", false)],
            Mode::Additive,
            Status::Requested,
        ),
        (&[("b", false)], Mode::Replace, Status::PolicyNotFound),
        (&[("a", false)], Mode::Additive, Status::Executed),
    ];
    for (policies, mode, expected) in steps {
        world.import(&service, &manifest(policies), mode);
        assert_eq!(same(), expected);
    }
    let reader = world.reader(&service);
    let back = reader.plan_rollback(3).unwrap();
    drop(reader);
    import(&*world.store, &service, &back, &world.ambient()).unwrap();
    assert_eq!(same(), Status::Requested);
}

#[test]
fn a_key_is_asked_for_each_time() {
    let (world, service) = World::with_dev();
    world.import(&service, &manifest(&[("a", false)]), Mode::Additive);
    let agent = world.create_key(KeyKind::Agent);
    let decider = Decider::default();
    assert_eq!(status(&decider, &world, &key_of(&agent)), Status::Executed);
    revoke_key(&*world.store, &local("dev"), &agent.id, &world.ambient()).unwrap();
    let stranger = World::with_dev().0.create_key(KeyKind::Agent);
    for key in [agent, stranger] {
        let refused = decider.decide(&*world.store, &key_of(&key), &action(DEPLOY));
        assert_eq!(refusal(refused).0, Code::InvalidServiceKey);
    }
    assert_eq!(status(&decider, &world, &service), Status::Executed);
}

/// What is kept is used: an edit behind al's back shows when the log has moved on.
#[test]
fn policies_are_read_again_when_the_workspace_has_moved_on() {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    let decider = Decider::default();
    assert_eq!(status(&decider, &world, &key), Status::Executed);
    edit(&world);
    assert_eq!(status(&decider, &world, &key), Status::Executed);
    assert_eq!(status(&Decider::default(), &world, &key), Status::Requested);
    world.create_key(KeyKind::Agent);
    assert_eq!(status(&decider, &world, &key), Status::Requested);
}

/// A revision comes twice where a store is brought back from a copy, and tells nothing then.
#[test]
fn a_store_that_was_brought_back_is_another() {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(&[("a", true)]), Mode::Additive);
    world.place.back_up();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    let decider = Decider::default();
    assert_eq!(status(&decider, &world, &key), Status::Executed);
    world.place.restore();
    world.import(&key, &manifest(&[("b", false)]), Mode::Additive);
    assert_eq!(world.rows("SELECT revision FROM workspace"), ["2"]);
    assert_eq!(status(&decider, &world, &key), Status::Requested);
}

#[test]
fn policies_that_do_not_load_are_not_kept() {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    let decider = Decider::default();
    world.sql("UPDATE policy SET conditions = 'logic: sometimes'");
    let refused = decider.decide(&*world.store, &key, &action(DEPLOY));
    assert_eq!(refusal(refused).0, Code::StoreUnavailable);
    world.sql("UPDATE policy SET conditions = NULL");
    assert_eq!(status(&decider, &world, &key), Status::Executed);
}

/// Of many workspaces the policies of 64 are kept, and those go that were not asked for the longest.
#[test]
fn so_many_workspaces_are_kept_and_no_more() {
    let world = World::new();
    let keys: Vec<_> = (0..65).map(|n| world.create(&format!("w{n}"))).collect();
    for (n, key) in keys.iter().enumerate() {
        world.import(key, &manifest(&[("a", n % 2 == 1)]), Mode::Additive);
    }
    let decider = Decider::default();
    let as_imported = |n: usize| match n % 2 {
        0 => Status::Executed,
        _ => Status::Requested,
    };
    for (n, key) in keys.iter().enumerate().take(64) {
        assert_eq!(status(&decider, &world, key), as_imported(n));
    }
    // All are there. The first is now the one that was used last, and the second makes room.
    edit(&world);
    for n in (1..64).chain([0]) {
        assert_eq!(status(&decider, &world, &keys[n]), as_imported(n));
    }
    assert_eq!(status(&decider, &world, &keys[64]), as_imported(65));
    for n in (2..64).chain([0]) {
        assert_eq!(status(&decider, &world, &keys[n]), as_imported(n), "{n}");
    }
    assert_eq!(status(&decider, &world, &keys[1]), as_imported(0));
}

#[test]
fn many_ask_one_decider_while_policies_change() {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    let decider = Decider::default();
    thread::scope(|scope| {
        for _ in 0..3 {
            let (store, key, decider) = (world.open(), &key, &decider);
            scope.spawn(move || {
                for _ in 0..40 {
                    let action = action(DEPLOY);
                    let before = Reader::open(&*store, key, KeyKind::Agent, None).unwrap();
                    let decision = decider.decide(&*store, key, &action).unwrap();
                    let after = Reader::open(&*store, key, KeyKind::Agent, None).unwrap();
                    // Between the two, all of it may have happened.
                    if before.workspace() == after.workspace()
                        && before.events(None, 99).unwrap() == after.events(None, 99).unwrap()
                    {
                        assert_eq!(decision, after.decide(&action).unwrap());
                    }
                }
            });
        }
        for n in 0..8 {
            world.import(&key, &manifest(&[("a", n % 2 == 0)]), Mode::Additive);
        }
    });
    assert_eq!(status(&decider, &world, &key), Status::Executed);
}
