//! The comments of a text, found around its scalars.
//!
//! The parser passes over them: to have it collect them makes every reading dearer, and few ask for them. Where the
//! scalars of a valid text are known, a `#` behind white space begins a comment, unless it stands in quotes or in a block:
//! plain text that goes on in the next line may have one in it.

use super::{Comment, Style};
use crate::source::Span;

/// A byte-order mark, which may begin a line before the document does.
const MARK: char = '\u{feff}';

/// Collects comments while the scalars of a text go by.
#[derive(Debug)]
pub(super) struct Comments<'a> {
    text: &'a str,
    found: Vec<Comment>,
    /// Up to where they were looked for.
    at: usize,
}

impl<'a> Comments<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            found: Vec::new(),
            at: 0,
        }
    }

    /// Collects what stands before a scalar, and goes on behind it.
    pub(super) fn pass(&mut self, content: &str, style: Style, place: Span) {
        // The place of a block without content begins with its header, which may have a comment.
        if content.trim().is_empty() {
            return;
        }
        self.collect(place.start, begins_comment);
        if style == Style::Plain {
            self.collect(place.end, is_behind_space);
        }
        self.at = place.end;
    }

    /// All comments of the text, in its order.
    pub(super) fn finish(mut self) -> Vec<Comment> {
        self.collect(self.text.len(), begins_comment);
        self.found
    }

    /// Collects the comments of the text before `until`; `begins` knows a `#` that begins one by what stands before it.
    fn collect(&mut self, until: usize, begins: fn(&str) -> bool) {
        while let Some(hash) = self.text.get(self.at..until).and_then(|gap| gap.find('#')) {
            let start = self.at + hash;
            let (before, rest) = self.text.split_at(start);
            if !begins(before) {
                // It is a letter as others are.
                self.at = start + 1;
                continue;
            }
            let line = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
            let line = before.get(line..).unwrap_or_default();
            let line = line.trim_start_matches(MARK);
            self.at = start + rest.find(['\n', '\r']).unwrap_or(rest.len());
            self.found.push(Comment {
                span: Span::new(start, self.at),
                trailing: !line.trim_start_matches([' ', '\t']).is_empty(),
            });
        }
    }
}

fn begins_comment(before: &str) -> bool {
    let line = before.trim_end_matches(MARK);
    is_behind_space(before) || line.is_empty() || line.ends_with(['\n', '\r'])
}

fn is_behind_space(before: &str) -> bool {
    before.is_empty() || before.ends_with([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::super::{Reader, document_of};
    use super::Span;

    #[test]
    fn comments_are_told_from_what_looks_like_one() {
        let rows: [(&str, &[(&str, bool)]); 15] = [
            ("# a\n\n  # b", &[("# a", false), ("# b", false)]),
            ("# a\n\u{feff}# b\na: 1", &[("# a", false), ("# b", false)]),
            ("{a: b\n\u{feff}#c # d\n}", &[("# d", true)]),
            ("a: 1 # é", &[("# é", true)]),
            ("a: b#c # d\r\n# e\r\n", &[("# d", true), ("# e", false)]),
            ("a: 'x # y' # z", &[("# z", true)]),
            ("a: \"x\\\" # y\n  # z\" # b", &[("# b", true)]),
            (
                "a: | # b\n  x # y\n # c\nd: 1",
                &[("# b", true), ("# c", false)],
            ),
            ("a: |2\n   # x\n  y\n", &[]),
            ("a: >-\n\n  # x\n", &[]),
            ("a: |+ # b\n", &[("# b", true)]),
            ("a:\n# b\n  |- # c\n\n", &[("# b", false), ("# c", true)]),
            (
                "a: [b, # c\n  # d\n  e] # f",
                &[("# c", true), ("# d", false), ("# f", true)],
            ),
            ("a: [b\n\t # c\n]", &[("# c", false)]),
            (
                "- # a\n  b: 1\n  # c\n- d",
                &[("# a", true), ("# c", false)],
            ),
        ];
        for (text, expected) in rows {
            let mut reader = Reader::with_comments(text);
            document_of(&mut reader);
            let comments = reader.take_comments();
            let found: Vec<_> = comments
                .iter()
                .map(|comment| {
                    let Span { start, end } = comment.span;
                    (text.get(start..end).unwrap(), comment.trailing)
                })
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
