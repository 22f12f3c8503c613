//! Text of others in markdown: shown as it is, never as markup, mention or link.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::safe;

/// Inline code that also stands in a table cell; nothing for an empty text.
pub(crate) fn code(text: &str) -> String {
    let text = safe(text);
    if text.is_empty() {
        return String::new();
    }
    if text.contains(['`', '|']) || text.starts_with(' ') || text.ends_with(' ') {
        // A code span cannot hold these in a table cell; entities can, and are never markup.
        format!("<code>{}</code>", entities(&text))
    } else {
        format!("`{text}`")
    }
}

/// Plain text; backticks keep their meaning as inline code, as in messages and notes.
pub(crate) fn prose(text: &str) -> String {
    let text = safe(text);
    let mut parts = text.split('`');
    let mut out = plain(parts.next().unwrap_or_default()).into_owned();
    let mut inside = true;
    for part in parts {
        out.push_str(&if inside {
            Cow::Owned(code(part))
        } else {
            plain(part)
        });
        inside = !inside;
    }
    out
}

fn plain(text: &str) -> Cow<'_, str> {
    let markup = |character: char| "\\*_{}[]<>#|@&~$!:".contains(character);
    if !text.contains(markup) && !text.contains("www.") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        match character {
            // A host name becomes a link by itself.
            '.' if out.ends_with("www") => entity(&mut out, character),
            // Mentions and references are found after entities are resolved; a space without width breaks them up.
            '@' | '#' => out.extend([character, '\u{200b}']),
            _ if markup(character) => entity(&mut out, character),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || !character.is_ascii() || "-/, ".contains(character)
        {
            out.push(character);
        } else {
            entity(&mut out, character);
        }
    }
    out
}

fn entity(out: &mut String, character: char) {
    let _ = write!(out, "&#{};", u32::from(character));
}

/// A fenced block whose fence is longer than any run of backticks inside.
pub(crate) fn fenced(language: &str, text: &str, indent: &str) -> String {
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    let mut out = format!("{indent}{fence}{language}\n");
    for line in text.lines() {
        let _ = writeln!(out, "{indent}{}", safe(line));
    }
    let _ = writeln!(out, "{indent}{fence}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_never_markup() {
        let rows = [
            ("deploy-production", "`deploy-production`"),
            ("<script>@all #1", "`<script>@all #1`"),
            ("a`b", "<code>a&#96;b</code>"),
            ("a|b\\", "<code>a&#124;b&#92;</code>"),
            ("` | <b>", "<code>&#96; &#124; &#60;b&#62;</code>"),
            ("", ""),
        ];
        for (name, expected) in rows {
            assert_eq!(code(name), expected);
        }
    }

    #[test]
    fn prose_keeps_inline_code_alone() {
        assert_eq!(
            prose("`a_b`: decided by `*` → <b> @all, #1"),
            "`a_b`&#58; decided by `*` → &#60;b&#62; @\u{200b}all, #\u{200b}1"
        );
        assert_eq!(
            prose("www.evil.example [a](b) https://c \n# d"),
            "www&#46;evil.example &#91;a&#93;(b) https&#58;//c &#92;n#\u{200b} d"
        );
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("", "a\n````\n", ""), "`````\na\n````\n`````\n");
    }
}
