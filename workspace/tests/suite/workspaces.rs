//! Workspaces, keys and circuit breakers.

use std::slice;

use crate::common::{Place, World, local, refusal};
use lattice_core::view::{self, KeyKind};
use lattice_core::{Breaker, Code, Error, Number};
use lattice_workspace::{
    Caller, Key, Reader, create_key, create_workspace, list_breakers, list_keys, list_workspaces,
    revoke_key, set_breaker, show_workspace,
};

#[test]
fn workspaces_are_created_listed_by_name_and_shown() {
    let world = World::new();
    let staging = create_workspace(
        &*world.store,
        "staging",
        Some("My Org (staging)"),
        &world.ambient(),
    )
    .unwrap();
    let dev = create_workspace(&*world.store, "dev", None, &world.ambient()).unwrap();
    assert_eq!((&*dev.name, &*dev.org_name), ("dev", "dev"));
    assert_ne!(dev.id, staging.id);
    assert!(staging.service_key.starts_with("al_svc_staging_"));

    let shown = |created: &view::CreatedWorkspace| view::Workspace {
        id: created.id.clone(),
        name: created.name.clone(),
        org_name: created.org_name.clone(),
        policies: 0,
        revision: 0,
    };
    assert_eq!(
        list_workspaces(&*world.store).unwrap().workspaces,
        [shown(&dev), shown(&staging)]
    );
    let key = Key::parse(&staging.service_key).unwrap();
    for caller in [Caller::Key(key), local("staging")] {
        assert_eq!(
            show_workspace(&*world.store, &caller).unwrap(),
            shown(&staging)
        );
    }
}

#[test]
fn a_name_that_cannot_be_leaves_no_store_behind() {
    let world = World::new();
    let create = |name: &str, org_name| {
        refusal(create_workspace(
            &*world.store,
            name,
            org_name,
            &world.ambient(),
        ))
    };
    assert_eq!(
        create("My Org", None),
        (
            Code::Usage,
            "`My Org` cannot be the name of a workspace".to_owned()
        )
    );
    assert_eq!(
        create("dev", Some("a\u{1b}[2J")),
        (Code::Usage, "the organisation name is empty, longer than 200 characters or holds a control character".to_owned())
    );
    assert!(!world.place.is_made());
}

#[test]
fn a_name_is_taken_once() {
    let (world, _) = World::with_dev();
    let before = list_workspaces(&*world.store).unwrap();
    assert_eq!(
        refusal(create_workspace(
            &*world.store,
            "dev",
            None,
            &world.ambient()
        )),
        (Code::Usage, "there is a workspace `dev` already".to_owned())
    );
    assert_eq!(list_workspaces(&*world.store).unwrap(), before);
}

#[test]
fn keys_are_listed_in_order_and_revoked_once() {
    let (world, first) = World::with_dev();
    let store = &*world.store;
    let agent = create_key(
        store,
        &local("dev"),
        KeyKind::Agent,
        Some("bot"),
        &world.ambient(),
    )
    .unwrap();
    assert!(agent.key.starts_with("al_agent_dev_"));
    let caller = Caller::Key(first);
    let second = create_key(store, &caller, KeyKind::Service, None, &world.ambient()).unwrap();

    let revoked = revoke_key(store, &caller, &second.id, &world.ambient()).unwrap();
    assert_eq!(
        revoked.revoked_at.as_deref(),
        Some("2026-04-01T10:03:00.000Z")
    );
    let keys = list_keys(store, &caller).unwrap().keys;
    assert_eq!(
        keys[1..],
        [
            view::Key {
                id: agent.id,
                kind: KeyKind::Agent,
                name: Some("bot".to_owned()),
                created_at: "2026-04-01T10:01:00.000Z".to_owned(),
                revoked_at: None,
            },
            revoked,
        ]
    );

    assert_eq!(
        refusal(revoke_key(store, &caller, &second.id, &world.ambient())),
        (
            Code::InvalidServiceKey,
            format!(
                "the key `{}` was revoked at 2026-04-01T10:03:00.000Z",
                second.id
            )
        )
    );
    assert_eq!(
        refusal(revoke_key(store, &caller, "nobody", &world.ambient())),
        (
            Code::InvalidServiceKey,
            "the workspace `dev` has no key of that id".to_owned()
        )
    );
    assert_eq!(
        refusal(create_key(
            store,
            &caller,
            KeyKind::Agent,
            Some(""),
            &world.ambient()
        )),
        (
            Code::Usage,
            "the name of the key is empty, longer than 200 characters or holds a control character"
                .to_owned()
        )
    );
}

#[test]
fn a_key_of_another_workspace_cannot_be_revoked() {
    let (world, dev) = World::with_dev();
    world.create("staging");
    let staging = list_keys(&*world.store, &local("staging")).unwrap();
    let id = &staging.keys[0].id;
    assert_eq!(
        refusal(revoke_key(
            &*world.store,
            &Caller::Key(dev),
            id,
            &world.ambient()
        )),
        (
            Code::InvalidServiceKey,
            "the workspace `dev` has no key of that id".to_owned()
        )
    );
    assert_eq!(
        list_keys(&*world.store, &local("staging")).unwrap(),
        staging
    );
}

#[test]
fn every_key_that_opens_nothing_has_its_own_words() {
    let (world, dev) = World::with_dev();
    let store = &*world.store;
    let agent = world.create_key(KeyKind::Agent);
    let revoked = world.create_key(KeyKind::Service);
    revoke_key(store, &local("dev"), &revoked.id, &world.ambient()).unwrap();
    let unknown = Key::parse(&format!("al_svc_dev_{}", "0".repeat(64))).unwrap();

    let open = |key: &Key, need, expect| {
        Reader::open(store, key, need, expect).map(|reader| reader.workspace().name)
    };
    let rows = [
        (&unknown, "the key is unknown to the store".to_owned()),
        (
            &crate::common::key_of(&revoked),
            format!(
                "the key `{}` was revoked at 2026-04-01T10:03:00.000Z",
                revoked.id
            ),
        ),
        (
            &crate::common::key_of(&agent),
            "an agent key may ask for decisions, and for nothing else".to_owned(),
        ),
    ];
    for (key, message) in rows {
        let expected = (Code::InvalidServiceKey, message);
        let caller = Caller::Key(key.clone());
        let ambient = world.ambient();
        // What a key may not do comes before what workspace it is expected to open.
        assert_eq!(
            refusal(open(key, KeyKind::Service, Some("staging"))),
            expected
        );
        assert_eq!(refusal(show_workspace(store, &caller)), expected);
        assert_eq!(refusal(list_keys(store, &caller)), expected);
        assert_eq!(
            refusal(create_key(store, &caller, KeyKind::Agent, None, &ambient)),
            expected
        );
        assert_eq!(
            refusal(revoke_key(store, &caller, &agent.id, &ambient)),
            expected
        );
        assert_eq!(refusal(list_breakers(store, &caller)), expected);
    }
    assert_eq!(
        refusal(open(&dev, KeyKind::Service, Some("staging"))),
        (
            Code::InvalidServiceKey,
            "the key opens the workspace `dev`, not `staging`".to_owned()
        )
    );
    for key in [&dev, &crate::common::key_of(&agent)] {
        assert_eq!(open(key, KeyKind::Agent, Some("dev")).unwrap(), "dev");
    }
    assert_eq!(
        refusal(show_workspace(store, &local("prod"))),
        (Code::Usage, "there is no workspace `prod`".to_owned())
    );
}

/// An agent that opens a workspace for decisions gets nothing else from what it opened.
#[test]
fn an_agent_key_reads_no_policies_and_no_log() {
    let (world, _) = World::with_dev();
    let agent = world.create_key(KeyKind::Agent);
    let reader = Reader::open(
        &*world.store,
        &crate::common::key_of(&agent),
        KeyKind::Agent,
        None,
    )
    .unwrap();
    let denied = "an agent key may ask for decisions, and for nothing else";
    let refused = [
        refusal(reader.export(jiff::Timestamp::UNIX_EPOCH)),
        refusal(reader.events(None, 1)),
        refusal(reader.event(0)),
        refusal(reader.verify(&[], &[], true)),
    ];
    for refused in refused {
        assert_eq!(refused, (Code::InvalidServiceKey, denied.to_owned()));
    }
}

#[test]
fn no_file_of_the_store_holds_a_key() {
    let (world, key) = World::with_dev();
    // An open reader keeps the write-ahead log from being folded into the store.
    let _reader = world.reader(&key);
    let agent = world.create_key(KeyKind::Agent);
    let bytes = world.place.everything();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds(&agent.id));
    for key in [key.reveal(), &agent.key] {
        let (_, secret) = key.rsplit_once('_').unwrap();
        assert!(!holds(secret));
        assert!(!holds(secret.split_at(32).0));
    }
}

#[test]
fn breakers_are_set_by_anomaly_type() -> Result<(), Error> {
    let (world, key) = World::with_dev();
    let breaker = |anomaly_type: &str, score_threshold: &str, response_level: &str| view::Breaker {
        anomaly_type: anomaly_type.to_owned(),
        score_threshold: Number::parse(score_threshold).unwrap(),
        response_level: response_level.to_owned(),
    };
    let set = |caller: &Caller, breaker: view::Breaker| {
        let breaker = Breaker {
            anomaly_type: breaker.anomaly_type,
            score_threshold: breaker.score_threshold,
            response_level: breaker.response_level,
        };
        set_breaker(&*world.store, caller, &breaker).map(|all| all.breakers)
    };
    let spike = breaker("spike", "0.1", "HALT");
    let rapid = breaker("rapid", "18446744073709551615", "HALT");
    let lower = breaker("rapid", "1.0e+300", "WARN");
    assert_eq!(set(&local("dev"), spike.clone())?, slice::from_ref(&spike));
    assert_eq!(set(&local("dev"), rapid.clone())?, [rapid, spike.clone()]);
    let key = Caller::Key(key);
    assert_eq!(set(&key, lower.clone())?, [lower.clone(), spike.clone()]);
    assert_eq!(list_breakers(&*world.store, &key)?.breakers, [lower, spike]);
    Ok(())
}
