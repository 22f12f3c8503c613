//! Values that are read back from a document: the inverse of how they are written.
//!
//! Actions are not read here: they come as JSON text, which [`crate::action`] reads without copies.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Entry, Mapping, Operand, Scalar, Value};
use crate::limits;
use crate::number::Number;

impl<'de> Deserialize<'de> for Value<'static> {
    /// Numbers keep their value and type, and a key that stands twice is refused, as is what is nested more deeply than
    /// any action.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // INVARIANT: one more than the lists and objects of an action, so that the scalars inside the last are read.
        Within(limits::ACTION_NESTING + 1).deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(Value::deserialize(deserializer)?)
    }
}

impl<'de> Deserialize<'de> for Operand {
    /// As it was written: a list stays as it is.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::List(list) => {
                let list = list.into_iter().map(scalar).collect::<Result<_, _>>()?;
                Ok(Operand::List(list))
            }
            value => scalar(value).map(Operand::Scalar),
        }
    }
}

fn scalar<E: de::Error>(value: Value<'_>) -> Result<Scalar, E> {
    match value {
        Value::Bool(value) => Ok(Scalar::Bool(value)),
        Value::Number(number) => Ok(Scalar::Number(number)),
        Value::String(text) => Ok(Scalar::String(text.as_ref().into())),
        Value::Null | Value::List(_) | Value::Mapping(_) => {
            Err(E::custom("expected a boolean, a number or a text"))
        }
    }
}

/// Reads a value of at most so many levels, itself included.
#[derive(Clone, Copy)]
struct Within(usize);

impl Within {
    /// The levels that are left to what the value holds.
    fn inside<E: de::Error>(self) -> Result<Self, E> {
        match self.0.checked_sub(1) {
            Some(left @ 1..) => Ok(Self(left)),
            _ => Err(E::custom("lists and objects are nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Value<'static>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = Value<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, int: i64) -> Result<Self::Value, E> {
        NumberVisitor.visit_i64(int).map(Value::Number)
    }

    fn visit_u64<E: de::Error>(self, int: u64) -> Result<Self::Value, E> {
        NumberVisitor.visit_u64(int).map(Value::Number)
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<Self::Value, E> {
        NumberVisitor.visit_f64(float).map(Value::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Value::String(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let inside = self.inside()?;
        let mut read: Vec<Entry<'static>> = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            read.push((key.into(), entries.next_value_seed(inside)?));
        }
        let mapping = Mapping::of_unique(read);
        let mapping = mapping.ok_or_else(|| de::Error::custom("a key stands twice"))?;
        Ok(Value::Mapping(mapping))
    }
}

impl<'de> Deserialize<'de> for Number {
    /// An integer stays one, a float stays one.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E>(self, int: i64) -> Result<Number, E> {
        Ok(int.into())
    }

    fn visit_u64<E>(self, int: u64) -> Result<Number, E> {
        Ok(int.into())
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<Number, E> {
        Number::from_f64(float).ok_or_else(|| E::custom("a number is not finite"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_the_same_text() {
        let rows = [
            "null",
            "true",
            "1",
            "1.0",
            "-0.0",
            "0.1",
            "-9223372036854775808",
            "18446744073709551615",
            "9007199254740993",
            "1.7976931348623157e+308",
            "5e-324",
            "123456789012345.67",
            "\"a\\nb\\u0000é\"",
            "[1,[\"a\",null],{}]",
            "{\"a\":{\"b\":[]},\"c\":1.5}",
        ];
        for text in rows {
            let value: Value<'static> = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
    }

    #[test]
    fn what_is_never_written_is_refused() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let rows = [
            (
                "{\"a\": 1, \"a\": 1}".to_owned(),
                Some("a key stands twice"),
            ),
            (
                "[{\"b\": {\"a\": 1, \"\\u0061\": 2}}]".to_owned(),
                Some("a key stands twice"),
            ),
            ("1e999".to_owned(), Some("number out of range")),
            (deep(limits::ACTION_NESTING), None),
            (
                deep(limits::ACTION_NESTING + 1),
                Some("lists and objects are nested too deeply"),
            ),
        ];
        for (text, expected) in rows {
            let read = serde_json::from_str::<Value<'static>>(&text);
            let reason = read.err().map(|error| error.to_string());
            let reason = reason
                .as_deref()
                .map(|reason| reason.split(" at line").next());
            assert_eq!(reason, expected.map(Some), "{text}");
        }
        for float in [f64::NAN, f64::INFINITY] {
            let float = de::value::F64Deserializer::<de::value::Error>::new(float);
            assert!(Number::deserialize(float).is_err());
        }
    }
}
