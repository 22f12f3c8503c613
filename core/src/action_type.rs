//! The grammar of action types: what an action may name, and what a policy may match.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use crate::hash::sha256;
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

/// What policies may name to match `key`, a type or a pattern, beside itself; the most specific first.
pub(crate) fn levels_above(key: &str) -> impl Iterator<Item = String> {
    let above = stems(key).map(|stem| format!("{stem}.*"));
    above.chain(std::iter::once("*".to_owned()))
}

/// What stands in front of the `.*` of the [`levels_above`] a type; that of `*` is not among them.
pub(crate) fn stems(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('.')
        .filter_map(|(dot, _)| key.get(..dot))
}

/// An action type as it is compared.
pub(crate) fn lower_case(action_type: &str) -> Cow<'_, str> {
    if action_type.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(action_type.to_ascii_lowercase())
    } else {
        Cow::Borrowed(action_type)
    }
}

/// What action types that are equal in lower case share, and no others: as much of a SHA-256 digest as makes it infeasible to
/// find two that do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TypeDigest([u8; 20]);

impl Hash for TypeDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A part is as good a hash as all of it.
        if let Some(part) = self.0.first_chunk() {
            state.write_u64(u64::from_ne_bytes(*part));
        }
    }
}

impl TypeDigest {
    pub(crate) fn of(lower_case: &str) -> Self {
        let mut digest = [0; 20];
        for (byte, hashed) in digest.iter_mut().zip(sha256(lower_case.as_bytes())) {
            *byte = hashed;
        }
        Self(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_letters_does_not_enter_a_digest() {
        let of = |text| TypeDigest::of(&lower_case(text));
        assert_eq!(of("Deploy.PRODUCTION"), of("deploy.production"));
        assert_ne!(of("deploy.production"), of("deploy.*"));
    }

    #[test]
    fn levels_from_the_most_specific() {
        let rows: [(&str, &[&str]); 4] = [
            ("a.b.c", &["a.b.*", "a.*", "*"]),
            ("a.b.*", &["a.b.*", "a.*", "*"]),
            ("a", &["*"]),
            ("*", &["*"]),
        ];
        for (key, expected) in rows {
            assert_eq!(levels_above(key).collect::<Vec<_>>(), expected);
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
