//! The grammar of action types: what an action may name, and what a policy may match.

use crate::limits::ACTION_TYPE_BYTES;

/// Checks a concrete action type, as an action names it: `deploy.production`.
///
/// # Errors
///
/// Words that say what is wrong and follow the action type in a message.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("is empty: write segments joined by `.`".to_owned());
    }
    if text.len() > ACTION_TYPE_BYTES {
        return Err(format!("is longer than {ACTION_TYPE_BYTES} bytes"));
    }
    let mut is_plain = true;
    let mut is_segmented = true;
    let mut before = b'.';
    for &byte in text.as_bytes() {
        is_plain &= byte.is_ascii_graphic() && byte != b'*';
        is_segmented &= byte != b'.' || before != b'.';
        before = byte;
    }
    if !is_segmented || before == b'.' {
        return Err("has an empty segment: write one `.` between two segments".to_owned());
    }
    if is_plain {
        return Ok(());
    }
    match text.chars().find(|c| !c.is_ascii_graphic() || *c == '*') {
        None => Ok(()),
        Some('*') => Err("holds a wildcard where none belongs".to_owned()),
        Some(' ') => Err("holds a space: use printable ASCII without space".to_owned()),
        Some(c) => Err(format!(
            "holds `{}`: use printable ASCII without space",
            c.escape_default()
        )),
    }
}

/// Checks what a policy matches: a concrete type, `TYPE.*` for everything below it, or `*`.
///
/// # Errors
///
/// As for [`check`].
pub(crate) fn check_pattern(text: &str) -> Result<(), String> {
    if text == "*" {
        return Ok(());
    }
    if text.len() > ACTION_TYPE_BYTES {
        return Err(format!("is longer than {ACTION_TYPE_BYTES} bytes"));
    }
    let concrete = text.strip_suffix(".*").unwrap_or(text);
    if concrete.contains('*') {
        return Err(
            "holds a wildcard where none belongs: `*` stands alone, or as the last segment"
                .to_owned(),
        );
    }
    check(concrete)
}

/// What policies may name to match `key`, a type or a pattern, the most specific first.
pub(crate) fn levels(key: &str) -> impl Iterator<Item = String> {
    let above = key
        .rmatch_indices('.')
        .filter_map(|(dot, _)| Some(format!("{}.*", key.get(..dot)?)));
    let own = std::iter::once(key.to_owned());
    own.chain(above).chain(std::iter::once("*".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_from_the_most_specific() {
        let rows: [(&str, &[&str]); 4] = [
            ("a.b.c", &["a.b.c", "a.b.*", "a.*", "*"]),
            ("a.b.*", &["a.b.*", "a.b.*", "a.*", "*"]),
            ("a", &["a", "*"]),
            ("*", &["*", "*"]),
        ];
        for (key, expected) in rows {
            assert_eq!(levels(key).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn grammar() {
        let longest = "a".repeat(ACTION_TYPE_BYTES);
        let too_long = "a".repeat(ACTION_TYPE_BYTES + 1);
        // Text, whether an action may name it, whether a policy may match it.
        let rows = [
            ("deploy", true, true),
            ("deploy.production", true, true),
            ("Deploy.PRODUCTION", true, true),
            ("a.b/c:d@e#1!~", true, true),
            (longest.as_str(), true, true),
            ("*", false, true),
            ("deploy.*", false, true),
            ("a.b.*", false, true),
            ("", false, false),
            (".", false, false),
            (".a", false, false),
            ("a.", false, false),
            ("a..b", false, false),
            (".*", false, false),
            ("a..*", false, false),
            ("*.a", false, false),
            ("**", false, false),
            ("a*", false, false),
            ("a.*.b", false, false),
            ("*.*", false, false),
            ("a b", false, false),
            ("a\n", false, false),
            ("é", false, false),
            ("a\u{7f}", false, false),
            (too_long.as_str(), false, false),
        ];
        for (text, concrete, pattern) in rows {
            assert_eq!(check(text).is_ok(), concrete, "{text:?} as a concrete type");
            assert_eq!(
                check_pattern(text).is_ok(),
                pattern,
                "{text:?} as a pattern"
            );
        }
    }
}
