//! Two texts as one block of lines: removed, added, and a little of what stays around them.

/// Lines of context on each side of a change.
const CONTEXT: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'t> {
    Kept(&'t str),
    Removed(&'t str),
    Added(&'t str),
}

/// The lines between the common start and the common end, removed ones first.
///
/// What a reviewer compares here is one policy's conditions: a block is easier to read than a minimal edit.
pub(crate) fn lines<'t>(before: &'t str, after: &'t str) -> Vec<Line<'t>> {
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let start = common(before.iter(), after.iter());
    let rest = before.len().min(after.len()) - start;
    let end = common(before.iter().rev(), after.iter().rev()).min(rest);

    let middle = |lines: &[&'t str]| -> Vec<&'t str> {
        let length = lines.len() - start - end;
        lines.iter().skip(start).take(length).copied().collect()
    };
    let (removed, added) = (middle(&before), middle(&after));
    let leading = before
        .iter()
        .take(start)
        .skip(start.saturating_sub(CONTEXT));
    let trailing = after.iter().skip(after.len() - end).take(CONTEXT);

    leading
        .map(|line| Line::Kept(line))
        .chain(removed.into_iter().map(Line::Removed))
        .chain(added.into_iter().map(Line::Added))
        .chain(trailing.map(|line| Line::Kept(line)))
        .collect()
}

fn common<'t>(
    before: impl Iterator<Item = &'t &'t str>,
    after: impl Iterator<Item = &'t &'t str>,
) -> usize {
    before
        .zip(after)
        .take_while(|(before, after)| before == after)
        .count()
}

#[cfg(test)]
mod tests {
    use super::Line::{Added, Kept, Removed};
    use super::*;

    #[test]
    fn changes_stand_between_what_is_common() {
        let rows: [(&str, &str, Vec<Line<'_>>); 5] = [
            ("", "a\n", vec![Added("a")]),
            ("a\n", "", vec![Removed("a")]),
            (
                "1\n2\n3\n4\n5\n6\n7\n",
                "1\n2\n3\nx\n5\n6\n7\n",
                vec![
                    Kept("2"),
                    Kept("3"),
                    Removed("4"),
                    Added("x"),
                    Kept("5"),
                    Kept("6"),
                ],
            ),
            // The common end never overlaps the common start.
            (
                "a\na\n",
                "a\na\na\n",
                vec![Kept("a"), Kept("a"), Added("a")],
            ),
            ("a\n", "a\n", vec![Kept("a")]),
        ];
        for (before, after, expected) in rows {
            assert_eq!(lines(before, after), expected, "{before:?} {after:?}");
        }
    }
}
