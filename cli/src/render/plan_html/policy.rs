//! One changed policy: a card with its name, and each changed field before and after.

use std::fmt::Write as _;

use lattice_core::view::{Change, ChangeAction};

use super::super::count;
use super::super::field::{Shown, fitting};
use super::super::html::Html;
use super::super::room::clipped;
use super::super::sides::{Row, rows};

/// A card may take this many bytes, so that one policy does not hide the others.
const CARD: usize = 256 * 1024;

/// Of which the names of fields that do not fit may take this much: so many of them, so many characters each.
const HIDDEN: usize = 16 * 1024;
const NAMES: usize = 20;
const NAME: usize = 100;

/// What happens to a policy, as its sign and word say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verb {
    sign: &'static str,
    /// Also the class that colours it.
    word: &'static str,
}

/// What changes of this kind are called; nothing for what is no change.
pub(super) fn verb(action: ChangeAction) -> Option<Verb> {
    let (sign, word) = match action {
        ChangeAction::Add => ("+", "added"),
        ChangeAction::Modify => ("~", "modified"),
        ChangeAction::Deactivate => ("−", "deactivated"),
        ChangeAction::Unchanged | ChangeAction::Untouched => return None,
    };
    Some(Verb { sign, word })
}

impl Verb {
    pub(super) fn badge(self, html: &mut Html) {
        html.class("span", &format!("badge {}", self.word), |html| {
            html.text(self.sign);
            html.text(" ");
            html.text(self.word);
        });
    }
}

/// The card of a change, made or not, without those of its fields that are too long.
pub(super) fn card(change: &Change, applied: bool) -> Html {
    let whole = framed(change, |html| body(html, change, applied));
    if whole.len() <= CARD {
        return whole;
    }
    let len = |alone: &Change| Html::new(|html| body(html, alone, applied)).len();
    let (fitting, hidden) = fitting(change, CARD - HIDDEN, len);
    framed(change, |html| {
        body(html, &fitting, applied);
        html.element("p", &[], |html| {
            let fields = count(hidden.len(), "field is", "fields are");
            html.text(&format!("{fields} too long to show:"));
            for name in hidden.iter().take(NAMES) {
                html.text(" ");
                html.leaf("code", &clipped(name, NAME));
            }
            if hidden.len() > NAMES {
                html.text(" …");
            }
        });
    })
}

fn framed(change: &Change, inside: impl FnOnce(&mut Html)) -> Html {
    let verb = verb(change.action);
    let anchor = anchor(&change.name);
    let (id, heading) = (format!("policy-{anchor}"), format!("name-{anchor}"));
    let class = format!("policy {}", verb.map_or("", |verb| verb.word));
    let attributes = [
        ("class", &*class),
        ("id", &*id),
        ("aria-labelledby", &*heading),
    ];
    Html::new(|html| {
        html.element("article", &attributes, |html| {
            html.element("h3", &[("id", &*heading)], |html| {
                if let Some(verb) = verb {
                    verb.badge(html);
                    html.text(" ");
                }
                html.element("a", &[("href", &*format!("#{id}"))], |html| {
                    html.leaf("code", &change.name);
                });
                if change.reactivated {
                    html.text(" ");
                    html.class("span", "badge back", |html| html.text("↺ reactivated"));
                }
            });
            inside(html);
        });
    })
}

fn body(html: &mut Html, change: &Change, applied: bool) {
    match change.action {
        ChangeAction::Add if change.reactivated => {
            html.leaf(
                "p",
                if applied {
                    "It was deactivated, and is active again."
                } else {
                    "It was deactivated, and would be active again."
                },
            );
        }
        ChangeAction::Deactivate => {
            html.leaf(
                "p",
                if applied {
                    "It is switched off: it decides nothing any more. Its text is kept."
                } else {
                    "It would be switched off, and decide nothing any more. Its text is kept."
                },
            );
        }
        _ => {}
    }
    let shown = change
        .fields
        .iter()
        .map(|field| (field, Shown::new(change, field)));
    let (texts, values): (Vec<_>, Vec<_>) =
        shown.partition(|(_, shown)| matches!(shown, Shown::Text(_) | Shown::Texts(..)));
    if !values.is_empty() {
        table(
            html,
            change,
            values.iter().map(|(field, shown)| (&*field.field, shown)),
        );
    }
    for (field, shown) in &texts {
        html.class("div", "field", |html| {
            html.element("h4", &[], |html| html.leaf("code", &field.field));
            text(html, &field.field, shown);
        });
    }
}

/// Fields of one line each. The roles keep it a table where the style lays its cells out below each other.
fn table<'s>(html: &mut Html, change: &Change, fields: impl Iterator<Item = (&'s str, &'s Shown)>) {
    let columns: &[&str] = match change.action {
        ChangeAction::Add => &["field", "value"],
        _ => &["field", "before", "after"],
    };
    html.element("table", &[("role", "table")], |html| {
        html.element("thead", &[("role", "rowgroup")], |html| {
            html.element("tr", &[("role", "row")], |html| {
                for column in columns {
                    let header = [("role", "columnheader"), ("scope", "col")];
                    html.element("th", &header, |html| html.text(column));
                }
            });
        });
        html.element("tbody", &[("role", "rowgroup")], |html| {
            for (field, shown) in fields {
                html.element("tr", &[("role", "row")], |html| row(html, field, shown));
            }
        });
    });
}

fn row(html: &mut Html, field: &str, shown: &Shown) {
    let header = [("role", "rowheader"), ("scope", "row")];
    html.element("th", &header, |html| html.leaf("code", field));
    match shown {
        Shown::Value(value) => {
            html.element("td", &[("role", "cell")], |html| html.leaf("code", value));
        }
        Shown::Values(before, after) => {
            side(html, "before", "del", "−", before);
            side(html, "after", "ins", "+", after);
        }
        // They stand below the table.
        Shown::Text(_) | Shown::Texts(..) => {}
    }
}

fn side(html: &mut Html, label: &str, tag: &'static str, sign: &str, value: &str) {
    html.element("td", &[("role", "cell"), ("class", label)], |html| {
        html.element(
            "span",
            &[("class", "label"), ("aria-hidden", "true")],
            |html| {
                html.text(label);
            },
        );
        html.element(tag, &[], |html| {
            html.class("span", "sign", |html| html.text(sign));
            html.leaf("code", value);
        });
    });
}

/// A text of several lines, or two of them beside each other, line by line.
fn text(html: &mut Html, field: &str, shown: &Shown) {
    match shown {
        Shown::Text(text) => {
            let lines = text.lines().map(|line| (Side::Alone, Some(line)));
            block(html, field, lines);
        }
        Shown::Texts(before, after) => {
            let rows = rows(before, after);
            let old = rows.iter().map(|row| match row {
                Row::Kept(line) => (Side::Kept, Some(*line)),
                Row::Changed(line, _) => (Side::Removed, *line),
            });
            let new = rows.iter().map(|row| match row {
                Row::Kept(line) => (Side::Kept, Some(*line)),
                Row::Changed(_, line) => (Side::Added, *line),
            });
            html.class("div", "sides", |html| {
                labelled(html, field, "before", old);
                labelled(html, field, "after", new);
            });
        }
        Shown::Value(_) | Shown::Values(..) => {}
    }
}

/// How a line of one side stands to the other.
#[derive(Debug, Clone, Copy)]
enum Side {
    Alone,
    Kept,
    Removed,
    Added,
}

fn labelled<'t>(
    html: &mut Html,
    field: &str,
    side: &str,
    lines: impl Iterator<Item = (Side, Option<&'t str>)>,
) {
    html.element("figure", &[], |html| {
        html.leaf("figcaption", side);
        block(html, &format!("{field} {side}"), lines);
    });
}

/// A box of lines that scrolls by itself; a line that the other side alone has leaves a gap.
fn block<'t>(html: &mut Html, label: &str, lines: impl Iterator<Item = (Side, Option<&'t str>)>) {
    let scrolling = [("tabindex", "0"), ("role", "group"), ("aria-label", label)];
    html.element("pre", &scrolling, |html| {
        html.element("code", &[], |html| {
            for (side, line) in lines {
                self::line(html, side, line);
            }
        });
    });
}

fn line(html: &mut Html, side: Side, line: Option<&str>) {
    let (tag, sign, class) = match (side, line) {
        (_, None) => ("span", "", "gap"),
        (Side::Alone, _) => ("span", "", "line"),
        (Side::Kept, _) => ("span", "  ", "line"),
        (Side::Removed, _) => ("del", "− ", "line"),
        (Side::Added, _) => ("ins", "+ ", "line"),
    };
    html.class(tag, class, |html| {
        html.text(sign);
        html.text(line.unwrap_or_default());
        html.line_end();
    });
}

/// What a link to a policy calls it: its name, with a sign for each byte that a link cannot hold. No two names share
/// one.
fn anchor(name: &str) -> String {
    let mut anchor = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            anchor.push(char::from(byte));
        } else {
            let _ = write!(anchor, "~{byte:02x}");
        }
    }
    anchor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_says_which_policy() {
        let rows = [
            ("deploy-production_2.0", "deploy-production_2.0"),
            ("a b", "a~20b"),
            ("a~20b", "a~7e20b"),
            ("ö\"<", "~c3~b6~22~3c"),
        ];
        for (name, expected) in rows {
            assert_eq!(anchor(name), expected);
        }
    }
}
