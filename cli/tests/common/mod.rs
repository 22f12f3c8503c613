//! A folder of its own for each test, with a store, and the real binary run in it.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "each test file uses a part, may fail loudly, and need not be fast"
)]

pub(crate) mod page;
pub(crate) mod plan;
mod store;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use lattice_core::hash::{hex, sha256};
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use store::{Store, called_alike, environment};

/// Compares with a snapshot of the test in the folder of the test file, whichever test binary the file is compiled into.
macro_rules! assert_snapshot {
    ($shown:expr) => {{
        let file = module_path!().rsplit("::").next().unwrap();
        let folder = format!("snapshots/{file}");
        insta::with_settings!({ snapshot_path => folder, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!($shown);
        });
    }};
}
pub(crate) use assert_snapshot;

/// A folder, a store, and a key to use.
pub(crate) struct Sandbox {
    folder: TempDir,
    store: Store,
    key: Option<String>,
}

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    /// An empty folder; `AL_URL` names a store that is not there yet.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            store: Store::new(&folder.path().join("al.db")),
            folder,
            key: None,
        }
    }

    /// With the workspace `staging`, its key in use, and the manifest imported.
    pub(crate) fn with(manifest: &str) -> Self {
        let mut sandbox = Self::new();
        let key = sandbox.create("staging");
        sandbox.key = Some(key);
        sandbox.write("base.yaml", manifest);
        let run = sandbox.al(&["import", "--file", "base.yaml"]);
        assert_eq!(run.code, 0, "{run:?}");
        sandbox
    }

    /// Creates a workspace and returns its key.
    pub(crate) fn create(&self, name: &str) -> String {
        let run = self.al(&[
            "workspace",
            "create",
            name,
            "--org-name",
            &format!("Acme ({name})"),
        ]);
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout.trim_end().to_owned()
    }

    /// Uses this key from now on.
    pub(crate) fn use_key(&mut self, key: &str) {
        self.key = Some(key.to_owned());
    }

    /// The key in use.
    pub(crate) fn key(&self) -> String {
        self.key.clone().unwrap()
    }

    /// What names the store, for a command that runs in the folder.
    pub(crate) fn url(&self) -> &str {
        match &self.store {
            Store::File(_) => "sqlite:al.db",
            Store::Database(url) | Store::Server(url, _, _) => url,
        }
    }

    /// The store, in the hands of someone who does not use al.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Every file of the folder with the SHA-256 of its bytes; a database is as one more. Without what SQLite puts beside
    /// a store for its readers: `-shm` holds their locks, and a `-wal` without bytes holds nothing.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_file())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, hex(&sha256(&fs::read(entry.path()).unwrap())))
            })
            .filter(|(name, _)| !name.ends_with("-shm"))
            .filter(|(name, digest)| !name.ends_with("-wal") || *digest != hex(&sha256(b"")))
            .chain(
                self.store
                    .rows()
                    .map(|rows| ("al.db".to_owned(), hex(&sha256(rows.as_bytes())))),
            )
            .collect();
        files.sort();
        files
    }

    /// The binary in the folder, with an environment that holds the store and the key alone.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.prepare(Command::new(binary()), args)
    }

    /// The same through `sh`: `"$AL"` is the binary.
    pub(crate) fn shell(&self, script: &str) -> Run {
        let mut command = self.prepare(Command::new("/bin/sh"), &["-c", script]);
        run(command.env("AL", binary()))
    }

    fn prepare(&self, mut command: Command, args: &[&str]) -> Command {
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("AL_URL", self.url())
            .envs(environment())
            .timeout(std::time::Duration::from_mins(1));
        if let Some(key) = &self.key {
            command.env("AL_SERVICE_KEY", key);
        }
        command
    }

    pub(crate) fn al(&self, args: &[&str]) -> Run {
        run(&mut self.command(args))
    }

    pub(crate) fn al_with(&self, stdin: impl Into<Vec<u8>>, args: &[&str]) -> Run {
        run(self.command(args).write_stdin(stdin))
    }

    /// Runs with `--format json` and parses the one document on stdout.
    pub(crate) fn json(&self, args: &[&str]) -> (i32, Value) {
        let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        let run = self.al(&args);
        let document = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
        (run.code, document)
    }

    /// The code of the error document that a run prints.
    pub(crate) fn error(&self, args: &[&str]) -> (i32, String) {
        let (code, document) = self.json(args);
        (code, text(&document["error"]["code"]))
    }

    /// Runs commands and writes down what a user sees, with what differs between runs taken out.
    pub(crate) fn transcript(&self, commands: &[&[&str]]) -> String {
        let mut transcript = String::new();
        for args in commands {
            let run = self.al(args);
            transcript.push_str(&redact(&format!("$ al {}\n", args.join(" "))));
            transcript.push_str(&run.shown());
            transcript.push('\n');
        }
        transcript
    }
}

pub(crate) fn binary() -> &'static Path {
    assert_cmd::cargo::cargo_bin!("al")
}

pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: called_alike(&String::from_utf8(output.stdout).unwrap(), "sqlite:al.db"),
        stderr: called_alike(&String::from_utf8(output.stderr).unwrap(), "sqlite:al.db"),
    }
}

impl Run {
    /// For snapshots.
    pub(crate) fn shown(&self) -> String {
        let mut shown = format!("exit {}\n", self.code);
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                shown.push_str(&format!("--- {name}\n{}", redact(text)));
            }
        }
        shown
    }
}

/// Takes out ids, keys, times, digests and roots.
pub(crate) fn redact(text: &str) -> String {
    let rows = [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[UUID]",
        ),
        (
            r"(al_(?:svc|agent)_[a-z0-9-]+_)[0-9a-zA-Z]{20,}",
            "${1}[SECRET]",
        ),
        (r"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z", "[TIME]"),
        (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
        (r"(— \S+) [0-9A-Za-z+/]{40,}={0,2}", "${1} [SIGNATURE]"),
        (r"\+[0-9a-f]{8}\+[0-9A-Za-z+/]{44}", "+[KEY]"),
        (r"extra [0-9A-Za-z+/]+={0,2}", "extra [EVENT]"),
        (r"[0-9A-Za-z+/]{43}=", "[ROOT]"),
    ];
    let mut text = text.to_owned();
    for (pattern, replacement) in rows {
        text = Regex::new(pattern)
            .unwrap()
            .replace_all(&text, replacement)
            .into_owned();
    }
    text
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A policy of a manifest, without conditions.
pub(crate) fn policy(name: &str, action_type: &str, approval: bool) -> String {
    format!(
        "  - name: {name}\n    action_type: {action_type}\n    approval_required: {approval}\n    \
         approval_timeout_hours: 8\n    allowed_repos: null\n    allowed_branches: null\n    conditions: null\n"
    )
}

/// A manifest of policies.
pub(crate) fn manifest(policies: &[String]) -> String {
    let policies = if policies.is_empty() {
        " []\n".to_owned()
    } else {
        format!("\n{}", policies.concat())
    };
    format!("manifest_version: '1.0'\npolicies:{policies}")
}
