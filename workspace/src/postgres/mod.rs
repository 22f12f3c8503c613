//! Workspaces in a PostgreSQL database, for many writers at many places.
//!
//! All tables are in the schema `lattice`. A reader takes one snapshot (`REPEATABLE READ`, `READ ONLY`) and waits for
//! nobody. A writer locks the head of its workspace's audit log, a row that every workspace has, before it looks at
//! anything else, so that writers to one workspace come one after the other, and those to different workspaces do not wait
//! for each other.
//!
//! The driver does not wait and this crate does: every statement runs to its end on the thread that asked for it. Whoever
//! runs an asynchronous program calls it from a thread that may wait.

mod address;
mod database;
mod failure;
mod read;
mod schema;
mod settle;
mod transaction;
mod write;

use std::sync::{Arc, OnceLock};

use lattice_core::Error;

pub use address::Address;

use crate::store::{Read, Store, Write};
use database::Database;
use failure::unavailable;
use schema::Format;
use transaction::{Alone, ReadWrite, Transaction};

const CREATE_HELP: &str =
    "make the store with `al workspace create NAME`, or set `AL_URL` to the one that you mean";

/// The store in one PostgreSQL database.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    address: Address,
    database: OnceLock<Arc<Database>>,
}

impl PostgresStore {
    pub(crate) fn new(address: &Address) -> Self {
        Self {
            address: address.clone(),
            database: OnceLock::new(),
        }
    }

    fn database(&self) -> Result<&Arc<Database>, Error> {
        if let Some(database) = self.database.get() {
            return Ok(database);
        }
        let database = Arc::new(Database::new(&self.address)?);
        Ok(self.database.get_or_init(|| database))
    }

    /// Begins to write. A store that needs a migration, or is yet to be made where `create` says so, gets it in the same
    /// transaction, and nobody else writes meanwhile.
    fn begin(&self, create: bool) -> Result<Transaction<ReadWrite>, Error> {
        let database = self.database()?;
        let begin = |tables| {
            let alone = Alone {
                tables,
                names: create,
            };
            Transaction::begin_to_write(database, alone)
        };
        let (transaction, format) = begin(false)?;
        if self.migration(format, create)?.is_none() {
            return Ok(transaction);
        }
        drop(transaction);
        let (transaction, format) = begin(true)?;
        // Asked again: somebody else may have done it meanwhile.
        if let Some(taken) = self.migration(format, create)? {
            transaction.migrate(taken)?;
        }
        Ok(transaction)
    }

    /// After how many steps a migration has to begin, if one is needed.
    fn migration(&self, format: Format, create: bool) -> Result<Option<usize>, Error> {
        match format {
            Format::Current => Ok(None),
            Format::Older(taken) => Ok(Some(taken)),
            Format::Empty if create => Ok(Some(0)),
            Format::Empty => Err(self.refuse("holds no workspaces yet", CREATE_HELP)),
            Format::Newer => Err(self.refuse("was made by a newer version of al", "upgrade al")),
            Format::Foreign => Err(self.refuse(
                "has a schema `lattice` of another program",
                "set `AL_URL` to another database",
            )),
        }
    }

    fn refuse(&self, what: &str, help: &str) -> Error {
        unavailable(&self.address, what, help)
    }
}

impl Store for PostgresStore {
    fn create(&self) -> Result<Box<dyn Write>, Error> {
        Ok(Box::new(self.begin(true)?))
    }

    fn read(&self) -> Result<Box<dyn Read>, Error> {
        let (transaction, format) = Transaction::begin_to_read(self.database()?)?;
        match self.migration(format, false)? {
            None => Ok(Box::new(transaction)),
            Some(_) => Err(self.refuse(
                "was made by an older version of al",
                "a command that writes migrates it, such as `al import` without `--dry-run`; make a backup first if an older al is still in use",
            )),
        }
    }

    fn write(&self) -> Result<Box<dyn Write>, Error> {
        Ok(Box::new(self.begin(false)?))
    }

    fn read_migrated(&self) -> Result<Box<dyn Read>, Error> {
        let (transaction, format) = Transaction::begin_to_read(self.database()?)?;
        if self.migration(format, false)?.is_none() {
            Ok(Box::new(transaction))
        } else {
            drop(transaction);
            // INVARIANT: a `dyn Read` cannot be committed, and so its migration is undone.
            Ok(Box::new(self.begin(false)?))
        }
    }
}
