//! States that a workspace had: they are given back exactly, or not at all.

use std::collections::BTreeMap;

use crate::common::{World, key_of, manifest, refusal};
use jiff::Timestamp;
use lattice_core::audit::{Kind, leaf_hash};
use lattice_core::hash::{Hash, hex, sha256};
use lattice_core::view::{self, KeyKind, Mode};
use lattice_core::{Breaker, Code, Guard, Manifest, Number, PolicySet};
use lattice_workspace::{Imported, Key, Planned, Reader, import, set_breaker};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A rollback whose deactivations are allowed, however many there are.
fn planned(world: &World, key: &Key, seq: u64) -> Planned {
    let planned = world.reader(key).plan_rollback(seq).unwrap();
    let off = planned.plan().summary().deactivated as u64;
    planned.with_guard(Guard::new(None, Some(off)).unwrap())
}

fn roll_back(world: &World, key: &Key, seq: u64) -> Imported {
    let planned = planned(world, key, seq);
    import(&*world.store, key, &planned, &world.ambient()).unwrap()
}

/// A log that holds: the first key, `a` and `b`, another key, `a` as another and `c` in the place of `b`.
fn world() -> (World, Key) {
    let (world, key) = World::with_dev();
    let first = manifest(&[("a", false), ("b", false)]);
    world.import(&key, &first, Mode::Additive);
    world.create_key(KeyKind::Agent);
    let second = manifest(&[("a", true), ("c", false)]);
    world.import(&key, &second, Mode::Replace);
    (world, key)
}

#[test]
fn a_rollback_is_an_import_of_the_manifest_of_a_state() {
    let (world, key) = world();
    let recorded = world.reader(&key).recorded(1).unwrap();
    let planned = planned(&world, &key, 1);
    assert_eq!(planned.after(), recorded.digest);
    assert_eq!(planned.rollback_to(), Some(&recorded.event));

    let sha256 = sha256(recorded.to_text().as_bytes());
    let document = planned.view(true, None);
    assert_eq!(
        document.manifest,
        view::ManifestRef {
            file: None,
            sha256: hex(&sha256),
            rendered_sha256: None,
            version: "1.0".to_owned(),
            policies: 2,
        }
    );
    assert_eq!((document.mode, document.drift), (Mode::Replace, None));
    let reactivated = document.changes.iter().filter(|change| change.reactivated);
    let names: Vec<_> = reactivated.map(|change| &*change.name).collect();
    assert_eq!(names, ["b"]);

    let before = world.reader(&key).recorded(3).unwrap();
    let event = import(&*world.store, &key, &planned, &world.ambient()).unwrap();
    let event = event.event;
    assert_eq!(event.names.added, ["b"]);
    assert_eq!(event.names.modified, ["a"]);
    assert_eq!(event.names.deactivated, ["c"]);
    let leaf = event.leaf;
    assert_eq!((leaf.kind, leaf.seq), (Kind::Rollback, 4));
    assert_eq!((leaf.replace, leaf.from), (Some(true), None));
    assert_eq!(
        (leaf.manifest_sha256, leaf.rendered_sha256),
        (Some(hex(&sha256)), None)
    );
    assert_eq!(
        (leaf.before, leaf.after),
        (Some(hex(&before.digest)), Some(hex(&recorded.digest)))
    );
    assert!(world.verify(&key).verification.valid);

    // To where it is already: nothing changes, and that is recorded.
    let again = roll_back(&world, &key, 4).event.leaf;
    assert_eq!((again.kind, again.seq), (Kind::Rollback, 5));
    assert_eq!(
        [again.added, again.modified, again.deleted, again.unchanged],
        [Some(0), Some(0), Some(0), Some(2)]
    );
}

#[test]
fn the_state_after_an_event_that_left_none_is_the_one_before() {
    let (world, key) = world();
    let reader = world.reader(&key);
    let state = |seq| reader.recorded(seq).unwrap();
    assert!(state(0).policies.is_empty());
    assert_eq!(state(0).digest, PolicySet::default().digest());
    assert_eq!(state(2).policies, state(1).policies);
    assert_eq!(state(2).event.kind, Kind::KeyCreated);
    // Its time is that of the event that was asked for.
    assert!(state(1).time < state(2).time);
    assert_eq!(
        state(2).to_text().lines().nth(1),
        Some("exported_at: '2026-04-01T10:02:00.000Z'")
    );
}

/// Circuit breakers are set without an event, and so they are of no state.
#[test]
fn a_state_has_no_circuit_breakers() {
    let (world, key) = world();
    let before = world.reader(&key).recorded(3).unwrap().to_text();
    let breaker = Breaker {
        anomaly_type: "burst".to_owned(),
        score_threshold: Number::parse("70").unwrap(),
        response_level: "HALT".to_owned(),
    };
    set_breaker(&*world.store, &crate::common::local("dev"), &breaker).unwrap();
    let recorded = world.reader(&key).recorded(3).unwrap();
    assert_eq!(recorded.to_text(), before);
    assert!(before.ends_with("  entries: []\n"), "{before}");
    let manifest = recorded.manifest();
    assert_eq!(manifest.sha256(), sha256(before.as_bytes()));
    assert_eq!(manifest.policies(), &recorded.policies);
}

#[test]
fn what_the_log_does_not_have() {
    let (world, key) = world();
    let reader = world.reader(&key);
    for seq in [4, u64::MAX] {
        let expected = (
            Code::Usage,
            format!("the audit log of `dev` has no event `{seq}`"),
        );
        assert_eq!(refusal(reader.recorded(seq)), expected);
        assert_eq!(refusal(reader.plan_rollback(seq)), expected);
    }
}

#[test]
fn an_agent_key_opens_no_state() {
    let (world, _) = world();
    let agent = key_of(&world.create_key(KeyKind::Agent));
    let reader = Reader::open(&*world.store, &agent, KeyKind::Agent, None).unwrap();
    let refused = [
        refusal(reader.recorded(1)),
        refusal(reader.plan_rollback(1)),
        refusal(reader.history(None, 1)),
        refusal(reader.diff(&manifest(&[]), None)),
    ];
    for (code, message) in refused {
        assert_eq!(code, Code::InvalidServiceKey, "{message}");
    }
}

#[test]
fn a_dry_run_leaves_every_byte_as_it_is() {
    let (world, key) = world();
    let before = world.contents();
    let events = world.rows("SELECT seq, body FROM audit_event");
    let planned = planned(&world, &key, 1);
    planned.check(true).unwrap();
    assert_eq!(planned.view(true, None).summary.changes(), 3);
    assert_eq!(world.contents(), before);
    assert_eq!(world.rows("SELECT seq, body FROM audit_event"), events);
}

#[test]
fn the_guard_holds_a_rollback_as_it_holds_an_import() {
    let (world, key) = world();
    let planned = world.reader(&key).plan_rollback(0).unwrap();
    let error = import(&*world.store, &key, &planned, &world.ambient()).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (
            Code::DeactivationLimit,
            "this would deactivate all 2 active policies and leave none"
        )
    );
    assert_eq!(error.plan(), Some(&planned.view(false, None)));
    assert_eq!(world.rows("SELECT max(seq) FROM audit_event"), ["3"]);
    assert_eq!(roll_back(&world, &key, 0).event.leaf.deleted, Some(2));
}

#[test]
fn a_rollback_goes_through_once() {
    let (world, key) = world();
    let planned = planned(&world, &key, 1);
    import(&*world.store, &key, &planned, &world.ambient()).unwrap();
    let again = import(&*world.store, &key, &planned, &world.ambient());
    assert_eq!(refusal(again).0, Code::StateChanged);
}

#[test]
fn what_was_edited_is_no_state() {
    const EDITED: &str = "the audit log does not verify from event `1` on: ";
    const OTHER: &str = "are not those that the log recorded";
    const UNLOADED: &str = "do not load: ";
    // What someone edits, the event whose state is asked for, and what is said.
    let rows = [
        (
            "UPDATE policy_version SET approval_required = TRUE WHERE name = 'a'",
            1,
            OTHER,
        ),
        (
            "UPDATE policy_version SET active = FALSE WHERE name = 'a'",
            1,
            OTHER,
        ),
        ("UPDATE policy_version SET seq = 2", 1, OTHER),
        ("UPDATE policy_version SET seq = 0", 0, OTHER),
        ("DELETE FROM policy_version WHERE name = 'b'", 2, OTHER),
        ("UPDATE policy SET seq = 1 WHERE name = 'c'", 1, OTHER),
        (
            "UPDATE policy_version SET allowed_repos = '[1]'",
            1,
            UNLOADED,
        ),
        ("UPDATE policy_version SET conditions = ': -'", 1, UNLOADED),
        (
            "UPDATE audit_event SET body = replace(body, '\"added\":2', '\"added\":3') WHERE seq = 1",
            1,
            EDITED,
        ),
        // The state after event 2 is the one that event 1 left.
        (
            "UPDATE audit_event SET body = replace(body, '\"added\":2', '\"added\":3') WHERE seq = 1",
            2,
            EDITED,
        ),
        ("DELETE FROM audit_event WHERE seq = 1", 2, EDITED),
        // Another event is not a replacement.
        ("UPDATE audit_event SET seq = 9 WHERE seq = 1", 2, EDITED),
    ];
    for (sql, seq, words) in rows {
        let (world, key) = world();
        world.sql(sql);
        let before = world.contents();
        let reader = world.reader(&key);
        for (code, message) in [
            refusal(reader.recorded(seq)),
            refusal(reader.plan_rollback(seq)),
        ] {
            assert_eq!(code, Code::AuditTampered, "{sql}");
            assert!(message.contains(words), "{sql}: {message}");
        }
        assert_eq!(world.contents(), before, "{sql}");
    }
}

/// An event that was edited together with its leaf, and a version to match: only the tree knows.
#[test]
fn a_past_that_was_forged_with_care_is_no_state() {
    let (world, key) = world();
    let body = &world.rows("SELECT body FROM audit_event WHERE seq = 1")[0];
    let event: Value = serde_json::from_str(body).unwrap();
    let forged = manifest(&[("a", true), ("b", true)]).policies().digest();
    let body = body.replace(event["after"].as_str().unwrap(), &hex(&forged));
    let leaf = hex(&leaf_hash(body.as_bytes()));
    world.sql(&format!(
        "UPDATE audit_event SET body = '{body}', leaf = x'{leaf}' WHERE seq = 1;
         UPDATE policy_version SET approval_required = TRUE"
    ));
    for (code, message) in [
        refusal(world.reader(&key).recorded(1)),
        refusal(world.reader(&key).plan_rollback(1)),
    ] {
        assert_eq!(code, Code::AuditTampered);
        assert!(
            message.contains("the audit log does not verify from event `3` on"),
            "{message}"
        );
    }
}

/// A rollback does not hide that the policies are others than the log says.
#[test]
fn nothing_is_rolled_back_on_top_of_an_edit() {
    let (world, key) = world();
    world.sql("UPDATE policy SET approval_required = FALSE WHERE name = 'a'");
    let refused = import(
        &*world.store,
        &key,
        &planned(&world, &key, 1),
        &world.ambient(),
    );
    assert_eq!(
        refusal(refused),
        (
            Code::AuditTampered,
            "the active policies are not those that the audit log recorded last".to_owned()
        )
    );
    assert_eq!(world.rows("SELECT max(seq) FROM audit_event"), ["3"]);
}

#[test]
fn history_is_the_states_newest_first() {
    let (world, key) = world();
    roll_back(&world, &key, 1);
    world.create_key(KeyKind::Agent);
    let reader = world.reader(&key);
    let page = |before, limit| {
        let page = reader.history(before, limit).unwrap();
        let states = page.states.iter();
        let states: Vec<_> = states.map(|state| (state.event, state.current)).collect();
        (states, page.next_cursor)
    };
    let rows = [
        (None, 9, vec![(4, true), (3, false), (1, false)], None),
        (None, 3, vec![(4, true), (3, false), (1, false)], None),
        (None, 2, vec![(4, true), (3, false)], Some(3)),
        (Some(3), 2, vec![(1, false)], None),
        (Some(4), 1, vec![(3, false)], Some(3)),
        (Some(5), 1, vec![(4, true)], Some(4)),
        (Some(u64::MAX), 1, vec![(4, true)], Some(4)),
        (Some(1), 1, vec![], None),
        (Some(0), 1, vec![], None),
        (
            None,
            usize::MAX,
            vec![(4, true), (3, false), (1, false)],
            None,
        ),
    ];
    for (before, limit, states, next) in rows {
        assert_eq!(page(before, limit), (states, next), "{before:?} {limit}");
    }

    let state = reader.history(None, 1).unwrap().states.remove(0);
    let event = reader.event(4).unwrap().leaf;
    assert_eq!(
        state,
        view::RecordedState {
            event: 4,
            time: event.time,
            kind: Kind::Rollback,
            actor: event.actor,
            added: 1,
            modified: 1,
            deactivated: 1,
            unchanged: 0,
            state: event.after.unwrap(),
            manifest_sha256: event.manifest_sha256.unwrap(),
            rendered_sha256: None,
            replace: true,
            current: true,
        }
    );
    assert_eq!(hex(&reader.recorded(4).unwrap().digest), state.state);
}

#[test]
fn a_workspace_without_an_import_has_no_history() {
    let (world, key) = World::with_dev();
    let history = world.reader(&key).history(None, 10).unwrap();
    assert_eq!((history.states.len(), history.next_cursor), (0, None));
    world.sql("UPDATE audit_head SET root = zeroblob(32)");
    assert_eq!(
        refusal(world.reader(&key).history(None, 10)),
        (
            Code::AuditTampered,
            "the head of the audit log was not written by al".to_owned()
        )
    );
}

/// More events than are read at a time, with states far apart.
#[test]
fn a_state_is_found_however_many_events_follow() {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    for _ in 0..40 {
        world.create_key(KeyKind::Agent);
    }
    let reader = world.reader(&key);
    let history = reader.history(None, 10).unwrap();
    assert_eq!(history.states.len(), 1);
    assert!(history.states[0].current);
    for seq in [1, 15, 16, 17, 33, 41] {
        assert_eq!(reader.recorded(seq).unwrap().policies.len(), 1, "{seq}");
    }
    world.sql("DELETE FROM audit_event WHERE seq = 20");
    assert_eq!(
        refusal(world.reader(&key).recorded(41)).0,
        Code::AuditTampered
    );
}

/// What a policy of the generated manifests is: the last two mean the same and are written differently.
const BODIES: [(bool, Option<&str>); 4] = [
    (false, None),
    (true, None),
    (
        true,
        Some("{logic: all, rules: [{field: x, operator: eq, value: 1}]}"),
    ),
    (
        true,
        Some("logic: all\nrules:\n  - field: x\n    operator: eq\n    value: 1.0\n"),
    ),
];

/// Which policies there are, and which of [`BODIES`] each has.
type Policies = BTreeMap<String, usize>;

fn of(policies: &Policies) -> Manifest {
    let policy = |(name, body): (&String, &usize)| {
        let (approval, conditions) = BODIES[*body];
        json!({
            "name": name,
            "action_type": "db.write",
            "approval_required": approval,
            "allowed_repos": approval.then_some(["acme/*"]),
            "allowed_branches": null,
            "conditions": conditions,
        })
    };
    let policies: Vec<Value> = policies.iter().map(policy).collect();
    let document = json!({"manifest_version": "1.0", "policies": policies});
    Manifest::parse(document.to_string().as_bytes()).unwrap()
}

/// A manifest and how it is imported, or a key.
fn step() -> impl Strategy<Value = Option<(Policies, Mode)>> {
    let policies = prop::collection::btree_map("[a-e]", 0..BODIES.len(), 0..5);
    let mode = prop_oneof![Just(Mode::Additive), Just(Mode::Replace)];
    prop::option::weighted(0.8, (policies, mode))
}

/// What a workspace was after an event.
#[derive(Debug, Clone)]
struct Was {
    policies: PolicySet,
    /// Its export at the time of the event.
    export: String,
}

fn look(world: &World, key: &Key, policies: &Policies, seq: u64) -> Was {
    let time: Timestamp = world
        .reader(key)
        .event(seq)
        .unwrap()
        .leaf
        .time
        .parse()
        .unwrap();
    Was {
        policies: of(policies).policies().clone(),
        export: world.reader(key).export(time).unwrap(),
    }
}

/// Every recorded state is the one that was seen then.
fn check(world: &World, key: &Key, seen: &[Was]) {
    let reader = world.reader(key);
    for (seq, was) in (0..).zip(seen) {
        let recorded = reader.recorded(seq).unwrap();
        let digest: Hash = was.policies.digest();
        assert_eq!((recorded.event.seq, recorded.digest), (seq, digest));
        assert_eq!(recorded.policies, was.policies, "{seq}");
        assert_eq!(recorded.to_text(), was.export, "{seq}");
    }
    let verified = world.verify(key);
    assert_eq!(verified.reason, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_state_comes_back(steps in prop::collection::vec(step(), 1..8)) {
        let (world, key) = World::with_dev();
        let mut now = Policies::new();
        let mut model = vec![now.clone()];
        let mut seen = vec![look(&world, &key, &now, 0)];
        for step in steps {
            match step {
                None => drop(world.create_key(KeyKind::Agent)),
                Some((policies, mode)) => {
                    world.import(&key, &of(&policies), mode);
                    if mode == Mode::Replace {
                        now.clear();
                    }
                    now.extend(policies);
                }
            }
            model.push(now.clone());
            seen.push(look(&world, &key, &now, model.len() as u64 - 1));
        }
        check(&world, &key, &seen);

        // Back to each of them in turn, the last ones included that are states of rollbacks.
        for seq in 0..seen.len() {
            let rolled_back = roll_back(&world, &key, seq as u64).event.leaf;
            prop_assert_eq!(rolled_back.after, Some(hex(&seen[seq].policies.digest())));
            now = model[seq].clone();
            model.push(now.clone());
            seen.push(look(&world, &key, &now, model.len() as u64 - 1));
        }
        check(&world, &key, &seen);
    }
}
