//! One prepared statement.

use std::path::Path;

use rusqlite::Connection;

use crate::input::{Policy, Rules};

/// One table of policies in an SQLite file, as durable as a store is.
#[derive(Debug)]
pub struct Table(Connection);

impl Table {
    /// An empty one, in a file that is made.
    pub fn create(file: &Path) -> Self {
        let connection = Connection::open(file).expect("a new file");
        let set_up = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE policy (
                name TEXT NOT NULL PRIMARY KEY, action_type TEXT NOT NULL, approval_required INTEGER NOT NULL,
                hours INTEGER NOT NULL, repos TEXT, branches TEXT, conditions TEXT
            ) STRICT;";
        connection.execute_batch(set_up).expect("a table");
        Self(connection)
    }

    /// Inserts every row with one prepared statement in one transaction.
    pub fn insert(&mut self, rows: &[Row]) {
        let transaction = self.0.transaction().expect("a transaction");
        let sql = "INSERT INTO policy VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = transaction.prepare(sql).expect("a statement");
        for (name, action_type, approval, hours, repos, branches, conditions) in rows {
            let row = (
                name,
                action_type,
                approval,
                hours,
                repos,
                branches,
                conditions,
            );
            statement.execute(row).expect("a row");
        }
        drop(statement);
        transaction.commit().expect("a commit");
    }

    /// Reads every row in name order.
    pub fn select(&self) -> Vec<Row> {
        let mut statement = self
            .0
            .prepare("SELECT * FROM policy ORDER BY name")
            .expect("a statement");
        let rows = statement.query_map((), |row| row.try_into()).expect("rows");
        rows.map(|row| row.expect("a row")).collect()
    }
}

/// A policy as a row.
pub type Row = (
    String,
    String,
    bool,
    u16,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Policies as rows.
pub fn rows(policies: &[Policy]) -> Vec<Row> {
    let json = |list: &Option<Vec<String>>| {
        list.as_ref()
            .map(|list| serde_json::Value::from(list.clone()).to_string())
    };
    let row = |policy: &Policy| {
        (
            policy.name.clone(),
            policy.action_type.clone(),
            policy.approval_required,
            policy.hours,
            json(&policy.repos),
            json(&policy.branches),
            policy.rules.as_ref().map(Rules::canonical),
        )
    };
    policies.iter().map(row).collect()
}
