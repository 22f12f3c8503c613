//! Values of an action: JSON with exact numbers.

mod read;

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::ser::{Serialize, Serializer};
use smol_str::SmolStr;

use crate::number::Number;

/// Text that a rule compares with: cheap to keep and to clone, for most of it is short.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(SmolStr);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
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

/// A value of an action, as conditions see it. Text is borrowed from the JSON that it was read from, where it stands
/// there as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
// A tag as wide as what follows it: a value then moves in whole words, which the reading of actions is fast by.
#[repr(u64)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// A boolean; never a number.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text, never trimmed, normalised or folded.
    String(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// An object.
    Mapping(Mapping<'a>),
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    List,
    Mapping,
}

impl Kind {
    /// The kind in words with an article.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::List => "a list",
            Kind::Mapping => "a mapping",
        }
    }
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
pub struct Mapping<'a>(Vec<Entry<'a>>);

type Entry<'a> = (Cow<'a, str>, Value<'a>);

/// In a mapping of so many entries, looking at one after the other is faster than halving.
const FEW: usize = 8;

impl<'a> Mapping<'a> {
    /// The mapping of these entries, in any order; `None` if a key stands twice.
    pub(crate) fn of_unique(mut entries: Vec<Entry<'a>>) -> Option<Self> {
        entries.sort_unstable_by(|(a, _), (b, _)| order(a, b));
        let twice = entries.array_windows().any(|[(a, _), (b, _)]| a == b);
        (!twice).then_some(Self(entries))
    }

    /// The mapping with copies of what it borrows.
    pub fn into_owned(self) -> Mapping<'static> {
        let owned = |(key, value): Entry<'a>| (key.into_owned().into(), value.into_owned());
        Mapping(self.0.into_iter().map(owned).collect())
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        if self.0.len() <= FEW {
            return self
                .iter()
                .find(|(name, _)| is_same(name, key))
                .map(|(_, value)| value);
        }
        let at = self
            .0
            .binary_search_by(|(name, _)| (**name).cmp(key))
            .ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'a>)> {
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

/// How two keys stand to each other: mostly the first byte tells.
#[inline]
fn order(a: &str, b: &str) -> Ordering {
    let firsts = a.as_bytes().first().cmp(&b.as_bytes().first());
    firsts.then_with(|| a.cmp(b))
}

/// Whether two texts are equal. Names of one kind begin alike and often have one length: the end tells them apart first.
#[inline]
pub(crate) fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.as_bytes().last() == b.as_bytes().last() && a == b
}

/// Of entries with one key, the last stays.
impl<'a, K: Into<Cow<'a, str>>> FromIterator<(K, Value<'a>)> for Mapping<'a> {
    fn from_iter<I: IntoIterator<Item = (K, Value<'a>)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
        let mut entries: Vec<Entry<'a>> = entries.collect();
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(a, _), (b, _)| a == b);
        Self(entries)
    }
}

impl<'a> IntoIterator for Mapping<'a> {
    type Item = (Cow<'a, str>, Value<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Mapping<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Value<'_> {
    /// What the value is, in words with an article: `a string`, `null`.
    pub fn kind(&self) -> &'static str {
        self.kind_of().as_str()
    }

    pub(crate) fn kind_of(&self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::List(_) => Kind::List,
            Value::Mapping(_) => Kind::Mapping,
        }
    }

    /// The value again, its text borrowed.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(*value),
            Value::Number(number) => Value::Number(*number),
            Value::String(text) => Value::String(Cow::Borrowed(text)),
            Value::List(list) => Value::List(list.iter().map(Value::borrowed).collect()),
            Value::Mapping(Mapping(entries)) => {
                let entries = entries.iter();
                let borrowed =
                    entries.map(|(key, value)| (Cow::Borrowed(&**key), value.borrowed()));
                Value::Mapping(Mapping(borrowed.collect()))
            }
        }
    }

    /// The value with copies of what it borrows.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number),
            Value::String(text) => Value::String(text.into_owned().into()),
            Value::List(list) => Value::List(list.into_iter().map(Value::into_owned).collect()),
            Value::Mapping(mapping) => Value::Mapping(mapping.into_owned()),
        }
    }

    /// The value, taken from the bytes that are left; `None` if it is larger, and then nothing is left: it is not measured
    /// again for every rule that reads it.
    pub(crate) fn within(&self, left: &mut usize) -> Option<&Self> {
        if self.fits(left) {
            return Some(self);
        }
        *left = 0;
        None
    }

    /// Takes the value's bytes from what is left; false as soon as nothing is.
    fn fits(&self, left: &mut usize) -> bool {
        // What a value without text takes is of the order of a number's digits.
        let own = match self {
            Value::String(text) => text.len() + 8,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Mapping(_) => 8,
        };
        take(own, left)
            && match self {
                Value::List(items) => items.iter().all(|item| item.fits(left)),
                Value::Mapping(entries) => {
                    let mut entries = entries.iter();
                    entries.all(|(key, value)| take(key.len(), left) && value.fits(left))
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            }
    }
}

fn take(bytes: usize, left: &mut usize) -> bool {
    let rest = left.checked_sub(bytes);
    *left = rest.unwrap_or(0);
    rest.is_some()
}

/// A value that a rule compares with: never null, never a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
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
        self.kind_of().as_str()
    }

    pub(crate) fn kind_of(&self) -> Kind {
        match self {
            Scalar::Bool(_) => Kind::Bool,
            Scalar::Number(_) => Kind::Number,
            Scalar::String(_) => Kind::String,
        }
    }
}

/// What a rule compares with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(untagged)]
pub enum Operand {
    /// One value.
    Scalar(Scalar),
    /// A set: sorted, without repeats, not empty unless it is an allow-list.
    List(Box<[Scalar]>),
}

impl Operand {
    /// The value as a list: a scalar is a list of one.
    pub(crate) fn scalars(&self) -> &[Scalar] {
        match self {
            Operand::Scalar(scalar) => std::slice::from_ref(scalar),
            Operand::List(list) => list,
        }
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Operand::List(_))
    }
}

impl From<&Scalar> for Value<'static> {
    fn from(scalar: &Scalar) -> Self {
        match scalar {
            Scalar::Bool(value) => Value::Bool(*value),
            Scalar::Number(number) => Value::Number(*number),
            Scalar::String(text) => Value::String((**text).to_owned().into()),
        }
    }
}

impl From<&Operand> for Value<'static> {
    fn from(operand: &Operand) -> Self {
        match operand {
            Operand::Scalar(scalar) => scalar.into(),
            Operand::List(list) => Value::List(list.iter().map(Value::from).collect()),
        }
    }
}
