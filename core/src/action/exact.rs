//! The exact way through the JSON of an action: it says what is wrong, and where.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

use super::{Action, Fields, expected, invalid, too_deep, unknown};
use crate::decode::excerpt;
use crate::error::Error;
use crate::limits::ACTION_NESTING;
use crate::number::Number;
use crate::source::{Source, Span};
use crate::value::Value;

/// Reads JSON strictly; every error ends the reading.
struct Reader<'j> {
    text: &'j str,
    jiter: Jiter<'j>,
}

/// The action of a text, or the first thing that is wrong with it.
pub(super) fn read(text: &str) -> Result<Action<'_>, Error> {
    let jiter = Jiter::new(text.as_bytes());
    Reader { text, jiter }.action()
}

impl<'j> Reader<'j> {
    fn action(mut self) -> Result<Action<'j>, Error> {
        let start = self.peek()?;
        let at = self.jiter.current_index();
        if start != Peek::Object {
            let found = self.value(0)?;
            self.finish()?;
            return Err(self.error(at, expected("an action must be a JSON object", &found)));
        }
        let mut fields = Fields::default();
        self.object(1, |reader, key, at| fields.read(reader, &key, at))?;
        self.finish()?;
        fields.check(at, |at, message| self.error(at, message))
    }

    /// Reads the value that comes next, inside `depth` lists and objects.
    fn value(&mut self, depth: usize) -> Result<Value<'j>, Error> {
        let peek = self.peek()?;
        let at = self.jiter.current_index();
        match peek {
            Peek::Null => self.json(Jiter::known_null).map(|()| Value::Null),
            Peek::True | Peek::False => self.json(|jiter| jiter.known_bool(peek)).map(Value::Bool),
            Peek::String => self
                .json(|jiter| jiter.known_str().map(str::to_owned))
                .map(|text| Value::String(text.into())),
            Peek::Array => self.array(depth + 1),
            Peek::Object => self.mapping(depth + 1),
            Peek::NaN | Peek::Infinity => {
                Err(self.error(at, "NaN and infinities are not JSON numbers"))
            }
            _ => {
                let end = self.json(|jiter| {
                    jiter.known_number_bytes(peek)?;
                    Ok(jiter.current_index())
                })?;
                let literal = self.text.get(at..end).unwrap_or_default();
                let number = Number::parse(literal).map_err(|error| {
                    self.error(at, format!("`{}` {}", excerpt(literal), error.as_str()))
                })?;
                Ok(Value::Number(number))
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value<'j>, Error> {
        self.check_nesting(depth)?;
        let mut elements = Vec::new();
        let mut next = self.json(Jiter::known_array)?;
        while next.is_some() {
            elements.push(self.value(depth)?);
            next = self.json(Jiter::array_step)?;
        }
        Ok(Value::List(elements))
    }

    fn mapping(&mut self, depth: usize) -> Result<Value<'j>, Error> {
        let mut entries = BTreeMap::new();
        self.object(depth, |reader, key, at| {
            let value = reader.value(depth)?;
            match entries.entry(key) {
                Entry::Occupied(entry) => Err(reader.duplicate(at, entry.key())),
                Entry::Vacant(entry) => {
                    entry.insert(value);
                    Ok(())
                }
            }
        })?;
        Ok(Value::Mapping(entries.into_iter().collect()))
    }

    /// Reads an object field by field: `field` is given each key with its place, and reads the value.
    fn object(
        &mut self,
        depth: usize,
        mut field: impl FnMut(&mut Self, String, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.check_nesting(depth)?;
        let mut behind = self.jiter.current_index();
        let mut next = self.json(|jiter| Ok(jiter.known_object()?.map(str::to_owned)))?;
        while let Some(key) = next {
            // Only white space and a brace or comma stand before the key's quote.
            let gap = self.text.get(behind..).and_then(|rest| rest.find('"'));
            field(self, key, behind + gap.unwrap_or(0))?;
            behind = self.jiter.current_index();
            next = self.json(|jiter| Ok(jiter.next_key()?.map(str::to_owned)))?;
        }
        Ok(())
    }

    fn check_nesting(&self, depth: usize) -> Result<(), Error> {
        if depth > ACTION_NESTING {
            return Err(self.error(self.jiter.current_index(), too_deep()));
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Peek, Error> {
        self.json(Jiter::peek)
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.json(Jiter::finish)
    }

    /// Takes a step of the parser; its errors become ours.
    fn json<T>(
        &mut self,
        step: impl FnOnce(&mut Jiter<'j>) -> Result<T, JiterError>,
    ) -> Result<T, Error> {
        step(&mut self.jiter).map_err(|error| {
            let reason = match error.error_type {
                JiterErrorType::JsonError(reason) => in_words(&reason),
                other @ JiterErrorType::WrongType { .. } => other.to_string(),
            };
            self.error(error.index, format!("invalid JSON: {reason}"))
        })
    }

    fn error(&self, at: usize, message: impl Into<String>) -> Error {
        error_at(self.text, at, message)
    }

    fn duplicate(&self, at: usize, key: &str) -> Error {
        self.error(at, format!("duplicate key `{}`", excerpt(key)))
            .with_help("keep one of the two")
    }
}

impl<'j> Fields<'j> {
    /// Reads the value of a field.
    fn read(&mut self, reader: &mut Reader<'j>, key: &str, at: usize) -> Result<(), Error> {
        let Some(field) = self.named(key) else {
            return Err(unknown(key, |message| reader.error(at, message)));
        };
        if field.is_some() {
            return Err(reader.duplicate(at, key));
        }
        reader.peek()?;
        let start = reader.jiter.current_index();
        *field = Some((start, reader.value(1)?));
        Ok(())
    }
}

fn in_words(reason: &JsonErrorType) -> String {
    match reason {
        JsonErrorType::EofWhileParsingList => "the text ends inside a list".to_owned(),
        JsonErrorType::EofWhileParsingObject => "the text ends inside an object".to_owned(),
        JsonErrorType::EofWhileParsingString => "the text ends inside a string".to_owned(),
        JsonErrorType::EofWhileParsingValue => "the text ends where a value belongs".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn error_at(text: &str, at: usize, message: impl Into<String>) -> Error {
    let at = at.min(text.len());
    invalid(message).with_place(Source::new(text).place(Span::at(at)))
}
