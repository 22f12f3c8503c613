//! What a comparison compares with, ready for its operator.

use std::cmp::Ordering;

use ipnet::IpNet;
use jiff::Timestamp;
use semver::Version;

use crate::number::Number;
use crate::value::{Operand, Scalar, Value};

use super::ast::Comparison;
use super::fold::Folded;
use super::judge;
use super::operator::Kind;
use super::pattern::{self, Matcher};
use super::reason::{Flaw, Outcome, Reason};

/// What a comparison compares with.
#[derive(Debug)]
// INVARIANT: a list is sorted, without repeats, not empty, and its elements are of one type.
pub(super) enum Expected {
    /// The operator takes no value.
    Nothing,
    /// The value, judged by as it stands: rules that are judged one after the other have it side by side.
    Plain(Operand),
    /// The value and what was made of it, which is large or rare.
    Made(Box<(Operand, Test)>),
}

impl Expected {
    /// A value, and what was made of it.
    pub(super) fn made(operand: Operand, test: Test) -> Self {
        Expected::Made(Box::new((operand, test)))
    }

    /// The value as it is written.
    pub(super) fn operand(&self) -> Option<&Operand> {
        match self {
            Expected::Nothing => None,
            Expected::Plain(operand) => Some(operand),
            Expected::Made(made) => Some(&made.0),
        }
    }
}

/// Whether it holds of how a value stands to another.
pub(super) type Holds = fn(Ordering) -> bool;

/// What is made of a value once, with the function of the operator that needs it.
#[derive(Debug)]
pub(super) enum Test {
    Text(Matcher),
    Folded(fn(&Folded, &str) -> bool, Box<[Folded]>),
    Time(Holds, Timestamp),
    Version(Holds, Version),
    Networks(Box<[IpNet]>),
}

impl Test {
    // What is judged without anything made should not pay for the room that reading times and versions takes.
    #[inline(never)]
    fn judge(&self, value: &Value<'_>) -> Outcome {
        let outcome = match self {
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

impl Comparison {
    /// How a number is to stand to another; `None` if something else is asked.
    pub(super) fn bound(&self) -> Option<(Holds, Number)> {
        match (&self.expected, self.positive.kind()) {
            (Expected::Plain(Operand::Scalar(Scalar::Number(operand))), Kind::Number(holds)) => {
                Some((holds, *operand))
            }
            _ => None,
        }
    }

    /// What the operator, or the one it negates, says about a value that is there.
    #[expect(
        clippy::inline_always,
        reason = "who asks for no reason then makes none"
    )]
    #[inline(always)]
    pub(super) fn judge_value(&self, value: &Value<'_>) -> Outcome {
        let outcome = match (&self.expected, self.positive.kind()) {
            (Expected::Made(made), _) => return made.1.judge(value),
            (_, Kind::Presence) => Ok(true),
            (_, Kind::Bare(judge)) => return judge(value),
            (Expected::Plain(operand), Kind::Scalar(judge) | Kind::Scalars(judge)) => {
                return judge(value, operand.scalars());
            }
            (Expected::Plain(Operand::Scalar(Scalar::Number(operand))), Kind::Number(holds)) => {
                judge::order_of_number(value, operand).map(holds)
            }
            (Expected::Plain(Operand::Scalar(Scalar::String(operand))), Kind::Text(holds)) => {
                judge::text(value).map(|text| holds(text, operand))
            }
            (Expected::Plain(Operand::Scalar(Scalar::String(pattern))), Kind::Pattern(syntax)) => {
                judge::text(value).map(|text| pattern::matches_verbatim(syntax, pattern, text))
            }
            // INVARIANT: `positive` negates nothing, and its value is of its type, and made where it must be.
            (Expected::Plain(_) | Expected::Nothing, _) => Err(Flaw::Unmatchable),
        };
        outcome.map_err(Reason::from)
    }
}

/// The texts among scalars.
pub(super) fn texts(list: &[Scalar]) -> impl Iterator<Item = &str> {
    list.iter().filter_map(|scalar| match scalar {
        Scalar::String(text) => Some(&**text),
        Scalar::Bool(_) | Scalar::Number(_) => None,
    })
}
