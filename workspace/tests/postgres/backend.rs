//! A store in a database of a PostgreSQL server that the tests start.

use std::path::Path;

use lattice_testing::{Cluster, rows, run};
use lattice_workspace::Location;
use regex::{Captures, Regex};

use crate::common::Place;

/// All tables, those that others refer to first.
const TABLES: [&str; 10] = [
    "store",
    "workspace",
    "access_key",
    "policy",
    "policy_version",
    "breaker",
    "audit_event",
    "audit_node",
    "audit_head",
    "request",
];

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
        let bytes = Regex::new("x'([0-9a-f]*)'|zeroblob\\(([0-9]+)\\)").unwrap();
        let sql = bytes.replace_all(sql, |found: &Captures<'_>| match found.get(1) {
            Some(hex) => format!("'\\x{}'::BYTEA", hex.as_str()),
            None => format!("decode(repeat('00', {}), 'hex')", &found[2]),
        });
        run(&self.url, &format!("SET search_path TO lattice; {sql}"));
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        rows(&self.url, &format!("SET search_path TO lattice; {sql}"))
    }

    fn contents(&self) -> Vec<u8> {
        // With the transaction that wrote each row.
        let all = TABLES.map(|table| {
            rows(
                &self.url,
                &format!("SELECT xmin, * FROM lattice.{table} ORDER BY 2, 3"),
            )
            .join("\n")
        });
        all.join("\n\n").into_bytes()
    }

    fn is_made(&self) -> bool {
        rows(&self.url, "SELECT to_regnamespace('lattice') IS NOT NULL") == ["1"]
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
        self.sql("CREATE SCHEMA backup");
        for table in TABLES {
            self.sql(&format!(
                "CREATE TABLE backup.{table} AS SELECT * FROM {table}"
            ));
        }
    }

    fn restore(&self) {
        self.sql(&format!("TRUNCATE {}", TABLES.join(", ")));
        for table in TABLES {
            self.sql(&format!(
                "INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM backup.{table}"
            ));
        }
    }
}
