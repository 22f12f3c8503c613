//! Unicode simple case folding, exactly as `(?i)` of the `regex` crate does it.

use std::sync::OnceLock;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// Text with every character replaced by the one that stands for its case variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folded(String);

impl Folded {
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().map(fold).collect())
    }

    /// Whether `text` differs from the folded text in case alone.
    pub(super) fn equals(&self, text: &str) -> bool {
        text.chars().map(fold).eq(self.0.chars())
    }

    /// Whether a part of `text` differs from the folded text in case alone.
    pub(super) fn is_within(&self, text: &str) -> bool {
        Self::new(text).0.contains(&self.0)
    }
}

/// Characters of one block of the table.
const BLOCK: u32 = 256;
/// Blocks from U+0000 to U+10FFFF.
const BLOCKS: usize = 0x1100;

/// Where each character of a block folds to; `None` where each stands for itself. Filled as text needs it: most
/// text uses one or two of the blocks.
static TABLE: [OnceLock<Option<Box<[char]>>>; BLOCKS] = [const { OnceLock::new() }; BLOCKS];

/// The smallest of the characters that differ from `c` in case alone.
fn fold(c: char) -> char {
    if c.is_ascii() {
        // The other variants of a letter, such as U+212A for `k`, come after the capital.
        return c.to_ascii_uppercase();
    }
    let code = u32::from(c);
    let (block, offset) = (code / BLOCK, code % BLOCK);
    let entry = usize::try_from(block).ok().and_then(|i| TABLE.get(i));
    let folded = entry.and_then(|entry| entry.get_or_init(|| fold_block(block)).as_deref());
    let offset = usize::try_from(offset).unwrap_or_default();
    folded
        .and_then(|chars| chars.get(offset))
        .copied()
        .unwrap_or(c)
}

fn fold_block(block: u32) -> Option<Box<[char]>> {
    let codes = block * BLOCK..(block + 1) * BLOCK;
    // Surrogates are no characters; their places are never asked for.
    let chars = codes
        .clone()
        .map(|code| char::from_u32(code).unwrap_or('\0'));
    let folded: Box<[char]> = chars.clone().map(smallest_variant).collect();
    (!folded.iter().copied().eq(chars)).then_some(folded)
}

fn smallest_variant(c: char) -> char {
    let mut variants = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    // It fails only where the Unicode tables were compiled out, and then `(?i)` folds nothing either.
    match variants.try_case_fold_simple() {
        Ok(()) => variants
            .ranges()
            .first()
            .map_or(c, ClassUnicodeRange::start),
        Err(_) => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    #[test]
    fn rows() {
        let rows = [
            ("Main", "mAIN", true),
            ("", "", true),
            ("a", "", false),
            ("k", "\u{212a}", true),      // the Kelvin sign
            ("S", "\u{17f}", true),       // the long s
            ("\u{df}", "\u{1e9e}", true), // both sharp s
            ("\u{df}", "ss", false),      // simple folding keeps the length
            ("σ", "ς", true),
            ("ÀÉ", "àé", true),
            ("e\u{301}", "\u{e9}", false), // never normalised
            ("i", "İ", false),
            ("i", "ı", false),
            ("\u{10400}", "\u{10428}", true),
        ];
        for (a, b, expected) in rows {
            assert_eq!(Folded::new(a).equals(b), expected, "{a} {b}");
            assert_eq!(Folded::new(b).equals(a), expected, "{b} {a}");
        }
        assert!(Folded::new("WORLD").is_within("hello world"));
        assert!(Folded::new("").is_within(""));
        assert!(!Folded::new("worlds").is_within("hello world"));
    }

    #[test]
    fn every_character_agrees_with_regex_syntax() {
        for c in '\0'..=char::MAX {
            if fold(c) != c || smallest_variant(c) != c {
                assert_eq!(fold(c), smallest_variant(c), "{c:?}");
                assert_eq!(fold(fold(c)), fold(c), "{c:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_regex(
            a in "[kKsSaA\u{212a}\u{17f}ßẞéÉσΣς.ǅ]{0,3}",
            b in "[kKsSaA\u{212a}\u{17f}ßẞéÉσΣς.ǆ]{0,4}",
        ) {
            let escaped = regex::escape(&a);
            let whole = Regex::new(&format!(r"(?i)\A(?:{escaped})\z")).unwrap();
            let part = Regex::new(&format!("(?i){escaped}")).unwrap();
            let folded = Folded::new(&a);
            prop_assert_eq!(folded.equals(&b), whole.is_match(&b));
            prop_assert_eq!(folded.is_within(&b), part.is_match(&b));
        }

        #[test]
        fn agrees_with_regex_on_any_text(a in "\\PC{0,6}", b in "\\PC{0,6}") {
            let swapped: String = a.chars().flat_map(|c| if c.is_uppercase() { c.to_lowercase().collect::<Vec<_>>() } else { c.to_uppercase().collect() }).collect();
            let whole = Regex::new(&format!(r"(?i)\A(?:{})\z", regex::escape(&a))).unwrap();
            let folded = Folded::new(&a);
            for text in [&a, &b, &swapped] {
                prop_assert_eq!(folded.equals(text), whole.is_match(text));
            }
        }
    }
}
