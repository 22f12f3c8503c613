//! From spanned nodes to typed fields: what is unknown, missing or of the wrong type is reported where it stands.
//!
//! `what` names a value in messages. It is put into words only when there is something to report.

use std::fmt::Display;

use crate::findings::{Sink, suggestion};
use crate::number::{Number, NumberError};
use crate::plain::{Plain, classify};
use crate::source::Span;
use crate::value::Scalar;
use crate::yaml::{self, Key, Kind, Mapping, Node, Problem, Style};

/// A value that cannot be used; why is in the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported;

/// Reports what the reader found wrong with the form of the document.
pub(crate) fn report_problems(problems: Vec<Problem>, sink: &mut Sink<'_>) {
    for problem in problems {
        match (problem.related, problem.help) {
            (Some(first), help) => sink.duplicate(problem.span, problem.message, help, first),
            (None, Some(help)) => sink.error_help(problem.span, problem.message, help),
            (None, None) => sink.error(problem.span, problem.message),
        }
    }
}

/// The fields of a mapping whose keys are known.
pub(crate) struct Fields<'n, 'a> {
    mapping: &'n Mapping<'a>,
    /// The mapping's place.
    pub(crate) span: Span,
}

impl<'n, 'a> Fields<'n, 'a> {
    /// The fields of `node`; `what` names it in messages (`a policy`). Unknown keys are reported.
    pub(crate) fn of(
        node: &'n Node<'a>,
        what: &str,
        known: &[&str],
        sink: &mut Sink<'_>,
    ) -> Option<Self> {
        let fields = Self::of_any(node, what, sink)?;
        for key in fields.keys() {
            check_key(key, what, known, sink);
        }
        Some(fields)
    }

    /// The fields of `node`, whatever their keys.
    pub(crate) fn of_any(node: &'n Node<'a>, what: &str, sink: &mut Sink<'_>) -> Option<Self> {
        let Kind::Mapping(mapping) = &node.kind else {
            let help = "write keys and values in its place";
            wrong_type(node, &format!("{what} must be a mapping"), help, sink);
            return None;
        };
        Some(Self {
            mapping,
            span: node.span,
        })
    }

    /// The keys as they stand.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'n Key<'a>> + use<'n, 'a> {
        self.mapping.entries.iter().map(|entry| &entry.key)
    }

    /// The value of a field, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&'n Node<'a>> {
        let entry = self
            .mapping
            .entries
            .iter()
            .find(|entry| entry.key.name == name);
        entry.map(|entry| &entry.value)
    }

    /// Whether a syntax error ended the text inside, so that what is missing may have stood further on.
    pub(crate) fn is_cut(&self) -> bool {
        self.mapping.cut
    }

    /// The place of a field's key, if it is there.
    pub(crate) fn key_span(&self, name: &str) -> Option<Span> {
        let entry = self
            .mapping
            .entries
            .iter()
            .find(|entry| entry.key.name == name);
        entry.map(|entry| entry.key.span)
    }

    /// The value of a field that must be there.
    pub(crate) fn require(&self, name: &str, sink: &mut Sink<'_>) -> Option<&'n Node<'a>> {
        let found = self.get(name);
        if found.is_none() && !self.mapping.cut {
            missing(self.span, name, sink);
        }
        found
    }
}

/// Reports a key that is not among the known ones.
pub(crate) fn check_key(key: &Key<'_>, what: &str, known: &[&str], sink: &mut Sink<'_>) -> bool {
    let is_known = known.contains(&key.name.as_ref());
    if !is_known && !key.reported {
        let help = match suggestion(&key.name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{what} has the keys {}", list(known)),
        };
        sink.error_help(
            key.span,
            format!("unknown key `{}` in {what}", excerpt(&key.name)),
            help,
        );
    }
    is_known
}

/// Reports a field that is not there.
pub(crate) fn missing(span: Span, name: &str, sink: &mut Sink<'_>) {
    sink.error_help(
        span,
        format!("missing field `{name}`"),
        format!("add `{name}`"),
    );
}

/// Text, quoted or plain.
pub(crate) fn string<'n>(
    node: &'n Node<'_>,
    what: impl Display,
    sink: &mut Sink<'_>,
) -> Option<&'n str> {
    if let Kind::Scalar(scalar) = &node.kind
        && is_text(scalar)
    {
        return Some(&scalar.text);
    }
    let help = match &node.kind {
        Kind::Scalar(_) => TO_TEXT,
        Kind::List(_) | Kind::Mapping(_) | Kind::Absent => "write text in its place",
    };
    wrong_type(node, &format!("{what} must be a string"), help, sink);
    None
}

/// Whether a scalar is text for every reader.
pub(crate) fn is_text(scalar: &yaml::Scalar<'_>) -> bool {
    scalar.style != Style::Plain || classify(&scalar.text) == Plain::String
}

/// Text or `null`.
pub(crate) fn nullable_string<'n>(
    node: &'n Node<'_>,
    what: impl Display,
    sink: &mut Sink<'_>,
) -> Result<Option<&'n str>, Reported> {
    if is_null(node) {
        return Ok(None);
    }
    string(node, what, sink).map(Some).ok_or(Reported)
}

/// `true` or `false`, unquoted.
pub(crate) fn boolean(node: &Node<'_>, what: impl Display, sink: &mut Sink<'_>) -> Option<bool> {
    if let Kind::Scalar(scalar) = &node.kind
        && scalar.style == Style::Plain
        && let Plain::Bool(value) = classify(&scalar.text)
    {
        return Some(value);
    }
    let expected = format!("{what} must be `true` or `false`, unquoted");
    wrong_type(node, &expected, "write `true` or `false`", sink);
    None
}

/// A number, unquoted.
pub(crate) fn number(node: &Node<'_>, what: impl Display, sink: &mut Sink<'_>) -> Option<Number> {
    match scalar(node, &what, sink)? {
        Scalar::Number(number) => Some(number),
        Scalar::Bool(_) | Scalar::String(_) => {
            let expected = format!("{what} must be a number, unquoted");
            wrong_type(node, &expected, TO_NUMBER, sink);
            None
        }
    }
}

/// Text, a number or a boolean; never null.
pub(crate) fn scalar(node: &Node<'_>, what: impl Display, sink: &mut Sink<'_>) -> Option<Scalar> {
    let expected = || format!("{what} must be a string, a number or a boolean");
    let Kind::Scalar(scalar) = &node.kind else {
        wrong_type(node, &expected(), "write one value", sink);
        return None;
    };
    let text = || Scalar::String((*scalar.text).into());
    if scalar.style != Style::Plain {
        return Some(text());
    }
    match classify(&scalar.text) {
        Plain::String => Some(text()),
        Plain::Bool(value) => Some(Scalar::Bool(value)),
        Plain::Number => Number::parse(&scalar.text)
            .map(Scalar::Number)
            .map_err(|error| out_of_range(node, error, sink))
            .ok(),
        Plain::Null => {
            wrong_type(node, &expected(), "`is_null` asks for null", sink);
            None
        }
        Plain::Ambiguous => {
            let help = "readers of YAML disagree on it: quote it to make it text, or write `true`, `false` or a decimal number";
            wrong_type(node, &expected(), help, sink);
            None
        }
    }
}

fn out_of_range(node: &Node<'_>, error: NumberError, sink: &mut Sink<'_>) {
    let message = format!("{} {}", found(node), error.as_str());
    sink.error_help(node.span, message, TO_TEXT);
}

/// Whether the node is `null`, spelt so.
pub(crate) fn is_null(node: &Node<'_>) -> bool {
    matches!(&node.kind, Kind::Scalar(scalar)
        if scalar.style == Style::Plain && classify(&scalar.text) == Plain::Null)
}

const TO_TEXT: &str = "quote it to make it text";
const TO_NUMBER: &str = "write a decimal number, such as `10` or `0.5`";

/// Reports a value of a wrong type; one that is absent has been reported already.
pub(crate) fn wrong_type(node: &Node<'_>, expected: &str, help: &str, sink: &mut Sink<'_>) {
    if !matches!(node.kind, Kind::Absent) {
        sink.error_help(
            node.span,
            format!("{expected}, found {}", found(node)),
            help,
        );
    }
}

/// What stands at a node, for messages.
pub(crate) fn found(node: &Node<'_>) -> String {
    match &node.kind {
        Kind::Absent => "nothing".to_owned(),
        Kind::List(_) => "a list".to_owned(),
        Kind::Mapping(_) => "a mapping".to_owned(),
        Kind::Scalar(scalar) => {
            let shown = excerpt(&scalar.text);
            match (scalar.style, classify_or_empty(&scalar.text)) {
                (Style::Plain, Plain::Null) => "`null`".to_owned(),
                (Style::Plain, Plain::Bool(_)) => format!("the boolean `{shown}`"),
                (Style::Plain, Plain::Number) => format!("the number `{shown}`"),
                (Style::Plain, _) => format!("`{shown}`"),
                (_, _) => format!("the string `{shown}`"),
            }
        }
    }
}

fn classify_or_empty(text: &str) -> Plain {
    if text.is_empty() {
        Plain::String
    } else {
        classify(text)
    }
}

/// A text short enough for a message, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Words in backticks, with commas between.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
