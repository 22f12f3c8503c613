//! Circuit breakers: exported for reference, never applied.

use std::collections::HashMap;

use crate::decode::{self, Fields};
use crate::error::{Code, Error};
use crate::findings::Sink;
use crate::number::Number;
use crate::policy::check_name;
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// The keys of `circuit_breakers_info`.
pub(crate) const INFO_FIELDS: [&str; 2] = ["note", "entries"];
/// The keys of a circuit breaker.
pub(crate) const FIELDS: [&str; 3] = ["anomaly_type", "score_threshold", "response_level"];

/// A circuit breaker: exported for reference, never applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// What it watches for.
    pub anomaly_type: String,
    /// The score at which it trips, 0 or more.
    pub score_threshold: Number,
    /// What happens then.
    pub response_level: String,
}

impl Breaker {
    /// Checks the fields by the rules of the manifest.
    ///
    /// # Errors
    ///
    /// `USAGE`, naming the field.
    pub fn new(
        anomaly_type: &str,
        score_threshold: Number,
        response_level: &str,
    ) -> Result<Self, Error> {
        let invalid =
            |field: &str, message: &str| Error::new(Code::Usage, format!("`{field}`: {message}"));
        check_name(anomaly_type).map_err(|m| invalid("anomaly_type", &m))?;
        check_name(response_level).map_err(|m| invalid("response_level", &m))?;
        check_threshold(score_threshold).map_err(|m| invalid("score_threshold", m))?;
        Ok(Self {
            anomaly_type: anomaly_type.to_owned(),
            score_threshold,
            response_level: response_level.to_owned(),
        })
    }
}

fn check_threshold(score: Number) -> Result<(), &'static str> {
    if score < Number::from(0_i64) {
        return Err("must be 0 or more");
    }
    Ok(())
}

/// Reads `circuit_breakers_info`; everything wrong with it is reported.
pub(crate) fn read_all(node: &Node<'_>, sink: &mut Sink<'_>) -> Vec<Breaker> {
    let mut breakers = Vec::new();
    let what = "`circuit_breakers_info`";
    let Some(fields) = Fields::of(node, what, &INFO_FIELDS, sink) else {
        return breakers;
    };
    if let Some(note) = fields.get("note") {
        // Kept by the formatter, which reads the text again.
        let _ = decode::nullable_string(note, "`note`", sink);
    }
    let Some(entries) = fields.require("entries", sink) else {
        return breakers;
    };
    let Kind::List(items) = &entries.kind else {
        let expected = "`entries` must be a list (`[]` for none)";
        decode::wrong_type(entries, expected, "write `[]` for none", sink);
        return breakers;
    };
    let mut types: HashMap<String, Span> = HashMap::new();
    for item in items {
        let Some((breaker, span)) = breaker(item, sink) else {
            continue;
        };
        if let Some(&first) = types.get(&breaker.anomaly_type) {
            sink.duplicate(
                span,
                format!("duplicate anomaly type `{}`", breaker.anomaly_type),
                Some("keep one of the two".to_owned()),
                (first, "first used here".to_owned()),
            );
        } else {
            types.insert(breaker.anomaly_type.clone(), span);
            breakers.push(breaker);
        }
    }
    breakers
}

fn breaker(node: &Node<'_>, sink: &mut Sink<'_>) -> Option<(Breaker, Span)> {
    let fields = Fields::of(node, "a circuit breaker", &FIELDS, sink)?;
    let text = |name: &str, sink: &mut Sink<'_>| {
        let node = fields.require(name, sink)?;
        let text = decode::string(node, format_args!("`{name}`"), sink)?;
        let checked = check_name(text)
            .map_err(|message| sink.error(node.span, format!("`{name}`: {message}")));
        checked.ok().map(|()| (text.to_owned(), node.span))
    };
    let anomaly_type = text("anomaly_type", sink);
    let response_level = text("response_level", sink);
    let score_threshold = fields.require("score_threshold", sink).and_then(|node| {
        let score = decode::number(node, "`score_threshold`", sink)?;
        let checked = check_threshold(score)
            .map_err(|message| sink.error(node.span, format!("`score_threshold` {message}")));
        checked.ok().map(|()| score)
    });
    let (anomaly_type, span) = anomaly_type?;
    let breaker = Breaker {
        anomaly_type,
        score_threshold: score_threshold?,
        response_level: response_level?.0,
    };
    Some((breaker, span))
}
