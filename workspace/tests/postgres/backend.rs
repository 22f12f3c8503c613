//! A store in a database of a PostgreSQL server that the tests start.

use std::path::Path;

use lattice_testing::{Cluster, store};
use lattice_workspace::Location;

use crate::common::Place;

pub(crate) struct Backend {
    pub(crate) url: String,
}

impl Place for Backend {
    const TEXT_IS_UTF8: bool = true;

    fn new(_: &Path) -> Self {
        Self {
            url: Cluster::shared().database(),
        }
    }

    fn location(&self) -> Location {
        Location::parse(&self.url).unwrap()
    }

    fn sql(&self, sql: &str) {
        store::sql(&self.url, sql);
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        store::rows(&self.url, sql)
    }

    fn contents(&self) -> Vec<u8> {
        store::contents(&self.url).into_bytes()
    }

    fn is_made(&self) -> bool {
        store::is_made(&self.url)
    }

    fn everything(&self) -> Vec<u8> {
        self.contents()
    }

    fn fail_on(&self, statement: &str) {
        self.sql(&format!(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'on fire'; END $$;
             CREATE TRIGGER fault BEFORE {statement} FOR EACH ROW EXECUTE FUNCTION fault()"
        ));
    }

    fn back_up(&self) {
        store::back_up(&self.url);
    }

    fn restore(&self) {
        store::restore(&self.url);
    }
}
