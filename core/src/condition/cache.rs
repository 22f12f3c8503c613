//! What one run compiles once and shares: patterns, and whole conditions of the same text.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

use crate::findings::Sink;

use super::Conditions;
use super::pattern::Patterns;
use super::shared::Shared;

/// Patterns and conditions that a run has compiled, for all its threads.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    pub(super) patterns: Patterns,
    conditions: Shared<ByText, ()>,
}

impl Cache {
    /// The conditions of that text; whatever is wrong with them goes to the sink, with spans in `text`. `None` if an
    /// error is among it.
    pub(crate) fn conditions(&self, text: &str, sink: &mut Sink<'_>) -> Option<Conditions> {
        if let Some((ByText(known), ())) = self.conditions.get(text) {
            return Some(known);
        }
        let findings = sink.findings.count();
        let compiled = Conditions::compile(text, &self.patterns, sink)?;
        // A warning is given for every policy anew, where it stands.
        if sink.findings.count() > findings {
            return Some(compiled);
        }
        let (ByText(kept), ()) = self.conditions.keep(ByText(compiled), ());
        Some(kept)
    }
}

/// Conditions that are told apart by their text alone.
#[derive(Debug, Clone)]
struct ByText(Conditions);

impl Borrow<str> for ByText {
    fn borrow(&self) -> &str {
        self.0.text()
    }
}

impl PartialEq for ByText {
    fn eq(&self, other: &Self) -> bool {
        self.0.text() == other.0.text()
    }
}

impl Eq for ByText {}

impl Hash for ByText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::findings::{Findings, Nowhere};

    /// Compiles a text twice in one run: both results, and how much was reported.
    fn twice(text: &str) -> (Option<Conditions>, Option<Conditions>, usize) {
        let cache = Cache::default();
        let mut findings = Findings::default();
        let mut sink = Sink {
            code: Code::PolicyCompileError,
            policy: None,
            text: &Nowhere,
            findings: &mut findings,
        };
        let first = cache.conditions(text, &mut sink);
        let second = cache.conditions(text, &mut sink);
        (first, second, findings.count())
    }

    #[test]
    fn equal_texts_are_compiled_once() {
        let (first, second, findings) =
            twice("logic: all\nrules: [{field: a, operator: eq, value: 1}]");
        assert!(std::ptr::eq(first.unwrap().root(), second.unwrap().root()));
        assert_eq!(findings, 0);
    }

    #[test]
    fn what_is_reported_is_reported_each_time() {
        let (first, second, findings) = twice("logic: all\nrules: [{field: a, operator: exists}]");
        assert_eq!(first, second);
        assert_eq!(findings, 2, "a warning each time");

        let (first, second, findings) = twice("logic: all\nrules: []");
        assert_eq!((first, second), (None, None));
        assert_eq!(findings, 2, "an error each time");
    }
}
