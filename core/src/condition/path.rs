//! Where in an action a rule looks.

use std::fmt;

use crate::error::{Code, Error};
use crate::limits::PATH_SEGMENTS;

use super::Refusal;

/// A path into an action: its segments, unquoted. Lists are never walked.
///
/// Segments are joined by `.`; one in double quotes may hold dots, `\"` and `\\`. [`Display`](fmt::Display) writes
/// the canonical spelling, with quotes only where they are needed.
///
/// ```
/// use lattice_core::condition::Path;
///
/// let path = Path::parse(r#""labels"."app.io/tier""#)?;
/// assert_eq!(path.segments(), ["labels", "app.io/tier"]);
/// assert_eq!(path.to_string(), r#"labels."app.io/tier""#);
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    root: Root,
    // INVARIANT: at least one, and at most PATH_SEGMENTS.
    segments: Vec<String>,
    // INVARIANT: what `spell` makes of the segments.
    text: String,
}

/// Where a path begins, as its first segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Root {
    ActionType,
    DataAccessed,
    Metadata,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// `POLICY_COMPILE_ERROR` for an empty segment, a stray quote or escape, or too many segments.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|refusal| {
            Error::new(Code::PolicyCompileError, refusal.message).with_help(refusal.help)
        })
    }

    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::new(
                "the path is empty",
                "name the field to look at",
            ));
        }
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let (segment, behind) = match rest.strip_prefix('"') {
                Some(inside) => quoted(inside, text)?,
                None => unquoted(rest, text)?,
            };
            segments.push(segment);
            if segments.len() > PATH_SEGMENTS {
                return Err(Refusal::new(
                    format!("the path has more than {PATH_SEGMENTS} segments"),
                    "look at a field nearer to the root",
                ));
            }
            match behind.strip_prefix('.') {
                Some(next) => rest = next,
                None => {
                    return Ok(Self {
                        root: match segments.first().map(String::as_str) {
                            Some("action_type") => Root::ActionType,
                            Some("data_accessed") => Root::DataAccessed,
                            _ => Root::Metadata,
                        },
                        text: spell(&segments),
                        segments,
                    });
                }
            }
        }
    }

    /// The segments, from the root; at least one.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn root(&self) -> Root {
        self.root
    }

    /// How the path of the value `depth` segments below the root is spelt.
    pub(super) fn parent(&self, depth: usize) -> String {
        spell(self.segments.get(..depth).unwrap_or_default())
    }
}

/// Reads up to a dot: the segment, and what follows it.
fn unquoted<'t>(rest: &'t str, path: &str) -> Result<(String, &'t str), Refusal> {
    let (segment, behind) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let fault = if segment.is_empty() {
        "an empty segment"
    } else if segment.contains('"') {
        "a stray quote"
    } else if segment.trim() != segment {
        "white space at the edge of a segment"
    } else {
        return Ok((segment.to_owned(), behind));
    };
    Err(Refusal::new(
        format!("the path `{path}` has {fault}"),
        "join segments by one `.`; put a segment with dots, quotes or outer spaces in double quotes",
    ))
}

/// Reads up to the closing quote: the segment, and what follows it.
fn quoted<'t>(inside: &'t str, path: &str) -> Result<(String, &'t str), Refusal> {
    let mut segment = String::new();
    let mut chars = inside.chars();
    loop {
        match chars.next() {
            Some('"') => {
                let behind = chars.as_str();
                if behind.is_empty() || behind.starts_with('.') {
                    return Ok((segment, behind));
                }
                return Err(Refusal::new(
                    format!("the path `{path}` goes on behind a closing quote"),
                    "write a `.` between two segments, and `\\\"` for a quote inside one",
                ));
            }
            Some('\\') => match chars.next() {
                Some(c @ ('"' | '\\')) => segment.push(c),
                _ => {
                    return Err(Refusal::new(
                        format!("the path `{path}` has an unknown escape"),
                        "inside quotes write `\\\"` for a quote and `\\\\` for a backslash",
                    ));
                }
            },
            Some(c) => segment.push(c),
            None => {
                return Err(Refusal::new(
                    format!("the path `{path}` has a quote that is never closed"),
                    "close it, and write `\\\"` for a quote inside a segment",
                ));
            }
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn spell(segments: &[String]) -> String {
    let mut text = String::new();
    for segment in segments {
        if !text.is_empty() {
            text.push('.');
        }
        if segment.is_empty() || segment.contains(['.', '"']) || segment.trim() != segment {
            text.push('"');
            text.push_str(&segment.replace('\\', r"\\").replace('"', "\\\""));
            text.push('"');
        } else {
            text.push_str(segment);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        // Text, segments, canonical spelling.
        let rows: [(&str, &[&str], &str); 10] = [
            ("a", &["a"], "a"),
            ("a.b.c", &["a", "b", "c"], "a.b.c"),
            (r#""a"."b""#, &["a", "b"], "a.b"),
            (
                r#"labels."app.io/x""#,
                &["labels", "app.io/x"],
                r#"labels."app.io/x""#,
            ),
            (r#""a\"b\\c""#, &["a\"b\\c"], r#""a\"b\\c""#),
            (r#""""#, &[""], r#""""#),
            (r"a\b", &[r"a\b"], r"a\b"),
            ("a b.é", &["a b", "é"], "a b.é"),
            (r#"" a""#, &[" a"], r#"" a""#),
            ("a-b_c[0]", &["a-b_c[0]"], "a-b_c[0]"),
        ];
        for (text, segments, canonical) in rows {
            let path = Path::parse(text).unwrap();
            assert_eq!(path.segments(), segments, "{text}");
            assert_eq!(path.to_string(), canonical, "{text}");
            assert_eq!(Path::parse(canonical).unwrap(), path, "{text}");
        }
    }

    #[test]
    fn refusals() {
        let rows = [
            ("", "the path is empty"),
            (".", "the path `.` has an empty segment"),
            ("a.", "the path `a.` has an empty segment"),
            ("a..b", "the path `a..b` has an empty segment"),
            (".a", "the path `.a` has an empty segment"),
            ("a\"b", "the path `a\"b` has a stray quote"),
            (
                "a. b",
                "the path `a. b` has white space at the edge of a segment",
            ),
            ("\"a", "the path `\"a` has a quote that is never closed"),
            ("\"a\\n\"", "the path `\"a\\n\"` has an unknown escape"),
            ("\"a\"b", "the path `\"a\"b` goes on behind a closing quote"),
        ];
        for (text, message) in rows {
            let error = Path::parse(text).unwrap_err();
            assert_eq!(error.message(), message);
            assert!(error.into_diagnostics()[0].help.is_some(), "{text}");
        }
        let deepest = vec!["a"; PATH_SEGMENTS].join(".");
        assert!(Path::parse(&deepest).is_ok());
        assert_eq!(
            Path::parse(&(deepest + ".a")).unwrap_err().message(),
            "the path has more than 32 segments"
        );
    }
}
