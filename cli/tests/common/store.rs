//! Where a test keeps its workspaces: in the test binary `over_postgres` in a database of its own, in all others in an SQLite
//! file.

use std::fs;
use std::path::{Path, PathBuf};

use lattice_testing::{Cluster, store};
use regex::Regex;
use rusqlite::Connection;

pub(crate) enum Store {
    File(PathBuf),
    /// The URL of a database.
    Database(String),
}

impl Store {
    /// A place without a store: the file, or a database.
    pub(crate) fn new(file: &Path) -> Self {
        if env!("CARGO_CRATE_NAME") == "over_postgres" {
            Self::Database(Cluster::shared().database())
        } else {
            Self::File(file.to_owned())
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Database(url) => url.clone(),
        }
    }

    /// Edits the store with statements that SQLite and PostgreSQL both know.
    pub(crate) fn sql(&self, sql: &str) {
        match self {
            Self::File(path) => Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            Self::Database(url) => store::sql(url, sql),
        }
    }

    /// Every row of a database with a store.
    pub(crate) fn rows(&self) -> Option<String> {
        match self {
            Self::Database(url) if store::is_made(url) => Some(store::contents(url)),
            Self::File(_) | Self::Database(_) => None,
        }
    }

    /// Keeps a copy of the store.
    pub(crate) fn back_up(&self) {
        match self {
            Self::File(path) => {
                let backup = path.with_extension("backup");
                self.sql(&format!("VACUUM INTO '{}'", backup.display()));
            }
            Self::Database(url) => store::back_up(url),
        }
    }

    /// Puts the copy in the place of the store.
    pub(crate) fn restore(&self) {
        match self {
            Self::File(path) => fs::rename(path.with_extension("backup"), path).unwrap(),
            Self::Database(url) => store::restore(url),
        }
    }
}

/// What was printed, with the URL of an SQLite file in the place of a database's, and its path where that stands alone.
pub(crate) fn called_alike(printed: &str, url: &str) -> String {
    let database = "postgres://localhost:[0-9]+/db[0-9]+";
    let path = url.trim_start_matches("sqlite:");
    let rows = [
        (format!("`{database}`"), format!("`{path}`")),
        (database.to_owned(), url.to_owned()),
    ];
    let mut text = printed.to_owned();
    for (database, file) in rows {
        let database = Regex::new(&database).unwrap();
        text = database.replace_all(&text, file).into_owned();
    }
    text
}
