//! Imports that would deactivate much, as people and programs see them refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly"
)]

mod common;

use common::{Sandbox, assert_snapshot, manifest, policy};
use serde_json::Value;

/// A workspace with twelve policies, and manifests with fewer.
fn sandbox() -> Sandbox {
    let policies: Vec<String> = ('a'..='l')
        .map(|name| policy(&name.to_string(), "db.write", true))
        .collect();
    let sandbox = Sandbox::with(&manifest(&policies));
    sandbox.write("seven.yaml", &manifest(&policies[..7]));
    sandbox.write("none.yaml", &manifest(&[]));
    sandbox
}

const SEVEN: [&str; 4] = ["import", "--file", "seven.yaml", "--replace"];

#[test]
fn a_mass_deactivation_as_people_see_it() {
    let sandbox = sandbox();
    let with = |more: &[&'static str]| -> Vec<&str> { [&SEVEN, more].concat() };
    assert_snapshot!(sandbox.transcript(&[
        &with(&["--dry-run"]),
        &with(&["--dry-run", "--format", "markdown"]),
        &with(&[]),
        &with(&["--allow-deactivations", "4"]),
        &[
            "import",
            "--file",
            "none.yaml",
            "--replace",
            "--deactivation-threshold",
            "100"
        ],
        &with(&["--deactivation-threshold", "101"]),
        &with(&["--allow-deactivations", "5"]),
        &with(&["--allow-deactivations", "5"]),
    ]));
}

#[test]
fn a_refusal_carries_its_plan_and_writes_nothing() {
    let sandbox = sandbox();
    let before = sandbox.files();
    for (more, dry_run) in [(None, false), (Some("--dry-run"), true)] {
        let args: Vec<&str> = SEVEN.into_iter().chain(more).collect();
        let (code, document) = sandbox.json(&args);
        let error = &document["error"];
        assert_eq!(
            (code, &error["code"]),
            (3, &Value::from("DEACTIVATION_LIMIT"))
        );
        let plan = &error["plan"];
        assert_eq!(
            (&plan["dry_run"], &plan["applied"]),
            (&dry_run.into(), &false.into())
        );
        assert_eq!(plan["summary"]["deactivated"], 5);
        assert_eq!(plan["changes"].as_array().map(Vec::len), Some(12));
        assert_eq!(plan["manifest"]["file"], "seven.yaml");
    }
    assert_eq!(sandbox.files(), before);
}

#[test]
fn the_threshold_comes_from_flag_then_environment_then_default() {
    let sandbox = sandbox();
    // The environment, the flag, and the exit code of a preview.
    let rows: [(Option<&str>, Option<&str>, i32); 6] = [
        (None, None, 3),
        (Some("42"), None, 0),
        (Some("41"), None, 3),
        (Some("41"), Some("42"), 0),
        (Some("42"), Some("41"), 3),
        (Some("many"), None, 64),
    ];
    for (environment, flag, expected) in rows {
        let args = SEVEN.into_iter().chain(["--dry-run"]);
        let flag = flag
            .into_iter()
            .flat_map(|flag| ["--deactivation-threshold", flag]);
        let args: Vec<&str> = args.chain(flag).collect();
        let mut command = sandbox.command(&args);
        command.envs(environment.map(|value| ("AL_DEACTIVATION_THRESHOLD", value)));
        let run = common::run(&mut command);
        assert_eq!(
            run.code, expected,
            "{environment:?} {args:?}: {}",
            run.stderr
        );
    }
}
