//! Two texts side by side, line by line.

/// One row: the same line on both sides, or what stands in its place on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row<'t> {
    Kept(&'t str),
    Changed(Option<&'t str>, Option<&'t str>),
}

/// Pairs of lines that are compared to find the fewest changes; texts that differ in more are shown as one block.
const PAIRS: usize = 250_000;

/// Every line of both texts, with equal ones beside each other.
pub(super) fn rows<'t>(before: &'t str, after: &'t str) -> Vec<Row<'t>> {
    let block = super::diff::Block::new(before, after);
    let mut rows: Vec<Row<'t>> = block.leading.iter().copied().map(Row::Kept).collect();
    between(&block.removed, &block.added, &mut rows);
    rows.extend(block.trailing.iter().copied().map(Row::Kept));
    rows
}

/// Walks along a longest common subsequence, if there is time to find one; what lies between two common lines is paired from the top.
fn between<'t>(removed: &[&'t str], added: &[&'t str], rows: &mut Vec<Row<'t>>) {
    let common = Common::new(removed, added);
    let (mut i, mut j) = (0, 0);
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    loop {
        match (removed.get(i), added.get(j)) {
            (Some(line), Some(other)) if line == other && common.at(i, j) > 0 => {
                pair(&mut gone, &mut new, rows);
                rows.push(Row::Kept(line));
                (i, j) = (i + 1, j + 1);
            }
            (Some(line), other)
                if other.is_none() || common.at(i + 1, j) >= common.at(i, j + 1) =>
            {
                gone.push(*line);
                i += 1;
            }
            (_, Some(line)) => {
                new.push(*line);
                j += 1;
            }
            (_, None) => return pair(&mut gone, &mut new, rows),
        }
    }
}

fn pair<'t>(gone: &mut Vec<&'t str>, new: &mut Vec<&'t str>, rows: &mut Vec<Row<'t>>) {
    for row in 0..gone.len().max(new.len()) {
        rows.push(match (gone.get(row).copied(), new.get(row).copied()) {
            // Only where the texts were too long to be compared.
            (Some(line), Some(other)) if line == other => Row::Kept(line),
            (line, other) => Row::Changed(line, other),
        });
    }
    gone.clear();
    new.clear();
}

/// How many lines the rests of two texts have in common, for each pair of places where the rests begin.
struct Common {
    lengths: Vec<usize>,
    width: usize,
}

impl Common {
    fn new(removed: &[&str], added: &[&str]) -> Self {
        let width = added.len() + 1;
        if removed.len().saturating_mul(added.len()) > PAIRS {
            return Self {
                lengths: Vec::new(),
                width,
            };
        }
        let mut common = Self {
            lengths: vec![0; (removed.len() + 1) * width],
            width,
        };
        for (i, line) in removed.iter().enumerate().rev() {
            for (j, other) in added.iter().enumerate().rev() {
                let length = if line == other {
                    common.at(i + 1, j + 1) + 1
                } else {
                    common.at(i + 1, j).max(common.at(i, j + 1))
                };
                if let Some(cell) = common.lengths.get_mut(i * width + j) {
                    *cell = length;
                }
            }
        }
        common
    }

    fn at(&self, i: usize, j: usize) -> usize {
        self.lengths
            .get(i * self.width + j)
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Row::{Changed, Kept};
    use super::*;

    #[test]
    fn equal_lines_stand_beside_each_other() {
        let rows: [(&str, &str, Vec<Row<'_>>); 6] = [
            ("", "", vec![]),
            ("a\n", "a\n", vec![Kept("a")]),
            ("", "a\n", vec![Changed(None, Some("a"))]),
            (
                "a\nb\nc\n",
                "a\nx\nc\n",
                vec![Kept("a"), Changed(Some("b"), Some("x")), Kept("c")],
            ),
            // Two changes with an equal line between them.
            (
                "1\nsame\n2\n3\nend\n",
                "one\nsame\ntwo\nend\n",
                vec![
                    Changed(Some("1"), Some("one")),
                    Kept("same"),
                    Changed(Some("2"), Some("two")),
                    Changed(Some("3"), None),
                    Kept("end"),
                ],
            ),
            (
                "a\nb\n",
                "b\na\n",
                vec![
                    Changed(Some("a"), None),
                    Kept("b"),
                    Changed(None, Some("a")),
                ],
            ),
        ];
        for (before, after, expected) in rows {
            assert_eq!(super::rows(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn texts_that_differ_in_much_are_paired_line_by_line() {
        let text = |word: &str| {
            (0..600)
                .map(|i| format!("{}{i}\n", if i == 300 { "same" } else { word }))
                .collect::<String>()
        };
        let (before, after) = (text("a"), format!("{}end\n", text("b")));
        let rows = rows(&before, &after);
        assert_eq!(rows.len(), 601);
        assert_eq!(rows[300], Kept("same300"));
        assert_eq!(rows[301], Changed(Some("a301"), Some("b301")));
        assert_eq!(rows.last(), Some(&Changed(None, Some("end"))));
    }
}
