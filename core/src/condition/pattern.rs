//! Patterns over text: regular expressions and globs, compiled once per run and turned into plain comparisons
//! wherever they say no more than one.

use std::sync::Arc;

use regex_syntax::hir::{Hir, HirKind, Look};

use crate::limits::PATTERN_BYTES;

use super::expression::{self, Expression, Extent};
use super::path::Path;
use super::shared::Shared;
use super::{Refusal, glob};

/// What a text must look like; clones share.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    /// It is this text.
    Equals(Arc<str>),
    /// It begins with this text.
    Prefix(Arc<str>),
    /// It ends with this text.
    Suffix(Arc<str>),
    /// It holds this text.
    Contains(Arc<str>),
    /// It begins with this text, and no `/` follows.
    Child(Arc<str>),
    /// It matches this expression.
    Expression(Arc<Expression>),
}

impl Matcher {
    /// Bytes of the automaton that it needs; none for a comparison.
    pub(super) fn size(&self) -> usize {
        match self {
            Matcher::Expression(expression) => expression.size(),
            Matcher::Equals(_)
            | Matcher::Prefix(_)
            | Matcher::Suffix(_)
            | Matcher::Contains(_)
            | Matcher::Child(_) => 0,
        }
    }

    /// Whether the text looks so; `None` if that cannot be told.
    #[inline]
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        Some(match self {
            Matcher::Equals(whole) => text == &**whole,
            Matcher::Prefix(prefix) => text.starts_with(&**prefix),
            Matcher::Suffix(suffix) => text.ends_with(&**suffix),
            Matcher::Contains(part) => text.contains(&**part),
            Matcher::Child(prefix) => {
                let rest = text.strip_prefix(&**prefix);
                rest.is_some_and(|rest| !rest.contains('/'))
            }
            Matcher::Expression(expression) => return expression.is_match(text),
        })
    }
}

/// How a pattern is written, and how much of the text it must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// A regular expression that matches somewhere.
    Search,
    /// A regular expression that matches the whole text.
    FullMatch,
    /// A glob.
    Glob,
}

type Compiled = Result<Matcher, Refusal>;

/// What became of patterns, by their texts.
type Known = Shared<Arc<str>, Compiled>;

/// Patterns and paths read once per run, shared by text.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    paths: Shared<Box<str>, Arc<Path>>,
    search: Known,
    full_match: Known,
    glob: Known,
}

impl Patterns {
    /// The path of a text.
    pub(super) fn path(&self, text: &str) -> Result<Arc<Path>, Refusal> {
        if let Some((_, path)) = self.paths.get(text) {
            return Ok(path);
        }
        let path = Arc::new(Path::read(text)?);
        Ok(self.paths.keep(text.into(), path).1)
    }

    /// The matcher of a pattern; what was refused once is refused again without a second look.
    pub(super) fn compile(&self, syntax: Syntax, pattern: &str) -> Compiled {
        self.share(syntax, pattern).map(|(_, matcher)| matcher)
    }

    /// The text of a pattern and its matcher, both shared.
    pub(super) fn share(
        &self,
        syntax: Syntax,
        pattern: &str,
    ) -> Result<(Arc<str>, Matcher), Refusal> {
        if pattern.len() > PATTERN_BYTES {
            return Err(Refusal::new(
                format!("pattern is longer than {PATTERN_BYTES} bytes"),
                "split it into several rules",
            ));
        }
        let known = match syntax {
            Syntax::Search => &self.search,
            Syntax::FullMatch => &self.full_match,
            Syntax::Glob => &self.glob,
        };
        if let Some((text, compiled)) = known.get(pattern) {
            return compiled.map(|matcher| (text, matcher));
        }
        let compiled = match syntax {
            Syntax::Search => expression(pattern, Extent::Part),
            Syntax::FullMatch => expression(pattern, Extent::Whole),
            Syntax::Glob => glob::matcher(pattern),
        };
        let (text, compiled) = known.keep(pattern.into(), compiled);
        compiled.map(|matcher| (text, matcher))
    }
}

/// The matcher of an expression.
pub(super) fn expression(pattern: &str, extent: Extent) -> Result<Matcher, Refusal> {
    if let Some(comparison) = verbatim(pattern, extent) {
        return Ok(comparison);
    }
    let hir = expression::parse(pattern)?;
    if let Some(comparison) = literal(&hir, extent) {
        return Ok(comparison);
    }
    let expression = Expression::new(pattern, &hir, extent)?;
    Ok(Matcher::Expression(Arc::new(expression)))
}

/// What [`literal`] finds, without reading the expression, where nothing but its anchors has a meaning of its own.
fn verbatim(pattern: &str, extent: Extent) -> Option<Matcher> {
    let whole = extent == Extent::Whole;
    let (from_start, rest) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (whole, pattern),
    };
    let (to_end, text) = match rest.strip_suffix('$') {
        Some(text) => (true, text),
        None => (whole, rest),
    };
    let is_special = |byte| br"\.+*?()|[]{}^$".contains(&byte);
    let is_verbatim = !text.bytes().any(is_special);
    is_verbatim.then(|| comparison(from_start, to_end, text))
}

/// The comparison that an expression of literal text and anchors amounts to.
fn literal(hir: &Hir, extent: Extent) -> Option<Matcher> {
    let alone = std::slice::from_ref(hir);
    let mut parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => alone,
    };
    let mut from_start = extent == Extent::Whole;
    let mut to_end = extent == Extent::Whole;
    if let [first, rest @ ..] = parts
        && matches!(first.kind(), HirKind::Look(Look::Start))
    {
        (from_start, parts) = (true, rest);
    }
    if let [rest @ .., last] = parts
        && matches!(last.kind(), HirKind::Look(Look::End))
    {
        (to_end, parts) = (true, rest);
    }
    let bytes: &[u8] = match parts {
        [] => b"",
        [part] => match part.kind() {
            HirKind::Empty => b"",
            HirKind::Literal(literal) => &literal.0,
            _ => return None,
        },
        _ => return None,
    };
    let text = std::str::from_utf8(bytes).ok()?;
    Some(comparison(from_start, to_end, text))
}

fn comparison(from_start: bool, to_end: bool, text: &str) -> Matcher {
    match (from_start, to_end) {
        (true, true) => Matcher::Equals(text.into()),
        (true, false) => Matcher::Prefix(text.into()),
        (false, true) => Matcher::Suffix(text.into()),
        (false, false) => Matcher::Contains(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(syntax: Syntax, pattern: &str) -> String {
        match Patterns::default().compile(syntax, pattern) {
            Err(refusal) => refusal.message,
            Ok(matcher) => match matcher {
                Matcher::Equals(text) => format!("= {text}"),
                Matcher::Prefix(text) => format!("{text}…"),
                Matcher::Suffix(text) => format!("…{text}"),
                Matcher::Contains(text) => format!("…{text}…"),
                Matcher::Child(text) => format!("{text}*"),
                Matcher::Expression(expression) => format!("~ {}", expression.pattern()),
            },
        }
    }

    #[test]
    fn literal_expressions_need_no_automaton() {
        use Syntax::{FullMatch, Search};
        let rows = [
            (Search, "^main$", "= main"),
            (Search, "^release/", "release/…"),
            (Search, "foo", "…foo…"),
            (Search, r"\.md$", "….md"),
            (Search, r"\Aa\.b\z", "= a.b"),
            (Search, "", "……"),
            (Search, "^", "…"),
            (Search, "^$", "= "),
            (FullMatch, "main", "= main"),
            (FullMatch, "^main$", "= main"),
            (FullMatch, "", "= "),
            (Search, "(?m)^main$", "~ (?m)^main$"),
            (Search, "(?i)main", "~ (?i)main"),
            (Search, "ma.n", "~ ma.n"),
            (Search, "$^", "~ $^"),
            (FullMatch, "ma.n", "~ ma.n"),
            (FullMatch, "a|ab", "~ a|ab"),
            (FullMatch, "(?x) a. # c", "~ (?x) a. # c"),
        ];
        for (syntax, pattern, expected) in rows {
            assert_eq!(shape(syntax, pattern), expected, "{pattern:?}");
        }
    }

    #[test]
    fn what_is_taken_verbatim_reads_the_same() {
        assert!(verbatim("^main$", Extent::Part).is_some());
        assert!(verbatim("ma.n", Extent::Part).is_none());
        let texts = [
            "", "^", "$", "^$", "$^", "^^", "$$", "main", "^main$", "release/", "^é", "日本$",
            "a b", "#&-~", "a-z", "<!=:>", "'\"`@%,;", "\n", "\t$", "a^b", "a$b", "a\\", "a.b",
            "a*", "a+", "a?", "(a)", "[a]", "{1}", "a|b",
        ];
        for text in texts {
            for extent in [Extent::Part, Extent::Whole] {
                let hir = expression::parse(text);
                let read = hir.ok().and_then(|hir| literal(&hir, extent));
                if let Some(taken) = verbatim(text, extent) {
                    assert_eq!(format!("{read:?}"), format!("Some({taken:?})"), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn refusals() {
        use Syntax::{FullMatch, Search};
        let long = "a".repeat(PATTERN_BYTES + 1);
        let rows = [
            (Search, "(foo", "pattern does not compile: unclosed group"),
            (
                FullMatch,
                "a)(b",
                "pattern does not compile: unopened group",
            ),
            (
                Search,
                "[a",
                "pattern does not compile: unclosed character class",
            ),
            (
                Search,
                r"\p{Nope}",
                "pattern does not compile: Unicode property not found",
            ),
            (
                Search,
                r"(?-u:\xFF)",
                "pattern does not compile: pattern can match invalid UTF-8",
            ),
            (
                Search,
                "(?=a)",
                "pattern does not compile: look-around, including look-ahead and look-behind, is not supported",
            ),
            (Search, r"\w{1000}", "pattern is too large when compiled"),
            (
                Search,
                r"((a{100}){100}){100}",
                "pattern is too large when compiled",
            ),
            (Search, &long, "pattern is longer than 4096 bytes"),
            (Syntax::Glob, &long, "pattern is longer than 4096 bytes"),
        ];
        for (syntax, pattern, expected) in rows {
            assert_eq!(shape(syntax, pattern), expected, "{pattern:?}");
        }
    }

    #[test]
    fn whole_matches() {
        let rows = [
            ("a|ab", "ab", true),
            ("a|ab", "abc", false),
            ("a", "a\n", false),
            ("(?m)a$", "a\nb", false),
            ("(?x) a. # comment", "ab", true),
            ("(?x) a. # comment", "ab ", false),
            ("(?i)ab.", "ABc", true),
            ("^a.$", "ab", true),
        ];
        for (pattern, text, expected) in rows {
            let matcher = Patterns::default()
                .compile(Syntax::FullMatch, pattern)
                .unwrap();
            assert_eq!(
                matcher.matches(text),
                Some(expected),
                "{pattern:?} {text:?}"
            );
        }
    }

    fn is_same(one: &Matcher, other: &Matcher) -> bool {
        match (one, other) {
            (Matcher::Expression(one), Matcher::Expression(other)) => Arc::ptr_eq(one, other),
            _ => panic!("{one:?} and {other:?} are to be expressions"),
        }
    }

    #[test]
    fn equal_patterns_are_shared() {
        let patterns = Patterns::default();
        let first = patterns.compile(Syntax::Search, "a.c").unwrap();
        let again = patterns.compile(Syntax::Search, "a.c").unwrap();
        let other = patterns.compile(Syntax::FullMatch, "a.c").unwrap();
        assert!(is_same(&first, &again));
        assert!(!is_same(&first, &other));
    }
}
