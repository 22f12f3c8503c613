//! What one run compiles once and shares: patterns, lists of them, and whole conditions of the same text.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::findings::Sink;

use super::pattern::Patterns;
use super::shared::Shared;
use super::{AllowList, Conditions, Glob};

/// Patterns, lists and conditions that a run has compiled, for all its threads.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    pub(super) patterns: Patterns,
    lists: Shared<ByGlobs, ()>,
    conditions: Shared<ByText, ()>,
}

impl Cache {
    /// The set of these globs.
    pub(crate) fn allow_list(&self, mut globs: Vec<Glob>) -> Arc<AllowList> {
        globs.sort_unstable_by(|a, b| a.text().cmp(b.text()));
        globs.dedup();
        if let Some((ByGlobs(known), ())) = self.lists.get(globs.as_slice()) {
            return known;
        }
        let list = ByGlobs(Arc::new(AllowList::of(globs)));
        let (ByGlobs(kept), ()) = self.lists.keep(list, ());
        kept
    }

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

/// A list that is looked up by what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ByGlobs(Arc<AllowList>);

impl Borrow<[Glob]> for ByGlobs {
    fn borrow(&self) -> &[Glob] {
        self.0.patterns()
    }
}

impl Hash for ByGlobs {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.patterns().hash(state);
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
    fn equal_lists_are_kept_once() {
        let cache = Cache::default();
        let list = |texts: &[&str]| {
            let globs = texts.iter().map(|text| Glob::compile(text, &cache));
            cache.allow_list(globs.collect::<Result<_, _>>().unwrap())
        };
        let first = list(&["main", "agent/**"]);
        assert_eq!(first.texts().collect::<Vec<_>>(), ["agent/**", "main"]);
        assert!(Arc::ptr_eq(&first, &list(&["agent/**", "main", "main"])));
        assert!(!Arc::ptr_eq(&first, &list(&["main"])));
        assert!(list(&[]).patterns().is_empty());
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
