//! What is read and compiled by several threads is what one thread makes of it, findings and their places included.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fmt::Write as _;
use std::num::NonZero;

use lattice_core::hash::sha256;
use lattice_core::{Manifest, PolicySet, PolicySpec, validate, validate_on};
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn threads(count: usize) -> NonZero<usize> {
    NonZero::new(count).unwrap()
}

/// An item of the list in block style, `NAME` to be replaced; most are policies in good form.
const ITEMS: &[&str] = &[
    "- {name: NAME, action_type: a, approval_required: true, allowed_repos: null, allowed_branches: [main], conditions: null}",
    "- name: NAME\n  action_type: a.b\n  approval_required: true\n  allowed_repos: ['acme/*']\n  allowed_branches: null\n  conditions: |\n    logic: all\n    rules:\n      - {field: x, operator: lt, value: 1}\n",
    "- name: NAME\n  action_type: a\n  approval_required: false\n  allowed_repos: null\n  allowed_branches:\n  - main\n  - dev\n  conditions: null\n  # a comment\n# and another\n",
    "-\n  name: 'NAME'\n  action_type: \"a\"\n  approval_required: true\n  allowed_repos: []\n  allowed_branches: null\n  conditions: |+\n    logic: any\n    rules:\n    - field: x\n      operator: exists\n\n\n",
    "-   name: >-\n       NAME\n    action_type: a\n    approval_required: true\n    approval_timeout_hours: 24\n    allowed_repos: null\n    allowed_branches: null\n    conditions: 'logic: all'\n",
];

/// What is not in good form, or close to it.
const ODD_ITEMS: &[&str] = &[
    "- name: NAME\n  action_type:\n",
    "- name: again\n  action_type: a\n",
    "- action_type: a\n  conditions: |\n    logic: all\n",
    "- name: NAME\n  action_type: \"a\n- b\"\n",
    "- name: NAME\n  conditions: 'logic: all\n\n  - x'\n",
    "- name: NAME\n  allowed_repos: [a,\n- b]\n",
    "- name: NAME\n  allowed_repos: [[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]\n",
    "- &anchor\n  name: NAME\n",
    "- !tag {name: NAME}\n",
    "- name: NAME\n  name: NAME\n",
    "- NAME\n",
    "- - NAME\n",
    "-\n",
    "- |\n",
    "- ? NAME\n  : b\n",
    "-name: NAME\n",
    "--- NAME\n",
    "...\n",
    "name: NAME\n",
    "\tname: NAME\n",
    "- name: NAME\r  action_type: a\r",
    "- name: NAME\r\n  action_type: a\r\n",
    "# - name: NAME\n",
    "- name: NAME\n   action_type: a\n",
    "   - name: NAME\n",
];

/// What stands behind the list.
const TAILS: &[&str] = &[
    "",
    "org_name: Acme\n",
    "\n# the end\ncircuit_breakers_info:\n  - name: b\n",
    "circuit_breakers_info: []\norg_name: null\n",
    "policies: []\n",
    "manifest_version: '2.0'\n",
    "  org_name: Acme\n",
    "'org_name': Acme\n",
    "org_name: \"Acme\n",
    "org_name:\n",
    "...\n",
    "---\na: b\n",
    "org_name: Acme\n...\n---\nb: c\n",
    "- name: last\n",
    "unknown: true",
];

const HEAD: &str = "manifest_version: '1.0'\npolicies:\n";

const HEADS: &[&str] = &[
    "# a comment\nmanifest_version: '1.0'\norg_name: ä\npolicies: # of Acme\n\n",
    "---\nmanifest_version: '1.0'\npolicies:\n",
    "\u{feff}manifest_version: '1.0'\npolicies:\n",
    " manifest_version: '1.0'\n policies:\n",
    "{manifest_version: '1.0', policies:\n",
    "policies:\n",
    "manifest_version: '2.0'\npolicies:\n",
    "manifest_version: '1.0'\npolicies: &all\n",
];

fn item() -> impl Strategy<Value = &'static str> {
    prop_oneof![60 => select(ITEMS), 1 => select(ODD_ITEMS)]
}

/// A manifest that is long enough to be read in parts, by long comments between some of its policies.
fn manifest() -> impl Strategy<Value = String> {
    let items = prop::collection::vec((item(), any::<bool>()), 20..40);
    let head = prop_oneof![4 => Just(HEAD), 1 => select(HEADS)];
    let tail = prop_oneof![1 => Just(""), 2 => select(TAILS)];
    // Names of as many digits come in order, those of one or two do not.
    let layout = (select(vec![0, 2, 3]), 1..=2_usize);
    (head, items, layout, tail).prop_map(|(head, items, (indent, digits), tail)| {
        let mut text = head.to_owned();
        for (number, (item, comment)) in items.into_iter().enumerate() {
            let name = format!("policy {number:0digits$}");
            for line in item.replace("NAME", &name).split('\n') {
                writeln!(text, "{:indent$}{line}", "").unwrap();
            }
            if comment {
                writeln!(text, "{:indent$}# {}", "", "-".repeat(4_000)).unwrap();
            }
        }
        text + tail
    })
}

/// Everything that reading finds, and what it reads, in words.
fn read(count: usize, text: &str) -> String {
    let found = validate_on(threads(count), text.as_bytes());
    let set = found.manifest.as_ref().map(Manifest::policies);
    let digest = set.map(PolicySet::digest);
    assert!(set.is_none_or(|set| set.iter().map(|policy| policy.name()).is_sorted()));
    let hash = found.manifest.as_ref().map(Manifest::sha256);
    assert!(hash.is_none_or(|hash| hash == sha256(text.as_bytes())));
    format!("{found:?} {digest:?}")
}

fn agrees(text: &str) -> Result<(), TestCaseError> {
    let one = read(1, text);
    for count in [2, 7] {
        let several = read(count, text);
        let same = one.bytes().zip(several.bytes()).take_while(|(a, b)| a == b);
        let from = same.count().saturating_sub(200);
        let excerpt = |text: &str| text.chars().skip(from).take(500).collect::<String>();
        prop_assert!(
            one == several,
            "{count} threads: {} but {}",
            excerpt(&several),
            excerpt(&one)
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_manifest_reads_the_same_on_any_number_of_threads(text in manifest()) {
        agrees(&text)?;
    }

    #[test]
    fn a_manifest_with_a_slip_reads_the_same_on_any_number_of_threads(
        text in manifest(),
        place in any::<Index>(),
        slip in select(vec!["\"", "'", "[", "{", "|", "- ", "#", ":", "\n", "\t", "\r", "\n---\n", "\n  - ", " "]),
    ) {
        // Not in the comments, which are most of the text.
        let places: Vec<usize> = text.match_indices(|c| c != '-').map(|(at, _)| at).collect();
        let mut text = text;
        text.insert_str(*place.get(&places), slip);
        agrees(&text)?;
    }
}

fn spec(number: usize) -> PolicySpec {
    PolicySpec {
        name: format!("policy {}", number % 900),
        action_type: "deploy".to_owned(),
        approval_required: true,
        approval_timeout_hours: 8,
        allowed_repos: None,
        allowed_branches: Some(vec!["main".to_owned()]),
        conditions: Some(format!(
            "logic: all\nrules: [{{field: x, operator: lt, value: {}}}{}]",
            number % 100,
            if number.is_multiple_of(7) { ", {}" } else { "" }
        )),
    }
}

#[test]
fn rows_compile_the_same_on_any_number_of_threads() {
    // The last of these have the names of the first, and every seventh more errors than are shown.
    for rows in [6, 500, 1_000, 9_000] {
        let specs: Vec<_> = (0..rows).map(spec).collect();
        let compile = |count| {
            let compiled =
                PolicySet::compile_beside(threads(count), specs.clone(), &PolicySet::default());
            format!("{compiled:?}")
        };
        let one = compile(1);
        assert!(one == compile(2) && one == compile(7), "{rows} rows");
    }
    let good: Vec<_> = (0..900).filter(|number| number % 7 > 0).map(spec).collect();
    let digest = |count| {
        let compiled =
            PolicySet::compile_beside(threads(count), good.clone(), &PolicySet::default());
        compiled.unwrap().digest()
    };
    assert_eq!(digest(1), digest(2));
    assert_eq!(digest(1), digest(7));
}

#[test]
fn equal_conditions_are_shared_between_threads() {
    let mut text = "manifest_version: '1.0'\npolicies:\n".to_owned();
    for number in 0..2_000 {
        writeln!(
            text,
            "- {{name: p{number}, action_type: a, approval_required: true, allowed_repos: null, allowed_branches: null, conditions: 'logic: all\n\n  rules: [{{field: x, operator: eq, value: 1}}]'}}"
        )
        .unwrap();
    }
    assert!(validate(text.as_bytes()).diagnostics.is_empty());
    let manifest = Manifest::parse_on(threads(4), text.as_bytes()).unwrap();
    let mut roots = manifest
        .policies()
        .iter()
        .map(|p| p.conditions().unwrap().root());
    let first = roots.next().unwrap();
    assert!(roots.all(|root| std::ptr::eq(root, first)));
}
