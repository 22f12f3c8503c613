//! Reading back at one go what [`Event::to_bytes`] and [`Names::to_bytes`] wrote.
//!
//! A text that is read here is canonical as it stands: keys in their order, no space, no escape, no other spelling of a
//! number; so it does not have to be written anew to be compared. Of any other text nothing is said, not even of a
//! canonical one with an escape in it: that is read by `serde_json`, which also knows where it goes wrong.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

use super::{Event, Names};

/// The event, where the text is canonical and has no escapes.
pub(super) fn event(text: &str) -> Option<Event> {
    let scan = &mut Scan(text);
    let event = Event {
        actor: scan.after("{\"actor\":")?.text()?,
        added: scan.after(",\"added\":")?.or_null(Scan::integer)?,
        after: scan.after(",\"after\":")?.or_null(Scan::text)?,
        before: scan.after(",\"before\":")?.or_null(Scan::text)?,
        changes: scan.after(",\"changes\":")?.or_null(Scan::text)?,
        deleted: scan.after(",\"deleted\":")?.or_null(Scan::integer)?,
        from: scan.after(",\"from\":")?.or_null(Scan::text)?,
        kind: scan.after(",\"kind\":")?.word()?,
        log: scan.after(",\"log\":")?.text()?,
        manifest_sha256: scan.after(",\"manifest_sha256\":")?.or_null(Scan::text)?,
        manifest_version: scan.after(",\"manifest_version\":")?.or_null(Scan::text)?,
        modified: scan.after(",\"modified\":")?.or_null(Scan::integer)?,
        rendered_sha256: scan.after(",\"rendered_sha256\":")?.or_null(Scan::text)?,
        replace: scan.after(",\"replace\":")?.or_null(Scan::truth)?,
        seq: scan.after(",\"seq\":")?.integer()?,
        time: scan.after(",\"time\":")?.text()?,
        event_type: scan.after(",\"type\":")?.word()?,
        unchanged: scan.after(",\"unchanged\":")?.or_null(Scan::integer)?,
    };
    scan.after("}")?.0.is_empty().then_some(event)
}

/// The names, where the text is canonical and has no escapes.
pub(super) fn names(text: &str) -> Option<Names> {
    let scan = &mut Scan(text);
    let names = Names {
        added: scan.after("{\"added\":")?.list()?,
        deactivated: scan.after(",\"deactivated\":")?.list()?,
        modified: scan.after(",\"modified\":")?.list()?,
    };
    scan.after("}")?.0.is_empty().then_some(names)
}

/// What is not read yet.
struct Scan<'t>(&'t str);

impl<'t> Scan<'t> {
    fn after(&mut self, literal: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(self)
    }

    fn string(&mut self) -> Option<&'t str> {
        let text = self.after("\"")?.0;
        let end = text.len() - behind_plain(text.as_bytes()).len();
        let (string, rest) = text.split_at_checked(end)?;
        self.0 = rest.strip_prefix('"')?;
        Some(string)
    }

    fn text(&mut self) -> Option<String> {
        self.string().map(str::to_owned)
    }

    /// A string that is one of a few.
    fn word<T: Deserialize<'t>>(&mut self) -> Option<T> {
        let word = IntoDeserializer::<Error>::into_deserializer(self.string()?);
        T::deserialize(word).ok()
    }

    fn integer(&mut self) -> Option<u64> {
        let end = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        let has_zeros = digits.len() > 1 && digits.starts_with('0');
        (!has_zeros).then(|| digits.parse().ok())?
    }

    fn truth(&mut self) -> Option<bool> {
        let is_true = self.0.starts_with("true");
        self.after(if is_true { "true" } else { "false" })?;
        Some(is_true)
    }

    #[expect(clippy::option_option, reason = "nothing was read, or null")]
    fn or_null<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.after("null").is_some() {
            return Some(None);
        }
        read(self).map(Some)
    }

    fn list(&mut self) -> Option<Vec<String>> {
        let mut list = Vec::new();
        if self.after("[]").is_some() {
            return Some(list);
        }
        self.after("[")?;
        loop {
            list.push(self.text()?);
            if self.after(",").is_none() {
                self.after("]")?;
                return Some(list);
            }
        }
    }
}

/// The bytes from the first that does not stand for itself in a string.
fn behind_plain(bytes: &[u8]) -> &[u8] {
    let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    let mut rest = bytes;
    // Whole chunks without a way out in the middle: the compiler looks at all of their bytes at once.
    while let Some((chunk, behind)) = rest.split_first_chunk::<16>()
        && !chunk
            .iter()
            .fold(false, |any, byte| any | is_special(*byte))
    {
        rest = behind;
    }
    while let Some((byte, behind)) = rest.split_first()
        && !is_special(*byte)
    {
        rest = behind;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{EventType, Kind};

    fn example() -> Event {
        Event {
            actor: "key_1 é".to_owned(),
            added: Some(0),
            after: Some("aa".to_owned()),
            before: None,
            changes: Some(String::new()),
            deleted: Some(u64::MAX),
            from: Some("al/x 7 \u{7f}".to_owned()),
            kind: Kind::Rollback,
            log: "al/x".to_owned(),
            manifest_sha256: None,
            manifest_version: Some("1.0".to_owned()),
            modified: None,
            rendered_sha256: None,
            replace: Some(false),
            seq: 10,
            time: "now".to_owned(),
            event_type: EventType::V1,
            unchanged: Some(1),
        }
    }

    /// Whatever is read is what `serde_json` reads, and is written as it stood.
    fn is_sound(text: &str) -> bool {
        let read = event(text);
        if let Some(event) = &read {
            assert_eq!(
                serde_json::from_str(text).ok().as_ref(),
                Some(event),
                "{text}"
            );
            assert_eq!(event.to_bytes(), text.as_bytes());
        }
        read.is_some()
    }

    #[test]
    fn what_was_written_is_read() {
        let mut event = example();
        for kind in [
            Kind::Import,
            Kind::Rollback,
            Kind::KeyCreated,
            Kind::KeyRevoked,
            Kind::LogKeyRotated,
        ] {
            for replace in [None, Some(true), Some(false)] {
                (event.kind, event.replace) = (kind, replace);
                assert!(is_sound(&String::from_utf8(event.to_bytes()).unwrap()));
            }
        }
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        for lists in [[&[][..]; 3], [&["a"], &[], &["b", "c", ""]]] {
            let [added, deactivated, modified] = lists.map(list);
            let written = Names {
                added,
                deactivated,
                modified,
            };
            let text = String::from_utf8(written.to_bytes()).unwrap();
            assert_eq!(names(&text), Some(written));
        }
    }

    /// Every byte of an event changed to every character that means something in JSON, left out or doubled.
    #[test]
    fn other_spellings_are_left_to_others() {
        let text = String::from_utf8(example().to_bytes()).unwrap();
        let characters: Vec<_> = text.char_indices().collect();
        let mut read = 0;
        for &(at, old) in &characters {
            let (before, rest) = text.split_at(at);
            let (_, behind) = rest.split_at(old.len_utf8());
            for new in [
                "", "\"", "\\", "\n", " ", "0", "7", "-", ".", "e", ",", "{", "}", "null",
            ] {
                read += usize::from(is_sound(&format!("{before}{new}{behind}")));
                read += usize::from(is_sound(&format!("{before}{new}{old}{behind}")));
            }
            assert!(!is_sound(before));
        }
        assert!(read > 500, "{read}");
        for other in ["", "{}", " {}", &format!("{text} "), &format!(" {text}")] {
            assert!(!is_sound(other));
        }
    }

    #[test]
    fn names_in_other_spellings_are_left_to_others() {
        for text in [
            "",
            r#"{"added":[],"deactivated":[],"modified":[] }"#,
            r#"{"added":[],"deactivated":[],"modified":["a",]}"#,
            r#"{"added":[,"a"],"deactivated":[],"modified":[]}"#,
            r#"{"added":["a" ],"deactivated":[],"modified":[]}"#,
            r#"{"added":["\u0061"],"deactivated":[],"modified":[]}"#,
            r#"{"added":["\\"],"deactivated":[],"modified":[]}"#,
            r#"{"added":[1],"deactivated":[],"modified":[]}"#,
            r#"{"added":[],"modified":[],"deactivated":[]}"#,
            r#"{"added":[],"deactivated":[],"modified":[]}{}"#,
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
