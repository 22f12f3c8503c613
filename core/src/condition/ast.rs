//! The compiled tree: groups of rules, down to comparisons.

use std::cmp::Ordering;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use semver::Version;

use crate::number::Number;
use crate::value::{Operand, Scalar, Value};

use super::fold::Folded;
use super::operator::Operator;
use super::path::Path;
use super::pattern::Matcher;
use super::reason::Outcome;

/// Rules and the logic that joins them. Equality is that of the canonical tree, in which the order of rules counts.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    pub(crate) logic: Logic,
    // INVARIANT: not empty.
    pub(crate) rules: Vec<Rule>,
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
        for rule in &self.rules {
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
    /// Whether the operator is the negation of the one that `test` judges by.
    pub(super) negated: bool,
    // INVARIANT: a list is sorted, without repeats, not empty, and its elements are of one type.
    pub(crate) value: Option<Operand>,
    pub(super) test: Test,
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

    /// What it compares with; `None` where the operator takes no value.
    pub fn value(&self) -> Option<&Operand> {
        self.value.as_ref()
    }

    /// The value as a list: a scalar is a list of one.
    pub(super) fn operands(&self) -> &[Scalar] {
        match &self.value {
            None => &[],
            Some(Operand::Scalar(scalar)) => std::slice::from_ref(scalar),
            Some(Operand::List(list)) => list,
        }
    }
}

impl PartialEq for Comparison {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.operator == other.operator && self.value == other.value
    }
}

impl Eq for Comparison {}

/// What remains to be done at evaluation: the function of the operator, or of the one it negates, with its value made ready.
#[derive(Debug)]
// What is large or rare is behind a pointer: rules that are judged one after the other stay close together.
pub(super) enum Test {
    Presence,
    Bare(fn(&Value) -> Outcome),
    /// It reads the operands of the comparison as they stand.
    Scalars(fn(&Value, &[Scalar]) -> Outcome),
    Number(fn(Ordering) -> bool, Number),
    Text(Matcher),
    Folded(fn(&Folded, &str) -> bool, Box<[Folded]>),
    Time(fn(Ordering) -> bool, Timestamp),
    Version(fn(Ordering) -> bool, Box<Version>),
    Networks(Box<[IpNet]>),
}
