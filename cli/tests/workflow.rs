//! The example workflow does what it says: its steps run here, as a runner would run them, over one store that
//! persists between the jobs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;

use common::Store;

struct Runner {
    folder: tempfile::TempDir,
    store: Store,
    workflow: Value,
    key: String,
}

impl Runner {
    fn new() -> Self {
        let text = std::fs::read_to_string(examples().join("github-actions/promote.yml")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut runner = Self {
            store: Store::new(&folder.path().join("al.db")),
            folder,
            workflow: serde_yaml::from_str(&text).unwrap(),
            key: String::new(),
        };
        runner.key = runner.create("staging");
        runner
    }

    /// Creates a workspace in the store and returns its key.
    fn create(&self, name: &str) -> String {
        let created = self.bash(&format!("al workspace create {name}"));
        assert!(created.status.success(), "{created:?}");
        String::from_utf8(created.stdout).unwrap().trim().to_owned()
    }

    /// Puts an example where the repository of the workflow keeps its policies.
    fn commit(&self, example: &str) {
        let from = examples().join("policies").join(example);
        std::fs::copy(from, self.folder.path().join("policies.yaml")).unwrap();
    }

    /// Runs the steps of a job up to the first that fails; whether none did, and what they printed.
    fn job(&self, name: &str) -> (bool, String) {
        let job = &self.workflow["jobs"][name];
        for variable in ["AL_URL", "AL_SERVICE_KEY"] {
            assert!(job["env"][variable].is_string(), "{name} sets {variable}");
        }
        let mut printed = String::new();
        let mut ran = 0;
        for step in job["steps"].as_sequence().unwrap() {
            let Some(script) = step["run"].as_str() else {
                continue;
            };
            if step["name"] == "Install al" {
                continue;
            }
            ran += 1;
            let output = self.bash(script);
            printed += &String::from_utf8_lossy(&output.stdout);
            printed += &String::from_utf8_lossy(&output.stderr);
            if !output.status.success() {
                return (false, printed);
            }
        }
        assert!(ran > 0, "{name} has steps to run");
        (true, printed)
    }

    fn bash(&self, script: &str) -> Output {
        let folder = self.folder.path();
        let al = Path::new(env!("CARGO_BIN_EXE_al")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(folder)
            .env("PATH", format!("{}:{path}", al.display()))
            .env("AL_URL", self.store.url())
            .envs(common::environment())
            .env("AL_SERVICE_KEY", &self.key)
            .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
            .output()
            .unwrap()
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

#[test]
fn preview_then_apply_then_nothing_left_to_do() {
    let runner = Runner::new();
    runner.commit("staging.yaml");
    let (passed, printed) = runner.job("apply");
    assert!(passed, "{printed}");

    runner.commit("dev.yaml");
    let (passed, printed) = runner.job("preview");
    assert!(passed, "{printed}");
    assert!(printed.contains("changes pending"), "{printed}");
    let summary = std::fs::read_to_string(runner.folder.path().join("summary.md")).unwrap();
    for name in [
        "customer-message-reply",
        "tool-invoke-mcp",
        "deploy-production",
    ] {
        assert!(summary.contains(name), "{summary}");
    }

    let (passed, printed) = runner.job("apply");
    assert!(passed, "{printed}");
    assert!(printed.contains("+ 6 added"), "{printed}");
    assert!(printed.contains("~ 4 modified"), "{printed}");

    let (passed, printed) = runner.job("preview");
    assert!(passed, "{printed}");
    assert!(printed.contains("already matches"), "{printed}");
}

#[test]
fn a_broken_manifest_fails_the_pull_request() {
    let runner = Runner::new();
    let broken = "manifest_version: '1.0'\npolicies:\n";
    std::fs::write(runner.folder.path().join("policies.yaml"), broken).unwrap();
    let (passed, printed) = runner.job("preview");
    assert!(!passed, "{printed}");
    assert!(printed.contains("INVALID_MANIFEST"), "{printed}");
    assert!(printed.contains("policies.yaml:2:10"), "{printed}");
}

#[test]
fn a_key_of_another_environment_fails_both_jobs() {
    let mut runner = Runner::new();
    runner.commit("dev.yaml");
    runner.key = runner.create("production");
    for job in ["preview", "apply"] {
        let (passed, printed) = runner.job(job);
        assert!(!passed, "{job}: {printed}");
        assert!(printed.contains("INVALID_SERVICE_KEY"), "{job}: {printed}");
    }
}
