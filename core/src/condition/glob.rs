//! Globs over whole texts whose segments end at `/`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::value::Text;

use super::expression::Extent;
use super::pattern::{self, Matcher, Syntax};
use super::{Cache, Refusal};

/// A glob of an allow-list or a rule: `acme/*`, `release/**`.
///
/// It matches whole texts, case-sensitively. `*` is any run of characters but `/`, `**` as a whole segment is any
/// run of segments, `?` one character but `/`, and `\` takes the next character literally.
#[derive(Debug, Clone)]
pub struct Glob {
    text: Text,
    matcher: Matcher,
}

impl Glob {
    /// Compiles a glob; the error is a message and, where there is one, the fix.
    pub(crate) fn compile(text: &str, cache: &Cache) -> Result<Self, Refusal> {
        let (text, matcher) = cache.patterns.share(Syntax::Glob, text)?;
        Ok(Self {
            text: text.into(),
            matcher,
        })
    }

    /// The glob as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn shared_text(&self) -> Text {
        self.text.clone()
    }

    /// Bytes of the automaton that it needs; none for a comparison.
    pub(crate) fn size(&self) -> usize {
        self.matcher.size()
    }

    /// Whether the glob matches the whole of `text`. The bound on texts is the caller's to check.
    pub fn matches(&self, text: &str) -> bool {
        // What cannot be told admits nothing.
        self.matcher.matches(text).unwrap_or(false)
    }
}

/// Globs are told apart by their texts.
impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

impl Hash for Glob {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// What a glob is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `/`
    Separator,
    /// `?`
    One,
    /// `*`
    Run,
    /// `**`, alone between separators.
    Segments,
}

/// The matcher of a glob.
pub(super) fn matcher(glob: &str) -> Result<Matcher, Refusal> {
    let tokens = tokens(glob)?;
    if let Some(literal) = literal(&tokens) {
        return Ok(literal);
    }
    pattern::expression(&expression(&tokens), Extent::Part)
}

fn tokens(glob: &str) -> Result<Vec<Token>, Refusal> {
    if glob.is_empty() {
        return Err(Refusal::new(
            "pattern is empty",
            "write `**` for any text, or remove the pattern",
        ));
    }
    let mut tokens = Vec::with_capacity(glob.len());
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '/' => Token::Separator,
            '?' => Token::One,
            '*' => Token::Run,
            '\\' => match chars.next() {
                Some('/') => Token::Separator,
                Some(escaped) => Token::Literal(escaped),
                None => {
                    return Err(Refusal::new(
                        "pattern ends in a lone `\\`",
                        "write `\\\\` for a backslash",
                    ));
                }
            },
            other => Token::Literal(other),
        });
    }
    let segments = tokens.split(|token| *token == Token::Separator);
    let mut joined = Vec::with_capacity(tokens.len());
    for (i, segment) in segments.enumerate() {
        if i > 0 {
            joined.push(Token::Separator);
        }
        if segment == [Token::Run, Token::Run] {
            joined.push(Token::Segments);
        } else if segment
            .windows(2)
            .any(|pair| pair == [Token::Run, Token::Run])
        {
            return Err(Refusal::new(
                "`**` is not alone in its segment",
                "write `*` for any run within a segment, `a/**` for everything below `a`, `\\*` for a star",
            ));
        } else {
            joined.extend_from_slice(segment);
        }
    }
    Ok(joined)
}

/// The comparison that a glob with one wildcard at its end, or with none, amounts to.
fn literal(tokens: &[Token]) -> Option<Matcher> {
    let (last, rest) = tokens.split_last()?;
    let text = |tokens: &[Token]| -> Option<Arc<str>> {
        let chars = tokens.iter().map(|token| match token {
            Token::Literal(c) => Some(*c),
            Token::Separator => Some('/'),
            Token::One | Token::Run | Token::Segments => None,
        });
        chars.collect::<Option<String>>().map(Arc::from)
    };
    match last {
        Token::Segments => text(rest).map(Matcher::Prefix),
        Token::Run => text(rest).map(Matcher::Child),
        Token::Literal(_) | Token::Separator | Token::One => text(tokens).map(Matcher::Equals),
    }
}

fn expression(tokens: &[Token]) -> String {
    let mut regex = String::from(r"(?s)\A");
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        match token {
            Token::Literal(c) => {
                regex.push_str(&regex_syntax::escape(c.encode_utf8(&mut [0; 4])));
            }
            Token::Separator => regex.push('/'),
            Token::One => regex.push_str("[^/]"),
            Token::Run => regex.push_str("[^/]*"),
            // In front of a separator it may stand for no segment, and then takes the separator with it.
            Token::Segments => match rest.next() {
                Some(_separator) => regex.push_str("(?:.*/)?"),
                None => regex.push_str(".*"),
            },
        }
    }
    regex.push_str(r"\z");
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches() {
        let rows: [(&str, &[&str], &[&str]); 24] = [
            ("main", &["main"], &["Main", "main/", "amain", ""]),
            (
                "acme/*",
                &["acme/api", "acme/"],
                &["acme", "acme/a/b", "xacme/a"],
            ),
            ("*", &["", "a", "a\nb"], &["a/b", "/"]),
            ("**", &["", "a", "a/b", "/"], &[]),
            ("a/**", &["a/", "a/b", "a/b/c"], &["a", "ab", "b/a/c"]),
            ("**/b", &["b", "a/b", "a/x/b", "/b"], &["ab", "b/", "a/xb"]),
            (
                "a/**/b",
                &["a/b", "a/x/b", "a/x/y/b", "a//b"],
                &["ab", "a/xb", "xa/b"],
            ),
            ("a/**/**/b", &["a/b", "a/x/b"], &["ab"]),
            ("**/**", &["", "a", "a/b"], &[]),
            (
                "**/*.rs",
                &["x.rs", "a/b/x.rs", ".rs"],
                &["x.rsx", "a/x.rs/"],
            ),
            ("**/", &["/", "a/", "a/b/", ""], &["a", "a/b"]),
            ("/**", &["/", "/a", "/a/b"], &["a", ""]),
            ("a?c", &["abc", "aéc", "a\nc"], &["ac", "a/c", "abbc"]),
            ("?", &["x"], &["", "/", "xy"]),
            ("r*-v?", &["r-v1", "rel-v2"], &["r/-v1", "r-v"]),
            (r"\*", &["*"], &["a", ""]),
            (r"\*\*", &["**"], &["a/b"]),
            (r"a\?b", &["a?b"], &["axb"]),
            (r"a\\*", &[r"a\", r"a\b"], &["a*"]),
            (r"a\/*", &["a/b"], &["ab", "a/b/c"]),
            (r"**\/b", &["b", "a/b"], &["ab"]),
            ("[ab]{c,d}!", &["[ab]{c,d}!"], &["a", "b"]),
            ("a.b+(c)|^$?", &["a.b+(c)|^$x"], &["aXb+(c)|^$x"]),
            ("*a*b*", &["ab", "xaxbx", "aab"], &["ba", "a/b"]),
        ];
        for (pattern, yes, no) in rows {
            let glob = Glob::compile(pattern, &Cache::default()).unwrap();
            for text in yes {
                assert!(glob.matches(text), "{pattern} matches {text:?}");
            }
            for text in no {
                assert!(!glob.matches(text), "{pattern} does not match {text:?}");
            }
            assert_eq!(glob.text(), pattern);
        }
    }

    #[test]
    fn shortcuts() {
        let rows = [
            ("acme/api", true),
            ("acme/*", true),
            ("release/**", true),
            ("**", true),
            ("*", true),
            ("*/api", false),
            ("a?", false),
        ];
        for (glob, is_comparison) in rows {
            let regex = matches!(matcher(glob), Ok(Matcher::Expression(_)));
            assert_eq!(!regex, is_comparison, "{glob}");
        }
    }

    #[test]
    fn refusals() {
        let rows = [
            ("", "pattern is empty"),
            ("a\\", "pattern ends in a lone `\\`"),
            ("a**", "`**` is not alone in its segment"),
            ("**a/b", "`**` is not alone in its segment"),
            ("a/***", "`**` is not alone in its segment"),
        ];
        for (glob, expected) in rows {
            let refusal = Glob::compile(glob, &Cache::default()).unwrap_err();
            assert_eq!(refusal.message, expected, "{glob}");
        }
    }
}
