//! Evaluation: one walk, over an action or over fields found before, with or without a trace.

use crate::action::{Action, Lookup};
use crate::value::{Kind, Operand, Scalar, Text, Value};

use super::ast::{Comparison, Group, Logic, Rule};
use super::joint::JointFields;
use super::operator::Operator;
use super::reason::{At, Flaw, Outcome, Reason, Wanted};
use super::truth::Truth;

/// One comparison's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace<'a> {
    /// The path in its canonical spelling.
    pub field: &'a str,
    /// The operator's canonical name.
    pub operator: &'static str,
    /// What the rule compares with; `None` where the operator takes no value.
    pub expected: Option<&'a Operand>,
    /// What the action holds there; `None` where it holds nothing, and from the value on with which those of the trace
    /// would take more than [`crate::limits::TRACE_BYTES`] together.
    pub actual: Option<&'a Value<'a>>,
    /// The result.
    pub result: Truth,
    /// Why the result is unknown, naming the place; `None` where it is not.
    pub reason: Option<String>,
}

/// Where a walk finds the values of fields.
#[derive(Debug)]
pub(crate) enum Fields<'f, 'a> {
    /// In the action, each when it is asked for.
    Of(&'a Action<'a>),
    /// Found before, one for each comparison.
    Own(&'f [Lookup<'a>]),
    /// Found before, each once for several documents.
    Joint(JointFields<'f, 'a>),
}

impl<'a> Fields<'_, 'a> {
    #[inline]
    fn find(&self, comparison: &Comparison) -> Lookup<'a> {
        let own = comparison.ordinal as usize;
        match self {
            Fields::Of(action) => action.lookup(&comparison.path),
            Fields::Own(fields) => fields.get(own).copied().unwrap_or(Lookup::Missing),
            Fields::Joint(fields) => fields.find(own),
        }
    }
}

/// What a walk does at a comparison.
pub(super) trait Visitor<'a> {
    /// Whether the walk visits rules that can no longer change the result.
    const VISITS_ALL: bool;

    fn visit(&mut self, comparison: &'a Comparison) -> Truth;
}

/// Judges what it is given: only the result counts.
pub(super) struct Bare<F>(pub(super) F);

impl<'a, F: Fn(&Comparison) -> Option<&'a Value<'a>>> Visitor<'a> for Bare<F> {
    const VISITS_ALL: bool = false;

    #[inline]
    fn visit(&mut self, comparison: &'a Comparison) -> Truth {
        comparison.test((self.0)(comparison))
    }
}

/// Judges, and hands on what it sees. Every rule that reads a value repeats it, and values are the sender's: they have a
/// bound.
pub(super) struct Tracer<'t, 'a, F> {
    pub(super) fields: &'t Fields<'t, 'a>,
    /// Bytes of values that may still be handed on.
    pub(super) left: &'t mut usize,
    pub(super) write: F,
}

impl<'a, F: FnMut(Trace<'a>)> Visitor<'a> for Tracer<'_, 'a, F> {
    const VISITS_ALL: bool = true;

    fn visit(&mut self, comparison: &'a Comparison) -> Truth {
        let found = self.fields.find(comparison);
        let actual = found.value().and_then(|value| value.within(self.left));
        let outcome = comparison.judge(found);
        let result = outcome.map_or(Truth::Unknown, Truth::from);
        (self.write)(Trace {
            field: comparison.path.as_str(),
            operator: comparison.operator.name(),
            expected: comparison.value(),
            actual,
            result,
            reason: outcome
                .err()
                .map(|reason| reason.describe(&comparison.path)),
        });
        result
    }
}

impl Group {
    pub(super) fn evaluate<'a, V: Visitor<'a>>(&'a self, visitor: &mut V) -> Truth {
        let truths = self.rules.iter().map(|rule| match rule {
            Rule::Group(group) => group.evaluate(visitor),
            Rule::Comparison(comparison) => visitor.visit(comparison),
        });
        self.logic.join(V::VISITS_ALL, truths)
    }
}

impl Logic {
    /// What rules amount to; all of them are asked, or only as many as settle it.
    #[inline]
    pub(super) fn join(self, asks_all: bool, truths: impl Iterator<Item = Truth>) -> Truth {
        // `none` is the negation of `any`.
        let settled = match self {
            Logic::All => Truth::False,
            Logic::Any | Logic::None => Truth::True,
        };
        let mut is_settled = false;
        let mut is_unknown = false;
        for truth in truths {
            is_unknown |= truth == Truth::Unknown;
            if truth == settled {
                is_settled = true;
                if !asks_all {
                    break;
                }
            }
        }
        let joined = match (is_settled, is_unknown) {
            (true, _) => settled,
            (false, true) => Truth::Unknown,
            (false, false) => settled.not(),
        };
        match self {
            Logic::All | Logic::Any => joined,
            Logic::None => joined.not(),
        }
    }
}

impl Comparison {
    /// The texts of which the value is to equal one, or none; `None` if something else is asked.
    pub(super) fn texts_to_equal(&self) -> Option<impl Iterator<Item = &Text>> {
        fn text(operand: &Scalar) -> Option<&Text> {
            match operand {
                Scalar::String(text) => Some(text),
                Scalar::Bool(_) | Scalar::Number(_) => None,
            }
        }
        let is_membership = matches!(self.positive, Operator::Eq | Operator::In);
        let operands = self.value()?.scalars();
        // All of them are of one type.
        let are_texts = operands.first().and_then(text).is_some();
        (is_membership && are_texts).then(|| operands.iter().filter_map(text))
    }

    /// Whether the comparison holds of the value at its path, or of there being none.
    #[inline]
    pub(super) fn test(&self, value: Option<&Value<'_>>) -> Truth {
        let outcome = match value {
            Some(value) => self.judge_value(value),
            None if self.positive == Operator::Exists => Ok(false),
            None => return Truth::Unknown,
        };
        match outcome {
            Ok(holds) => Truth::from(holds != self.is_negated()),
            Err(_) => Truth::Unknown,
        }
    }

    /// Whether the comparison holds, or why that is unknown.
    #[inline]
    fn judge(&self, found: Lookup<'_>) -> Outcome {
        let holds = self.judge_positive(found)?;
        Ok(holds != self.is_negated())
    }

    /// What the operator, or the one it negates, says.
    fn judge_positive(&self, found: Lookup<'_>) -> Outcome {
        let reason = match found {
            Lookup::Found(value) => return self.judge_value(value),
            Lookup::Missing => Flaw::Missing.into(),
            Lookup::NotMapping { parent, depth } => Reason {
                at: At::Parent(depth),
                flaw: Flaw::of_type(parent, Wanted::Kind(Kind::Mapping)),
            },
        };
        if self.positive == Operator::Exists {
            return Ok(false);
        }
        Err(reason)
    }
}
