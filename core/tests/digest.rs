//! The state digest: what the docs show is what is hashed, and layout never enters.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use lattice_core::{Manifest, PolicySet, PolicySpec, hash};

/// The first two fenced blocks behind the heading `State digest`: the hashed text, and the digest in backticks.
fn documented() -> (String, String) {
    let docs = include_str!("../../docs/manifest.md");
    let section = docs.split("## State digest").nth(1).unwrap();
    let text = section.split("```\n").nth(1).unwrap().trim_end();
    let digest = section.split("digest `").nth(1).unwrap();
    (
        text.to_owned(),
        digest.split('`').next().unwrap().to_owned(),
    )
}

#[test]
fn the_documented_example_is_what_is_hashed() {
    let example = include_bytes!("../../examples/policies/first.yaml");
    let digest = Manifest::parse(example).unwrap().policies().digest();
    let (text, documented) = documented();
    let hashed = format!("al.state/v1\n{text}");
    assert_eq!(hash::hex(&digest), documented);
    assert_eq!(hash::hex(&hash::sha256(hashed.as_bytes())), documented);
}

#[test]
fn meaning_enters_and_layout_does_not() {
    let digest = |action_type: &str, timeout: &str, repos: &str, conditions: &str| {
        let text = format!(
            "manifest_version: '1.0'\npolicies:\n  - name: p\n    action_type: {action_type}\n    approval_required: true\n{timeout}    allowed_repos: {repos}\n    allowed_branches: null\n    conditions: {conditions}\n"
        );
        Manifest::parse(text.as_bytes())
            .unwrap()
            .policies()
            .digest()
    };
    let rule = |operator: &str, field: &str, value: &str| {
        format!(
            "|\n      logic: all\n      rules:\n        - {{field: {field}, operator: {operator}, value: {value}}}"
        )
    };
    let base = digest("a.b", "", "[u, v]", &rule("in", "a.b", "[1, 2]"));
    let same = [
        digest(
            "a.b",
            "    approval_timeout_hours: 8\n",
            "[v, u, u]",
            &rule("in", "'\"a\".b'", "[2.0, 1, 1]"),
        ),
        digest(
            "a.b",
            "",
            "[u, v]",
            "|\n      # a comment\n      rules:\n        - value: [2, 1]\n          operator: in\n          field: a.b\n      logic: all",
        ),
    ];
    let different = [
        digest("A.b", "", "[u, v]", &rule("in", "a.b", "[1, 2]")),
        digest(
            "a.b",
            "    approval_timeout_hours: 9\n",
            "[u, v]",
            &rule("in", "a.b", "[1, 2]"),
        ),
        digest("a.b", "", "[]", &rule("in", "a.b", "[1, 2]")),
        digest("a.b", "", "null", &rule("in", "a.b", "[1, 2]")),
        digest("a.b", "", "[u, v]", &rule("in", "a.b", "[1, 3]")),
        digest("a.b", "", "[u, v]", &rule("in", "a.b", "['1', '2']")),
        digest("a.b", "", "[u, v]", &rule("not_in", "a.b", "[1, 2]")),
        digest("a.b", "", "[u, v]", &rule("in", "'\"a.b\"'", "[1, 2]")),
        digest("a.b", "", "[u, v]", "null"),
    ];
    for digest in same {
        assert_eq!(digest, base);
    }
    for (i, digest) in different.iter().enumerate() {
        assert_ne!(*digest, base, "row {i}");
        assert!(!different[..i].contains(digest), "row {i}");
    }
}

/// More than is hashed at once.
#[test]
fn a_digest_of_many_policies_is_that_of_their_text() {
    let policy = |n: usize| PolicySpec {
        name: format!("policy-{n:04}"),
        action_type: "a.b".to_owned(),
        approval_required: false,
        approval_timeout_hours: 8,
        allowed_repos: None,
        allowed_branches: Some(vec!["main".to_owned()]),
        conditions: None,
    };
    let text: Vec<String> = (0..1000)
        .map(|n| {
            format!(
                r#"{{"action_type":"a.b","allowed_branches":["main"],"allowed_repos":null,"approval_required":false,"approval_timeout_hours":8,"conditions":null,"name":"policy-{n:04}"}}"#
            )
        })
        .collect();
    let text = format!("al.state/v1\n[{}]", text.join(","));
    let policies = PolicySet::compile((0..1000).map(policy)).unwrap();
    assert_eq!(policies.digest(), hash::sha256(text.as_bytes()));
}
