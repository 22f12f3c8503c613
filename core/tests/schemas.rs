//! What is generated from the types and tables is checked in, and must not drift.
//!
//! `make schemas` writes the files anew.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lattice_core::condition::Operator;
use lattice_core::schema;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Compares a checked-in file with what the code generates, or writes it when asked to.
fn check(path: &Path, generated: &str) {
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == generated,
        "{} is out of date: run `make schemas`",
        path.display()
    );
}

#[test]
fn checked_in_schemas_are_current() {
    let folder = root().join("schemas");
    let mut expected = Vec::new();
    for name in schema::names() {
        let file = format!("{name}.schema.json");
        check(&folder.join(&file), &schema::get(name).unwrap());
        expected.push(file);
    }
    let mut found: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(
        found, expected,
        "a schema that nothing generates is left over"
    );
    assert_eq!(schema::get("nothing"), None);
}

#[test]
fn the_operator_table_of_the_docs_is_current() {
    const BEGIN: &str = "<!-- operators: generated, see `make schemas` -->\n";
    const END: &str = "<!-- end -->";
    let mut table = String::from("| operator | value | true when |\n|---|---|---|\n");
    for operator in Operator::ALL {
        let aliases = operator
            .aliases()
            .iter()
            .fold(String::new(), |words, alias| {
                words + &format!(" (or `{alias}`)")
            });
        writeln!(
            table,
            "| `{}`{aliases} | {} | {} |",
            operator.name(),
            operator.value_type().as_str(),
            operator.meaning()
        )
        .unwrap();
    }
    let path = root().join("../docs/conditions.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    check(&path, &format!("{before}{BEGIN}{table}{END}{after}"));
}
