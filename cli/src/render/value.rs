//! Values as people read them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::safe;

/// A value as JSON on one line, with spaces between elements and without what a terminal would obey.
pub(crate) fn value(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Spaced);
    // INVARIANT: values of policies and actions always serialise, and JSON is UTF-8.
    let _ = value.serialize(&mut serializer);
    safe(&String::from_utf8_lossy(&bytes)).into_owned()
}

/// As `serde_json` writes without indentation, with a space behind each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        comma(out, first)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        comma(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

fn comma<W: ?Sized + Write>(out: &mut W, first: bool) -> io::Result<()> {
    if first { Ok(()) } else { out.write_all(b", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_with_room_to_read() {
        let rows = [
            (serde_json::json!(null), "null"),
            (serde_json::json!([]), "[]"),
            (serde_json::json!(["a", 1, true]), r#"["a", 1, true]"#),
            (
                serde_json::json!({"a": {}, "b": [[1], 2]}),
                r#"{"a": {}, "b": [[1], 2]}"#,
            ),
            (serde_json::json!("\u{9b}31m\n"), r#""\u{9b}31m\n""#),
        ];
        for (json, expected) in rows {
            assert_eq!(value(&json), expected);
        }
    }
}
