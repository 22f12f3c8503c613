//! What an audit log shows of each attack, and what it does not: the table of `docs/audit.md`, row by row, on real files.

use std::fs;

use crate::common::{Place, World, manifest};
use lattice_core::Code;
use lattice_core::audit::{
    Checkpoint, Event, Extension, KeyType, Record, SigningKey, Tree, VerifyingKey, leaf_hash,
};
use lattice_core::hash::hex;
use lattice_core::view::{KeyKind, Mode};
use lattice_workspace::store::Head;
use lattice_workspace::{Kept, Key};

/// What lies in the file of the pin after the attack, if that is another checkpoint than before.
type Attack = fn(&Scene) -> Option<Checkpoint>;

/// Every row of the table, in its order.
const ATTACKS: [(&str, Attack); 20] = [
    ("nothing", |_| None),
    ("edits an event", |scene| {
        scene.sql("UPDATE audit_event SET body = replace(body, '\"added\":2', '\"added\":1') WHERE seq = 1");
        None
    }),
    ("edits the names of an event", |scene| {
        scene.sql("UPDATE audit_event SET names = replace(names, '\"a\"', '\"z\"') WHERE seq = 1");
        None
    }),
    ("deletes an event in the middle", |scene| {
        scene.sql("DELETE FROM audit_event WHERE seq = 2");
        None
    }),
    ("swaps two events", |scene| {
        scene.sql(
            "UPDATE audit_event SET seq = seq + 100 WHERE seq IN (2, 3);
             UPDATE audit_event SET seq = 105 - seq WHERE seq > 100",
        );
        None
    }),
    ("appends a copy of an earlier event", |scene| {
        scene.rewrite(|records| {
            let mut copy = records[1].clone();
            copy.seq = records.len() as u64;
            records.push(copy);
        });
        None
    }),
    ("puts an event of another workspace in its place", |scene| {
        let other = scene.world.create("other");
        scene
            .world
            .import(&other, &manifest(&[("a", false)]), Mode::Additive);
        let id = scene.world.reader(&other).workspace().id;
        let row = format!("SELECT body FROM audit_event WHERE workspace = '{id}' AND seq = 1");
        let body = scene.world.rows(&row).remove(0).into_bytes();
        scene.rewrite(|records| records[1].body = body);
        None
    }),
    ("gives life again to a key that was revoked", |scene| {
        scene.sql("UPDATE access_key SET revoked_at = NULL");
        None
    }),
    (
        "changes a circuit breaker, or the name of the workspace",
        |scene| {
            scene.sql("INSERT INTO breaker SELECT id, 'x', '1', 'NONE' FROM workspace");
            scene.sql("UPDATE workspace SET name = 'prod'");
            None
        },
    ),
    ("changes a policy, and leaves the log alone", |scene| {
        scene.sql("UPDATE policy SET approval_required = FALSE WHERE name = 'a'");
        None
    }),
    (
        "changes a policy, and logs an import that never was",
        |scene| {
            scene.sql("UPDATE policy SET approval_required = FALSE WHERE name = 'a'");
            let after = hex(&scene.digest());
            scene.rewrite(|records| {
                let mut event = Event::parse(&records[1].body).unwrap();
                let last = records.last().unwrap();
                event.before = Event::parse(&last.body).unwrap().after;
                event.after = Some(after);
                event.seq = records.len() as u64;
                records.push(Record {
                    seq: event.seq,
                    body: event.to_bytes(),
                    names: records[1].names.clone(),
                    leaf: None,
                });
            });
            None
        },
    ),
    ("rewrites an event, and every hash behind it", |scene| {
        scene.rewrite(|records| edit_actor(records));
        None
    }),
    (
        "cuts off the last event, and puts the policies back",
        |scene| {
            scene.sql("UPDATE policy SET approval_required = FALSE WHERE name = 'a'");
            scene.sql("UPDATE policy SET active = TRUE WHERE name = 'b'");
            scene.rewrite(|records| {
                records.pop();
            });
            None
        },
    ),
    ("cuts off what came after the checkpoint", |scene| {
        let planned = scene
            .world
            .plan(&scene.key, &manifest(&[("a", true)]), Mode::Additive);
        let ambient = scene.world.ambient();
        lattice_workspace::import(&*scene.world.store, &scene.key, &planned, &ambient).unwrap();
        scene.rewrite(|records| {
            records.pop();
        });
        None
    }),
    ("deletes the whole log, and the policies", |scene| {
        scene.sql("DELETE FROM policy");
        scene.rewrite(Vec::clear);
        None
    }),
    ("restores an old copy of the store", |scene| {
        scene.restore();
        None
    }),
    ("goes on with two copies of the store", |scene| {
        scene.restore();
        scene
            .world
            .import(&scene.key, &manifest(&[("c", false)]), Mode::Additive);
        None
    }),
    ("turns back the clock of the machine", |scene| {
        let planned = scene
            .world
            .plan(&scene.key, &manifest(&[("a", true)]), Mode::Additive);
        let ambient = crate::common::ambient(0);
        lattice_workspace::import(&*scene.world.store, &scene.key, &planned, &ambient).unwrap();
        None
    }),
    (
        "rewrites an event, every hash, and the kept checkpoint",
        |scene| {
            scene.rewrite(|records| edit_actor(records));
            Some(scene.head())
        },
    ),
    ("the same, with the stolen key of the log", |scene| {
        scene.rewrite(|records| edit_actor(records));
        Some(scene.head().signed(&scene.log_key).unwrap())
    }),
];

/// Another key did it.
fn edit_actor(records: &mut [Record]) {
    let mut event = Event::parse(&records[1].body).unwrap();
    // Every time another one, so that an edit after an edit is one.
    event.actor = hex(&leaf_hash(event.actor.as_bytes()));
    records[1].body = event.to_bytes();
}

/// A workspace whose log a pipeline and a witness follow.
struct Scene {
    world: World,
    key: Key,
    id: String,
    log_key: SigningKey,
    /// What the pipeline kept: signed by the log, and by the witness.
    kept: Checkpoint,
    log_vkey: VerifyingKey,
    witness_vkey: VerifyingKey,
}

impl Scene {
    fn new() -> Self {
        let (world, key) = World::with_dev();
        world.import(
            &key,
            &manifest(&[("a", false), ("b", false)]),
            Mode::Additive,
        );
        world.create_key(KeyKind::Agent);
        world.place.back_up();
        world.import(&key, &manifest(&[("a", false)]), Mode::Additive);
        world.import(&key, &manifest(&[("a", true)]), Mode::Replace);

        let id = world.reader(&key).workspace().id;
        let log_key = SigningKey::new(&format!("al/{id}"), KeyType::Log, [1; 32]).unwrap();
        let witness = SigningKey::new("witness.example/w1", KeyType::Witness, [2; 32]).unwrap();
        let head = world.reader(&key).signed_head(Some(&log_key)).unwrap();
        let extension = Extension {
            old: 0,
            hashes: Vec::new(),
            checkpoint: head,
        };
        let (kept, _) = extension
            .cosign(None, &[], &witness, 1_775_000_000)
            .unwrap();
        Self {
            world,
            key,
            id,
            kept,
            log_vkey: log_key.verifying_key().clone(),
            witness_vkey: witness.verifying_key().clone(),
            log_key,
        }
    }

    fn sql(&self, sql: &str) {
        self.world.sql(sql);
    }

    /// The state digest of the policies as they are, by whatever means.
    fn digest(&self) -> [u8; 32] {
        self.world
            .plan(&self.key, &manifest(&[]), Mode::Additive)
            .base()
            .digest
    }

    /// The head of the log as the store now has it.
    fn head(&self) -> Checkpoint {
        let reader = self.world.reader(&self.key);
        reader.verify(&[], &[], false).unwrap().checkpoint
    }

    /// Puts other records in the place of the log, with every hash that belongs to them.
    fn rewrite(&self, edit: impl FnOnce(&mut Vec<Record>)) {
        let write = self.world.store.write().unwrap();
        let mut records = write.records(&self.id, 0, 1_000).unwrap();
        drop(write);
        edit(&mut records);
        let id = &self.id;
        let empty = hex(&Tree::new().root());
        self.sql(&format!(
            "DELETE FROM audit_event WHERE workspace = '{id}'; DELETE FROM audit_node WHERE workspace = '{id}';
             UPDATE audit_head SET size = 0, frontier = x'', root = x'{empty}' WHERE workspace = '{id}'"
        ));
        let write = self.world.store.write().unwrap();
        let mut tree = Tree::new();
        for mut record in records {
            let leaf = leaf_hash(&record.body);
            record.leaf = Some(leaf);
            let mut completed = Vec::new();
            tree.append_with(leaf, |node, hash| {
                if node.level > 0 {
                    completed.push((node, hash));
                }
            });
            write
                .append(id, &record, &completed, &Head::of(&tree))
                .unwrap();
        }
        write.commit().unwrap();
    }

    /// Brings back the store as it was after the first import.
    fn restore(&self) {
        self.world.place.restore();
    }

    /// Whether the attack is found by those who have nothing, who ask for the state, who hold the checkpoint, and who ask
    /// for the signature of a witness.
    fn found(&self, pin: Option<Checkpoint>) -> [bool; 4] {
        let checkpoint = pin.unwrap_or_else(|| self.kept.clone());
        let kept = [Kept {
            file: None,
            checkpoint: checkpoint.clone(),
        }];
        let keys = [self.log_vkey.clone(), self.witness_vkey.clone()];
        let rows: [(&[Kept], &[VerifyingKey], bool); 4] = [
            (&[], &[], false),
            (&[], &[], true),
            (&kept, &[], false),
            (&kept, &keys, false),
        ];
        let found = rows.map(|(kept, keys, state)| {
            let reader = self.world.reader(&self.key);
            match reader.verify(kept, keys, state) {
                Ok(verified) => {
                    assert_eq!(verified.verification.valid, verified.reason.is_none());
                    verified.reason.is_some()
                }
                // A checkpoint that the witness never signed is not even held against the log.
                Err(error) => {
                    assert_eq!(error.code(), Code::InvalidCheckpoint, "{error}");
                    true
                }
            }
        });
        // What verification finds, no import builds on.
        let proven = self.world.reader(&self.key).expect_log(Some(&checkpoint));
        assert_eq!(proven.is_err(), found[2]);
        if let Err(error) = proven {
            assert_eq!(error.code(), Code::AuditTampered);
        }
        found
    }
}

/// The rows of the table in the docs: what someone does, and what each of the four finds.
fn documented() -> Vec<(String, [bool; 4])> {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/audit.md");
    let text = fs::read_to_string(docs).unwrap();
    let table = text
        .lines()
        .skip_while(|line| !line.starts_with("| Someone who can write"));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let found = |cell: &str| match cell {
            "found" => true,
            "not found" => false,
            other => panic!("`{other}` in {row}"),
        };
        (
            cells[0].to_owned(),
            [1, 2, 3, 4].map(|cell| found(cells[cell])),
        )
    })
    .collect()
}

#[test]
fn every_attack_is_found_or_not_as_documented() {
    let found = ATTACKS.map(|(name, attack)| {
        let scene = Scene::new();
        let pin = attack(&scene);
        (name.to_owned(), scene.found(pin))
    });
    assert_eq!(found.to_vec(), documented());
}

/// An import of a pipeline that keeps a pin, and had everything ready when the attack came, writes nothing; or it builds on
/// the log that was proven, beside which the attack shows the next time.
#[test]
fn no_import_builds_on_a_log_that_does_not_extend_its_pin() {
    let count = |scene: &Scene| {
        scene
            .world
            .rows("SELECT count(*), max(seq) FROM audit_event")
    };
    let mut refusals = 0;
    for (name, attack) in ATTACKS {
        let scene = Scene::new();
        let reader = scene.world.reader(&scene.key);
        let proven = reader.expect_log(Some(&scene.kept)).unwrap();
        drop(reader);
        let planned = scene
            .world
            .plan(&scene.key, &manifest(&[("d", false)]), Mode::Additive);
        let planned = planned.extending(Some(proven));
        attack(&scene);
        let [_, _, is_found, _] = scene.found(None);
        let before = count(&scene);
        let ambient = scene.world.ambient();
        let imported =
            lattice_workspace::import(&*scene.world.store, &scene.key, &planned, &ambient);
        match imported {
            Ok(imported) => {
                let reader = scene.world.reader(&scene.key);
                let next = reader.expect_log(Some(&imported.checkpoint));
                assert_eq!(next.is_err(), is_found, "{name}");
            }
            Err(error) => {
                // Some attacks are imports themselves, or undo one.
                let codes = [Code::AuditTampered, Code::StateChanged];
                assert!(codes.contains(&error.code()), "{name}: {error}");
                assert_eq!(count(&scene), before, "{name}");
                refusals += 1;
            }
        }
    }
    assert!(refusals >= 8, "{refusals}");
}

/// Events that come between the proof and the import are no reason to refuse it.
#[test]
fn a_key_that_was_made_meanwhile_does_not_stop_an_import() {
    let scene = Scene::new();
    let proven = scene
        .world
        .reader(&scene.key)
        .expect_log(Some(&scene.kept))
        .unwrap();
    let planned = scene
        .world
        .plan(&scene.key, &manifest(&[("d", false)]), Mode::Additive);
    let planned = planned.extending(Some(proven));
    scene.world.create_key(KeyKind::Agent);
    let ambient = scene.world.ambient();
    let imported =
        lattice_workspace::import(&*scene.world.store, &scene.key, &planned, &ambient).unwrap();
    assert_eq!(imported.checkpoint.size(), scene.kept.size() + 2);
    assert!(scene.world.verify(&scene.key).verification.valid);
}
