//! Plans that are read back, and saved plans: nothing but what was written is taken.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

#[path = "laws/generate.rs"]
#[allow(dead_code, reason = "the laws use all of it")]
mod generate;

use lattice_core::audit::{Event, ImportEvent};
use lattice_core::hash::{hex, sha256};
use lattice_core::{
    Base, Bundle, Code, Error, Guard, Manifest, Mode, NamedText, Number, Plan, SavedPlan, State,
    VERSION, Value, view,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value as Json, json};

use generate::{mode, set, specs, state};

const MANIFEST: &str = "manifest_version: '1.0'
policies:
  - name: é \"quoted\"
    action_type: deploy.*
    approval_required: true
    allowed_repos: [acme/*]
    allowed_branches: null
    conditions: |
      {logic: all, rules: [{field: x, operator: eq, value: 1.5}]}
";

fn workspace() -> view::WorkspaceRef {
    view::WorkspaceRef {
        id: "0197a3c2-6a50-7000-8000-000000000001".to_owned(),
        name: "staging".to_owned(),
        org_name: "Acme \u{1f600}".to_owned(),
    }
}

fn named(file: &str, text: &str) -> NamedText {
    NamedText {
        file: Some(file.to_owned()),
        bytes: text.into(),
    }
}

/// A saved plan that adds the policy of [`MANIFEST`].
fn saved() -> SavedPlan {
    let manifest = Manifest::parse(MANIFEST.as_bytes()).unwrap();
    let plan = Plan::new(&State::default(), manifest.policies(), Mode::Additive);
    let reference = view::ManifestRef::new(Some("policies.yaml"), &manifest);
    let plan = view::Plan::new(&plan, Some(workspace()), reference, true);
    let base = Base {
        revision: 3,
        digest: State::default().active.digest(),
    };
    let bundle = Bundle::of(named("policies.yaml", MANIFEST));
    let guard = Guard::new(Some(40), Some(2)).unwrap();
    SavedPlan::new(base, manifest.policies().digest(), guard, bundle, plan).unwrap()
}

/// The text with a digest that fits: what a forger writes.
fn sealed(text: &str) -> String {
    let (body, _) = text.rsplit_once("  \"sha256\"").unwrap();
    let digest = hex(&sha256(body.as_bytes()));
    format!("{body}  \"sha256\": \"{digest}\"\n}}\n")
}

fn refused(text: impl AsRef<[u8]>) -> Error {
    let error = SavedPlan::parse(text.as_ref()).unwrap_err();
    assert_eq!(error.code(), Code::InvalidPlan, "{error}");
    assert!(error.diagnostics().all(|error| error.help.is_some()));
    error
}

#[test]
fn what_is_saved_is_read_back() {
    let plan = saved();
    let read = SavedPlan::parse(plan.text().as_bytes()).unwrap();
    assert_eq!(read, plan);
    assert_eq!(read.workspace(), &workspace());
    assert_eq!(read.base().revision, 3);
    assert_eq!(read.guard(), Guard::new(Some(40), Some(2)).unwrap());
    assert_eq!(read.bundle().manifests, [named("policies.yaml", MANIFEST)]);
    assert_eq!((read.view().dry_run, read.view().applied), (true, false));
    let document: Json = serde_json::from_str(read.text()).unwrap();
    assert_eq!(document["plan"], json!(read.view()));
    assert_eq!(document["engine"], VERSION);
    assert!(read.text().ends_with("\"\n}\n"));
}

#[test]
fn no_byte_may_change_and_none_be_missing() {
    let text = saved().into_text().into_bytes();
    for at in 0..text.len() {
        refused(&text[..at]);
        for flip in [0x01, 0x20, 0x80] {
            let mut edited = text.clone();
            edited[at] ^= flip;
            refused(&edited);
        }
        let mut longer = text.clone();
        longer.insert(at, b' ');
        refused(&longer);
    }
    refused([&text[..], b"\n"].concat());
}

type Edit = fn(&mut Json);

/// What a document says that was made by hand, with a digest that fits.
#[test]
fn forgeries() {
    let rows: &[(Edit, &str)] = &[
        (
            |plan| plan["type"] = json!("al.plan/v2\n"),
            "the plan is of the form `al.plan/v2\u{fffd}`, and this version of al reads `al.plan/v1`",
        ),
        (
            |plan| plan["engine"] = json!("99.0.0"),
            "the plan was saved by al 99.0.0, which is not this version",
        ),
        (
            |plan| plan["more"] = json!(null),
            "the plan is not as al saves plans",
        ),
        (
            |plan| plan["plan"]["workspace"]["more"] = json!(1),
            "the plan is not as al saves plans",
        ),
        (
            |plan| plan["plan"]["changes"][0]["fields"][0]["more"] = json!(1),
            "the plan is not as al saves plans",
        ),
        (
            |plan| plan["base"]["revision"] = json!(3.0),
            "the plan is not as al saves plans",
        ),
        (
            |plan| plan["guard"]["percent"] = json!(101),
            "the guard of the plan is none: a deactivation threshold of 101 % is none",
        ),
        (
            |plan| plan["base"]["state"] = json!("AB"),
            "`AB` in the plan is no state digest",
        ),
        (
            |plan| plan["after"] = json!(""),
            "`` in the plan is no state digest",
        ),
        (
            |plan| plan["manifests"][0]["text"] = json!("policies: []"),
            "the text of `policies.yaml` in the plan is not the one of its digest",
        ),
        (
            |plan| plan["plan"]["workspace"] = json!(null),
            "the plan is not a preview of what a workspace would become",
        ),
        (
            |plan| plan["plan"]["dry_run"] = json!(false),
            "the plan is not a preview of what a workspace would become",
        ),
        (
            |plan| plan["plan"]["applied"] = json!(true),
            "the plan is not a preview of what a workspace would become",
        ),
        (
            |plan| plan["plan"]["checkpoint"] = json!(""),
            "the plan is not a preview of what a workspace would become",
        ),
    ];
    for (edit, expected) in rows {
        let mut document: Json = serde_json::from_str(saved().text()).unwrap();
        edit(&mut document);
        // The digest stands last in what is saved, and `serde_json` sorts keys.
        document.as_object_mut().unwrap().remove("sha256");
        let text = serde_json::to_string_pretty(&document).unwrap();
        let text = format!(
            "{},\n  \"sha256\": \"\"\n}}",
            text.strip_suffix("\n}").unwrap()
        );
        let message = refused(sealed(&text)).message().to_owned();
        let message = message.split(": line").next().unwrap_or_default();
        assert_eq!(message, *expected);
    }
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let text = saved().into_text();
    for (once, twice) in [
        ("  \"after\": ", "  \"after\": \"\",\n  \"after\": "),
        ("\"mode\": ", "\"mode\": \"replace\",\n    \"mode\": "),
        ("\"added\": ", "\"added\": 1,\n      \"added\": "),
    ] {
        let edited = text.replacen(once, twice, 1);
        assert_ne!(edited, text);
        let message = refused(sealed(&edited)).message().to_owned();
        assert!(
            message.starts_with("the plan is not as al saves plans: line"),
            "{message}"
        );
    }
}

#[test]
fn what_is_no_saved_plan_says_so() {
    let rows: [(&[u8], &str); 8] = [
        (b"", "the plan ends before it is complete"),
        (
            b"{\"type\": \"al.plan/v1\"",
            "the plan ends before it is complete",
        ),
        (
            MANIFEST.as_bytes(),
            "this is not a saved plan: it is not JSON",
        ),
        (
            b"{\"type\": \"\xff\"}",
            "this is not a saved plan: it is not UTF-8",
        ),
        (b"[]", "this is not a saved plan"),
        (b"{}", "this is not a saved plan"),
        (
            b"{\"type\": \"al.plan/v1\", \"engine\": 1}",
            "this is not a saved plan",
        ),
        (
            b"{\"type\": \"al.plan/v1\", \"engine\": \"1\"}",
            "the plan was changed after it was saved",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(refused(text).message(), expected);
    }
}

#[test]
fn only_a_preview_for_a_workspace_is_saved() {
    let plan = saved();
    let save = |view: view::Plan| {
        SavedPlan::new(plan.base(), plan.after(), plan.guard(), plan.bundle(), view)
    };
    assert_eq!(save(plan.view().clone()).unwrap(), plan);
    let applied = view::Plan {
        applied: true,
        ..plan.view().clone()
    };
    let compared = view::Plan {
        workspace: None,
        ..plan.view().clone()
    };
    for view in [applied, compared] {
        assert_eq!(save(view).unwrap_err().code(), Code::InvalidPlan);
    }
}

/// The document of an import that was applied, with everything that a plan can hold.
fn applied(plan: &Plan, manifest: &Manifest, value: Value<'static>) -> view::Plan {
    let names = plan.names();
    let leaf = Event::import(&ImportEvent {
        workspace: &workspace().id,
        seq: 7,
        time: "2026-04-01T10:30:00Z".parse().unwrap(),
        actor: "key-1",
        names: &names,
        unchanged: plan.summary().unchanged as u64,
        before: sha256(b"before"),
        after: sha256(b"after"),
        manifest_sha256: manifest.sha256(),
        manifest_version: manifest.version(),
        replace: plan.mode() == Mode::Replace,
        from: None,
        rendered_sha256: Some(sha256(b"rendered")),
    });
    let reference = view::ManifestRef::new(None, manifest);
    let mut view = view::Plan::new(plan, Some(workspace()), reference, false);
    view.drift = Some(view::Drift {
        since: 5,
        workspace: names.added.clone(),
        manifest: names.modified.clone(),
        both: names.deactivated.clone(),
    });
    view.event = Some(view::Event { leaf, names });
    view.checkpoint = Some("al/…\n8\n=\n".to_owned());
    let field = view::FieldChange {
        field: "conditions.rules[0].value".to_owned(),
        before: Value::Null,
        after: value,
    };
    if let Some(change) = view.changes.first_mut() {
        change.fields.push(field);
    }
    view
}

/// Values of every type, numbers at the edges of theirs among them.
fn value() -> impl Strategy<Value = Value<'static>> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|int| Value::Number(int.into())),
        any::<u64>().prop_map(|int| Value::Number(int.into())),
        any::<f64>()
            .prop_filter_map("finite", Number::from_f64)
            .prop_map(Value::Number),
        any::<String>().prop_map(|text| Value::String(text.into())),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        let entries = prop::collection::vec((any::<String>(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::List),
            entries.prop_map(|entries| Value::Mapping(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Numbers are equal by value; the text tells their types apart, too.
    #[test]
    fn a_plan_reads_back_as_it_was_written(
        current in state(), desired in specs(), mode in mode(), value in value(),
    ) {
        let manifest = Manifest::parse(b"manifest_version: '1.0'\npolicies: []\n").unwrap();
        let view = applied(&Plan::new(&current, &set(desired), mode), &manifest, value);
        let text = serde_json::to_string(&view).unwrap();
        let read: view::Plan = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &view);
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn any_byte_changed_to_any_other_is_found(at in any::<Index>(), other in any::<u8>()) {
        let mut text = saved().into_text().into_bytes();
        let at = at.index(text.len());
        prop_assume!(text[at] != other);
        text[at] = other;
        refused(&text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        refused(&bytes);
    }
}

/// An event stands flat in its document, beside the names.
#[test]
fn an_event_takes_no_other_key() {
    let manifest = Manifest::parse(MANIFEST.as_bytes()).unwrap();
    let plan = Plan::new(&State::default(), manifest.policies(), Mode::Additive);
    let view = applied(&plan, &manifest, Value::Null);
    let text = serde_json::to_string(&view).unwrap();
    let rows = [
        (
            "\"event\":{",
            "\"event\":{\"more\":1,",
            "unknown field `more`",
        ),
        (
            "\"event\":{",
            "\"event\":{\"seq\":1,",
            "duplicate field `seq`",
        ),
        (
            "\"names\":{",
            "\"names\":{\"added\":[],\"deactivated\":[],\"modified\":[]},\"names\":{",
            "duplicate field `names`",
        ),
        (
            "\"names\":{",
            "\"names\":{\"more\":1,",
            "unknown field `more`",
        ),
        ("\"actor\":\"key-1\",", "", "missing field `actor`"),
    ];
    for (from, to, expected) in rows {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text);
        let error = serde_json::from_str::<view::Plan>(&edited)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(expected), "{to}: {error}");
    }
}
