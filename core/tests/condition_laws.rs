//! Laws of conditions over generated rules and actions: the order of rules never matters, and an agent gains nothing
//! by hiding or breaking a field.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test may fail loudly, and tables are long"
)]

use std::collections::BTreeMap;

use lattice_core::condition::{Operator, Truth, ValueType};
use lattice_core::{Action, Conditions};
use proptest::prelude::*;
use proptest::sample::select;

#[derive(Debug, Clone)]
enum Rule {
    Comparison {
        field: &'static str,
        operator: Operator,
        value: &'static str,
    },
    Group(&'static str, Vec<Rule>),
}

impl Rule {
    fn text(&self) -> String {
        match self {
            Rule::Comparison {
                field,
                operator,
                value,
            } => {
                let value = if value.is_empty() {
                    String::new()
                } else {
                    format!(", value: {value}")
                };
                format!("{{field: {field}, operator: {}{value}}}", operator.name())
            }
            Rule::Group(logic, rules) => {
                let rules: Vec<String> = rules.iter().map(Rule::text).collect();
                format!("{{logic: {logic}, rules: [{}]}}", rules.join(", "))
            }
        }
    }

    fn conditions(&self) -> Conditions {
        let text = self.text();
        Conditions::parse(&text).unwrap_or_else(|error| panic!("{text} {error}"))
    }

    /// The same rules the other way round, at every level.
    fn reversed(&self) -> Self {
        match self {
            Rule::Comparison { .. } => self.clone(),
            Rule::Group(logic, rules) => {
                Rule::Group(logic, rules.iter().rev().map(Rule::reversed).collect())
            }
        }
    }

    /// The same rules, those of the outermost group turned by one.
    fn rotated(&self) -> Self {
        let mut turned = self.clone();
        if let Rule::Group(_, rules) = &mut turned {
            rules.rotate_left(1);
        }
        turned
    }

    fn comparisons(&self) -> Vec<(&'static str, Operator)> {
        match self {
            Rule::Comparison {
                field, operator, ..
            } => vec![(field, *operator)],
            Rule::Group(_, rules) => rules.iter().flat_map(Rule::comparisons).collect(),
        }
    }
}

const FIELDS: &[&str] = &[
    "a",
    "b",
    "c",
    "c.d",
    "c.d.e",
    "data_accessed",
    "action_type",
];

fn operands(value_type: ValueType) -> &'static [&'static str] {
    match value_type {
        ValueType::None => &[""],
        ValueType::Scalar => &["1", "x", "xa", "true", "false"],
        ValueType::ScalarList => &["[1, 2]", "[x, xa]", "[true]"],
        ValueType::Number => &["1", "1.5"],
        ValueType::String => &["x", "xa", "''"],
        ValueType::StringList => &["[x, XA]"],
        ValueType::Regex => &["x", "'^x.$'", "''"],
        ValueType::Glob => &["x", "'x*'", "'**'"],
        ValueType::Time => &["'2026-04-01T10:00:00Z'"],
        ValueType::Version => &["'1.2.3'"],
        ValueType::CidrOrList => &["10.0.0.0/8"],
    }
}

fn rule(operators: &'static [Operator]) -> impl Strategy<Value = Rule> {
    let comparison = (select(FIELDS), select(operators)).prop_flat_map(|(field, operator)| {
        select(operands(operator.value_type())).prop_map(move |value| Rule::Comparison {
            field,
            operator,
            value,
        })
    });
    let group = |rules: BoxedStrategy<Rule>| {
        let logic = select(&["all", "any", "none"][..]);
        (logic, prop::collection::vec(rules, 1..4))
            .prop_map(|(logic, rules)| Rule::Group(logic, rules))
    };
    let nested = comparison.prop_recursive(2, 8, 3, move |inner| group(inner.boxed()));
    group(nested.boxed())
}

fn all_operators() -> &'static [Operator] {
    Operator::ALL
}

/// Those that never hold of what is not there.
fn value_operators() -> &'static [Operator] {
    static OPERATORS: std::sync::LazyLock<Vec<Operator>> = std::sync::LazyLock::new(|| {
        let tests_presence =
            |o: &Operator| ["exists", "not_exists", "is_null", "is_empty"].contains(&o.name());
        Operator::ALL
            .iter()
            .copied()
            .filter(|o| !tests_presence(o))
            .collect()
    });
    &OPERATORS
}

const TEXTS: &[&str] = &[
    "x",
    "xa",
    "XA",
    "",
    "2026-04-01T09:00:00Z",
    "1.2.4",
    "10.1.2.3",
];

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        3 => select(TEXTS).prop_map(|text| Value::String(text.into())).boxed(),
        2 => (0_i64..3).prop_map(|int| Value::Number(int.into())).boxed(),
        1 => any::<bool>().prop_map(Value::Bool).boxed(),
        1 => Just(Value::Null).boxed(),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        let fields = prop::collection::btree_map(
            select(&["d", "e"][..]).prop_map(str::to_owned),
            inner.clone(),
            0..3,
        );
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::List),
            fields.prop_map(|fields| Value::Mapping(fields.into_iter().collect())),
        ]
    })
}

type Value = lattice_core::Value<'static>;

type Metadata = BTreeMap<String, Value>;

fn parts() -> impl Strategy<Value = (Metadata, Option<Vec<Value>>)> {
    let name = select(&["a", "b", "c"][..]).prop_map(str::to_owned);
    (
        prop::collection::btree_map(name, value(), 0..4),
        prop::option::of(prop::collection::vec(value(), 0..3)),
    )
}

/// What may be done to one value without making anything true of it.
fn broken(value: &Value, taken: &[&str]) -> Vec<Option<Value>> {
    let mut all = vec![None, Some(Value::Null)];
    if let Value::List(elements) = value {
        all.push(Some(Value::List(Vec::new())));
        all.push(Some(Value::List(
            elements
                .iter()
                .map(|e| Value::List(vec![e.clone()]))
                .collect(),
        )));
    }
    let others = [
        Value::Bool(true),
        Value::Number(1_i64.into()),
        Value::String("x".into()),
        Value::List(vec![Value::String("x".into())]),
        Value::Mapping([("z", Value::Bool(true))].into_iter().collect()),
    ];
    all.extend(
        others
            .into_iter()
            .filter(|other| !taken.contains(&other.kind()))
            .map(Some),
    );
    all
}

/// The kinds of value that some rule on the path takes.
fn taken(rule: &Rule, path: &str) -> Vec<&'static str> {
    let on_path = rule
        .comparisons()
        .into_iter()
        .filter(|(field, _)| *field == path);
    on_path
        .flat_map(|(_, operator)| kinds(operator))
        .copied()
        .collect()
}

fn kinds(operator: Operator) -> &'static [&'static str] {
    use Operator::{AllIn, AnyIn, Contains, NoneIn, NotContains};
    match operator.value_type() {
        ValueType::None => &["a boolean", "a number", "a string", "a list", "a mapping"],
        _ if matches!(operator, Contains | NotContains) => &["a string", "a list"],
        _ if matches!(operator, AnyIn | AllIn | NoneIn) => &["a list"],
        ValueType::Scalar | ValueType::ScalarList => &["a boolean", "a number", "a string"],
        ValueType::Number => &["a number"],
        ValueType::String
        | ValueType::StringList
        | ValueType::Regex
        | ValueType::Glob
        | ValueType::Time
        | ValueType::Version
        | ValueType::CidrOrList => &["a string"],
    }
}

/// Every mapping with one of its values, at any depth, broken in one way.
fn mutations(rule: &Rule, mapping: &Metadata, above: &str) -> Vec<Metadata> {
    let mut all = Vec::new();
    for (key, value) in mapping {
        let path = if above.is_empty() {
            key.clone()
        } else {
            format!("{above}.{key}")
        };
        let mut with = |changed: Option<Value>| {
            let mut mapping = mapping.clone();
            match changed {
                Some(value) => mapping.insert(key.clone(), value),
                None => mapping.remove(key),
            };
            all.push(mapping);
        };
        for changed in broken(value, &taken(rule, &path)) {
            with(changed);
        }
        if let Value::Mapping(below) = value {
            let below = below
                .iter()
                .map(|(key, value)| (key.to_owned(), value.clone()));
            for changed in mutations(rule, &below.collect(), &path) {
                with(Some(Value::Mapping(changed.into_iter().collect())));
            }
        }
    }
    all
}

fn action(metadata: Metadata, data_accessed: Option<Vec<Value>>) -> Action<'static> {
    Action::new("x.xa", metadata.into_iter().collect(), data_accessed).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rules_never_matters(rule in rule(all_operators()), (metadata, data) in parts()) {
        let action = action(metadata, data);
        let conditions = rule.conditions();
        let result = conditions.test(&action);
        prop_assert_eq!(rule.reversed().conditions().test(&action), result);
        prop_assert_eq!(rule.rotated().conditions().test(&action), result);

        let (traced, trace) = conditions.evaluate(&action);
        prop_assert_eq!(traced, result, "with a trace and without");
        prop_assert_eq!(trace.len(), rule.comparisons().len());
        for entry in trace {
            prop_assert_eq!(entry.reason.is_some(), entry.result == Truth::Unknown);
        }
    }

    #[test]
    fn hiding_or_breaking_a_field_gains_nothing(rule in rule(value_operators()), (metadata, data) in parts()) {
        let conditions = rule.conditions();
        let before = conditions.test(&action(metadata.clone(), data.clone()));
        for changed in mutations(&rule, &metadata, "") {
            let after = conditions.test(&action(changed.clone(), data.clone()));
            // Stronger than the law: what was known stays or becomes unknown.
            prop_assert!(after == before || after == Truth::Unknown, "{:?}: {:?} becomes {:?}", changed, before, after);
        }
        if let Some(list) = &data {
            let wrapped = list.iter().map(|element| Value::List(vec![element.clone()])).collect();
            for changed in [None, Some(Vec::new()), Some(wrapped)] {
                let after = conditions.test(&action(metadata.clone(), changed));
                prop_assert!(after == before || after == Truth::Unknown);
            }
        }
    }
}

#[test]
fn presence_tests_are_the_exception() {
    // Why `al validate` warns about them: each of these becomes true when the field is hidden or broken.
    let rows = [
        ("{field: a, operator: not_exists}", r#"{"a": 1}"#, "{}"),
        (
            "{logic: none, rules: [{field: a, operator: exists}]}",
            r#"{"a": 1}"#,
            "{}",
        ),
        (
            "{field: a, operator: is_null}",
            r#"{"a": 1}"#,
            r#"{"a": null}"#,
        ),
        (
            "{field: a, operator: is_empty}",
            r#"{"a": [1]}"#,
            r#"{"a": []}"#,
        ),
    ];
    for (rule, before, after) in rows {
        let conditions = Conditions::parse(&format!("logic: all\nrules: [{rule}]\n")).unwrap();
        let test = |metadata: &str| {
            let json = format!(r#"{{"action_type": "t", "metadata": {metadata}}}"#);
            conditions.test(&Action::parse(json.as_bytes()).unwrap())
        };
        assert_eq!(
            (test(before), test(after)),
            (Truth::False, Truth::True),
            "{rule}"
        );
    }
}
