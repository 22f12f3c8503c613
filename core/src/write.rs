//! Writing: how text becomes YAML that every reader takes for that very text, and the layout of an export.

use std::fmt::Write as _;

use crate::breaker::Breaker;
use crate::plain::{Plain, classify};
use crate::policy::{AllowList, Policy, PolicySet};
use crate::version::VERSION;

/// What an exported manifest says about its circuit breakers.
const BREAKERS_NOTE: &str =
    "Circuit breakers are exported for reference only. They are not applied on al import.";

/// Spaces a block is indented by below its key.
pub(crate) const INDENT: usize = 2;

/// Where the lines of conditions begin: in a mapping in a list of the root, below their key.
const CONDITIONS_COLUMN: usize = 3 * INDENT;

/// A manifest: the same arguments give the same bytes.
pub(crate) fn manifest(
    org_name: Option<&str>,
    exported_at: Option<&str>,
    policies: &PolicySet,
    breakers: &[Breaker],
) -> String {
    let mut out = String::new();
    out.push_str("manifest_version: ");
    string(&mut out, VERSION);
    for (key, text) in [("exported_at", exported_at), ("org_name", org_name)] {
        if let Some(text) = text {
            out.extend(["\n", key, ": "]);
            string(&mut out, text);
        }
    }
    out.push_str("\npolicies:");
    if policies.is_empty() {
        out.push_str(" []");
    }
    out.push('\n');
    for one in policies.iter() {
        policy(&mut out, one);
    }
    out.push_str("circuit_breakers_info:\n  note: ");
    out.push_str(BREAKERS_NOTE);
    out.push_str("\n  entries:");
    entries(&mut out, breakers);
    out
}

fn policy(out: &mut String, policy: &Policy) {
    out.push_str("  - name: ");
    string(out, policy.name());
    out.push_str("\n    action_type: ");
    string(out, policy.action_type());
    out.push_str("\n    approval_required: ");
    out.push_str(boolean(policy.approval_required()));
    out.push_str("\n    approval_timeout_hours: ");
    // INVARIANT: writing to a `String` does not fail.
    let _ = write!(out, "{}", policy.approval_timeout_hours());
    out.push_str("\n    allowed_repos:");
    patterns(out, policy.allowed_repos());
    out.push_str("    allowed_branches:");
    patterns(out, policy.allowed_branches());
    out.push_str("    conditions: ");
    match policy.conditions() {
        None => out.push_str("null\n"),
        Some(conditions) => text(out, conditions.text(), CONDITIONS_COLUMN, None),
    }
}

fn patterns(out: &mut String, list: Option<&AllowList>) {
    let Some(list) = list else {
        out.push_str(" null\n");
        return;
    };
    if list.patterns().is_empty() {
        out.push_str(" []");
    }
    out.push('\n');
    for pattern in list.texts() {
        out.push_str("      - ");
        string(out, pattern);
        out.push('\n');
    }
}

fn entries(out: &mut String, breakers: &[Breaker]) {
    if breakers.is_empty() {
        out.push_str(" []");
    }
    out.push('\n');
    let mut sorted: Vec<&Breaker> = breakers.iter().collect();
    sorted.sort_by(|a, b| a.anomaly_type.cmp(&b.anomaly_type));
    for breaker in sorted {
        out.push_str("    - anomaly_type: ");
        string(out, &breaker.anomaly_type);
        out.push_str("\n      score_threshold: ");
        out.push_str(&breaker.score_threshold.canonical_literal());
        out.push_str("\n      response_level: ");
        string(out, &breaker.response_level);
        out.push('\n');
    }
}

/// The one spelling of a boolean.
pub(crate) fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Writes a string on one line: plain where every reader takes it for that text, else in single quotes, else
/// in double quotes.
pub(crate) fn string(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else if text.chars().all(is_printable) {
        out.push('\'');
        let mut parts = text.split('\'');
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            out.push_str("''");
            out.push_str(part);
        }
        out.push('\'');
    } else {
        quoted(out, text);
    }
}

/// Writes a string in double quotes, whatever it holds.
pub(crate) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            // Nothing past U+FFFF is unprintable, and JSON has this escape too.
            c => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
        }
    }
    out.push('"');
}

/// Writes a text of several lines and ends the line: a literal block whose lines are indented by `indent`
/// spaces, two more than their key, or a double-quoted string where a block does not carry the text verbatim.
pub(crate) fn text(out: &mut String, text: &str, indent: usize, comment: Option<&str>) {
    let is_block = fits_block(text);
    if is_block {
        out.push('|');
        let first = text.trim_start_matches('\n');
        if first.starts_with([' ', '\t']) {
            // Readers would count leading white space as indentation.
            let _ = write!(out, "{INDENT}");
        }
        match text.strip_suffix('\n') {
            None => out.push('-'),
            Some(rest) if rest.ends_with('\n') => out.push('+'),
            Some(_) => {}
        }
    } else {
        quoted(out, text);
    }
    if let Some(comment) = comment {
        out.push(' ');
        out.push_str(comment);
    }
    out.push('\n');
    if is_block {
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                spaces(out, indent);
            }
            out.push_str(line);
        }
        if !text.ends_with('\n') {
            out.push('\n');
        }
    }
}

pub(crate) fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

/// Whether a literal block gives the text back verbatim to every reader.
fn fits_block(text: &str) -> bool {
    let ascii = |b: u8| matches!(b, b' '..=b'~' | b'\n' | b'\t');
    let printable = |c: char| is_printable(c) || matches!(c, '\n' | '\t');
    let has_content = text.bytes().any(|b| b != b'\n');
    has_content && (text.bytes().all(ascii) || text.chars().all(printable))
}

/// Characters that stand for themselves inside a line for readers of YAML 1.1 and 1.2: no controls, no line
/// ends of either, no byte-order mark.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Whether a text needs no quotes: stricter than YAML, so that it may be moved into a list in brackets too.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if b"-?:,[]{}#&*!|>'\"%@` ".contains(first) || matches!(last, b':' | b' ') {
        return false;
    }
    let mut before = 0;
    for &byte in bytes {
        let ends_text = match byte {
            // In brackets, libyaml takes `:?` for the end of a key, too.
            b' ' | b'?' => before == b':',
            b'#' => before == b' ',
            b',' | b'[' | b']' | b'{' | b'}' => true,
            _ => !(b' '..=b'~').contains(&byte) && byte < 0x80,
        };
        if ends_text {
            return false;
        }
        before = byte;
    }
    if !text.is_ascii() && (text.trim().len() != text.len() || !text.chars().all(is_printable)) {
        return false;
    }
    // The grammar of YAML 1.1 takes more for a float than its readers do: `.`, `1.2.3`.
    let is_number_like = matches!(first, b'0'..=b'9' | b'+' | b'.')
        && bytes.iter().all(|b| {
            matches!(
                b,
                b'0'..=b'9' | b'.' | b'_' | b':' | b'+' | b'-' | b'e' | b'E'
            )
        });
    !is_number_like && classify(text) == Plain::String
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::yaml::{Kind, Style, document};

    fn written(text: &str) -> String {
        let mut out = String::new();
        string(&mut out, text);
        out
    }

    #[test]
    fn strings() {
        let rows = [
            ("", "''"),
            ("a", "a"),
            ("My Org (dev)", "My Org (dev)"),
            ("acme/*", "acme/*"),
            ("deploy.production", "deploy.production"),
            (r#"labels."app.io/tier""#, r#"labels."app.io/tier""#),
            ("café 日本", "café 日本"),
            ("it's", "it's"),
            ("a:b#c", "a:b#c"),
            ("2fa-required", "2fa-required"),
            ("*", "'*'"),
            ("'a'", "'''a'''"),
            ("\"a.b\".c", "'\"a.b\".c'"),
            (" a", "' a'"),
            ("a ", "'a '"),
            ("\u{a0}a", "'\u{a0}a'"),
            ("a: b", "'a: b'"),
            ("a:", "'a:'"),
            ("a #b", "'a #b'"),
            ("Acme, Inc", "'Acme, Inc'"),
            ("a]", "'a]'"),
            ("-", "'-'"),
            ("---", "'---'"),
            ("...", "'...'"),
            (".", "'.'"),
            ("1.2.3", "'1.2.3'"),
            ("1.0", "'1.0'"),
            ("007", "'007'"),
            ("2026-04-01", "'2026-04-01'"),
            ("yes", "'yes'"),
            ("null", "'null'"),
            ("True", "'True'"),
            ("~", "'~'"),
            ("<<", "'<<'"),
            ("%a", "'%a'"),
            ("`a`", "'`a`'"),
            ("a\tb", r#""a\tb""#),
            ("a\n", r#""a\n""#),
            ("\r\"\\", r#""\r\"\\""#),
            (
                "\0\u{7f}\u{85}\u{2028}\u{2029}\u{feff}",
                r#""\u0000\u007F\u0085\u2028\u2029\uFEFF""#,
            ),
            ("\u{fffe}\u{1f600}", "\"\\uFFFE\u{1f600}\""),
        ];
        for (text, expected) in rows {
            assert_eq!(written(text), expected, "{text:?}");
        }
    }

    #[test]
    fn texts() {
        let rows = [
            ("a\n", "|\n  a\n"),
            ("a\n\n  b\n", "|\n  a\n\n    b\n"),
            ("a", "|-\n  a\n"),
            ("a\n\n", "|+\n  a\n\n"),
            ("\na\n", "|\n\n  a\n"),
            ("# only\n", "|\n  # only\n"),
            (" a\n", "|2\n   a\n"),
            ("\n a", "|2-\n\n   a\n"),
            ("\ta\n", "|2\n  \ta\n"),
            ("a\n  \n", "|\n  a\n    \n"),
            ("---\n", "|\n  ---\n"),
            ("", "\"\"\n"),
            ("\n", "\"\\n\"\n"),
            ("a\r\n", "\"a\\r\\n\"\n"),
            ("a\u{2028}\n", "\"a\\u2028\\n\"\n"),
            ("a\u{feff}\n", "\"a\\uFEFF\\n\"\n"),
        ];
        for (given, expected) in rows {
            let mut out = String::new();
            text(&mut out, given, 2, None);
            assert_eq!(out, expected, "{given:?}");
        }
    }

    /// Text that is likely to be misread.
    fn nasty() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            8 => prop::sample::select(vec![
                " ", "  ", "\n", "\n\n", "\t", "\r", "\r\n", "#", " #", ":", ": ", "-", "- ", "?", "|", ">", "'",
                "\"", "\\", "[", "]", "{", "}", ",", "&", "*", "!", "%", "@", "`", "---", "...", "<<", "=", "~",
                "null", "true", "yes", "0", "1", "1.0", "0x1F", ".inf", "_", "e", "+", "a", "é", "\u{85}", "\u{a0}",
                "\u{2028}", "\u{2029}", "\u{feff}", "\u{fffe}", "\u{0}", "\u{7f}", "\u{1f600}", "\n  ", "\n\t",
            ]).prop_map(str::to_owned),
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
    }

    /// What our reader, and the reader of the archived `serde_yaml`, make of the entry `k` of a document.
    fn read(yaml: &str) -> (String, String) {
        let (root, problems) = document(yaml, 16);
        assert!(problems.is_empty(), "{yaml:?}: {problems:?}");
        let Some(Kind::Mapping(mapping)) = root.map(|root| root.kind) else {
            panic!("{yaml:?} is no mapping")
        };
        let Kind::Mapping(inner) = &mapping.entries[0].value.kind else {
            panic!("{yaml:?} is no mapping")
        };
        let Kind::Scalar(scalar) = &inner.entries[0].value.kind else {
            panic!("{yaml:?} is no scalar")
        };
        if scalar.style == Style::Plain {
            assert_eq!(classify(&scalar.text), Plain::String);
        }
        let oracle: serde_yaml::Value = serde_yaml::from_str(yaml).unwrap();
        assert_eq!(oracle["z"], serde_yaml::Value::Bool(true), "{yaml:?}");
        (
            scalar.text.clone().into_owned(),
            oracle["m"]["k"].as_str().unwrap().to_owned(),
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn every_string_survives(text in nasty()) {
            let yaml = format!("m:\n  k: {} # c\nz: true\n", written(&text));
            prop_assert_eq!(read(&yaml), (text.clone(), text.clone()), "{}", yaml);
            let mut out = String::new();
            quoted(&mut out, &text);
            let yaml = format!("m: {{k: {out}, l: [{}]}}\nz: true\n", written(&text));
            prop_assert_eq!(read(&yaml), (text.clone(), text), "{}", yaml);
        }

        #[test]
        fn every_text_survives(given in nasty(), comment in any::<bool>()) {
            let mut yaml = "m:\n  k: ".to_owned();
            text(&mut yaml, &given, 4, comment.then_some("# c"));
            yaml.push_str("z: true\n");
            prop_assert_eq!(read(&yaml), (given.clone(), given), "{}", yaml);
        }
    }
}
