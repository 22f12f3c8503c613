//! The operators: one table that parser, evaluator, formatter, schema and documentation read.
//!
//! A new operator is one row, and one function in `judge` unless another row's function fits.

use std::cmp::Ordering;

use crate::value::{Scalar, Value};

use super::fold::Folded;
use super::judge;
use super::pattern::Syntax;
use super::reason::Outcome;

/// How an operator judges, and with it what value it takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// The negation of another operator: true and false swapped, unknown as it is.
    Not(Operator),
    /// Whether the path is there.
    Presence,
    /// Something about the value alone.
    Bare(fn(&Value) -> Outcome),
    /// The value and one scalar, which comes as a list of one.
    Scalar(fn(&Value, &[Scalar]) -> Outcome),
    /// The value and a list of scalars, sorted and of one type.
    Scalars(fn(&Value, &[Scalar]) -> Outcome),
    /// How a number stands to another.
    Number(fn(Ordering) -> bool),
    /// A text and another.
    Text(fn(&str, &str) -> bool),
    /// What a text must look like, given a pattern.
    Pattern(Syntax),
    /// A text and a folded one.
    Folded(fn(&Folded, &str) -> bool),
    /// A text and folded ones, one of which suffices.
    FoldedAny(fn(&Folded, &str) -> bool),
    /// How an instant stands to another.
    Time(fn(Ordering) -> bool),
    /// How a version stands to another.
    Version(fn(Ordering) -> bool),
    /// Whether an address lies in a network.
    Networks,
}

/// What an operator takes as its `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// No value.
    None,
    /// A string, a number or a boolean.
    Scalar,
    /// A non-empty list of scalars of one type.
    ScalarList,
    /// A number.
    Number,
    /// A string.
    String,
    /// A non-empty list of strings.
    StringList,
    /// A regular expression.
    Regex,
    /// A glob.
    Glob,
    /// An RFC 3339 time.
    Time,
    /// A semantic version.
    Version,
    /// A network in CIDR notation, or a non-empty list of them.
    CidrOrList,
}

impl ValueType {
    /// The type in words with an article.
    pub fn as_str(self) -> &'static str {
        match self {
            ValueType::None => "no value",
            ValueType::Scalar => "a string, a number or a boolean",
            ValueType::ScalarList => "a list of strings, numbers or booleans",
            ValueType::Number => "a number",
            ValueType::String => "a string",
            ValueType::StringList => "a list of strings",
            ValueType::Regex => "a regular expression",
            ValueType::Glob => "a glob",
            ValueType::Time => "an RFC 3339 time",
            ValueType::Version => "a semantic version",
            ValueType::CidrOrList => "a CIDR or a list of them",
        }
    }
}

macro_rules! operators {
    ($($variant:ident $name:literal $(or $alias:literal)?, $kind:expr, $meaning:literal;)*) => {
        /// What a comparison asks of a value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operator {
            $(#[doc = concat!("`", $name, "`: ", $meaning, ".")] $variant,)*
        }

        impl Operator {
            /// Every operator, in the order of the table.
            pub const ALL: &'static [Operator] = &[$(Operator::$variant,)*];

            /// The canonical name.
            pub fn name(self) -> &'static str {
                match self { $(Operator::$variant => $name,)* }
            }

            /// Other names that are read, and never written.
            pub fn aliases(self) -> &'static [&'static str] {
                match self { $(Operator::$variant => &[$($alias)?],)* }
            }

            /// When it is true, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Operator::$variant => $meaning,)* }
            }

            /// The operator of that name or alias.
            pub fn lookup(word: &str) -> Option<Self> {
                match word {
                    $($name $(| $alias)? => Some(Operator::$variant),)*
                    _ => None,
                }
            }

            #[inline]
            pub(super) fn kind(self) -> Kind {
                match self { $(Operator::$variant => $kind,)* }
            }
        }
    };
}

operators! {
    Exists "exists", Kind::Presence, "the field is there; null counts, below a scalar or a list nothing is";
    NotExists "not_exists", Kind::Not(Operator::Exists), "the field is not there";
    IsNull "is_null", Kind::Bare(judge::is_null), "the field is there and null";
    IsEmpty "is_empty", Kind::Bare(judge::is_empty), "the list or string has no elements";
    Eq "eq", Kind::Scalar(judge::equals_any), "the scalar equals the value; numbers by exact mathematical value";
    Ne "ne" or "neq", Kind::Not(Operator::Eq), "the scalar is of the value's type and differs from it";
    In "in", Kind::Scalars(judge::equals_any), "the scalar equals one of the values";
    NotIn "not_in", Kind::Not(Operator::In), "the scalar is of the values' type and differs from all of them";
    Lt "lt", Kind::Number(Ordering::is_lt), "the number is less than the value";
    Lte "lte", Kind::Number(Ordering::is_le), "the number is less than or equal to the value";
    Gt "gt", Kind::Number(Ordering::is_gt), "the number is greater than the value";
    Gte "gte", Kind::Number(Ordering::is_ge), "the number is greater than or equal to the value";
    Contains "contains", Kind::Scalar(judge::contains), "the string holds the value, or an element of the list equals it";
    NotContains "not_contains", Kind::Not(Operator::Contains), "the string does not hold the value, or no element of the list equals it";
    AnyIn "any_in", Kind::Scalars(judge::any_in), "some element of the list equals one of the values";
    AllIn "all_in", Kind::Scalars(judge::all_in), "every element of the list equals one of the values";
    NoneIn "none_in", Kind::Not(Operator::AnyIn), "no element of the list equals one of the values";
    StartsWith "starts_with", Kind::Text(|text, prefix| text.starts_with(prefix)), "the string begins with the value, case-sensitively";
    EndsWith "ends_with", Kind::Text(|text, suffix| text.ends_with(suffix)), "the string ends with the value, case-sensitively";
    Regex "regex" or "matches", Kind::Pattern(Syntax::Search), "the regular expression matches somewhere in the string";
    NotRegex "not_regex", Kind::Not(Operator::Regex), "the regular expression matches nowhere in the string";
    FullMatch "full_match", Kind::Pattern(Syntax::FullMatch), "the regular expression matches the whole string";
    Glob "glob", Kind::Pattern(Syntax::Glob), "the glob matches the whole string, segment by segment";
    EqCi "eq_ci", Kind::Folded(Folded::equals), "the string equals the value without regard to case";
    InCi "in_ci", Kind::FoldedAny(Folded::equals), "the string equals one of the values without regard to case";
    ContainsCi "contains_ci", Kind::Folded(Folded::is_within), "the string holds the value without regard to case";
    Before "before", Kind::Time(Ordering::is_lt), "the time is an instant before the value";
    After "after", Kind::Time(Ordering::is_gt), "the time is an instant after the value";
    SemverEq "semver_eq", Kind::Version(Ordering::is_eq), "the version has the value's precedence";
    SemverLt "semver_lt", Kind::Version(Ordering::is_lt), "the version precedes the value";
    SemverLte "semver_lte", Kind::Version(Ordering::is_le), "the version precedes the value or has its precedence";
    SemverGt "semver_gt", Kind::Version(Ordering::is_gt), "the value precedes the version";
    SemverGte "semver_gte", Kind::Version(Ordering::is_ge), "the value precedes the version or has its precedence";
    CidrIn "cidr_in", Kind::Networks, "the IP address lies in the network, or in one of them";
}

impl Operator {
    /// The operator whose negation this is, if it is one.
    pub fn negation_of(self) -> Option<Self> {
        if let Kind::Not(positive) = self.kind() {
            Some(positive)
        } else {
            None
        }
    }

    /// What it takes as its `value`.
    pub fn value_type(self) -> ValueType {
        match self.kind() {
            Kind::Not(positive) => positive.value_type(),
            Kind::Presence | Kind::Bare(_) => ValueType::None,
            Kind::Scalar(_) => ValueType::Scalar,
            Kind::Scalars(_) => ValueType::ScalarList,
            Kind::Number(_) => ValueType::Number,
            Kind::Text(_) | Kind::Folded(_) => ValueType::String,
            Kind::Pattern(Syntax::Search | Syntax::FullMatch) => ValueType::Regex,
            Kind::Pattern(Syntax::Glob) => ValueType::Glob,
            Kind::FoldedAny(_) => ValueType::StringList,
            Kind::Time(_) => ValueType::Time,
            Kind::Version(_) => ValueType::Version,
            Kind::Networks => ValueType::CidrOrList,
        }
    }

    /// Whether a field that is absent, null or empty can make it true: who leaves a field out then decides.
    pub fn tests_presence(self) -> bool {
        matches!(
            self,
            Operator::Exists | Operator::NotExists | Operator::IsNull | Operator::IsEmpty
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_consistent() {
        let mut words = BTreeSet::new();
        for &operator in Operator::ALL {
            for word in std::iter::once(operator.name()).chain(operator.aliases().iter().copied()) {
                assert!(words.insert(word), "{word} names two operators");
                assert_eq!(Operator::lookup(word), Some(operator));
            }
            if let Some(positive) = operator.negation_of() {
                assert_eq!(positive.negation_of(), None, "{positive:?} is positive");
                assert_eq!(positive.value_type(), operator.value_type());
            }
        }
        assert_eq!(Operator::ALL.len(), 34);
        assert_eq!(Operator::lookup("neq"), Some(Operator::Ne));
        assert_eq!(Operator::lookup("matches"), Some(Operator::Regex));
        assert_eq!(Operator::lookup("EQ"), None);
    }
}
