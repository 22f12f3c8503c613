//! Which comment belongs to what: a text becomes values with the comments that stood at them.
//!
//! A comment that ends a line belongs to the key or item of that line. One on a line of its own belongs to
//! what follows it, unless it is indented deeper than that: then it belongs to the block above it.

use std::borrow::Cow;

use super::layout::{Block, Document, Part, Value};
use crate::number::Number;
use crate::plain::{Plain, classify};
use crate::value::Scalar;
use crate::yaml::{Comment, Kind, Node, Reader, Style, document_of};

/// Reads a document that is known to be valid; `None` if it is not.
pub(super) fn read(text: &str) -> Option<Document<'_>> {
    let mut reader = Reader::with_comments(text);
    let node = document_of(&mut reader)?;
    if reader.is_cut() || !reader.take_problems().is_empty() {
        return None;
    }
    let mut attach = Attach {
        text,
        comments: reader.take_comments(),
        next: 0,
    };
    let start = match &node.kind {
        Kind::Mapping(mapping) => mapping.entries.first().map(|first| first.key.span.start),
        Kind::Scalar(_) | Kind::List(_) | Kind::Absent => None,
    };
    let head = attach.take(|_, comment| comment.span.start < start.unwrap_or(text.len()));
    let all = Bounds {
        until: text.len(),
        outer: None,
    };
    match attach.value(node, all)? {
        Value::Mapping(mut root) => {
            root.below.extend(attach.take(|_, _| true));
            Some(Document { head, root })
        }
        _ => None,
    }
}

struct Attach<'a> {
    text: &'a str,
    /// In the order of the text.
    comments: Vec<Comment>,
    /// The first comment that belongs to nothing yet.
    next: usize,
}

/// What comments may belong to a block.
#[derive(Clone, Copy)]
struct Bounds {
    /// They begin before this offset, where the next thing outside the block stands.
    until: usize,
    /// Below its last part they stand deeper than this column, at which what surrounds the block goes on.
    outer: Option<usize>,
}

/// An entry or an item as read.
struct Raw<'a> {
    key: Cow<'a, str>,
    /// Where its key or its dash stands.
    start: usize,
    node: Node<'a>,
}

impl<'a> Attach<'a> {
    fn value(&mut self, node: Node<'a>, bounds: Bounds) -> Option<Value<'a>> {
        let span = node.span;
        let is_flow = self.is_flow(&node);
        let inside = if is_flow {
            Bounds {
                until: span.end,
                outer: None,
            }
        } else {
            bounds
        };
        match node.kind {
            Kind::Absent => None,
            Kind::Scalar(scalar) => value_of(&scalar.text, scalar.style),
            Kind::List(items) => {
                let raws = items.into_iter().map(|node| Raw {
                    key: Cow::Borrowed(""),
                    start: if is_flow {
                        node.span.start
                    } else {
                        self.dash(node.span.start)
                    },
                    node,
                });
                let raws = raws.collect();
                self.block(raws, is_flow, inside).map(Value::List)
            }
            Kind::Mapping(mapping) => {
                let raws = mapping.entries.into_iter().map(|entry| Raw {
                    key: entry.key.name,
                    start: entry.key.span.start,
                    node: entry.value,
                });
                self.block(raws.collect(), is_flow, inside)
                    .map(Value::Mapping)
            }
        }
    }

    fn block(&mut self, raws: Vec<Raw<'a>>, is_flow: bool, bounds: Bounds) -> Option<Block<'a>> {
        let first = raws.first().filter(|_| !is_flow);
        let column = first.map(|first| self.column(first.start));
        let mut parts = Vec::with_capacity(raws.len());
        let mut raws = raws.into_iter().peekable();
        while let Some(raw) = raws.next() {
            let inside = Bounds {
                until: raws.peek().map_or(bounds.until, |next| next.start),
                outer: column,
            };
            parts.push(self.part(raw, inside)?);
        }
        let below = self.take(|this, comment| {
            let column = this.column(comment.span.start);
            comment.span.start < bounds.until && bounds.outer.is_none_or(|outer| column > outer)
        });
        Some(Block { parts, below })
    }

    fn part(&mut self, raw: Raw<'a>, bounds: Bounds) -> Option<Part<'a>> {
        let Raw { key, start, node } = raw;
        let span = node.span;
        let is_scalar = matches!(node.kind, Kind::Scalar(_));
        let ends_line = is_scalar || self.is_flow(&node);
        let mut above = self.take(|_, comment| comment.span.start < start);
        // Between key and value, or behind the sign of a block scalar.
        let within = self.next;
        let mut beside = self.take(|_, comment| {
            let end = if is_scalar { span.end } else { span.start };
            comment.span.start < end && (is_scalar || comment.trailing)
        });
        let mut value = self.value(node, bounds)?;
        if ends_line {
            beside.extend(self.take(|this, comment| {
                let gap = this.text.get(span.end..comment.span.start);
                comment.trailing
                    && comment.span.start < bounds.until
                    && gap.is_some_and(|gap| !gap.contains(['\n', '\r']))
            }));
        }
        if let Value::List(block) | Value::Mapping(block) = &mut value
            && !block.parts.is_empty()
        {
            // Below brackets, as if they were a block.
            block.below.extend(self.take(|this, comment| {
                let column = this.column(comment.span.start);
                comment.span.start < bounds.until
                    && bounds.outer.is_some_and(|outer| column > outer)
            }));
        }
        if is_scalar {
            // The last comment that ends a line stays; what stood on other lines goes above, in order.
            let comments = self.comments.get(within..self.next).unwrap_or_default();
            let last = comments.iter().rposition(|comment| comment.trailing);
            let line = last.map(|last| beside.remove(last));
            above.append(&mut beside);
            beside.extend(line);
        }
        Some(Part {
            key,
            above,
            beside,
            value,
        })
    }

    /// The comments from the next one on, as long as they belong.
    fn take(&mut self, belongs: impl Fn(&Self, &Comment) -> bool) -> Vec<&'a str> {
        let rest = self.comments.get(self.next..).unwrap_or_default();
        let taken = rest.iter().take_while(|comment| belongs(self, comment));
        let taken: Vec<&'a str> = taken.map(|comment| self.slice(comment)).collect();
        self.next += taken.len();
        taken
    }

    /// Where the dash of the item at `start` stands; comments may stand between the two.
    fn dash(&self, start: usize) -> usize {
        let mut before = self.text.get(..start).unwrap_or_default().trim_end();
        let behind = self
            .comments
            .partition_point(|comment| comment.span.start < start);
        for comment in self.comments.iter().take(behind).rev() {
            if comment.span.end < before.len() {
                break;
            }
            before = before
                .get(..comment.span.start)
                .unwrap_or(before)
                .trim_end();
        }
        before.len().saturating_sub("-".len())
    }

    fn slice(&self, comment: &Comment) -> &'a str {
        let text = self.text.get(comment.span.start..comment.span.end);
        text.unwrap_or_default().trim_end()
    }

    /// Whether a list or mapping is written in brackets.
    fn is_flow(&self, node: &Node<'_>) -> bool {
        matches!(node.kind, Kind::List(_) | Kind::Mapping(_))
            && matches!(self.text.as_bytes().get(node.span.start), Some(b'[' | b'{'))
    }

    fn column(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or_default();
        offset - before.rfind(['\n', '\r']).map_or(0, |end| end + 1)
    }
}

/// What a scalar means, whatever its style. What the two versions of YAML read differently is text here: a
/// valid manifest has it in `exported_at` alone.
fn value_of<'a>(text: &str, style: Style) -> Option<Value<'a>> {
    let plain = match style {
        Style::Plain => classify(text),
        Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded => Plain::String,
    };
    Some(match plain {
        Plain::Null => Value::Null,
        Plain::Bool(value) => Value::Scalar(Scalar::Bool(value)),
        Plain::Number => Value::Scalar(Scalar::Number(Number::parse(text).ok()?)),
        Plain::String | Plain::Ambiguous => Value::Scalar(Scalar::String(text.into())),
    })
}
