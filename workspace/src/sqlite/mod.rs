//! Workspaces in an SQLite file.
//!
//! The file is in WAL mode, so that readers and the one writer do not wait for each other, and commits are flushed
//! to the disk (`synchronous = FULL`): an audit event whose checkpoint someone keeps must survive a power cut.

mod read;
mod schema;
mod write;

use std::fs;
use std::io::ErrorKind;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use lattice_core::{Code, Error};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Row};

use crate::store::{Read, Store, Write};
use schema::{Format, STEPS};

/// How long an operation waits for another process to let go of the file.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Bytes of a page of a new file. An empty store is larger for it, by some 200 KiB; the log beside it is not, as it is written
/// back after fewer pages than SQLite's default.
const PAGE_SIZE: u32 = 16 * 1024;

/// The store in one SQLite file.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    path: PathBuf,
}

impl SqliteStore {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }
}

impl Store for SqliteStore {
    fn create(&self) -> Result<Box<dyn Write>, Error> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| no_folder(folder, error.kind()))?;
        }
        if fs::exists(&self.path).unwrap_or(true) {
            check_file(&self.path)?;
        }
        let transaction = Transaction::open(&self.path, OpenFlags::SQLITE_OPEN_CREATE)?;
        Ok(Box::new(transaction.begin_to_write(true)?))
    }

    fn read(&self) -> Result<Box<dyn Read>, Error> {
        check_file(&self.path)?;
        Ok(Box::new(Transaction::open_to_read(&self.path)?))
    }

    fn write(&self) -> Result<Box<dyn Write>, Error> {
        check_file(&self.path)?;
        let transaction = Transaction::open(&self.path, OpenFlags::empty())?;
        Ok(Box::new(transaction.begin_to_write(false)?))
    }

    fn read_migrated(&self) -> Result<Box<dyn Read>, Error> {
        check_file(&self.path)?;
        let transaction = Transaction::open(&self.path, OpenFlags::empty())?;
        if transaction.needs_migration(false)? {
            // INVARIANT: a `dyn Read` cannot be committed, and so its migration is undone.
            Ok(Box::new(transaction.begin_to_write(false)?))
        } else {
            self.read()
        }
    }
}

/// Marks a transaction that can only read: its file is opened read-only, too.
#[derive(Debug)]
struct ReadOnly;

/// Marks a transaction that may write. It holds the write lock from [`Transaction::begin_to_write`] on.
#[derive(Debug)]
struct ReadWrite;

/// An open transaction; dropping it closes the connection, which rolls back what was not committed.
#[derive(Debug)]
struct Transaction<Access> {
    path: PathBuf,
    connection: Connection,
    access: PhantomData<Access>,
}

impl Transaction<ReadOnly> {
    fn open_to_read(path: &Path) -> Result<Self, Error> {
        let transaction = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // The first read, that of the format, fixes the snapshot.
        transaction.run(|connection| connection.execute_batch("BEGIN"))?;
        match transaction.format()? {
            Format::Current => Ok(transaction),
            Format::Older(_) => Err(older(path)),
            Format::Empty => Err(empty(path)),
            Format::Newer => Err(newer(path)),
            Format::Foreign => Err(foreign(path)),
        }
    }
}

impl Transaction<ReadWrite> {
    fn open(path: &Path, flags: OpenFlags) -> Result<Self, Error> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | flags)
    }

    fn begin_to_write(self, create: bool) -> Result<Self, Error> {
        // Before anything is set: not even its journal mode changes in a file that is not ours.
        self.needs_migration(create)?;
        if create {
            self.set_page_size()?;
        }
        self.set_wal()?;
        self.run(|connection| {
            connection.execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 250; BEGIN IMMEDIATE",
            )
        })?;
        // Once more under the lock: another process may have migrated the file meanwhile.
        if let Some(taken) = self.migration(create)? {
            self.run(|connection| schema::migrate(connection, STEPS, taken))?;
        }
        Ok(self)
    }

    /// Gives a new file pages that hold some fifty policies: fewer of them have to be written and put in balance than
    /// of SQLite's default. A file that has its pages keeps them.
    fn set_page_size(&self) -> Result<(), Error> {
        self.run(|connection| connection.pragma_update(None, "page_size", PAGE_SIZE))
    }

    /// Puts the file into WAL mode, where it stays. SQLite does not wait by itself when two processes do so with the
    /// same new file.
    fn set_wal(&self) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            let set = self.connection.execute_batch("PRAGMA journal_mode = WAL");
            match set {
                Err(error) if is_locked(&error) && start.elapsed() < LOCK_WAIT => {
                    thread::sleep(Duration::from_millis(10));
                }
                set => return set.map_err(|error| failed(&self.path, &error)),
            }
        }
    }

    /// Whether the file needs a migration, asked without the lock. In one transaction all the same: another process
    /// may be making the tables just now.
    fn needs_migration(&self, create: bool) -> Result<bool, Error> {
        self.run(|connection| connection.execute_batch("BEGIN"))?;
        let migration = self.migration(create)?;
        self.run(|connection| connection.execute_batch("COMMIT"))?;
        Ok(migration.is_some())
    }

    /// After how many steps a migration has to begin, if one is needed.
    fn migration(&self, create: bool) -> Result<Option<usize>, Error> {
        match self.format()? {
            Format::Current => Ok(None),
            Format::Older(taken) => Ok(Some(taken)),
            Format::Empty if create => Ok(Some(0)),
            Format::Empty => Err(empty(&self.path)),
            Format::Newer => Err(newer(&self.path)),
            Format::Foreign => Err(foreign(&self.path)),
        }
    }
}

impl<Access> Transaction<Access> {
    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, Error> {
        // Relative to `.`, a name such as `file:x` or `:memory:` is the name of a file for SQLite, too.
        let file = if path.is_relative() {
            Path::new(".").join(path)
        } else {
            path.to_owned()
        };
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)
            .and_then(|connection| {
                connection.busy_timeout(LOCK_WAIT)?;
                Ok(connection)
            })
            .map_err(|error| failed(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            connection,
            access: PhantomData,
        })
    }

    fn format(&self) -> Result<Format, Error> {
        self.run(|connection| schema::format(connection, STEPS))
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        work(&self.connection).map_err(|error| failed(&self.path, &error))
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        self.run(|connection| query(connection, sql, params, row))
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row(params, row).optional()
        })
    }

    /// Runs a statement that gives no rows; how many rows it changed.
    fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        self.run(|connection| connection.prepare_cached(sql)?.execute(params))
    }
}

/// The rows of a statement.
fn query<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params, row)?.collect()
}

fn unavailable(path: &Path, what: &str, help: &str) -> Error {
    let message = format!("the store `{}` {what}", path.display());
    Error::new(Code::StoreUnavailable, message).with_help(help)
}

const CREATE: &str =
    "create it with `al workspace create NAME`, or set `AL_URL` to the store that you mean";
const OTHER_PATH: &str = "set `AL_URL` to the file of a store, or to a path where `al workspace create NAME` can make one";

fn check_file(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(metadata) if metadata.is_dir() => Err(unavailable(path, "is a folder", OTHER_PATH)),
        Ok(_) => Err(unavailable(path, "is not a regular file", OTHER_PATH)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(unavailable(path, "does not exist", CREATE))
        }
        Err(error) => {
            let what = format!("cannot be opened: {}", error.kind());
            Err(unavailable(path, &what, OTHER_PATH))
        }
    }
}

fn no_folder(folder: &Path, kind: ErrorKind) -> Error {
    let message = format!(
        "the folder `{}` of the store cannot be made: {kind}",
        folder.display()
    );
    Error::new(Code::StoreUnavailable, message).with_help(OTHER_PATH)
}

fn empty(path: &Path) -> Error {
    unavailable(path, "is empty", CREATE)
}

fn foreign(path: &Path) -> Error {
    unavailable(path, "is the database of another program", OTHER_PATH)
}

fn newer(path: &Path) -> Error {
    unavailable(path, "was made by a newer version of al", "upgrade al")
}

fn older(path: &Path) -> Error {
    unavailable(
        path,
        "was made by an older version of al",
        "a command that writes migrates it, such as `al import` without `--dry-run`; make a copy of the file first if an older al is still in use",
    )
}

fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Why a value that was read is none that al stores, if that is what `error` says.
fn undecodable(error: &rusqlite::Error) -> Option<String> {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, reason) => Some(format!(": {reason}")),
        rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => Some(String::new()),
        _ => None,
    }
}

/// A failure of SQLite in the words of someone who does not know that there is SQLite.
fn failed(path: &Path, error: &rusqlite::Error) -> Error {
    if let Some(reason) = undecodable(error) {
        let what = format!("holds what this version of al cannot read{reason}");
        return unavailable(path, &what, "restore it from a backup, or upgrade al");
    }
    let (what, help) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            "has been locked by another process for more than 10 seconds",
            "nothing was written; run the command again when the other process is done",
        ),
        Some(ErrorCode::NotADatabase) => ("is not a store of workspaces", OTHER_PATH),
        Some(ErrorCode::DatabaseCorrupt) => ("is damaged", "restore it from a backup"),
        Some(ErrorCode::CannotOpen) => (
            "cannot be opened",
            "check that you may read and write the file and its folder, where a `-wal` and a `-shm` file stand beside it",
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            "cannot be written",
            "check that you may write to the file and to its folder; SQLite needs that to read, too",
        ),
        Some(ErrorCode::DiskFull) => (
            "cannot grow: the disk is full",
            "nothing was written; make room, then run the command again",
        ),
        Some(ErrorCode::SystemIoFailure) => (
            "cannot be read or written: the disk or the file system failed",
            "check the disk, then run the command again",
        ),
        _ => {
            let what = format!("failed: {error}");
            return unavailable(
                path,
                &what,
                "nothing was written; if it happens again, restore the file from a backup",
            );
        }
    };
    unavailable(path, what, help)
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;
    use rusqlite::types::Value;

    use super::*;

    /// An audit event whose checkpoint someone keeps outlives a power cut, and no row loses its workspace.
    #[test]
    fn a_write_is_flushed_checked_and_in_wal_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("al.db");
        let transaction = Transaction::open(&path, OpenFlags::SQLITE_OPEN_CREATE).unwrap();
        let transaction = transaction.begin_to_write(true).unwrap();
        let pragma = |name| {
            let read = |row: &Row<'_>| row.get(0);
            let value = transaction.connection.pragma_query_value(None, name, read);
            match value.unwrap() {
                Value::Integer(int) => int.to_string(),
                Value::Text(text) => text,
                other => panic!("{other:?}"),
            }
        };
        let found = ["synchronous", "foreign_keys", "journal_mode", "page_size"].map(pragma);
        assert_eq!(found, ["2", "1", "wal", "16384"]);
    }

    #[test]
    fn failures_in_plain_words() {
        let rows = [
            (
                ffi::SQLITE_BUSY,
                "the store `al.db` has been locked by another process for more than 10 seconds",
            ),
            (
                ffi::SQLITE_NOTADB,
                "the store `al.db` is not a store of workspaces",
            ),
            (ffi::SQLITE_CORRUPT, "the store `al.db` is damaged"),
            (ffi::SQLITE_CANTOPEN, "the store `al.db` cannot be opened"),
            (ffi::SQLITE_READONLY, "the store `al.db` cannot be written"),
            (ffi::SQLITE_PERM, "the store `al.db` cannot be written"),
            (
                ffi::SQLITE_FULL,
                "the store `al.db` cannot grow: the disk is full",
            ),
            (
                ffi::SQLITE_IOERR,
                "the store `al.db` cannot be read or written: the disk or the file system failed",
            ),
        ];
        for (code, message) in rows {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let error = failed(Path::new("al.db"), &error);
            assert_eq!(
                (error.code(), error.message()),
                (Code::StoreUnavailable, message)
            );
            assert!(
                error
                    .diagnostics()
                    .all(|diagnostic| diagnostic.help.is_some())
            );
        }
    }
}
