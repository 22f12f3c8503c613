//! What is of stores in SQLite files alone.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use common::{Sandbox, manifest, policy};

/// The page copies the file of the store.
#[test]
fn the_page_about_the_audit_log_is_true() {
    common::page::expect_true("audit.md", 15);
}

/// A store of version 0, which never was released: it has the mark of a store, none of its tables, and so no key.
#[test]
fn an_older_store_is_migrated_by_no_import_that_is_refused() {
    let mut sandbox = Sandbox::new();
    sandbox.use_key(&Sandbox::new().create("staging"));
    let connection = rusqlite::Connection::open(sandbox.path("al.db")).unwrap();
    connection
        .execute_batch("PRAGMA application_id = 1281455220; PRAGMA journal_mode = wal")
        .unwrap();
    drop(connection);
    sandbox.write("next.yaml", &manifest(&[policy("a", "b.c", true)]));
    let before = sandbox.files();
    let rows = [
        (
            &["import", "--file", "next.yaml"][..],
            "INVALID_SERVICE_KEY",
        ),
        (
            &[
                "import",
                "--file",
                "next.yaml",
                "--expect-workspace",
                "prod",
            ],
            "INVALID_SERVICE_KEY",
        ),
        (
            &["import", "--file", "next.yaml", "--dry-run"],
            "STORE_UNAVAILABLE",
        ),
    ];
    for (args, code) in rows {
        assert_eq!(sandbox.error(args), (1, code.to_owned()), "{args:?}");
        assert_eq!(sandbox.files(), before, "{args:?}");
    }
}
