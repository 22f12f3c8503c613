//! Saved plans: what is applied is what was reviewed, once, where it was planned; else nothing is written.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use crate::common::{World, local, manifest, manifest_text, refusal};
use lattice_core::hash::{hex, sha256};
use lattice_core::view::{self, KeyKind, Mode};
use lattice_core::{Bundle, Code, Error, Guard, Manifest, NamedText, SavedPlan};
use lattice_workspace::{Imported, Key, Planned, Reader, import};
use serde_json::{Value, json};

/// What is there before, and what the plans want: one added, one modified, one gone where that is asked for.
const BEFORE: &[(&str, bool)] = &[("a", false), ("b", false), ("c", false)];
const WANTED: &[(&str, bool)] = &[("a", true), ("b", false), ("d", false)];

fn world() -> (World, Key) {
    let (world, key) = World::with_dev();
    world.import(&key, &manifest(BEFORE), Mode::Additive);
    (world, key)
}

fn named(file: &str, text: impl Into<Vec<u8>>) -> NamedText {
    NamedText {
        file: Some(file.to_owned()),
        bytes: text.into(),
    }
}

fn bundle(text: &str) -> Bundle {
    Bundle::of(named("wanted.yaml", text))
}

fn plan(world: &World, key: &Key, text: &str, mode: Mode) -> Planned {
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    let planned = world.reader(key).plan(&manifest, mode).unwrap();
    planned.in_file(Some("wanted.yaml"))
}

fn save(world: &World, key: &Key, mode: Mode) -> SavedPlan {
    let text = manifest_text(WANTED);
    let saved = plan(world, key, &text, mode).save(bundle(&text)).unwrap();
    // It is the file that is kept.
    SavedPlan::parse(saved.text().as_bytes()).unwrap()
}

fn apply(world: &World, key: &Key, saved: &SavedPlan) -> Result<(Planned, Imported), Error> {
    let planned = world.reader(key).resume(saved)?;
    let imported = import(&*world.store, key, &planned, &world.ambient())?;
    Ok((planned, imported))
}

/// Everything that the store holds.
fn contents(world: &World) -> (Vec<u8>, Vec<String>) {
    let tables = [
        "workspace",
        "policy",
        "policy_version",
        "audit_event",
        "audit_head",
    ];
    let rows = tables
        .iter()
        .flat_map(|table| world.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2")));
    let rows = rows.collect();
    (world.contents(), rows)
}

/// The refusal of a plan, which changes nothing.
fn refused(world: &World, key: &Key, saved: &SavedPlan) -> (Code, String) {
    let before = contents(world);
    let refused = refusal(apply(world, key, saved));
    assert_eq!(contents(world), before, "{}", refused.1);
    refused
}

#[test]
fn what_is_applied_is_what_was_reviewed() {
    for mode in [Mode::Additive, Mode::Replace] {
        let (world, key) = world();
        let saved = save(&world, &key, mode);
        let (planned, imported) = apply(&world, &key, &saved).unwrap();
        let applied = planned.view(false, Some(&imported));
        assert_eq!(
            applied,
            view::Plan {
                dry_run: false,
                applied: true,
                event: Some(imported.event.clone()),
                checkpoint: Some(imported.checkpoint.to_string()),
                ..saved.view().clone()
            }
        );
        let leaf = imported.event.leaf;
        assert_eq!(leaf.after, Some(hex(&saved.after())));
        assert_eq!(leaf.before, Some(hex(&saved.base().digest)));
        assert_eq!(
            leaf.manifest_sha256,
            Some(saved.view().manifest.sha256.clone())
        );
        assert_eq!(leaf.replace, Some(mode == Mode::Replace));
        let stored = Manifest::parse(world.export(&key).as_bytes()).unwrap();
        assert_eq!(stored.policies().digest(), saved.after());
        assert_eq!(world.verify(&key).reason, None);
    }
}

#[test]
fn a_plan_goes_through_once() {
    let (world, key) = world();
    let saved = save(&world, &key, Mode::Replace);
    apply(&world, &key, &saved).unwrap();
    let stale = (
        Code::StalePlan,
        "the workspace `dev` changed after the plan was made: revision 2, planned on 1".to_owned(),
    );
    assert_eq!(refused(&world, &key, &saved), stale);
    // The same policies again are another revision.
    world.import(&key, &manifest(BEFORE), Mode::Replace);
    assert_eq!(
        world
            .reader(&key)
            .plan(&manifest(WANTED), Mode::Replace)
            .unwrap()
            .base()
            .digest,
        saved.base().digest
    );
    assert_eq!(refused(&world, &key, &saved).0, Code::StalePlan);
}

#[test]
fn a_plan_is_for_the_state_that_it_was_made_on() {
    let (world, key) = world();
    let saved = save(&world, &key, Mode::Additive);
    // What changes no policy is no reason to plan again.
    world.create_key(KeyKind::Agent);
    world.reader(&key).resume(&saved).unwrap();
    world.import(&key, &manifest(&[("z", false)]), Mode::Additive);
    assert_eq!(
        refused(&world, &key, &saved),
        (
            Code::StalePlan,
            "the workspace `dev` changed after the plan was made: revision 2, planned on 1"
                .to_owned()
        )
    );

    let (world, key) = self::world();
    let saved = save(&world, &key, Mode::Additive);
    world.sql("UPDATE policy SET approval_required = TRUE WHERE name = 'b'");
    let words = "the policies of the workspace `dev` are not those that the plan was made on, and no import changed them";
    assert_eq!(
        refused(&world, &key, &saved),
        (Code::StalePlan, words.to_owned())
    );
}

#[test]
fn another_import_between_planning_again_and_writing() {
    let (world, key) = world();
    let saved = save(&world, &key, Mode::Additive);
    let planned = world.reader(&key).resume(&saved).unwrap();
    world.import(&key, &manifest(&[("z", false)]), Mode::Additive);
    let before = contents(&world).1;
    let late = import(&*world.store, &key, &planned, &world.ambient());
    assert_eq!(
        refusal(late),
        (
            Code::StalePlan,
            "the workspace `dev` changed after the plan was made: revision 2, planned on 1"
                .to_owned()
        )
    );
    assert_eq!(contents(&world).1, before);
}

#[test]
fn a_plan_is_for_its_workspace() {
    let (world, dev) = world();
    let staging = world.create("staging");
    let saved = save(&world, &dev, Mode::Additive);
    assert_eq!(
        refused(&world, &staging, &saved),
        (
            Code::WorkspaceMismatch,
            "the plan is for the workspace `dev`, and the key opens `staging`".to_owned()
        )
    );
    // Another store, in which a workspace has the same name. The seeds of its ids are later ones.
    let other = World::new();
    for _ in 0..9 {
        other.ambient();
    }
    let key = other.create("dev");
    let ids = [&saved.workspace().id, &other.reader(&key).workspace().id];
    let words = format!(
        "the plan is for another workspace of the name `dev`: {}, and the key opens {}",
        ids[0], ids[1]
    );
    assert_eq!(
        refused(&other, &key, &saved),
        (Code::WorkspaceMismatch, words)
    );
}

#[test]
fn an_agent_key_takes_up_no_plan() {
    let (world, key) = world();
    let saved = save(&world, &key, Mode::Additive);
    let agent = Key::parse(&world.create_key(KeyKind::Agent).key).unwrap();
    let reader = Reader::open(&*world.store, &agent, KeyKind::Agent, None).unwrap();
    assert_eq!(refusal(reader.resume(&saved)).0, Code::InvalidServiceKey);
}

type Edit = fn(&mut view::SavedPlan);

/// What a forger changes, with digests that fit.
#[test]
fn a_plan_that_does_not_come_out_again_is_refused() {
    let other = |plan: &mut view::SavedPlan, text: String| {
        plan.manifests[0].sha256 = hex(&sha256(text.as_bytes()));
        plan.manifests[0].text = text;
    };
    let (world, key) = world();
    let saved = save(&world, &key, Mode::Additive);
    let different = "the plan is not what comes of its manifest and the workspace";
    let rows: [(Edit, &str); 9] = [
        (|plan| plan.after = hex(&[0; 32]), different),
        (|plan| plan.plan.mode = Mode::Replace, different),
        (|plan| plan.plan.summary.added = 2, different),
        (|plan| plan.plan.changes.truncate(1), different),
        (
            |plan| plan.plan.notes.push("all is well".to_owned()),
            different,
        ),
        (|plan| plan.plan.manifest.sha256 = hex(&[0; 32]), different),
        (
            |plan| {
                let workspace = plan.plan.workspace.as_mut().unwrap();
                workspace.name = "elsewhere".to_owned();
            },
            different,
        ),
        (
            |plan| {
                let field = &mut plan.plan.changes[0].fields[0];
                field.after = lattice_core::Value::Null;
            },
            different,
        ),
        (
            |plan| plan.manifests.push(plan.manifests[0].clone()),
            "the manifest in the plan is not valid: ",
        ),
    ];
    for (edit, expected) in rows {
        let (code, message) = refused(&world, &key, &forge(&saved, edit));
        assert_eq!(code, Code::InvalidPlan);
        assert!(message.starts_with(expected), "{message}");
    }
    for (text, expected) in [
        (manifest_text(&[("z", false)]), different),
        (format!("{}# why\n", manifest_text(WANTED)), different),
        (
            "policies: 3\n".to_owned(),
            "the manifest in the plan is not valid: missing field `manifest_version`",
        ),
    ] {
        let mut document: view::SavedPlan = serde_json::from_str(saved.text()).unwrap();
        other(&mut document, text);
        let forged = sealed(&document);
        let (code, message) = refused(&world, &key, &forged);
        assert_eq!((code, &*message), (Code::InvalidPlan, expected));
    }
    // The numbers of the base are looked at first.
    let later = forge(&saved, |plan| plan.base.revision = 9);
    assert_eq!(refused(&world, &key, &later).0, Code::StalePlan);
    // What was not changed still goes through.
    apply(&world, &key, &forge(&saved, |_| ())).unwrap();
}

fn forge(saved: &SavedPlan, edit: Edit) -> SavedPlan {
    let mut document: view::SavedPlan = serde_json::from_str(saved.text()).unwrap();
    edit(&mut document);
    sealed(&document)
}

fn sealed(document: &view::SavedPlan) -> SavedPlan {
    let text = serde_json::to_string_pretty(document).unwrap();
    let (body, _) = text.rsplit_once("  \"sha256\"").unwrap();
    let digest = hex(&sha256(body.as_bytes()));
    let text = format!("{body}  \"sha256\": \"{digest}\"\n}}\n");
    SavedPlan::parse(text.as_bytes()).unwrap()
}

/// An exact allowance is reviewed with the plan, and counts for it alone.
#[test]
fn the_guard_of_the_plan_is_the_one_that_counts() {
    let (world, key) = World::with_dev();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let all: Vec<_> = names.iter().map(|name| (*name, false)).collect();
    world.import(&key, &manifest(&all), Mode::Additive);
    let text = manifest_text(&all[..7]);
    let planned = || plan(&world, &key, &text, Mode::Replace);

    let held = planned().save(bundle(&text)).unwrap_err();
    assert_eq!(held.code(), Code::DeactivationLimit);
    assert_eq!(held.plan(), Some(&planned().view(true, None)));

    let allowing = planned().with_guard(Guard::new(None, Some(5)).unwrap());
    let saved = allowing.save(bundle(&text)).unwrap();
    let document: Value = serde_json::from_str(saved.text()).unwrap();
    assert_eq!(document["guard"], json!({"percent": 30, "allowed": 5}));
    // A forger who takes the guard away contradicts what the plan shows; without that, too, meets the default one.
    let forged = forge(&saved, |plan| plan.guard.allowed = None);
    assert_eq!(refused(&world, &key, &forged).0, Code::InvalidPlan);
    let forged = forge(&saved, |plan| {
        plan.guard.allowed = None;
        plan.plan.notes.remove(0);
    });
    assert_eq!(refused(&world, &key, &forged).0, Code::DeactivationLimit);
    let (_, imported) = apply(&world, &key, &saved).unwrap();
    assert_eq!(imported.event.leaf.deleted, Some(5));
}

/// A plan that changes nothing is applied like any import: the log says that it was.
#[test]
fn a_plan_without_changes_is_recorded_and_used_up() {
    let (world, key) = world();
    let text = manifest_text(BEFORE);
    let planned = plan(&world, &key, &text, Mode::Replace);
    let saved = planned.save(bundle(&text)).unwrap();
    let (_, imported) = apply(&world, &key, &saved).unwrap();
    assert_eq!(imported.event.leaf.unchanged, Some(3));
    assert_eq!(refused(&world, &key, &saved).0, Code::StalePlan);
    let shown = lattice_workspace::show_workspace(&*world.store, &local("dev")).unwrap();
    assert_eq!(shown.revision, 2);
}

/// Several manifests and overlays are kept one by one, and rendered again.
#[test]
fn a_plan_keeps_every_text_of_its_manifest() {
    let (world, key) = world();
    let overlay = "overlay_version: '1.0'\npolicies:\n  d:\n    approval_required: true\n";
    let bundle = Bundle {
        manifests: vec![
            named("policies/a.yaml", manifest_text(&[("a", true)])),
            named("policies/d.yaml", manifest_text(&[("d", false)])),
        ],
        overlays: vec![named("staging.yaml", overlay)],
    };
    let rendered = bundle.manifest().unwrap();
    let planned = world.reader(&key).plan(&rendered, Mode::Additive).unwrap();
    let planned = planned.in_file(Some("policies"));
    let saved = planned.save(bundle.clone()).unwrap();
    let saved = SavedPlan::parse(saved.text().as_bytes()).unwrap();
    assert_eq!(saved.bundle(), bundle);

    let other = |plan: &mut view::SavedPlan| {
        let text = &mut plan.overlays[0];
        text.text = text.text.replace("true", "false");
        text.sha256 = hex(&sha256(text.text.as_bytes()));
    };
    let without = |plan: &mut view::SavedPlan| plan.overlays.clear();
    let cut = |plan: &mut view::SavedPlan| plan.manifests.truncate(1);
    let emptied = |plan: &mut view::SavedPlan| plan.manifests.clear();
    for edit in [other as Edit, without, cut, emptied] {
        let refused = refused(&world, &key, &forge(&saved, edit));
        assert_eq!(refused.0, Code::InvalidPlan);
    }

    let (planned, imported) = apply(&world, &key, &saved).unwrap();
    let applied = planned.view(false, Some(&imported));
    assert_eq!(applied.manifest.file.as_deref(), Some("policies"));
    assert_eq!(applied.changes, saved.view().changes);
    let leaf = imported.event.leaf;
    assert_eq!(leaf.manifest_sha256, Some(hex(&rendered.sha256())));
    assert_eq!(
        leaf.rendered_sha256,
        rendered.rendered_sha256().map(|hash| hex(&hash))
    );
    assert!(leaf.rendered_sha256.is_some());
}

/// What could never be applied is not kept.
#[test]
fn only_the_texts_of_a_plan_are_saved_with_it() {
    let (world, key) = world();
    let text = manifest_text(WANTED);
    let planned = plan(&world, &key, &text, Mode::Additive);
    let overlaid = Bundle {
        overlays: vec![named("o.yaml", "overlay_version: '1.0'\npolicies: {}\n")],
        ..bundle(&text)
    };
    let none = Bundle {
        manifests: Vec::new(),
        overlays: Vec::new(),
    };
    for other in [bundle(&manifest_text(BEFORE)), overlaid, none] {
        let (code, message) = refusal(planned.save(other));
        assert_eq!(
            (code, &*message),
            (
                Code::Usage,
                "the texts are not those that the plan was made from"
            )
        );
    }
    let rollback = world.reader(&key).plan_rollback(1).unwrap();
    let (code, message) = refusal(rollback.save(bundle(&text)));
    assert_eq!(
        (code, &*message),
        (Code::Usage, "a rollback cannot be saved")
    );
}
