//! Imports: what they write, and when they write nothing.

use crate::backend::Backend;
use crate::common::{Place, World, ambient, local, manifest, refusal};
use lattice_core::audit::{Kind, Names};
use lattice_core::hash::hex;
use lattice_core::view::{self, KeyKind, Mode, Status};
use lattice_core::{Action, Base, Breaker, Code, Guard, Manifest, Number, PolicySet};
use lattice_workspace::{
    Caller, Key, Reader, import, list_keys, revoke_key, set_breaker, show_workspace,
};

const POLICIES: &str = "SELECT name, active, seq, approval_required FROM policy ORDER BY name";

/// The names of an event: added, modified, deactivated.
fn names([added, modified, deactivated]: [&[&str]; 3]) -> Names {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Names {
        added: owned(added),
        deactivated: owned(deactivated),
        modified: owned(modified),
    }
}

/// The policies of a manifest, the mode of its import, the names that change, the number of those that do not, and
/// what is stored then.
type Step = (
    &'static [(&'static str, bool)],
    Mode,
    [&'static [&'static str]; 3],
    u64,
    &'static [&'static str],
);

#[test]
fn imports_write_what_they_say_and_keep_every_version() {
    let (world, key) = World::with_dev();
    let steps: [Step; 6] = [
        (
            &[("a", false), ("b", false)],
            Mode::Additive,
            [&["a", "b"], &[], &[]],
            0,
            &["a 1 1 0", "b 1 1 0"],
        ),
        (
            &[("b", true), ("c", true)],
            Mode::Additive,
            [&["c"], &["b"], &[]],
            0,
            &["a 1 1 0", "b 1 2 1", "c 1 2 1"],
        ),
        (
            &[("c", true)],
            Mode::Replace,
            [&[], &[], &["a", "b"]],
            1,
            &["a 0 3 0", "b 0 3 1", "c 1 2 1"],
        ),
        // Back as it was, and back as another.
        (
            &[("a", true), ("b", true)],
            Mode::Additive,
            [&["a", "b"], &[], &[]],
            0,
            &["a 1 4 1", "b 1 4 1", "c 1 2 1"],
        ),
        // Nothing to change is an event, too.
        (
            &[("a", true), ("b", true), ("c", true)],
            Mode::Replace,
            [&[], &[], &[]],
            3,
            &["a 1 4 1", "b 1 4 1", "c 1 2 1"],
        ),
        (
            &[],
            Mode::Replace,
            [&[], &[], &["a", "b", "c"]],
            0,
            &["a 0 6 1", "b 0 6 1", "c 0 6 1"],
        ),
    ];
    let count = u64::try_from(steps.len()).unwrap();
    for (seq, (policies, mode, changed, unchanged, stored)) in (1..).zip(steps) {
        let event = world.import(&key, &manifest(policies), mode).event;
        let expected = (seq, names(changed), Some(unchanged));
        assert_eq!(
            (event.leaf.seq, event.names, event.leaf.unchanged),
            expected
        );
        assert_eq!(world.rows(POLICIES), stored, "after event {seq}");
        assert_eq!(world.verify(&key).reason, None);
    }
    assert_eq!(
        world.rows(
            "SELECT name, seq, active, approval_required FROM policy_version
             UNION ALL SELECT name, seq, active, approval_required FROM policy ORDER BY name, seq"
        ),
        [
            "a 1 1 0", "a 3 0 0", "a 4 1 1", "a 6 0 1", "b 1 1 0", "b 2 1 1", "b 3 0 1", "b 4 1 1",
            "b 6 0 1", "c 2 1 1", "c 6 0 1",
        ]
    );
    let shown = show_workspace(&*world.store, &Caller::Key(key)).unwrap();
    assert_eq!((shown.revision, shown.policies), (count, 0));
}

#[test]
fn the_event_and_the_document_of_an_import() {
    let (world, key) = World::with_dev();
    let manifest = manifest(&[("a", false)]);
    let planned = world.plan(&key, &manifest, Mode::Replace);
    let empty = lattice_core::PolicySet::default().digest();
    assert_eq!(
        planned.base(),
        Base {
            revision: 0,
            digest: empty
        }
    );
    assert_eq!(planned.after(), manifest.policies().digest());

    let imported = import(&*world.store, &key, &planned, &world.ambient()).unwrap();
    let leaf = &imported.event.leaf;
    let actor = &list_keys(&*world.store, &local("dev")).unwrap().keys[0].id;
    assert_eq!(
        (
            &leaf.actor,
            &*leaf.time,
            leaf.replace,
            leaf.manifest_version.as_deref()
        ),
        (actor, "2026-04-01T10:01:00.000Z", Some(true), Some("1.0"))
    );
    assert_eq!(
        [&leaf.before, &leaf.after, &leaf.manifest_sha256].map(Clone::clone),
        [empty, manifest.policies().digest(), manifest.sha256()].map(|hash| Some(hex(&hash)))
    );
    assert_eq!(world.reader(&key).event(1).unwrap(), imported.event);

    let planned = planned.in_file(Some("a.yaml"));
    let document = planned.view(false, Some(&imported));
    assert_eq!(
        document.manifest,
        view::ManifestRef::new(Some("a.yaml"), &manifest)
    );
    assert_eq!(
        (
            document.workspace.as_ref(),
            document.applied,
            document.dry_run,
            document.mode
        ),
        (Some(planned.workspace()), true, false, Mode::Replace)
    );
    assert_eq!(document.event, Some(imported.event));
    assert_eq!(document.checkpoint, Some(imported.checkpoint.to_string()));
    let preview = planned.view(true, None);
    assert_eq!(
        (
            preview.applied,
            preview.dry_run,
            preview.event,
            preview.checkpoint
        ),
        (false, true, None, None)
    );
    assert_eq!(preview.changes, document.changes);
}

#[test]
fn an_unchanged_policy_keeps_its_text() {
    let (world, key) = World::with_dev();
    let text = |conditions: &str| {
        let text = format!(
            "manifest_version: '1.0'\npolicies:\n  - name: a\n    action_type: x\n    approval_required: false\n    \
             allowed_repos: null\n    allowed_branches: null\n    conditions: |\n      {conditions}\n"
        );
        Manifest::parse(text.as_bytes()).unwrap()
    };
    let first = text("{logic: all, rules: [{field: a, operator: neq, value: 1}]} # why");
    let second = text("{rules: [{operator: ne, field: a, value: 1.0}], logic: all}");
    world.import(&key, &first, Mode::Additive);
    let imported = world.import(&key, &second, Mode::Replace);
    assert_eq!(imported.event.names, Names::default());
    assert_eq!(imported.event.leaf.unchanged, Some(1));
    assert_eq!(
        world.rows("SELECT conditions FROM policy"),
        ["{logic: all, rules: [{field: a, operator: neq, value: 1}]} # why\n"]
    );
}

#[test]
fn an_export_imports_as_unchanged_wherever_it_came_from() {
    let (world, dev) = World::with_dev();
    let staging = world.create("staging");
    let text = "manifest_version: '1.0'
policies:
  - name: \"é \\\"quoted\\\" \u{1f600}\"
    action_type: deploy.*
    approval_required: true
    approval_timeout_hours: 24
    allowed_repos: []
    allowed_branches: ['release/**', main, \"tab\\there\"]
    conditions: \"logic: all\\r\\nrules:\\r\\n  - {field: a, operator: eq, value: \\\"\\\\0\\\"}\"
";
    let breaker = Breaker::new("rapid", Number::from(70_i64), "HALT").unwrap();
    set_breaker(&*world.store, &local("dev"), &breaker).unwrap();
    world.import(
        &dev,
        &Manifest::parse(text.as_bytes()).unwrap(),
        Mode::Additive,
    );

    let exported = world.export(&dev);
    assert!(exported.contains("anomaly_type: rapid"), "{exported}");
    let parsed = Manifest::parse(exported.as_bytes()).unwrap();
    assert!(world.plan(&dev, &parsed, Mode::Replace).plan().is_empty());
    world.import(&staging, &parsed, Mode::Replace);
    let staged = Manifest::parse(world.export(&staging).as_bytes()).unwrap();
    assert_eq!(staged.policies(), parsed.policies());
    assert_eq!(staged.breakers(), []);
}

#[test]
fn reading_changes_no_byte_of_the_store() {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    let before = world.contents();
    let reader = world.reader(&key);
    let planned = reader
        .plan(&manifest(&[("b", true)]), Mode::Replace)
        .unwrap();
    assert!(!planned.plan().is_empty());
    reader.export(jiff::Timestamp::UNIX_EPOCH).unwrap();
    reader.verify(&[], &[], true).unwrap();
    drop(reader);
    assert_eq!(world.contents(), before);
    assert_eq!(world.rows("SELECT count(*) FROM audit_event"), ["2"]);
}

/// Everything that an import may change.
fn contents(world: &World) -> Vec<String> {
    let tables = [
        "workspace",
        "policy",
        "policy_version",
        "audit_event",
        "audit_head",
    ];
    tables
        .iter()
        .flat_map(|table| world.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2")))
        .collect()
}

#[test]
fn of_two_plans_on_one_state_the_second_is_refused_and_writes_nothing() {
    let (world, key) = World::with_dev();
    let (first, second) = (manifest(&[("a", false)]), manifest(&[("b", false)]));
    let planned = [&first, &second].map(|manifest| world.plan(&key, manifest, Mode::Additive));
    import(&*world.store, &key, &planned[0], &world.ambient()).unwrap();
    let before = contents(&world);
    let refused = import(&*world.store, &key, &planned[1], &world.ambient());
    assert_eq!(
        refusal(refused),
        (
            Code::StateChanged,
            "the workspace `dev` changed after the plan was made: revision 1, planned on 0"
                .to_owned()
        )
    );
    assert_eq!(contents(&world), before);
    // It is safe to run again.
    world.import(&key, &second, Mode::Additive);
    assert_eq!(world.rows(POLICIES), ["a 1 1 0", "b 1 2 0"]);
}

/// Keys and breakers are not what a plan is about.
#[test]
fn a_plan_survives_what_changes_no_policy() {
    let (world, key) = World::with_dev();
    let manifest = manifest(&[("a", false)]);
    let planned = world.plan(&key, &manifest, Mode::Additive);
    world.create_key(KeyKind::Agent);
    let breaker = Breaker::new("rapid", Number::from(70_i64), "HALT").unwrap();
    set_breaker(&*world.store, &local("dev"), &breaker).unwrap();
    let imported = import(&*world.store, &key, &planned, &world.ambient()).unwrap();
    assert_eq!(imported.event.leaf.seq, 2);
    assert_eq!(world.verify(&key).reason, None);
}

#[test]
fn a_plan_is_for_its_workspace_and_a_key_that_still_opens() {
    let (world, key) = World::with_dev();
    let staging = world.create("staging");
    let planned = world.plan(&key, &manifest(&[("a", false)]), Mode::Additive);
    let created = world.create_key(KeyKind::Service);
    let revoked = Key::parse(&created.key).unwrap();
    revoke_key(&*world.store, &local("dev"), &created.id, &world.ambient()).unwrap();

    let before = contents(&world);
    let rows = [
        (
            &staging,
            Code::WorkspaceMismatch,
            "the plan is for the workspace `dev`, and the key opens `staging`".to_owned(),
        ),
        (
            &revoked,
            Code::InvalidServiceKey,
            format!(
                "the key `{}` was revoked at 2026-04-01T10:03:00.000Z",
                created.id
            ),
        ),
    ];
    for (key, code, message) in rows {
        let refused = import(&*world.store, key, &planned, &world.ambient());
        assert_eq!(refusal(refused), (code, message));
        assert_eq!(contents(&world), before);
    }
}

#[test]
fn an_import_that_fails_at_any_write_leaves_no_trace() {
    let writes = [
        "UPDATE ON workspace",
        "INSERT ON policy",
        "UPDATE ON policy",
        "INSERT ON policy_version",
        "INSERT ON audit_event",
        "UPDATE ON audit_head",
    ];
    for write in writes {
        let (world, key) = World::with_dev();
        world.import(
            &key,
            &manifest(&[("a", false), ("b", false)]),
            Mode::Additive,
        );
        world.place.fail_on(write);
        let before = contents(&world);
        let next = manifest(&[("a", true), ("c", false)]);
        let planned = world.plan(&key, &next, Mode::Replace);
        let refused = import(&*world.store, &key, &planned, &world.ambient());
        let (code, message) = refusal(refused);
        assert_eq!(code, Code::StoreUnavailable, "{write}");
        assert!(message.contains("` failed: on fire"), "{write}: {message}");
        assert_eq!(contents(&world), before, "{write}");
        assert_eq!(
            world.plan(&key, &next, Mode::Replace).base(),
            planned.base(),
            "{write}"
        );
        assert_eq!(world.verify(&key).reason, None, "{write}");
    }
}

#[test]
fn imports_at_once_are_one_after_the_other() {
    const THREADS: u64 = 4;
    const IMPORTS: u64 = 5;
    let (world, key) = World::with_dev();
    let (place, key) = (&world.place, &key);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let store = place.location().open();
                for n in 0..IMPORTS {
                    let name = format!("p{thread}-{n}");
                    let manifest = manifest(&[(&name, false)]);
                    loop {
                        let reader = Reader::open(&*store, key, KeyKind::Service, None).unwrap();
                        let planned = reader.plan(&manifest, Mode::Additive).unwrap();
                        match import(&*store, key, &planned, &ambient(9)) {
                            Ok(_) => break,
                            Err(error) => assert_eq!(error.code(), Code::StateChanged, "{error}"),
                        }
                    }
                }
            });
        }
    });
    let shown = show_workspace(&*world.store, &local("dev")).unwrap();
    assert_eq!(
        (shown.revision, shown.policies),
        (THREADS * IMPORTS, THREADS * IMPORTS)
    );
    let verified = world.verify(key);
    assert_eq!(
        (verified.verification.size, verified.reason),
        (THREADS * IMPORTS + 1, None)
    );
}

#[test]
fn a_reader_keeps_its_snapshot_while_others_import() {
    let (world, key) = World::with_dev();
    let reader = world.reader(&key);
    let before = reader.export(jiff::Timestamp::UNIX_EPOCH).unwrap();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    assert_eq!(reader.export(jiff::Timestamp::UNIX_EPOCH).unwrap(), before);
    assert_eq!(reader.events(None, 9).unwrap().events.len(), 1);
    assert_ne!(world.export(&key), before);
}

#[test]
fn a_stored_policy_that_does_not_load_is_refused() {
    let rows = [
        (
            "UPDATE policy SET conditions = 'logic: sometimes' WHERE name = 'b'",
            "the policy `b` of the workspace `dev` does not load: ",
        ),
        (
            "UPDATE policy SET allowed_branches = '[1]' WHERE name = 'b'",
            "holds what this version of al cannot read: an allow-list of the policy `b`",
        ),
        (
            "UPDATE policy SET approval_timeout_hours = -1 WHERE name = 'b'",
            "holds what this version of al cannot read",
        ),
        (
            "UPDATE policy SET action_type = CAST(x'ff' AS TEXT) WHERE name = 'b'",
            "holds what this version of al cannot read",
        ),
    ];
    let possible = |(sql, _): &(&str, _)| !(Backend::TEXT_IS_UTF8 && sql.contains("x'ff'"));
    for (sql, words) in rows.into_iter().filter(possible) {
        let (world, key) = World::with_dev();
        world.import(
            &key,
            &manifest(&[("a", false), ("b", false)]),
            Mode::Additive,
        );
        world.sql(sql);
        let reader = world.reader(&key);
        for refused in [
            refusal(reader.export(jiff::Timestamp::UNIX_EPOCH)),
            refusal(reader.plan(&manifest(&[]), Mode::Additive)),
        ] {
            assert_eq!(refused.0, Code::StoreUnavailable);
            assert!(refused.1.contains(words), "{}", refused.1);
        }
    }
}

#[test]
fn an_agent_key_opens_decisions() {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    let agent = world.create_key(KeyKind::Agent);
    let agent = Key::parse(&agent.key).unwrap();
    let reader = Reader::open(&*world.store, &agent, KeyKind::Agent, None).unwrap();
    let rows = [
        (
            r#"{"action_type": "deploy.a", "metadata": {"branch": "main"}}"#,
            Status::Executed,
        ),
        (r#"{"action_type": "deploy.a"}"#, Status::Denied),
        (r#"{"action_type": "deploy.b"}"#, Status::PolicyNotFound),
    ];
    for (action, status) in rows {
        let action = Action::parse(action.as_bytes()).unwrap();
        assert_eq!(reader.decide(&action).unwrap().status, status);
    }
    assert_eq!(
        refusal(reader.plan(&manifest(&[]), Mode::Additive)).0,
        Code::InvalidServiceKey
    );
}

/// So many policies that they are hashed while others are still read.
#[test]
fn large_imports_lead_where_they_say() {
    let (world, key) = World::with_dev();
    let names: Vec<_> = (0..5_000).map(|number| format!("p{number:04}")).collect();
    let some = |left_out: usize, approved: usize| {
        let numbered = names.iter().enumerate();
        let left = numbered.filter(|(at, _)| at % 100 != left_out);
        let policies: Vec<_> = left
            .map(|(at, name)| (name.as_str(), at % 100 == approved))
            .collect();
        manifest(&policies)
    };
    let steps = [
        (some(1, 2), Mode::Replace),
        (some(2, 3), Mode::Replace),
        (some(2, 3), Mode::Replace),
        (some(2, 3), Mode::Additive),
        (some(4, 3), Mode::Additive),
        (manifest(&[("o", true), ("q", true)]), Mode::Replace),
        (some(1, 2), Mode::Additive),
    ];
    let mut before = PolicySet::default().digest();
    for (step, (desired, mode)) in steps.iter().enumerate() {
        let planned = world.plan(&key, desired, *mode);
        world.import(&key, desired, *mode);
        let stored = Manifest::parse(world.export(&key).as_bytes()).unwrap();
        let after = stored.policies().digest();
        assert_eq!(
            (planned.base().digest, planned.after()),
            (before, after),
            "{step}"
        );
        before = after;
    }
    assert!(world.verify(&key).verification.valid);
}

/// The guard stands in front of every write, and what it holds shows its plan.
#[test]
fn deactivations_are_held() {
    let (world, key) = World::with_dev();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let all: Vec<_> = names.iter().map(|name| (*name, false)).collect();
    world.import(&key, &manifest(&all), Mode::Additive);
    // What is left, the guard, and the refusal.
    let allowing = |n| Guard::new(None, Some(n)).unwrap();
    let rows: [(usize, Guard, Option<&str>); 7] = [
        (
            7,
            Guard::default(),
            Some("this would deactivate 5 of 12 active policies: 41.7 %, more than 30 %"),
        ),
        (
            7,
            allowing(4),
            Some(
                "this would deactivate 5 of 12 active policies: 41.7 %, more than 30 %; 4 were allowed",
            ),
        ),
        (
            0,
            Guard::default(),
            Some("this would deactivate all 12 active policies and leave none"),
        ),
        (9, Guard::default(), None),
        (4, allowing(5), None),
        (
            0,
            Guard::default(),
            Some("this would deactivate all 4 active policies and leave none"),
        ),
        (0, allowing(4), None),
    ];
    for (left, guard, refusal) in rows {
        let planned = world
            .reader(&key)
            .plan(&manifest(&all[..left]), Mode::Replace);
        let planned = planned.unwrap().with_guard(guard);
        let (bytes, events) = (
            world.contents(),
            world.rows("SELECT count(*) FROM audit_event"),
        );
        let imported = import(&*world.store, &key, &planned, &world.ambient());
        let Some(message) = refusal else {
            assert_eq!(imported.unwrap().event.leaf.kind, Kind::Import);
            continue;
        };
        let error = imported.unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (Code::DeactivationLimit, message)
        );
        assert_eq!(error.plan(), Some(&planned.view(false, None)));
        assert_eq!(world.contents(), bytes);
        assert_eq!(world.rows("SELECT count(*) FROM audit_event"), events);
        let previewed = planned.check(true).unwrap_err();
        assert_eq!(previewed.plan(), Some(&planned.view(true, None)));
    }
}
