//! The rows of `core/testdata/conformance.json`, as every Rust runner reads and judges them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::thread;

use lattice_core::hash::{hex, sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The file as it stands; see its `about`.
pub(crate) const FILE: &str = include_str!("../../testdata/conformance.json");

/// What a runner must know how to do.
pub(crate) const OPS: [&str; 8] = [
    "validate", "fmt", "plan", "eval", "render", "show", "promote", "check",
];

/// The whole file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
    pub about: Vec<String>,
    /// The manifest that `conditions` stand for.
    pub manifest: Text,
    /// The action that `metadata` stands for.
    pub action: String,
    pub surface: Vec<String>,
    pub cases: Vec<Case>,
}

/// One row: what goes in, and either what comes out or the error.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub name: String,
    pub op: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlays: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<Text>,
    /// What a workspace was given, one manifest after the other; the audit event of the first is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imports: Option<Vec<Text>>,
    /// What is done then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Then>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_deactivations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivation_threshold: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vkeys: Option<Vec<String>>,
    #[serde(skip_serializing)]
    pub want: Option<Value>,
    #[serde(skip_serializing)]
    pub want_error: Option<Value>,
}

/// What a row does with a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Then {
    /// A replacing import of `desired`, as a dry run.
    Replace,
    /// A comparison with `desired`.
    Diff,
    /// A rollback to the state after that event, as a dry run.
    Rollback(u64),
}

/// A text, or its lines without their ends.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Text {
    Whole(String),
    Lines(Vec<String>),
}

impl Text {
    pub(crate) fn whole(&self) -> String {
        match self {
            Text::Whole(text) => text.clone(),
            Text::Lines(lines) => lines.iter().flat_map(|line| [line, "\n"]).collect(),
        }
    }
}

/// Replaces every `⟪COUNT×TEXT⟫` by that many copies of the text.
pub(crate) fn expand(text: &str) -> String {
    let mut parts = text.split('⟪');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let read = part.split_once('⟫').and_then(|(inner, rest)| {
            let (count, copied) = inner.split_once('×')?;
            Some((count.parse::<usize>().ok()?, copied, rest))
        });
        match read {
            Some((count, copied, rest)) => out.extend([&copied.repeat(count), rest]),
            None => out.extend(["⟪", part]),
        }
    }
    out
}

impl Suite {
    /// The file, with what it abbreviates written out.
    pub(crate) fn load() -> Self {
        serde_json::from_str(&expand(FILE)).expect("the rows have the agreed shape")
    }

    /// Refuses what would make a runner pass without having tested anything.
    fn check(&self) {
        assert_eq!(self.surface, OPS, "the operations that the runners know");
        let names: BTreeSet<&str> = self.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), self.cases.len(), "names are unique");
        let used: BTreeSet<&str> = self.cases.iter().map(|case| case.op.as_str()).collect();
        assert_eq!(
            used,
            BTreeSet::from(OPS),
            "every operation has rows, and no other"
        );
        for case in &self.cases {
            assert!(
                case.want.is_some() != case.want_error.is_some(),
                "{}: either `want` or `want_error`",
                case.name
            );
        }
    }

    /// The manifest of a row: its own, or the one around its conditions.
    pub(crate) fn manifest(&self, case: &Case) -> String {
        match (&case.manifest, &case.conditions) {
            (Some(manifest), None) => manifest.whole(),
            (None, Some(conditions)) => {
                let conditions = conditions.whole();
                let indented = conditions.trim_end_matches('\n').replace('\n', "\n      ");
                self.manifest.whole().replace("$CONDITIONS", &indented)
            }
            _ => panic!("{}: either `manifest` or `conditions`", case.name),
        }
    }

    /// The overlays of a row, each with the name of its file.
    pub(crate) fn overlays(case: &Case) -> impl Iterator<Item = (String, String)> {
        let overlays = case.overlays.as_ref().expect("`render` has `overlays`");
        let named = overlays.iter().enumerate();
        named.map(|(at, text)| (format!("overlay-{}.yaml", at + 1), text.whole()))
    }

    /// The action of a row: its own, or the one around its metadata.
    pub(crate) fn action(&self, case: &Case) -> String {
        match (&case.action, &case.metadata) {
            (Some(action), None) => action.clone(),
            (None, Some(metadata)) => self.action.replace("$METADATA", metadata),
            _ => panic!("{}: either `action` or `metadata`", case.name),
        }
    }

    /// Runs every row on all processors and fails with everything that differs.
    pub(crate) fn judge(&self, run: impl Fn(&Case) -> Result<Value, Value> + Sync) {
        self.check();
        let threads = thread::available_parallelism().map_or(2, usize::from);
        let share = self.cases.len().div_ceil(threads);
        let judged: Vec<Option<String>> = thread::scope(|scope| {
            let parts = self.cases.chunks(share);
            let running: Vec<_> = parts
                .map(|part| {
                    scope.spawn(|| {
                        part.iter()
                            .map(|case| case.judge(run(case)))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            running
                .into_iter()
                .flat_map(|part| part.join().expect("no panic"))
                .collect()
        });
        assert_eq!(judged.len(), self.cases.len(), "every row ran");
        let failures: Vec<String> = judged.into_iter().flatten().collect();
        assert!(
            failures.is_empty(),
            "{} of {} rows differ\n\n{}",
            failures.len(),
            self.cases.len(),
            failures.join("\n")
        );
    }
}

impl Case {
    pub(crate) fn current(&self) -> String {
        self.current.as_ref().expect("`plan` has `current`").whole()
    }

    pub(crate) fn desired(&self) -> String {
        self.desired.as_ref().expect("`plan` has `desired`").whole()
    }

    /// The manifests that a workspace was given, each with the name of its file.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (String, String)> {
        let imports = self.imports.as_ref().expect("`promote` has `imports`");
        let named = imports.iter().enumerate();
        named.map(|(at, text)| (format!("import-{}.yaml", at + 1), text.whole()))
    }

    pub(crate) fn proof(&self) -> String {
        self.proof.as_ref().expect("`check` has `proof`").whole()
    }

    /// The checkpoints that a proof is held against, each with the name of its file.
    pub(crate) fn checkpoints(&self) -> impl Iterator<Item = (String, String)> {
        let texts = self
            .checkpoints
            .as_ref()
            .expect("`check` has `checkpoints`");
        let named = texts.iter().enumerate();
        named.map(|(at, text)| (format!("checkpoint-{}", at + 1), text.whole()))
    }

    pub(crate) fn vkeys(&self) -> &[String] {
        self.vkeys.as_ref().expect("`check` has `vkeys`")
    }

    /// The saved plan of a row, with the version of this engine and a digest that fits where the row asks for them.
    pub(crate) fn saved(&self) -> String {
        let text = self.saved.as_ref().expect("`show` has `saved`").whole();
        let text = text.replace("$ENGINE", lattice_core::VERSION);
        let Some((before, _)) = text.split_once("$SHA256") else {
            return text;
        };
        let lines = before
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let digest = hex(&sha256(lines.collect::<String>().as_bytes()));
        text.replace("$SHA256", &digest)
    }

    /// What differs from what the row wants.
    fn judge(&self, got: Result<Value, Value>) -> Option<String> {
        let mut differences = String::new();
        let (kind, got) = match got {
            Ok(got) => ("want", got),
            Err(got) => ("want_error", got),
        };
        let want = match kind {
            "want" => self.want.as_ref(),
            _ => self.want_error.as_ref(),
        };
        match want {
            Some(want) => difference(kind, &joined(want), &got, &mut differences),
            None => {
                let _ = writeln!(differences, "    {kind}: got {got}");
            }
        }
        (!differences.is_empty()).then(|| format!("  {} ({})\n{differences}", self.name, self.op))
    }
}

/// The text of a formatted manifest may stand as its lines.
fn joined(want: &Value) -> Value {
    match serde_json::from_value::<Text>(want.clone()) {
        Ok(text) => Value::String(text.whole()),
        Err(_) => want.clone(),
    }
}

/// Names every place where the two differ.
fn difference(at: &str, want: &Value, got: &Value, out: &mut String) {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            let keys: BTreeSet<&String> = want.keys().chain(got.keys()).collect();
            for key in keys {
                let at = format!("{at}.{key}");
                match (want.get(key), got.get(key)) {
                    (Some(want), Some(got)) => difference(&at, want, got, out),
                    (want, got) => say(&at, want, got, out),
                }
            }
        }
        (Value::Array(want), Value::Array(got)) => {
            for i in 0..want.len().max(got.len()) {
                let at = format!("{at}[{i}]");
                match (want.get(i), got.get(i)) {
                    (Some(want), Some(got)) => difference(&at, want, got, out),
                    (want, got) => say(&at, want, got, out),
                }
            }
        }
        (want, got) if want == got => {}
        (want, got) => say(at, Some(want), Some(got), out),
    }
}

fn say(at: &str, want: Option<&Value>, got: Option<&Value>, out: &mut String) {
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    // INVARIANT: writing to a `String` does not fail.
    let _ = writeln!(
        out,
        "    {at}\n      want {}\n      got  {}",
        shown(want),
        shown(got)
    );
}
