//! Reading and writing against `serde_yaml`, the reader that most Rust programs would take: where the two differ,
//! the difference is meant, and a row says why.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "tests fail loudly"
)]

use std::collections::BTreeSet;

use lattice_core::{Breaker, Manifest, Number, PolicySet, PolicySpec};
use proptest::prelude::*;
use serde::Deserialize;

/// A manifest as a program with `serde` would declare it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    manifest_version: String,
    exported_at: Option<String>,
    org_name: Option<String>,
    policies: Vec<Policy>,
    circuit_breakers_info: Option<Breakers>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    name: String,
    action_type: String,
    approval_required: bool,
    #[serde(default = "eight")]
    approval_timeout_hours: u16,
    allowed_repos: Option<BTreeSet<String>>,
    allowed_branches: Option<BTreeSet<String>>,
    conditions: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Breakers {
    note: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    anomaly_type: String,
    score_threshold: f64,
    response_level: String,
}

fn eight() -> u16 {
    8
}

/// What both readers can say about a manifest: its organisation and its policies, by name.
#[derive(Debug, PartialEq)]
struct Reading {
    org_name: Option<String>,
    policies: Vec<Policy>,
}

fn ours(text: &str) -> Option<Reading> {
    let manifest = Manifest::parse(text.as_bytes()).ok()?;
    let set = |list: Option<Vec<String>>| list.map(BTreeSet::from_iter);
    let policies = manifest.policies().iter().map(|policy| policy.spec());
    Some(Reading {
        org_name: manifest.org_name().map(str::to_owned),
        policies: policies
            .map(|spec| Policy {
                name: spec.name,
                action_type: spec.action_type,
                approval_required: spec.approval_required,
                approval_timeout_hours: spec.approval_timeout_hours,
                allowed_repos: set(spec.allowed_repos),
                allowed_branches: set(spec.allowed_branches),
                conditions: spec.conditions,
            })
            .collect(),
    })
}

fn theirs(text: &str) -> Option<Reading> {
    let document: Document = serde_yaml::from_str(text).ok()?;
    let mut policies = document.policies;
    policies.sort_by(|a, b| a.name.cmp(&b.name));
    Some(Reading {
        org_name: document.org_name,
        policies,
    })
}

/// How the two readers meet a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Both read the same.
    Same,
    /// Both refuse it.
    Refused,
    /// `serde_yaml` reads it, we refuse it.
    Stricter,
    /// We read it, `serde_yaml` refuses it.
    Looser,
    /// Each reads something else.
    Other,
}

fn outcome(text: &str) -> Outcome {
    match (ours(text), theirs(text)) {
        (Some(ours), Some(theirs)) if ours == theirs => Outcome::Same,
        (Some(_), Some(_)) => Outcome::Other,
        (Some(_), None) => Outcome::Looser,
        (None, Some(_)) => Outcome::Stricter,
        (None, None) => Outcome::Refused,
    }
}

const HEAD: &str = "manifest_version: '1.0'\n";
const NONE: &str = "manifest_version: '1.0'\npolicies: []\n";
const POLICY: &str = "\
manifest_version: '1.0'
policies:
  - name: p
    action_type: a.b
    approval_required: true
    approval_timeout_hours: 8
    allowed_repos: null
    allowed_branches: [main, 'release/*']
    conditions: null
";
const CONDITIONS: &str = "{logic: all, rules: [{field: x, operator: eq, value: a}]}";

/// The policy with a part of its text replaced.
fn with(part: &str, replacement: &str) -> String {
    assert!(POLICY.contains(part), "{part}");
    POLICY.replace(part, replacement)
}

/// A manifest without policies and with an organisation's name.
fn org(name: &str) -> String {
    format!("{NONE}org_name: {name}\n")
}

#[test]
fn reading() {
    use Outcome::{Looser, Other, Refused, Same, Stricter};
    let absence = "absence never means any: a key with nothing after it is a forgotten value";
    let versions = "readers of YAML 1.1 and 1.2 take it for different things";
    let spelling =
        "one spelling of null and of the booleans, so that a reviewer need not know the others";
    let graph = "what a reviewer reads is what stands there: no anchors, aliases or merge keys";
    let number = "a number is not text: other readers take `1.10` and `1.1` for the same";
    let breaks = "YAML 1.1 alone ends lines there; what we write escapes it";
    let grammar = "the grammar of the field is checked where the place is known";
    let rows = [
        // Agreement.
        (POLICY.to_owned(), Same, ""),
        (NONE.to_owned(), Same, ""),
        (POLICY.replace('\n', "\r\n"), Same, ""),
        (POLICY.replace('\n', "\r"), Same, ""),
        (format!("---\n{POLICY}...\n"), Same, ""),
        (org("\"a\u{2028}b\""), Same, ""),
        (format!("# head\n{POLICY}# tail\n"), Same, ""),
        (
            r#"{"manifest_version": "1.0", "policies": [], "org_name": "a\/b\u00e9"}"#.to_owned(),
            Same,
            "",
        ),
        (org("null"), Same, ""),
        (org("'null'"), Same, ""),
        (org("My Org (dev)"), Same, ""),
        (org("\"a\\tb\\x41\\u263A\\U0001F600\\0\""), Same, ""),
        (org("'it''s'"), Same, ""),
        (org("a\n  b"), Same, ""),
        (org("a\tb"), Same, ""),
        (
            "? manifest_version\n: '1.0'\n? policies\n: []\n".to_owned(),
            Same,
            "",
        ),
        (org(">-\n  a\n  b\n\n  c"), Same, ""),
        (org("|+\n  a\n   b\n\n"), Same, ""),
        (org("|2\n   a"), Same, ""),
        (org("1.2.3"), Same, ""),
        (org("a:b#c"), Same, ""),
        (
            with("conditions: null", &format!("conditions: '{CONDITIONS}'")),
            Same,
            "",
        ),
        (
            with(
                "conditions: null",
                &format!("conditions: |-\n      # why\n      {CONDITIONS}"),
            ),
            Same,
            "",
        ),
        (with("name: p", "'name': \"p\""), Same, ""),
        (with("    approval_timeout_hours: 8\n", ""), Same, ""),
        (String::new(), Refused, ""),
        ("- 1\n".to_owned(), Refused, ""),
        (format!("{HEAD}policies: [\n"), Refused, ""),
        (format!("{HEAD}policies:\n\t- {{}}\n"), Refused, ""),
        (format!("{NONE}---\n{NONE}"), Refused, ""),
        (format!("{NONE}policies: []\n"), Refused, ""),
        (format!("{NONE}bogus: 1\n"), Refused, ""),
        ("policies: []\n".to_owned(), Refused, ""),
        (org("[a]"), Refused, ""),
        (org("a: b"), Refused, ""),
        (with("name: p", "name: [p]"), Refused, ""),
        (with("name: p\n    ", ""), Refused, ""),
        (with("required: true", "required: yes"), Refused, ""),
        (with("required: true", "required: 'true'"), Refused, ""),
        (with("hours: 8", "hours: '8'"), Refused, ""),
        (with("hours: 8", "hours: 8.0"), Refused, ""),
        (with("hours: 8", "hours: 08"), Refused, ""),
        (with("hours: 8", "hours: -1"), Refused, ""),
        (with("hours: 8", "hours: null"), Refused, ""),
        (
            with("allowed_repos: null", "allowed_repos: main"),
            Refused,
            "",
        ),
        (
            with("conditions: null", "conditions: {logic: all}"),
            Refused,
            "",
        ),
        // Absence.
        (format!("{HEAD}policies:\n"), Stricter, absence),
        (
            format!("{HEAD}policies:\n  # - name: p\n"),
            Stricter,
            absence,
        ),
        (format!("{HEAD}policies: null\n"), Refused, ""),
        (org(""), Stricter, absence),
        (
            with("allowed_repos: null", "allowed_repos:"),
            Stricter,
            absence,
        ),
        (
            with("allowed_repos: null", "allowed_repos:\n      # - acme/*"),
            Stricter,
            absence,
        ),
        (
            with("conditions: null", "conditions:\n      # logic: all"),
            Stricter,
            absence,
        ),
        (
            with("    allowed_repos: null\n", ""),
            Stricter,
            "a key that was forgotten must not admit any repository",
        ),
        (
            with("    conditions: null\n", ""),
            Stricter,
            "a key that was forgotten must not lift the conditions",
        ),
        // Plain scalars.
        (
            "manifest_version: 1.0\npolicies: []\n".to_owned(),
            Stricter,
            number,
        ),
        (org("5"), Stricter, number),
        (org("1e3"), Stricter, number),
        (
            org("true"),
            Stricter,
            "a boolean is not text: whoever writes `true` may mean either",
        ),
        (
            with("name: p", "name: null"),
            Stricter,
            "`null` is never a name: whoever writes it has none",
        ),
        (org("0o17"), Stricter, versions),
        (org("yes"), Stricter, versions),
        (org("NO"), Stricter, versions),
        (org("y"), Stricter, versions),
        (org("007"), Stricter, versions),
        (org("017"), Stricter, versions),
        (org("1_000"), Stricter, versions),
        (org("12:30:45"), Stricter, versions),
        (org("2026-04-01"), Stricter, versions),
        (org("="), Stricter, versions),
        (org("~"), Stricter, spelling),
        (org("Null"), Stricter, spelling),
        (with("required: true", "required: True"), Stricter, spelling),
        (
            with("hours: 8", "hours: 0x8"),
            Stricter,
            "hours are decimal digits, as a reviewer expects them",
        ),
        (
            with("hours: 8", "hours: +8"),
            Stricter,
            "hours are decimal digits, as a reviewer expects them",
        ),
        // YAML that hides what is meant.
        (format!("{NONE}org_name: &o a\n"), Stricter, graph),
        (
            "manifest_version: &v '1.0'\npolicies: []\norg_name: *v\n".to_owned(),
            Stricter,
            graph,
        ),
        (org("!!str a"), Stricter, "a tag changes what a value is"),
        (
            with("name: p", "name: !!str 5"),
            Stricter,
            "a tag changes what a value is",
        ),
        (org("\"a\u{85}b\""), Other, breaks),
        (
            org(&format!("{}a{}", "[".repeat(40), "]".repeat(40))),
            Refused,
            "",
        ),
        (org("a\u{85}b"), Looser, breaks),
        (org("a\u{2028}b"), Looser, breaks),
        // What Windows editors and JSON writers produce.
        (
            format!("\u{feff}{POLICY}"),
            Looser,
            "a byte-order mark is tolerated: editors write it unasked",
        ),
        (
            org("\"\\ud83d\\ude00\""),
            Looser,
            "JSON is accepted, and most of its writers escape past U+FFFF in pairs",
        ),
        // The contract of the fields.
        (
            "manifest_version: '2.0'\npolicies: []\n".to_owned(),
            Stricter,
            "a version that this engine does not know is not read",
        ),
        (format!("{NONE}exported_at: soon\n"), Stricter, grammar),
        (with("name: p", "name: ''"), Stricter, grammar),
        (with("name: p", "name: ' p'"), Stricter, grammar),
        (with("name: p", "name: \"a\\nb\""), Stricter, grammar),
        (with("a.b", "a..b"), Stricter, grammar),
        (with("a.b", "a.*.b"), Stricter, grammar),
        (with("hours: 8", "hours: 0"), Stricter, grammar),
        (with("hours: 8", "hours: 8761"), Stricter, grammar),
        (with("[main, 'release/*']", "[a**]"), Stricter, grammar),
        (with("[main, 'release/*']", "['']"), Stricter, grammar),
        (
            with("conditions: null", "conditions: ''"),
            Stricter,
            "conditions that are empty by mistake must not admit everything",
        ),
        (
            with("conditions: null", "conditions: maybe"),
            Stricter,
            "conditions are compiled when they are read",
        ),
        (
            format!("{POLICY}{}", &POLICY[POLICY.find("  - ").unwrap()..]),
            Stricter,
            "a name is the identity of a policy: the second one would win or lose in silence",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, expected, why) in &rows {
        let found = outcome(text);
        let differs = !matches!(expected, Same | Refused);
        assert_eq!(
            differs,
            !why.is_empty(),
            "a difference has its reason, and only one: {text}"
        );
        if found != *expected {
            wrong.push(format!("{text}\n  expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Text that is likely to be misread.
fn nasty(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

const PIECES: &[&str] = &[
    "a",
    " ",
    "'",
    "\"",
    "#",
    " #",
    ":",
    ": ",
    "-",
    "- ",
    "---",
    "...",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&",
    "*",
    "!",
    "%",
    "|",
    ">",
    "?",
    "@",
    "`",
    "~",
    "null",
    "yes",
    "1",
    "0x1F",
    "1.0",
    "1e3",
    "2026-04-01",
    "=",
    "<<",
    "_",
    "é",
    "\u{a0}",
    "\u{1f600}",
    "\u{feff}",
    "\u{fffe}",
    "/",
    "\\",
];
const TEXT_PIECES: &[&str] = &[
    "a",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\t",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{0}",
    "\u{7f}",
    "\u{feff}",
    "#",
    ": ",
    "- ",
    "---\n",
    "...\n",
    "'",
    "\"",
    "\\",
    "|",
    ">",
    "null",
    "yes",
    "1.0",
    "é",
    "\u{1f600}",
];

/// A name: no control characters, no white space at its ends.
fn name() -> impl Strategy<Value = String> {
    nasty(PIECES).prop_filter_map("a name", |text| {
        let text: String = text
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
            .collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    })
}

/// A glob whose one wildcard stands at its end.
fn pattern() -> impl Strategy<Value = String> {
    let literally = |text: String| text.replace('\\', r"\\").replace('*', r"\*");
    nasty(TEXT_PIECES).prop_map(move |text| format!("{}/*", literally(text)))
}

/// Conditions whose text holds whatever a comment and a quoted value can hold.
fn conditions() -> impl Strategy<Value = String> {
    let gaps = prop::sample::select(vec![
        "", "\n", "\n\n", "  \n", "# é\n", "  # b\n", "\r\n", "\t\n",
    ]);
    let ends = prop::sample::select(vec!["", "\n", "\n\n", " ", "\n  ", "\n# c", " # d\n\n"]);
    (gaps, 0..3_usize, nasty(PIECES), ends).prop_map(|(gap, indent, value, end)| {
        let indent = " ".repeat(indent);
        // Escapes of JSON are escapes of YAML, but not all that JSON leaves unescaped is printable.
        let printable = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
        let value = serde_json::Value::String(value.chars().filter(printable).collect());
        format!("{gap}{indent}logic: all\n{indent}rules: [{{field: a, operator: eq, value: {value}}}]{end}")
    })
}

fn spec() -> impl Strategy<Value = PolicySpec> {
    let list = || prop::option::of(prop::collection::vec(pattern(), 0..3));
    let conditions = prop::option::of(conditions());
    let types = prop::sample::select(vec![
        "*",
        "a.*",
        "a.b",
        "1",
        "null",
        "-",
        "a:b",
        "#",
        "{}",
        "<<",
        "2026-04-01",
    ]);
    (
        name(),
        types,
        any::<bool>(),
        1..=8760_u16,
        list(),
        list(),
        conditions,
    )
        .prop_map(
            |(name, action_type, approval_required, hours, repos, branches, conditions)| {
                PolicySpec {
                    name,
                    action_type: action_type.to_owned(),
                    approval_required,
                    approval_timeout_hours: hours,
                    allowed_repos: repos,
                    allowed_branches: branches,
                    conditions,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn writing(
        org_name in nasty(TEXT_PIECES),
        specs in prop::collection::btree_map(name(), spec(), 0..4),
        anomaly in name(),
        level in name(),
        threshold in prop_oneof![Just("0"), Just("70"), Just("0.5"), Just("1e300"), Just("5e-324"), Just("9007199254740991")],
    ) {
        let specs = specs.into_iter().map(|(name, spec)| PolicySpec { name, ..spec });
        let policies = PolicySet::compile(specs).unwrap();
        let breaker = Breaker::new(&anomaly, Number::parse(threshold).unwrap(), &level).unwrap();
        let text = Manifest::write(&org_name, "2026-04-01T10:30:00Z".parse().unwrap(), &policies, &[breaker]);

        let theirs: Document = match serde_yaml::from_str(&text) {
            Ok(document) => document,
            Err(error) => panic!("{error}\n{text}"),
        };
        let ours = ours(&text).unwrap();
        prop_assert_eq!(ours.org_name.as_ref(), Some(&org_name), "{}", text);
        prop_assert_eq!(theirs, Document {
            manifest_version: "1.0".to_owned(),
            exported_at: Some("2026-04-01T10:30:00.000Z".to_owned()),
            org_name: Some(org_name),
            policies: ours.policies,
            circuit_breakers_info: Some(Breakers {
                note: Some("Circuit breakers are exported for reference only. They are not applied on al import.".to_owned()),
                entries: vec![Entry {
                    anomaly_type: anomaly,
                    score_threshold: threshold.parse().unwrap(),
                    response_level: level,
                }],
            }),
        }, "{}", text);
        // What was read is what was written.
        let written: Vec<PolicySpec> = policies.iter().map(|policy| policy.spec()).collect();
        let read = Manifest::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(read.policies().iter().map(|policy| policy.spec()).collect::<Vec<_>>(), written, "{}", text);
    }
}
