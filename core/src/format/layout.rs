//! A document as values and comments, and the one layout it is written in.

use std::borrow::Cow;

use crate::value::Scalar;
use crate::write::{self, INDENT};

/// A document whose root is a mapping.
pub(super) struct Document<'a> {
    /// Comments before the first key: they stay on top, whatever key comes first.
    pub(super) head: Vec<&'a str>,
    pub(super) root: Block<'a>,
}

/// The entries of a mapping or the items of a list.
#[derive(Default)]
pub(super) struct Block<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// Comments below the last part that still belong to the block.
    pub(super) below: Vec<&'a str>,
}

/// An entry of a mapping, or an item of a list, with the comments that travel with it.
pub(super) struct Part<'a> {
    /// Empty for an item.
    pub(super) key: Cow<'a, str>,
    /// Comments on lines of their own above the part.
    pub(super) above: Vec<&'a str>,
    /// Comments that end the part's line. A line has room for one: the last stays, the others go above.
    pub(super) beside: Vec<&'a str>,
    pub(super) value: Value<'a>,
}

/// A value without the style it was written in.
pub(super) enum Value<'a> {
    Null,
    Scalar(Scalar),
    /// A string that is always in double quotes.
    Quoted(String),
    /// A text of several lines.
    Text(String),
    List(Block<'a>),
    Mapping(Block<'a>),
}

impl<'a> Part<'a> {
    /// An entry that no comment belongs to.
    pub(super) fn entry(key: &'static str, value: Value<'a>) -> Self {
        Self {
            key: Cow::Borrowed(key),
            above: Vec::new(),
            beside: Vec::new(),
            value,
        }
    }
}

impl<'a> Block<'a> {
    /// The value of an entry, if it is there.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a>> {
        let part = self.parts.iter_mut().find(|part| part.key == key)?;
        Some(&mut part.value)
    }

    /// Replaces the value of an entry, its comments kept; `None` if there is no such entry.
    pub(super) fn set(&mut self, key: &str, value: Value<'a>) -> Option<()> {
        *self.get_mut(key)? = value;
        Some(())
    }

    /// The text of an entry that is a string.
    pub(super) fn string(&self, key: &str) -> Option<&str> {
        let part = self.parts.iter().find(|part| part.key == key)?;
        match &part.value {
            Value::Scalar(Scalar::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Brings the entries into the order of `keys`.
    pub(super) fn order(&mut self, keys: &[&str]) {
        let rank = |part: &Part<'_>| keys.iter().position(|key| *key == part.key);
        self.parts
            .sort_by_key(|part| rank(part).unwrap_or(keys.len()));
    }

    /// Removes an entry that is `null`; its comments go to what follows it.
    pub(super) fn drop_null(&mut self, key: &str) {
        let is_dropped = |part: &Part<'_>| part.key == key && matches!(part.value, Value::Null);
        let Some(index) = self.parts.iter().position(is_dropped) else {
            return;
        };
        let mut dropped = self.parts.remove(index);
        dropped.above.append(&mut dropped.beside);
        match self.parts.get_mut(index) {
            Some(next) => {
                dropped.above.append(&mut next.above);
                next.above = dropped.above;
            }
            None => self.below.splice(0..0, dropped.above).for_each(drop),
        }
    }

    /// Sorts items that are mappings by one of their entries.
    pub(super) fn sort_by_entry(&mut self, key: &str) {
        let name = |part: &Part<'_>| match &part.value {
            Value::Mapping(item) => item.string(key).map(str::to_owned),
            _ => None,
        };
        self.parts.sort_by_cached_key(name);
    }

    /// Sorts the items of a set of scalars; of repeats one is kept, with the comments of all.
    pub(super) fn sort_set(&mut self) {
        self.parts
            .sort_by(|a, b| a.value.scalar().cmp(&b.value.scalar()));
        self.parts.dedup_by(|next, kept| {
            let repeats = next.value.scalar() == kept.value.scalar();
            if repeats {
                kept.above.append(&mut next.above);
                kept.beside.append(&mut next.beside);
            }
            repeats
        });
    }
}

impl<'a> Value<'a> {
    pub(super) fn list_mut(&mut self) -> Option<&mut Block<'a>> {
        match self {
            Value::List(block) => Some(block),
            _ => None,
        }
    }

    pub(super) fn mapping_mut(&mut self) -> Option<&mut Block<'a>> {
        match self {
            Value::Mapping(block) => Some(block),
            _ => None,
        }
    }

    fn scalar(&self) -> Option<&Scalar> {
        match self {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }
}

/// Writes a document.
pub(super) fn print(document: Document<'_>) -> String {
    let mut out = String::new();
    comments(&mut out, &document.head, 0);
    mapping(&mut out, document.root, 0, "");
    out
}

/// Writes entries whose keys stand at `column`; `lead` is the dash of the item they are.
fn mapping(out: &mut String, block: Block<'_>, column: usize, lead: &str) {
    for (i, part) in block.parts.into_iter().enumerate() {
        let lead = if i == 0 { lead } else { "" };
        line(out, part, column - lead.len(), lead);
    }
    comments(out, &block.below, column);
}

/// Writes items whose dashes stand at `column`.
fn list(out: &mut String, block: Block<'_>, column: usize) {
    for mut part in block.parts {
        match part.value {
            Value::Mapping(mut item) if !item.parts.is_empty() => {
                // The first entry shares the line of the dash, and so its comments.
                if let Some(first) = item.parts.first_mut() {
                    part.above.append(&mut first.above);
                    part.beside.append(&mut first.beside);
                    first.above = part.above;
                    first.beside = part.beside;
                }
                mapping(out, item, column + INDENT, "- ");
            }
            _ => line(out, part, column, "- "),
        }
    }
    comments(out, &block.below, column);
}

/// Writes a part whose line begins at `column`, and all that stands below it.
fn line(out: &mut String, mut part: Part<'_>, column: usize, lead: &str) {
    let last = part.beside.pop();
    part.above.append(&mut part.beside);
    if let Value::List(block) | Value::Mapping(block) = &mut part.value
        && block.parts.is_empty()
    {
        part.above.append(&mut block.below);
    }
    comments(out, &part.above, column);

    write::spaces(out, column);
    out.push_str(lead);
    if !part.key.is_empty() {
        write::string(out, &part.key);
        out.push_str(": ");
    }
    let inner = column + lead.len() + INDENT;
    match part.value {
        Value::Null => out.push_str("null"),
        Value::Scalar(Scalar::Bool(value)) => out.push_str(write::boolean(value)),
        Value::Scalar(Scalar::Number(number)) => out.push_str(&number.canonical_literal()),
        Value::Scalar(Scalar::String(text)) => write::string(out, &text),
        Value::Quoted(text) => write::quoted(out, &text),
        Value::Text(text) => return write::text(out, &text, inner, last),
        Value::List(block) if block.parts.is_empty() => out.push_str("[]"),
        Value::Mapping(block) if block.parts.is_empty() => out.push_str("{}"),
        Value::List(block) => {
            end_line(out, last);
            return list(out, block, inner);
        }
        Value::Mapping(block) => {
            end_line(out, last);
            return mapping(out, block, inner, "");
        }
    }
    end_line(out, last);
}

fn end_line(out: &mut String, comment: Option<&str>) {
    out.truncate(out.trim_end_matches(' ').len());
    if let Some(comment) = comment {
        out.push(' ');
        out.push_str(comment);
    }
    out.push('\n');
}

fn comments(out: &mut String, comments: &[&str], column: usize) {
    for comment in comments {
        write::spaces(out, column);
        out.push_str(comment);
        out.push('\n');
    }
}
