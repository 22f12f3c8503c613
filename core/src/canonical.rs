//! The canonical JSON of policies (RFC 8785), as the state digest reads it.
//!
//! Written by hand, for writing is most of what a digest takes: text without escapes, which nearly all is, is found to be
//! so in wide steps and copied as a whole.

use std::fmt::Write as _;

use crate::condition::{Comparison, Conditions, Group, Rule};
use crate::policy::{AllowList, Policy};
use crate::value::{Operand, Scalar};

/// Adds a policy, under a name that may be another than its own.
//
// INVARIANT: here and below, keys stand in alphabetical order, and no number is a float.
pub(crate) fn policy(json: &mut String, policy: &Policy, name: &str) {
    json.push_str(r#"{"action_type":"#);
    string(json, policy.action_type());
    json.push_str(r#","allowed_branches":"#);
    allow_list(json, policy.allowed_branches());
    json.push_str(r#","allowed_repos":"#);
    allow_list(json, policy.allowed_repos());
    json.push_str(r#","approval_required":"#);
    boolean(json, policy.approval_required());
    json.push_str(r#","approval_timeout_hours":"#);
    json.push_str(&policy.approval_timeout_hours().to_string());
    json.push_str(r#","conditions":"#);
    match policy.conditions().map(Conditions::root) {
        None => json.push_str("null"),
        Some(root) => group(json, root),
    }
    json.push_str(r#","name":"#);
    string(json, name);
    json.push('}');
}

fn allow_list(json: &mut String, list: Option<&AllowList>) {
    match list {
        None => json.push_str("null"),
        Some(list) => array(json, list.texts(), string),
    }
}

fn group(json: &mut String, group: &Group) {
    // The words of the grammar need no escape.
    json.push_str(r#"{"logic":""#);
    json.push_str(group.logic().as_str());
    json.push_str(r#"","rules":"#);
    array(json, group.rules(), rule);
    json.push('}');
}

fn rule(json: &mut String, rule: &Rule) {
    match rule {
        Rule::Comparison(rule) => comparison(json, rule),
        Rule::Group(rules) => group(json, rules),
    }
}

fn comparison(json: &mut String, comparison: &Comparison) {
    json.push_str(r#"{"field":"#);
    array(json, comparison.path().segments(), |json, segment| {
        string(json, segment);
    });
    json.push_str(r#","operator":""#);
    json.push_str(comparison.operator().name());
    json.push('"');
    if let Some(value) = comparison.value() {
        json.push_str(r#","value":"#);
        match value {
            Operand::Scalar(value) => scalar(json, value),
            Operand::List(list) => array(json, list, scalar),
        }
    }
    json.push('}');
}

fn scalar(json: &mut String, scalar: &Scalar) {
    match scalar {
        Scalar::Bool(value) => boolean(json, *value),
        Scalar::String(text) => string(json, text),
        // Text keeps every digit.
        Scalar::Number(number) => {
            json.push_str(r#"{"num":""#);
            json.push_str(&number.exact_decimal());
            json.push_str(r#""}"#);
        }
    }
}

fn boolean(json: &mut String, value: bool) {
    json.push_str(if value { "true" } else { "false" });
}

fn array<T>(json: &mut String, items: impl IntoIterator<Item = T>, write: impl Fn(&mut String, T)) {
    json.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        write(json, item);
    }
    json.push(']');
}

fn string(json: &mut String, text: &str) {
    json.push('"');
    if is_plain(text) {
        json.push_str(text);
    } else {
        for c in text.chars() {
            escape(json, c);
        }
    }
    json.push('"');
}

/// Whether nothing in a text needs an escape.
fn is_plain(text: &str) -> bool {
    // Branches would keep a piece from being looked at as a whole.
    let are_plain = |bytes: &[u8]| {
        let odd =
            |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
        bytes.iter().fold(0, |found, byte| found | odd(*byte)) == 0
    };
    let (pieces, rest) = text.as_bytes().as_chunks::<8>();
    pieces.iter().all(|piece| are_plain(piece)) && are_plain(rest)
}

fn escape(json: &mut String, c: char) {
    match c {
        '"' => json.push_str(r#"\""#),
        '\\' => json.push_str(r"\\"),
        '\u{8}' => json.push_str(r"\b"),
        '\t' => json.push_str(r"\t"),
        '\n' => json.push_str(r"\n"),
        '\u{c}' => json.push_str(r"\f"),
        '\r' => json.push_str(r"\r"),
        '\0'..' ' => {
            // INVARIANT: a string takes all that is written to it.
            let _ = write!(json, r"\u{:04x}", u32::from(c));
        }
        _ => json.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_as_a_json_library_does() {
        let ascii = (0..=0x7f).map(|byte: u8| char::from(byte).to_string());
        let others = [
            "",
            "é",
            "\u{2028}\u{7f}\u{80}",
            "a\"b\\c\nd",
            "\u{10ffff}",
            "eight by\"e",
            "eight bytes and\n",
        ];
        for text in ascii.chain(others.map(str::to_owned)) {
            let mut json = String::new();
            string(&mut json, &text);
            assert_eq!(json, serde_json::to_string(&text).unwrap(), "{text:?}");
        }
    }

    #[test]
    fn conditions_are_their_tree() {
        let conditions = Conditions::parse(
            r#"
rules:
  - {value: [b, "a\n", b], operator: in, field: '"a"."b.c"'}
  - {field: num, operator: neq, value: 1.50}
  - {field: num, operator: in, value: [3, 2.0, 2]}
  - rules: [{field: x, operator: not_exists}, {field: text, operator: matches, value: é}, {field: z, operator: eq, value: true}]
    logic: none
logic: all
"#,
        )
        .unwrap();
        let mut json = String::new();
        group(&mut json, conditions.root());
        let expected = concat!(
            r#"{"logic":"all","rules":["#,
            r#"{"field":["a","b.c"],"operator":"in","value":["a\n","b"]},"#,
            r#"{"field":["num"],"operator":"ne","value":{"num":"1.5"}},"#,
            r#"{"field":["num"],"operator":"in","value":[{"num":"2"},{"num":"3"}]},"#,
            r#"{"logic":"none","rules":["#,
            r#"{"field":["x"],"operator":"not_exists"},"#,
            r#"{"field":["text"],"operator":"regex","value":"é"},"#,
            r#"{"field":["z"],"operator":"eq","value":true}]}]}"#,
        );
        assert_eq!(json, expected);
    }
}
