//! A workspace for programs: what is left out, what is refused, and a round trip.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use std::ffi::OsString;
use std::sync::Arc;

use al::{Client, Evidence, Given, Io, PlanOptions, Source};
use common::{Store, environment};
use lattice_core::{Action, Code, Manifest, NamedText, view::Status};

const MANIFEST: &str = "manifest_version: '1.0'
policies:
  - name: writes
    action_type: db.write
    approval_required: false
    allowed_repos: null
    allowed_branches: null
    conditions: null
";

/// The system with these variables as its whole environment.
fn io<'a>(variables: &'a [(&'a str, &'a str)]) -> Io<'a> {
    Io {
        env: Box::new(move |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        }),
        ..Io::system()
    }
}

fn al(args: &[&str]) -> serde_json::Value {
    let mut out = Vec::new();
    let environment = environment();
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut io = Io {
        stdout: Box::new(&mut out),
        ..io(&environment)
    };
    let args = ["al"].iter().chain(args).map(OsString::from);
    assert_eq!(al::run(args, &mut io), 0);
    drop(io);
    serde_json::from_slice(&out).unwrap()
}

/// A new store with the workspace `dev`: its URL, and a key of each kind.
fn store(folder: &tempfile::TempDir) -> (String, String, String) {
    let url = Store::new(&folder.path().join("al.db")).url_in_process();
    let json = ["--url", &url, "--format", "json"];
    let made = al(&[&["workspace", "create", "dev"], &json[..]].concat());
    let agent = al(&[
        &["key", "create", "--agent", "--workspace", "dev"],
        &json[..],
    ]
    .concat());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (url.clone(), text(&made["service_key"]), text(&agent["key"]))
}

#[test]
fn what_is_left_out_comes_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let (url, key, _) = store(&folder);
    let environment = [("AL_URL", url.as_str()), ("AL_SERVICE_KEY", key.as_str())];
    let rows = [
        (
            Some(url.as_str()),
            Some(key.as_str()),
            &environment[..0],
            Ok("dev"),
        ),
        (None, None, &environment[..], Ok("dev")),
        (None, Some(&key), &environment[..1], Ok("dev")),
        (None, None, &environment[..1], Err(Code::InvalidServiceKey)),
        (
            None,
            Some(""),
            &environment[..],
            Err(Code::InvalidServiceKey),
        ),
        (Some("ftp://host"), None, &environment[..], Err(Code::Usage)),
        (
            None,
            Some(&key),
            &environment[..0],
            Err(Code::StoreUnavailable),
        ),
    ];
    for (given_url, given_key, environment, expected) in rows {
        let opened = Client::open(given_url, given_key, &io(environment));
        let name = opened
            .as_ref()
            .map(|client| client.workspace().name.as_str());
        let name = name.map_err(lattice_core::Error::code);
        assert_eq!(name, expected, "{given_url:?}");
    }
}

fn replacing(replace: bool) -> PlanOptions {
    PlanOptions {
        replace: Some(replace),
        ..PlanOptions::default()
    }
}

#[test]
fn a_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let (url, key, agent) = store(&folder);
    let io = io(&[]);
    let client = Client::open(Some(&url), Some(&key), &io).unwrap();
    let given = |name: Option<&str>| {
        let (bytes, file) = (MANIFEST.into(), name.map(str::to_owned));
        Given::Sources(Source::Text(NamedText { bytes, file }).into())
    };
    let manifest = given(None).manifest().unwrap();
    let given_again = || Given::Manifest(Arc::clone(&manifest));

    let preview = client.import(
        given(Some("m.yaml")),
        PlanOptions::default(),
        Some(true),
        &io,
    );
    let preview = preview.unwrap();
    assert_eq!(preview.manifest.file.as_deref(), Some("m.yaml"));
    assert_eq!(
        preview,
        client
            .plan(given(Some("m.yaml")), replacing(false), &io)
            .unwrap()
    );
    assert_eq!(
        (preview.dry_run, preview.applied, preview.summary.added),
        (true, false, 1)
    );

    let imported = client
        .import(given_again(), replacing(true), None, &io)
        .unwrap();
    assert_eq!((imported.dry_run, imported.applied), (false, true));
    let exported = Manifest::parse(client.export(None, &io).unwrap().as_bytes()).unwrap();
    assert_eq!(exported.policies(), manifest.manifest.policies());

    // The creation of both keys, and the import.
    let page = client.events(None, None).unwrap();
    assert_eq!((page.events.len(), page.next_cursor), (3, None));
    assert_eq!(page.events.last(), imported.event.as_ref());
    assert_eq!(
        client.events(Some(1), Some(1)).unwrap().next_cursor,
        Some(2)
    );
    for limit in [0, 1001, u64::MAX] {
        let error = client.events(None, Some(limit)).unwrap_err();
        assert_eq!(error.code(), Code::Usage, "{limit}");
    }
    assert!(
        client
            .verify(Evidence::default(), Some(true))
            .unwrap()
            .valid
    );

    let action = Action::parse(br#"{"action_type": "db.write"}"#).unwrap();
    let agent = Client::open(Some(&url), Some(&agent), &io).unwrap();
    assert_eq!(agent.decide(&action).unwrap().status, Status::Executed);
    assert_eq!(
        agent.decide(&action).unwrap(),
        client.decide(&action).unwrap()
    );
    let refused = [
        agent.export(None, &io).unwrap_err(),
        agent
            .plan(given_again(), PlanOptions::default(), &io)
            .unwrap_err(),
        agent
            .import(given_again(), PlanOptions::default(), None, &io)
            .unwrap_err(),
        agent.events(None, None).unwrap_err(),
        agent.verify(Evidence::default(), None).unwrap_err(),
        agent.diff(given_again()).unwrap_err(),
        agent.export(Some(2), &io).unwrap_err(),
        agent.history(None, None).unwrap_err(),
        agent
            .rollback(2, PlanOptions::default(), None, &io)
            .unwrap_err(),
    ];
    assert!(
        refused
            .iter()
            .all(|error| error.code() == Code::InvalidServiceKey)
    );
}

#[test]
fn a_plan_is_kept_shown_and_applied_once() {
    let folder = tempfile::tempdir().unwrap();
    let (url, key, agent) = store(&folder);
    let io = io(&[]);
    let client = Client::open(Some(&url), Some(&key), &io).unwrap();
    let text = |text: &str, name: &str| {
        let (bytes, file) = (text.into(), Some(name.to_owned()));
        Source::Text(NamedText { bytes, file })
    };
    let save =
        |client: &Client, options| client.save_plan(text(MANIFEST, "m.yaml").into(), options, &io);
    let kept = save(&client, replacing(true)).unwrap();

    let shown = al::show(text(&kept, "plan.json")).unwrap();
    let planned = Given::Sources(text(MANIFEST, "m.yaml").into());
    assert_eq!(shown, client.plan(planned, replacing(true), &io).unwrap());
    let file = folder.path().join("plan.json");
    std::fs::write(&file, &kept).unwrap();
    assert_eq!(al::show(Source::File(file.clone())).unwrap(), shown);

    let edited = kept.replace("writes", "reads");
    let refused = client.apply(text(&edited, "plan.json"), &io).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidPlan);
    let named = refused.diagnostics().map(|error| error.file.as_deref());
    assert!(named.eq([Some("plan.json")]));

    let applied = client.apply(Source::File(file.clone()), &io).unwrap();
    assert!(applied.applied && !applied.dry_run && applied.event.is_some());
    assert_eq!(applied.changes, shown.changes);
    let again = client.apply(Source::File(file), &io).unwrap_err();
    assert_eq!(again.code(), Code::StalePlan);

    // What a safety rule holds is not saved, and an agent's key saves nothing.
    let none = text("manifest_version: '1.0'\npolicies: []\n", "none.yaml");
    let held = client
        .save_plan(none.into(), replacing(true), &io)
        .unwrap_err();
    assert_eq!(held.code(), Code::DeactivationLimit);
    let agent = Client::open(Some(&url), Some(&agent), &io).unwrap();
    let refused = save(&agent, replacing(false)).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidServiceKey);
    let refused = agent.apply(text(&kept, "plan.json"), &io).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidServiceKey);
}

#[test]
fn states_and_the_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let (url, key, _) = store(&folder);
    let io = io(&[]);
    let client = Client::open(Some(&url), Some(&key), &io).unwrap();
    let given = |text: &str| {
        let (bytes, file) = (text.into(), Some("m.yaml".to_owned()));
        Given::Sources(Source::Text(NamedText { bytes, file }).into())
    };
    let changed = MANIFEST.replace("approval_required: false", "approval_required: true");
    for text in [MANIFEST, &changed] {
        client
            .import(given(text), PlanOptions::default(), None, &io)
            .unwrap();
    }

    let plan = client.diff(given(MANIFEST)).unwrap();
    assert_eq!(plan.manifest.file.as_deref(), Some("m.yaml"));
    let drift = plan.drift.unwrap();
    assert_eq!(
        (drift.since, &*drift.workspace),
        (2, &["writes".to_owned()][..])
    );

    let exported = client.export(Some(2), &io).unwrap();
    let manifest = Manifest::parse(exported.as_bytes()).unwrap();
    let first = given(MANIFEST).manifest().unwrap();
    assert_eq!(manifest.policies(), first.manifest.policies());

    let preview = client
        .rollback(2, PlanOptions::default(), Some(true), &io)
        .unwrap();
    assert_eq!(
        (preview.dry_run, preview.applied, preview.summary.modified),
        (true, false, 1)
    );
    assert_eq!(preview.manifest.file, None);
    let applied = client
        .rollback(2, PlanOptions::default(), None, &io)
        .unwrap();
    assert_eq!((applied.dry_run, applied.applied), (false, true));
    assert_eq!(client.diff(given(MANIFEST)).unwrap().summary.changes(), 0);

    // Before the first import there was nothing, and that is held.
    let held =
        [Some(true), None].map(|dry_run| client.rollback(1, PlanOptions::default(), dry_run, &io));
    assert!(held.iter().all(|held| {
        let error = held.as_ref().unwrap_err();
        error.code() == Code::DeactivationLimit && error.plan().is_some()
    }));
    let allowed = PlanOptions {
        allow_deactivations: Some(1),
        ..PlanOptions::default()
    };
    let emptied = client.rollback(1, allowed, None, &io).unwrap();
    assert_eq!(emptied.summary.deactivated, 1);

    let history = client.history(None, Some(3)).unwrap();
    let states: Vec<_> = history.states.iter().map(|state| state.event).collect();
    assert_eq!((states, history.next_cursor), (vec![5, 4, 3], Some(3)));
    assert_eq!(client.history(Some(3), None).unwrap().states.len(), 1);
    let error = client.history(None, Some(0)).unwrap_err();
    assert_eq!(error.code(), Code::Usage);
    assert_eq!(error.message(), "a page of 0 states cannot be listed");
    assert_eq!(client.export(Some(9), &io).unwrap_err().code(), Code::Usage);
}
