//! One transaction, from its first statement to its last.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::Object;
use futures_util::TryStreamExt;
use lattice_core::Error;
use lattice_core::hash::Hash;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row};

use super::database::{Database, Pooled, SILENCE};
use super::failure::{Failure, unavailable};
use super::schema::{self, Format};

/// A statement with its values.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// One snapshot, which the first look at a table takes.
const BEGIN_TO_READ: &str = "
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = '60s';
    SET LOCAL idle_in_transaction_session_timeout = '5min';";

/// Every statement sees what was committed before it, so that what is read after a lock was waited for is what stands. A
/// commit is on the disk when it is done, whatever the role's default is: an audit event whose checkpoint someone keeps
/// must survive a power cut.
const BEGIN_TO_WRITE: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '10s';
    SET LOCAL statement_timeout = '60s';
    SET LOCAL idle_in_transaction_session_timeout = '30s';
    SELECT set_config('synchronous_commit', 'on', TRUE)
        WHERE current_setting('synchronous_commit') = 'off';";

/// The two locks of a store as a whole, held to the end of a transaction: `Latt` and a number.
const SHARE_TABLES: &str = "SELECT pg_advisory_xact_lock_shared(1281455220, 1);";
const OWN_TABLES: &str = "SELECT pg_advisory_xact_lock(1281455220, 1);";
pub(super) const OWN_NAMES: &str = "SELECT pg_advisory_xact_lock(1281455220, 2);";

/// What a writer keeps others from meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alone {
    /// Whether nobody else writes anything: the tables change.
    pub(super) tables: bool,
    /// Whether nobody else adds a workspace, so that a name stays free.
    pub(super) names: bool,
}

/// Marks a transaction that can only read; the server holds it to that, too.
#[derive(Debug)]
pub(super) struct ReadOnly;

/// Marks a transaction that may write.
#[derive(Debug)]
pub(super) struct ReadWrite;

/// An open transaction; dropping it rolls back what was not committed.
pub(super) struct Transaction<Access> {
    pub(super) database: Arc<Database>,
    /// `None` once it was lost or given back.
    connection: RefCell<Option<Pooled>>,
    pub(super) trace: RefCell<Trace>,
    access: PhantomData<Access>,
}

/// What a transaction has done so far, as far as its end depends on it.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Whether a statement failed, after which there is nothing to commit.
    pub(super) failed: bool,
    /// Whether it keeps others from adding workspaces.
    pub(super) names: bool,
    /// The workspaces that it locked.
    pub(super) locked: Vec<String>,
    /// The last event that it appended: workspace, `seq` and leaf.
    pub(super) appended: Option<(String, i64, Hash)>,
}

impl Transaction<ReadOnly> {
    /// Takes a snapshot.
    pub(super) fn begin_to_read(database: &Arc<Database>) -> Result<(Self, Format), Error> {
        Self::begin(database, BEGIN_TO_READ)?.look()
    }
}

impl Transaction<ReadWrite> {
    /// Begins to write.
    pub(super) fn begin_to_write(
        database: &Arc<Database>,
        alone: Alone,
    ) -> Result<(Self, Format), Error> {
        let tables = if alone.tables {
            OWN_TABLES
        } else {
            SHARE_TABLES
        };
        let names = if alone.names { OWN_NAMES } else { "" };
        let transaction = Self::begin(database, &format!("{BEGIN_TO_WRITE}{tables}{names}"))?;
        transaction.trace.borrow_mut().names = alone.names;
        if alone.tables {
            // There may be none, which must not end the transaction.
            let format = transaction.run(schema::format)?;
            Ok((transaction, format))
        } else {
            transaction.look()
        }
    }

    /// Takes the steps to the current tables after the first `taken`.
    pub(super) fn migrate(&self, taken: usize) -> Result<(), Error> {
        let sql = "SELECT current_setting('server_encoding')";
        let encoding = self.one(sqlx::query(sql), |row| row.try_get::<String, _>(0))?;
        if encoding.as_deref() != Some("UTF8") {
            return Err(unavailable(
                &self.database.address,
                "is not in UTF-8, and policies may hold any character",
                "make the database anew: `createdb --encoding UTF8 --template template0 NAME`",
            ));
        }
        self.run(async |connection| schema::migrate(connection, taken).await)
    }
}

impl<Access> Transaction<Access> {
    /// Begins, on another connection where the first is one that the server ended while it was idle.
    fn begin(database: &Arc<Database>, sql: &str) -> Result<Self, Error> {
        let begin = || {
            let transaction = Self {
                database: Arc::clone(database),
                connection: RefCell::new(Some(database.connect()?)),
                trace: RefCell::default(),
                access: PhantomData,
            };
            let begun = transaction
                .attempt(async |connection| sqlx::raw_sql(sql).execute(connection).await);
            begun.map(|_| transaction)
        };
        let opened = begin().or_else(|failure: Failure| {
            // Only one that was idle may be gone without the server being so.
            if !failure.is_ended() {
                return Err(failure);
            }
            database.forget_idle();
            begin()
        });
        opened.map_err(|failure| failure.at(&database.address))
    }

    /// What the store is, asked so that a store of this version is asked once. Of one that is not there the transaction
    /// is at its end.
    fn look(self) -> Result<(Self, Format), Error> {
        let format = match self.attempt(schema::taken) {
            Ok(taken) => Format::after(taken),
            // No such table, schema or column.
            Err(failure) if failure.is(&["42P01", "3F000", "42703"]) => {
                self.run(async |connection| {
                    sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await?;
                    schema::format(connection).await
                })?
            }
            Err(failure) => return Err(self.failed(&failure)),
        };
        Ok((self, format))
    }

    /// Does `work`, and drops a connection that did not live through it.
    pub(super) fn attempt<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, Failure> {
        self.attempt_for(SILENCE, work)
    }

    /// The same for work that may take longer than one statement does.
    pub(super) fn attempt_for<T>(
        &self,
        longest: Duration,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, Failure> {
        let mut connection = self.connection.borrow_mut();
        let Some(open) = connection.as_mut() else {
            return Err(Failure::Lost);
        };
        let done = self.database.wait(longest, work(open));
        if let Err(failure) = &done {
            self.trace.borrow_mut().failed |= failure.ends_transaction();
            if failure.ends_connection() {
                // Taken out of the pool for good.
                connection.take().map(Object::take);
            }
        }
        done
    }

    pub(super) fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, Error> {
        self.attempt(work).map_err(|failure| self.failed(&failure))
    }

    pub(super) fn failed(&self, failure: &Failure) -> Error {
        failure.at(&self.database.address)
    }

    /// The rows that a statement gives.
    pub(super) fn all<T>(
        &self,
        statement: Statement<'_>,
        row: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Vec<T>, Error> {
        self.run(async |connection| {
            let mut rows = statement.fetch(connection);
            let mut all = Vec::new();
            while let Some(next) = rows.try_next().await? {
                all.push(row(&next)?);
            }
            Ok(all)
        })
    }

    /// The row that a statement gives, if it gives one.
    pub(super) fn one<T>(
        &self,
        statement: Statement<'_>,
        row: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Option<T>, Error> {
        self.run(async |connection| {
            let found = statement.fetch_optional(connection).await?;
            found.as_ref().map(row).transpose()
        })
    }

    /// Runs a statement that gives no rows; how many it changed.
    pub(super) fn execute(&self, statement: Statement<'_>) -> Result<u64, Error> {
        self.run(async |connection| {
            let done = statement.execute(connection).await;
            done.map(|result: PgQueryResult| result.rows_affected())
        })
    }

    /// Gives the connection back, with which nothing is to be undone.
    pub(super) fn close(&self) {
        self.connection.borrow_mut().take();
    }
}

impl<Access> Drop for Transaction<Access> {
    fn drop(&mut self) {
        let rolled_back: Result<_, Failure> =
            self.attempt(async |connection| sqlx::raw_sql("ROLLBACK").execute(connection).await);
        if rolled_back.is_err() {
            // The server rolls back by itself where the connection ends.
            self.connection.borrow_mut().take().map(Object::take);
        }
    }
}

impl<Access> fmt::Debug for Transaction<Access> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
