//! Tampering with a stored log: each row names the first event that stops verifying.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

use jiff::Timestamp;
use lattice_core::audit::{
    Checkpoint, Event, ImportEvent, KeyType, Kind, LogKeys, NamedKey, Names, Record, SigningKey,
    Tree, Verification, Verifier, VerifyingKey, leaf_hash, log_name,
};
use lattice_core::hash::{Hash, hex, sha256};
use lattice_core::view::PinResult;

const WORKSPACE: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const OTHER: &str = "01890a5d-ac96-774b-bcce-000000000000";
const GENESIS: Hash = [0; 32];
const A: Hash = [0xaa; 32];
const B: Hash = [0xbb; 32];

fn record(event: &Event, names: &Names) -> Record {
    let body = event.to_bytes();
    Record {
        seq: event.seq,
        leaf: Some(leaf_hash(&body)),
        body,
        names: names.to_bytes(),
    }
}

fn key(kind: Kind, workspace: &str, seq: u64) -> Record {
    let event = Event::key(kind, workspace, seq, Timestamp::UNIX_EPOCH, "local");
    record(&event, &Names::default())
}

fn rotation(workspace: &str, seq: u64, names: &Names) -> Record {
    let event = Event::rotation(workspace, seq, Timestamp::UNIX_EPOCH, "local", names);
    record(&event, names)
}

/// The key of the log that is made from that word.
fn vkey(word: &str) -> VerifyingKey {
    let key = SigningKey::new(&log_name(WORKSPACE), KeyType::Log, sha256(word.as_bytes()));
    key.unwrap().verifying_key().clone()
}

fn keys(added: &[&str], modified: &[&str]) -> Names {
    let texts = |list: &[&str]| list.iter().map(|key| vkey(key).to_string()).collect();
    Names {
        added: texts(added),
        deactivated: texts(&["old"]),
        modified: texts(modified),
    }
}

/// The keys that a whole log of so many events names.
fn named(head: &[Record]) -> LogKeys {
    let mut verifier = Verifier::new(&log_name(WORKSPACE), GENESIS);
    for record in head {
        verifier.push(record);
    }
    verifier.finish().keys
}

fn import(workspace: &str, seq: u64, before: Hash, after: Hash, added: &[&str]) -> Record {
    let names = Names {
        added: added.iter().map(|&name| name.to_owned()).collect(),
        ..Names::default()
    };
    let event = Event::import(&ImportEvent {
        workspace,
        seq,
        time: Timestamp::UNIX_EPOCH,
        actor: "key_1",
        names: &names,
        unchanged: 1,
        before,
        after,
        manifest_sha256: [3; 32],
        manifest_version: "1.0",
        replace: false,
        from: None,
        rendered_sha256: None,
    });
    record(&event, &names)
}

fn log(workspace: &str) -> Vec<Record> {
    let rollback = {
        let names = Names {
            deactivated: vec!["second".to_owned()],
            ..Names::default()
        };
        let event = Event::rollback(&ImportEvent {
            workspace,
            seq: 4,
            time: Timestamp::UNIX_EPOCH,
            actor: "key_1",
            names: &names,
            unchanged: 1,
            before: B,
            after: A,
            manifest_sha256: [3; 32],
            manifest_version: "1.0",
            replace: true,
            from: None,
            rendered_sha256: None,
        });
        record(&event, &names)
    };
    vec![
        key(Kind::KeyCreated, workspace, 0),
        import(workspace, 1, GENESIS, A, &["first"]),
        import(workspace, 2, A, B, &["second"]),
        key(Kind::KeyRevoked, workspace, 3),
        rollback,
        import(workspace, 5, A, A, &[]),
        rotation(workspace, 6, &keys(&["new"], &[])),
    ]
}

fn verify<'a>(records: impl IntoIterator<Item = &'a Record>) -> Verification {
    verify_against(&[], records)
}

fn verify_against<'a>(
    pins: &[Checkpoint],
    records: impl IntoIterator<Item = &'a Record>,
) -> Verification {
    let mut verifier = Verifier::new(&log_name(WORKSPACE), GENESIS).against(pins);
    for record in records {
        verifier.push(record);
    }
    verifier.finish()
}

/// Edits a body and, as a careful attacker would, its leaf hash.
fn edit(record: &mut Record, old: &str, new: &str) {
    let edited = String::from_utf8_lossy(&record.body).replacen(old, new, 1);
    assert_ne!(edited.as_bytes(), record.body, "{old}");
    record.body = edited.into_bytes();
    record.leaf = Some(leaf_hash(&record.body));
}

#[test]
fn whole_logs() {
    let records = log(WORKSPACE);
    let rows = [
        (0, None),
        (1, None),
        (2, Some(A)),
        (4, Some(B)),
        (7, Some(A)),
    ];
    for (size, after) in rows {
        let head = &records[..size];
        let expected = Verification {
            size: size as u64,
            root: Tree::of(head.iter().map(|record| leaf_hash(&record.body))).root(),
            first_broken_seq: None,
            reason: None,
            last_after: after.map(|hash| hex(&hash)),
            keys: named(head),
            pins: vec![],
        };
        assert_eq!(verify(head), expected, "size {size}");
    }
    let without_leaves: Vec<_> = records
        .iter()
        .map(|record| Record {
            leaf: None,
            ..record.clone()
        })
        .collect();
    assert_eq!(verify(&without_leaves), verify(&records));
    assert_eq!(
        hex(&verify(&records).root),
        "8a572064c47d7875c67ac0813b6e43fd7b6605dbb02cc335fc1ec82e07291712"
    );
}

/// A way to change stored records, the first `seq` that no longer verifies, and why.
type Tampering = (&'static str, fn(&mut Vec<Record>), u64, &'static str);

fn is_found(rows: &[Tampering]) {
    for &(name, tamper, first_broken_seq, reason) in rows {
        let mut records = log(WORKSPACE);
        tamper(&mut records);
        let before_the_break = records
            .iter()
            .filter(|record| record.seq < first_broken_seq);
        let expected = Verification {
            size: records.len() as u64,
            root: Tree::of(records.iter().map(|record| leaf_hash(&record.body))).root(),
            first_broken_seq: Some(first_broken_seq),
            reason: Some(reason.to_owned()),
            last_after: verify(before_the_break.clone()).last_after,
            keys: verify(before_the_break).keys,
            pins: vec![],
        };
        assert_eq!(verify(&records), expected, "{name}");
    }
}

#[test]
fn edited_events_are_found() {
    const BEFORE: &str = "`before` of the event is not the state that the events before it left";
    const HASHED: &str = "the event is not the one that was hashed when it was stored";
    is_found(&[
        (
            "the leaf hash",
            |log| log[2].leaf = Some([0; 32]),
            2,
            HASHED,
        ),
        (
            "the body",
            |log| {
                let leaf = log[2].leaf;
                edit(&mut log[2], "key_1", "key_2");
                log[2].leaf = leaf;
            },
            2,
            HASHED,
        ),
        ("no body", |log| log[6].body.clear(), 6, HASHED),
        (
            "bytes",
            |log| {
                log[0] = Record {
                    body: vec![0xff],
                    leaf: None,
                    ..log[0].clone()
                }
            },
            0,
            "the event is not an `al.audit/v1` event: line 1, column 1",
        ),
        (
            "the spelling",
            |log| edit(&mut log[2], ",\"added\"", ", \"added\""),
            2,
            "the event is not in canonical form",
        ),
        (
            "the index",
            |log| edit(&mut log[3], "\"seq\":3", "\"seq\":4"),
            3,
            "the event was appended as event `4`",
        ),
        (
            "the kind",
            |log| edit(&mut log[3], "key_revoked", "import"),
            3,
            "`changes` of the event is null",
        ),
        (
            "the state left",
            |log| edit(&mut log[2], &hex(&B), &hex(&GENESIS)),
            4,
            BEFORE,
        ),
        (
            "the state found",
            |log| edit(&mut log[2], &hex(&A), &hex(&GENESIS)),
            2,
            BEFORE,
        ),
        (
            "the state found first",
            |log| edit(&mut log[1], &hex(&GENESIS), &hex(&B)),
            1,
            BEFORE,
        ),
    ]);
}

#[test]
fn edited_names_and_counts_are_found() {
    is_found(&[
        (
            "other names",
            |log| log[2].names = log[1].names.clone(),
            2,
            "the names are not those of the event",
        ),
        (
            "their spelling",
            |log| log[2].names.push(b' '),
            2,
            "the names are not in canonical form",
        ),
        (
            "no names",
            |log| log[2].names.clear(),
            2,
            "the names are not lists of names: line 1, column 0",
        ),
        (
            "names of no text",
            |log| log[2].names = vec![0xff],
            2,
            "the names are not lists of names: line 1, column 1",
        ),
        (
            "names for a key",
            |log| log[3].names = log[2].names.clone(),
            3,
            "the event has names, which its kind does not use",
        ),
        (
            "added",
            |log| edit(&mut log[2], "\"added\":1", "\"added\":2"),
            2,
            "`added` of the event does not count its names",
        ),
        (
            "deleted",
            |log| edit(&mut log[4], "\"deleted\":1", "\"deleted\":0"),
            4,
            "`deleted` of the event does not count its names",
        ),
        (
            "modified",
            |log| edit(&mut log[1], "\"modified\":0", "\"modified\":1"),
            1,
            "`modified` of the event does not count its names",
        ),
        (
            "other keys",
            |log| log[6].names = keys(&["other"], &[]).to_bytes(),
            6,
            "the names are not those of the event",
        ),
        (
            "no new key",
            |log| log[6] = rotation(WORKSPACE, 6, &keys(&[], &[])),
            6,
            "the names are not one new verification key",
        ),
        (
            "two new keys",
            |log| log[6] = rotation(WORKSPACE, 6, &keys(&["new", "newer"], &[])),
            6,
            "the names are not one new verification key",
        ),
        (
            "a modified key",
            |log| log[6] = rotation(WORKSPACE, 6, &keys(&["new"], &["changed"])),
            6,
            "the names are not one new verification key",
        ),
    ]);
}

#[test]
fn moved_events_are_found() {
    const OTHER_LOG: &str =
        "the event belongs to the log `al/01890a5d-ac96-774b-bcce-000000000000`";
    is_found(&[
        (
            "delete the first",
            |log| drop(log.remove(0)),
            0,
            "event `0` is missing",
        ),
        (
            "delete in the middle",
            |log| drop(log.remove(2)),
            2,
            "event `2` is missing",
        ),
        (
            "delete, renumber the rows",
            |log| {
                log.remove(3);
                for (seq, record) in (0..).zip(log) {
                    record.seq = seq;
                }
            },
            3,
            "the event was appended as event `4`",
        ),
        (
            "delete, renumber rows and events",
            |log| {
                log.remove(2);
                for (seq, record) in (2..).zip(&mut log[2..]) {
                    edit(
                        record,
                        &format!("\"seq\":{}", record.seq),
                        &format!("\"seq\":{seq}"),
                    );
                    record.seq = seq;
                }
            },
            3,
            "`before` of the event is not the state that the events before it left",
        ),
        (
            "reorder the rows",
            |log| log.swap(2, 3),
            2,
            "event `2` is missing",
        ),
        (
            "exchange two events",
            |log| {
                log.swap(2, 3);
                log[2].seq = 2;
                log[3].seq = 3;
            },
            2,
            "the event was appended as event `3`",
        ),
        (
            "replay a row",
            |log| log.insert(3, log[2].clone()),
            3,
            "event `3` is missing",
        ),
        (
            "replay an event",
            |log| {
                log.push(Record {
                    seq: 7,
                    ..log[5].clone()
                });
            },
            7,
            "the event was appended as event `5`",
        ),
        (
            "another workspace's event",
            |log| log[3] = key(Kind::KeyRevoked, OTHER, 3),
            3,
            OTHER_LOG,
        ),
        (
            "another workspace's log",
            |records| *records = log(OTHER),
            0,
            OTHER_LOG,
        ),
        (
            "two breaks",
            |log| {
                log[5].names.clear();
                log.remove(2);
            },
            2,
            "event `2` is missing",
        ),
    ]);
}

/// What only a root kept elsewhere can show.
#[test]
fn careful_tampering_shows_in_the_root_alone() {
    type Row = (&'static str, fn(&mut Vec<Record>), u64);
    let rows: &[Row] = &[
        (
            "edit a body and its leaf hash",
            |log| edit(&mut log[2], "key_1", "key_2"),
            7,
        ),
        ("cut the end", |log| log.truncate(4), 4),
        ("empty the log", Vec::clear, 0),
    ];
    let honest = verify(&log(WORKSPACE));
    for &(name, tamper, size) in rows {
        let mut records = log(WORKSPACE);
        tamper(&mut records);
        let found = verify(&records);
        assert_eq!((found.first_broken_seq, found.size), (None, size), "{name}");
        assert_ne!(found.root, honest.root, "{name}");
    }
}

/// The checkpoint of the first `size` events of the honest log.
fn pin(size: usize) -> Checkpoint {
    pin_of(WORKSPACE, &log(WORKSPACE)[..size])
}

fn pin_of(workspace: &str, records: &[Record]) -> Checkpoint {
    let tree = Tree::of(records.iter().map(|record| leaf_hash(&record.body)));
    Checkpoint::of(&log_name(workspace), &tree)
}

/// A way to change stored records, and what the kept checkpoints say about the result.
type Pinned = (
    &'static str,
    fn(&mut Vec<Record>),
    Vec<Checkpoint>,
    Vec<PinResult>,
);

#[test]
fn logs_are_held_against_checkpoints() {
    use PinResult::{Consistent, Forked, Truncated};
    let forged = |size: u64, root: Hash| {
        let tree = Tree::of([root]);
        let root = Checkpoint::of("al/x", &tree).to_line();
        let root = root.rsplit(' ').next().unwrap_or_default();
        let text = format!("{}\n{size}\n{root}\n", log_name(WORKSPACE));
        Checkpoint::parse(text.as_bytes()).unwrap()
    };
    let all: Vec<_> = (0..=7).map(pin).collect();
    let rows: Vec<Pinned> = vec![
        ("no pins", |_| (), vec![], vec![]),
        ("every size", |_| (), all.clone(), vec![Consistent; 8]),
        (
            "the largest first, one twice",
            |_| (),
            vec![pin(7), pin(0), pin(3), pin(3)],
            vec![Consistent; 4],
        ),
        (
            "an edit that leaves the event well-formed",
            |log| edit(&mut log[2], "key_1", "key_2"),
            all.clone(),
            vec![
                Consistent, Consistent, Consistent, Forked, Forked, Forked, Forked, Forked,
            ],
        ),
        (
            "the end cut off",
            |log| log.truncate(5),
            all.clone(),
            vec![
                Consistent, Consistent, Consistent, Consistent, Consistent, Consistent, Truncated,
                Truncated,
            ],
        ),
        (
            "emptied",
            Vec::clear,
            vec![pin(0), pin(1), pin(7)],
            vec![Consistent, Truncated, Truncated],
        ),
        (
            "cut off, and gone another way",
            |log| {
                log.truncate(3);
                log.push(key(Kind::KeyCreated, WORKSPACE, 3));
            },
            vec![pin(3), pin(4), pin(5)],
            vec![Consistent, Forked, Truncated],
        ),
        (
            "another log of the same events, and of none",
            |_| (),
            vec![
                pin_of(OTHER, &log(WORKSPACE)),
                pin_of(OTHER, &[]),
                pin_of(OTHER, &log(OTHER)),
                pin(7),
            ],
            vec![Forked, Forked, Forked, Consistent],
        ),
        (
            "another log, larger than this one",
            |log| log.truncate(2),
            vec![pin_of(OTHER, &log(OTHER))],
            vec![Forked],
        ),
        (
            "a root that never was",
            |_| (),
            vec![forged(4, [9; 32]), forged(8, [9; 32])],
            vec![Forked, Truncated],
        ),
    ];
    for (name, tamper, pins, results) in rows {
        let mut records = log(WORKSPACE);
        tamper(&mut records);
        // Pins add what they say, and change nothing else.
        let expected = Verification {
            pins: results,
            ..verify(&records)
        };
        assert_eq!(verify_against(&pins, &records), expected, "{name}");
    }
}

/// The roots are those of the stored bytes: a broken event does not hide what pins say about the rest.
#[test]
fn pins_are_judged_behind_a_broken_event_too() {
    let mut records = log(WORKSPACE);
    records[1].names.clear();
    let found = verify_against(&[pin(1), pin(2), pin(7)], &records);
    let expected = Verification {
        pins: vec![PinResult::Consistent; 3],
        ..verify(&records)
    };
    assert_eq!((found.first_broken_seq, &found), (Some(1), &expected));
}

/// A log that begins with a key and then rotates, each row a list of the new key and the one before.
fn rotated(rows: &[(&str, &[&str])]) -> Vec<Record> {
    let rotate = |(seq, (new, old)): (usize, &(&str, &[&str]))| {
        let names = Names {
            added: vec![vkey(new).to_string()],
            deactivated: old.iter().map(|old| vkey(old).to_string()).collect(),
            modified: vec![],
        };
        rotation(WORKSPACE, seq as u64, &names)
    };
    rows.iter().enumerate().map(rotate).collect()
}

#[test]
fn keys_follow_each_other() {
    const BEFORE: &str = "the event does not name the key before, which signed until then";
    const AGAIN: &str = "the event names a key that was in use before";
    type Row<'a> = (&'a [(&'a str, &'a [&'a str])], Option<(u64, &'a str)>);
    let rows: [Row<'_>; 8] = [
        (&[("a", &[])], None),
        (&[("a", &["z"])], None),
        (&[("a", &[]), ("b", &["a"]), ("c", &["b"])], None),
        (&[("a", &[]), ("b", &[])], Some((1, BEFORE))),
        (&[("a", &[]), ("b", &["z"])], Some((1, BEFORE))),
        (&[("a", &["a"])], Some((0, AGAIN))),
        (
            &[("a", &[]), ("b", &["a"]), ("a", &["b"])],
            Some((2, AGAIN)),
        ),
        (&[("a", &["z"]), ("z", &["a"])], Some((1, AGAIN))),
    ];
    for (rotations, broken) in rows {
        let found = verify(&rotated(rotations));
        let broken = broken.map(|(seq, reason)| (seq, reason.to_owned()));
        assert_eq!(
            found.first_broken_seq.zip(found.reason),
            broken,
            "{rotations:?}"
        );
    }
    let foreign = SigningKey::new("al/other", KeyType::Log, [1; 32]).unwrap();
    let witness = SigningKey::new(&log_name(WORKSPACE), KeyType::Witness, [1; 32]).unwrap();
    for key in [foreign, witness] {
        let names = Names {
            added: vec![key.verifying_key().to_string()],
            ..Names::default()
        };
        let found = verify(&[rotation(WORKSPACE, 0, &names)]);
        let reason = "the event names a key of another log, or of a witness";
        assert_eq!(found.reason.as_deref(), Some(reason));
    }
}

/// A checkpoint is signed by the key that the log named then; that of a rotation by both.
#[test]
fn each_key_signs_in_its_time() {
    let mut records = vec![key(Kind::KeyCreated, WORKSPACE, 0)];
    let names = |new: &str, old: &[&str]| Names {
        added: vec![vkey(new).to_string()],
        deactivated: old.iter().map(|old| vkey(old).to_string()).collect(),
        modified: vec![],
    };
    records.push(rotation(WORKSPACE, 1, &names("b", &["a"])));
    records.push(key(Kind::KeyCreated, WORKSPACE, 2));
    records.push(rotation(WORKSPACE, 3, &names("c", &["b"])));
    let keys = verify(&records).keys;
    // The key, and at which of the sizes 1 to 6 it signs; before the first rotation the log names nobody.
    for (word, signs) in [
        ("a", [true, true, false, false, false, false]),
        ("b", [true, true, true, true, false, false]),
        ("c", [true, false, false, true, true, true]),
        ("other", [true, false, false, false, false, false]),
    ] {
        let found = [1, 2, 3, 4, 5, 6].map(|size| keys.may_sign(&vkey(word), size));
        assert_eq!(found, signs, "{word}");
    }
    let root = Tree::of(records.iter().map(|record| leaf_hash(&record.body))).root();
    let current = NamedKey {
        key: vkey("c"),
        before: Some(vkey("b")),
        size: 4,
        root,
    };
    assert_eq!(keys.current(), Some(&current));
}
