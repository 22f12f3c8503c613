//! The evaluator against a naive one that is written from the table of the contract and shares nothing with it: its
//! own values, numbers, patterns, times, versions and addresses, all slow and small.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test may fail loudly, and tables are long"
)]

use lattice_core::condition::Truth;
use lattice_core::{Action, Conditions};

/// A value of an action, or of a rule.
#[derive(Debug, Clone, PartialEq)]
enum V {
    Null,
    Bool(bool),
    /// A literal, and the fraction that it means exactly.
    Num(&'static str, i128, i128),
    Str(&'static str),
    List(Vec<V>),
    Map(Vec<(&'static str, V)>),
}

impl V {
    fn json(&self) -> String {
        match self {
            V::Null => "null".to_owned(),
            V::Bool(value) => value.to_string(),
            V::Num(literal, ..) => (*literal).to_owned(),
            V::Str(text) => serde_json::to_string(text).unwrap(),
            V::List(list) => {
                let list: Vec<String> = list.iter().map(V::json).collect();
                format!("[{}]", list.join(", "))
            }
            V::Map(map) => {
                let fields = map
                    .iter()
                    .map(|(key, value)| format!("{key:?}: {}", value.json()));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// True, false or unknown, as Kleene wrote them down: 1, 0 and one half; here doubled.
type K = u8;
const T: K = 2;
const U: K = 1;
const F: K = 0;

fn known(holds: bool) -> K {
    if holds { T } else { F }
}

fn maybe(holds: Option<bool>) -> K {
    holds.map_or(U, known)
}

/// The result of an operator for what stands at its path: `Err` where the parent is no mapping, `Ok(None)` where
/// nothing does.
fn reference(operator: &str, operand: Option<&V>, found: Result<Option<&V>, ()>) -> K {
    let positive = match operator {
        "not_exists" => "exists",
        "ne" => "eq",
        "not_in" => "in",
        "not_contains" => "contains",
        "none_in" => "any_in",
        "not_regex" => "regex",
        _ => "",
    };
    if !positive.is_empty() {
        return 2 - reference(positive, operand, found);
    }
    if operator == "exists" {
        return known(matches!(found, Ok(Some(_))));
    }
    let Ok(Some(value)) = found else { return U };
    match operator {
        "is_null" => return known(*value == V::Null),
        "is_empty" => {
            return match value {
                V::List(list) => known(list.is_empty()),
                V::Str(text) => known(text.is_empty()),
                _ => U,
            };
        }
        _ => {}
    }
    let operand = operand.unwrap();
    match (operator, value, operand) {
        ("eq", value, operand) => equal(value, operand),
        ("in", value, V::List(list)) => any(list.iter().map(|one| equal(value, one))),
        ("lt", V::Num(_, a, b), V::Num(_, c, d)) => known(a * d < c * b),
        ("lte", V::Num(_, a, b), V::Num(_, c, d)) => known(a * d <= c * b),
        ("gt", V::Num(_, a, b), V::Num(_, c, d)) => known(a * d > c * b),
        ("gte", V::Num(_, a, b), V::Num(_, c, d)) => known(a * d >= c * b),
        ("contains", V::Str(text), V::Str(part)) => known(is_part(part, text)),
        ("contains", V::List(list), one) if !list.is_empty() => {
            any(list.iter().map(|element| equal(element, one)))
        }
        ("any_in", V::List(list), V::List(set)) if !list.is_empty() => any(list
            .iter()
            .map(|element| any(set.iter().map(|one| equal(element, one))))),
        ("all_in", V::List(list), V::List(set)) if !list.is_empty() => all(list
            .iter()
            .map(|element| any(set.iter().map(|one| equal(element, one))))),
        ("starts_with", V::Str(text), V::Str(part)) => known(text.get(..part.len()) == Some(part)),
        ("ends_with", V::Str(text), V::Str(part)) => {
            let from = text.len().checked_sub(part.len());
            known(from.and_then(|from| text.get(from..)) == Some(part))
        }
        ("regex", V::Str(text), V::Str(pattern)) => known(search(pattern, text)),
        ("full_match", V::Str(text), V::Str(pattern)) => {
            let (pattern, text) = (chars(pattern), chars(text));
            let pattern = pattern.strip_prefix(&['^']).unwrap_or(&pattern);
            known(match_here(pattern, &text, true))
        }
        ("glob", V::Str(text), V::Str(pattern)) => {
            let pattern: Vec<&str> = pattern.split('/').collect();
            let text: Vec<&str> = text.split('/').collect();
            known(match_segments(&pattern, &text))
        }
        ("eq_ci", V::Str(text), V::Str(other)) => known(lower(text) == lower(other)),
        ("in_ci", V::Str(text), V::List(list)) => any(list
            .iter()
            .map(|one| reference("eq_ci", Some(one), Ok(Some(&V::Str(text)))))),
        ("contains_ci", V::Str(text), V::Str(part)) => known(is_part(&lower(part), &lower(text))),
        ("before", V::Str(text), V::Str(other)) => {
            maybe(instant(text).map(|t| t < instant(other).unwrap()))
        }
        ("after", V::Str(text), V::Str(other)) => {
            maybe(instant(text).map(|t| t > instant(other).unwrap()))
        }
        ("semver_eq", V::Str(text), V::Str(other)) => versions(text, other, |order| order == 0),
        ("semver_lt", V::Str(text), V::Str(other)) => versions(text, other, |order| order < 0),
        ("semver_lte", V::Str(text), V::Str(other)) => versions(text, other, |order| order <= 0),
        ("semver_gt", V::Str(text), V::Str(other)) => versions(text, other, |order| order > 0),
        ("semver_gte", V::Str(text), V::Str(other)) => versions(text, other, |order| order >= 0),
        ("cidr_in", value @ V::Str(_), V::List(list)) => any(list
            .iter()
            .map(|one| reference("cidr_in", Some(one), Ok(Some(value))))),
        ("cidr_in", V::Str(text), V::Str(network)) => {
            let (base, length) = network.split_once('/').unwrap();
            let mask = u32::MAX
                .checked_shl(32 - length.parse::<u32>().unwrap())
                .unwrap_or(0);
            let base = address(base).unwrap();
            maybe(address(text).map(|address| address & mask == base))
        }
        _ => U,
    }
}

fn any(results: impl Iterator<Item = K>) -> K {
    results.max().unwrap()
}

fn all(results: impl Iterator<Item = K>) -> K {
    results.min().unwrap()
}

fn equal(a: &V, b: &V) -> K {
    match (a, b) {
        (V::Bool(a), V::Bool(b)) => known(a == b),
        (V::Num(_, a, b), V::Num(_, c, d)) => known(a * d == c * b),
        (V::Str(a), V::Str(b)) => known(a == b),
        _ => U,
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn is_part(part: &str, text: &str) -> bool {
    (0..=text.len()).any(|i| text.is_char_boundary(i) && text[i..].starts_with(part))
}

fn lower(text: &str) -> String {
    let lower = |c: char| match c {
        'A'..='Z' => char::from(c as u8 + 32),
        'É' => 'é',
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        c => c,
    };
    text.chars().map(lower).collect()
}

/// Literals, `.`, `x*`, `^` and `$`, after Kernighan.
fn search(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (chars(pattern), chars(text));
    match pattern.split_first() {
        Some(('^', rest)) => match_here(rest, &text, false),
        _ => (0..=text.len()).any(|from| match_here(&pattern, &text[from..], false)),
    }
}

fn match_here(pattern: &[char], text: &[char], whole: bool) -> bool {
    let one = |p: char| {
        text.first()
            .is_some_and(|&c| c == p || (p == '.' && c != '\n'))
    };
    match pattern {
        [] => !whole || text.is_empty(),
        ['$'] => text.is_empty(),
        [p, '*', rest @ ..] => {
            match_here(rest, text, whole) || (one(*p) && match_here(pattern, &text[1..], whole))
        }
        [p, rest @ ..] => one(*p) && match_here(rest, &text[1..], whole),
    }
}

fn match_segments(pattern: &[&str], text: &[&str]) -> bool {
    match pattern {
        [] => text.is_empty(),
        // The last one needs something behind its slash, be it empty.
        ["**"] => !text.is_empty(),
        ["**", rest @ ..] => (0..=text.len()).any(|skip| match_segments(rest, &text[skip..])),
        [first, rest @ ..] => {
            let Some((head, tail)) = text.split_first() else {
                return false;
            };
            match_segment(&chars(first), &chars(head)) && match_segments(rest, tail)
        }
    }
}

fn match_segment(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|skip| match_segment(rest, &text[skip..])),
        ['?', rest @ ..] => !text.is_empty() && match_segment(rest, &text[1..]),
        ['\\', c, rest @ ..] | [c, rest @ ..] => {
            text.first() == Some(c) && match_segment(rest, &text[1..])
        }
    }
}

/// Milliseconds since 2000-03-01 of `YYYY-MM-DDTHH:MM:SS[.mmm](Z|+HH:MM|-HH:MM)`.
fn instant(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    if text.get(4..5)? != "-" || text.get(10..11)? != "T" {
        return None;
    }
    let (mut year, mut month, mut day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if month < 3 {
        (year, month) = (year - 1, month + 12);
    }
    // Day by day from the first of March, when a leap day is the last of its year.
    for y in 2000..year {
        let leap = (y + 1) % 4 == 0 && ((y + 1) % 100 != 0 || (y + 1) % 400 == 0);
        day += if leap { 366 } else { 365 };
    }
    for m in 3..month {
        day += if [4, 6, 9, 11].contains(&m) { 30 } else { 31 };
    }
    let mut seconds =
        ((day - 1) * 24 + number(11..13)?) * 3600 + number(14..16)? * 60 + number(17..19)?;
    let mut rest = text.get(19..)?;
    let mut millis = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        millis = fraction.get(..3)?.parse().ok()?;
        rest = &fraction[3..];
    }
    if rest != "Z" {
        let sign = if rest.get(..1)? == "+" { 1 } else { -1 };
        let hours: i64 = rest.get(1..3)?.parse().ok()?;
        let minutes: i64 = rest.get(4..6)?.parse().ok()?;
        seconds -= sign * (hours * 3600 + minutes * 60);
    }
    Some(seconds * 1000 + millis)
}

fn versions(text: &str, other: &str, holds: fn(i32) -> bool) -> K {
    let (Some(a), Some(b)) = (version(text), version(other)) else {
        return U;
    };
    let order = a.0.cmp(&b.0).then_with(|| match (&a.1, &b.1) {
        (None, None) => std::cmp::Ordering::Equal,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (Some(_), None) => std::cmp::Ordering::Less,
        (Some(a), Some(b)) => a.cmp(b),
    });
    known(holds(order as i32))
}

/// Numbers sort before words, and by value.
type Identifier = (bool, u64, String);

fn version(text: &str) -> Option<(Vec<u64>, Option<Vec<Identifier>>)> {
    let text = text.split('+').next()?;
    let (core, pre) = match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    };
    let numeric = |part: &str| -> Option<u64> {
        let plain = part == "0" || !part.starts_with('0');
        (plain && !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let core: Vec<u64> = core.split('.').map(numeric).collect::<Option<_>>()?;
    let identifier = |part: &str| match numeric(part) {
        Some(number) => Some((false, number, String::new())),
        None => (!part.is_empty()).then(|| (true, 0, part.to_owned())),
    };
    let pre = match pre {
        Some(pre) => Some(pre.split('.').map(identifier).collect::<Option<_>>()?),
        None => None,
    };
    (core.len() == 3).then_some((core, pre))
}

fn address(text: &str) -> Option<u32> {
    let text = text.strip_prefix("::ffff:").unwrap_or(text);
    let parts: Vec<&str> = text.split('.').collect();
    let octet = |part: &&str| {
        let plain = *part == "0" || !part.starts_with('0');
        if plain { part.parse::<u8>().ok() } else { None }
    };
    let octets: Vec<u8> = parts.iter().map(octet).collect::<Option<_>>()?;
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some(
        octets
            .iter()
            .fold(0, |sum, octet| sum * 256 + u32::from(*octet)),
    )
}

/// Every operator, with what it takes.
const OPERATORS: &[(&str, Takes)] = &[
    ("exists", Takes::Nothing),
    ("not_exists", Takes::Nothing),
    ("is_null", Takes::Nothing),
    ("is_empty", Takes::Nothing),
    ("eq", Takes::Scalar),
    ("ne", Takes::Scalar),
    ("in", Takes::Scalars),
    ("not_in", Takes::Scalars),
    ("lt", Takes::Number),
    ("lte", Takes::Number),
    ("gt", Takes::Number),
    ("gte", Takes::Number),
    ("contains", Takes::Scalar),
    ("not_contains", Takes::Scalar),
    ("any_in", Takes::Scalars),
    ("all_in", Takes::Scalars),
    ("none_in", Takes::Scalars),
    ("starts_with", Takes::Text),
    ("ends_with", Takes::Text),
    ("regex", Takes::OneOf(REGEXES)),
    ("not_regex", Takes::OneOf(REGEXES)),
    ("full_match", Takes::OneOf(REGEXES)),
    ("glob", Takes::OneOf(GLOBS)),
    ("eq_ci", Takes::Text),
    ("in_ci", Takes::Texts),
    ("contains_ci", Takes::Text),
    ("before", Takes::OneOf(TIMES)),
    ("after", Takes::OneOf(TIMES)),
    ("semver_eq", Takes::OneOf(VERSIONS)),
    ("semver_lt", Takes::OneOf(VERSIONS)),
    ("semver_lte", Takes::OneOf(VERSIONS)),
    ("semver_gt", Takes::OneOf(VERSIONS)),
    ("semver_gte", Takes::OneOf(VERSIONS)),
    ("cidr_in", Takes::Networks),
];

const REGEXES: &[&str] = &[
    "", "a", "^a", "b$", "^ab$", "a.b", "a*b", "^a.*b$", ".", "^", "ab*",
];
const GLOBS: &[&str] = &[
    "*", "**", "a*", "a/*", "a/**", "**/b", "a/**/b", "?b", "ab", r"\*", "*b*", "**/*",
];
const TIMES: &[&str] = &[
    "2026-04-01T10:00:00Z",
    "2026-04-01T12:00:00+02:00",
    "2028-03-01T00:00:00.500Z",
];
const VERSIONS: &[&str] = &[
    "1.2.3",
    "1.2.3+b",
    "1.10.0",
    "1.2.3-rc.2",
    "1.2.3-rc.10",
    "1.2.3-rc.x",
];
const NETWORKS: &[&str] = &["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "10.1.0.0/17"];

#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    Scalar,
    Scalars,
    Number,
    Text,
    Texts,
    OneOf(&'static [&'static str]),
    Networks,
}

fn operands(takes: Takes) -> Vec<Option<V>> {
    let texts = |all: &[&'static str]| {
        all.iter()
            .map(|text| Some(V::Str(text)))
            .collect::<Vec<_>>()
    };
    let scalars = scalars().into_iter();
    match takes {
        Takes::Nothing => vec![None],
        Takes::Scalar => scalars.map(Some).collect(),
        Takes::Scalars => operand_lists()
            .into_iter()
            .map(|list| Some(V::List(list)))
            .collect(),
        Takes::Number => scalars
            .filter(|v| matches!(v, V::Num(..)))
            .map(Some)
            .collect(),
        Takes::Text => scalars
            .filter(|v| matches!(v, V::Str(_)))
            .map(Some)
            .collect(),
        Takes::Texts => operand_lists()
            .into_iter()
            .filter(|list| matches!(list[0], V::Str(_)))
            .map(|list| Some(V::List(list)))
            .collect(),
        Takes::OneOf(all) => texts(all),
        Takes::Networks => {
            let mut all = texts(NETWORKS);
            all.push(Some(V::List(
                NETWORKS[1..].iter().map(|text| V::Str(text)).collect(),
            )));
            all.push(Some(V::List(vec![
                V::Str("10.1.0.0/17"),
                V::Str("10.1.2.3/32"),
            ])));
            all
        }
    }
}

const TWO_53: i128 = 1 << 53;

fn scalars() -> Vec<V> {
    let mut all = vec![
        V::Bool(true),
        V::Bool(false),
        V::Num("0", 0, 1),
        V::Num("-0.0", 0, 1),
        V::Num("1", 1, 1),
        V::Num("1.0", 1, 1),
        V::Num("1.5", 3, 2),
        V::Num("-2", -2, 1),
        V::Num("9007199254740993", TWO_53 + 1, 1),
        V::Num("9007199254740992.0", TWO_53, 1),
        V::Num("18446744073709551615", (1 << 64) - 1, 1),
        V::Num("18446744073709551616.0", 1 << 64, 1),
        V::Num("-9223372036854775808", -(1 << 63), 1),
    ];
    let texts = [
        "",
        "a",
        "A",
        "ab",
        "aB",
        "b",
        "acb",
        "a/b",
        "a/",
        "a/x/b",
        "*",
        "true",
        "1",
        "k",
        "\u{212a}s",
        "É",
        "é",
        "a\nb",
    ];
    all.extend(texts.map(V::Str));
    for spelling in [TIMES, VERSIONS] {
        all.extend(spelling.iter().map(|text| V::Str(text)));
    }
    let near = [
        "2026-04-01",
        "2026-04-01T10:00:00",
        "1.2",
        "v1.2.3",
        "01.2.3",
        "1.2.3-",
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "10.1.128.0",
        "010.1.2.3",
        "10.1.2",
    ];
    all.extend(near.map(V::Str));
    all
}

fn operand_lists() -> Vec<Vec<V>> {
    let (a, b) = (V::Str("a"), V::Str("b"));
    vec![
        vec![a.clone()],
        vec![b.clone(), a.clone(), b.clone()],
        vec![V::Str("É"), V::Str("KS"), V::Str("")],
        vec![V::Num("1.0", 1, 1)],
        vec![
            V::Num("9007199254740992.0", TWO_53, 1),
            V::Num("1", 1, 1),
            V::Num("0", 0, 1),
        ],
        vec![V::Bool(true)],
        vec![V::Bool(false), V::Bool(true)],
    ]
}

fn values() -> Vec<V> {
    let mut all = scalars();
    let (a, b, one) = (V::Str("a"), V::Str("b"), V::Num("1", 1, 1));
    all.extend([
        V::Null,
        V::List(vec![]),
        V::List(vec![a.clone()]),
        V::List(vec![b.clone()]),
        V::List(vec![a.clone(), b.clone()]),
        V::List(vec![V::Str("c"), a.clone()]),
        V::List(vec![a.clone(), one.clone()]),
        V::List(vec![one.clone(), V::Null]),
        V::List(vec![V::Null]),
        V::List(vec![V::Bool(true), V::Bool(true)]),
        V::List(vec![V::List(vec![a.clone()])]),
        V::List(vec![V::Map(vec![]), b]),
        V::Map(vec![]),
        V::Map(vec![("x", a)]),
        V::Map(vec![("y", one)]),
    ]);
    all
}

fn as_kleene(truth: Truth) -> K {
    match truth {
        Truth::True => T,
        Truth::Unknown => U,
        Truth::False => F,
    }
}

fn action(x: Option<&V>) -> Action<'static> {
    let metadata = x.map_or(String::new(), |x| format!(r#""x": {}"#, x.json()));
    let json = format!(r#"{{"action_type": "t", "metadata": {{{metadata}}}}}"#);
    Action::parse(json.as_bytes()).unwrap().into_owned()
}

#[test]
fn every_operator_over_a_small_world() {
    let values: Vec<Option<V>> = std::iter::once(None)
        .chain(values().into_iter().map(Some))
        .collect();
    let actions: Vec<Action> = values.iter().map(|value| action(value.as_ref())).collect();
    let names: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
    let table: Vec<&str> = lattice_core::condition::Operator::ALL
        .iter()
        .map(|o| o.name())
        .collect();
    assert_eq!(names, table, "the reference knows every operator");

    let mut results = std::collections::BTreeMap::<(&str, K), usize>::new();
    for &(operator, takes) in OPERATORS {
        for operand in operands(takes) {
            let value = operand
                .as_ref()
                .map_or(String::new(), |v| format!(", value: {}", v.json()));
            for below in [false, true] {
                let field = if below { "x.x" } else { "x" };
                let rule = format!("{{field: {field}, operator: {operator}{value}}}");
                let text = format!("{{logic: all, rules: [{rule}]}}");
                let conditions =
                    Conditions::parse(&text).unwrap_or_else(|error| panic!("{text} {error}"));
                for (value, action) in values.iter().zip(&actions) {
                    let found = match (value, below) {
                        (value, false) => Ok(value.as_ref()),
                        (None, true) => Ok(None),
                        (Some(V::Map(map)), true) => {
                            Ok(map.iter().find(|e| e.0 == "x").map(|e| &e.1))
                        }
                        (Some(_), true) => Err(()),
                    };
                    let expected = reference(operator, operand.as_ref(), found);
                    assert_eq!(
                        as_kleene(conditions.test(action)),
                        expected,
                        "{rule} for {value:?}"
                    );
                    assert_eq!(
                        as_kleene(conditions.evaluate(action).0),
                        expected,
                        "{rule} for {value:?}"
                    );
                    *results.entry((operator, expected)).or_default() += 1;
                }
            }
        }
    }
    // The world is large enough to tell something about each operator.
    for (operator, _) in OPERATORS {
        let definite = ["exists", "not_exists"].contains(operator);
        for result in [T, U, F] {
            let seen = results.contains_key(&(operator, result));
            assert_eq!(
                seen,
                !(definite && result == U),
                "{operator} gives {result}"
            );
        }
    }
}

/// A rule, and what it amounts to by Kleene's tables.
type Tree = (String, K);

fn groups_of(rules: &[Tree], most: usize) -> Vec<Tree> {
    let mut lists: Vec<Vec<&Tree>> = vec![vec![]];
    let mut groups = Vec::new();
    for _ in 0..most {
        lists = lists
            .iter()
            .flat_map(|list| {
                rules
                    .iter()
                    .map(move |rule| [list.as_slice(), &[rule]].concat())
            })
            .collect();
        for list in &lists {
            let texts: Vec<&str> = list.iter().map(|rule| rule.0.as_str()).collect();
            let results = || list.iter().map(|rule| rule.1);
            for (logic, result) in [
                ("all", all(results())),
                ("any", any(results())),
                ("none", 2 - any(results())),
            ] {
                groups.push((
                    format!("{{logic: {logic}, rules: [{}]}}", texts.join(", ")),
                    result,
                ));
            }
        }
    }
    groups
}

#[test]
fn nested_groups_follow_kleene() {
    let leaf = |operator: &str, field: &str, result: K| {
        (
            format!("{{field: {field}, operator: {operator}, value: 1}}"),
            result,
        )
    };
    let leaves = [leaf("eq", "x", T), leaf("ne", "x", F), leaf("eq", "z", U)];
    let action = action(Some(&V::Num("1", 1, 1)));
    let inner = groups_of(&leaves, 2);
    let mixed: Vec<Tree> = leaves
        .iter()
        .cloned()
        .chain(inner.iter().cloned())
        .collect();
    let all: Vec<Tree> = groups_of(&leaves, 3)
        .into_iter()
        .chain(groups_of(&mixed, 2))
        .collect();
    assert!(all.len() > 4_000);
    for (text, expected) in all {
        let conditions = Conditions::parse(&text).unwrap();
        assert_eq!(as_kleene(conditions.test(&action)), expected, "{text}");
        assert_eq!(
            as_kleene(conditions.evaluate(&action).0),
            expected,
            "{text}"
        );
    }
}
