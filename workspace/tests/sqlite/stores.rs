//! Stores that are not there, not ours or not well.

use std::fs;
use std::path::Path;

use crate::backend::sql_in;
use crate::common::{World, local, refusal};
use lattice_core::view::KeyKind;
use lattice_core::{Code, Error};
use lattice_workspace::{
    Location, Reader, create_key, create_workspace, list_workspaces, show_workspace,
};

/// The refusals of a read, of a write and of a creation at `path`, where they refuse.
fn refusals(world: &World, path: &Path) -> [Option<String>; 3] {
    let store = Location::Sqlite(path.to_owned()).open();
    let message = |refused: Option<Error>| {
        refused.map(|error| {
            let (code, message) = refusal(Err::<(), _>(error));
            assert_eq!(code, Code::StoreUnavailable, "{message}");
            message.replace(&path.display().to_string(), "PATH")
        })
    };
    [
        message(list_workspaces(&*store).err()),
        message(
            create_key(
                &*store,
                &local("dev"),
                KeyKind::Service,
                None,
                &world.ambient(),
            )
            .err(),
        ),
        message(create_workspace(&*store, "new", None, &world.ambient()).err()),
    ]
}

fn all(message: &str) -> [Option<String>; 3] {
    [(); 3].map(|()| Some(message.to_owned()))
}

#[test]
fn a_missing_store_is_made_by_creation_alone() {
    let world = World::new();
    let path = world.dir.path().join("a/b/al.db");
    let missing = Some("the store `PATH` does not exist".to_owned());
    let found = refusals(&world, &path);
    assert_eq!(found, [missing.clone(), missing, None]);
    assert!(path.is_file());
}

#[test]
fn a_missing_store_leaves_no_file_and_no_folder() {
    let world = World::new();
    let path = world.dir.path().join("a/al.db");
    let store = Location::Sqlite(path).open();
    assert!(list_workspaces(&*store).is_err());
    assert!(
        create_key(
            &*store,
            &local("dev"),
            KeyKind::Agent,
            None,
            &world.ambient()
        )
        .is_err()
    );
    assert_eq!(fs::read_dir(world.dir.path()).unwrap().count(), 0);
}

#[test]
fn an_empty_file_is_a_store_that_is_yet_to_be_created() {
    let world = World::new();
    fs::write(world.path(), "").unwrap();
    let empty = Some("the store `PATH` is empty".to_owned());
    assert_eq!(
        refusals(&world, &world.path()),
        [empty.clone(), empty, None]
    );
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let world = World::new();
    let text = "policies: []\n".repeat(1000);
    fs::write(world.path(), &text).unwrap();
    let refused = refusals(&world, &world.path());
    assert_eq!(
        refused,
        all("the store `PATH` is not a store of workspaces")
    );
    assert_eq!(fs::read_to_string(world.path()).unwrap(), text);
}

#[test]
fn a_folder_is_refused() {
    let world = World::new();
    let refused = refusals(&world, world.dir.path());
    assert_eq!(refused, all("the store `PATH` is a folder"));
}

#[cfg(unix)]
#[test]
fn a_device_is_refused() {
    let world = World::new();
    let refused = refusals(&world, Path::new("/dev/null"));
    assert_eq!(refused, all("the store `PATH` is not a regular file"));
}

#[cfg(unix)]
#[test]
fn a_path_through_a_file_is_refused() {
    let world = World::new();
    fs::write(world.dir.path().join("file"), "").unwrap();
    let path = world.dir.path().join("file/al.db");
    let [read, write, create] = refusals(&world, &path);
    let cannot = Some("the store `PATH` cannot be opened: not a directory".to_owned());
    assert_eq!((&read, &write), (&cannot, &cannot));
    assert!(create.unwrap().starts_with("the folder `"));
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let world = World::new();
    world.sql("CREATE TABLE note (text); INSERT INTO note VALUES ('mine');");
    let before = fs::read(world.path()).unwrap();
    let refused = refusals(&world, &world.path());
    assert_eq!(
        refused,
        all("the store `PATH` is the database of another program")
    );
    assert_eq!(fs::read(world.path()).unwrap(), before);
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let (world, _) = World::with_dev();
    world.sql("PRAGMA user_version = 1000; ALTER TABLE policy RENAME TO rule;");
    let before = fs::read(world.path()).unwrap();
    let refused = refusals(&world, &world.path());
    assert_eq!(
        refused,
        all("the store `PATH` was made by a newer version of al")
    );
    assert_eq!(fs::read(world.path()).unwrap(), before);
}

/// Version 0 never was released; it has the marker of a store and none of its tables.
#[test]
fn a_store_of_an_older_version_is_migrated_by_writing_alone() {
    let world = World::new();
    world.sql("PRAGMA application_id = 1281455220; CREATE TABLE kept (x);");
    let before = fs::read(world.path()).unwrap();
    assert_eq!(
        refusal(list_workspaces(&*world.store)),
        (
            Code::StoreUnavailable,
            format!(
                "the store `{}` was made by an older version of al",
                world.path().display()
            )
        )
    );
    assert_eq!(fs::read(world.path()).unwrap(), before);

    // A writing command that is refused undoes its migration.
    let refused = create_key(
        &*world.store,
        &local("dev"),
        KeyKind::Agent,
        None,
        &world.ambient(),
    );
    assert_eq!(refusal(refused).0, Code::Usage);
    assert_eq!(world.rows("SELECT name FROM sqlite_schema"), ["kept"]);

    world.create("dev");
    assert_eq!(list_workspaces(&*world.store).unwrap().workspaces.len(), 1);
    assert_eq!(world.rows("PRAGMA user_version"), ["1"]);
}

/// Whoever is about to import sees the store as the import will migrate it, and leaves it to the import to do so.
#[test]
fn a_look_before_an_import_migrates_nothing() {
    let world = World::new();
    world.sql("PRAGMA application_id = 1281455220; PRAGMA journal_mode = wal");
    let before = fs::read(world.path()).unwrap();
    let read = world.store.read_migrated().unwrap();
    assert_eq!(read.workspaces().unwrap(), []);
    drop(read);
    assert_eq!(fs::read(world.path()).unwrap(), before);

    let missing = World::new();
    let message = format!("the store `{}` does not exist", missing.path().display());
    assert_eq!(
        refusal(missing.store.read_migrated()),
        (Code::StoreUnavailable, message)
    );
    assert!(!missing.path().exists());
}

/// With a store of this version, planning stays outside the write lock.
#[test]
fn a_look_before_an_import_takes_the_lock_only_of_an_older_store() {
    let (world, key) = World::with_dev();
    let blocker = rusqlite::Connection::open(world.path()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let reader = Reader::open_to_import(&*world.store, &key, Some("dev")).unwrap();
    assert_eq!(reader.workspace().name, "dev");
}

/// Who may write everything, as root may, is not stopped by permissions; everyone else is told.
#[cfg(unix)]
#[test]
fn a_store_without_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let permit = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let unwritable = Some("the store `PATH` cannot be written");
    let unopened = Some("the store `PATH` cannot be opened");
    let rows = [
        (0o400, 0o700, [None, unwritable, unwritable]),
        (0o600, 0o500, [unwritable; 3]),
        (0o000, 0o700, [unopened; 3]),
    ];
    for (file, folder, refused) in rows {
        let (world, _) = World::with_dev();
        let probe = world.dir.path().join("probe");
        fs::write(&probe, "").unwrap();
        permit(&probe, 0o000);
        let is_root = fs::read(&probe).is_ok();

        permit(&world.path(), file);
        permit(world.dir.path(), folder);
        let found = refusals(&world, &world.path());
        permit(world.dir.path(), 0o700);
        let expected = refused.map(|message| message.filter(|_| !is_root).map(str::to_owned));
        assert_eq!(found, expected, "{file:o} {folder:o}");
    }
}

#[test]
fn a_damaged_store_is_refused_without_a_panic() {
    let (world, key) = World::with_dev();
    let whole = fs::read(world.path()).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(world.path(), bytes).unwrap();
        let caller = lattice_workspace::Caller::Key(key.clone());
        let shown = show_workspace(&*world.store, &caller);
        let created = create_key(
            &*world.store,
            &caller,
            KeyKind::Agent,
            None,
            &world.ambient(),
        );
        [shown.err(), created.err()]
    };
    let codes = |bytes: &[u8]| refused(bytes).map(|error| error.map(|error| error.code()));
    assert_eq!(
        codes(&whole[..whole.len() / 2]),
        [Some(Code::StoreUnavailable); 2]
    );
    for page in 1..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..][..4096].fill(0xa5);
        for error in refused(&damaged).into_iter().flatten() {
            assert_ne!(error.code(), Code::Internal, "page {page}: {error}");
        }
    }
}

/// SQLite takes `file:` for a URI, and `:memory:` for no file at all.
#[test]
fn a_path_that_sqlite_would_read_otherwise_is_a_path() {
    let world = World::new();
    let path = world.dir.path().join("file:al?mode=memory.db");
    let store = Location::Sqlite(path.clone()).open();
    create_workspace(&*store, "dev", None, &world.ambient()).unwrap();
    assert!(path.is_file());
}

#[test]
fn a_store_that_is_locked_too_long_is_unavailable() {
    let (world, _) = World::with_dev();
    let blocker = rusqlite::Connection::open(world.path()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Readers do not wait for the writer.
    assert_eq!(list_workspaces(&*world.store).unwrap().workspaces.len(), 1);
    let refused = create_key(
        &*world.store,
        &local("dev"),
        KeyKind::Agent,
        None,
        &world.ambient(),
    );
    assert_eq!(
        refusal(refused),
        (
            Code::StoreUnavailable,
            format!(
                "the store `{}` has been locked by another process for more than 10 seconds",
                world.path().display()
            )
        )
    );
}

#[test]
fn many_create_the_same_store_at_once() {
    let world = World::new();
    let path = world.path();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let store = Location::Sqlite(path.clone()).open();
                create_workspace(&*store, &format!("w{n}"), None, &crate::common::ambient(n))
                    .unwrap();
            });
        }
    });
    assert_eq!(list_workspaces(&*world.store).unwrap().workspaces.len(), 8);
    sql_in(&path, "PRAGMA integrity_check");
    assert_eq!(world.rows("PRAGMA journal_mode"), ["wal"]);
}
