//! What a manifest may hold, and how each mistake is reported: code, place, policy, words.

use lattice_core::{Kind, Manifest, limits, validate};

/// `CODE line:column [policy] message`, and the places that belong to it.
fn findings(text: &[u8]) -> Vec<String> {
    let place = |p: Option<lattice_core::source::Place>| {
        p.map_or_else(|| "-".to_owned(), |p| format!("{}:{}", p.line, p.column))
    };
    let shown = validate(text).diagnostics.into_iter().flat_map(|d| {
        let policy = d
            .policy
            .map_or_else(String::new, |name| format!(" [{name}]"));
        let own = format!(
            "{} {}{policy} {}",
            d.kind.as_str(),
            place(d.place),
            d.message
        );
        let related = d
            .related
            .into_iter()
            .map(move |r| format!("  {} {}", place(r.place), r.message));
        std::iter::once(own).chain(related).collect::<Vec<_>>()
    });
    shown.collect()
}

/// A manifest with one policy whose fields, from the third on, are `rest`.
fn policy(rest: &str) -> String {
    format!("manifest_version: '1.0'\npolicies:\n  - name: p\n    action_type: a.b\n{rest}")
}

const REST: &str = "    approval_required: true\n    allowed_repos: null\n    allowed_branches: null\n    conditions: null\n";

#[test]
fn whole_documents() {
    let rows: &[(&str, &[&str])] = &[
        ("", &["INVALID_MANIFEST 1:1 the manifest is empty"]),
        (
            "# only comments\n",
            &["INVALID_MANIFEST 1:1 the manifest is empty"],
        ),
        ("\u{feff}manifest_version: '1.0'\npolicies: []\n", &[]),
        ("manifest_version: '1.0'\r\npolicies: []\r\n", &[]),
        ("{\"manifest_version\": \"1.0\", \"policies\": []}", &[]),
        (
            "- 1\n",
            &["INVALID_MANIFEST 1:1 a manifest must be a mapping, found a list"],
        ),
        (
            "manifest_version: '1.0'\n",
            &["INVALID_MANIFEST 1:1 missing field `policies`"],
        ),
        (
            "manifest_version: '1.0'\npolicies:\n  # - name: p\n",
            &["INVALID_MANIFEST 2:10 a value is missing here"],
        ),
        (
            "manifest_version: '1.0'\npolicies: null\n",
            &["INVALID_MANIFEST 2:11 `policies` must be a list (`[]` for none), found `null`"],
        ),
        (
            "manifest_version: '1.0'\npolicies: []\npolices: []\n",
            &["INVALID_MANIFEST 3:1 unknown key `polices` in a manifest"],
        ),
        (
            "manifest_version: '1.0'\npolicies: []\npolicies: []\n",
            &[
                "INVALID_MANIFEST 3:1 duplicate key `policies`",
                "  2:1 first set here",
            ],
        ),
        (
            "manifest_version: '1.0'\npolicies: []\n---\nmanifest_version: '1.0'\n",
            &["INVALID_MANIFEST 3:1 a second document starts here"],
        ),
        (
            "manifest_version: &v '1.0'\norg_name: *v\npolicies: !!seq []\n<<: {a: 1}\n",
            &[
                "INVALID_MANIFEST 1:19 anchors are not supported",
                "INVALID_MANIFEST 2:11 aliases are not supported",
                "INVALID_MANIFEST 3:11 tags are not supported",
                "INVALID_MANIFEST 4:1 merge keys are not supported",
            ],
        ),
        (
            "manifest_version: '1.0'\npolicies: []\norg_name: yes\nexported_at: soon\n",
            &[
                "INVALID_MANIFEST 3:11 `org_name` must be a string, found `yes`",
                "INVALID_MANIFEST 4:14 `exported_at` must be an RFC 3339 time, found `soon`",
            ],
        ),
        (
            "manifest_version: '1.0'\npolicies: []\norg_name: null\nexported_at: 2026-04-01T10:30:00Z\n",
            &[],
        ),
        (
            "manifest_version: '1.0'\npolicies: [\n",
            &["INVALID_MANIFEST 2:11 invalid YAML: unclosed bracket '['"],
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(&findings(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn the_version_decides_before_anything_else() {
    let unsupported = |v: &str, place: &str| {
        format!(
            "UNSUPPORTED_MANIFEST_VERSION {place} manifest version `{v}` is not supported: this engine reads `1.0`"
        )
    };
    let invalid = |what: &str| format!("INVALID_MANIFEST 1:19 `manifest_version` must be {what}");
    let rows = [
        (
            "manifest_version: '2.0'\nfuture: {deep: [1, &a 2]}\npolicies: 7\n",
            unsupported("2.0", "1:19"),
        ),
        ("manifest_version: 2.0\n", unsupported("2.0", "1:19")),
        (
            "future: 1\nfuture: 2\nmanifest_version: '1.1'\n",
            unsupported("1.1", "3:19"),
        ),
        // Readable before the fault further on.
        (
            "manifest_version: '2.0'\npolicies: [\n",
            unsupported("2.0", "1:19"),
        ),
        // The parser stops before it hands the version out.
        (
            "manifest_version: '2.0'\n\tx: 1\n",
            unsupported("2.0", "1:19"),
        ),
        (
            "{\"manifest_version\": \"2.0\",\n \"y\": [1, {}],\n \"policies\": [}",
            unsupported("2.0", "1:22"),
        ),
        // A text that was cut short, and quotes and brackets that are only letters.
        (
            "{\n\"manifest_version\": \"2.0\",\n\"policies\": []\n",
            unsupported("2.0", "2:21"),
        ),
        (
            "# it's\n{org_name: it's, manifest_version: '2.0', x: \"\\q\"}\n",
            unsupported("2.0", "2:36"),
        ),
        // What a later version nests is not ours to judge.
        (
            "future: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\nmanifest_version: '2.0'\n",
            unsupported("2.0", "2:19"),
        ),
        (
            "manifest_version: '2.0'\nmanifest_version: '1.0'\n",
            unsupported("2.0", "1:19"),
        ),
        (
            "manifest_version: 1.0\npolicies: []\n",
            invalid("a string, found the number `1.0`"),
        ),
        (
            "manifest_version: '1'\npolicies: []\n",
            invalid("MAJOR.MINOR, found `1`"),
        ),
        (
            "manifest_version: '01.0'\npolicies: []\n",
            invalid("MAJOR.MINOR, found `01.0`"),
        ),
        (
            "manifest_version: 1\npolicies: []\n",
            invalid("MAJOR.MINOR, found `1`"),
        ),
        (
            "manifest_version: v1.0\npolicies: []\n",
            invalid("MAJOR.MINOR, found `v1.0`"),
        ),
        (
            "manifest_version: '1.0.0'\npolicies: []\n",
            invalid("MAJOR.MINOR, found `1.0.0`"),
        ),
        (
            "manifest_version: [1]\npolicies: []\n",
            invalid("a string such as `'1.0'`, found a list"),
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(findings(text.as_bytes()), [expected], "{text}");
    }
}

#[test]
fn text_that_is_not_utf8() {
    let rows: [(&[u8], &[&str]); 4] = [
        (
            b"bogus: 1\npolicies:\n  - name: p\n    x: 1\norg_name: \xff\npolicies: []\n",
            &["INVALID_MANIFEST 5:11 the text is not UTF-8 from here on"],
        ),
        (
            b"\xff",
            &["INVALID_MANIFEST 1:1 the text is not UTF-8 from here on"],
        ),
        (
            b"manifest_version: '9.0'\norg_name: \xff\n",
            &[
                "UNSUPPORTED_MANIFEST_VERSION 1:19 manifest version `9.0` is not supported: this engine reads `1.0`",
            ],
        ),
        (
            b"manifest_version: 2.0\xff",
            &["INVALID_MANIFEST 1:22 the text is not UTF-8 from here on"],
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(findings(text), expected, "{}", text.escape_ascii());
    }
}

#[test]
fn a_fault_behind_a_policy_does_not_make_its_fields_missing() {
    for rest in ["   action_type: t\n", " action_type: t\n"] {
        let text = format!("manifest_version: '1.0'\npolicies:\n  - name: p\n{rest}");
        let found = findings(text.as_bytes());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("INVALID_MANIFEST 4:"), "{found:?}");
    }
}

#[test]
fn more_values_or_policies_than_the_limits_are_refused_alone() {
    let values = format!(
        "manifest_version: '1.0'\npolicies: []\norg_name: [{}]\n",
        "1,".repeat(limits::VALUES + 5)
    );
    let expected = [
        "INVALID_MANIFEST 3:11 `org_name` must be a string, found a list",
        "INVALID_MANIFEST 3:11 more than 100000 values belong together here",
    ];
    let mut found = findings(values.as_bytes());
    found.sort();
    assert_eq!(found, expected);

    let policies = format!(
        "policies:\n{}manifest_version: '1.0'\n",
        "- 1\n".repeat(limits::POLICIES + 3)
    );
    let found = validate(policies.as_bytes()).diagnostics;
    // One for each policy up to the bound of findings, and nothing about keys that are none.
    assert!(
        found.iter().all(|d| !d.message.contains("key")),
        "{:?}",
        found.last()
    );
}

#[test]
fn fields_of_a_policy() {
    let rows: &[(&str, &[&str])] = &[
        (REST, &[]),
        (
            "",
            &[
                "INVALID_MANIFEST 3:5 [p] missing field `approval_required`",
                "INVALID_MANIFEST 3:5 [p] missing field `allowed_repos`",
                "INVALID_MANIFEST 3:5 [p] missing field `allowed_branches`",
                "INVALID_MANIFEST 3:5 [p] missing field `conditions`",
            ],
        ),
        (
            "    approval_required: yes\n    approval_timeout_hours: '8'\n    allowed_repos: main\n    allowed_branches:\n    conditions:\n      logic: all\n",
            &[
                "INVALID_MANIFEST 5:24 [p] `approval_required` must be `true` or `false`, unquoted, found `yes`",
                "INVALID_MANIFEST 6:29 [p] `approval_timeout_hours` must be an integer from 1 to 8760, unquoted, found the string `8`",
                "INVALID_MANIFEST 7:20 [p] `allowed_repos` must be `null` or a list of patterns, found `main`",
                "INVALID_MANIFEST 8:22 [p] a value is missing here",
                "INVALID_MANIFEST 10:7 [p] `conditions` must be `null` or a string that holds a YAML document, found a mapping",
            ],
        ),
        (
            "    approval_requird: true\n    approval_required: true\n    allowed_repos: []\n    allowed_branches: [007, '', a**]\n    conditions: ''\n",
            &[
                "INVALID_MANIFEST 5:5 [p] unknown key `approval_requird` in a policy",
                "EMPTY_ALLOW_LIST 7:20 [p] `allowed_repos` is empty: the policy admits nothing",
                "INVALID_MANIFEST 8:24 [p] a pattern must be a string, found `007`",
                "INVALID_MANIFEST 8:29 [p] pattern is empty",
                "INVALID_MANIFEST 8:33 [p] `**` is not alone in its segment",
                "POLICY_COMPILE_ERROR 9:17 [p] the conditions are empty",
            ],
        ),
    ];
    for (rest, expected) in rows {
        assert_eq!(&findings(policy(rest).as_bytes()), expected, "{rest}");
    }
}

#[test]
fn names_and_action_types() {
    let with = |name: &str, action_type: &str| {
        let text = format!(
            "manifest_version: '1.0'\npolicies:\n  - name: {name}\n    action_type: {action_type}\n{REST}"
        );
        let found = findings(text.as_bytes());
        assert!(found.len() <= 1, "{found:?}");
        found.concat()
    };
    let long = "x".repeat(200);
    for name in [
        "a",
        "'ünïcode ok'",
        "\"tab-free\"",
        long.as_str(),
        "'null'",
        "a:b",
    ] {
        assert_eq!(with(name, "a"), "", "{name}");
    }
    let longer = "x".repeat(201);
    for name in [
        "''",
        "' a'",
        "\"a\\n\"",
        "\"a\\tb\"",
        "\"a\\u2028b\"",
        "null",
        "5",
        longer.as_str(),
    ] {
        assert!(
            with(name, "a").starts_with("INVALID_MANIFEST 3:11"),
            "{name}"
        );
    }
    for action_type in ["a", "a.b", "'*'", "deploy.*", "A-b_c/d.e"] {
        assert_eq!(with("p", action_type), "", "{action_type}");
    }
    for action_type in [
        "''", "a..b", ".a", "'*.a'", "a.*.b", "a*", "'a b'", "é", "'.*'",
    ] {
        assert!(
            with("p", action_type).starts_with("INVALID_MANIFEST 4:18 [p]"),
            "{action_type}"
        );
    }
}

#[test]
fn duplicate_names_show_both_places() {
    let text = format!("{}  - name: p\n    action_type: a.b\n{REST}", policy(REST));
    assert_eq!(
        findings(text.as_bytes()),
        [
            "INVALID_MANIFEST 9:11 [p] duplicate policy name `p`",
            "  3:11 first used here",
        ]
    );
}

#[test]
fn a_syntax_error_does_not_hide_what_stands_before_it() {
    let text = "manifest_version: '1.0'\npolicies:\n  - name: p\n    bogus: 1\n    conditions: [\n";
    assert_eq!(
        findings(text.as_bytes()),
        [
            "INVALID_MANIFEST 4:5 [p] unknown key `bogus` in a policy",
            "INVALID_MANIFEST 5:17 [p] invalid YAML: unclosed bracket '['",
            "INVALID_MANIFEST 5:17 [p] `conditions` must be `null` or a string that holds a YAML document, found a list",
        ]
    );
}

#[test]
fn places_inside_conditions_are_places_in_the_file() {
    let rest = "    approval_required: true\n    allowed_repos: null\n    allowed_branches: null\n    conditions: |\n      logic: al\n      rules:\n        - field: é\n          operator: regx\n          value: x\n";
    let found = findings(policy(rest).as_bytes());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("POLICY_COMPILE_ERROR 9:14 [p]"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("POLICY_COMPILE_ERROR 12:21 [p]"),
        "{found:?}"
    );
}

#[test]
fn hostile_input_is_refused_in_bounded_time() {
    let bomb: String = (0..2000).map(|i| format!("- &a{i} [*a{i}]\n")).collect();
    let head = "manifest_version: '1.0'\npolicies:";
    let texts = [
        format!("{head}\n- {{{}}}\n", "a,".repeat(40_000)),
        format!(
            "{head} []\n{}",
            (0..50_000)
                .map(|i| format!("k{i}: 1\n"))
                .collect::<String>()
        ),
        format!("{head} []\norg_name:\n{}", "- \n".repeat(300_000)),
        format!(
            "{head}\n- name: {}\n  {}",
            "n".repeat(500_000),
            "x: 1\n  ".repeat(2_000)
        ),
        "[".repeat(100_000),
        "{".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        format!("manifest_version: '1.0'\npolicies:\n{bomb}"),
        format!(
            "manifest_version: '1.0'\npolicies: []\norg_name: \"{}",
            "x\\n".repeat(300_000)
        ),
        (0..5000)
            .map(|i| format!("{}a:\n", " ".repeat(i)))
            .collect(),
    ];
    for text in texts {
        let found = validate(text.as_bytes()).diagnostics;
        assert!(found.iter().any(|d| matches!(d.kind, Kind::Error(_))));
        assert!(found.len() <= 1_001, "{}", found.len());
    }
}

#[test]
fn what_a_manifest_says_is_kept() {
    let text = format!(
        "{}circuit_breakers_info:\n  note: x\n  entries:\n    - {{anomaly_type: rapid, score_threshold: 70, response_level: HALT}}\n",
        policy(REST)
    );
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    let policy = manifest.policies().get("p").unwrap();
    assert_eq!(policy.approval_timeout_hours(), 8);
    assert_eq!(policy.allowed_repos(), None);
    assert_eq!(manifest.breakers().len(), 1);
    assert_eq!(manifest.version(), "1.0");
}

#[test]
fn nesting_ends_at_sixteen_levels_in_every_style() {
    let head = "manifest_version: '1.0'\npolicies: []\norg_name: ";
    let flow = |n: usize| format!("{head}{}{}\n", "[".repeat(n), "]".repeat(n));
    let block = |n: usize| format!("{head}\n  {}x\n", "- ".repeat(n));
    let deep = |text: String| {
        findings(text.as_bytes())
            .into_iter()
            .filter(|f| f.contains("deeper than 16"))
            .collect::<Vec<_>>()
    };
    // The root mapping is the first level.
    assert_eq!(deep(flow(15)), [""; 0]);
    assert_eq!(
        deep(flow(16)),
        ["INVALID_MANIFEST 3:26 nested deeper than 16 levels"]
    );
    assert_eq!(
        deep(flow(100_000)),
        ["INVALID_MANIFEST 3:266 nested deeper than 16 levels"]
    );
    assert_eq!(deep(block(15)), [""; 0]);
    assert_eq!(
        deep(block(16)),
        ["INVALID_MANIFEST 4:33 nested deeper than 16 levels"]
    );
}
