//! The rows of `core/testdata/conformance.json` through `al --format json`: the same documents, and the exit codes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail loudly"
)]

#[path = "../../core/tests/conformance/cases.rs"]
mod cases;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use cases::{Case, Suite};

fn run(suite: &Suite, case: &Case) -> Result<Value, Value> {
    let folder = tempfile::tempdir().expect("a folder for the row");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("a file of the row");
    };
    match case.op.as_str() {
        "validate" => {
            write("manifest.yaml", &suite.manifest(case));
            let (document, code) = al(folder.path(), &["validate", "manifest.yaml"]);
            assert_eq!(
                code,
                i32::from(document["valid"] != true),
                "{}: exit code",
                case.name
            );
            Ok(document)
        }
        "fmt" => {
            let manifest = suite.manifest(case);
            write("manifest.yaml", &manifest);
            let document = answer(case, al(folder.path(), &["fmt", "manifest.yaml"]))?;
            let text = fs::read_to_string(folder.path().join("manifest.yaml"))
                .expect("the file is still there");
            let expected =
                json!({"files": [{"file": "manifest.yaml", "changed": text != manifest}]});
            assert_eq!(document, expected, "{}", case.name);
            Ok(Value::String(text))
        }
        "plan" => {
            write("current.yaml", &case.current());
            write("desired.yaml", &case.desired());
            answer(
                case,
                al(folder.path(), &["diff", "current.yaml", "desired.yaml"]),
            )
        }
        "eval" => {
            write("manifest.yaml", &suite.manifest(case));
            write("action.json", &suite.action(case));
            let arguments = ["eval", "--action", "action.json", "--file", "manifest.yaml"];
            answer(case, al(folder.path(), &arguments))
        }
        "render" => {
            write("manifest.yaml", &suite.manifest(case));
            let mut arguments = vec!["render".to_owned(), "manifest.yaml".to_owned()];
            for (file, text) in Suite::overlays(case) {
                write(&file, &text);
                arguments.extend(["--overlay".to_owned(), file]);
            }
            arguments.extend(["--out".to_owned(), "rendered.yaml".to_owned()]);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let (stdout, code) = run_al(folder.path(), &arguments);
            if code == 0 {
                assert_eq!(stdout, "", "{}: stdout", case.name);
                let text = fs::read_to_string(folder.path().join("rendered.yaml"));
                return Ok(Value::String(text.expect("the file is there")));
            }
            answer(case, (document(&arguments, &stdout), code))
        }
        "show" => {
            write("plan.json", &case.saved());
            answer(case, al(folder.path(), &["show", "plan.json"]))
        }
        unknown => panic!("{}: unknown operation `{unknown}`", case.name),
    }
}

/// The document of `al`, and its exit code.
fn al(folder: &Path, arguments: &[&str]) -> (Value, i32) {
    let (stdout, code) = run_al(folder, arguments);
    (document(arguments, &stdout), code)
}

fn document(arguments: &[&str], stdout: &str) -> Value {
    serde_json::from_str(stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: stdout is no document: {error}"))
}

fn run_al(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_al"))
        .args(arguments)
        .args(["--format", "json"])
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("`al` runs");
    let stdout = String::from_utf8(output.stdout).expect("stdout is text");
    (stdout, output.status.code().expect("`al` exits"))
}

/// An error document ends the run with 1, any other with 0.
fn answer(case: &Case, (document, code): (Value, i32)) -> Result<Value, Value> {
    let is_error = document.get("error").is_some();
    assert_eq!(code, i32::from(is_error), "{}: exit code", case.name);
    if is_error {
        Err(document)
    } else {
        Ok(document)
    }
}

#[test]
fn every_row_is_as_it_should_be() {
    let suite = Suite::load();
    suite.judge(|case| run(&suite, case));
}
