//! The tables, and how a store of an older version gets them.

use sqlx::{Executor, PgConnection, Row};

/// The steps from an empty store to the current tables; `lattice.store` counts those that it has taken. Steps that were
/// released never change: a change of the tables is one more step.
const STEPS: [&str; CURRENT] = [include_str!("schema_1.sql")];

/// How many steps there are.
const CURRENT: usize = 1;

/// What makes a database a store, before the first step.
const BOOTSTRAP: &str = "
    CREATE SCHEMA lattice;
    CREATE TABLE lattice.store (
        -- There is one row.
        one BOOLEAN NOT NULL PRIMARY KEY DEFAULT TRUE CHECK (one),
        version BIGINT NOT NULL CHECK (version >= 0)
    );
    INSERT INTO lattice.store (version) VALUES (0)";

/// What a database is to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// No store yet.
    Empty,
    /// A store that lacks the steps after the given number.
    Older(usize),
    /// A store of this version.
    Current,
    /// A store that a newer version has migrated.
    Newer,
    /// The schema is there, and it is not ours.
    Foreign,
}

impl Format {
    /// That of a store which has taken so many steps.
    pub(super) fn after(taken: i64) -> Self {
        match usize::try_from(taken) {
            Ok(taken) if taken < CURRENT => Self::Older(taken),
            Ok(CURRENT) => Self::Current,
            Ok(_) | Err(_) => Self::Newer,
        }
    }
}

/// How many steps a store has taken. Fails where there is none, and the transaction with it.
pub(super) async fn taken(connection: &mut PgConnection) -> sqlx::Result<i64> {
    let row = connection
        .fetch_one("SELECT version FROM lattice.store")
        .await?;
    row.try_get(0)
}

/// What a database is, which may have no store.
pub(super) async fn format(connection: &mut PgConnection) -> sqlx::Result<Format> {
    // From the tables: the functions for names answer from a memory that may be older than a lock that was waited for.
    let sql = "
        SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class
                       WHERE relnamespace = schema.oid AND relname = 'store')
        FROM pg_catalog.pg_namespace AS schema WHERE nspname = 'lattice'";
    let row = connection.fetch_optional(sql).await?;
    match row.map(|row| row.try_get(0)).transpose()? {
        None => Ok(Format::Empty),
        Some(false) => Ok(Format::Foreign),
        Some(true) => taken(connection).await.map(Format::after),
    }
}

/// Takes the steps after the first `taken`, inside the caller's transaction.
pub(super) async fn migrate(connection: &mut PgConnection, taken: usize) -> sqlx::Result<()> {
    if format(connection).await? == Format::Empty {
        sqlx::raw_sql(BOOTSTRAP).execute(&mut *connection).await?;
    }
    for step in STEPS.iter().skip(taken) {
        sqlx::raw_sql(step).execute(&mut *connection).await?;
    }
    let version = i64::try_from(CURRENT).unwrap_or(i64::MAX);
    sqlx::query("UPDATE lattice.store SET version = $1")
        .bind(version)
        .execute(connection)
        .await?;
    Ok(())
}
