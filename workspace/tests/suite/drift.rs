//! Which side of a comparison changed since the two were last together.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use crate::common::{World, manifest};
use lattice_core::Manifest;
use lattice_core::hash::hex;
use lattice_core::view::{ChangeAction, Drift, KeyKind, Mode, Plan};
use lattice_workspace::{Key, import};

const NOTE: &str = "which side changed cannot be told: ";

/// A manifest with the policies that are named; those in upper case ask for approval.
fn of(names: &str) -> Manifest {
    let lower: Vec<_> = names
        .chars()
        .map(|c| c.to_lowercase().to_string())
        .collect();
    let policies: Vec<_> = lower
        .iter()
        .zip(names.chars())
        .map(|(name, written)| (name.as_str(), written.is_uppercase()))
        .collect();
    manifest(&policies)
}

fn diff(world: &World, key: &Key, manifest: &Manifest) -> Plan {
    world.reader(key).diff(manifest, Some("m.yaml")).unwrap()
}

fn drift(since: u64, [workspace, manifest, both]: [&[&str]; 3]) -> Drift {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Drift {
        since,
        workspace: owned(workspace),
        manifest: owned(manifest),
        both: owned(both),
    }
}

#[test]
fn each_change_has_its_side() {
    // What was imported, one after the other, which manifest is compared, and what comes of it.
    type Row = (&'static [&'static str], &'static str, Option<Drift>);
    let rows: [Row; 12] = [
        (&[], "a", None),
        (&["ab"], "ab", Some(drift(1, [&[], &[], &[]]))),
        (&["ab"], "Ac", Some(drift(1, [&[], &["a", "b", "c"], &[]]))),
        // The very manifest that was imported first, and others since.
        (&["ab", "aC"], "ab", Some(drift(1, [&["b", "c"], &[], &[]]))),
        // The last of several times.
        (&["ab", "aC", "ab"], "ab", Some(drift(3, [&[], &[], &[]]))),
        (
            &["ab", "aC", "ab", "Ab"],
            "ab",
            Some(drift(3, [&["a"], &[], &[]])),
        ),
        // A manifest that was never imported counts from the last one that was.
        (
            &["ab", "aC"],
            "aBc",
            Some(drift(2, [&[], &["b", "c"], &[]])),
        ),
        (&["", "a"], "", Some(drift(1, [&["a"], &[], &[]]))),
        // Policies that were deactivated are gone, whichever manifest did so.
        (
            &["abc", "a"],
            "abc",
            Some(drift(1, [&["b", "c"], &[], &[]])),
        ),
        (&["abc", "a"], "ab", Some(drift(2, [&[], &["b"], &[]]))),
        // Alike on both sides is no difference.
        (&["ab", "AB"], "AB", Some(drift(2, [&[], &[], &[]]))),
        (&["a", "A"], "A", Some(drift(2, [&[], &[], &[]]))),
    ];
    for (imported, compared, expected) in rows {
        let (world, key) = World::with_dev();
        for names in imported {
            world.import(&key, &of(names), Mode::Replace);
        }
        let plan = diff(&world, &key, &of(compared));
        assert_eq!(plan.drift, expected, "{imported:?} {compared}");
        assert!(plan.notes.iter().all(|note| !note.starts_with(NOTE)));
        assert_eq!(plan.manifest.file.as_deref(), Some("m.yaml"));
    }
}

/// What an additive import left alone was never in its manifest: nobody changed it.
#[test]
fn what_was_never_in_the_manifest_is_no_drift() {
    let (world, key) = World::with_dev();
    world.import(&key, &of("x"), Mode::Replace);
    world.import(&key, &of("ab"), Mode::Additive);
    let same = diff(&world, &key, &of("ab"));
    assert_eq!(
        (same.summary.deactivated, same.drift),
        (1, Some(drift(2, [&[], &[], &[]])))
    );
    let changed = diff(&world, &key, &of("Ab"));
    assert_eq!(changed.drift, Some(drift(2, [&[], &["a"], &[]])));
    world.import(&key, &of("X"), Mode::Additive);
    let moved = diff(&world, &key, &of("ab"));
    assert_eq!(moved.drift, Some(drift(2, [&["x"], &[], &[]])));
}

/// After a rollback the workspace differs from the manifest that was imported last, because the workspace changed; and
/// from the manifest of the state that it went back to not at all.
#[test]
fn a_rollback_moves_the_workspace() {
    let (world, key) = World::with_dev();
    world.import(&key, &of("ab"), Mode::Replace);
    world.import(&key, &of("Abc"), Mode::Replace);
    let planned = world.reader(&key).plan_rollback(1).unwrap();
    import(&*world.store, &key, &planned, &world.ambient()).unwrap();

    let imported_last = diff(&world, &key, &of("Abc"));
    assert_eq!(imported_last.drift, Some(drift(2, [&["a", "c"], &[], &[]])));
    // `c` is gone from both sides: no difference.
    let elsewhere = diff(&world, &key, &of("ABd"));
    let expected = drift(2, [&["a"], &["b", "d"], &[]]);
    assert_eq!(elsewhere.drift, Some(expected));
    let text = world.reader(&key).recorded(1).unwrap().to_text();
    let restored = diff(&world, &key, &Manifest::parse(text.as_bytes()).unwrap());
    assert_eq!(restored.drift, Some(drift(3, [&[], &[], &[]])));
}

#[test]
fn both_sides_can_have_changed_a_policy() {
    let hours = |hours: u16| {
        let text = format!(
            "manifest_version: '1.0'\npolicies:\n  - {{name: a, action_type: b, approval_required: true, \
             approval_timeout_hours: {hours}, allowed_repos: null, allowed_branches: null, conditions: null}}\n"
        );
        Manifest::parse(text.as_bytes()).unwrap()
    };
    let (world, key) = World::with_dev();
    world.import(&key, &hours(1), Mode::Replace);
    world.import(&key, &hours(2), Mode::Replace);
    let planned = world.reader(&key).plan_rollback(1).unwrap();
    import(&*world.store, &key, &planned, &world.ambient()).unwrap();
    let plan = diff(&world, &key, &hours(3));
    assert_eq!(plan.drift, Some(drift(2, [&[], &[], &["a"]])));
    let removed = diff(&world, &key, &of(""));
    assert_eq!(removed.drift, Some(drift(2, [&[], &[], &["a"]])));
}

/// The import is many events ago, none of which left a state.
#[test]
fn the_import_is_found_however_many_events_follow() {
    let (world, key) = World::with_dev();
    world.import(&key, &of("ab"), Mode::Replace);
    for _ in 0..40 {
        world.create_key(KeyKind::Agent);
    }
    world.import(&key, &of("abc"), Mode::Replace);
    for _ in 0..20 {
        world.create_key(KeyKind::Agent);
    }
    let plan = diff(&world, &key, &of("ab"));
    assert_eq!(plan.drift, Some(drift(1, [&["c"], &[], &[]])));
}

#[test]
fn a_log_that_cannot_tell_is_said_to() {
    let current = "the active policies are not those that the audit log recorded last";
    let kept = "the policies that the store kept of the state after event `1` ";
    let rows = [
        (
            "UPDATE policy SET approval_required = NOT approval_required WHERE name = 'a'",
            current,
        ),
        ("UPDATE policy SET active = FALSE WHERE name = 'a'", current),
        (
            "UPDATE policy_version SET approval_required = TRUE WHERE name = 'b'",
            kept,
        ),
        ("DELETE FROM policy_version", kept),
        ("UPDATE policy_version SET conditions = ': -'", kept),
        (
            "UPDATE audit_event SET body = replace(body, 'import', 'rollback') WHERE seq = 2",
            "the audit event `2` was edited",
        ),
        ("DELETE FROM audit_event WHERE seq = 2", ""),
        ("UPDATE audit_head SET root = zeroblob(32)", ""),
    ];
    for (sql, reason) in rows {
        let (world, key) = World::with_dev();
        world.import(&key, &of("ab"), Mode::Replace);
        world.import(&key, &of("aBc"), Mode::Replace);
        world.sql(sql);
        let plan = diff(&world, &key, &of("ab"));
        assert_eq!(plan.drift, None, "{sql}");
        let note = plan.notes.last().and_then(|note| note.strip_prefix(NOTE));
        assert!(
            note.is_some_and(|note| note.starts_with(reason)),
            "{sql}: {note:?}"
        );
    }
}

#[test]
fn a_difference_is_what_a_replacing_import_would_do() {
    let (world, key) = World::with_dev();
    world.import(&key, &of("ab"), Mode::Replace);
    let desired = of("Bc");
    let mut plan = diff(&world, &key, &desired);
    assert_eq!((plan.mode, plan.dry_run), (Mode::Replace, true));
    assert_eq!(plan.manifest.sha256, hex(&desired.sha256()));
    let gone = plan
        .changes
        .iter()
        .filter(|change| change.action == ChangeAction::Deactivate);
    assert_eq!(gone.count(), 1);
    plan.drift = None;
    let planned = world
        .plan(&key, &desired, Mode::Replace)
        .in_file(Some("m.yaml"));
    assert_eq!(plan, planned.view(true, None));
}
