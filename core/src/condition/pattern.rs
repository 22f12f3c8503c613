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

    /// The matcher of a pattern; `None` if [`matches_verbatim`] needs none.
    pub(super) fn compile(
        &self,
        syntax: Syntax,
        pattern: &str,
    ) -> Result<Option<Matcher>, Refusal> {
        check_length(pattern)?;
        if is_verbatim(syntax, pattern) {
            return Ok(None);
        }
        let (_, matcher) = self.share(syntax, pattern)?;
        Ok(Some(matcher))
    }

    /// The text of a pattern and its matcher, both shared; what was refused once is refused again without a second look.
    pub(super) fn share(
        &self,
        syntax: Syntax,
        pattern: &str,
    ) -> Result<(Arc<str>, Matcher), Refusal> {
        check_length(pattern)?;
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

fn check_length(pattern: &str) -> Result<(), Refusal> {
    if pattern.len() > PATTERN_BYTES {
        return Err(Refusal::new(
            format!("pattern is longer than {PATTERN_BYTES} bytes"),
            "split it into several rules",
        ));
    }
    Ok(())
}

/// The matcher of an expression.
pub(super) fn expression(pattern: &str, extent: Extent) -> Result<Matcher, Refusal> {
    let hir = expression::parse(pattern)?;
    if let Some(comparison) = literal(&hir, extent) {
        return Ok(comparison);
    }
    let expression = Expression::new(pattern, &hir, extent)?;
    Ok(Matcher::Expression(Arc::new(expression)))
}

/// Whether a pattern is an expression where nothing but its anchors has a meaning of its own: what [`literal`] finds in
/// it then stands in its text.
fn is_verbatim(syntax: Syntax, pattern: &str) -> bool {
    let (_, _, part) = anchored(syntax, pattern);
    let is_special = |byte| br"\.+*?()|[]{}^$".contains(byte);
    syntax != Syntax::Glob && !part.iter().any(is_special)
}

/// Whether a text looks as an expression says in which nothing but its anchors has a meaning of its own.
#[inline]
pub(super) fn matches_verbatim(syntax: Syntax, pattern: &str, text: &str) -> bool {
    match anchored(syntax, pattern) {
        (true, true, whole) => text.as_bytes() == whole,
        (true, false, prefix) => text.as_bytes().starts_with(prefix),
        (false, true, suffix) => text.as_bytes().ends_with(suffix),
        // Without anchors it is all of the pattern.
        (false, false, _) => text.contains(pattern),
    }
}

/// Whether an expression holds at the start and at the end of a text alone, and what stands between its anchors.
#[inline]
fn anchored(syntax: Syntax, pattern: &str) -> (bool, bool, &[u8]) {
    let whole = syntax == Syntax::FullMatch;
    match pattern.as_bytes() {
        [b'^', part @ .., b'$'] => (true, true, part),
        [b'^', part @ ..] => (true, whole, part),
        [part @ .., b'$'] => (whole, true, part),
        part => (whole, whole, part),
    }
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
    let text = text.into();
    Some(match (from_start, to_end) {
        (true, true) => Matcher::Equals(text),
        (true, false) => Matcher::Prefix(text),
        (false, true) => Matcher::Suffix(text),
        (false, false) => Matcher::Contains(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(syntax: Syntax, pattern: &str) -> String {
        match Patterns::default().share(syntax, pattern) {
            Err(refusal) => refusal.message,
            Ok((_, matcher)) => match matcher {
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
        assert!(is_verbatim(Syntax::Search, "^main$"));
        assert!(!is_verbatim(Syntax::Search, "ma.n"));
        assert!(!is_verbatim(Syntax::Glob, "main"));
        let texts = [
            "", "^", "$", "^$", "$^", "^^", "$$", "main", "^main$", "release/", "^é", "日本$",
            "a b", "#&-~", "a-z", "<!=:>", "'\"`@%,;", "\n", "\t$", "a^b", "a$b", "a\\", "a.b",
            "a*", "a+", "a?", "(a)", "[a]", "{1}", "a|b",
        ];
        let patterns = [
            (Syntax::Search, Extent::Part),
            (Syntax::FullMatch, Extent::Whole),
        ]
        .into_iter()
        .flat_map(|kind| texts.map(|pattern| (kind, pattern)));
        for ((syntax, extent), pattern) in patterns {
            if !is_verbatim(syntax, pattern) {
                continue;
            }
            let hir = expression::parse(pattern).unwrap();
            let read = literal(&hir, extent).unwrap();
            let (_, _, part) = anchored(syntax, pattern);
            let part = std::str::from_utf8(part).unwrap();
            let around = ["", "x"].map(|end| format!("x{part}{end}"));
            for text in around.iter().map(String::as_str).chain([part]).chain(texts) {
                assert_eq!(
                    read.matches(text),
                    Some(matches_verbatim(syntax, pattern, text)),
                    "{pattern:?} {text:?}"
                );
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
            let compiled = Patterns::default().compile(Syntax::FullMatch, pattern);
            let matched = match compiled.unwrap() {
                None => Some(matches_verbatim(Syntax::FullMatch, pattern, text)),
                Some(matcher) => matcher.matches(text),
            };
            assert_eq!(matched, Some(expected), "{pattern:?} {text:?}");
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
        let compile = |syntax| patterns.compile(syntax, "a.c").unwrap().unwrap();
        let first = compile(Syntax::Search);
        let again = compile(Syntax::Search);
        let other = compile(Syntax::FullMatch);
        assert!(is_same(&first, &again));
        assert!(!is_same(&first, &other));
    }
}
