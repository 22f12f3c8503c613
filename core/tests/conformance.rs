//! The rows of `core/testdata/conformance.json` through the engine: whole documents, as `al --format json` prints them.
//!
//! `UPDATE_CONFORMANCE=1 cargo test -p lattice-core --test conformance` writes what the engine says now into the
//! file. The rows say what is right, so that every line of that diff is a claim to be checked against the contract.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests fail loudly"
)]

#[path = "conformance/cases.rs"]
mod cases;
#[path = "conformance/layout.rs"]
mod layout;

use lattice_core::audit::{Checkpoint, Proof, VerifyingKey};
use lattice_core::hash::sha256;
use lattice_core::view::{self, ErrorDocument, ManifestRef};
use lattice_core::{
    Action, Bundle, Error, Guard, Manifest, Mode, NamedText, Plan, PolicySpec, SavedPlan, State,
};
use serde::Serialize;
use serde_json::Value;

use cases::{Case, Suite, Text, Then};

/// A document that an operation returns.
#[derive(Serialize)]
#[serde(untagged)]
enum Document {
    Validation(view::Validation),
    Text(Text),
    Plan(Box<view::Plan>),
    Decision(view::Decision<'static>),
    Proof(Box<view::CheckedProof>),
}

type Outcome = Result<Document, Box<ErrorDocument>>;

fn run(suite: &Suite, case: &Case) -> Outcome {
    match case.op.as_str() {
        "validate" => {
            let mut validation = view::Validation::default();
            validation.add(
                &Bundle::of(named("manifest.yaml", &suite.manifest(case))),
                "-",
            );
            Ok(Document::Validation(validation))
        }
        "fmt" => {
            let formatted = lattice_core::format(suite.manifest(case).as_bytes());
            let text = formatted.map_err(|error| document(error, "manifest.yaml"))?;
            Ok(Document::Text(Text::Whole(text)))
        }
        "plan" => {
            let current = parse(&case.current(), "current.yaml")?;
            let desired = parse(&case.desired(), "desired.yaml")?;
            let plan = view::Plan::between(&current, &desired, Some("desired.yaml"), Mode::Replace);
            Ok(Document::Plan(Box::new(plan)))
        }
        "eval" => {
            let manifest = parse(&suite.manifest(case), "manifest.yaml")?;
            let json = suite.action(case);
            let action = Action::parse(json.as_bytes());
            let action = action.map_err(|error| document(error, "action.json"))?;
            Ok(Document::Decision(
                manifest.policies().decide(&action).into_owned(),
            ))
        }
        "render" => {
            let overlays = Suite::overlays(case).map(|(file, text)| named(&file, &text));
            let bundle = Bundle {
                overlays: overlays.collect(),
                ..Bundle::of(named("manifest.yaml", &suite.manifest(case)))
            };
            let rendered = bundle
                .manifest()
                .map_err(|error| ErrorDocument::from(&error))?;
            Ok(Document::Text(Text::Whole(rendered.to_text())))
        }
        "show" => {
            let saved = SavedPlan::parse(case.saved().as_bytes());
            let saved = saved.map_err(|error| document(error, "plan.json"))?;
            Ok(Document::Plan(Box::new(saved.into_view())))
        }
        "check" => check(case),
        "promote" => promote(case).map(|plan| Document::Plan(Box::new(plan))),
        unknown => panic!("{}: unknown operation `{unknown}`", case.name),
    }
}

/// What a proof shows to someone who holds checkpoints and keys.
fn check(case: &Case) -> Outcome {
    let keys = case.vkeys().iter().map(|key| VerifyingKey::parse(key));
    let keys: Result<Vec<_>, _> = keys.collect();
    let keys = keys.map_err(|error| ErrorDocument::from(&error))?;
    let kept = case.checkpoints().map(|(file, text)| {
        Checkpoint::parse(text.as_bytes()).map_err(|error| document(error, &file))
    });
    let kept = kept.collect::<Result<Vec<_>, _>>()?;
    let proof = Proof::parse(case.proof().as_bytes());
    let checked = proof.and_then(|proof| proof.check(&kept, &keys));
    let (checked, _) = checked.map_err(|error| document(error, "event.tlog-proof"))?;
    Ok(Document::Proof(Box::new(checked)))
}

/// A workspace without its store: states, and what is done with the last of them.
fn promote(case: &Case) -> Result<view::Plan, Box<ErrorDocument>> {
    // The workspace was created by event 0, and had no policies.
    let mut states = vec![State::default()];
    let desired = || parse(&case.desired(), "desired.yaml");
    for (file, text) in case.imports() {
        let manifest = parse(&text, &file)?;
        let current = states.last().expect("a state");
        states.push(Plan::new(current, manifest.policies(), Mode::Additive).apply(current));
    }
    let current = states.last().expect("a state");
    let guard = Guard::new(case.deactivation_threshold, case.allow_deactivations);
    let guard = guard.map_err(|error| ErrorDocument::from(&error))?;
    let check = |plan: &Plan, manifest: ManifestRef, note: Option<String>| {
        let mut view = view::Plan::new(plan, None, manifest, true);
        let notes = [note, guard.note(&plan.summary())];
        view.notes.splice(..0, notes.into_iter().flatten());
        match guard.check(&plan.summary()) {
            Ok(()) => Ok(view),
            Err(error) => Err(Box::new(ErrorDocument::from(&error.with_plan(view)))),
        }
    };
    match case.then.expect("`promote` has `then`") {
        Then::Replace => {
            let desired = desired()?;
            let plan = Plan::new(current, desired.policies(), Mode::Replace);
            check(
                &plan,
                ManifestRef::new(Some("desired.yaml"), &desired),
                None,
            )
        }
        Then::Diff => {
            let desired = desired()?;
            let plan = Plan::new(current, desired.policies(), Mode::Replace);
            let manifest = ManifestRef::new(Some("desired.yaml"), &desired);
            let digests = case.imports().map(|(_, text)| sha256(text.as_bytes()));
            let imports: Vec<_> = digests.collect();
            let same = imports
                .iter()
                .rposition(|digest| *digest == desired.sha256());
            let since = same.map_or(imports.len(), |at| at + 1);
            let drift = (since > 0).then(|| plan.drift(since as u64, false, &states[since].active));
            Ok(view::Plan {
                drift,
                ..view::Plan::new(&plan, None, manifest, true)
            })
        }
        Then::Rollback(event) => {
            let state = &states[usize::try_from(event).expect("few")];
            let plan = Plan::new(current, &state.active, Mode::Replace);
            let manifest = ManifestRef {
                file: None,
                sha256: String::new(),
                rendered_sha256: None,
                version: "1.0".to_owned(),
                policies: state.active.len(),
            };
            let note = format!("a rollback to the state after event {event}");
            check(&plan, manifest, Some(note))
        }
    }
}

fn named(file: &str, text: &str) -> NamedText {
    NamedText {
        file: Some(file.to_owned()),
        bytes: text.into(),
    }
}

fn parse(text: &str, file: &str) -> Result<Manifest, Box<ErrorDocument>> {
    Manifest::parse(text.as_bytes()).map_err(|error| document(error, file))
}

fn document(error: Error, file: &str) -> Box<ErrorDocument> {
    Box::new(ErrorDocument::from(&error.in_file(file)))
}

fn json(document: impl Serialize) -> Value {
    serde_json::to_value(document).expect("a document is JSON")
}

#[test]
fn every_row_is_as_it_should_be() {
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        update();
    }
    let suite = Suite::load();
    suite.judge(|case| run(&suite, case).map(json).map_err(json));
}

/// A document that a server sends is, where it is read, what it was: every decision, error, action and policy of the rows.
#[test]
fn what_is_read_back_is_what_was_written() {
    let suite = Suite::load();
    let (mut decisions, mut errors, mut policies) = (0, 0, 0);
    for case in &suite.cases {
        match run(&suite, case) {
            Ok(Document::Decision(decision)) => {
                let text = serde_json::to_string(&decision).expect("JSON");
                let read: view::Decision<'static> = serde_json::from_str(&text).expect(&text);
                let again = serde_json::to_string(&read).expect("JSON");
                assert_eq!(again, text, "{}", case.name);
                let action = suite.action(case);
                let action = Action::parse(action.as_bytes()).expect("it was decided on");
                let json = action.to_json();
                let read = Action::parse(json.as_bytes()).expect(&json);
                assert_eq!(read, action);
                decisions += 1;
            }
            Err(document) => {
                let text = serde_json::to_string(&document).expect("JSON");
                let read: ErrorDocument = serde_json::from_str(&text).expect(&text);
                let error = Error::from_document(read).expect("the code is known");
                let again = serde_json::to_string(&ErrorDocument::from(&error)).expect("JSON");
                assert_eq!(again, text, "{}", case.name);
                errors += 1;
            }
            Ok(_) => {}
        }
        if case.op != "eval" {
            continue;
        }
        let manifest = Manifest::parse(suite.manifest(case).as_bytes());
        for policy in manifest.iter().flat_map(|found| found.policies().iter()) {
            let spec = policy.spec();
            let text = serde_json::to_string(&spec).expect("JSON");
            let read: PolicySpec = serde_json::from_str(&text).expect(&text);
            assert_eq!(read, spec);
            policies += 1;
        }
    }
    assert!(
        decisions > 500 && errors > 100 && policies > 500,
        "{decisions} {errors} {policies}"
    );
}

#[test]
fn an_error_with_a_code_of_another_version_is_none() {
    let text = r#"{"error": {"code": "FROM_TOMORROW", "message": "x", "policy": null, "file": null, "line": null,
        "column": null, "help": null, "plan": null, "related": []}}"#;
    let document: ErrorDocument = serde_json::from_str(text).expect("a document");
    assert!(Error::from_document(document).is_none());
}

/// A row with what the engine says now.
#[derive(Serialize)]
struct Answered<'a> {
    #[serde(flatten)]
    case: &'a Case,
    #[serde(skip_serializing_if = "Option::is_none")]
    want: Option<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    want_error: Option<Box<ErrorDocument>>,
}

fn update() {
    let suite = Suite::load();
    let written: Suite = serde_json::from_str(cases::FILE).expect("the file was loaded");
    let rows = suite
        .cases
        .iter()
        .zip(&written.cases)
        .map(|(case, written)| {
            let (want, want_error) = match run(&suite, case) {
                Ok(Document::Text(text)) => {
                    (Some(Document::Text(layout::text(text.whole()))), None)
                }
                Ok(document) => (Some(document), None),
                Err(error) => (None, Some(error)),
            };
            Answered {
                case: written,
                want,
                want_error,
            }
        });
    let text = layout::file(&written, &rows.collect::<Vec<_>>());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/conformance.json");
    std::fs::write(path, text).expect("the file can be written");
    panic!("{path} was written anew: read its diff, then run the test without UPDATE_CONFORMANCE");
}

#[test]
fn canonical_text_is_its_own_canonical_text() {
    for case in Suite::load().cases {
        let want = case.want.filter(|_| case.op == "fmt");
        let Some(want) = want else { continue };
        let text: Text = serde_json::from_value(want).expect("a text");
        let again = lattice_core::format(text.whole().as_bytes()).expect("it is valid");
        assert_eq!(again, text.whole(), "{}", case.name);
    }
}

#[test]
fn abbreviations_are_written_out() {
    let rows = [
        ("plain", "plain"),
        ("⟪3×ab⟫c", "abababc"),
        ("a⟪2×b⟫⟪0×c⟫", "abb"),
        ("⟪x", "⟪x"),
    ];
    for (text, expected) in rows {
        assert_eq!(cases::expand(text), expected, "{text}");
    }
}
