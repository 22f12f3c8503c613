//! The quick way through the JSON of an action: all of it, or nothing and no reason.
//!
//! INVARIANT: what is read here, the exact way reads as the same action. Numbers that are no integers of 64 bits are left
//! to it, because the literal counts, and so is everything that may be wrong.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Action;
use crate::limits::ACTION_NESTING;
use crate::value::{Mapping, Value};

/// The action of a text, if there is nothing to say about it.
pub(super) fn read(text: &str) -> Option<Action<'_>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Inside(0).deserialize(&mut json).ok()?;
    json.end().ok()?;
    Action::of_object(value).ok()
}

/// Entries of an object for which there is room at first.
const FEW: usize = 8;

/// A value inside so many lists and objects.
#[derive(Clone, Copy)]
struct Inside(usize);

impl Inside {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.0 < ACTION_NESTING {
            Ok(Self(self.0 + 1))
        } else {
            Err(E::custom("too deep"))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Inside {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value<'de>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, int: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(int.into()))
    }

    fn visit_u64<E>(self, int: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(int.into()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        let inside = self.deeper()?;
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(inside)? {
            elements.push(element);
        }
        Ok(Value::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value<'de>, A::Error> {
        let inside = self.deeper()?;
        let mut entries = Vec::with_capacity(FEW);
        while let Some(Key(key)) = object.next_key()? {
            // A program that this engine is part of may have `serde_json` hand out numbers as objects.
            if key.starts_with("$serde_json::private::") {
                return Err(A::Error::custom("not an object"));
            }
            entries.push((key, object.next_value_seed(inside)?));
        }
        let mapping = Mapping::of_unique(entries);
        mapping
            .map(Value::Mapping)
            .ok_or_else(|| A::Error::custom("a key stands twice"))
    }
}

struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(text.to_owned().into()))
            }
        }

        json.deserialize_str(Visit)
    }
}
