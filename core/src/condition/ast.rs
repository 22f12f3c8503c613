//! The compiled tree: groups of rules, down to comparisons.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::value::{Operand, Scalar};

use super::expected::Expected;
use super::operator::Operator;
use super::path::Path;

/// Rules and the logic that joins them. Equality is that of the canonical tree, in which the order of rules counts.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    pub(crate) logic: Logic,
    /// How many comparisons it holds, at any depth.
    pub(super) comparisons: u32,
    // INVARIANT: not empty.
    pub(crate) rules: Box<[Rule]>,
}

impl Group {
    /// How the rules are joined.
    pub fn logic(&self) -> Logic {
        self.logic
    }

    /// The rules in document order; at least one.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Shows `visit` every comparison, at any depth, in document order.
    pub(crate) fn each_comparison<'g>(&'g self, visit: &mut impl FnMut(&'g Comparison)) {
        for rule in &*self.rules {
            match rule {
                Rule::Comparison(comparison) => visit(comparison),
                Rule::Group(group) => group.each_comparison(visit),
            }
        }
    }
}

/// How the rules of a group are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Logic {
    /// Every rule holds.
    All,
    /// Some rule holds.
    Any,
    /// No rule holds.
    None,
}

impl Logic {
    /// Every way to join rules.
    pub const ALL: &'static [Logic] = &[Logic::All, Logic::Any, Logic::None];

    /// The word in a document.
    pub fn as_str(self) -> &'static str {
        match self {
            Logic::All => "all",
            Logic::Any => "any",
            Logic::None => "none",
        }
    }
}

/// One entry of a group.
#[derive(Debug, PartialEq, Eq)]
pub enum Rule {
    /// A test of one field.
    Comparison(Comparison),
    /// A nested group.
    Group(Group),
}

/// A test of one field. Two are equal if path, operator and value are.
#[derive(Debug)]
pub struct Comparison {
    pub(crate) path: Arc<Path>,
    /// Which of the document's comparisons it is, from 0 on.
    pub(super) ordinal: u32,
    pub(crate) operator: Operator,
    /// The operator that judges: the one that `operator` negates, or itself.
    pub(super) positive: Operator,
    pub(super) expected: Expected,
}

impl Comparison {
    /// The field it looks at.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn shared_path(&self) -> Arc<Path> {
        Arc::clone(&self.path)
    }

    /// What it asks.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// Whether its operator is the negation of the one that judges.
    #[inline]
    pub(super) fn is_negated(&self) -> bool {
        self.positive != self.operator
    }

    /// What it compares with; `None` where the operator takes no value.
    pub fn value(&self) -> Option<&Operand> {
        self.expected.operand()
    }
}

impl PartialEq for Comparison {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.operator == other.operator && self.value() == other.value()
    }
}

impl Eq for Comparison {}

/// A part of the tree as the state digest reads it: keys in alphabetical order, paths as segments, numbers as
/// `{"num": "<exact decimal>"}`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canonical<'a, T>(pub(crate) &'a T);

impl Serialize for Canonical<'_, Group> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("logic", self.0.logic.as_str())?;
        map.serialize_entry("rules", &Canonical(&self.0.rules))?;
        map.end()
    }
}

impl Serialize for Canonical<'_, Rule> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Rule::Comparison(comparison) => Canonical(comparison).serialize(serializer),
            Rule::Group(group) => Canonical(group).serialize(serializer),
        }
    }
}

impl Serialize for Canonical<'_, Comparison> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", self.0.path.segments())?;
        map.serialize_entry("operator", self.0.operator.name())?;
        match self.0.value() {
            None => {}
            Some(Operand::Scalar(scalar)) => map.serialize_entry("value", &Canonical(scalar))?,
            Some(Operand::List(list)) => map.serialize_entry("value", &Canonical(list))?,
        }
        map.end()
    }
}

impl Serialize for Canonical<'_, Scalar> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Scalar::Bool(value) => serializer.serialize_bool(*value),
            Scalar::String(text) => serializer.serialize_str(text),
            Scalar::Number(number) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("num", &number.exact_decimal())?;
                map.end()
            }
        }
    }
}

impl<T> Serialize for Canonical<'_, Box<[T]>>
where
    for<'t> Canonical<'t, T>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Canonical))
    }
}

#[cfg(test)]
mod tests {
    use crate::condition::Conditions;

    #[test]
    fn canonical_tree() {
        let conditions = Conditions::parse(
            r#"
rules:
  - {value: [b, "a\n", b], operator: in, field: '"a"."b.c"'}
  - {field: num, operator: neq, value: 1.50}
  - {field: num, operator: in, value: [3, 2.0, 2]}
  - rules: [{field: x, operator: not_exists}, {field: text, operator: matches, value: é}, {field: z, operator: eq, value: true}]
    logic: none
logic: all
"#,
        )
        .unwrap();
        let canonical = serde_json::to_string(&conditions.canonical()).unwrap();
        let expected = concat!(
            r#"{"logic":"all","rules":["#,
            r#"{"field":["a","b.c"],"operator":"in","value":["a\n","b"]},"#,
            r#"{"field":["num"],"operator":"ne","value":{"num":"1.5"}},"#,
            r#"{"field":["num"],"operator":"in","value":[{"num":"2"},{"num":"3"}]},"#,
            r#"{"logic":"none","rules":["#,
            r#"{"field":["x"],"operator":"not_exists"},"#,
            r#"{"field":["text"],"operator":"regex","value":"é"},"#,
            r#"{"field":["z"],"operator":"eq","value":true}]}]}"#,
        );
        assert_eq!(canonical, expected);
    }
}
