//! Texts and what becomes of them.

use lattice_core::{Code, Manifest, format};

/// Compares whole texts; the canonical one is its own.
fn check(text: &str, expected: &str) {
    let formatted = |text: &str| match format(text.as_bytes()) {
        Ok(text) => text,
        Err(error) => panic!("{:#?}", error.diagnostics().collect::<Vec<_>>()),
    };
    assert_eq!(formatted(text), expected, "from:\n{text}");
    assert_eq!(formatted(expected), expected, "again");
}

const CANONICAL: &str = r#"manifest_version: '1.0'
exported_at: '2026-04-01T10:30:00.000Z'
org_name: My Org (dev)
policies:
  - name: audit-all-writes
    action_type: db.write
    approval_required: false
    approval_timeout_hours: 8
    allowed_repos: null
    allowed_branches: null
    conditions: null
  - name: block-unreviewed-deploys
    action_type: deploy.production
    approval_required: true
    approval_timeout_hours: 24
    allowed_repos: []
    allowed_branches:
      - main
      - release/*
    conditions: |
      logic: all
      rules:
        - field: branch
          operator: regex
          value: "^main$"
        - logic: any
          rules:
            - field: labels."app.io/tier"
              operator: exists
            - field: pr_size
              operator: in
              value:
                - 0.5
                - 1
                - 200
circuit_breakers_info:
  note: Circuit breakers are exported for reference only. They are not applied on al import.
  entries:
    - anomaly_type: rapid_tool_invocation
      score_threshold: 70
      response_level: HALT
"#;

#[test]
fn the_canonical_text_is_its_own() {
    check(CANONICAL, CANONICAL);
}

#[test]
fn block_style_in_any_order() {
    let text = r#"
circuit_breakers_info:
    entries:
    -   score_threshold: 70.0
        anomaly_type: "rapid_tool_invocation"
        response_level: 'HALT'
    note: >-
        Circuit breakers are exported for reference only.
        They are not applied on al import.
org_name: "My Org (dev)"
exported_at: 2026-04-01T12:30:00+02:00

policies:
- conditions: >
    {logic: all, rules: [
    {operator: matches, field: '"branch"', value: ^main$},

    {logic: any, rules: [{field: 'labels."app.io/tier"', operator: exists},
    {field: pr_size, operator: in, value: [200.0, 1, .5, 1.0]}]}]}
  allowed_repos: []
  allowed_branches: [release/*, main, "release/*"]
  approval_timeout_hours: 24
  approval_required: true
  action_type: 'deploy.production'
  name: block-unreviewed-deploys

- {name: audit-all-writes, action_type: db.write, approval_required: false,
   allowed_repos: null, allowed_branches: null, conditions: null}
manifest_version: "1.0"
"#;
    check(text, CANONICAL);
    check(&text.replace('\n', "\r\n"), CANONICAL);
    check(&format!("\u{feff}{text}"), CANONICAL);
    check(&format!("---{text}...\n"), CANONICAL);
}

#[test]
fn json() {
    let text = r#"{"manifest_version": "1.0", "exported_at": "2026-04-01T10:30:00Z", "org_name": "My Org (dev)", "policies": [
        {"name": "audit-all-writes", "action_type": "db.write", "approval_required": false, "approval_timeout_hours": 8,
         "allowed_repos": null, "allowed_branches": null, "conditions": null},
        {"name": "block-unreviewed-deploys", "action_type": "deploy.production", "approval_required": true,
         "approval_timeout_hours": 24, "allowed_repos": [], "allowed_branches": ["main", "release/*"],
         "conditions": "{\"logic\": \"all\", \"rules\": [{\"field\": \"branch\", \"operator\": \"regex\", \"value\": \"^main$\"}, {\"logic\": \"any\", \"rules\": [{\"field\": \"labels.\\\"app.io/tier\\\"\", \"operator\": \"exists\"}, {\"field\": \"pr_size\", \"operator\": \"in\", \"value\": [1, 200, 0.5]}]}]}"}],
        "circuit_breakers_info": {"note": "Circuit breakers are exported for reference only. They are not applied on al import.",
         "entries": [{"anomaly_type": "rapid_tool_invocation", "score_threshold": 70, "response_level": "HALT"}]}}"#;
    check(text, CANONICAL);
}

/// A manifest of one policy with those last lines.
fn manifest(head: &str, lines: &str) -> String {
    format!(
        "manifest_version: '1.0'\n{head}policies:\n  - name: a\n    action_type: t\n    approval_required: true\n    approval_timeout_hours: 8\n{lines}"
    )
}

#[test]
fn optional_fields() {
    let rest = "    allowed_repos: null\n    allowed_branches: null\n    conditions: null\n";
    let rows = [
        ("", ""),
        ("exported_at: null\norg_name: null\n", ""),
        ("org_name: ''\n", "org_name: ''\n"),
        ("org_name: 'null'\n", "org_name: 'null'\n"),
        (
            "exported_at: '2026-04-01T00:00:00+00:00'\n",
            "exported_at: '2026-04-01T00:00:00.000Z'\n",
        ),
        (
            "exported_at: '2026-04-01T00:00:00.12Z'\n",
            "exported_at: '2026-04-01T00:00:00.120Z'\n",
        ),
        (
            "exported_at: '2026-04-01T00:00:00.1234Z'\n",
            "exported_at: '2026-04-01T00:00:00.1234Z'\n",
        ),
        (
            "exported_at: '2026-04-01T00:00:00.123456789-01:00'\n",
            "exported_at: '2026-04-01T01:00:00.123456789Z'\n",
        ),
    ];
    for (head, expected) in rows {
        check(&manifest(head, rest), &manifest(expected, rest));
    }
    check(
        "manifest_version: '1.0'\npolicies: []\ncircuit_breakers_info: {entries: [], note: null}\n",
        "manifest_version: '1.0'\npolicies: []\ncircuit_breakers_info:\n  entries: []\n",
    );
}

#[test]
fn comments_of_a_manifest() {
    check(
        "\
# On top.
#No space.

org_name: b # the name
# About the version.
manifest_version: '1.0'
exported_at: null # dropped
# About policies.
policies: # All of them.
# Before z.
- # The dash of z.
  # Above a key of z.
  action_type: t
  # About the name of z.
  name: z # z
  approval_required: # late
    true
  allowed_repos: # the repos
  # About c.
  - c # c
  - a # a
    # Below the repos.
  # About the branches.
  allowed_branches: [ # open
    # About main.
    main, # main
    dev # dev
    # Closing.
  ] # closed
  conditions: null
  # At the end of z.

# Before a.
- {name: a, action_type: t, # the type
   allowed_repos: [], allowed_branches: null, approval_required: true, conditions: null} # a
  # At the end of a.
# The end.
",
        "\
# On top.
#No space.
# About the version.
manifest_version: '1.0'
# dropped
org_name: b # the name
# About policies.
policies: # All of them.
  # Before a.
  - name: a # a
    action_type: t # the type
    approval_required: true
    approval_timeout_hours: 8
    allowed_repos: []
    allowed_branches: null
    conditions: null
    # At the end of a.
  # Before z.
  # About the name of z.
  # The dash of z.
  - name: z # z
    # Above a key of z.
    action_type: t
    approval_required: true # late
    approval_timeout_hours: 8
    allowed_repos: # the repos
      - a # a
      # About c.
      - c # c
      # Below the repos.
    # About the branches.
    allowed_branches: # closed
      - dev # dev
      # open
      # About main.
      - main # main
      # Closing.
    conditions: null
    # At the end of z.
# The end.
",
    );
}

#[test]
fn comments_of_repeats_stay() {
    check(
        &manifest(
            "",
            "    allowed_repos:
      # One.
      - a # first
      - b
      # Two.
      - a # second
    allowed_branches: [
      # None.
    ] # any
    conditions: null
",
        ),
        &manifest(
            "",
            "    allowed_repos:
      # One.
      # Two.
      # first
      - a # second
      - b
    # None.
    allowed_branches: [] # any
    conditions: null
",
        ),
    );
}

#[test]
fn comments_stay_with_the_item_whose_dash_they_follow() {
    check(
        "manifest_version: '1.0'\npolicies: []\ncircuit_breakers_info:\n  entries:\n    -  # x-\n       # about b\n      anomaly_type: b\n      score_threshold: 1\n      response_level: HALT\n    -  # y-\n       # about a\n      anomaly_type: a\n      score_threshold: 1\n      response_level: HALT\n",
        "manifest_version: '1.0'\npolicies: []\ncircuit_breakers_info:\n  entries:\n    # about a\n    - anomaly_type: a # y-\n      score_threshold: 1\n      response_level: HALT\n    # about b\n    - anomaly_type: b # x-\n      score_threshold: 1\n      response_level: HALT\n",
    );
}

#[test]
fn comments_of_conditions() {
    let rest = "    allowed_repos: null\n    allowed_branches: null\n";
    check(
        &manifest(
            "",
            &format!(
                "{rest}    conditions: |2- # the header
        # On top.

        rules: # all of these
        - field: branch # the branch
          value: [b, # b
            a, b, # b again
          ]
          # Why.
          operator: in
          # The end of a rule.
        # A group.
        - {{logic: any, rules: [{{field: x, operator: neq, value: 1}}]}} # inline
        # The end of the rules.
        logic: all
        # The end.
     # Behind the text.
"
            ),
        ),
        &manifest(
            "",
            &format!(
                "{rest}    conditions: | # the header
      # On top.
      # The end of the rules.
      logic: all
      rules: # all of these
        - field: branch # the branch
          # Why.
          operator: in
          value:
            - \"a\"
            # b
            - \"b\" # b again
          # The end of a rule.
        # A group.
        - logic: any # inline
          rules:
            - field: x
              operator: ne
              value: 1
      # The end.
    # Behind the text.
"
            ),
        ),
    );
}

#[test]
fn comments_in_quoted_and_folded_conditions() {
    let rest = "    allowed_repos: null\n    allowed_branches: null\n";
    let rules = "logic: all\n      rules:\n        - field: a\n          operator: exists\n";
    let expected = manifest(
        "",
        &format!("{rest}    conditions: | # out\n      # in\n      {rules}"),
    );
    let rows = [
        r##""# in\nlogic: all\nrules: [{field: a, operator: exists}]" # out"##,
        "># out\n      # in\n\n      {logic: all, rules: [{field: a, operator: exists}]}",
        "'# in\n\n      {logic: all, rules: [{field: a, operator: exists}]}' # out",
    ];
    for row in rows {
        let row = row.replace("># out", "> # out");
        check(
            &manifest("", &format!("{rest}    conditions: {row}\n")),
            &expected,
        );
    }
}

#[test]
fn a_comment_that_no_block_can_hold_stays_in_the_text() {
    let rest = "    allowed_repos: null\n    allowed_branches: null\n";
    check(
        &manifest(
            "",
            &format!(
                "{rest}    conditions: \"logic: all # a\\u2028b\\nrules: [{{field: a, operator: exists}}]\"\n"
            ),
        ),
        &manifest(
            "",
            &format!(
                "{rest}    conditions: \"logic: all # a\\u2028b\\nrules:\\n  - field: a\\n    operator: exists\\n\"\n"
            ),
        ),
    );
}

#[test]
fn what_is_wrong_is_refused() {
    let rows = [
        ("", Code::InvalidManifest),
        (
            "manifest_version: '2.0'\n",
            Code::UnsupportedManifestVersion,
        ),
        (
            "manifest_version: '1.0'\npolicies:\n",
            Code::InvalidManifest,
        ),
        (
            "manifest_version: '1.0'\npolicies: [\n",
            Code::InvalidManifest,
        ),
        ("\u{0}", Code::InvalidManifest),
    ];
    for (text, expected) in rows {
        assert_eq!(
            format(text.as_bytes()).unwrap_err().code(),
            expected,
            "{text:?}"
        );
    }
    assert_eq!(format(b"\xff").unwrap_err().code(), Code::InvalidManifest);
}

#[test]
fn conditions_that_are_too_long_once_formatted() {
    let values: Vec<String> = (0..9_000).map(|n| n.to_string()).collect();
    let rest = "    allowed_repos: null\n    allowed_branches: null\n";
    let rule = format!("{{field: a, operator: in, value: [{}]}}", values.join(","));
    let text = manifest(
        "",
        &format!("{rest}    conditions: '{{logic: all, rules: [{rule}]}}'\n"),
    );
    assert!(Manifest::parse(text.as_bytes()).is_ok());
    let error = format(text.as_bytes()).unwrap_err();
    let shown: Vec<_> = error
        .diagnostics()
        .map(|d| (d.kind.as_str(), d.policy.as_deref(), d.message.as_str()))
        .collect();
    let message = "the conditions are longer than 65536 bytes once they are formatted";
    assert_eq!(shown, [("POLICY_COMPILE_ERROR", Some("a"), message)]);
}
