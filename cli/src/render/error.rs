//! Errors and warnings for people: the line they point to, a caret below it, and what to do.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use lattice_core::source::Place;
use lattice_core::{Diagnostic, Error, Kind};

use super::safe::harmless;
use super::{Paint, count, safe};
use crate::file::Input;

/// Every error of a run, and their number if there are several.
pub(crate) fn error(error: &Error, sources: &[Input], paint: Paint) -> String {
    let mut text: String = error
        .diagnostics()
        .map(|diagnostic| self::diagnostic(diagnostic, sources, paint))
        .collect();
    let errors = error.diagnostics().count();
    if errors > 1 {
        text.push_str(&count(errors, "error", "errors"));
        text.push('\n');
    }
    text
}

/// One error or warning: a block with a blank line behind it, or a line or two where there is no place to show.
pub(crate) fn diagnostic(diagnostic: &Diagnostic, sources: &[Input], paint: Paint) -> String {
    match (&diagnostic.file, diagnostic.place) {
        (Some(file), Some(place)) => block(diagnostic, file, place, sources, paint),
        _ => plain(diagnostic, paint),
    }
}

fn plain(diagnostic: &Diagnostic, paint: Paint) -> String {
    let code = diagnostic.kind.as_str();
    let title = match diagnostic.kind {
        Kind::Error(_) => paint.red(&format!("error[{code}]")),
        Kind::Warning(_) => paint.yellow(&format!("warning[{code}]")),
    };
    let mut text = format!("{title}: {}\n", safe(&diagnostic.message));
    // Most messages about a whole file name it.
    let file = diagnostic.file.as_ref();
    let file = file.filter(|file| !diagnostic.message.contains(*file));
    let (policy, help) = (diagnostic.policy.as_ref(), diagnostic.help.as_ref());
    for (name, line) in [("file", file), ("policy", policy), ("help", help)] {
        if let Some(line) = line {
            let _ = writeln!(text, "  {name}: {}", safe(line));
        }
    }
    text
}

fn block(
    diagnostic: &Diagnostic,
    file: &str,
    place: Place,
    sources: &[Input],
    paint: Paint,
) -> String {
    let level = match diagnostic.kind {
        Kind::Error(_) => Level::ERROR,
        Kind::Warning(_) => Level::WARNING,
    };
    let title = level
        .primary_title(safe(&diagnostic.message))
        .id(diagnostic.kind.as_str());
    let mut primary = locate(
        Group::with_title(title),
        file,
        place,
        sources,
        AnnotationKind::Primary,
    );
    if let Some(policy) = &diagnostic.policy {
        primary = primary.element(Level::NOTE.with_name("policy").message(safe(policy)));
    }
    if let Some(help) = &diagnostic.help {
        primary = primary.element(Level::HELP.message(safe(help)));
    }
    let related = diagnostic.related.iter().map(|related| {
        let group = Group::with_title(Level::NOTE.secondary_title(safe(&related.message)));
        match (&related.file, related.place) {
            (Some(file), Some(place)) => {
                locate(group, file, place, sources, AnnotationKind::Context)
            }
            _ => group,
        }
    });
    let report: Vec<Group<'_>> = std::iter::once(primary).chain(related).collect();
    let renderer = if paint.is_on() {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = renderer.render(&report);
    text.push_str("\n\n");
    text
}

/// Adds `file:line:column` and, if the text is at hand, the line itself.
fn locate<'a>(
    group: Group<'a>,
    file: &'a str,
    place: Place,
    sources: &'a [Input],
    kind: AnnotationKind,
) -> Group<'a> {
    let line = usize::try_from(place.line).unwrap_or(usize::MAX);
    let column = usize::try_from(place.column).unwrap_or(usize::MAX);
    let origin = Origin::path(safe(file)).line(line).char_column(column);
    let excerpt = sources
        .iter()
        .find(|source| source.name == file)
        .and_then(|source| Excerpt::new(&source.bytes, place));
    let Some(excerpt) = excerpt else {
        return group.element(origin);
    };
    let snippet = Snippet::source(excerpt.text)
        .line_start(line)
        .annotation(kind.span(excerpt.start..excerpt.end));
    if excerpt.whole {
        group.element(snippet.path(safe(file)))
    } else {
        // The renderer would count columns from where the excerpt begins.
        group.element(origin).element(snippet)
    }
}

/// The part of a line that is shown: whole if it is short, so that a file of one endless line stays readable and
/// quick to render. Nothing in it is obeyed by a terminal.
#[derive(Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    start: usize,
    end: usize,
    /// Whether it begins where the line begins.
    whole: bool,
}

/// Bytes shown before and behind the start of a finding.
const AROUND: usize = 512;

impl Excerpt {
    /// Looks at nothing else of the source, which may be large, and shown many times.
    fn new(source: &[u8], place: Place) -> Option<Self> {
        // What is counted begins behind a byte-order mark.
        let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
        let start = floor(source, place.span.start);
        let from = floor(source, start.saturating_sub(AROUND));
        let to = floor(source, start.saturating_add(AROUND));
        let text = |range| std::str::from_utf8(source.get(range)?).ok();
        let before = text(from..start)?;
        let behind = text(start..to)?;
        let head = before.rsplit(['\n', '\r']).next()?;
        let tail = behind.split(['\n', '\r']).next()?;
        let length = place.span.end.saturating_sub(start);
        let (marked, rest) = tail.split_at_checked(tail.floor_char_boundary(length))?;
        let mut text = harmless(head);
        let shown_from = text.len();
        text.push_str(&harmless(marked));
        let shown_to = text.len();
        text.push_str(&harmless(rest));
        Some(Self {
            text,
            start: shown_from,
            end: shown_to,
            whole: head.len() < before.len() || from == 0,
        })
    }
}

/// Where the character begins that has a byte there.
fn floor(source: &[u8], at: usize) -> usize {
    const LONGEST: usize = 4;
    let at = at.min(source.len());
    let begins = |at: &usize| source.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let mut places = (0..=at).rev().take(LONGEST);
    places.find(begins).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use lattice_core::source::{Source, Span};

    use super::*;

    fn excerpt(text: &str, start: usize, end: usize) -> (String, usize, usize) {
        let place = Source::new(text).place(Span::new(start, end));
        let excerpt = Excerpt::new(text.as_bytes(), place).expect("a place in the text");
        (excerpt.text, excerpt.start, excerpt.end)
    }

    #[test]
    fn an_excerpt_is_the_line_of_the_finding() {
        let rows = [
            ("a: 1\nbé: 2\nc", 5, 8, ("bé: 2", 0, 3)),
            ("a\r\nbc\r\n", 4, 5, ("bc", 1, 2)),
            ("a\nb", 3, 3, ("b", 1, 1)),
            ("", 0, 0, ("", 0, 0)),
            // A finding of several lines is marked in its first.
            ("ab\ncd", 1, 5, ("ab", 1, 2)),
            // Past the end is the end.
            ("ab", 9, 12, ("ab", 2, 2)),
            // A sign for what a terminal would obey may take more bytes; the mark moves with it.
            (
                "\u{9b}a: \u{9b}\tb",
                5,
                8,
                ("\u{fffd}a: \u{fffd}\tb", 6, 10),
            ),
            ("\u{200f}a\u{2028}b", 4, 7, ("\u{fffd}a\u{fffd}b", 4, 7)),
        ];
        for (text, start, end, expected) in rows {
            let (shown, from, to) = expected;
            assert_eq!(excerpt(text, start, end), (shown.to_owned(), from, to));
        }
    }

    #[test]
    fn an_excerpt_is_text_and_looks_at_no_more_than_it_shows() {
        let text = "a: 1\nb: 2\n";
        let place = Source::new(text).place(Span::new(5, 6));
        let shown = |bytes: &[u8]| Excerpt::new(bytes, place).map(|excerpt| excerpt.text);
        let rows: [(&[u8], Option<&str>); 5] = [
            (b"\xef\xbb\xbfa: 1\nb: 2", Some("b: 2")),
            (b"a: 1\nb: \xff", None),
            (b"a: \x80\nb: 2", None),
            (b"\x80\x80\x80\x80\x80\x80", None),
            (
                &[text.as_bytes(), &[b' '; AROUND], b"\xff"].concat(),
                Some("b: 2"),
            ),
        ];
        for (bytes, expected) in rows {
            assert_eq!(shown(bytes).as_deref(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn an_excerpt_of_an_endless_line_is_short() {
        let text = "é".repeat(100_000);
        let (shown, start, end) = excerpt(&text, 100_001, 150_000);
        assert_eq!((shown.len(), start, end), (1024, 512, 1024));
    }
}
