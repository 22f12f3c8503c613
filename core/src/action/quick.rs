//! The quick way through the JSON of an action: all of it, or nothing and no reason.
//!
//! INVARIANT: what is read here, the exact way reads as the same action. Numbers that are no integers of 64 bits are left
//! to it, because the literal counts, and so is everything that may be wrong.

use std::borrow::Cow;

use super::{Action, Fields, invalid};
use crate::limits::ACTION_NESTING;
use crate::number::Number;
use crate::value::{Mapping, Value};

/// The action of a text, if there is nothing to say about it.
pub(super) fn read(text: &str) -> Option<Action<'_>> {
    let mut reader = Reader { text, at: 0 };
    let mut fields = Fields::default();
    if reader.next()? != b'{' {
        return None;
    }
    reader.object(|reader, key| {
        let field = fields.named(&key)?;
        let first = reader.next()?;
        let value = reader.value(first, 1)?;
        field.replace((0, value)).is_none().then_some(())
    })?;
    if reader.next().is_some() {
        return None;
    }
    fields.check(0, |_, message| invalid(message)).ok()
}

/// Entries of the metadata for which there is room at first. Other objects have none: there may be many of them.
const FEW: usize = 8;

/// In how many objects and lists the entries of the metadata stand.
const METADATA: usize = 2;

/// Reads forward; nothing is read twice.
struct Reader<'j> {
    text: &'j str,
    /// Where the next byte stands.
    at: usize,
}

impl<'j> Reader<'j> {
    /// The next byte that is no white space.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
        }
    }

    /// The value that begins with a byte which was read, inside so many lists and objects.
    fn value(&mut self, first: u8, depth: usize) -> Option<Value<'j>> {
        match first {
            b'"' => self.string().map(Value::String),
            b'{' if depth < ACTION_NESTING => self.mapping(depth + 1),
            b'[' if depth < ACTION_NESTING => self.list(depth + 1),
            b'-' | b'0'..=b'9' => self.integer().map(Value::Number),
            b't' => self.word("rue", Value::Bool(true)),
            b'f' => self.word("alse", Value::Bool(false)),
            b'n' => self.word("ull", Value::Null),
            _ => None,
        }
    }

    fn mapping(&mut self, depth: usize) -> Option<Value<'j>> {
        let room = if depth == METADATA { FEW } else { 0 };
        let mut entries = Vec::with_capacity(room);
        self.object(|reader, key| {
            let first = reader.next()?;
            entries.push((key, reader.value(first, depth)?));
            Some(())
        })?;
        Mapping::of_unique(entries).map(Value::Mapping)
    }

    /// Reads what stands behind an opening brace: `entry` is given each key, and reads the value.
    #[inline]
    fn object(
        &mut self,
        mut entry: impl FnMut(&mut Self, Cow<'j, str>) -> Option<()>,
    ) -> Option<()> {
        let mut next = self.next()?;
        if next == b'}' {
            return Some(());
        }
        while next == b'"' {
            let key = self.string()?;
            if self.next()? != b':' {
                return None;
            }
            entry(self, key)?;
            match self.next()? {
                b',' => next = self.next()?,
                b'}' => return Some(()),
                _ => return None,
            }
        }
        None
    }

    fn list(&mut self, depth: usize) -> Option<Value<'j>> {
        let mut elements = Vec::new();
        let mut next = self.next()?;
        if next == b']' {
            return Some(Value::List(elements));
        }
        loop {
            elements.push(self.value(next, depth)?);
            match self.next()? {
                b',' => next = self.next()?,
                b']' => return Some(Value::List(elements)),
                _ => return None,
            }
        }
    }

    /// The string behind an opening quote.
    #[inline]
    fn string(&mut self) -> Option<Cow<'j, str>> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = plain(rest)?;
        if rest.get(length) != Some(&b'"') {
            return self.escaped().map(Cow::Owned);
        }
        let end = self.at + length;
        let text = self.text.get(self.at..end)?;
        self.at = end + 1;
        Some(Cow::Borrowed(text))
    }

    /// The string behind an opening quote, in which escapes stand for something else.
    #[cold]
    fn escaped(&mut self) -> Option<String> {
        let literal = self.text.get(self.at.checked_sub(1)?..)?;
        let mut strings = serde_json::Deserializer::from_str(literal).into_iter();
        let text = strings.next()?.ok()?;
        self.at += strings.byte_offset() - 1;
        Some(text)
    }

    /// The number of which the first byte was read.
    fn integer(&mut self) -> Option<Number> {
        let start = self.at.checked_sub(1)?;
        let rest = self.text.get(start..)?;
        let is_part =
            |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
        let length = rest.bytes().take_while(is_part).count();
        let literal = rest.get(..length)?;
        let digits = literal.strip_prefix('-').unwrap_or(literal);
        if digits.starts_with('0') && digits.len() > 1 {
            return None;
        }
        self.at = start + length;
        let signed = literal.parse::<i64>().map(Number::from);
        signed
            .or_else(|_| literal.parse::<u64>().map(Number::from))
            .ok()
    }

    /// A value that a word stands for of which the first byte was read.
    fn word(&mut self, rest: &str, value: Value<'j>) -> Option<Value<'j>> {
        let found = self.text.get(self.at..)?;
        self.at += rest.len();
        found.starts_with(rest).then_some(value)
    }
}

/// How many bytes stand before the first that ends a string or means something else in it.
#[inline]
fn plain(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return Some(at * 8 + special.trailing_zeros() as usize / 8);
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let at = rest.iter().position(is_special)?;
    Some(words.len() * 8 + at)
}

/// The first of eight bytes that is special has its highest bit set in the result, and none before it has.
#[inline]
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const CONTROLS: u64 = ONES * 0x20;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    const HIGHEST: u64 = ONES << 7;
    // A byte that is less borrows from its highest bit; what it takes from the bytes behind it comes too late to matter.
    let is_less = |word: u64, bytes: u64| word.wrapping_sub(bytes) & !word;
    let control = is_less(word, CONTROLS);
    let quote = is_less(word ^ QUOTES, ONES);
    let backslash = is_less(word ^ BACKSLASHES, ONES);
    (control | quote | backslash) & HIGHEST
}
