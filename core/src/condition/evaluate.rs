//! Evaluation: one walk, over an action or over fields found before, with or without a trace.

use crate::action::{Action, Lookup};
use crate::value::{Kind, Operand, Value};

use super::ast::{Comparison, Group, Logic, Rule};
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
    /// Among fields that were found before, for several documents.
    Found {
        fields: &'f [Lookup<'a>],
        /// For each comparison of the document, which of the fields it reads; empty where each has its own.
        // INVARIANT: each is an index of `fields`.
        slots: &'f [u32],
    },
}

impl<'a> Fields<'_, 'a> {
    #[inline]
    fn find(&self, comparison: &Comparison) -> Lookup<'a> {
        match self {
            Fields::Of(action) => action.lookup(&comparison.path),
            Fields::Found { fields, slots } => {
                let own = comparison.ordinal;
                let slot = slots.get(own as usize).copied().unwrap_or(own);
                let field = fields.get(slot as usize);
                field.copied().unwrap_or(Lookup::Missing)
            }
        }
    }
}

/// Who watches a walk.
pub(super) trait Observer<'a> {
    /// Whether the walk visits rules that can no longer change the result.
    const VISITS_ALL: bool;

    fn saw(&mut self, comparison: &'a Comparison, found: Lookup<'a>, outcome: Outcome);
}

/// Nobody: only the result counts.
pub(super) struct Bare;

impl Observer<'_> for Bare {
    const VISITS_ALL: bool = false;

    fn saw(&mut self, _: &Comparison, _: Lookup<'_>, _: Outcome) {}
}

/// Hands on what it sees. Every rule that reads a value repeats it, and values are the sender's: they have a bound.
pub(super) struct Tracer<'t, F> {
    /// Bytes of values that may still be handed on.
    pub(super) left: &'t mut usize,
    pub(super) write: F,
}

impl<'a, F: FnMut(Trace<'a>)> Observer<'a> for Tracer<'_, F> {
    const VISITS_ALL: bool = true;

    fn saw(&mut self, comparison: &'a Comparison, found: Lookup<'a>, outcome: Outcome) {
        let actual = match found {
            Lookup::Found(value) => value.within(self.left),
            Lookup::Missing | Lookup::NotMapping { .. } => None,
        };
        (self.write)(Trace {
            field: comparison.path.as_str(),
            operator: comparison.operator.name(),
            expected: comparison.value(),
            actual,
            result: outcome.map_or(Truth::Unknown, Truth::from),
            reason: outcome
                .err()
                .map(|reason| reason.describe(&comparison.path)),
        });
    }
}

impl Group {
    pub(super) fn evaluate<'a, O: Observer<'a>>(
        &'a self,
        fields: &Fields<'_, 'a>,
        observer: &mut O,
    ) -> Truth {
        // `none` is the negation of `any`.
        let settled = match self.logic {
            Logic::All => Truth::False,
            Logic::Any | Logic::None => Truth::True,
        };
        let mut joined = settled.not();
        for rule in &*self.rules {
            let truth = match rule {
                Rule::Group(group) => group.evaluate(fields, observer),
                Rule::Comparison(comparison) => comparison.evaluate(fields, observer),
            };
            if truth == settled {
                joined = settled;
                if !O::VISITS_ALL {
                    break;
                }
            } else if truth == Truth::Unknown && joined != settled {
                joined = Truth::Unknown;
            }
        }
        match self.logic {
            Logic::All | Logic::Any => joined,
            Logic::None => joined.not(),
        }
    }
}

impl Comparison {
    #[inline]
    fn evaluate<'a>(&'a self, fields: &Fields<'_, 'a>, observer: &mut impl Observer<'a>) -> Truth {
        let found = fields.find(self);
        let mut outcome = self.judge(found);
        if self.positive != self.operator {
            outcome = outcome.map(|holds| !holds);
        }
        observer.saw(self, found, outcome);
        outcome.map_or(Truth::Unknown, Truth::from)
    }

    /// What the operator, or the one it negates, says.
    #[inline]
    fn judge(&self, found: Lookup<'_>) -> Outcome {
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
