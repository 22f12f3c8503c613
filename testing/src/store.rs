//! A store in a database, in the hands of someone who does not use al.

use regex::{Captures, Regex};

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

/// Edits the store with statements that PostgreSQL knows, but for the literals of bytes, which are SQLite's.
///
/// # Panics
///
/// Where one of them fails.
pub fn sql(url: &str, sql: &str) {
    let bytes = Regex::new("x'([0-9a-f]*)'|zeroblob\\(([0-9]+)\\)").unwrap();
    let sql = bytes.replace_all(sql, |found: &Captures<'_>| match found.get(1) {
        Some(hex) => format!("'\\x{}'::BYTEA", hex.as_str()),
        None => format!("decode(repeat('00', {}), 'hex')", &found[2]),
    });
    crate::run(url, &format!("SET search_path TO lattice; {sql}"));
}

/// The rows of a query, as [`crate::rows`] gives them.
pub fn rows(url: &str, sql: &str) -> Vec<String> {
    crate::rows(url, &format!("SET search_path TO lattice; {sql}"))
}

/// Whether there is a store.
pub fn is_made(url: &str) -> bool {
    crate::rows(url, "SELECT to_regnamespace('lattice') IS NOT NULL") == ["1"]
}

/// Every row, with the transaction that wrote it.
pub fn contents(url: &str) -> String {
    let tables = TABLES
        .map(|table| format!("SELECT '{table}', t.xmin::TEXT, t::TEXT FROM lattice.{table} AS t"));
    let all = format!("{} ORDER BY 1, 3", tables.join(" UNION ALL "));
    crate::rows(url, &all).join("\n")
}

/// Keeps a copy of the store.
pub fn back_up(url: &str) {
    sql(url, "CREATE SCHEMA backup");
    for table in TABLES {
        let copy = format!("CREATE TABLE backup.{table} AS SELECT * FROM {table}");
        sql(url, &copy);
    }
}

/// Puts the copy in the place of the store.
pub fn restore(url: &str) {
    sql(url, &format!("TRUNCATE {}", TABLES.join(", ")));
    for table in TABLES {
        let copy =
            format!("INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM backup.{table}");
        sql(url, &copy);
    }
}
