//! The rows of `core/testdata/conformance.json` through `al --format json`: the same documents, and the exit codes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail loudly"
)]

#[path = "../../core/tests/conformance/cases.rs"]
mod cases;
mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use cases::{Case, Suite, Then};
use common::Store;

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
        "check" => {
            write("event.tlog-proof", &case.proof());
            let mut arguments = ["audit", "check", "event.tlog-proof"]
                .map(str::to_owned)
                .to_vec();
            for (file, text) in case.checkpoints() {
                write(&file, &text);
                arguments.extend(["--checkpoint".to_owned(), file]);
            }
            for key in case.vkeys() {
                arguments.extend(["--vkey".to_owned(), key.clone()]);
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            answer(case, al(folder.path(), &arguments))
        }
        "promote" => promote(case, folder.path()),
        unknown => panic!("{}: unknown operation `{unknown}`", case.name),
    }
}

/// What a row does with a workspace, in a store of the folder.
fn promote(case: &Case, folder: &Path) -> Result<Value, Value> {
    let url = Store::new(&folder.join("al.db")).url();
    let created = al(folder, &["workspace", "create", "dev", "--url", &url]);
    let key = created.0["service_key"].as_str().expect("a key").to_owned();
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("a file of the row");
    };
    write("key", &key);
    let mut files: Vec<(String, String)> = case.imports().collect();
    files.extend(
        case.desired
            .as_ref()
            .map(|text| ("desired.yaml".to_owned(), text.whole())),
    );
    for (file, text) in &files {
        write(file, text);
        if file != "desired.yaml" {
            let (document, code) = al(folder, &keyed(&url, &["import", "--file", file]));
            assert_eq!(code, 0, "{}: {document}", case.name);
        }
    }
    let [allow, threshold] = [case.allow_deactivations, case.deactivation_threshold]
        .map(|number| number.map(|number| number.to_string()));
    let event = match case.then {
        Some(Then::Rollback(event)) => event.to_string(),
        _ => String::new(),
    };
    let mut arguments = match case.then.expect("`promote` has `then`") {
        Then::Replace => vec!["import", "--file", "desired.yaml", "--replace", "--dry-run"],
        Then::Diff => vec!["diff", "--file", "desired.yaml"],
        Then::Rollback(_) => vec!["rollback", &event, "--dry-run"],
    };
    for (flag, number) in [
        ("--allow-deactivations", &allow),
        ("--deactivation-threshold", &threshold),
    ] {
        arguments.extend(number.iter().flat_map(|number| [flag, number]));
    }
    let (document, code) = al(folder, &keyed(&url, &arguments));
    answer(case, (without_workspace(document), code))
}

/// A document of a workspace without what differs between workspaces: its name, and the digest of the manifest that a
/// rollback makes, which has its time.
fn without_workspace(mut document: Value) -> Value {
    let plan = match document.pointer("/error/plan") {
        Some(Value::Object(_)) => document.pointer_mut("/error/plan"),
        _ => Some(&mut document),
    };
    if let Some(Value::Object(plan)) = plan {
        plan.insert("workspace".to_owned(), Value::Null);
        if let Some(Value::Object(manifest)) = plan.get_mut("manifest")
            && manifest.get("file") == Some(&Value::Null)
        {
            manifest.insert("sha256".to_owned(), Value::String(String::new()));
        }
    }
    document
}

fn keyed<'a>(url: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--url", url, "--service-key-file", "key"]].concat()
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
        .envs(common::environment())
        .output()
        .expect("`al` runs");
    let stdout = String::from_utf8(output.stdout).expect("stdout is text");
    (stdout, output.status.code().expect("`al` exits"))
}

/// An error document ends the run with 1, or 3 for a refusal by a safety rule; a verdict against what was checked with 1;
/// any other with 0.
fn answer(case: &Case, (document, code): (Value, i32)) -> Result<Value, Value> {
    let is_error = document.get("error").is_some();
    let expected = match document["error"]["code"].as_str() {
        None => i32::from(document["valid"] == false),
        Some("DEACTIVATION_LIMIT") => 3,
        Some(_) => 1,
    };
    assert_eq!(code, expected, "{}: exit code", case.name);
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
