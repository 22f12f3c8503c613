//! The examples do what their pages say.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::path::{Path, PathBuf};

use lattice_core::audit::Names;
use lattice_core::{Action, Kind, Manifest, Mode, Plan, State, validate};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(examples().join(path)).unwrap()
}

fn manifest(name: &str) -> Manifest {
    Manifest::parse(&read(&format!("policies/{name}.yaml"))).unwrap()
}

/// The cells of a Markdown table's rows, without backticks.
fn table(page: &str) -> Vec<Vec<String>> {
    let text = String::from_utf8(read(page)).unwrap();
    let rows = text.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |row: &str| {
        row.split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect()
    };
    rows.map(cells).collect()
}

#[test]
fn examples_are_in_the_layout_of_an_export() {
    for name in ["dev", "staging"] {
        let manifest = manifest(name);
        let exported = Manifest::write(
            manifest.org_name().unwrap(),
            manifest.exported_at().unwrap(),
            manifest.policies(),
            manifest.breakers(),
        );
        let text = String::from_utf8(read(&format!("policies/{name}.yaml"))).unwrap();
        assert!(
            exported == text,
            "{name}.yaml is not as `al export` writes it"
        );
    }
}

#[test]
fn dev_warns_about_two_rules() {
    let warnings = |name: &str| {
        let found = validate(&read(&format!("policies/{name}.yaml"))).diagnostics;
        assert!(
            found.iter().all(|d| matches!(d.kind, Kind::Warning(_))),
            "{found:?}"
        );
        found
            .iter()
            .map(|d| d.policy.clone().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        warnings("dev"),
        ["infra-apply-nonproduction", "model-invoke-approved"]
    );
    assert_eq!(warnings("first"), [""; 0]);
}

#[test]
fn promoting_dev_to_staging_changes_the_documented_policies() {
    let state = State {
        active: manifest("staging").policies().clone(),
        ..State::default()
    };
    let dev = manifest("dev");
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let additive = Names {
        added: names(&[
            "customer-message-reply",
            "data-export-personal-data",
            "deploy-production-rollback",
            "model-invoke-approved",
            "shell-read-only",
            "tool-invoke-mcp",
        ]),
        deactivated: Vec::new(),
        modified: names(&[
            "db-write-nonproduction",
            "deploy-production",
            "deploy-staging",
            "pull-request-merge-dependencies",
        ]),
    };
    let replace = Names {
        deactivated: names(&["legacy-batch-export", "legacy-chatops-deploy"]),
        ..additive.clone()
    };
    // The counts as the page gives them: added, modified, unchanged, deactivated, untouched.
    let documented = table("README.md");
    for (mode, word, names) in [
        (Mode::Additive, "additive", additive),
        (Mode::Replace, "--replace", replace),
    ] {
        let plan = Plan::new(&state, dev.policies(), mode);
        assert_eq!(plan.names(), names, "{word}");
        let counts = plan.summary();
        let counts = [
            counts.added,
            counts.modified,
            counts.unchanged,
            counts.deactivated,
            counts.untouched,
        ];
        let row = documented.iter().find(|row| row[1] == word).unwrap();
        assert_eq!(row[2..7], counts.map(|count| count.to_string()), "{word}");
    }
}

#[test]
fn every_example_action_is_decided_as_its_table_says() {
    let policies = manifest("dev").policies().clone();
    let rows = table("actions/README.md");
    let mut files = Vec::new();
    for row in rows {
        let [_, file, status, ..] = row.as_slice() else {
            panic!("{row:?}");
        };
        let json = read(&format!("actions/{file}"));
        let action = Action::parse(&json).unwrap();
        let decided = serde_json::to_value(policies.decide(&action).status).unwrap();
        let expected = status.split([',', ' ']).next().unwrap();
        assert_eq!(decided, expected, "{file}");
        files.push(file.clone());
    }
    let mut found: Vec<String> = std::fs::read_dir(examples().join("actions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|kind| kind == "json")
        })
        .collect();
    found.sort();
    files.sort();
    assert_eq!(files, found, "every action is in the table");
}
