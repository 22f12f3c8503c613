//! Everything that one run finds, with its places.

use crate::error::{Code, Diagnostic, Kind, Lint, Related};
use crate::limits::DIAGNOSTICS;
use crate::source::{Place, Source, Span};

/// Turns spans into places of the file: the whole text, or a text inside a scalar of it.
pub(crate) trait Locate {
    /// The place; `None` for data that stands in no text.
    fn locate(&self, span: Span) -> Option<Place>;
}

impl Locate for Source<'_> {
    fn locate(&self, span: Span) -> Option<Place> {
        Some(self.place(span))
    }
}

/// Data that stands in no text, such as a row of a store.
pub(crate) struct Nowhere;

impl Locate for Nowhere {
    fn locate(&self, _: Span) -> Option<Place> {
        None
    }
}

/// Collects the findings of one run: at most [`DIAGNOSTICS`] errors, and as many warnings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    shown: Vec<Diagnostic>,
    errors: Count,
    warnings: Count,
}

/// How many findings of one severity there are.
#[derive(Debug, Default)]
struct Count {
    all: usize,
    /// The kind of the first that is not shown.
    left_out: Option<Kind>,
}

impl Findings {
    /// How many errors were reported so far, those that are not shown included.
    pub(crate) fn errors(&self) -> usize {
        self.errors.all
    }

    /// How many errors and warnings were reported so far.
    pub(crate) fn count(&self) -> usize {
        self.errors.all + self.warnings.all
    }

    /// Counts a finding, and says whether it is to be shown: what is not need not be put into words.
    fn admits(&mut self, kind: Kind) -> bool {
        // Counted apart: warnings never push an error out.
        let count = match kind {
            Kind::Error(_) => &mut self.errors,
            Kind::Warning(_) => &mut self.warnings,
        };
        count.all += 1;
        if count.all > DIAGNOSTICS {
            count.left_out.get_or_insert(kind);
        }
        count.all <= DIAGNOSTICS
    }

    /// Adds what a part of the run found, as if it had been reported here.
    pub(crate) fn absorb(&mut self, part: Findings) {
        for diagnostic in part.shown {
            if self.admits(diagnostic.kind) {
                self.shown.push(diagnostic);
            }
        }
        let counts = [
            (&mut self.errors, part.errors),
            (&mut self.warnings, part.warnings),
        ];
        for (count, part) in counts {
            count.all += part.all.saturating_sub(DIAGNOSTICS);
            count.left_out = count.left_out.or(part.left_out);
        }
    }

    /// The findings in file order.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.shown.sort_by_key(Diagnostic::offset);
        self.in_order_of_report()
    }

    /// The findings as they were reported; last ones say that there are more errors or warnings.
    pub(crate) fn in_order_of_report(mut self) -> Vec<Diagnostic> {
        for (count, what) in [(self.errors, "errors"), (self.warnings, "warnings")] {
            if let Some(kind) = count.left_out {
                let message = format!("more {what} are not shown; mend these first");
                self.shown.push(Diagnostic::new(kind, message));
            }
        }
        self.shown
    }
}

/// Where findings of one part of a document go: what code they carry, which policy, which text.
pub(crate) struct Sink<'s> {
    pub(crate) code: Code,
    pub(crate) policy: Option<String>,
    pub(crate) text: &'s dyn Locate,
    pub(crate) findings: &'s mut Findings,
}

impl Sink<'_> {
    /// Reports an error at `span`.
    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.report(Kind::Error(self.code), span, message.into(), None, None);
    }

    /// Reports an error at `span` with its fix.
    pub(crate) fn error_help(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let help = Some(help.into());
        self.report(Kind::Error(self.code), span, message.into(), help, None);
    }

    /// Reports a warning at `span`.
    pub(crate) fn warning(
        &mut self,
        lint: Lint,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let help = Some(help.into());
        self.report(Kind::Warning(lint), span, message.into(), help, None);
    }

    /// Reports an error at `span` together with the place it collides with.
    pub(crate) fn duplicate(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
        first: (Span, String),
    ) {
        self.report(
            Kind::Error(self.code),
            span,
            message.into(),
            help,
            Some(first),
        );
    }

    fn report(
        &mut self,
        kind: Kind,
        span: Span,
        message: String,
        help: Option<String>,
        first: Option<(Span, String)>,
    ) {
        if !self.findings.admits(kind) {
            return;
        }
        let related = first.map(|(span, message)| Related {
            message,
            file: None,
            place: self.text.locate(span),
        });
        self.findings.shown.push(Diagnostic {
            kind,
            message,
            policy: self.policy.clone(),
            file: None,
            place: self.text.locate(span),
            help,
            related: related.into_iter().collect(),
        });
    }
}

/// `did you mean` for a misspelt word, if one of the known words is near.
pub(crate) fn suggestion<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    if word.chars().count() > 64 {
        return None;
    }
    let lower = word.to_ascii_lowercase().replace(['-', ' '], "_");
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() + 1) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink(findings: &mut Findings) -> Sink<'_> {
        Sink {
            code: Code::PolicyCompileError,
            policy: None,
            text: &Nowhere,
            findings,
        }
    }

    /// The code and the message of the findings from the bound on.
    fn last(findings: Findings) -> Vec<(&'static str, String)> {
        let all = findings.finish().into_iter();
        all.skip(DIAGNOSTICS)
            .map(|d| (d.kind.as_str(), d.message))
            .collect()
    }

    #[test]
    fn warnings_beyond_the_bound_are_no_error_and_hide_none() {
        let mut findings = Findings::default();
        for _ in 0..DIAGNOSTICS + 2 {
            sink(&mut findings).warning(Lint::PresenceTest, Span::default(), "w", "h");
        }
        sink(&mut findings).error(Span::default(), "e");
        assert_eq!(findings.errors(), 1);
        assert_eq!(
            last(findings),
            [
                ("POLICY_COMPILE_ERROR", "e".to_owned()),
                (
                    "PRESENCE_TEST",
                    "more warnings are not shown; mend these first".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn errors_beyond_the_bound_are_counted() {
        let mut findings = Findings::default();
        for _ in 0..=DIAGNOSTICS {
            sink(&mut findings).error(Span::default(), "e");
        }
        assert_eq!(findings.errors(), DIAGNOSTICS + 1);
        let message = "more errors are not shown; mend these first".to_owned();
        assert_eq!(last(findings), [("POLICY_COMPILE_ERROR", message)]);
    }

    #[test]
    fn suggestions_are_near() {
        let rows = [
            ("regx", Some("regex")),
            ("al", Some("all")),
            ("some", None),
            ("not-in", Some("not_in")),
            ("policys", Some("policies")),
            ("x", None),
        ];
        for (word, expected) in rows {
            let known = ["all", "any", "none", "regex", "not_in", "policies"];
            assert_eq!(suggestion(word, known), expected, "{word}");
        }
    }
}
