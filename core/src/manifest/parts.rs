//! A long list of policies in parts, each of which is read by itself, so that several threads can read it.
//!
//! In a block list, a line that begins with a dash right below the first one begins an item: nothing that belongs to the
//! item before may stand so far to the left. A part of such lines that is in good form by itself is therefore read as it
//! is within the whole. What may be otherwise, or concerns more than one part, is not judged here: then the list is read
//! again as one.

use std::borrow::Cow;
use std::cell::Cell;
use std::num::NonZero;
use std::ops::Range;

use super::names::Names;
use super::reading::sink;
use crate::condition::Cache;
use crate::findings::Findings;
use crate::hash::Running;
use crate::limits;
use crate::parallel::{BATCH, ONE, Piece, in_order};
use crate::policy::{self, Entry};
use crate::source::{Source, Span};
use crate::yaml::{Reader, Root};

/// What a list of policies was read to.
pub(super) struct Read {
    pub(super) policies: Vec<Entry>,
    /// Whether they are in name order.
    pub(super) in_order: bool,
    pub(super) findings: Findings,
    /// Where what stands behind the list begins.
    pub(super) end: usize,
}

/// Reads the policies of the list that begins at `list`, a value of the mapping at `root`, and hashes the text up to
/// there on the way: no other thread would have anything to do meanwhile, were that done later.
///
/// `None` if it is short, is no block list, or is not in good form: no syntax error may be in it or behind it, and no
/// policy without a name of its own.
pub(super) fn read(
    threads: NonZero<usize>,
    source: &Source<'_>,
    root: Span,
    list: Span,
    cache: &Cache,
    sha256: &mut Running<'_>,
) -> Option<Read> {
    let text = source.text();
    if threads == ONE || text.len() - list.start < 2 * BATCH {
        return None;
    }
    let mut parts = Parts::new(text, list.start)?;
    let mut read = Read {
        policies: Vec::new(),
        in_order: true,
        findings: Findings::default(),
        end: 0,
    };
    let mut names = Names::new(text);
    let in_good_form = Cell::new(true);
    in_order(
        threads,
        parts.by_ref().take_while(|_| in_good_form.get()),
        |part| part.compile(source, cache),
        |part| {
            let Some(part) = part else {
                return in_good_form.set(false);
            };
            for (name, place) in part.names {
                if names.add(&name, place).is_some() {
                    in_good_form.set(false);
                }
            }
            sha256.all_but(text.len() - part.end);
            let so_far = Span::new(list.start, part.end);
            extend(&mut read.policies, part.policies, so_far, text.len());
            read.findings.absorb(part.findings);
        },
    );
    read.end = parts.at;
    read.in_order = names.in_order();
    let fits = in_good_form.get() && names.len() <= limits::POLICIES;
    (fits && ends_well(text, root, read.end)).then_some(read)
}

/// Whether nothing, or further fields in good form, stand at the end of the list.
fn ends_well(text: &str, root: Span, end: usize) -> bool {
    let Some(first) = text.get(end..).and_then(|rest| rest.chars().next()) else {
        return true;
    };
    // A field of the root mapping is indented as that is: not at all.
    let is_flush = text
        .get(..root.start)
        .is_some_and(|before| before.is_empty() || before.ends_with('\n'));
    if !is_flush || !first.is_ascii_alphabetic() {
        return false;
    }
    let mut reader = Reader::new(text, limits::YAML_NESTING);
    if !matches!(reader.go_to(end), Root::Mapping(_)) {
        return false;
    }
    while reader.next_key().is_some() {
        reader.value();
    }
    reader.close();
    reader.in_good_form()
}

/// The parts of a block list.
struct Parts<'a> {
    text: &'a str,
    /// How far its dashes are indented.
    indent: usize,
    /// Where the next part begins, or what stands behind the list.
    at: usize,
    done: bool,
}

/// Lines of a block list, which begin with an item.
struct Part {
    lines: Range<usize>,
    /// No other follows.
    is_last: bool,
}

impl Piece for Part {
    fn bytes(&self) -> usize {
        self.lines.len()
    }
}

/// What a line of a block list is.
enum Line {
    /// The begin of an item.
    Item,
    /// More of an item, or nothing but a comment.
    More,
    /// No line of the list any more.
    Behind,
}

impl<'a> Parts<'a> {
    /// The parts of the list whose first dash stands at `first`; `None` if something else stands before it on its line.
    fn new(text: &'a str, first: usize) -> Option<Self> {
        let before = text.get(..first)?;
        let at = before.rfind('\n').map_or(0, |end| end + 1);
        let indent = first - at;
        let parts = Self {
            text,
            indent,
            at,
            done: false,
        };
        let line = text.get(at..)?.lines().next()?;
        matches!(parts.line(line), Line::Item).then_some(parts)
    }

    fn line(&self, line: &str) -> Line {
        // Most lines are, which is seen without a look at all of them.
        let start = line.as_bytes().get(..=self.indent);
        if start.is_some_and(|start| start.iter().all(|byte| *byte == b' ')) {
            return Line::More;
        }
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        let is_blank = content.trim_end().is_empty();
        if indent > self.indent || is_blank || content.starts_with('#') {
            return Line::More;
        }
        let is_item = content
            .strip_prefix('-')
            .is_some_and(|behind| behind.is_empty() || behind.starts_with([' ', '\n', '\r']));
        if is_item && indent == self.indent {
            Line::Item
        } else {
            Line::Behind
        }
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        if self.done {
            return None;
        }
        let start = self.at;
        let mut end = start;
        for line in self.text.get(start..)?.split_inclusive('\n') {
            match self.line(line) {
                Line::Item if end - start >= BATCH => {
                    self.at = end;
                    return Some(Part {
                        lines: start..end,
                        is_last: false,
                    });
                }
                Line::Item | Line::More => end += line.len(),
                Line::Behind => break,
            }
        }
        self.at = end;
        self.done = true;
        Some(Part {
            lines: start..end,
            is_last: true,
        })
    }
}

/// Adds policies to those that `read` was read to, of a text of so many bytes.
///
/// A list that doubles whenever it is full may end up half empty. So it grows no further than it takes to hold what is
/// likely to follow.
pub(super) fn extend(
    policies: &mut Vec<Entry>,
    more: impl IntoIterator<Item = Entry, IntoIter: ExactSizeIterator>,
    read: Span,
    bytes: usize,
) {
    let more = more.into_iter();
    let count = policies.len() + more.len();
    if count > policies.capacity() {
        let rest = bytes.saturating_sub(read.end);
        let likely = count.saturating_mul(rest) / read.end.saturating_sub(read.start).max(1);
        policies.reserve_exact(more.len() + likely.clamp(count / 16, count));
    }
    policies.extend(more);
}

/// What a part was read to.
struct Compiled<'a> {
    /// Where the part ends.
    end: usize,
    /// The name of each policy, and its place.
    names: Vec<(Cow<'a, str>, Span)>,
    policies: Vec<Entry>,
    findings: Findings,
}

impl Part {
    /// Reads and compiles the policies; `None` if the part is not in good form.
    fn compile<'a>(&self, source: &Source<'a>, cache: &Cache) -> Option<Compiled<'a>> {
        let text = source.text();
        let mut compiled = Compiled {
            end: self.lines.end,
            names: Vec::new(),
            policies: Vec::new(),
            findings: Findings::default(),
        };
        // An item ends where the next one begins, so that its dash must be seen.
        let dash = text.get(self.lines.end..)?.find('-');
        let end = match dash {
            Some(dash) if !self.is_last => self.lines.end + dash + 1,
            Some(_) | None => self.lines.end,
        };
        let mut reader = Reader::of_items(text, self.lines.start..end, limits::YAML_NESTING)?;
        while reader
            .item_start()
            .is_some_and(|start| start < self.lines.end)
        {
            let node = reader.next_item()?;
            let (name, place) = policy::name_of(&node)?;
            if !reader.in_good_form() {
                return None;
            }
            compiled.names.push((name.clone(), place));
            let label = policy::label(name);
            let mut sink = sink(source, &mut compiled.findings, Some(label.clone()));
            let policy = policy::read(&node, &label, source, cache, &mut sink);
            compiled.policies.extend(policy.map(Entry::new));
        }
        // Before the end of the text stands the end of the last part, and of no other.
        if reader.item_start().is_none() != self.is_last {
            return None;
        }
        if self.is_last {
            reader.close();
        }
        reader.in_good_form().then_some(compiled)
    }
}
