//! Why a result is unknown: cheap to make, small enough for registers, and turned into words for a trace alone.

use crate::limits::TEXT_BYTES;
use crate::value::{Kind, Value};

use super::path::Path;

/// Whether a comparison holds, or why that is unknown.
pub(super) type Outcome = Result<bool, Reason>;

/// What keeps a comparison from a result, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) at: At,
    pub(super) flaw: Flaw,
}

/// Where a flaw lies, seen from the path of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// At the path.
    Value,
    /// Above it: so many segments from the root.
    Parent(u8),
    /// At an element of the list that the path names.
    Element(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// There is nothing.
    Missing,
    /// There is something of another type.
    Type { found: Kind, wanted: Wanted },
    /// A list without elements gives its operator nothing to judge.
    EmptyList,
    /// Text past the bound that operators read.
    TooLong,
    /// Text that does not spell what is wanted.
    Form(Wanted),
    /// The automaton of the pattern could not be built.
    Unmatchable,
}

/// What an operator takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Kind(Kind),
    ListOrString,
    Time,
    Version,
    Address,
}

impl Wanted {
    /// What is wanted in words with an article.
    fn as_str(self) -> &'static str {
        match self {
            Wanted::Kind(kind) => kind.as_str(),
            Wanted::ListOrString => "a list or a string",
            Wanted::Time => "an RFC 3339 time",
            Wanted::Version => "a semantic version",
            Wanted::Address => "an IP address",
        }
    }
}

impl Flaw {
    /// The flaw of a value that is not `wanted`.
    pub(super) fn of_type(value: &Value<'_>, wanted: Wanted) -> Self {
        Flaw::Type {
            found: value.kind_of(),
            wanted,
        }
    }
}

impl From<Flaw> for Reason {
    fn from(flaw: Flaw) -> Self {
        Self {
            at: At::Value,
            flaw,
        }
    }
}

impl Reason {
    /// The reason in words that name the place.
    pub(super) fn describe(self, path: &Path) -> String {
        let place = match self.at {
            At::Value => format!("`{path}`"),
            At::Parent(depth) => format!("`{}`", path.parent(depth.into())),
            At::Element(index) => format!("`{path}[{index}]`"),
        };
        match self.flaw {
            Flaw::Missing => format!("{place} is missing"),
            Flaw::Type {
                found: Kind::Null,
                wanted: _,
            } => format!("{place} is null"),
            Flaw::Type { found, wanted } => {
                format!("{place} is {}, not {}", found.as_str(), wanted.as_str())
            }
            Flaw::EmptyList => format!("{place} is an empty list"),
            Flaw::TooLong => format!("{place} is longer than {TEXT_BYTES} bytes"),
            Flaw::Form(wanted) => format!("{place} is not {}", wanted.as_str()),
            Flaw::Unmatchable => format!("{place} meets a pattern that is too large to build"),
        }
    }
}
