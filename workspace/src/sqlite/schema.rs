//! The tables, and how a store of an older version gets them.

use rusqlite::Connection;

/// `Latt`: marks an SQLite file as ours, so that no other program's file is taken for one.
pub(super) const APPLICATION_ID: i64 = 0x4c61_7474;

/// The steps from an empty file to the current schema; a file's `user_version` counts those that it has taken.
/// Steps that were released never change: a change of the schema is one more step.
pub(super) const STEPS: &[&str] = &[include_str!("schema_1.sql")];

/// What a file is to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// No tables yet.
    Empty,
    /// A store that lacks the steps after the given number.
    Older(usize),
    /// A store of this version.
    Current,
    /// A store that a newer version has migrated.
    Newer,
    /// Some other program's database.
    Foreign,
}

/// What the open file is. Reads only.
pub(super) fn format(connection: &Connection, steps: &[&str]) -> rusqlite::Result<Format> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = pragma("application_id")?;
    let taken = usize::try_from(pragma("user_version")?).ok();
    let is_empty = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", (), |row| {
        row.get::<_, bool>(0)
    })?;
    Ok(match (application, taken) {
        (0, Some(0)) if is_empty => Format::Empty,
        (APPLICATION_ID, Some(taken)) => match taken.cmp(&steps.len()) {
            std::cmp::Ordering::Less => Format::Older(taken),
            std::cmp::Ordering::Equal => Format::Current,
            std::cmp::Ordering::Greater => Format::Newer,
        },
        _ => Format::Foreign,
    })
}

/// Takes the steps after the first `taken`. Runs inside the caller's transaction: all of them, or none.
pub(super) fn migrate(
    connection: &Connection,
    steps: &[&str],
    taken: usize,
) -> rusqlite::Result<()> {
    for step in steps.iter().skip(taken) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(
        None,
        "user_version",
        i64::try_from(steps.len()).unwrap_or(i64::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE a (x) STRICT_;";
    const ONE: &[&str] = &["CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);"];
    const TWO: &[&str] = &[
        ONE[0],
        "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7;",
    ];

    fn rows(connection: &Connection) -> Vec<(i64, i64)> {
        let mut statement = connection.prepare("SELECT x, y FROM a").unwrap();
        let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn steps_are_taken_once_and_in_order() {
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(format(&connection, ONE), Ok(Format::Empty));
        migrate(&connection, ONE, 0).unwrap();
        assert_eq!(format(&connection, ONE), Ok(Format::Current));
        assert_eq!(format(&connection, TWO), Ok(Format::Older(1)));
        migrate(&connection, TWO, 1).unwrap();
        assert_eq!(format(&connection, TWO), Ok(Format::Current));
        assert_eq!(format(&connection, ONE), Ok(Format::Newer));
        assert_eq!(rows(&connection), [(1, 7)]);
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, ONE, 0).unwrap();
        let steps = [ONE[0], TWO[1], FIRST];
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(migrate(&connection, &steps, 1).is_err());
        connection.execute_batch("ROLLBACK").unwrap();
        assert_eq!(format(&connection, &steps), Ok(Format::Older(1)));
        migrate(&connection, TWO, 1).unwrap();
        assert_eq!(rows(&connection), [(1, 7)]);
    }

    #[test]
    fn what_is_not_ours_is_foreign() {
        let rows = [
            "CREATE TABLE a (x)",
            "PRAGMA user_version = 1",
            "PRAGMA user_version = -1; PRAGMA application_id = 1281455220",
            "PRAGMA application_id = 7",
        ];
        for sql in rows {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(sql).unwrap();
            assert_eq!(format(&connection, STEPS), Ok(Format::Foreign), "{sql}");
        }
    }
}
