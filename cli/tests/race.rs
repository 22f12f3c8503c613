//! Two processes that import at once, both past planning: one wins, the other is told.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Sandbox, binary, environment, manifest, policy, text};
use serde_json::{Value, json};

/// The policy, and the manifest, of each of the two.
const NAMES: [&str; 2] = ["one", "two"];

#[test]
fn the_second_of_two_imports_is_refused() {
    let mut sandbox = Sandbox::new();
    let key = sandbox.create("staging");
    sandbox.use_key(&key);
    let events = |sandbox: &Sandbox| {
        let (_, page) = sandbox.json(&["audit", "list"]);
        page["events"].as_array().unwrap().len()
    };
    let before = events(&sandbox);

    let gate = sandbox.path("gate");
    let children: Vec<_> = NAMES
        .into_iter()
        .map(|name| {
            let file = format!("{name}.yaml");
            sandbox.write(&file, &manifest(&[policy(name, "b.c", true)]));
            Command::new(binary())
                .args(["import", "--format", "json", "--file", &file])
                .current_dir(sandbox.path(""))
                .env_clear()
                .env("AL_URL", sandbox.url())
                .envs(environment())
                .env("AL_SERVICE_KEY", &key)
                .env("AL_TEST_HOLD", &gate)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();

    let deadline = Instant::now() + Duration::from_secs(30);
    for child in &children {
        let waiting = sandbox.path(&format!("gate.{}.waiting", child.id()));
        while !waiting.exists() {
            assert!(
                Instant::now() < deadline,
                "an import never came to the hook"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    fs::write(&gate, "").unwrap();

    let mut ends: Vec<(Option<i32>, String, &str)> = NAMES
        .into_iter()
        .zip(children)
        .map(|(name, child)| {
            let output = child.wait_with_output().unwrap();
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            let code = text(&document["error"]["code"]);
            (output.status.code(), code, name)
        })
        .collect();
    ends.sort();
    let [winner, loser] = [ends[0].2, ends[1].2];
    assert_eq!(
        ends,
        [
            (Some(0), String::new(), winner),
            (Some(1), "STATE_CHANGED".to_owned(), loser)
        ]
    );
    assert_eq!(events(&sandbox), before + 1);
    let (_, event) = sandbox.json(&["audit", "show", &before.to_string()]);
    assert_eq!(
        event["names"],
        json!({"added": [winner], "deactivated": [], "modified": []})
    );
    let exported = sandbox.al(&["export"]).stdout;
    let names: Vec<&str> = exported
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- name: "))
        .collect();
    assert_eq!(names, [winner], "{exported}");
    assert_eq!(sandbox.al(&["audit", "verify"]).code, 0);
}
