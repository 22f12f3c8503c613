//! From parser events to nodes.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use granit_parser::{
    ErrorKind, Event as Parsed, Parser, ScalarStyle, ScanError, Span as ParsedSpan, StrInput,
};

use super::comments::Comments;
use super::{Comment, Entry, Key, Kind, Mapping, Node, Problem, Scalar, Style};
use crate::decode::excerpt;
use crate::limits;
use crate::source::Span;

/// What stands at the root of a document.
#[derive(Debug)]
pub(crate) enum Root<'a> {
    /// A mapping; read it with [`Reader::next_key`] and [`Reader::value`].
    Mapping(Span),
    /// Anything else.
    Other(Node<'a>),
    /// No document, or a text that ends in a syntax error before it begins.
    Nothing,
}

/// Reads a document piece by piece, so that a large one is never held as a tree.
///
/// After a syntax error every call returns nothing, and what was being read comes back cut off. What is nested too
/// deep, or holds too many values, is reported and passed over.
pub(crate) struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    /// Where in the text the parser began.
    base: usize,
    /// Events that were looked at, and not yet taken.
    peeked: VecDeque<Event<'a>>,
    /// End of the event before: block scalar headers and colons are looked for from here.
    behind: usize,
    nesting: usize,
    limit: usize,
    /// How many more values the field or item that is being read may hold.
    budget: usize,
    root_keys: HashMap<String, Span>,
    /// Where a syntax error ended the reading.
    stopped_at: Option<usize>,
    problems: Vec<Problem>,
    /// Those of the text so far, if they are asked for.
    comments: Option<Comments<'a>>,
}

/// What the tree needs of an event of the parser, which is several times as large.
#[derive(Debug)]
struct Event<'a> {
    step: Step<'a>,
    span: Span,
    tag: Option<Span>,
}

#[derive(Debug)]
enum Step<'a> {
    Scalar(Cow<'a, str>, Style),
    List,
    Mapping,
    /// The end of the list or mapping that was begun last.
    End,
    Alias,
    Document,
    /// The end of a document, or an end of the stream.
    Rest,
}

const EMPTY_HELP: &str =
    "write a value, or `null` where that is allowed, or remove the comment signs below it";

impl<'a> Reader<'a> {
    /// Reads `text`, which has no byte-order mark, down to `limit` nested lists and mappings.
    pub(crate) fn new(text: &'a str, limit: usize) -> Self {
        Self::build(text, 0..text.len(), limit)
    }

    /// Reads a text that was found valid, and keeps its comments.
    pub(crate) fn with_comments(text: &'a str) -> Self {
        Self {
            budget: usize::MAX,
            comments: Some(Comments::new(text)),
            ..Self::build(text, 0..text.len(), usize::MAX)
        }
    }

    /// Reads a part of a text, which begins with an item of a block list of the root mapping and ends where an item
    /// begins. `None` if it begins otherwise.
    pub(crate) fn of_items(text: &'a str, part: Range<usize>, limit: usize) -> Option<Self> {
        let mut reader = Self::build(text, part, limit);
        reader.begin();
        // The root mapping, which is not in the part.
        reader.nesting = 1;
        reader.enter_list().is_ok().then_some(reader)
    }

    /// Goes on with the keys of the root mapping that begin at `offset`, whatever stands before it.
    pub(crate) fn go_to(&mut self, offset: usize) -> Root<'a> {
        let root_keys = std::mem::take(&mut self.root_keys);
        *self = Self {
            root_keys,
            ..Self::build(self.text, offset..self.text.len(), self.limit)
        };
        self.open()
    }

    fn build(text: &'a str, part: Range<usize>, limit: usize) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            disallow_directives: true,
        };
        let (base, part) = (part.start, text.get(part).unwrap_or_default());
        Self {
            text,
            parser: Parser::new_from_str_with_options(part, options),
            base,
            peeked: VecDeque::new(),
            behind: base,
            nesting: 0,
            limit,
            budget: limits::VALUES,
            root_keys: HashMap::new(),
            stopped_at: None,
            problems: Vec::new(),
            comments: None,
        }
    }

    /// Where a syntax error ended the reading, if one did.
    pub(crate) fn stopped_at(&self) -> Option<usize> {
        self.stopped_at
    }

    /// Whether more may stand behind what was read.
    pub(crate) fn is_cut(&self) -> bool {
        self.stopped_at.is_some()
    }

    /// Whether nothing was found wrong with the form of the document that was not taken.
    pub(crate) fn in_good_form(&self) -> bool {
        self.stopped_at.is_none() && self.problems.is_empty()
    }

    /// What was found wrong since the last call.
    pub(crate) fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// The comments of the text that was read, in its order.
    pub(crate) fn take_comments(&mut self) -> Vec<Comment> {
        self.comments
            .take()
            .map(Comments::finish)
            .unwrap_or_default()
    }

    /// Goes to the root of the document.
    pub(crate) fn open(&mut self) -> Root<'a> {
        self.begin();
        match self.peek() {
            None => Root::Nothing,
            Some(Step::Mapping) => {
                let span = self.enter();
                Root::Mapping(span)
            }
            Some(_) => Root::Other(self.value()),
        }
    }

    /// Goes to the first value.
    fn begin(&mut self) {
        while matches!(self.peek(), Some(Step::Rest | Step::Document)) {
            self.next();
        }
    }

    /// The next key of the root mapping, its value still to be read; `None` at its end.
    pub(crate) fn next_key(&mut self) -> Option<Key<'a>> {
        if self.at_end() {
            self.next();
            self.nesting = 0;
            return None;
        }
        if self.root_keys.len() == limits::VALUES {
            let place = Span::at(self.behind);
            self.too_many(place);
            self.stopped_at = Some(place.start);
            return None;
        }
        self.budget = limits::VALUES;
        let key = self.key()?;
        if key.reported {
            return Some(key);
        }
        if let Some(&first) = self.root_keys.get(key.name.as_ref()) {
            self.report(|| duplicate_key(&key, first));
        } else {
            self.root_keys
                .insert(key.name.clone().into_owned(), key.span);
        }
        Some(key)
    }

    /// Goes into the list that comes next, and returns its place; any other value is returned whole.
    pub(crate) fn enter_list(&mut self) -> Result<Span, Node<'a>> {
        if matches!(self.peek(), Some(Step::List)) {
            Ok(self.enter())
        } else {
            Err(self.value())
        }
    }

    /// Where the next item of the list that was entered begins, behind its dash; `None` at its end.
    pub(crate) fn item_start(&mut self) -> Option<usize> {
        if self.at_end() {
            return None;
        }
        self.peeked.front().map(|event| event.span.start)
    }

    /// The next item of the list that was entered; `None` at its end.
    pub(crate) fn next_item(&mut self) -> Option<Node<'a>> {
        if self.at_end() {
            self.next();
            self.nesting -= 1;
            return None;
        }
        self.budget = limits::VALUES;
        Some(self.value())
    }

    /// Passes over what is left of the list that was entered.
    pub(crate) fn leave_list(&mut self) {
        self.skip_to_end();
        self.next();
        self.nesting -= 1;
    }

    /// Reads to the end of the text and refuses a second document.
    pub(crate) fn close(&mut self) {
        while let Some(Event { step, span, .. }) = self.next() {
            if matches!(step, Step::Document) {
                self.problem(
                    span,
                    "a second document starts here",
                    "keep one document a file",
                );
                self.stopped_at = Some(span.start);
            }
        }
    }

    /// The value that comes next, whole.
    pub(crate) fn value(&mut self) -> Node<'a> {
        let before = self.behind;
        let Some(event) = self.next() else {
            return Node::absent(Span::at(self.text.len()));
        };
        let place = event.span;
        self.refuse_tag(event.tag);
        match event.step {
            Step::Scalar(text, style) => self.scalar(text, style, place, before),
            Step::List => self.list(place),
            Step::Mapping => self.mapping(place),
            Step::Alias => {
                self.problem(place, "aliases are not supported", "write the value out");
                Node::absent(place)
            }
            Step::End | Step::Document | Step::Rest => Node::absent(place),
        }
    }

    /// Goes into the list or mapping that comes next, and returns its place.
    fn enter(&mut self) -> Span {
        self.nesting += 1;
        let Some(event) = self.next() else {
            return Span::at(self.text.len());
        };
        self.refuse_tag(event.tag);
        event.span
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: Style, place: Span, before: usize) -> Node<'a> {
        let (span, content) = match style {
            Style::Plain if place.start == place.end => {
                let at = Span::at(self.behind_colon(before, place.start));
                self.problem(at, "a value is missing here", EMPTY_HELP);
                return Node::absent(at);
            }
            Style::Plain => (place, place.start),
            Style::SingleQuoted | Style::DoubleQuoted => (place, place.start + 1),
            Style::Literal | Style::Folded => {
                let header = self.block_header(before, place.start);
                (Span::new(header, place.end.max(header)), place.start)
            }
        };
        Node {
            span,
            kind: Kind::Scalar(Scalar {
                text,
                style,
                content,
            }),
        }
    }

    fn list(&mut self, place: Span) -> Node<'a> {
        if !self.descend(place) {
            return Node::absent(place);
        }
        let mut items = Vec::new();
        while !self.at_end() {
            if !self.spend(place) {
                self.skip_to_end();
                break;
            }
            items.push(self.value());
        }
        let end = self.ascend();
        Node {
            span: Span::new(place.start, end.max(place.start)),
            kind: Kind::List(items),
        }
    }

    fn mapping(&mut self, place: Span) -> Node<'a> {
        if !self.descend(place) {
            return Node::absent(place);
        }
        let mut entries = Vec::new();
        let mut spent = false;
        while !self.at_end() {
            if !self.spend(place) {
                self.skip_to_end();
                spent = true;
                break;
            }
            let Some(key) = self.key() else { break };
            let value = self.value();
            entries.push(Entry { key, value });
        }
        self.refuse_duplicates(&entries);
        let end = self.ascend();
        // A fault right behind the mapping may have ended it too soon: a key indented too little, say.
        let cut = spent || self.fault_follows();
        Node {
            span: Span::new(place.start, end.max(place.start)),
            kind: Kind::Mapping(Mapping { entries, cut }),
        }
    }

    fn key(&mut self) -> Option<Key<'a>> {
        self.peek()?;
        let node = self.value();
        let (name, reported) = match node.kind {
            Kind::Scalar(Scalar { text, style, .. }) => {
                if style == Style::Plain && text == "<<" {
                    self.problem(
                        node.span,
                        "merge keys are not supported",
                        "write the fields out",
                    );
                    (text, true)
                } else {
                    (text, false)
                }
            }
            Kind::List(_) | Kind::Mapping(_) => {
                self.problem(
                    node.span,
                    "a key must be text",
                    "remove the brackets around it",
                );
                (Cow::Borrowed(""), true)
            }
            Kind::Absent => (Cow::Borrowed(""), true),
        };
        Some(Key {
            name,
            span: node.span,
            reported,
        })
    }

    /// Enters a list or a mapping; one that is nested too deep is passed over.
    fn descend(&mut self, place: Span) -> bool {
        if self.nesting < self.limit {
            self.nesting += 1;
            return true;
        }
        self.too_deep(place);
        self.skip_to_end();
        self.next();
        false
    }

    /// Leaves a list or a mapping, and returns where it ends.
    fn ascend(&mut self) -> usize {
        self.nesting -= 1;
        let end = self.next();
        end.map_or(self.text.len(), |end| end.span.end)
    }

    fn too_deep(&mut self, place: Span) {
        let message = format!("nested deeper than {} levels", self.limit);
        self.problem(place, message, "flatten the document");
    }

    fn too_many(&mut self, place: Span) {
        let message = format!("more than {} values belong together here", limits::VALUES);
        self.problem(place, message, "split it");
    }

    /// Takes one value from the budget; the first that is too many is reported.
    fn spend(&mut self, place: Span) -> bool {
        match self.budget {
            0 => return false,
            1 => self.too_many(place),
            _ => {}
        }
        self.budget -= 1;
        self.budget > 0
    }

    /// Passes over the rest of a list or a mapping, up to its end.
    fn skip_to_end(&mut self) {
        let mut inside = 0_usize;
        while let Some(step) = self.peek() {
            match step {
                Step::List | Step::Mapping => inside += 1,
                Step::End => match inside.checked_sub(1) {
                    Some(left) => inside = left,
                    None => return,
                },
                Step::Scalar(..) | Step::Alias | Step::Document | Step::Rest => {}
            }
            self.next();
        }
    }

    fn refuse_duplicates(&mut self, entries: &[Entry<'a>]) {
        // Nearly every mapping is short, and comparing a few names beats hashing them.
        if entries.len() <= 16 {
            for (i, entry) in entries.iter().enumerate() {
                let first = entries
                    .iter()
                    .take(i)
                    .find(|e| e.key.name == entry.key.name && !e.key.reported);
                if let Some(first) = first
                    && !entry.key.reported
                {
                    self.report(|| duplicate_key(&entry.key, first.key.span));
                }
            }
            return;
        }
        let mut seen = HashMap::with_capacity(entries.len());
        for entry in entries.iter().filter(|entry| !entry.key.reported) {
            if let Some(&first) = seen.get(entry.key.name.as_ref()) {
                self.report(|| duplicate_key(&entry.key, first));
            } else {
                seen.insert(entry.key.name.as_ref(), entry.key.span);
            }
        }
    }

    fn refuse_tag(&mut self, tag: Option<Span>) {
        if let Some(tag) = tag {
            self.problem(
                tag,
                "tags are not supported",
                "remove it; quote the value to make it text",
            );
        }
    }

    fn problem(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.report(|| Problem {
            span,
            message: message.into(),
            help: Some(help.to_owned()),
            related: None,
        });
    }

    /// Keeps a problem, unless there are more than a run shows anyway.
    fn report(&mut self, problem: impl FnOnce() -> Problem) {
        if self.problems.len() <= limits::DIAGNOSTICS {
            self.problems.push(problem());
        }
    }

    /// Just behind the colon (or dash) whose value is missing.
    fn behind_colon(&self, before: usize, at: usize) -> usize {
        let gap = |from: usize| self.text.get(from..).unwrap_or("");
        let skipped = gap(before).trim_start_matches([' ', '\t']);
        if skipped.starts_with(':') {
            return self.text.len() - skipped.len() + 1;
        }
        let dashed = self.text.get(..at).unwrap_or("").trim_end();
        if dashed.ends_with('-') {
            dashed.len()
        } else {
            at
        }
    }

    /// The `|` or `>` of a block scalar whose content begins at `content`.
    fn block_header(&self, before: usize, content: usize) -> usize {
        let mut rest = self.text.get(before..content).unwrap_or("");
        let mut at = before;
        // Between a key and its block stand only a colon or dash, white space, comments, an anchor, a tag.
        while let Some(c) = rest.chars().next() {
            let skip = match c {
                '|' | '>' => return at,
                '#' | '!' | '&' => rest
                    .find(if c == '#' { ['\n', '\r'] } else { [' ', '\n'] })
                    .unwrap_or(rest.len()),
                _ => c.len_utf8(),
            };
            at += skip;
            rest = rest.get(skip..).unwrap_or("");
        }
        content
    }

    fn peek(&mut self) -> Option<&Step<'a>> {
        if self.peeked.is_empty() {
            let next = self.pull()?;
            self.peeked.push_back(next);
        }
        self.peeked.front().map(|event| &event.step)
    }

    fn next(&mut self) -> Option<Event<'a>> {
        let next = self.peeked.pop_front().or_else(|| self.pull())?;
        self.behind = next.span.end;
        Some(next)
    }

    /// Whether the list or mapping that was begun last ends here.
    fn at_end(&mut self) -> bool {
        matches!(self.peek(), None | Some(Step::End))
    }

    /// Whether a syntax error comes next, behind nothing but ends of lists and mappings.
    fn fault_follows(&mut self) -> bool {
        let mut ahead = 0;
        loop {
            match self.peeked.get(ahead) {
                Some(event) if matches!(event.step, Step::End) => ahead += 1,
                Some(_) => return false,
                None => match self.pull() {
                    Some(next) => self.peeked.push_back(next),
                    None => return self.stopped_at.is_some(),
                },
            }
        }
    }

    /// The next event that is part of the tree.
    fn pull(&mut self) -> Option<Event<'a>> {
        while self.stopped_at.is_none() {
            let (parsed, span) = match self.parser.next()? {
                Ok(next) => next,
                Err(error) => {
                    self.stop(&error);
                    return None;
                }
            };
            let step = match parsed {
                Parsed::Scalar(text, style, ..) => Step::Scalar(text, style_of(style)),
                Parsed::MappingStart(..) => Step::Mapping,
                Parsed::SequenceStart(..) => Step::List,
                Parsed::MappingEnd | Parsed::SequenceEnd => Step::End,
                Parsed::Alias(_) | Parsed::UnresolvedAlias(_) => Step::Alias,
                Parsed::DocumentStart(..) => Step::Document,
                Parsed::Anchor(..) => {
                    self.problem(
                        bytes(&span, self.base),
                        "anchors are not supported",
                        "remove it and write the values out",
                    );
                    continue;
                }
                _ => Step::Rest,
            };
            let tag = span.tag_span().map(|tag| bytes(&tag, self.base));
            let span = bytes(&span, self.base);
            if let (Some(comments), Step::Scalar(text, style)) = (&mut self.comments, &step) {
                comments.pass(text, *style, span);
            }
            return Some(Event { step, span, tag });
        }
        None
    }

    /// Reports a syntax error, which ends the reading.
    fn stop(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset();
        let at = at.map_or(self.text.len(), |at| self.base + at);
        let at = Span::at(at.min(self.text.len()));
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            self.too_deep(at);
        } else {
            self.report(|| Problem {
                span: at,
                message: format!("invalid YAML: {}", error.info()),
                help: None,
                related: None,
            });
        }
        self.stopped_at = Some(at.start);
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

/// Reads a whole document as one tree; `None` if there is none.
#[cfg(test)]
pub(crate) fn document(text: &str, limit: usize) -> (Option<Node<'_>>, Vec<Problem>) {
    let mut reader = Reader::new(text, limit);
    let root = document_of(&mut reader);
    (root, reader.take_problems())
}

/// Reads the whole document of a reader as one tree; `None` if there is none.
pub(crate) fn document_of<'a>(reader: &mut Reader<'a>) -> Option<Node<'a>> {
    let root = match reader.open() {
        Root::Nothing => None,
        Root::Other(node) => Some(node),
        Root::Mapping(span) => {
            reader.nesting = 0;
            Some(reader.mapping(span))
        }
    };
    reader.close();
    root
}

fn duplicate_key(key: &Key<'_>, first: Span) -> Problem {
    Problem {
        span: key.span,
        message: format!("duplicate key `{}`", excerpt(&key.name)),
        help: Some("keep one of the two".to_owned()),
        related: Some((first, "first set here".to_owned())),
    }
}

/// The span of a parser that began at `base`.
fn bytes(span: &ParsedSpan, base: usize) -> Span {
    let start = span.start.byte_offset().unwrap_or(0);
    let end = span.end.byte_offset().unwrap_or(start);
    Span::new(base + start, base + end.max(start))
}
