//! The compiled tree: groups of rules, down to comparisons.

use std::sync::Arc;

use crate::value::Operand;

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
