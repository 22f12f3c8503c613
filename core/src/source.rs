//! Where something stands in a text: the only line and column arithmetic in the engine.

use std::sync::OnceLock;

use serde::Serialize;

/// A range of byte offsets in a text, the end excluded. A byte-order mark at the start is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The range from `start` to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The empty range at `offset`.
    pub fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }
}

/// A span together with the line and column of its start.
///
/// Lines and columns count from 1; columns count Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The bytes meant, for drawing a caret below them.
    #[serde(skip)]
    pub span: Span,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Column of the first byte, from 1, in Unicode scalar values.
    pub column: u32,
}

/// A text whose offsets can be turned into lines and columns.
///
/// ```
/// use lattice_core::source::{Source, Span};
///
/// let source = Source::new("a: 1\nß: 2\n");
/// let place = source.place(Span::at("a: 1\nß".len()));
/// assert_eq!((place.line, place.column), (2, 2));
/// ```
#[derive(Debug)]
pub struct Source<'a> {
    text: &'a str,
    checkpoints: OnceLock<Vec<Checkpoint>>,
}

#[derive(Debug, Clone, Copy)]
struct Checkpoint {
    offset: usize,
    line: u32,
    column: u32,
}

/// Bytes between two checkpoints: a look-up reads at most this much, whatever the line lengths are.
const STRIDE: usize = 4 * 1024;

impl<'a> Source<'a> {
    /// Wraps `text`, which must not start with a byte-order mark (see [`strip_bom`]).
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            checkpoints: OnceLock::new(),
        }
    }

    /// The text itself.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The text of a span; empty if the span does not lie in the text.
    pub fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// Line and column of the start of `span`.
    pub fn place(&self, span: Span) -> Place {
        let checkpoints = self.checkpoints.get_or_init(|| self.index());
        let nearest = checkpoints.partition_point(|c| c.offset <= span.start);
        let from = checkpoints
            .get(nearest.saturating_sub(1))
            .copied()
            .unwrap_or(Checkpoint::START);
        let found = self.walk(from, span.start);
        Place {
            span,
            line: found.line,
            column: found.column,
        }
    }

    fn index(&self) -> Vec<Checkpoint> {
        let mut found = vec![Checkpoint::START];
        let mut last = Checkpoint::START;
        while last.offset + STRIDE < self.text.len() {
            last = self.walk(last, last.offset + STRIDE);
            found.push(last);
        }
        found
    }

    fn walk(&self, from: Checkpoint, to: usize) -> Checkpoint {
        let bytes = self.text.as_bytes();
        let to = to.min(bytes.len());
        let Checkpoint {
            mut line,
            mut column,
            ..
        } = from;
        for (i, &byte) in bytes.iter().enumerate().take(to).skip(from.offset) {
            let breaks = byte == b'\n' || (byte == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
            if breaks {
                line += 1;
                column = 1;
            } else if byte & 0xC0 != 0x80 {
                column += 1;
            }
        }
        Checkpoint {
            offset: to,
            line,
            column,
        }
    }
}

impl Checkpoint {
    const START: Self = Self {
        offset: 0,
        line: 1,
        column: 1,
    };
}

/// The text without its byte-order mark, if it has one.
pub fn strip_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns() {
        let rows = [
            ("", 0, (1, 1)),
            ("abc", 3, (1, 4)),
            ("a\nb", 2, (2, 1)),
            ("a\r\nb", 3, (2, 1)), // CRLF is one line end
            ("a\rb", 2, (2, 1)),
            ("a\n\nb", 3, (3, 1)),
            ("é\u{1f600}x", 6, (1, 3)), // columns count scalar values, not bytes
            ("\tx", 1, (1, 2)),
            ("a\n", 2, (2, 1)),
            ("a", 99, (1, 2)), // past the end is the end
        ];
        for (text, offset, expected) in rows {
            let place = Source::new(text).place(Span::at(offset));
            assert_eq!((place.line, place.column), expected, "{text:?} at {offset}");
        }
    }

    #[test]
    fn checkpoints_agree_with_counting() {
        let text = "é\r\nab\n".repeat(3 * STRIDE / 7);
        let source = Source::new(&text);
        for offset in [
            0,
            1,
            STRIDE - 1,
            STRIDE,
            STRIDE + 1,
            2 * STRIDE + 3,
            text.len(),
        ] {
            let counted = source.walk(Checkpoint::START, offset);
            let place = source.place(Span::at(offset));
            assert_eq!((place.line, place.column), (counted.line, counted.column));
        }
    }
}
