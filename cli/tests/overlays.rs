//! Overlays and folders of manifests, as people and programs see them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use std::fs;

use common::{Sandbox, assert_snapshot, manifest, policy};
use lattice_core::hash::{hex, sha256};

const PRODUCTION: &str = "\
overlay_version: '1.0'
policies:
  deploys:
    approval_required: true
    approval_timeout_hours: 4
  reads:
    remove: true
";

fn base() -> String {
    manifest(&[
        policy("deploys", "deploy.*", false),
        policy("reads", "db.read", false),
    ])
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&base());
    sandbox.write("production.yaml", PRODUCTION);
    sandbox.write(
        "typo.yaml",
        &PRODUCTION
            .replace("deploys", "deplois")
            .replace("remove: true", "allowed_repos: main"),
    );
    for (name, policies) in [
        ("all/web/b.yaml", [policy("web", "deploy.web", true)]),
        ("all/a.yml", [policy("api", "deploy.api", true)]),
        ("all/.hidden.yaml", [policy("web", "deploy.web", true)]),
        ("twice/one.yaml", [policy("web", "deploy.web", true)]),
        ("twice/two.yaml", [policy("web", "deploy.web", false)]),
    ] {
        let path = sandbox.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, manifest(&policies)).unwrap();
    }
    fs::create_dir(sandbox.path("none")).unwrap();
    sandbox
}

#[test]
fn one_environment_is_different() {
    assert_snapshot!(sandbox().transcript(&[
        &["validate", "base.yaml", "--overlay", "production.yaml"],
        &[
            "diff",
            "base.yaml",
            "base.yaml",
            "--overlay",
            "production.yaml"
        ],
        &["render", "base.yaml", "--overlay", "production.yaml"],
        &[
            "import",
            "--file",
            "base.yaml",
            "--overlay",
            "production.yaml",
            "--replace",
            "--dry-run"
        ],
        &[
            "import",
            "--file",
            "base.yaml",
            "--overlay",
            "production.yaml",
            "--replace"
        ],
        &[
            "diff",
            "--file",
            "base.yaml",
            "--overlay",
            "production.yaml"
        ],
        &["validate", "base.yaml", "--overlay", "typo.yaml"],
        &["import", "--file", "base.yaml", "--overlay", "typo.yaml"],
        &["import", "--file", "production.yaml"],
        &["render", "base.yaml", "--overlay", "base.yaml"],
        &[
            "validate",
            "base.yaml",
            "base.yaml",
            "--overlay",
            "production.yaml"
        ],
        &["render", "-", "--overlay", "-"],
        &["eval", "--action", "a.json", "--overlay", "production.yaml"],
    ]));
}

#[test]
fn a_folder_is_one_manifest() {
    assert_snapshot!(sandbox().transcript(&[
        &["validate", "all"],
        &["render", "all", "--out", "merged.yaml"],
        &["diff", "all", "merged.yaml", "--detailed-exitcode"],
        &["import", "--file", "all"],
        &["validate", "twice"],
        &["import", "--file", "twice"],
        &["render", "none"],
        &["validate", "none", "base.yaml"],
    ]));
}

#[test]
fn the_log_has_the_digests_of_file_and_rendering() {
    let sandbox = sandbox();
    let digest = |args: &[&str]| hex(&sha256(sandbox.al(args).stdout.as_bytes()));
    let event = |args: &[&str]| sandbox.json(args).1["event"].clone();
    let rendered = digest(&["render", "base.yaml", "--overlay", "production.yaml"]);
    let merged = digest(&["render", "all"]);

    let imported = event(&[
        "import",
        "--file",
        "base.yaml",
        "--overlay",
        "production.yaml",
    ]);
    assert_eq!(imported["manifest_sha256"], hex(&sha256(base().as_bytes())));
    assert_eq!(imported["rendered_sha256"], rendered);

    let imported = event(&["import", "--file", "all"]);
    assert_eq!(imported["manifest_sha256"], merged);
    assert_eq!(imported["rendered_sha256"], serde_json::Value::Null);
}

#[test]
fn a_rendering_is_a_manifest_in_canonical_form() {
    let sandbox = sandbox();
    let first = sandbox
        .al(&["render", "base.yaml", "--overlay", "production.yaml"])
        .stdout;
    sandbox.write("rendered.yaml", &first);
    assert_eq!(sandbox.al(&["render", "rendered.yaml"]).stdout, first);
    assert_eq!(sandbox.al(&["fmt", "--check", "rendered.yaml"]).code, 0);
    let (code, document) = sandbox.json(&["render", "rendered.yaml"]);
    assert_eq!(
        (code, &document["policies"][0]["approval_timeout_hours"]),
        (0, &4.into())
    );
}

/// What a folder holds is read or refused, never passed over without a word.
#[cfg(unix)]
#[test]
fn nothing_in_a_folder_is_passed_over() {
    use std::os::unix::fs::symlink;
    let sandbox = sandbox();
    let folder = |name: &str| {
        let path = sandbox.path(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("a.YAML"), manifest(&[policy("a", "b", true)])).unwrap();
        path
    };
    folder("upper");
    symlink(sandbox.path("all"), folder("linked").join("team")).unwrap();
    symlink(sandbox.path("nowhere"), folder("broken").join("b.yaml")).unwrap();
    let pipe = folder("piped").join("p.yaml");
    let made = std::process::Command::new("mkfifo")
        .arg(pipe)
        .status()
        .unwrap();
    assert!(made.success());
    fs::create_dir(folder("odd").join("b.yaml")).unwrap();
    assert_snapshot!(sandbox.transcript(&[
        &["validate", "upper"],
        &["validate", "linked"],
        &["validate", "broken"],
        &["render", "piped"],
        &["validate", "odd"],
    ]));
}
