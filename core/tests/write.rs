//! What an export looks like, and that it says what it was given.

use lattice_core::{Breaker, Manifest, Number, PolicySet, PolicySpec};
use proptest::prelude::*;

const HEAD: &str = "\
manifest_version: '1.0'
exported_at: '2026-04-01T10:30:00.000Z'
org_name: My Org (dev)
";
const BLOCK: &str = r#"  - name: block-unreviewed-deploys
    action_type: deploy.production
    approval_required: true
    approval_timeout_hours: 24
    allowed_repos: null
    allowed_branches: null
    conditions: |
      logic: all
      rules:
        - field: branch
          operator: regex
          value: "^main$"
"#;
const AUDIT: &str = "  - name: audit-all-writes
    action_type: db.write
    approval_required: false
    approval_timeout_hours: 8
    allowed_repos: null
    allowed_branches: null
    conditions: null
";
const BREAKERS: &str = "\
circuit_breakers_info:
  note: Circuit breakers are exported for reference only. They are not applied on al import.
  entries:
    - anomaly_type: rapid_tool_invocation
      score_threshold: 70
      response_level: HALT
";

fn export(manifest: &Manifest) -> String {
    Manifest::write(
        manifest.org_name().unwrap_or_default(),
        manifest.exported_at().unwrap_or_default(),
        manifest.policies(),
        manifest.breakers(),
    )
}

#[test]
fn the_example_exports_as_its_own_bytes_with_the_policies_swapped() {
    let example = format!("{HEAD}policies:\n{BLOCK}{AUDIT}{BREAKERS}");
    let manifest = Manifest::parse(example.as_bytes()).unwrap();
    assert_eq!(
        export(&manifest),
        format!("{HEAD}policies:\n{AUDIT}{BLOCK}{BREAKERS}")
    );
}

#[test]
fn nothing_to_export() {
    let text = Manifest::write(
        "",
        "2026-04-01T10:30:00.0009Z".parse().unwrap(),
        &PolicySet::default(),
        &[],
    );
    let expected = "\
manifest_version: '1.0'
exported_at: '2026-04-01T10:30:00.000Z'
org_name: ''
policies: []
circuit_breakers_info:
  note: Circuit breakers are exported for reference only. They are not applied on al import.
  entries: []
";
    assert_eq!(text, expected);
}

#[test]
fn lists_and_breakers() {
    let conditions = "  # verbatim\n  {logic: all, rules: [{field: a, operator: exists}]}";
    let policies = PolicySet::compile([PolicySpec {
        name: "b: 'x'".to_owned(),
        action_type: "*".to_owned(),
        approval_required: true,
        approval_timeout_hours: 8760,
        allowed_repos: Some(vec![
            "b".to_owned(),
            "acme/*".to_owned(),
            "*".to_owned(),
            "b".to_owned(),
        ]),
        allowed_branches: Some(vec![]),
        conditions: Some(conditions.to_owned()),
    }])
    .unwrap();
    let breaker = |anomaly: &str, threshold: &str| {
        Breaker::new(anomaly, Number::parse(threshold).unwrap(), "HALT").unwrap()
    };
    let breakers = [breaker("b", "0.5"), breaker("a", "70.0")];
    let text = Manifest::write(
        "Acme\n",
        "2026-04-01T10:30:00Z".parse().unwrap(),
        &policies,
        &breakers,
    );
    let expected = "\
manifest_version: '1.0'
exported_at: '2026-04-01T10:30:00.000Z'
org_name: \"Acme\\n\"
policies:
  - name: 'b: ''x'''
    action_type: '*'
    approval_required: true
    approval_timeout_hours: 8760
    allowed_repos:
      - '*'
      - acme/*
      - b
    allowed_branches: []
    conditions: |2-
        # verbatim
        {logic: all, rules: [{field: a, operator: exists}]}
circuit_breakers_info:
  note: Circuit breakers are exported for reference only. They are not applied on al import.
  entries:
    - anomaly_type: a
      score_threshold: 70
      response_level: HALT
    - anomaly_type: b
      score_threshold: 0.5
      response_level: HALT
";
    assert_eq!(text, expected);
}

/// A line that is likely to be misread.
fn line() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        " ",
        "'",
        "\"",
        "\\",
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
        "0x",
        "1.0",
        "=",
        "<<",
        "é",
        "\u{a0}",
        "\u{1f600}",
        "\u{feff}",
        "\u{fffe}",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..6).prop_map(|pieces| pieces.concat())
}

/// Text with line ends of every kind.
fn text() -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec![
        "", "\n", "\n\n", "\r\n", "\r", "\t", "\u{85}", "\u{2028}", "\u{0}", "\u{7f}",
    ]);
    prop::collection::vec((line(), end), 0..4).prop_map(|lines| {
        lines
            .into_iter()
            .flat_map(|(line, end)| [line, end.to_owned()])
            .collect()
    })
}

/// Conditions with much white space and many comments.
fn conditions() -> impl Strategy<Value = String> {
    let gap = || {
        prop::sample::select(vec![
            "",
            "\n",
            "\n\n",
            "\r\n",
            "  \n",
            "# a\n",
            "  # b\r\n",
            "#\u{2028}\n",
            "\t\n",
        ])
    };
    let end = prop::sample::select(vec![
        "", "\n", "\n\n", " ", "\n  ", "\n# c", " # d\n\n", "\r\n",
    ]);
    (gap(), gap(), 0..3_usize, line(), end).prop_map(|(before, between, indent, value, end)| {
        let indent = " ".repeat(indent);
        // Escapes of JSON are escapes of YAML, but not all that JSON leaves unescaped is printable.
        let value = serde_json::json!(value.replace('\u{fffe}', ""));
        format!("{before}{between}{indent}logic: all\n{indent}rules: [{{field: a, operator: eq, value: {value}}}]{end}")
    })
}

/// Both manifests say the same of themselves.
fn same(a: &Manifest, b: &Manifest) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.exported_at(), b.exported_at());
    prop_assert_eq!(a.org_name(), b.org_name());
    prop_assert_eq!(a.policies(), b.policies());
    prop_assert_eq!(a.breakers(), b.breakers());
    prop_assert_eq!(a.sha256(), b.sha256());
    prop_assert_eq!(a.rendered_sha256(), b.rendered_sha256());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn every_string_survives(
        org_name in text(),
        name in line(),
        pattern in line(),
        anomaly in line(),
        conditions in conditions(),
    ) {
        let spec = PolicySpec {
            name: format!("x{name}x"),
            action_type: "deploy.*".to_owned(),
            approval_required: false,
            approval_timeout_hours: 8,
            allowed_repos: Some(vec![format!("{}x", pattern.replace(['\\', '*'], ""))]),
            allowed_branches: None,
            conditions: Some(conditions.clone()),
        };
        let policies = PolicySet::compile([spec.clone()]).unwrap();
        let breakers = [Breaker::new(&format!("x{anomaly}x"), Number::from(1_i64), "HALT").unwrap()];
        let text = Manifest::write(&org_name, "2026-04-01T10:30:00Z".parse().unwrap(), &policies, &breakers);
        let read = match Manifest::parse(text.as_bytes()) {
            Ok(read) => read,
            Err(error) => panic!("{error:?}\n{text}"),
        };
        prop_assert_eq!(read.org_name(), Some(org_name.as_str()), "{}", text);
        prop_assert_eq!(read.policies().get(&spec.name).map(|policy| policy.spec()), Some(spec.clone()), "{}", text);
        prop_assert_eq!(read.breakers(), &breakers);
        prop_assert_eq!(export(&read), text.clone());
        let exported = Manifest::exported(&org_name, "2026-04-01T10:30:00Z".parse().unwrap(), &policies, &breakers);
        same(&exported, &read)?;

        let other: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        prop_assert_eq!(other["org_name"].as_str(), Some(org_name.as_str()));
        let policy = &other["policies"][0];
        prop_assert_eq!(policy["name"].as_str(), Some(spec.name.as_str()));
        prop_assert_eq!(policy["conditions"].as_str(), Some(conditions.as_str()), "{}", text);
        let repos: Vec<&str> = spec.allowed_repos.iter().flatten().map(String::as_str).collect();
        prop_assert_eq!(vec![policy["allowed_repos"][0].as_str().unwrap()], repos);
    }
}

#[test]
fn the_time_of_export_alone_is_no_difference() {
    let at = |text: &str| text.parse().unwrap();
    let empty = lattice_core::PolicySet::default();
    let export = |org: &str, time: &str| Manifest::write(org, at(time), &empty, &[]);
    let new = export("a", "2026-04-01T10:30:00Z");
    let rows = [
        (export("a", "2026-04-01T10:30:00Z"), true),
        (export("a", "2025-01-01T00:00:00Z"), true),
        (export("b", "2026-04-01T10:30:00Z"), false),
        (new.replace("2026-04-01T10:30:00.000Z", "rubbish"), false),
        (
            format!("{new}exported_at: '2026-04-01T10:30:00.000Z'\n"),
            false,
        ),
        (new.replace("exported_at", "# exported_at"), false),
        (new.replace('\n', "\r\n"), false),
        (String::new(), false),
    ];
    for (old, same) in rows {
        assert_eq!(Manifest::same_but_time(old.as_bytes(), &new), same, "{old}");
    }
    assert!(!Manifest::same_but_time(b"\xff", &new));
}

/// A manifest that was never read is the one that would be read, whose time has milliseconds.
#[test]
fn an_export_is_known_without_reading_it() {
    let empty = lattice_core::PolicySet::default();
    for time in [
        "2026-04-01T10:30:00Z",
        "2026-04-01T10:30:00.123999999Z",
        "1960-01-01T00:00:00.000999Z",
    ] {
        let time = time.parse().unwrap();
        let read = Manifest::parse(Manifest::write("a", time, &empty, &[]).as_bytes()).unwrap();
        same(&Manifest::exported("a", time, &empty, &[]), &read).unwrap();
    }
}
