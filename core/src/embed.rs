//! Places inside a text that is itself a scalar of a larger text: a conditions document in a manifest.

use std::cell::OnceCell;

use crate::findings::Locate;
use crate::source::{Place, Source, Span};
use crate::yaml::{Scalar, Style};

/// A scalar's text with the way back to the file: exact where the scalar holds its text as it stands in the
/// file, else the scalar's start, never a wrong place.
pub(crate) struct Embedded<'s> {
    source: &'s Source<'s>,
    scalar: &'s Scalar<'s>,
    span: Span,
    lines: OnceCell<Vec<Line>>,
}

/// A line of the inner text that stands in the file as it is.
struct Line {
    inner: usize,
    outer: usize,
    len: usize,
}

impl<'s> Embedded<'s> {
    pub(crate) fn new(source: &'s Source<'s>, scalar: &'s Scalar<'s>, span: Span) -> Self {
        Self {
            source,
            scalar,
            span,
            lines: OnceCell::new(),
        }
    }

    fn lines(&self) -> Option<Vec<Line>> {
        let text = self.scalar.text.as_ref();
        let file = self.source.text();
        match self.scalar.style {
            Style::Plain | Style::SingleQuoted | Style::DoubleQuoted => {
                // Behind verbatim text stands its closing quote; an escape would make the scalar longer.
                let quote = usize::from(self.scalar.style != Style::Plain);
                let verbatim = file.get(self.scalar.content..)?.starts_with(text)
                    && self.scalar.content + text.len() + quote == self.span.end;
                let line = Line {
                    inner: 0,
                    outer: self.scalar.content,
                    len: text.len(),
                };
                (verbatim && !text.is_empty() && !text.contains('\n')).then(|| vec![line])
            }
            Style::Literal => literal_lines(text, file, self.scalar.content),
            Style::Folded => None,
        }
    }
}

/// Pairs the lines of a literal block with the lines of the file, from the first one that is not blank.
fn literal_lines(text: &str, file: &str, content: usize) -> Option<Vec<Line>> {
    let mut inner = 0;
    let mut outer = file
        .get(..content)?
        .rfind(['\n', '\r'])
        .map_or(0, |end| end + 1);
    let mut outer_lines = file.get(outer..)?.split_inclusive('\n');
    let mut indent = None;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if indent.is_some() || !line.trim().is_empty() {
            let Some(raw) = outer_lines.next() else { break };
            let stands = raw.trim_end_matches(['\n', '\r']);
            let indent = *indent.get_or_insert(stands.len().checked_sub(line.len())?);
            if !line.is_empty() {
                if stands.get(indent..) != Some(line) {
                    return None;
                }
                lines.push(Line {
                    inner,
                    outer: outer + indent,
                    len: line.len(),
                });
            }
            outer += raw.len();
        }
        inner += line.len() + 1;
    }
    Some(lines)
}

impl Locate for Embedded<'_> {
    fn locate(&self, span: Span) -> Option<Place> {
        let lines = self.lines.get_or_init(|| self.lines().unwrap_or_default());
        let behind = lines.partition_point(|line| line.inner <= span.start);
        let Some(line) = behind.checked_sub(1).and_then(|i| lines.get(i)) else {
            return Some(self.source.place(self.span));
        };
        let from = (span.start - line.inner).min(line.len);
        let to = (span.end.max(span.start) - line.inner).clamp(from, line.len);
        let span = Span::new(line.outer + from, line.outer + to);
        Some(self.source.place(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Kind, document};

    /// Where the `x` of the inner text is reported, and where it really stands.
    #[test]
    fn exact_or_the_start_of_the_scalar() {
        let rows = [
            ("c: |\n  a\n   x\n", (3, 4)),
            ("c: |\r\n  a\r\n   x\r\n", (3, 4)),
            ("c: |\n\n\n  a\n\n  x", (6, 3)),
            ("c: |2\n    a\n  x\n", (3, 3)),
            ("c: | # the header\n  é x\n", (2, 5)),
            ("c: |-\n    a x\n", (2, 7)),
            ("c:\n  |\n  x\n", (3, 3)),
            ("- |\n x\n", (2, 2)),
            ("c: \"a x\"\n", (1, 7)),
            ("c: 'a x'\n", (1, 7)),
            ("c: a x\n", (1, 6)),
            ("c: \"\\t x\"\n", (1, 4)), // an escape: the start
            ("c: 'it''s x'\n", (1, 4)), // an escape: the start
            ("c: a\n  x\n", (1, 4)),    // folded lines: the start
            ("c: >\n  a\n\n  x\n", (1, 4)),
            ("c: \"a\n  x\"\n", (1, 4)),
        ];
        for (file, expected) in rows {
            let source = Source::new(file);
            let (root, problems) = document(file, 16);
            assert!(problems.is_empty(), "{file:?}: {problems:?}");
            let value = match root.unwrap().kind {
                Kind::Mapping(mut mapping) => mapping.entries.remove(0).value,
                Kind::List(mut items) => items.remove(0),
                other => panic!("{other:?}"),
            };
            let Kind::Scalar(scalar) = &value.kind else {
                panic!("{value:?}")
            };
            let inner = scalar.text.find('x').unwrap();
            let place = Embedded::new(&source, scalar, value.span)
                .locate(Span::new(inner, inner + 1))
                .unwrap();
            assert_eq!((place.line, place.column), expected, "{file:?}");
        }
    }
}
