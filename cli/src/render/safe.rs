//! Text of others on a terminal: nothing in it may move the cursor, change colours or turn the reading order.

use std::borrow::Cow;

/// `text` on one line, with control and direction characters as escapes.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if !is_unsafe(character) => escaped.push(character),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            _ => escaped.extend(character.escape_unicode()),
        }
    }
    Cow::Owned(escaped)
}

/// `text` with U+FFFD in the place of each such character, so that columns stay what they are. Tabs stay, too.
pub(super) fn harmless(text: &str) -> String {
    let shown = |character| match character {
        '\t' => '\t',
        _ if is_unsafe(character) => char::REPLACEMENT_CHARACTER,
        _ => character,
    };
    text.chars().map(shown).collect()
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing() {
        let rows = [
            ("größe", "größe"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{9b}31m", "\\u{9b}31m"), // the one-character form of escape-bracket
            ("evil\u{202e}txt", "evil\\u{202e}txt"),
            ("👩\u{200d}💻", "👩\u{200d}💻"), // joiners make one sign of two
        ];
        for (text, expected) in rows {
            assert_eq!(safe(text), expected);
        }
        assert_eq!(harmless("ü\t\u{9b}1\u{200f}"), "ü\t\u{fffd}1\u{fffd}");
    }
}
