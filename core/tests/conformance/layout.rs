//! How `conformance.json` is laid out: lines of at most [`WIDTH`] characters, so that a change of a row is a short diff.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::cases::{Suite, Text};

const WIDTH: usize = 120;

/// A run of one character from this length on is abbreviated.
const RUN: usize = 200;

/// The text of the file.
pub(crate) fn file<Row: Serialize>(suite: &Suite, rows: &[Row]) -> String {
    let mut out = String::from("{\n");
    let head = [
        ("about", line(&suite.about)),
        ("manifest", line(&suite.manifest)),
        ("action", line(&suite.action)),
        ("surface", line(&suite.surface)),
    ];
    for (key, value) in head {
        entry(&mut out, key, &value);
        out.push_str(",\n");
    }
    out.push_str("\"cases\": [\n");
    for (i, row) in rows.iter().enumerate() {
        if i > 0 {
            out.push_str(",\n");
        }
        value(&mut out, &abbreviated(&line(row)), 0);
    }
    out.push_str("\n]\n}\n");
    out
}

/// A text as its lines, where it has whole ones.
pub(crate) fn text(text: String) -> Text {
    match text.strip_suffix('\n') {
        Some(rest) if !rest.contains('\r') => {
            Text::Lines(rest.split('\n').map(str::to_owned).collect())
        }
        _ => Text::Whole(text),
    }
}

fn entry(out: &mut String, key: &str, json: &str) {
    out.extend(["\"", key, "\": "]);
    value(out, json, 0);
}

/// Writes a value: whole if it fits on the line, else an object with as many entries on a line as fit, a list
/// with one element on a line.
fn value(out: &mut String, json: &str, indent: usize) {
    let fits = |out: &str, json: &str| column(out) + json.chars().count() < WIDTH;
    let parts = parts(json);
    if fits(out, json) || parts.is_empty() {
        return out.push_str(json);
    }
    let is_object = json.starts_with('{');
    out.push_str(if is_object { "{" } else { "[" });
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if is_object && fits(out, &format!(" {part}")) {
            if i > 0 {
                out.push(' ');
            }
            out.push_str(part);
            continue;
        }
        if !(is_object && i == 0) {
            out.push('\n');
            out.push_str(&" ".repeat(indent + 1));
        }
        let behind_key = if is_object {
            string_end(part) + ": ".len()
        } else {
            0
        };
        let (key, inner) = part.split_at(behind_key);
        out.push_str(key);
        value(out, inner, indent + 1);
    }
    out.push_str(if is_object { "}" } else { "]" });
}

fn column(out: &str) -> usize {
    out.chars().rev().take_while(|c| *c != '\n').count()
}

/// The entries or elements of a spaced object or list; none of anything else.
fn parts(json: &str) -> Vec<&str> {
    let inner = json
        .get(1..json.len().saturating_sub(1))
        .unwrap_or_default();
    if !json.starts_with(['{', '[']) || inner.is_empty() {
        return Vec::new();
    }
    let (mut parts, mut depth, mut start, mut at) = (Vec::new(), 0, 0, 0);
    while let Some(c) = inner[at..].chars().next() {
        match c {
            '"' => at += string_end(&inner[at..]) - 1,
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + ", ".len();
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    parts.push(&inner[start..]);
    parts
}

/// Where the string that `json` begins with ends.
fn string_end(json: &str) -> usize {
    let mut escaped = false;
    for (at, c) in json.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

/// Writes runs of one letter as `⟪COUNT×LETTER⟫`.
fn abbreviated(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(c).len();
        let count = run / c.len_utf8();
        if count >= RUN && c.is_alphanumeric() {
            // INVARIANT: writing to a `String` does not fail.
            let _ = write!(out, "⟪{count}×{c}⟫");
        } else {
            out.push_str(&rest[..run]);
        }
        rest = &rest[run..];
    }
    out
}

/// A value as JSON on one line, with spaces behind commas and colons.
fn line(value: &impl Serialize) -> String {
    struct Spaced;
    impl Formatter for Spaced {
        fn begin_array_value<W: ?Sized + io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> io::Result<()> {
            writer.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_key<W: ?Sized + io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> io::Result<()> {
            writer.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
            writer.write_all(b": ")
        }
    }
    let mut bytes = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, Spaced));
    written.expect("a document is JSON");
    String::from_utf8(bytes).expect("JSON is text")
}
