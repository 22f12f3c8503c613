//! The end of a transaction, and the truth about one whose end was not heard of.

use std::thread;
use std::time::{Duration, Instant};

use lattice_core::{Code, Error};
use sqlx::{PgConnection, Row};

use super::database::{Database, SILENCE};
use super::failure::{Failure, unavailable};
use super::transaction::{OWN_NAMES, ReadWrite, Trace, Transaction};

/// How long a server is waited for that went away during a commit. By then it has ended a transaction of which it heard no
/// more.
const RETURN: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_millis(100);

impl Transaction<ReadWrite> {
    /// Commits. A connection that is lost meanwhile says nothing of how that ended, and the caller must not be told
    /// anything that is not so: then the store itself is asked.
    pub(super) fn end(&self) -> Result<(), Error> {
        if self.trace.borrow().failed {
            return Err(self.failed(&Failure::Lost));
        }
        let committed =
            self.attempt(async |connection| sqlx::raw_sql("COMMIT").execute(connection).await);
        match committed {
            Ok(_) => {
                self.close();
                Ok(())
            }
            // A server that says that it does not know is one of those.
            Err(failure) if failure.ends_connection() || failure.is(&["40003"]) => {
                self.close();
                settle(&self.database, &self.trace.borrow())
            }
            Err(failure) => Err(self.failed(&failure)),
        }
    }
}

/// Finds out whether a transaction was committed whose connection was lost.
fn settle(database: &Database, trace: &Trace) -> Result<(), Error> {
    let Some((workspace, seq, leaf)) = &trace.appended else {
        return Err(unknown(database));
    };
    // Behind the locks that it held: once they are free, it has come to its end.
    let names = if trace.names { OWN_NAMES } else { "" };
    // A snapshot for each statement: what is found is what stands after the locks were waited for.
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '10s'; {names}"
    );
    let find = async |connection: &mut PgConnection| {
        sqlx::raw_sql(&begin).execute(&mut *connection).await?;
        sqlx::query("SELECT 1 FROM lattice.audit_head WHERE workspace = ANY ($1) FOR UPDATE")
            .bind(&trace.locked)
            .fetch_all(&mut *connection)
            .await?;
        let found =
            sqlx::query("SELECT leaf FROM lattice.audit_event WHERE workspace = $1 AND seq = $2")
                .bind(workspace)
                .bind(seq)
                .fetch_optional(&mut *connection)
                .await?;
        sqlx::raw_sql("ROLLBACK").execute(connection).await?;
        found.map(|row| row.try_get::<Vec<u8>, _>(0)).transpose()
    };
    let start = Instant::now();
    loop {
        let found = database.connect().and_then(|mut connection| {
            let found = database.wait(SILENCE, find(&mut connection));
            if found.is_err() {
                // Its transaction may still be open.
                drop(deadpool::managed::Object::take(connection));
            }
            found
        });
        match found {
            Ok(Some(found)) if found == leaf => return Ok(()),
            Ok(_) => return Err(uncommitted(database)),
            // The tables themselves would have come with the commit.
            Err(failure) if failure.is(&["42P01", "3F000"]) => return Err(uncommitted(database)),
            Err(_) if start.elapsed() < RETURN => thread::sleep(PAUSE),
            Err(_) => return Err(unknown(database)),
        }
    }
}

/// It came to nothing.
fn uncommitted(database: &Database) -> Error {
    unavailable(
        &database.address,
        "ended the connection before it committed",
        "nothing was written; run the command again",
    )
}

/// Nobody knows.
fn unknown(database: &Database) -> Error {
    let message = format!(
        "the connection to the store `{}` was lost during the commit: it may have been written, or not",
        database.address
    );
    Error::new(Code::StoreUnavailable, message).with_help(
        "see what stands when the store is back (`al audit list`, `al breaker list`) before you run the command again",
    )
}
