//! Rows under a header: aligned for terminals, or a markdown table.

use std::fmt::Write as _;

use super::markdown::{code, prose};
use super::{Paint, safe};

/// A table; every row has as many cells as the header.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<&'static str>,
    prose: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(header: [&'static str; N]) -> Self {
        Self {
            header: header.to_vec(),
            prose: &[],
            rows: Vec::new(),
        }
    }

    /// Columns whose cells are sentences, not values: in markdown they are no code.
    pub(crate) fn prose(mut self, columns: &'static [&'static str]) -> Self {
        self.prose = columns;
        self
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(Vec::from(cells));
    }

    /// Columns as wide as their widest cell, in characters.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut widths: Vec<usize> = self.header.iter().map(|cell| cell.len()).collect();
        let rows: Vec<Vec<_>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| safe(cell)).collect())
            .collect();
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let header = line(self.header.iter().copied(), &widths);
        let mut text = paint.bold(&header);
        text.push('\n');
        for row in &rows {
            text.push_str(&line(row.iter().map(AsRef::as_ref), &widths));
            text.push('\n');
        }
        text
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("| {} |\n|", self.header.join(" | "));
        text.push_str(&"---|".repeat(self.header.len()));
        text.push('\n');
        for row in &self.rows {
            text.push('|');
            for (column, cell) in self.header.iter().zip(row) {
                let cell = if self.prose.contains(column) {
                    prose(cell)
                } else {
                    code(cell)
                };
                let _ = write!(text, " {cell} |");
            }
            text.push('\n');
        }
        text
    }
}

fn line<'c>(cells: impl Iterator<Item = &'c str>, widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, &width) in cells.zip(widths) {
        let _ = write!(line, "{cell:width$}  ");
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_aligned_and_harmless() {
        let mut table = Table::new(["id", "name"]);
        table.row(["1".into(), "größe\u{1b}[0m".into()]);
        table.row(["222".into(), "a|b".into()]);
        assert_eq!(
            table.text(Paint::new(false)),
            "id   name\n1    größe\\u{1b}[0m\n222  a|b\n"
        );
        assert_eq!(
            table.markdown(),
            "| id | name |\n|---|---|\n| `1` | `größe\\u{1b}[0m` |\n| `222` | <code>a&#124;b</code> |\n"
        );
    }
}
