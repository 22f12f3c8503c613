//! What fits into a document of bounded size.

use std::borrow::Cow;

/// Appends what `show` makes of the items as long as `out` stays within `most` bytes; returns how many did not fit.
/// Those are not shown at all: of a million items only what is printed is made.
pub(super) fn fill<T>(
    out: &mut String,
    mut items: impl Iterator<Item = T>,
    most: usize,
    show: impl Fn(T) -> String,
) -> usize {
    while let Some(item) = items.next() {
        let text = show(item);
        if out.len() + text.len() > most {
            return 1 + items.count();
        }
        out.push_str(&text);
    }
    0
}

/// The first `most` characters of a text, and an ellipsis for the rest.
pub(super) fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let rows = [
            (0, "-", 3),
            (1, "-", 3),
            (4, "-a;", 2),
            (5, "-a;b;", 1),
            (9, "-a;b;c;", 0),
        ];
        for (most, expected, left) in rows {
            let mut out = "-".to_owned();
            let got = fill(&mut out, "abc".chars(), most, |c| format!("{c};"));
            assert_eq!((out.as_str(), got), (expected, left), "{most}");
        }
    }

    #[test]
    fn a_long_text_is_clipped_between_characters() {
        let rows = [("größe", 5, "größe"), ("größe", 4, "größ…"), ("", 0, "")];
        for (text, most, expected) in rows {
            assert_eq!(clipped(text, most), expected);
        }
    }
}
