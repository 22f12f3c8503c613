//! The audit log: what is read from it, and what verification finds.

use crate::backend::Backend;
use crate::common::{Place, World, manifest, refusal};
use base64ct::Encoding;
use lattice_core::audit::{Checkpoint, KeyType, SigningKey, Tree, leaf_hash, verify_consistency};
use lattice_core::hash::hex;
use lattice_core::view::{KeyKind, Mode, Trust, Verification};
use lattice_core::{Code, PolicySet};
use lattice_workspace::{Key, Reader, Verified, rotate_log_key};

/// A workspace whose log holds: its first key, an import, another key, an import that changes nothing, an import.
fn world() -> (World, Key) {
    let (world, key) = World::with_dev();
    world.import(
        &key,
        &manifest(&[("a", false), ("b", false)]),
        Mode::Additive,
    );
    world.create_key(KeyKind::Agent);
    world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
    world.import(&key, &manifest(&[("a", true)]), Mode::Replace);
    (world, key)
}

#[test]
fn a_whole_log_verifies() {
    let (world, key) = world();
    let bodies = world.rows("SELECT body FROM audit_event ORDER BY seq");
    let tree = Tree::of(bodies.iter().map(|body| leaf_hash(body.as_bytes())));
    let log = format!("al/{}", world.reader(&key).workspace().id);
    assert_eq!(
        world.verify(&key),
        Verified {
            verification: Verification {
                valid: true,
                workspace: "dev".to_owned(),
                size: 5,
                root: hex(&tree.root()),
                first_broken_seq: None,
                state_matches: Some(true),
                trust: Trust::SelfOnly,
                pins: Vec::new(),
            },
            reason: None,
            checkpoint: Checkpoint::new(&log, 5, tree.root()),
        }
    );
}

#[test]
fn a_log_without_an_import_verifies_against_no_policies() {
    let (world, key) = World::with_dev();
    let Verified {
        verification,
        reason,
        ..
    } = world.verify(&key);
    assert_eq!(
        (verification.size, verification.valid, reason),
        (1, true, None)
    );
    world.sql(
        "INSERT INTO policy SELECT id, 'x', TRUE, 0, 'deploy.x', FALSE, 8, NULL, NULL, NULL FROM workspace",
    );
    let Verified {
        verification,
        reason,
        ..
    } = world.verify(&key);
    assert_eq!(
        (verification.valid, verification.state_matches),
        (false, Some(false))
    );
    assert_eq!(
        reason.as_deref(),
        Some("the active policies are not those that the log recorded last")
    );
}

#[test]
fn checkpoints_are_the_root_after_each_import() {
    let (world, key) = World::with_dev();
    for size in 2..6 {
        let imported = world.import(&key, &manifest(&[]), Mode::Additive);
        let id = world.reader(&key).workspace().id;
        let text = imported.checkpoint.to_string();
        let lines: Vec<_> = text.split('\n').collect();
        assert_eq!(lines[..2], [format!("al/{id}"), size.to_string()]);
        let root = base64ct::Base64::decode_vec(lines[2]).unwrap();
        assert_eq!(hex(&root), world.verify(&key).verification.root);
        assert_eq!(lines[3..], [""]);
        assert_eq!(world.verify(&key).checkpoint, imported.checkpoint);
    }
}

#[test]
fn every_edit_of_the_log_or_of_the_policies_is_found() {
    const RELEAF: &str = "the events are not those that the head of the log was made from";
    const HEAD: &str = "the head of the log was not written by al";
    const STATE: &str = "the active policies are not those that the log recorded last";
    const HASHED: &str = "the event is not the one that was hashed when it was stored";
    // (what is done, first broken seq, whether the policies match, why)
    let rows = [
        (
            "UPDATE audit_event SET body = replace(body, '\"modified\":0', '\"modified\":7') WHERE seq = 1",
            Some(1),
            false,
            HASHED,
        ),
        ("UPDATE audit_event SET body = CAST(x'ff' AS TEXT) WHERE seq = 2", Some(2), false, HASHED),
        ("UPDATE audit_event SET leaf = x'00' WHERE seq = 3", Some(3), false, HASHED),
        (
            "UPDATE audit_event SET names = replace(names, '\"a\"', '\"z\"') WHERE seq = 1",
            Some(1),
            false,
            "the names are not those of the event",
        ),
        ("DELETE FROM audit_event WHERE seq = 2", Some(2), false, "event `2` is missing"),
        ("DELETE FROM audit_event WHERE seq = 0", Some(0), false, "event `0` is missing"),
        (
            "DELETE FROM audit_event WHERE seq = 4",
            None,
            false,
            "the log holds 4 events, and its head counts 5",
        ),
        (
            "UPDATE audit_event SET seq = CASE seq WHEN 2 THEN 12 WHEN 3 THEN 13 END WHERE seq IN (2, 3);
             UPDATE audit_event SET seq = CASE seq WHEN 12 THEN 3 WHEN 13 THEN 2 END WHERE seq IN (12, 13)",
            Some(2),
            false,
            "the event was appended as event `3`",
        ),
        ("UPDATE audit_head SET root = zeroblob(32)", None, true, HEAD),
        ("UPDATE audit_head SET frontier = zeroblob(64)", None, true, HEAD),
        (
            "UPDATE audit_head SET size = 6",
            None,
            true,
            "the log holds 5 events, and its head counts 6",
        ),
        ("DELETE FROM audit_head", None, true, HEAD),
        ("UPDATE policy SET approval_required = FALSE WHERE name = 'a'", None, false, STATE),
        ("UPDATE policy SET active = TRUE WHERE name = 'b'", None, false, STATE),
        ("DELETE FROM policy", None, false, STATE),
    ];
    for (sql, first_broken_seq, state_matches, reason) in rows {
        let (world, key) = world();
        world.sql(sql);
        let Verified {
            verification,
            reason: found,
            ..
        } = world.verify(&key);
        assert_eq!(
            (
                verification.valid,
                verification.first_broken_seq,
                verification.state_matches,
                found.as_deref()
            ),
            (false, first_broken_seq, Some(state_matches), Some(reason)),
            "{sql}"
        );
    }

    // An edit that also mends the leaf is well-formed, and shows in the root alone.
    let (world, key) = world();
    let body = &world.rows("SELECT body FROM audit_event WHERE seq = 2")[0];
    let edited = body.replace("10:02:00", "10:02:01");
    assert_ne!(&edited, body);
    let leaf = hex(&leaf_hash(edited.as_bytes()));
    world.sql(&format!(
        "UPDATE audit_event SET body = '{edited}', leaf = x'{leaf}' WHERE seq = 2"
    ));
    let Verified {
        verification,
        reason,
        ..
    } = world.verify(&key);
    assert_eq!(
        (verification.valid, verification.first_broken_seq),
        (false, None)
    );
    assert_eq!(reason.as_deref(), Some(RELEAF));
}

/// Pages are checked while others are read: wherever an event stands in them, it is looked at, and once.
#[test]
fn an_edit_is_found_in_every_page() {
    const SIZE: u64 = 2500;
    let (world, key) = world();
    world.grow(&key, SIZE);
    let verify = || {
        let verified = world.verify(&key);
        let found = verified.verification;
        (found.size, found.first_broken_seq, verified.reason)
    };
    assert_eq!(verify(), (SIZE, None, None));
    for seq in [0, 4, 1023, 1024, 1025, 2047, 2048, SIZE - 1] {
        let edit = |to: &str| {
            let edit = format!("UPDATE audit_event SET body = {to} WHERE seq IN ({seq}, 2499)");
            world.sql(&edit);
        };
        edit("body || ' '");
        let (size, broken, reason) = verify();
        assert_eq!((size, broken), (SIZE, Some(seq)));
        let hashed = "the event is not the one that was hashed when it was stored";
        assert_eq!(reason.as_deref(), Some(hashed));
        edit("rtrim(body)");
    }
    assert_eq!(verify(), (SIZE, None, None));

    world.sql("DELETE FROM audit_event WHERE seq = 1024");
    let missing = "event `1024` is missing".to_owned();
    assert_eq!(verify(), (SIZE - 1, Some(1024), Some(missing)));
}

#[test]
fn policies_that_no_longer_load_do_not_match() {
    // Those that do not compile, and those that are not even read: both are a verdict, not a failure.
    let edits = [
        "UPDATE policy SET conditions = 'logic: sometimes' WHERE name = 'a'",
        "UPDATE policy SET allowed_repos = '[1]' WHERE name = 'a'",
        "UPDATE policy SET approval_timeout_hours = -1 WHERE name = 'a'",
        "UPDATE policy SET action_type = CAST(x'ff' AS TEXT) WHERE name = 'a'",
        "UPDATE policy SET name = CAST(x'ff' AS TEXT) WHERE name = 'b' AND NOT active",
    ];
    let possible = |edit: &&str| !(Backend::TEXT_IS_UTF8 && edit.contains("x'ff'"));
    for edit in edits.into_iter().filter(possible) {
        let (world, key) = self::world();
        world.sql(edit);
        let Verified {
            verification,
            reason,
            ..
        } = world.verify(&key);
        assert_eq!(
            (
                verification.valid,
                verification.state_matches,
                verification.first_broken_seq
            ),
            (false, Some(false), None),
            "{edit}"
        );
        let reason = reason.unwrap();
        assert!(
            reason.starts_with("the active policies do not load: "),
            "{edit}: {reason}"
        );
    }
}

/// A store that fails is no verdict about what it holds.
#[test]
fn a_store_that_cannot_be_read_is_no_verdict() {
    let (world, key) = world();
    world.sql("ALTER TABLE policy RENAME COLUMN conditions TO gone");
    assert_eq!(
        refusal(world.reader(&key).verify(&[], &[], true)).0,
        Code::StoreUnavailable
    );
}

/// An event on top of an edit would hide it, and the log could never verify again.
#[test]
fn nothing_is_appended_on_top_of_an_edit() {
    let rows = [
        (
            "UPDATE policy SET approval_required = FALSE WHERE name = 'a'",
            "the active policies are not those that the audit log recorded last",
        ),
        (
            "UPDATE policy SET active = TRUE WHERE name = 'b'",
            "the active policies are not those that the audit log recorded last",
        ),
        (
            "UPDATE audit_event SET body = replace(body, '\"added\":0', '\"added\":1') WHERE seq = 4",
            "the audit event `4` was edited: the event is not the one that was hashed when it was stored",
        ),
        (
            "DELETE FROM audit_event WHERE seq = 4",
            "an event of the audit log is missing",
        ),
        (
            "UPDATE audit_head SET root = zeroblob(32)",
            "the head of the audit log was not written by al",
        ),
    ];
    for (sql, message) in rows {
        let (world, key) = world();
        world.sql(sql);
        let planned = world.plan(&key, &manifest(&[("c", false)]), Mode::Additive);
        let refused = lattice_workspace::import(&*world.store, &key, &planned, &world.ambient());
        assert_eq!(
            refusal(refused),
            (Code::AuditTampered, message.to_owned()),
            "{sql}"
        );
        let written = world.rows("SELECT count(*) FROM policy WHERE name = 'c'");
        assert_eq!(written, ["0"], "{sql}");
    }
}

#[test]
fn events_come_in_pages() {
    let (world, key) = world();
    let reader = world.reader(&key);
    let page = |cursor, limit| {
        let page = reader.events(cursor, limit).unwrap();
        let seqs: Vec<_> = page.events.iter().map(|event| event.leaf.seq).collect();
        (seqs, page.next_cursor)
    };
    let rows = [
        (None, 2, vec![0, 1], Some(2)),
        (Some(2), 2, vec![2, 3], Some(4)),
        (Some(4), 2, vec![4], None),
        (Some(5), 2, vec![], None),
        (Some(u64::MAX), 2, vec![], None),
        (None, 5, vec![0, 1, 2, 3, 4], None),
        (None, usize::MAX, vec![0, 1, 2, 3, 4], None),
        (None, 0, vec![], Some(0)),
    ];
    for (cursor, limit, seqs, next) in rows {
        assert_eq!(page(cursor, limit), (seqs, next), "{cursor:?} {limit}");
    }
    let event = reader.event(4).unwrap();
    assert_eq!(event.names.modified, ["a"]);
    assert_eq!(event.names.deactivated, ["b"]);
    assert_eq!(event, reader.events(Some(4), 1).unwrap().events[0]);
    for seq in [5, u64::MAX] {
        let message = format!("the audit log of `dev` has no event `{seq}`");
        assert_eq!(refusal(reader.event(seq)), (Code::Usage, message));
    }
}

#[test]
fn an_event_that_was_edited_is_not_shown() {
    const HASHED: &str = "the event is not the one that was hashed when it was stored";
    let rows = [
        ("UPDATE audit_event SET body = '{}' WHERE seq = 3", HASHED),
        (
            "UPDATE audit_event SET body = replace(body, '\"modified\":0', '\"modified\":7') WHERE seq = 3",
            HASHED,
        ),
        (
            "UPDATE audit_event SET names = '{\"added\":[\"z\"],\"deactivated\":[],\"modified\":[]}' WHERE seq = 3",
            "the names are not those of the event",
        ),
        (
            "UPDATE audit_event SET (body, names, leaf) = (SELECT body, names, leaf FROM audit_event WHERE seq = 1)
             WHERE seq = 3",
            "the event was appended as event `1`",
        ),
    ];
    for (edit, reason) in rows {
        let (world, key) = world();
        world.sql(edit);
        let reader = world.reader(&key);
        let message = format!("the audit event `3` was edited: {reason}");
        for refused in [refusal(reader.event(3)), refusal(reader.events(None, 9))] {
            assert_eq!(refused, (Code::AuditTampered, message.clone()), "{edit}");
        }
        assert!(reader.event(2).is_ok());
    }
}

/// A log is about one workspace: two of a store do not meet.
#[test]
fn workspaces_have_logs_of_their_own() {
    let (world, dev) = world();
    let staging = world.create("staging");
    world.import(&staging, &manifest(&[("s", false)]), Mode::Additive);
    assert_eq!(world.verify(&dev).verification.size, 5);
    assert_eq!(world.verify(&staging).verification.size, 2);
    assert_eq!(world.verify(&staging).reason, None);
    world.sql(
        "UPDATE audit_event SET (body, names, leaf) = (SELECT body, names, leaf FROM audit_event
             WHERE seq = 0 AND workspace = (SELECT id FROM workspace WHERE name = 'dev'))
         WHERE seq = 0 AND workspace = (SELECT id FROM workspace WHERE name = 'staging')",
    );
    let Verified {
        verification,
        reason,
        ..
    } = world.verify(&staging);
    assert_eq!(verification.first_broken_seq, Some(0));
    assert!(
        reason
            .unwrap()
            .starts_with("the event belongs to the log `al/")
    );
    assert_eq!(world.verify(&dev).reason, None);
    assert_eq!(
        PolicySet::default().digest(),
        world.plan(&dev, &manifest(&[]), Mode::Replace).after()
    );
}

/// Every event of a log is proven against every head that the log had since, and every head extends the ones before.
#[test]
fn every_event_is_proven_against_every_head() {
    let (world, key) = World::with_dev();
    let head = || {
        let proven = world.reader(&key).expect_log(None).unwrap();
        proven.checkpoint()
    };
    let mut heads = vec![head()];
    for _ in 0..10 {
        world.import(&key, &manifest(&[]), Mode::Additive);
        heads.push(head());
    }
    let reader = world.reader(&key);
    for kept in &heads {
        for seq in 0..kept.size() {
            let proof = reader.prove(seq, Some(kept)).unwrap();
            let (checked, reason) = proof.check(std::slice::from_ref(kept), &[]).unwrap();
            assert_eq!((checked.valid, reason), (true, None));
            assert_eq!(checked.event, Some(reader.event(seq).unwrap().leaf));
        }
        assert_eq!(
            refusal(reader.prove(kept.size(), Some(kept))).0,
            Code::Usage
        );
        let extension = reader.prove_extension(Some(kept), None).unwrap();
        let (old, size) = (kept.size(), extension.checkpoint.size());
        let root = extension.checkpoint.root();
        assert!(verify_consistency(
            old,
            kept.root(),
            size,
            root,
            &extension.hashes
        ));
        assert_eq!(Some(&extension.checkpoint), heads.last());
    }
    assert_eq!(refusal(reader.prove(11, None)).0, Code::Usage);
    let first = reader.prove_extension(None, None).unwrap();
    assert_eq!((first.old, first.hashes.len()), (0, 0));
}

/// Stored hashes are a shortcut: whoever edits them changes no proof, and no verdict.
#[test]
fn stored_hashes_are_not_trusted() {
    let edits = [
        "UPDATE audit_node SET hash = zeroblob(32) WHERE level = 1 AND idx = 0",
        "UPDATE audit_node SET hash = x'00' WHERE level = 1 AND idx = 0",
        "DELETE FROM audit_node",
    ];
    for edit in edits {
        let (world, key) = world();
        let reader = world.reader(&key);
        let kept = Checkpoint::new(
            reader.expect_log(None).unwrap().checkpoint().origin(),
            3,
            *head_of_three(&world).root(),
        );
        let all = |reader: &Reader| {
            let proofs = (0..3).map(|seq| reader.prove(seq, Some(&kept)).unwrap().to_string());
            let extension = reader.prove_extension(Some(&kept), None).unwrap();
            let head = reader.prove(4, None).unwrap().to_string();
            (proofs.collect::<Vec<_>>(), extension.to_string(), head)
        };
        let before = all(&reader);
        drop(reader);
        world.sql(edit);
        assert_eq!(world.verify(&key).reason, None, "{edit}");
        assert_eq!(all(&world.reader(&key)), before, "{edit}");

        // What the events themselves do not lead to is not proven.
        let forged = Checkpoint::new(kept.origin(), 3, [0; 32]);
        let refused = refusal(world.reader(&key).prove(0, Some(&forged)));
        assert_eq!(refused.0, Code::AuditTampered, "{edit}");
    }
    // A checkpoint of another log is a file that was mixed up.
    let (world, key) = world();
    let other = Checkpoint::new("al/x", 1, [0; 32]);
    let reader = world.reader(&key);
    assert_eq!(
        refusal(reader.prove(0, Some(&other))).0,
        Code::InvalidCheckpoint
    );
    let refused = reader.prove_extension(Some(&other), None);
    assert_eq!(refusal(refused).0, Code::InvalidCheckpoint);
}

/// The head that the log of [`world`] had after its third event.
fn head_of_three(world: &World) -> Checkpoint {
    let bodies = world.rows("SELECT body FROM audit_event WHERE seq < 3 ORDER BY seq");
    let tree = Tree::of(bodies.iter().map(|body| leaf_hash(body.as_bytes())));
    Checkpoint::of("al/x", &tree)
}

/// The keys of a log follow each other, and only the last one signs.
#[test]
fn only_the_key_that_was_logged_last_signs() {
    let (world, key) = World::with_dev();
    let log = format!("al/{}", world.reader(&key).workspace().id);
    let secret = |name: &str, key_type, seed| SigningKey::new(name, key_type, [seed; 32]).unwrap();
    let [a, b, c] = [1, 2, 3].map(|seed| secret(&log, KeyType::Log, seed));
    let witness = secret("w", KeyType::Witness, 4);
    let other = secret("al/other", KeyType::Log, 5);
    let rotate = |old: Option<&SigningKey>, new: &SigningKey| {
        rotate_log_key(&*world.store, &key, old, new, None, &world.ambient())
    };
    let code = |result: Result<lattice_workspace::Rotated, lattice_core::Error>| refusal(result).0;
    let signs = |signer: &SigningKey| {
        let proven = world.reader(&key).expect_log(None)?;
        proven.expect_signer(signer)
    };
    signs(&a).unwrap();
    assert_eq!(code(rotate(None, &witness)), Code::InvalidAuditKey);
    assert_eq!(code(rotate(None, &other)), Code::InvalidAuditKey);

    let first = rotate(None, &a).unwrap();
    assert_eq!(first.event.names.added, [a.verifying_key().to_string()]);
    let keys = [a.verifying_key().clone(), b.verifying_key().clone()];
    assert_eq!(first.checkpoint.signers(&keys).unwrap(), [&keys[0]]);
    assert_eq!(code(rotate(None, &b)), Code::InvalidAuditKey);
    assert_eq!(code(rotate(Some(&b), &c)), Code::InvalidAuditKey);
    assert_eq!(code(rotate(Some(&a), &a)), Code::InvalidAuditKey);

    let second = rotate(Some(&a), &b).unwrap();
    assert_eq!(
        second.event.names.deactivated,
        [a.verifying_key().to_string()]
    );
    assert_eq!(
        second.checkpoint.signers(&keys).unwrap(),
        [&keys[0], &keys[1]]
    );
    assert_eq!(refusal(signs(&a)).0, Code::InvalidAuditKey);
    signs(&b).unwrap();
    // A key that was put out of use stays so.
    assert_eq!(code(rotate(Some(&b), &a)), Code::InvalidAuditKey);

    // An import with the key of before writes nothing.
    let planned = world.plan(&key, &manifest(&[("a", true)]), Mode::Additive);
    let import = |signer| {
        let ambient = world.ambient();
        lattice_workspace::import_signed(&*world.store, &key, &planned, Some(signer), &ambient)
    };
    assert_eq!(refusal(import(&a)).0, Code::InvalidAuditKey);
    assert_eq!(world.verify(&key).verification.size, 3);
    let imported = import(&b).unwrap();
    assert_eq!(imported.checkpoint.signers(&keys).unwrap(), [&keys[1]]);
    assert_eq!(world.verify(&key).reason, None);

    // Who forges the event of a rotation is found before the key is believed.
    world.sql("UPDATE audit_event SET names = replace(names, '\"added\":[\"al/', '\"added\":[\"xl/') WHERE seq = 2");
    assert_eq!(refusal(signs(&b)).0, Code::AuditTampered);
}
