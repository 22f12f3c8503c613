//! Conditions: rules over the fields of an action, in three-valued logic.
//!
//! A text is read into a tree of groups and comparisons (`parse`, `operand`, `ast`) whose operands are checked and made
//! ready once (`expected`). `evaluate` and `judge` then judge actions, as often as asked; `joint` judges an action by several
//! documents at once. What an operator is stands in one table, [`Operator`].
//!
//! ```
//! use lattice_core::condition::{Conditions, Truth};
//! use lattice_core::Action;
//!
//! let conditions = Conditions::parse("logic: all\nrules:\n  - {field: pr_size, operator: lt, value: 100}\n")?;
//! let small = Action::parse(br#"{"action_type": "code.merge", "metadata": {"pr_size": 12}}"#)?;
//! let silent = Action::parse(br#"{"action_type": "code.merge"}"#)?;
//!
//! assert_eq!(conditions.test(&small), Truth::True);
//! let (result, trace) = conditions.evaluate(&silent);
//! assert_eq!(result, Truth::Unknown);
//! assert_eq!(trace[0].reason.as_deref(), Some("`pr_size` is missing"));
//! # Ok::<(), lattice_core::Error>(())
//! ```

mod allow_list;
mod ast;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod cache;
mod evaluate;
mod expected;
mod expression;
mod fold;
mod glob;
mod joint;
mod judge;
mod operand;
mod operator;
mod parse;
mod path;
mod pattern;
mod reason;
mod shared;
mod truth;

use std::sync::Arc;

use crate::action::{Action, Lookup};
use crate::error::{Code, Error};
use crate::findings::{Findings, Sink};
use crate::limits::TRACE_BYTES;
use crate::source::Source;

use pattern::Patterns;

pub use allow_list::AllowList;
pub use ast::{Comparison, Group, Logic, Rule};
pub(crate) use cache::Cache;
pub(crate) use evaluate::Fields;
pub use evaluate::Trace;
use evaluate::{Bare, Tracer};
pub use glob::Glob;
pub(crate) use joint::Joint;
pub use operator::{Operator, ValueType};
pub use path::Path;
pub(crate) use path::Root;
pub use truth::Truth;

/// Compiled conditions; clones share. Two are equal if their canonical trees are, whatever their texts look like.
#[derive(Debug, Clone)]
pub struct Conditions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: Box<str>,
    root: Group,
}

impl Conditions {
    /// Compiles a conditions document.
    ///
    /// # Errors
    ///
    /// `POLICY_COMPILE_ERROR` with everything that is wrong in the text, in its order.
    pub fn parse(text: &str) -> Result<Self, Error> {
        in_one_piece(text, |sink| Self::compile(text, &Patterns::default(), sink))
    }

    /// Compiles the bytes of a conditions document.
    ///
    /// # Errors
    ///
    /// `POLICY_COMPILE_ERROR` as for [`Conditions::parse`], and for what is not UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Error::new(Code::PolicyCompileError, "the text is not UTF-8")
                .with_help("save the file as UTF-8")
        })?;
        Self::parse(text)
    }

    /// Compiles a conditions document, its patterns shared with others of the run. Everything that is wrong goes to
    /// the sink, with spans in `text`; `None` if an error is among it.
    fn compile(text: &str, patterns: &Patterns, sink: &mut Sink<'_>) -> Option<Self> {
        let errors = sink.findings.errors();
        let document = parse::read(text, sink)?;
        let compiled = Self::of_document(text, &document, patterns, sink);
        compiled.filter(|_| sink.findings.errors() == errors)
    }

    /// Compiles a conditions document that was read from `text`.
    fn of_document(
        text: &str,
        document: &parse::Document<'_>,
        patterns: &Patterns,
        sink: &mut Sink<'_>,
    ) -> Option<Self> {
        let root = parse::compile(document, patterns, sink)?;
        Some(Self(Arc::new(Inner {
            text: text.into(),
            root,
        })))
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// How many comparisons there are, at any depth.
    pub(crate) fn comparisons(&self) -> usize {
        self.root().comparisons as usize
    }

    /// The outermost group.
    pub fn root(&self) -> &Group {
        &self.0.root
    }

    /// The result for an action, without a trace: rules that can no longer change it are skipped.
    pub fn test(&self, action: &Action) -> Truth {
        let find = |comparison: &Comparison| action.lookup(&comparison.path).value();
        self.root().evaluate(&mut Bare(find))
    }

    /// The result for an action, and the outcome of every comparison in document order.
    pub fn evaluate<'a>(&'a self, action: &'a Action) -> (Truth, Vec<Trace<'a>>) {
        let mut traces = Vec::with_capacity(self.comparisons());
        let left = &mut { TRACE_BYTES };
        let write = |trace| traces.push(trace);
        let result = self.trace_in(&Fields::Of(action), left, write);
        (result, traces)
    }

    /// [`Conditions::test`] over fields that were found before, one for each comparison.
    pub(crate) fn test_found(&self, found: &[Lookup<'_>]) -> Truth {
        self.root().evaluate(&mut Bare(|comparison: &Comparison| {
            let found = found.get(comparison.ordinal as usize);
            found.and_then(Lookup::value)
        }))
    }

    /// [`Conditions::evaluate`] over an action or fields that were found before: values are handed on as long as
    /// `left` has room for them.
    pub(crate) fn trace_in<'a>(
        &'a self,
        fields: &Fields<'_, 'a>,
        left: &mut usize,
        write: impl FnMut(Trace<'a>),
    ) -> Truth {
        self.root().evaluate(&mut Tracer {
            fields,
            left,
            write,
        })
    }
}

/// What is made of a text that stands alone, or all that is wrong with it.
fn in_one_piece<T>(text: &str, make: impl FnOnce(&mut Sink<'_>) -> Option<T>) -> Result<T, Error> {
    let source = Source::new(text);
    let mut findings = Findings::default();
    let result = make(&mut Sink {
        code: Code::PolicyCompileError,
        policy: None,
        text: &source,
        findings: &mut findings,
    });
    result.ok_or_else(|| {
        Error::from_diagnostics(findings.finish()).unwrap_or_else(|| {
            Error::new(Code::Internal, "conditions were refused without a reason")
        })
    })
}

impl PartialEq for Conditions {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.text() == other.text() || self.root() == other.root()
    }
}

impl Eq for Conditions {}

/// Why a part of a document is refused, and the fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Refusal {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }
}
