//! Every operator against every kind of value: the table of results, row by row.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test may fail loudly, and tables are long"
)]

use std::collections::BTreeSet;

use lattice_core::condition::{Operator, Truth};
use lattice_core::{Action, Conditions};

use Truth::{False as F, True as T, Unknown as U};

/// The result of `x OPERATOR operand` for an action with the metadata, and the reason if it is unknown.
fn judge(operator: Operator, operand: &str, metadata: &str) -> (Truth, Option<String>) {
    judge_at("x", operator, operand, metadata)
}

fn judge_at(
    field: &str,
    operator: Operator,
    operand: &str,
    metadata: &str,
) -> (Truth, Option<String>) {
    let value = if operand.is_empty() {
        String::new()
    } else {
        format!(", value: {operand}")
    };
    let name = operator.name();
    let text = format!("logic: all\nrules: [{{field: {field}, operator: {name}{value}}}]\n");
    let conditions = Conditions::parse(&text).unwrap_or_else(|error| panic!("{text}{error}"));
    let json = format!(r#"{{"action_type": "a", "metadata": {metadata}}}"#);
    let action = Action::parse(json.as_bytes()).unwrap_or_else(|error| panic!("{json}{error}"));
    let (result, mut trace) = conditions.evaluate(&action);
    assert_eq!(conditions.test(&action), result, "{text}{json}");
    let rule = trace.pop().unwrap();
    assert_eq!((rule.result, rule.operator), (result, name));
    assert_eq!(rule.reason.is_some(), result == U, "{text}{json}");
    (result, rule.reason)
}

/// Operator, operand, a value for which it is true, one for which it is false, and the kinds that it takes.
const ROWS: &[(&str, &str, &str, &str, &[&str])] = &[
    ("is_empty", "", "[]", "[0]", &["a list", "a string"]),
    ("eq", "abc", r#""abc""#, r#""Abc""#, &["a string"]),
    ("eq", "1", "1.0", "2", &["a number"]),
    ("eq", "true", "true", "false", &["a boolean"]),
    ("ne", "abc", r#""Abc""#, r#""abc""#, &["a string"]),
    ("ne", "1", "2", "1.0", &["a number"]),
    ("in", "[b, a]", r#""a""#, r#""c""#, &["a string"]),
    ("in", "[2, 1]", "1e0", "3", &["a number"]),
    ("not_in", "[b, a]", r#""c""#, r#""a""#, &["a string"]),
    ("lt", "10", "9.9", "10", &["a number"]),
    ("lte", "10", "10.0", "10.1", &["a number"]),
    ("gt", "10", "10.1", "10", &["a number"]),
    ("gte", "10", "10", "9.9", &["a number"]),
    (
        "contains",
        "b",
        r#""abc""#,
        r#""ac""#,
        &["a list", "a string"],
    ),
    (
        "contains",
        "b",
        r#"["a", "b"]"#,
        r#"["abc"]"#,
        &["a list", "a string"],
    ),
    ("contains", "1", "[1]", "[2]", &["a list"]),
    (
        "not_contains",
        "b",
        r#""ac""#,
        r#""abc""#,
        &["a list", "a string"],
    ),
    ("any_in", "[a, b]", r#"["c", "b"]"#, r#"["c"]"#, &["a list"]),
    (
        "all_in",
        "[a, b]",
        r#"["a", "b", "a"]"#,
        r#"["a", "c"]"#,
        &["a list"],
    ),
    (
        "none_in",
        "[a, b]",
        r#"["c"]"#,
        r#"["c", "b"]"#,
        &["a list"],
    ),
    ("starts_with", "ab", r#""abc""#, r#""Abc""#, &["a string"]),
    ("ends_with", "bc", r#""abc""#, r#""abC""#, &["a string"]),
    ("regex", "'b.'", r#""abcd""#, r#""ab""#, &["a string"]),
    ("not_regex", "'b.'", r#""ab""#, r#""abcd""#, &["a string"]),
    ("full_match", "'a|ab'", r#""ab""#, r#""abc""#, &["a string"]),
    ("glob", "'a/*'", r#""a/b""#, r#""a/b/c""#, &["a string"]),
    (
        "eq_ci",
        "Straße",
        r#""STRAẞE""#,
        r#""STRASSE""#,
        &["a string"],
    ),
    ("in_ci", "[A, B]", r#""b""#, r#""c""#, &["a string"]),
    ("contains_ci", "BC", r#""abcd""#, r#""acbd""#, &["a string"]),
    (
        "before",
        "'2026-04-01T10:00:00Z'",
        r#""2026-04-01T11:59:59+02:00""#,
        r#""2026-04-01T10:00:00.000Z""#,
        &["a string"],
    ),
    (
        "after",
        "'2026-04-01T10:00:00Z'",
        r#""2026-04-01T10:00:00.001Z""#,
        r#""2026-04-01T12:00:00+02:00""#,
        &["a string"],
    ),
    (
        "semver_eq",
        "'1.2.3'",
        r#""1.2.3+build""#,
        r#""1.2.3-rc.1""#,
        &["a string"],
    ),
    (
        "semver_lt",
        "'1.2.3'",
        r#""1.2.3-rc.1""#,
        r#""1.2.3+build""#,
        &["a string"],
    ),
    (
        "semver_lte",
        "'1.2.3'",
        r#""1.2.3+build""#,
        r#""1.2.10""#,
        &["a string"],
    ),
    (
        "semver_gt",
        "'1.2.3'",
        r#""1.10.0""#,
        r#""1.2.3+build""#,
        &["a string"],
    ),
    (
        "semver_gte",
        "'1.2.3'",
        r#""1.2.3+build""#,
        r#""1.2.3-rc.1""#,
        &["a string"],
    ),
    (
        "cidr_in",
        "10.0.0.0/8",
        r#""10.255.0.1""#,
        r#""11.0.0.1""#,
        &["a string"],
    ),
];

/// A value of each kind; text that spells nothing in particular is left to [`texts_that_spell_nothing`].
const KINDS: &[(&str, &str)] = &[
    ("a boolean", "true"),
    ("a number", "7"),
    ("a string", r#""true""#),
    ("a list", r#"["abc", 1]"#),
    ("a mapping", r#"{"abc": 1}"#),
];

#[test]
fn every_operator_and_every_kind() {
    let mut seen = BTreeSet::new();
    for &(name, operand, yes, no, takes) in ROWS {
        let operator = Operator::lookup(name).unwrap();
        seen.insert(operator);
        let at_x = |value: &str| judge(operator, operand, &format!(r#"{{"x": {value}}}"#));
        assert_eq!(at_x(yes), (T, None), "{name} {operand} {yes}");
        assert_eq!(at_x(no), (F, None), "{name} {operand} {no}");
        let wanted = takes.join(" or ");
        for (kind, value) in KINDS.iter().filter(|(kind, _)| !takes.contains(kind)) {
            let reason = format!("`x` is {kind}, not {wanted}");
            assert_eq!(at_x(value), (U, Some(reason)), "{name} {operand} {value}");
        }
        assert_eq!(at_x("null"), (U, Some("`x` is null".to_owned())), "{name}");
        let missing = judge(operator, operand, "{}");
        assert_eq!(missing, (U, Some("`x` is missing".to_owned())), "{name}");
        for (kind, value) in KINDS.iter().filter(|(kind, _)| *kind != "a mapping") {
            let metadata = format!(r#"{{"x": {value}}}"#);
            let reason = format!("`x` is {kind}, not a mapping");
            let below = judge_at("x.abc", operator, operand, &metadata);
            assert_eq!(below, (U, Some(reason)), "{name} below {value}");
        }
        let below = judge_at("x.abc", operator, operand, r#"{"x": null}"#);
        assert_eq!(
            below,
            (U, Some("`x` is null".to_owned())),
            "{name} below null"
        );
    }
    // These judge what is there, not what it is; the next test has their rows.
    seen.extend([Operator::Exists, Operator::NotExists, Operator::IsNull]);
    let all: BTreeSet<_> = Operator::ALL.iter().copied().collect();
    assert_eq!(seen, all, "every operator has a row");
}

#[test]
fn presence_and_null() {
    use Operator::{Exists, IsNull, NotExists};
    let missing = "`x.y` is missing";
    // Metadata; exists and not_exists; is_null with its reason.
    let rows = [
        (r#"{"x": {"y": 1}}"#, T, F, F, None),
        (r#"{"x": {"y": null}}"#, T, F, T, None),
        (r#"{"x": {"y": []}}"#, T, F, F, None),
        (r#"{"x": {}}"#, F, T, U, Some(missing)),
        ("{}", F, T, U, Some(missing)),
        (r#"{"x": null}"#, F, T, U, Some("`x` is null")),
        (
            r#"{"x": 1}"#,
            F,
            T,
            U,
            Some("`x` is a number, not a mapping"),
        ),
        (
            r#"{"x": "y"}"#,
            F,
            T,
            U,
            Some("`x` is a string, not a mapping"),
        ),
        (
            r#"{"x": false}"#,
            F,
            T,
            U,
            Some("`x` is a boolean, not a mapping"),
        ),
        (
            r#"{"x": [{"y": 1}]}"#,
            F,
            T,
            U,
            Some("`x` is a list, not a mapping"),
        ),
    ];
    for (metadata, exists, not_exists, is_null, reason) in rows {
        assert_eq!(
            judge_at("x.y", Exists, "", metadata),
            (exists, None),
            "{metadata}"
        );
        assert_eq!(
            judge_at("x.y", NotExists, "", metadata),
            (not_exists, None),
            "{metadata}"
        );
        let expected = (is_null, reason.map(str::to_owned));
        assert_eq!(
            judge_at("x.y", IsNull, "", metadata),
            expected,
            "{metadata}"
        );
    }
}

#[test]
fn negations_swap_true_and_false_alone() {
    let values = [
        "1",
        "2",
        "true",
        "null",
        r#""b""#,
        r#""ab""#,
        "[]",
        r#"["b"]"#,
        r#"["b", 1]"#,
        r#"["a", null]"#,
        "{}",
    ];
    for &operator in Operator::ALL {
        let Some(positive) = operator.negation_of() else {
            continue;
        };
        let operands: &[&str] = match operator {
            Operator::NotExists => &[""],
            Operator::NotIn | Operator::NoneIn => &["[b]", "[1]", "[true, false]"],
            Operator::NotRegex => &["b", "'^b'", "''"],
            _ => &["b", "1", "true"],
        };
        for operand in operands {
            for value in values {
                let metadata = format!(r#"{{"x": {value}}}"#);
                let (yes, reason) = judge(positive, operand, &metadata);
                let expected = (yes.not(), reason);
                assert_eq!(
                    judge(operator, operand, &metadata),
                    expected,
                    "{operator:?} {operand} {value}"
                );
            }
        }
    }
}

#[test]
fn lists_join_their_elements() {
    // List; any_in, all_in and contains, whose value is "a"; the reason wherever one is unknown.
    let rows = [
        (r#"["a", "a"]"#, T, T, T, None),
        (r#"["a", "b"]"#, T, F, T, None),
        (r#"["b"]"#, F, F, F, None),
        ("[]", U, U, U, Some("`x` is an empty list")),
        (r#"["a", null]"#, T, U, T, Some("`x[1]` is null")),
        (r#"["b", null]"#, U, F, U, Some("`x[1]` is null")),
        ("[null]", U, U, U, Some("`x[0]` is null")),
        (
            r#"[1, "a"]"#,
            T,
            U,
            T,
            Some("`x[0]` is a number, not a string"),
        ),
        (
            r#"[["a"]]"#,
            U,
            U,
            U,
            Some("`x[0]` is a list, not a string"),
        ),
        (
            r#"["b", {"a": 1}]"#,
            U,
            F,
            U,
            Some("`x[1]` is a mapping, not a string"),
        ),
    ];
    for (list, any_in, all_in, contains, reason) in rows {
        let metadata = format!(r#"{{"x": {list}}}"#);
        let expected = |result| (result, reason.filter(|_| result == U).map(str::to_owned));
        assert_eq!(
            judge(Operator::AnyIn, "[a]", &metadata),
            expected(any_in),
            "{list}"
        );
        assert_eq!(
            judge(Operator::NoneIn, "[a]", &metadata),
            expected(any_in.not()),
            "{list}"
        );
        assert_eq!(
            judge(Operator::AllIn, "[a]", &metadata),
            expected(all_in),
            "{list}"
        );
        assert_eq!(
            judge(Operator::Contains, "a", &metadata),
            expected(contains),
            "{list}"
        );
    }
}

#[test]
fn edges() {
    let rows = [
        // Numbers compare exactly.
        ("eq", "9007199254740993", "9007199254740992.0", F),
        ("eq", "9007199254740992", "9007199254740992.0", T),
        ("gt", "9007199254740992.0", "9007199254740993", T),
        ("lt", "18446744073709551615", "18446744073709551614", T),
        ("lt", "18446744073709551615", "18446744073709551616.0", F),
        ("gte", "-9223372036854775808", "-9223372036854775808.0", T),
        ("eq", "0", "-0.0", T),
        ("eq", "0.1", "0.1", T),
        ("in", "[1, 3]", "3.0", T),
        // A mistaken type is unknown, its negation too.
        ("eq", "true", r#""true""#, U),
        ("ne", "true", r#""true""#, U),
        ("ne", "1", "true", U),
        ("not_in", "[1, 2]", r#""1""#, U),
        ("contains", "1", r#""1""#, U),
        ("not_contains", "1", r#""2""#, U),
        // Text is never trimmed or normalised.
        ("eq", "a", r#""a ""#, F),
        ("eq", "é", r#""e\u0301""#, F),
        ("contains", "''", r#""""#, T),
        ("is_empty", "", r#""""#, T),
        ("is_empty", "", r#"" ""#, F),
        // Folding is `(?i)`'s.
        ("eq_ci", "k", "\"\u{212a}\"", T),
        ("contains_ci", "\u{17f}", r#""BOSS""#, T),
        ("in_ci", "[ΣΑΣ]", r#""σας""#, T),
        // Searches are not anchored, and lines are text.
        ("regex", "'^b'", r#""a\nb""#, F),
        ("regex", "'a.b'", r#""a\nb""#, F),
        ("full_match", "'a'", r#""a\n""#, F),
        ("regex", r"'^\d+$'", r#""٣""#, T),
        ("glob", "'release/**'", r#""release/""#, T),
        ("glob", "'release/**'", r#""release""#, F),
        ("glob", r"'\*'", r#""*""#, T),
        // Text that spells nothing is unknown.
        ("before", "'2026-04-01T10:00:00Z'", r#""""#, U),
        ("before", "'2026-04-01T10:00:00Z'", r#""2026-04-01""#, U),
        (
            "after",
            "'2026-04-01T10:00:00Z'",
            r#""2026-04-01T11:00:00""#,
            U,
        ),
        ("semver_gt", "'1.2.3'", r#""1.3""#, U),
        ("semver_gt", "'1.2.3'", r#""v1.3.0""#, U),
        ("semver_gt", "'1.2.3'", r#""01.3.0""#, U),
        ("semver_gt", "'1.0.0-rc.2'", r#""1.0.0-rc.10""#, T),
        // Addresses.
        ("cidr_in", "10.0.0.0/8", r#""::ffff:10.0.0.1""#, T),
        ("cidr_in", "'::ffff:10.0.0.0/104'", r#""10.0.0.1""#, T),
        ("cidr_in", "10.0.0.0/8", r#""2001:db8::1""#, F),
        ("cidr_in", "'2001:db8::/32'", r#""10.0.0.1""#, F),
        ("cidr_in", "'::/0'", r#""::ffff:10.0.0.1""#, F),
        (
            "cidr_in",
            "[10.0.0.0/8, '2001:db8::/32']",
            r#""2001:db8::1""#,
            T,
        ),
        ("cidr_in", "10.0.0.0/8", r#""010.0.0.1""#, U),
        ("cidr_in", "10.0.0.0/8", r#""fe80::1%eth0""#, U),
        ("cidr_in", "10.0.0.0/8", r#""10.0.0.1/32""#, U),
        ("cidr_in", "10.0.0.0/8", r#""""#, U),
    ];
    for (name, operand, value, expected) in rows {
        let operator = Operator::lookup(name).unwrap();
        let metadata = format!(r#"{{"x": {value}}}"#);
        assert_eq!(
            judge(operator, operand, &metadata).0,
            expected,
            "{name} {operand} {value}"
        );
    }
}

#[test]
fn texts_that_spell_nothing() {
    let rows = [
        (
            "before",
            "'2026-04-01T10:00:00Z'",
            "`x` is not an RFC 3339 time",
        ),
        (
            "after",
            "'2026-04-01T10:00:00Z'",
            "`x` is not an RFC 3339 time",
        ),
        ("semver_eq", "'1.2.3'", "`x` is not a semantic version"),
        ("cidr_in", "10.0.0.0/8", "`x` is not an IP address"),
    ];
    for (name, operand, reason) in rows {
        let found = judge(Operator::lookup(name).unwrap(), operand, r#"{"x": "abc"}"#);
        assert_eq!(found, (U, Some(reason.to_owned())), "{name}");
    }
}

#[test]
fn text_past_the_bound_is_unknown() {
    let longest = "a".repeat(lattice_core::limits::TEXT_BYTES);
    let reads_text = ROWS
        .iter()
        .filter(|row| row.4.contains(&"a string") && row.0 != "is_empty");
    for (name, operand, ..) in reads_text {
        let operator = Operator::lookup(name).unwrap();
        let beyond = judge(operator, operand, &format!(r#"{{"x": "{longest}a"}}"#));
        let expected = (U, Some("`x` is longer than 65536 bytes".to_owned()));
        assert_eq!(beyond, expected, "{name} {operand}");
        let within = judge(operator, operand, &format!(r#"{{"x": "{longest}"}}"#));
        assert_ne!(within.1, expected.1, "{name} {operand}");
    }
    for name in ["any_in", "all_in"] {
        let metadata = format!(r#"{{"x": ["{longest}a"]}}"#);
        let found = judge(Operator::lookup(name).unwrap(), "[a]", &metadata);
        assert_eq!(
            found,
            (U, Some("`x[0]` is longer than 65536 bytes".to_owned()))
        );
    }
    let found = judge(
        Operator::Contains,
        "a",
        &format!(r#"{{"x": ["{longest}a", "a"]}}"#),
    );
    assert_eq!(found, (T, None), "an element that decides");
    let found = judge(Operator::IsEmpty, "", &format!(r#"{{"x": "{longest}a"}}"#));
    assert_eq!(found, (F, None), "`is_empty` reads no text");
}

#[test]
fn the_trace_holds_every_rule_in_document_order() {
    let conditions = Conditions::parse(
        r#"
logic: any
rules:
  - {field: '"a"', operator: neq, value: 2.0}
  - {logic: none, rules: [{field: tags, operator: any_in, value: [z, w, z]}, {field: b."c.d".e, operator: matches, value: x}]}
  - {field: action_type, operator: exists}
"#,
    )
    .unwrap();
    let json =
        br#"{"action_type": "t", "metadata": {"a": 1, "tags": ["q", null], "b": {"c.d": "text"}}}"#;
    let action = Action::parse(json).unwrap();
    let (result, trace) = conditions.evaluate(&action);
    let shown: Vec<String> = trace
        .iter()
        .map(|rule| {
            format!(
                "{} {} {} {} {:?} {}",
                rule.field,
                rule.operator,
                serde_json::to_string(&rule.expected).unwrap(),
                serde_json::to_string(&rule.actual).unwrap(),
                rule.result.as_bool(),
                rule.reason.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(result, T);
    assert_eq!(
        shown,
        [
            "a ne 2.0 1 Some(true) -",
            r#"tags any_in ["w","z"] ["q",null] None `tags[1]` is null"#,
            r#"b."c.d".e regex "x" null None `b."c.d"` is a string, not a mapping"#,
            r#"action_type exists null "t" Some(true) -"#,
        ]
    );
}

#[test]
fn a_trace_repeats_values_as_long_as_there_is_room() {
    // Nine rules read a text of 1 MB; one, before or behind them, a number.
    let big = "x".repeat(1_000_000);
    let rules = "  - {field: big, operator: exists}\n".repeat(9);
    let small = "  - {field: small, operator: exists}\n";
    let json = format!(r#"{{"action_type": "t", "metadata": {{"big": "{big}", "small": 1}}}}"#);
    let action = Action::parse(json.as_bytes()).unwrap();
    let repeated = |text: &str| -> Vec<bool> {
        let conditions = Conditions::parse(text).unwrap();
        let (_, trace) = conditions.evaluate(&action);
        trace.iter().map(|rule| rule.actual.is_some()).collect()
    };
    let mut expected = [vec![true; 9], vec![false]].concat();
    assert_eq!(
        repeated(&format!("logic: all\nrules:\n{small}{rules}")),
        expected
    );
    expected = [vec![true; 8], vec![false; 2]].concat();
    assert_eq!(
        repeated(&format!("logic: all\nrules:\n{rules}{small}")),
        expected
    );
}
