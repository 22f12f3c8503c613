//! A throw-away store of the backend that the tests are built for, and short ways to use it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "every test file uses some of it, and a test may fail"
)]

use std::cell::Cell;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use lattice_core::audit::{Event, Kind, Names, Record, leaf_hash};
use lattice_core::hash::sha256;
use lattice_core::view::{CreatedKey, KeyKind, Mode};
use lattice_core::{Code, Error, Guard, Manifest};
use lattice_workspace::store::Head;
use lattice_workspace::{
    Ambient, Caller, Imported, Key, Location, Planned, Reader, Store, Verified, create_key,
    create_workspace, import,
};
use tempfile::TempDir;

/// A place for a store, and the ways of someone who does not use al.
pub(crate) trait Place {
    /// Whether the backend itself refuses texts that are not UTF-8, so that nobody can store them.
    const TEXT_IS_UTF8: bool;

    /// A place in the folder `dir` without a store.
    fn new(dir: &Path) -> Self;

    fn location(&self) -> Location;

    /// Edits the store with statements that SQLite and PostgreSQL both know, but for the literals of bytes, which are
    /// SQLite's.
    fn sql(&self, sql: &str);

    /// Every row of a query, its columns as text: `-` for null, `1` and `0` for truths.
    fn rows(&self, sql: &str) -> Vec<String>;

    /// Everything that is stored, down to when it was written if the backend knows that.
    fn contents(&self) -> Vec<u8>;

    /// Whether there is a store.
    fn is_made(&self) -> bool;

    /// Everything that somebody could read who has the disk, as far as a test can.
    fn everything(&self) -> Vec<u8>;

    /// Lets every statement that begins so, such as `INSERT ON policy`, fail with `on fire`.
    fn fail_on(&self, statement: &str);

    /// Keeps a copy of the store.
    fn back_up(&self);

    /// Puts the copy in the place of the store.
    fn restore(&self);
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) place: crate::backend::Backend,
    pub(crate) store: Box<dyn Store>,
    operations: Cell<u64>,
}

impl World {
    /// A folder without a store.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = crate::backend::Backend::new(dir.path());
        let store = place.location().open();
        Self {
            dir,
            place,
            store,
            operations: Cell::new(0),
        }
    }

    /// A store with the workspace `dev`, and its key.
    pub(crate) fn with_dev() -> (Self, Key) {
        let world = Self::new();
        let key = world.create("dev");
        (world, key)
    }

    /// The store as another process opens it.
    pub(crate) fn open(&self) -> Box<dyn Store> {
        self.place.location().open()
    }

    /// A seed that no operation had before, and a minute that is later than all of theirs.
    pub(crate) fn ambient(&self) -> Ambient {
        let n = self.operations.replace(self.operations.get() + 1);
        ambient(n)
    }

    pub(crate) fn create(&self, name: &str) -> Key {
        let created = create_workspace(&*self.store, name, None, &self.ambient()).unwrap();
        Key::parse(&created.service_key).unwrap()
    }

    /// A further key of `dev`.
    pub(crate) fn create_key(&self, kind: KeyKind) -> CreatedKey {
        create_key(&*self.store, &local("dev"), kind, None, &self.ambient()).unwrap()
    }

    pub(crate) fn reader(&self, key: &Key) -> Reader {
        Reader::open(&*self.store, key, KeyKind::Service, None).unwrap()
    }

    /// A plan whose deactivations are allowed, however many there are.
    pub(crate) fn plan(&self, key: &Key, manifest: &Manifest, mode: Mode) -> Planned {
        let planned = self.reader(key).plan(manifest, mode).unwrap();
        let off = planned.plan().summary().deactivated as u64;
        planned.with_guard(Guard::new(None, Some(off)).unwrap())
    }

    pub(crate) fn import(&self, key: &Key, manifest: &Manifest, mode: Mode) -> Imported {
        let planned = self.plan(key, manifest, mode);
        import(&*self.store, key, &planned, &self.ambient()).unwrap()
    }

    pub(crate) fn export(&self, key: &Key) -> String {
        self.reader(key).export(Timestamp::UNIX_EPOCH).unwrap()
    }

    pub(crate) fn verify(&self, key: &Key) -> Verified {
        self.reader(key).verify(&[], &[], true).unwrap()
    }

    /// Appends events to a log, of keys that there are not, until it holds so many.
    pub(crate) fn grow(&self, key: &Key, size: u64) {
        let id = self.reader(key).workspace().id;
        let write = self.store.write().unwrap();
        let mut tree = write.head(&id).unwrap().unwrap().tree().unwrap();
        for seq in tree.size()..size {
            // Every other actor is one whose name JSON escapes.
            let actor = if seq % 2 == 0 { "local" } else { "\"\\\n" };
            let event = Event::key(Kind::KeyCreated, &id, seq, self.ambient().now, actor);
            let body = event.to_bytes();
            let leaf = leaf_hash(&body);
            let record = Record {
                seq,
                body,
                names: Names::default().to_bytes(),
                leaf: Some(leaf),
            };
            tree.append(leaf);
            write.append(&id, &record, &[], &Head::of(&tree)).unwrap();
        }
        write.commit().unwrap();
    }

    pub(crate) fn sql(&self, sql: &str) {
        self.place.sql(sql);
    }

    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.place.rows(sql)
    }

    pub(crate) fn contents(&self) -> Vec<u8> {
        self.place.contents()
    }
}

pub(crate) fn ambient(n: u64) -> Ambient {
    let mut seed = [0; 64];
    seed[..32].copy_from_slice(&sha256(&n.to_le_bytes()));
    seed[32..].copy_from_slice(&sha256(&(!n).to_le_bytes()));
    let start: Timestamp = "2026-04-01T10:00:00Z".parse().unwrap();
    Ambient {
        now: start + SignedDuration::from_mins(n.try_into().unwrap()),
        seed,
    }
}

pub(crate) fn local(workspace: &str) -> Caller {
    Caller::Local {
        workspace: workspace.to_owned(),
    }
}

pub(crate) fn key_of(created: &CreatedKey) -> Key {
    Key::parse(&created.key).unwrap()
}

/// The manifest of [`manifest_text`].
pub(crate) fn manifest(policies: &[(&str, bool)]) -> Manifest {
    Manifest::parse(manifest_text(policies).as_bytes()).unwrap()
}

/// A manifest of policies: the name of each, and whether it asks for approval.
pub(crate) fn manifest_text(policies: &[(&str, bool)]) -> String {
    let items: Vec<_> = policies
        .iter()
        .map(|(name, approval)| {
            format!(
                "\n  - name: {name}\n    action_type: deploy.{name}\n    approval_required: {approval}\n    \
                 allowed_repos: null\n    allowed_branches: [main]\n    conditions: null"
            )
        })
        .collect();
    let list = if items.is_empty() {
        " []".to_owned()
    } else {
        items.concat()
    };
    format!("manifest_version: '1.0'\npolicies:{list}\n")
}

/// The code and the message of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> (Code, String) {
    let error = result.unwrap_err();
    let helped = error
        .diagnostics()
        .all(|diagnostic| diagnostic.help.is_some());
    assert!(helped, "{error:?}");
    (error.code(), error.message().to_owned())
}
