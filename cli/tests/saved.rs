//! Plans that are kept: planned, shown, applied once, and refused where anything moved.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly"
)]

mod common;

use std::fs;

use common::{Sandbox, assert_snapshot, manifest, policy, redact};
use lattice_core::hash::{hex, sha256};
use serde_json::{Value, json};

const PLAN: [&str; 6] = [
    "plan",
    "--file",
    "next.yaml",
    "--replace",
    "--out",
    "plan.json",
];

/// A workspace with two policies, and a manifest that changes one, adds one and leaves one out.
fn sandbox() -> Sandbox {
    let policies = [policy("a", "b.c", true), policy("z", "b.c", true)];
    let sandbox = Sandbox::with(&manifest(&policies));
    let next = [policy("a", "b.c", false), policy("d", "e.f", false)];
    sandbox.write("next.yaml", &manifest(&next));
    sandbox
}

fn saved() -> Sandbox {
    let sandbox = sandbox();
    let run = sandbox.al(&PLAN);
    assert_eq!(run.code, 0, "{run:?}");
    sandbox
}

/// Whatever it is called, what is read is not replaced.
#[test]
fn a_plan_does_not_take_the_place_of_what_it_is_made_of() {
    let sandbox = Sandbox::with(&manifest(&[policy("a", "b.c", true)]));
    sandbox.write("production.yaml", "overlay_version: '1.0'\npolicies: {}\n");
    std::fs::create_dir(sandbox.path("all")).unwrap();
    std::fs::copy(sandbox.path("base.yaml"), sandbox.path("all/a.yaml")).unwrap();
    let before = sandbox.files();
    let rows: [&[&str]; 6] = [
        &["plan", "--file", "base.yaml", "--out", "./base.yaml"],
        &[
            "plan",
            "--file",
            "./base.yaml",
            "--overlay",
            "production.yaml",
            "--out",
            "all/../production.yaml",
        ],
        &["plan", "--file", "all", "--out", "all/a.yaml"],
        &["plan", "--file", "all", "--out", "all/plan.yml"],
        &["render", "base.yaml", "--out", "./base.yaml"],
        &["render", "all", "--out", "all/merged.yaml"],
    ];
    for args in rows {
        let (code, error) = sandbox.error(args);
        assert_eq!((code, &*error), (64, "USAGE"), "{args:?}");
    }
    assert_eq!(sandbox.files(), before);
    assert_eq!(
        sandbox
            .al(&["plan", "--file", "all", "--out", "all/plan.json"])
            .code,
        0
    );
}

#[test]
fn a_plan_from_its_making_to_its_end() {
    let transcript = sandbox().transcript(&[
        &[
            "plan",
            "--file",
            "next.yaml",
            "--diff",
            "--detailed-exitcode",
        ],
        &PLAN,
        &["show", "plan.json"],
        &["show", "plan.json", "--diff", "--quiet"],
        &["show", "plan.json", "--format", "markdown", "--quiet"],
        &["apply", "plan.json", "--expect-workspace", "prod"],
        &["apply", "plan.json", "--expect-workspace", "staging"],
        &["apply", "plan.json"],
        &[
            "plan",
            "--file",
            "next.yaml",
            "--replace",
            "--detailed-exitcode",
            "--quiet",
        ],
    ]);
    // Plans say which version of al made them.
    assert_snapshot!(transcript.replace(lattice_core::VERSION, "[VERSION]"));
}

#[test]
fn plans_that_cannot_be_applied() {
    let mut sandbox = saved();
    let text = sandbox.read("plan.json");
    let edited = text.replacen("\"d\"", "\"e\"", 1);
    sandbox.write("edited.json", &edited);
    sandbox.write("cut.json", text.split_at(text.len() / 2).0);
    sandbox.write("later.json", &text.replace("al.plan/v1", "al.plan/v2"));
    let other = text.replace(&format!("\"{}\"", lattice_core::VERSION), "\"99.0.0\"");
    sandbox.write("other.json", &sealed(&other));
    let before = sandbox.files();
    let mut transcript = sandbox.transcript(&[
        &["apply", "edited.json"],
        &["apply", "cut.json"],
        &["apply", "later.json"],
        &["apply", "other.json"],
        &["apply", "next.yaml"],
        &["apply", "nowhere.json"],
        &["show", "edited.json"],
        &["show", "nowhere.json"],
        &["show", "edited.json", "--format", "json"],
        &["plan", "--file", "next.yaml", "--out", "next.yaml"],
        &["plan", "--file", "next.yaml", "--out", "no/where.json"],
    ]);
    assert_eq!(sandbox.files(), before);

    let prod = sandbox.create("prod");
    sandbox.use_key(&prod);
    let before = sandbox.files();
    transcript.push_str(&sandbox.transcript(&[&["apply", "plan.json"]]));
    assert_eq!(sandbox.files(), before);
    assert_snapshot!(transcript.replace(lattice_core::VERSION, "[VERSION]"));
}

/// The text with a digest that fits: what a forger writes.
fn sealed(text: &str) -> String {
    let (body, _) = text.rsplit_once("  \"sha256\"").unwrap();
    let digest = hex(&sha256(body.as_bytes()));
    format!("{body}  \"sha256\": \"{digest}\"\n}}\n")
}

#[test]
fn each_refusal_has_its_code_and_writes_nothing() {
    let mut sandbox = saved();
    let text = sandbox.read("plan.json");
    sandbox.write("edited.json", &text.replacen("staging", "stagink", 1));
    sandbox.write(
        "forged.json",
        &sealed(&text.replacen("\"added\": 1", "\"added\": 0", 1)),
    );
    let refused = |sandbox: &Sandbox, plan: &str, expected: &str| {
        let before = sandbox.files();
        let error = sandbox.error(&["apply", plan]);
        assert_eq!(error, (1, expected.to_owned()), "{plan}");
        assert_eq!(sandbox.files(), before, "{plan}");
    };
    refused(&sandbox, "edited.json", "INVALID_PLAN");
    refused(&sandbox, "forged.json", "INVALID_PLAN");
    refused(&sandbox, "nowhere.json", "IO_ERROR");
    assert_eq!(sandbox.al(&["apply", "plan.json"]).code, 0);
    refused(&sandbox, "plan.json", "STALE_PLAN");
    // The same policies as before are not the state that was planned on.
    assert_eq!(
        sandbox
            .al(&["import", "--file", "base.yaml", "--replace"])
            .code,
        0
    );
    refused(&sandbox, "plan.json", "STALE_PLAN");
    let prod = sandbox.create("prod");
    sandbox.use_key(&prod);
    refused(&sandbox, "plan.json", "WORKSPACE_MISMATCH");
    sandbox.use_key("al_svc_staging_");
    refused(&sandbox, "edited.json", "INVALID_SERVICE_KEY");
}

/// What is applied is what was reviewed, and `al show` shows what `al plan` showed.
#[test]
fn the_documents_agree() {
    for format in ["text", "json", "markdown"] {
        let sandbox = sandbox();
        let planned = sandbox.al(&[&PLAN[..], &["--diff", "--format", format]].concat());
        let shown = sandbox.al(&["show", "plan.json", "--diff", "--format", format]);
        assert_eq!((planned.code, shown.code), (0, 0));
        assert_eq!(planned.stdout, shown.stdout);
    }
    let sandbox = saved();
    let (_, imported) = sandbox.json(&["import", "--file", "next.yaml", "--replace", "--dry-run"]);
    let (_, mut reviewed) = sandbox.json(&["show", "plan.json"]);
    assert_eq!(reviewed, imported);
    let (_, applied) = sandbox.json(&["apply", "plan.json"]);
    assert_ne!(applied["event"], Value::Null);
    for key in ["event", "checkpoint"] {
        reviewed[key] = applied[key].clone();
    }
    reviewed["dry_run"] = json!(false);
    reviewed["applied"] = json!(true);
    assert_eq!(applied, reviewed);
    let (_, verified) = sandbox.json(&["audit", "verify"]);
    assert_eq!(verified["valid"], true);
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let sandbox = saved();
    let text = sandbox.read("plan.json");
    assert_eq!(sandbox.al(&PLAN).code, 0);
    assert_eq!(sandbox.read("plan.json"), text);
    let piped = sandbox.al(&[
        "plan",
        "--file",
        "next.yaml",
        "--replace",
        "--out",
        "-",
        "--detailed-exitcode",
    ]);
    assert_eq!((piped.code, &piped.stdout), (2, &text));
    let shown = sandbox.al_with(text.clone(), &["show", "-"]);
    assert_eq!(shown.stdout, sandbox.al(&["show", "plan.json"]).stdout);
    let applied = sandbox.al_with(text, &["apply", "-"]);
    assert!(
        applied.stdout.starts_with("Imported into staging:\n"),
        "{applied:?}"
    );
    // A manifest on standard input is in the plan like any other.
    let next = sandbox.read("next.yaml");
    let piped = sandbox.al_with(next, &["plan", "--file", "-", "--out", "again.json"]);
    assert_eq!(piped.code, 0, "{piped:?}");
    assert_eq!(sandbox.al(&["apply", "again.json"]).code, 0);
}

/// What the guard holds is shown as for an import, and an old plan of that name stays.
#[test]
fn what_the_guard_holds_is_not_kept() {
    let sandbox = sandbox();
    sandbox.write("none.yaml", &manifest(&[]));
    sandbox.write("plan.json", "old");
    let with = |more: &[&'static str]| {
        [
            &[
                "plan",
                "--file",
                "none.yaml",
                "--replace",
                "--out",
                "plan.json",
            ],
            more,
        ]
        .concat()
    };
    assert_snapshot!(sandbox.transcript(&[&with(&[])]));
    let (code, document) = sandbox.json(&with(&[]));
    assert_eq!(
        (code, &document["error"]["code"]),
        (3, &json!("DEACTIVATION_LIMIT"))
    );
    assert_eq!(sandbox.read("plan.json"), "old");
    let piped = sandbox.al(&["plan", "--file", "none.yaml", "--replace", "--out", "-"]);
    assert_eq!((piped.code, piped.stdout.as_str()), (3, ""));

    let run = sandbox.al(&with(&["--allow-deactivations", "2"]));
    assert_eq!(run.code, 0, "{run:?}");
    let shown = sandbox.al(&["show", "plan.json"]);
    assert!(
        shown.stderr.contains("deactivations allowed: 2\n"),
        "{shown:?}"
    );
    // The exact number holds wherever it is applied; a threshold of the planner's own does not.
    let run = sandbox.al(&[
        "plan",
        "--file",
        "none.yaml",
        "--replace",
        "--allow-deactivations",
        "2",
        "--format",
        "markdown",
    ]);
    assert!(
        run.stdout
            .contains("2 of 2 active policies are deactivated"),
        "{run:?}"
    );
    let mut strict = sandbox.command(&["apply", "plan.json"]);
    let applied = common::run(strict.env("AL_DEACTIVATION_THRESHOLD", "0"));
    assert_eq!(
        (applied.code, applied.stderr.contains("error")),
        (0, false),
        "{applied:?}"
    );
}

#[test]
fn plans_are_offline_to_look_at() {
    let sandbox = saved();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::copy(
        sandbox.path("plan.json"),
        elsewhere.path().join("plan.json"),
    )
    .unwrap();
    let mut command = sandbox.command(&["show", "plan.json"]);
    let shown = common::run(command.current_dir(elsewhere.path()).env_clear());
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(redact(&shown.stderr).contains("[UUID]"));
}

/// A folder of manifests and an overlay are in the plan, text by text.
#[test]
fn folders_and_overlays_are_kept() {
    let sandbox = sandbox();
    fs::create_dir(sandbox.path("policies")).unwrap();
    sandbox.write("policies/a.yaml", &manifest(&[policy("a", "b.c", true)]));
    sandbox.write("policies/d.yaml", &manifest(&[policy("d", "e.f", false)]));
    let overlay = "overlay_version: '1.0'\npolicies:\n  d:\n    approval_required: true\n";
    sandbox.write("staging.yaml", overlay);
    let plan = "plan --file policies --overlay staging.yaml --replace";
    let plan: Vec<&str> = plan.split(' ').collect();
    let keep = [&plan[..], &["--out", "plan.json"]].concat();
    let overwritten = [&plan[..], &["--out", "staging.yaml"]].concat();
    let transcript = sandbox.transcript(&[&overwritten, &keep, &["show", "plan.json", "--diff"]]);
    // The files are in the plan, and needed no more.
    fs::remove_dir_all(sandbox.path("policies")).unwrap();
    fs::remove_file(sandbox.path("staging.yaml")).unwrap();
    let applied = sandbox.transcript(&[&["apply", "plan.json"]]);
    assert_snapshot!([transcript, applied].concat());
    let (_, event) = sandbox.json(&["audit", "show", "2"]);
    let (_, shown) = sandbox.json(&["show", "plan.json"]);
    for (recorded, planned) in [
        ("manifest_sha256", "sha256"),
        ("rendered_sha256", "rendered_sha256"),
    ] {
        assert_ne!(event[recorded], Value::Null);
        assert_eq!(event[recorded], shown["manifest"][planned]);
    }
}

/// The commands of the page about plans, one job after the other.
#[test]
fn the_example_of_the_page_runs() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/plans.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1);
    let jobs: Vec<&str> = blocks
        .filter_map(|block| block.split_once("```"))
        .map(|(job, _)| job)
        .collect();
    assert_eq!(jobs.len(), 2, "a job that plans, and one that applies");
    let sandbox = sandbox();
    sandbox.write("policies.yaml", &sandbox.read("next.yaml"));
    let job = |script: &str| {
        sandbox.shell(&format!(
            "set -e; PATH=\"${{AL%/*}}:/usr/bin:/bin\"\n{script}"
        ))
    };
    let planned = job(jobs[0]);
    assert_eq!(planned.code, 0, "{planned:?}");
    assert!(sandbox.read("review.md").contains("- deactivated"));
    let applied = job(jobs[1]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(
        applied.stdout.contains("Imported into staging:\n"),
        "{applied:?}"
    );
    let again = job(jobs[1]);
    assert!(again.stderr.contains("STALE_PLAN"), "{again:?}");
    let plan = sandbox.read("plan.json");
    sandbox.write("plan.json", &sealed(&plan.replacen("\"d\"", "\"e\"", 1)));
    let forged = job(jobs[1]);
    assert!(
        !forged.stderr.contains("PLAN") && forged.code != 0,
        "{forged:?}"
    );
}

/// A threshold that whoever planned it raised is held by a lower one where it is applied.
#[test]
fn a_raised_threshold_is_shown_and_can_be_held() {
    let names: Vec<String> = ('a'..='l')
        .map(|name| policy(&name.to_string(), "b.c", true))
        .collect();
    let sandbox = Sandbox::with(&manifest(&names));
    sandbox.write("half.yaml", &manifest(&names[..6]));
    let run = sandbox.al(&[
        "plan",
        "--file",
        "half.yaml",
        "--replace",
        "--deactivation-threshold",
        "60",
        "--out",
        "plan.json",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let shown = sandbox.al(&["show", "plan.json", "--format", "markdown", "--quiet"]);
    assert!(
        shown
            .stdout
            .contains("6 of 12 active policies are deactivated"),
        "{shown:?}"
    );
    let before = sandbox.files();
    let mut strict = sandbox.command(&["apply", "plan.json"]);
    let held = common::run(strict.env("AL_DEACTIVATION_THRESHOLD", "20"));
    assert_eq!(held.code, 3, "{held:?}");
    assert_eq!(sandbox.files(), before);
    assert_eq!(sandbox.al(&["apply", "plan.json"]).code, 0);
}
