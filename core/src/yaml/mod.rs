//! The only file that knows the concrete format: parser events become a small spanned tree.
//!
//! What every document of ours forbids is refused here, once: anchors, aliases, tags, merge keys, keys that
//! are not scalars, duplicate keys, empty values, deep nesting and second documents. What a value may be is
//! the business of [`crate::decode`].

mod comments;
mod reader;

use std::borrow::Cow;

use crate::source::Span;

#[cfg(test)]
pub(crate) use reader::document;
pub(crate) use reader::{Reader, Root, document_of};

/// A value with the place it stands at.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) span: Span,
    pub(crate) kind: Kind<'a>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind<'a> {
    Scalar(Scalar<'a>),
    List(Vec<Node<'a>>),
    Mapping(Mapping<'a>),
    /// Nothing usable: already reported, or cut off by a syntax error.
    Absent,
}

#[derive(Debug, Clone)]
pub(crate) struct Scalar<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) style: Style,
    /// Where the text itself begins: behind a quote, or on the first line with content of a block.
    pub(crate) content: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

#[derive(Debug, Clone)]
pub(crate) struct Mapping<'a> {
    pub(crate) entries: Vec<Entry<'a>>,
    /// A syntax error ended the text inside: what is missing may have stood further on.
    pub(crate) cut: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) value: Node<'a>,
}

#[derive(Debug, Clone)]
pub(crate) struct Key<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) span: Span,
    /// It is no key of ours, such as a list or an alias, which was reported; its name says nothing.
    pub(crate) reported: bool,
}

impl Node<'_> {
    fn absent(span: Span) -> Self {
        Self {
            span,
            kind: Kind::Absent,
        }
    }
}

/// A comment, from its `#` to the end of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) span: Span,
    /// Something other than white space stands before it on its line.
    pub(crate) trailing: bool,
}

/// Something that no document of ours may hold.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) related: Option<(Span, String)>,
}
