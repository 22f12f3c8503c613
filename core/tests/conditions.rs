//! Conditions documents: what is refused, where, and what counts as equal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test may fail loudly, and tables are long"
)]

use lattice_core::condition::{Logic, Operator, Path, Rule};
use lattice_core::{Action, Code, Conditions, limits, view};

/// Line, column and the beginning of each message.
type Found<'a> = &'a [(u32, u32, &'a str)];

fn refused(text: &str) -> Vec<(u32, u32, String)> {
    let error = Conditions::parse(text).expect_err(text);
    assert_eq!(error.code(), Code::PolicyCompileError);
    let all = error.diagnostics().map(|diagnostic| {
        let place = diagnostic.place.unwrap();
        (place.line, place.column, diagnostic.message.clone())
    });
    all.collect()
}

fn check(text: &str, expected: Found) {
    let found = refused(text);
    let matches = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(f, e)| (f.0, f.1) == (e.0, e.1) && f.2.starts_with(e.2));
    assert!(
        matches,
        "{text}\nfound    {found:#?}\nexpected {expected:#?}"
    );
}

#[test]
fn documents_that_are_none() {
    let rows: [(&str, Found); 13] = [
        ("", &[(1, 1, "the conditions are empty")]),
        ("# a comment\n\n", &[(1, 1, "the conditions are empty")]),
        ("null\n", &[(1, 1, "the conditions are empty")]),
        ("---\n# a comment\n", &[(1, 4, "a value is missing here")]),
        (
            "~",
            &[(1, 1, "a conditions document must be a mapping, found `~`")],
        ),
        (
            "main",
            &[(
                1,
                1,
                "a conditions document must be a mapping, found `main`",
            )],
        ),
        (
            "[a]",
            &[(
                1,
                1,
                "a conditions document must be a mapping, found a list",
            )],
        ),
        (
            "{}",
            &[
                (1, 1, "missing field `logic`"),
                (1, 1, "missing field `rules`"),
            ],
        ),
        ("logic: all\n", &[(1, 1, "missing field `rules`")]),
        (
            "logic: all\nrules:\n  # - none\n",
            &[(2, 7, "a value is missing here")],
        ),
        (
            "logic: all\nrules: null\n",
            &[(2, 8, "`rules` must be a list, found `null`")],
        ),
        ("logic: all\nrules: []\n", &[(2, 8, "`rules` is empty")]),
        (
            "logic: all\nrules: {}\n",
            &[(2, 8, "`rules` must be a list, found a mapping")],
        ),
    ];
    for (text, expected) in rows {
        check(text, expected);
    }
}

#[test]
fn every_error_of_a_document() {
    let rows: [(&str, Found); 9] = [
        (
            "logic: xor\nrules:\n  - {feild: a, operator: eq}\n  - {field: a.b., operator: eqq, value: 1}\n",
            &[
                (1, 8, "unknown logic `xor`"),
                (3, 5, "missing field `field`"),
                (3, 5, "missing field `value`"),
                (3, 6, "unknown key `feild` in a rule"),
                (4, 13, "the path `a.b.` has an empty segment"),
                (4, 29, "unknown operator `eqq`"),
            ],
        ),
        (
            "logic: all\nlogic: any\nrules: [{field: a, field: b, operator: exists}]\nextra: 1\n",
            &[
                (2, 1, "duplicate key `logic`"),
                (3, 20, "duplicate key `field`"),
                (4, 1, "unknown key `extra` in a conditions document"),
            ],
        ),
        (
            "logic: all\nrules:\n  - a\n  - [1]\n  -\n  - {}\n  - {logics: any, rules: []}\n  - {rulez: []}\n  - {logic: any, field: a}\n",
            &[
                (3, 5, "a rule must be a mapping, found `a`"),
                (4, 5, "a rule must be a mapping, found a list"),
                (5, 4, "a value is missing here"),
                (6, 5, "missing field `field`"),
                (6, 5, "missing field `operator`"),
                (7, 5, "missing field `logic`"),
                (7, 6, "unknown key `logics` in a group"),
                (7, 26, "`rules` is empty"),
                (8, 5, "missing field `logic`"),
                (8, 5, "missing field `rules`"),
                (8, 6, "unknown key `rulez` in a group"),
                (9, 5, "missing field `operator`"),
                (9, 6, "unknown key `logic` in a rule"),
            ],
        ),
        (
            "logic: all\nrules:\n  - {field: a, operator: eq, value: null}\n  - {field: a, operator: eq, value: [1]}\n  - {field: a, operator: in, value: 1}\n  - {field: a, operator: in, value: []}\n  - {field: a, operator: in, value: [1, a]}\n  - {field: a, operator: in, value: [1, null, [2]]}\n  - {field: a, operator: exists, value: 1}\n  - {field: a, operator: is_null, value: null}\n",
            &[
                (3, 37, "`value` of `eq` is `null`"),
                (
                    4,
                    37,
                    "`value` of `eq` must be a string, a number or a boolean, found a list",
                ),
                (
                    5,
                    37,
                    "`value` of `in` must be a list, found the number `1`",
                ),
                (6, 37, "`value` of `in` is an empty list"),
                (
                    7,
                    41,
                    "the elements of `value` of `in` are of several types: a string after a number",
                ),
                (
                    8,
                    41,
                    "an element of `value` of `in` must be a string, a number or a boolean, found `null`",
                ),
                (
                    8,
                    47,
                    "an element of `value` of `in` must be a string, a number or a boolean, found a list",
                ),
                (9, 34, "`exists` takes no value"),
                (10, 35, "`is_null` takes no value"),
            ],
        ),
        (
            "logic: all\nrules:\n  - {field: a, operator: lt, value: '1'}\n  - {field: a, operator: eq, value: yes}\n  - {field: a, operator: lt, value: 18446744073709551616}\n  - {field: a, operator: lt, value: .inf}\n  - {field: a, operator: starts_with, value: 1}\n  - {field: a, operator: eq_ci, value: true}\n  - {field: a, operator: in_ci, value: [a, 1]}\n  - {field: 5, operator: 5}\n",
            &[
                (
                    3,
                    37,
                    "`value` of `lt` must be a number, unquoted, found the string `1`",
                ),
                (
                    4,
                    37,
                    "`value` of `eq` must be a string, a number or a boolean, found `yes`",
                ),
                (
                    5,
                    37,
                    "the number `18446744073709551616` is an integer outside the 64-bit range",
                ),
                (6, 37, "the number `.inf` is"),
                (
                    7,
                    46,
                    "`value` of `starts_with` must be a string, found the number `1`",
                ),
                (
                    8,
                    40,
                    "`value` of `eq_ci` must be a string, found the boolean `true`",
                ),
                (
                    9,
                    44,
                    "an element of `value` of `in_ci` must be a string, found the number `1`",
                ),
                (10, 13, "`field` must be a string, found the number `5`"),
                (10, 26, "`operator` must be a string, found the number `5`"),
            ],
        ),
        (
            "logic: all\nrules:\n  - {field: a, operator: regex, value: '(a'}\n  - {field: a, operator: full_match, value: 'a)(b'}\n  - {field: a, operator: not_regex, value: '\\w{2000}'}\n  - {field: a, operator: glob, value: 'a**'}\n  - {field: a, operator: glob, value: ''}\n  - {field: a, operator: glob, value: 'a\\'}\n",
            &[
                (3, 40, "pattern does not compile: unclosed group"),
                (4, 45, "pattern does not compile: unopened group"),
                (5, 44, "pattern is too large when compiled"),
                (6, 39, "`**` is not alone in its segment"),
                (7, 39, "pattern is empty"),
                (8, 39, "pattern ends in a lone `\\`"),
            ],
        ),
        (
            "logic: all\nrules:\n  - {field: a, operator: before, value: tomorrow}\n  - {field: a, operator: after, value: 2026-04-01}\n  - {field: a, operator: after, value: '2026-04-01T00:00:00'}\n  - {field: a, operator: semver_lt, value: '1.2'}\n  - {field: a, operator: semver_eq, value: 1.2}\n  - {field: a, operator: cidr_in, value: [10.0.0.1/8, x, 1]}\n  - {field: a, operator: cidr_in, value: 10.0.0.1}\n  - {field: a, operator: cidr_in, value: []}\n",
            &[
                (3, 41, "`tomorrow` is not an RFC 3339 time"),
                (
                    4,
                    40,
                    "`value` of `after` must be a string, found `2026-04-01`",
                ),
                (5, 40, "`2026-04-01T00:00:00` is not an RFC 3339 time"),
                (6, 44, "`1.2` is not a semantic version"),
                (
                    7,
                    44,
                    "`value` of `semver_eq` must be a string, found the number `1.2`",
                ),
                (8, 43, "`10.0.0.1/8` has host bits set"),
                (8, 55, "`x` is not a CIDR"),
                (
                    8,
                    58,
                    "an element of `value` of `cidr_in` must be a string, found the number `1`",
                ),
                (9, 42, "`10.0.0.1` is not a CIDR"),
                (10, 42, "`value` of `cidr_in` is an empty list"),
            ],
        ),
        (
            "logic: all\nrules: [*a, &b {field: a, operator: exists}, !!str x]\n",
            &[
                (2, 9, "aliases are not supported"),
                (2, 13, "anchors are not supported"),
                (2, 46, "tags are not supported"),
                (2, 52, "a rule must be a mapping, found `x`"),
            ],
        ),
        (
            "logic: all\nrules: [{field: a, operator: exists}]\n---\nx: 1\n",
            &[(3, 1, "a second document starts here")],
        ),
    ];
    for (text, expected) in rows {
        check(text, expected);
    }
}

#[test]
fn a_syntax_error_hides_nothing_before_it_and_invents_nothing_behind_it() {
    let rows: [(&str, Found); 4] = [
        ("logic: all\nrules: [", &[(2, 8, "invalid YAML")]),
        (
            "logic: all\nrules:\n  - {field: a, operator: in, value: [",
            &[(3, 37, "invalid YAML")],
        ),
        (
            "logic: xor\nrules:\n  - {field: a, operator: eqq, value: 1}\n  - {field: 'x\n",
            &[
                (1, 8, "unknown logic `xor`"),
                (3, 26, "unknown operator `eqq`"),
                (4, 13, "invalid YAML"),
            ],
        ),
        (
            "logic: all\nrules:\n  - {field: a, operator: in, value: []}\n  - ]\n",
            &[
                (3, 37, "`value` of `in` is an empty list"),
                (4, 5, "invalid YAML"),
            ],
        ),
    ];
    for (text, expected) in rows {
        check(text, expected);
    }
}

#[test]
fn the_help_says_the_fix() {
    let comparison = |rule: &str| format!("logic: all\nrules: [{{{rule}}}]\n");
    let rows = [
        (
            String::new(),
            "write `conditions: null` for no conditions, or remove the comment signs",
        ),
        (
            "logic: al\nrules: [{field: a, operator: exists}]\n".to_owned(),
            "did you mean `all`?",
        ),
        (
            "logic: all\nrule: [{field: a, operator: exists}]\n".to_owned(),
            "add `rules`",
        ),
        (
            comparison("field: a, operator: start_with, value: a"),
            "did you mean `starts_with`?",
        ),
        (
            comparison("field: a, operator: eq, value: null"),
            "ask whether a field is null with `is_null`",
        ),
        (
            comparison("field: a, operator: eq, value: on"),
            "readers of YAML disagree on it: quote it to make it text, or write `true`, `false` or a decimal number",
        ),
        (
            comparison("field: a, operator: cidr_in, value: 10.0.0.1/8"),
            "write `10.0.0.0/8`",
        ),
        (
            comparison("field: a, operator: cidr_in, value: 10.0.0.1"),
            "write `10.0.0.1/32` for the one address",
        ),
    ];
    for (text, help) in rows {
        let first = Conditions::parse(&text)
            .unwrap_err()
            .into_diagnostics()
            .remove(0);
        assert_eq!(first.help.as_deref(), Some(help), "{text}");
    }
}

/// Groups nested in groups, one comparison in the innermost.
fn nested(groups: usize) -> String {
    let innermost = "{field: a, operator: in, value: [1]}".to_owned();
    (0..groups).fold(innermost, |rule, _| {
        format!("{{logic: all, rules: [{rule}]}}")
    })
}

fn comparisons(count: usize) -> String {
    let rules = vec!["{field: a, operator: exists}"; count].join(", ");
    format!("{{logic: all, rules: [{rules}]}}")
}

fn list_of(count: usize) -> String {
    let list = vec!["1"; count].join(",");
    format!("{{logic: all, rules: [{{field: a, operator: in, value: [{list}]}}]}}")
}

fn document_of(bytes: usize) -> String {
    let mut text = comparisons(1);
    text.push_str(" #");
    text.push_str(&"x".repeat(bytes - text.len()));
    text
}

fn pattern_of(bytes: usize) -> String {
    format!(
        "{{logic: all, rules: [{{field: a, operator: regex, value: {}}}]}}",
        "x".repeat(bytes)
    )
}

#[test]
fn limits_hold_exactly() {
    let rows: [(&str, String, String); 5] = [
        (
            "the conditions are longer than 65536 bytes",
            document_of(limits::CONDITIONS_BYTES),
            document_of(limits::CONDITIONS_BYTES + 1),
        ),
        (
            "groups are nested deeper than 16 levels",
            nested(limits::CONDITIONS_NESTING),
            nested(limits::CONDITIONS_NESTING + 1),
        ),
        (
            "the conditions hold more than 1000 rules",
            comparisons(limits::RULES),
            comparisons(limits::RULES + 1),
        ),
        (
            "the lists of the conditions hold more than 10000 elements",
            list_of(limits::LIST_ITEMS),
            list_of(limits::LIST_ITEMS + 1),
        ),
        (
            "pattern is longer than 4096 bytes",
            pattern_of(limits::PATTERN_BYTES),
            pattern_of(limits::PATTERN_BYTES + 1),
        ),
    ];
    for (message, within, beyond) in rows {
        assert!(Conditions::parse(&within).is_ok(), "{message}");
        assert_eq!(refused(&beyond)[0].2, message);
    }
}

#[test]
fn brackets_without_end_are_refused_in_bounded_time() {
    for bracket in ["[", "{", "- ", "? ", "{a: "] {
        let text = bracket.repeat(60_000 / bracket.len());
        assert!(!refused(&text).is_empty());
    }
}

#[test]
fn equality_is_that_of_the_canonical_tree() {
    let rows = [
        // Layout, key order, quotes, aliases, numbers by value, lists as sets.
        (
            "{field: a, operator: neq, value: 1}",
            "{value: 1.0, operator: ne, field: '\"a\"'}",
            true,
        ),
        (
            "{field: a, operator: matches, value: x}",
            "{field: a, operator: regex, value: \"x\"}",
            true,
        ),
        (
            "{field: a, operator: in, value: [b, a, b]}",
            "{field: a, operator: in, value: [a, b]}",
            true,
        ),
        (
            "{field: a, operator: in, value: [1, 1.0]}",
            "{field: a, operator: in, value: [1]}",
            true,
        ),
        (
            "{field: a, operator: eq, value: 1}",
            "{field: a, operator: eq, value: '1'}",
            false,
        ),
        (
            "{field: a, operator: eq, value: true}",
            "{field: a, operator: eq, value: 'true'}",
            false,
        ),
        (
            "{field: a, operator: eq, value: x}",
            "{field: a, operator: in, value: [x]}",
            false,
        ),
        (
            "{field: a, operator: eq, value: x}",
            "{field: a, operator: eq_ci, value: x}",
            false,
        ),
        (
            "{field: a.b, operator: exists}",
            "{field: '\"a.b\"', operator: exists}",
            false,
        ),
        (
            "{field: a, operator: exists}",
            "{field: a, operator: is_null}",
            false,
        ),
        // Order, nesting and logic count.
        (
            "{field: a, operator: exists}, {field: b, operator: exists}",
            "{field: b, operator: exists}, {field: a, operator: exists}",
            false,
        ),
        (
            "{field: a, operator: exists}",
            "{logic: all, rules: [{field: a, operator: exists}]}",
            false,
        ),
        (
            "{logic: any, rules: [{field: a, operator: exists}]}",
            "{logic: none, rules: [{field: a, operator: exists}]}",
            false,
        ),
    ];
    for (a, b, equal) in rows {
        let parse = |rules| Conditions::parse(&format!("logic: all\nrules: [{rules}]\n")).unwrap();
        assert_eq!(parse(a) == parse(b), equal, "{a} and {b}");
    }
}

#[test]
fn the_tree_can_be_read() {
    let text = "logic: any\nrules:\n  - {field: labels.\"a.b\", operator: neq, value: 1.50}\n  - {logic: none, rules: [{field: a, operator: exists}]}\n";
    let conditions = Conditions::parse(text).unwrap();
    assert_eq!(conditions.text(), text);
    assert_eq!(conditions.root().logic(), Logic::Any);
    let [Rule::Comparison(first), Rule::Group(second)] = conditions.root().rules() else {
        panic!("two rules");
    };
    assert_eq!(first.path(), &Path::parse("labels.\"a.b\"").unwrap());
    assert_eq!(first.operator(), Operator::Ne);
    assert_eq!(serde_json::to_string(&first.value()).unwrap(), "1.5");
    assert_eq!(second.logic().as_str(), "none");
}

#[test]
fn an_evaluation_shows_every_rule_without_a_policy() {
    let conditions = b"logic: any\nrules:\n  - {field: size, operator: lt, value: 9}\n  - {field: owner, operator: exists}\n";
    let conditions = Conditions::from_bytes(conditions).unwrap();
    let action = Action::parse(br#"{"action_type": "t", "metadata": {"size": "9"}}"#).unwrap();
    let evaluation = serde_json::to_value(view::Evaluation::new(&conditions, &action)).unwrap();
    let expected = serde_json::json!({
        "result": null,
        "conditions_evaluated": [
            {"field": "size", "operator": "lt", "expected": 9, "actual": "9", "result": null,
             "reason": "`size` is a string, not a number"},
            {"field": "owner", "operator": "exists", "expected": null, "actual": null, "result": false, "reason": null},
        ],
    });
    assert_eq!(evaluation, expected);

    let error = Conditions::from_bytes(b"logic: \xff").unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Code::PolicyCompileError, "the text is not UTF-8")
    );
}
