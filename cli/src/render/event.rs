//! Audit events.

use lattice_core::audit;
use lattice_core::view::{Event, EventPage};

use super::{Table, value};

/// One line for each event.
pub(crate) fn list(page: &EventPage) -> Table {
    let mut table = Table::new(["seq", "time", "kind", "actor", "changes"]);
    for event in &page.events {
        let leaf = &event.leaf;
        table.row([
            leaf.seq.to_string(),
            leaf.time.clone(),
            leaf.kind.as_str().to_owned(),
            leaf.actor.clone(),
            changes(event),
        ]);
    }
    table
}

/// Every field of an event that its kind uses, and the names.
pub(crate) fn details(event: &Event) -> Table {
    let mut table = leaf_details(&event.leaf);
    let names = [
        ("names.added", &event.names.added),
        ("names.modified", &event.names.modified),
        ("names.deactivated", &event.names.deactivated),
    ];
    for (field, names) in names {
        if !names.is_empty() {
            table.row([field.to_owned(), value(names)]);
        }
    }
    table
}

/// The same of an event whose names are not there.
pub(crate) fn leaf_details(leaf: &audit::Event) -> Table {
    let mut table = Table::new(["field", "value"]);
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let fields = [
        ("seq", Some(leaf.seq.to_string())),
        ("time", Some(leaf.time.clone())),
        ("kind", Some(leaf.kind.as_str().to_owned())),
        ("actor", Some(leaf.actor.clone())),
        ("log", Some(leaf.log.clone())),
        ("manifest_version", leaf.manifest_version.clone()),
        ("manifest_sha256", leaf.manifest_sha256.clone()),
        ("rendered_sha256", leaf.rendered_sha256.clone()),
        ("from", leaf.from.clone()),
        ("replace", leaf.replace.map(|replace| replace.to_string())),
        ("added", number(leaf.added)),
        ("modified", number(leaf.modified)),
        ("deleted", number(leaf.deleted)),
        ("unchanged", number(leaf.unchanged)),
        ("before", leaf.before.clone()),
        ("after", leaf.after.clone()),
        ("changes", leaf.changes.clone()),
    ];
    for (field, shown) in fields {
        if let Some(shown) = shown {
            table.row([field.to_owned(), shown]);
        }
    }
    table
}

fn changes(event: &Event) -> String {
    let leaf = &event.leaf;
    let counts = [
        ("+", leaf.added),
        ("~", leaf.modified),
        ("-", leaf.deleted),
        ("=", leaf.unchanged),
    ];
    let shown: Vec<String> = counts
        .iter()
        .filter_map(|(sign, count)| count.map(|count| format!("{sign}{count}")))
        .collect();
    shown.join(" ")
}
