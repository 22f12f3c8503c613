//! From a node of a manifest to the fields of a policy: what is unknown, missing or of the wrong type is reported.

use std::borrow::Cow;

use super::draft::{At, Document, Draft, Patterned, TIMEOUT_HELP, timeout_rule};
use super::{FIELDS, Policy};
use crate::condition::Cache;
use crate::decode::{self, Fields, Reported};
use crate::embed::Embedded;
use crate::findings::Sink;
use crate::limits;
use crate::source::{Source, Span};
use crate::yaml::{Kind, Node, Style};

/// Reads and compiles a policy; everything wrong with it is reported.
///
/// `label` names it in errors of its conditions when it has no name of its own.
pub(crate) fn read(
    node: &Node<'_>,
    label: &str,
    source: &Source<'_>,
    cache: &Cache,
    sink: &mut Sink<'_>,
) -> Option<Policy> {
    let fields = Fields::of(node, "a policy", &FIELDS, sink)?;
    let name = fields.require("name", sink);
    let name = name.and_then(|node| text(node, "name", sink));
    let draft = Draft {
        name,
        ..unnamed(&fields, source, sink)
    };
    draft.compile(label, cache, sink)
}

/// Every field but the name, of which the required ones must be there.
pub(super) fn unnamed<'n>(
    fields: &Fields<'n, '_>,
    source: &'n Source<'_>,
    sink: &mut Sink<'_>,
) -> Draft<'n> {
    let mut require = |name: &str| fields.require(name, sink);
    let [action_type, approval_required] = ["action_type", "approval_required"].map(&mut require);
    let [repos, branches, document] =
        ["allowed_repos", "allowed_branches", "conditions"].map(&mut require);
    Draft {
        name: None,
        action_type: action_type.and_then(|node| text(node, "action_type", sink)),
        approval_required: approval_required.and_then(|node| approval_required_of(node, sink)),
        approval_timeout_hours: match fields.get("approval_timeout_hours") {
            Some(node) => timeout(node, sink),
            None => Some(At {
                value: limits::DEFAULT_APPROVAL_TIMEOUT_HOURS,
                span: fields.span,
            }),
        },
        allowed_repos: repos
            .ok_or(Reported)
            .and_then(|node| allow_list(node, "allowed_repos", sink)),
        allowed_branches: branches
            .ok_or(Reported)
            .and_then(|node| allow_list(node, "allowed_branches", sink)),
        conditions: document
            .ok_or(Reported)
            .and_then(|node| conditions(node, source, sink)),
    }
}

/// The name that a policy gives itself, right or wrong, and its place.
pub(crate) fn name_of<'n, 'a>(node: &'n Node<'a>) -> Option<(&'n Cow<'a, str>, Span)> {
    let Kind::Mapping(mapping) = &node.kind else {
        return None;
    };
    let entry = mapping
        .entries
        .iter()
        .find(|entry| entry.key.name == "name")?;
    match &entry.value.kind {
        Kind::Scalar(scalar) => Some((&scalar.text, entry.value.span)),
        Kind::List(_) | Kind::Mapping(_) | Kind::Absent => None,
    }
}

pub(super) fn text<'n>(node: &'n Node<'_>, name: &str, sink: &mut Sink<'_>) -> Option<At<&'n str>> {
    let value = decode::string(node, format_args!("`{name}`"), sink)?;
    Some(At {
        value,
        span: node.span,
    })
}

pub(super) fn approval_required_of(node: &Node<'_>, sink: &mut Sink<'_>) -> Option<bool> {
    decode::boolean(node, "`approval_required`", sink)
}

pub(super) fn timeout(node: &Node<'_>, sink: &mut Sink<'_>) -> Option<At<u16>> {
    let hours = match &node.kind {
        Kind::Scalar(scalar)
            if scalar.style == Style::Plain
                && scalar.text.bytes().all(|b| b.is_ascii_digit())
                && (scalar.text == "0" || !scalar.text.starts_with('0')) =>
        {
            scalar.text.parse().ok()
        }
        _ => None,
    };
    if hours.is_none() {
        decode::wrong_type(node, &timeout_rule(), TIMEOUT_HELP, sink);
    }
    hours.map(|value| At {
        value,
        span: node.span,
    })
}

pub(super) fn allow_list<'n>(node: &'n Node<'_>, name: &str, sink: &mut Sink<'_>) -> Patterned<'n> {
    if decode::is_null(node) {
        return Ok(None);
    }
    let Kind::List(items) = &node.kind else {
        let expected = format!("`{name}` must be `null` or a list of patterns");
        decode::wrong_type(
            node,
            &expected,
            "write `null` for any, or a list: `[one, two]`",
            sink,
        );
        return Err(Reported);
    };
    let items = items.iter().map(|item| {
        let value = decode::string(item, "a pattern", sink)?;
        Some(At {
            value,
            span: item.span,
        })
    });
    Ok(Some(At {
        value: items.collect(),
        span: node.span,
    }))
}

pub(super) fn conditions<'n>(
    node: &'n Node<'_>,
    source: &'n Source<'_>,
    sink: &mut Sink<'_>,
) -> Result<Option<Document<'n>>, Reported> {
    if decode::is_null(node) {
        return Ok(None);
    }
    match &node.kind {
        Kind::Scalar(scalar) if decode::is_text(scalar) => Ok(Some(Document {
            text: &scalar.text,
            places: Box::new(Embedded::new(source, scalar, node.span)),
        })),
        Kind::Absent => Err(Reported),
        Kind::Scalar(_) | Kind::List(_) | Kind::Mapping(_) => {
            sink.error_help(
                node.span,
                format!(
                    "`conditions` must be `null` or a string that holds a YAML document, found {}",
                    decode::found(node)
                ),
                "write `conditions: |` and indent the document below it",
            );
            Err(Reported)
        }
    }
}
