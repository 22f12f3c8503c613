//! Bodies of events in one column.

use std::path::Path;

use rusqlite::{Connection, Statement};
use sha2::{Digest, Sha256};

/// One table of bodies in an SQLite file, in pages as large as a store's.
#[derive(Debug)]
pub struct Leaves(Connection);

impl Leaves {
    /// One with these, in a file that is made.
    pub fn create(file: &Path, bodies: impl Iterator<Item = Vec<u8>>) -> Self {
        let connection = Connection::open(file).expect("a new file");
        let set_up =
            "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE leaf (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT; BEGIN;";
        connection.execute_batch(set_up).expect("a table");
        let leaves = Self(connection);
        let mut insert = leaves.insert();
        bodies.for_each(|body| insert.one(&body));
        drop(insert);
        leaves.0.execute_batch("COMMIT").expect("a commit");
        leaves
    }

    /// Inserts bodies one by one, in one transaction that is not committed yet, if there is one.
    pub fn insert(&self) -> Insert<'_> {
        let sql = "INSERT INTO leaf (body) VALUES (CAST(?1 AS TEXT))";
        Insert(self.0.prepare(sql).expect("a statement"))
    }

    /// Begins a transaction.
    pub fn begin(&self) {
        self.0.execute_batch("BEGIN").expect("a transaction");
    }

    /// Undoes it.
    pub fn undo(&self) {
        self.0.execute_batch("ROLLBACK").expect("a rollback");
    }

    /// Reads every body in order and hashes it where SQLite has it; the number of bodies.
    pub fn hash_all(&self) -> u64 {
        let sql = "SELECT body FROM leaf ORDER BY seq";
        let mut statement = self.0.prepare(sql).expect("a statement");
        let mut rows = statement.query(()).expect("rows");
        let mut count = 0;
        while let Some(row) = rows.next().expect("a row") {
            let body = row.get_ref(0).expect("a body");
            let body = body.as_bytes().expect("text");
            std::hint::black_box(Sha256::digest(body));
            count += 1;
        }
        count
    }
}

/// One prepared statement.
#[derive(Debug)]
pub struct Insert<'l>(Statement<'l>);

impl Insert<'_> {
    /// Inserts a body.
    pub fn one(&mut self, body: &[u8]) {
        self.0.execute([body]).expect("a row");
    }
}
