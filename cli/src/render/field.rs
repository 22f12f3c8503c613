//! How one changed field of a policy is shown, whatever the form.

use std::collections::BTreeSet;

use lattice_core::Value;
use lattice_core::view::{Change, ChangeAction, FieldChange};

use super::value;

/// What there is to show of a changed field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The value of an added policy, on one line.
    Value(String),
    /// Old and new, on one line.
    Values(String, String),
    /// The text of an added policy, of several lines.
    Text(String),
    /// Old and new, to compare line by line.
    Texts(String, String),
}

impl Shown {
    pub(super) fn new(change: &Change, field: &FieldChange) -> Self {
        let added = change.action == ChangeAction::Add;
        let lines = has_lines(&field.before) || has_lines(&field.after);
        match (added, lines) {
            (true, false) => Self::Value(value(&field.after)),
            (false, false) => Self::Values(value(&field.before), value(&field.after)),
            (true, true) => Self::Text(text(&field.after)),
            (false, true) => Self::Texts(text(&field.before), text(&field.after)),
        }
    }
}

fn text(side: &Value) -> String {
    match side {
        Value::String(text) => text.to_string(),
        other => value(other),
    }
}

/// The change with those of its fields that are no longer together than `most` bytes, as `len` measures one alone, and
/// the names of the others: short ones come first, so that a long text does not hide what stands beside it.
pub(super) fn fitting(
    change: &Change,
    most: usize,
    len: impl Fn(&Change) -> usize,
) -> (Change, Vec<&str>) {
    let alone = |fields: Vec<FieldChange>| Change {
        name: change.name.clone(),
        action: change.action,
        reactivated: change.reactivated,
        fields,
    };
    let lens = change
        .fields
        .iter()
        .map(|field| len(&alone(vec![field.clone()])));
    let mut by_len: Vec<(usize, usize)> = lens.zip(0..).collect();
    by_len.sort_unstable();
    let mut left = most;
    let fits = by_len.iter().map_while(|(len, at)| {
        left = left.checked_sub(*len)?;
        Some(*at)
    });
    let fits: BTreeSet<usize> = fits.collect();
    let (shown, hidden): (Vec<_>, Vec<_>) = (0..)
        .zip(&change.fields)
        .partition(|(at, _)| fits.contains(at));
    let shown = shown.into_iter().map(|(_, field)| field.clone()).collect();
    let hidden = hidden.into_iter().map(|(_, field)| &*field.field).collect();
    (alone(shown), hidden)
}

fn has_lines(value: &Value) -> bool {
    matches!(value, Value::String(text) if text.trim_end_matches('\n').contains('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_shown_by_what_it_holds() {
        let string = |text: &'static str| Value::String(text.into());
        let list = Value::List(vec![string("main"), string("release/*")]);
        let rows = [
            (
                ChangeAction::Add,
                Value::Null,
                list.clone(),
                Shown::Value(r#"["main", "release/*"]"#.to_owned()),
            ),
            (
                ChangeAction::Modify,
                list,
                Value::Null,
                Shown::Values(r#"["main", "release/*"]"#.to_owned(), "null".to_owned()),
            ),
            (
                ChangeAction::Modify,
                string("one line\n"),
                string("another"),
                Shown::Values(r#""one line\n""#.to_owned(), r#""another""#.to_owned()),
            ),
            (
                ChangeAction::Add,
                Value::Null,
                string("a\nb\n"),
                Shown::Text("a\nb\n".to_owned()),
            ),
            (
                ChangeAction::Modify,
                Value::Null,
                string("a\nb\n"),
                Shown::Texts("null".to_owned(), "a\nb\n".to_owned()),
            ),
            (
                ChangeAction::Modify,
                string("a\nb\n"),
                Value::Bool(true),
                Shown::Texts("a\nb\n".to_owned(), "true".to_owned()),
            ),
        ];
        for (action, before, after, expected) in rows {
            let field = FieldChange {
                field: "conditions".to_owned(),
                before,
                after,
            };
            let change = Change {
                name: "a".to_owned(),
                action,
                reactivated: false,
                fields: Vec::new(),
            };
            assert_eq!(Shown::new(&change, &field), expected);
        }
    }
}
