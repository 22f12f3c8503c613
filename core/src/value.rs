//! Values of an action: JSON with exact numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::number::Number;

/// A value of an action, as conditions see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `null`.
    Null,
    /// A boolean; never a number.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text, never trimmed, normalised or folded.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// An object; keys are unique.
    Mapping(BTreeMap<String, Value>),
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
    /// A copy, taken from the bytes that are left; `None`, and nothing taken, if it is larger.
    pub(crate) fn copy_within(&self, left: &mut usize) -> Option<Self> {
        let mut rest = *left;
        if !self.fits(&mut rest) {
            return None;
        }
        *left = rest;
        Some(self.clone())
    }

    /// Takes the value's bytes from what is left; false as soon as nothing is.
    fn fits(&self, left: &mut usize) -> bool {
        let own = match self {
            Value::String(text) => text.len(),
            Value::Mapping(entries) => entries.keys().map(String::len).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) => 0,
        };
        // What a value without text takes is of the order of a number's digits.
        let Some(rest) = left.checked_sub(own + 8) else {
            return false;
        };
        *left = rest;
        match self {
            Value::List(items) => items.iter().all(|item| item.fits(left)),
            Value::Mapping(entries) => entries.values().all(|value| value.fits(left)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }
}

/// A value that a rule compares with: never null, never a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A number, compared by value.
    Number(Number),
    /// Text, compared by its bytes.
    String(String),
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Operand {
    /// One value.
    Scalar(Scalar),
    /// A set: sorted, without repeats, not empty unless it is an allow-list.
    List(Vec<Scalar>),
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
