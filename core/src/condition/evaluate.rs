//! Evaluation: one walk, with or without a trace.

use crate::action::{Action, Lookup};
use crate::limits::TRACE_BYTES;
use crate::value::{Operand, Value};

use super::ast::{Comparison, Group, Logic, Rule, Test};
use super::judge;
use super::reason::{At, Flaw, Outcome, Reason};
use super::truth::Truth;

/// One comparison's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The path in its canonical spelling.
    pub field: String,
    /// The operator's canonical name.
    pub operator: &'static str,
    /// What the rule compares with; `None` where the operator takes no value.
    pub expected: Option<Operand>,
    /// What the action holds there; `None` where it holds nothing, and where the values of the trace would take more
    /// than [`crate::limits::TRACE_BYTES`] together.
    pub actual: Option<Value>,
    /// The result.
    pub result: Truth,
    /// Why the result is unknown, naming the place; `None` where it is not.
    pub reason: Option<String>,
}

/// Who watches a walk.
pub(super) trait Observer {
    /// Whether the walk visits rules that can no longer change the result.
    const VISITS_ALL: bool;

    fn saw(&mut self, comparison: &Comparison, found: Lookup<'_>, outcome: Outcome);
}

/// Nobody: only the result counts.
pub(super) struct Bare;

impl Observer for Bare {
    const VISITS_ALL: bool = false;

    fn saw(&mut self, _: &Comparison, _: Lookup<'_>, _: Outcome) {}
}

/// Writes down what it sees. The values are the sender's, and every rule that reads one repeats it: they have a bound.
#[derive(Debug)]
pub(crate) struct Tracer {
    traces: Vec<Trace>,
    left: usize,
}

impl Tracer {
    pub(crate) fn new() -> Self {
        Self {
            traces: Vec::new(),
            left: TRACE_BYTES,
        }
    }

    /// A copy of a value, if there is room for it.
    pub(crate) fn copy(&mut self, value: &Value) -> Option<Value> {
        value.copy_within(&mut self.left)
    }

    pub(crate) fn push(&mut self, trace: Trace) {
        self.traces.push(trace);
    }

    /// What was written down since the last call.
    pub(crate) fn take(&mut self) -> Vec<Trace> {
        std::mem::take(&mut self.traces)
    }
}

impl Observer for Tracer {
    const VISITS_ALL: bool = true;

    fn saw(&mut self, comparison: &Comparison, found: Lookup<'_>, outcome: Outcome) {
        let actual = match found {
            Lookup::Found(value) => self.copy(value),
            Lookup::Missing | Lookup::NotMapping { .. } => None,
        };
        self.push(Trace {
            field: comparison.path.to_string(),
            operator: comparison.operator.name(),
            expected: comparison.value.clone(),
            actual,
            result: outcome.map_or(Truth::Unknown, Truth::from),
            reason: outcome
                .err()
                .map(|reason| reason.describe(&comparison.path)),
        });
    }
}

impl Group {
    pub(super) fn evaluate<O: Observer>(&self, action: &Action, observer: &mut O) -> Truth {
        // `none` is the negation of `any`.
        let settled = match self.logic {
            Logic::All => Truth::False,
            Logic::Any | Logic::None => Truth::True,
        };
        let mut joined = settled.not();
        for rule in &self.rules {
            if joined == settled && !O::VISITS_ALL {
                break;
            }
            let truth = match rule {
                Rule::Group(group) => group.evaluate(action, observer),
                Rule::Comparison(comparison) => comparison.evaluate(action, observer),
            };
            joined = match self.logic {
                Logic::All => joined.and(truth),
                Logic::Any | Logic::None => joined.or(truth),
            };
        }
        match self.logic {
            Logic::All | Logic::Any => joined,
            Logic::None => joined.not(),
        }
    }
}

impl Comparison {
    fn evaluate(&self, action: &Action, observer: &mut impl Observer) -> Truth {
        let found = action.lookup(&self.path);
        let mut outcome = self.judge(found);
        if self.operator.negation_of().is_some() {
            outcome = outcome.map(|holds| !holds);
        }
        observer.saw(self, found, outcome);
        outcome.map_or(Truth::Unknown, Truth::from)
    }

    /// What the operator, or the one it negates, says.
    fn judge(&self, found: Lookup<'_>) -> Outcome {
        let reason = match found {
            Lookup::Found(value) => return self.judge_value(value),
            Lookup::Missing => Flaw::Missing.into(),
            Lookup::NotMapping { parent, depth } => Reason {
                at: At::Parent(depth),
                flaw: Flaw::of_type(parent, "a mapping"),
            },
        };
        if matches!(self.test, Test::Presence) {
            return Ok(false);
        }
        Err(reason)
    }

    fn judge_value(&self, value: &Value) -> Outcome {
        let outcome = match &self.test {
            Test::Presence => Ok(true),
            Test::Bare(judge) => return judge(value),
            Test::Scalars(judge) => return judge(value, self.operands()),
            Test::Number(holds, operand) => judge::order_of_number(value, operand).map(holds),
            Test::Text(matcher) => {
                judge::text(value).and_then(|text| matcher.matches(text).ok_or(Flaw::Unmatchable))
            }
            Test::Folded(holds, folded) => {
                judge::text(value).map(|text| folded.iter().any(|folded| holds(folded, text)))
            }
            Test::Time(holds, operand) => judge::order_of_time(value, operand).map(holds),
            Test::Version(holds, operand) => judge::order_of_version(value, operand).map(holds),
            Test::Networks(networks) => judge::is_in_network(value, networks),
        };
        outcome.map_err(Reason::from)
    }
}
