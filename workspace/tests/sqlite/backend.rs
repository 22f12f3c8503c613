//! A store in an SQLite file.

use std::fs;
use std::path::{Path, PathBuf};

use lattice_workspace::Location;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::common::{Place, World};

pub(crate) struct Backend(PathBuf);

impl Place for Backend {
    const TEXT_IS_UTF8: bool = false;

    fn new(dir: &Path) -> Self {
        Self(dir.join("al.db"))
    }

    fn location(&self) -> Location {
        Location::Sqlite(self.0.clone())
    }

    fn sql(&self, sql: &str) {
        sql_in(&self.0, sql);
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        let connection = Connection::open(&self.0).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map((), |row| {
            let values = (0..columns).map(|i| row.get::<_, Value>(i));
            let texts = values.map(|value| {
                Ok(match value? {
                    Value::Null => "-".to_owned(),
                    Value::Integer(int) => int.to_string(),
                    Value::Text(text) => text,
                    other => format!("{other:?}"),
                })
            });
            Ok(texts.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
        });
        rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    fn contents(&self) -> Vec<u8> {
        fs::read(&self.0).unwrap()
    }

    fn is_made(&self) -> bool {
        self.0.exists()
    }

    /// With the files that SQLite keeps beside it.
    fn everything(&self) -> Vec<u8> {
        let files = fs::read_dir(self.0.parent().unwrap()).unwrap();
        files
            .flat_map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect()
    }

    fn fail_on(&self, statement: &str) {
        self.sql(&format!(
            "CREATE TRIGGER fault BEFORE {statement} BEGIN SELECT RAISE(ABORT, 'on fire'); END"
        ));
    }

    fn back_up(&self) {
        let backup = self.0.with_file_name("backup");
        self.sql(&format!("VACUUM INTO '{}'", backup.display()));
    }

    fn restore(&self) {
        for beside in ["al.db-wal", "al.db-shm"] {
            let _ = fs::remove_file(self.0.with_file_name(beside));
        }
        fs::rename(self.0.with_file_name("backup"), &self.0).unwrap();
    }
}

impl World {
    pub(crate) fn path(&self) -> PathBuf {
        self.place.0.clone()
    }
}

pub(crate) fn sql_in(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
