//! Two texts as one block of lines: removed, added, and a little of what stays around them.

/// Lines of context on each side of a change.
const CONTEXT: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'t> {
    Kept(&'t str),
    Removed(&'t str),
    Added(&'t str),
}

/// Two texts cut where they begin and cease to differ.
pub(super) struct Block<'t> {
    pub(super) leading: Vec<&'t str>,
    pub(super) removed: Vec<&'t str>,
    pub(super) added: Vec<&'t str>,
    pub(super) trailing: Vec<&'t str>,
}

impl<'t> Block<'t> {
    pub(super) fn new(before: &'t str, after: &'t str) -> Self {
        let mut leading: Vec<&str> = before.lines().collect();
        let mut added: Vec<&str> = after.lines().collect();
        let start = common(leading.iter(), added.iter());
        let mut removed = leading.split_off(start);
        added.drain(..start);
        let end = common(removed.iter().rev(), added.iter().rev());
        let trailing = removed.split_off(removed.len() - end);
        added.truncate(added.len() - end);
        Self {
            leading,
            removed,
            added,
            trailing,
        }
    }
}

/// The lines between the common start and the common end, removed ones first.
///
/// What a reviewer compares here is one policy's conditions: a block is easier to read than a minimal edit.
pub(crate) fn lines<'t>(before: &'t str, after: &'t str) -> Vec<Line<'t>> {
    let block = Block::new(before, after);
    let leading = block.leading.len().saturating_sub(CONTEXT);
    let leading = block.leading.into_iter().skip(leading);
    let trailing = block.trailing.into_iter().take(CONTEXT);

    leading
        .map(Line::Kept)
        .chain(block.removed.into_iter().map(Line::Removed))
        .chain(block.added.into_iter().map(Line::Added))
        .chain(trailing.map(Line::Kept))
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
