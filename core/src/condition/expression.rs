//! Regular expressions whose size is checked when they are read, and whose automaton is built when first asked.
//!
//! Building one takes many times longer than checking it, and most policies of a manifest are compared, exported or
//! printed without ever being asked about an action.

use std::sync::OnceLock;

use regex_automata::meta;
use regex_automata::nfa::thompson;
use regex_syntax::hir::{Hir, Look};

use crate::limits::COMPILED_PATTERN_BYTES;

use super::Refusal;

/// Bytes that one direction of one search may cache. The default, eight times as much, is for a few expressions.
const CACHE_BYTES: usize = 256 * 1024;

/// How much of a text an expression must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Some part of it.
    Part,
    /// All of it.
    Whole,
}

/// A regular expression within its bound.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    pattern: Box<str>,
    extent: Extent,
    size: usize,
    automaton: OnceLock<Option<meta::Regex>>,
}

impl Expression {
    /// Checks the size of the automaton that `hir`, read from `pattern`, needs.
    pub(super) fn new(pattern: &str, hir: &Hir, extent: Extent) -> Result<Self, Refusal> {
        let limits = thompson::Config::new().nfa_size_limit(Some(COMPILED_PATTERN_BYTES));
        let built = thompson::Compiler::new()
            .configure(limits)
            .build_from_hir(hir);
        match built {
            Ok(automaton) => Ok(Self {
                pattern: pattern.into(),
                extent,
                size: automaton.memory_usage(),
                automaton: OnceLock::new(),
            }),
            Err(error) if error.size_limit().is_some() => Err(Refusal::new(
                "pattern is too large when compiled",
                "use fewer or smaller repetitions, and ASCII classes such as `[0-9A-Za-z_]` for `\\w`",
            )),
            Err(error) => Err(does_not_compile(&error.to_string())),
        }
    }

    /// Bytes of the automaton that reads forwards.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether the text matches; `None` if the automaton cannot be built after all.
    pub(super) fn is_match(&self, text: &str) -> Option<bool> {
        let automaton = self.automaton.get_or_init(|| self.build());
        automaton.as_ref().map(|automaton| automaton.is_match(text))
    }

    /// The expression as it was written.
    #[cfg(test)]
    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    fn build(&self) -> Option<meta::Regex> {
        let hir = parse(&self.pattern).ok()?;
        let hir = match self.extent {
            Extent::Part => hir,
            Extent::Whole => Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]),
        };
        // What is checked is the automaton that reads forwards. Those derived from it have no bound of their own.
        let limits = meta::Config::new()
            .nfa_size_limit(None)
            .hybrid_cache_capacity(CACHE_BYTES);
        meta::Regex::builder()
            .configure(limits)
            .build_from_hir(&hir)
            .ok()
    }
}

/// Reads the text of an expression.
pub(super) fn parse(pattern: &str) -> Result<Hir, Refusal> {
    regex_syntax::parse(pattern).map_err(|error| {
        let reason = match error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            other => other.to_string(),
        };
        does_not_compile(&reason)
    })
}

fn does_not_compile(reason: &str) -> Refusal {
    let line = reason.lines().next().unwrap_or_default();
    let line = line
        .split_once(", consider enabling")
        .map_or(line, |(first, _)| first);
    Refusal::new(
        format!("pattern does not compile: {line}"),
        "patterns are regular expressions without look-around and backreferences; `\\` escapes what is meant literally",
    )
}
