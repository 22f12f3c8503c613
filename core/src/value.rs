//! Values of an action: JSON with exact numbers.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::ser::{Serialize, Serializer};
use smol_str::SmolStr;

use crate::number::Number;

/// Text of an action: cheap to make and to clone, for most of it is short.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(SmolStr);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// A value of an action, as conditions see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `null`.
    Null,
    /// A boolean; never a number.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text, never trimmed, normalised or folded.
    String(Text),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Mapping(Mapping),
}

/// An object: values by unique keys, in the order of the keys.
///
/// ```
/// use lattice_core::{Mapping, Value};
///
/// let labels: Mapping = [("team", Value::Bool(true)), ("app", Value::Null)].into_iter().collect();
/// assert_eq!(labels.get("app"), Some(&Value::Null));
/// assert_eq!(labels.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["app", "team"]);
/// ```
// INVARIANT: sorted by key, and no key stands twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(Text, Value)>);

/// In a mapping of so many entries, looking at one after the other is faster than halving.
const FEW: usize = 8;

impl Mapping {
    /// The mapping of these entries, in any order; `None` if a key stands twice.
    pub(crate) fn of_unique(mut entries: Vec<(Text, Value)>) -> Option<Self> {
        entries.sort_unstable_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
        let twice = entries.array_windows().any(|[(a, _), (b, _)]| a == b);
        (!twice).then_some(Self(entries))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        if self.0.len() <= FEW {
            return self
                .iter()
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value);
        }
        let at = self
            .0
            .binary_search_by(|(name, _)| (**name).cmp(key))
            .ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Of entries with one key, the last stays.
impl<K: Into<Text>> FromIterator<(K, Value)> for Mapping {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
        let mut entries: Vec<(Text, Value)> = entries.collect();
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(a, _), (b, _)| a == b);
        Self(entries)
    }
}

impl IntoIterator for Mapping {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Mapping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Value {
    /// What the value is, in words with an article: `a string`, `null`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl Value {
    /// The value, taken from the bytes that are left; `None`, and nothing taken, if it is larger.
    pub(crate) fn within(&self, left: &mut usize) -> Option<&Self> {
        let mut rest = *left;
        if !self.fits(&mut rest) {
            return None;
        }
        *left = rest;
        Some(self)
    }

    /// Takes the value's bytes from what is left; false as soon as nothing is.
    fn fits(&self, left: &mut usize) -> bool {
        let own = match self {
            Value::String(text) => text.len(),
            Value::Mapping(entries) => entries.iter().map(|(key, _)| key.len()).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) => 0,
        };
        // What a value without text takes is of the order of a number's digits.
        let Some(rest) = left.checked_sub(own + 8) else {
            return false;
        };
        *left = rest;
        match self {
            Value::List(items) => items.iter().all(|item| item.fits(left)),
            Value::Mapping(entries) => entries.iter().all(|(_, value)| value.fits(left)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }
}

/// A value that a rule compares with: never null, never a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A number, compared by value.
    Number(Number),
    /// Text, compared by its bytes.
    String(Text),
}

impl Scalar {
    /// What the scalar is, in words with an article.
    pub fn kind(&self) -> &'static str {
        match self {
            Scalar::Bool(_) => "a boolean",
            Scalar::Number(_) => "a number",
            Scalar::String(_) => "a string",
        }
    }
}

/// What a rule compares with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Operand {
    /// One value.
    Scalar(Scalar),
    /// A set: sorted, without repeats, not empty unless it is an allow-list.
    List(Vec<Scalar>),
}

impl Operand {
    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Operand::List(_))
    }
}

impl From<&Scalar> for Value {
    fn from(scalar: &Scalar) -> Self {
        match scalar {
            Scalar::Bool(value) => Value::Bool(*value),
            Scalar::Number(number) => Value::Number(*number),
            Scalar::String(text) => Value::String(text.clone()),
        }
    }
}

impl From<&Operand> for Value {
    fn from(operand: &Operand) -> Self {
        match operand {
            Operand::Scalar(scalar) => scalar.into(),
            Operand::List(list) => Value::List(list.iter().map(Value::from).collect()),
        }
    }
}
