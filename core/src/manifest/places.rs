//! Where in a manifest names stand, for errors about several manifests. The manifest was found valid.

use std::collections::{HashMap, HashSet};

use crate::limits;
use crate::policy;
use crate::source::{Place, Source, Span, strip_bom};
use crate::yaml::{Kind, Node, Reader, Root};

/// The places of those policies that are named in `wanted`.
pub(crate) fn places_of_policies(bytes: &[u8], wanted: &HashSet<&str>) -> HashMap<String, Place> {
    places(bytes, wanted, "policies", |reader, found| {
        if reader.enter_list().is_err() {
            return;
        }
        while let Some(node) = reader.next_item() {
            if let Some((name, span)) = policy::name_of(&node) {
                found(name, span);
            }
        }
    })
}

/// The places of those circuit breakers whose anomaly types are in `wanted`.
pub(crate) fn places_of_breakers(bytes: &[u8], wanted: &HashSet<&str>) -> HashMap<String, Place> {
    places(bytes, wanted, "circuit_breakers_info", |reader, found| {
        let info = reader.value();
        let Some(Kind::List(entries)) = value(&info, "entries").map(|node| &node.kind) else {
            return;
        };
        for node in entries
            .iter()
            .filter_map(|entry| value(entry, "anomaly_type"))
        {
            if let Kind::Scalar(scalar) = &node.kind {
                found(&scalar.text, node.span);
            }
        }
    })
}

/// Walks to the root key `key`, where `walk` tells of names and their spans.
fn places<'a>(
    bytes: &'a [u8],
    wanted: &HashSet<&str>,
    key: &str,
    walk: impl Fn(&mut Reader<'a>, &mut dyn FnMut(&str, Span)),
) -> HashMap<String, Place> {
    let text = strip_bom(std::str::from_utf8(bytes).unwrap_or_default());
    let source = Source::new(text);
    let mut reader = Reader::new(text, limits::YAML_NESTING);
    let mut places = HashMap::new();
    if !matches!(reader.open(), Root::Mapping(_)) {
        return places;
    }
    while let Some(next) = reader.next_key() {
        if next.name != key {
            reader.value();
            continue;
        }
        walk(&mut reader, &mut |name, span| {
            if wanted.contains(name) {
                places.insert(name.to_owned(), source.place(span));
            }
        });
        break;
    }
    places
}

fn value<'n, 'a>(node: &'n Node<'a>, key: &str) -> Option<&'n Node<'a>> {
    let Kind::Mapping(mapping) = &node.kind else {
        return None;
    };
    let entry = mapping.entries.iter().find(|entry| entry.key.name == key);
    entry.map(|entry| &entry.value)
}
