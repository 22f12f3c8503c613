//! What each operator says about a value that is there: one function each, the positive ones alone.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use semver::Version;

use crate::limits::TEXT_BYTES;
use crate::number::Number;
use crate::value::{Kind, Scalar, Value, is_same};

use super::reason::{At, Flaw, Outcome, Reason, Wanted};

/// `is_null`
#[expect(clippy::unnecessary_wraps, reason = "its siblings can be unknown")]
pub(super) fn is_null(value: &Value) -> Outcome {
    Ok(matches!(value, Value::Null))
}

/// `is_empty`: it reads no text, so that no bound applies.
pub(super) fn is_empty(value: &Value) -> Outcome {
    match value {
        Value::String(text) => Ok(text.is_empty()),
        Value::List(elements) => Ok(elements.is_empty()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Mapping(_) => {
            Err(Flaw::of_type(value, Wanted::ListOrString).into())
        }
    }
}

/// `eq` and `in`: the value is one of the operands.
pub(super) fn equals_any(value: &Value, operands: &[Scalar]) -> Outcome {
    is_one_of(value, operands).map_err(Reason::from)
}

/// `contains`: an element of a list, or a part of a text.
pub(super) fn contains(value: &Value, operands: &[Scalar]) -> Outcome {
    match (value, operands) {
        (Value::List(_), _) => any_in(value, operands),
        (Value::String(_), [Scalar::String(part)]) => Ok(text(value)?.contains(&**part)),
        (_, [Scalar::String(_)]) => Err(Flaw::of_type(value, Wanted::ListOrString).into()),
        (_, _) => Err(Flaw::of_type(value, Wanted::Kind(Kind::List)).into()),
    }
}

/// `any_in`: some element is one of the operands.
pub(super) fn any_in(value: &Value, operands: &[Scalar]) -> Outcome {
    join_elements(value, operands, true)
}

/// `all_in`: every element is one of the operands.
pub(super) fn all_in(value: &Value, operands: &[Scalar]) -> Outcome {
    join_elements(value, operands, false)
}

/// Kleene's join over the elements of a list: an element that is `decisive` settles it, whatever the others are.
fn join_elements(value: &Value, operands: &[Scalar], decisive: bool) -> Outcome {
    let Value::List(elements) = value else {
        return Err(Flaw::of_type(value, Wanted::Kind(Kind::List)).into());
    };
    if elements.is_empty() {
        return Err(Flaw::EmptyList.into());
    }
    let mut unknown = None;
    for (index, element) in elements.iter().enumerate() {
        match is_one_of(element, operands) {
            Ok(found) if found == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(flaw) => {
                // INVARIANT: an action has fewer bytes than an index has values.
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                unknown.get_or_insert(Reason {
                    at: At::Element(index),
                    flaw,
                });
            }
        }
    }
    unknown.map_or(Ok(!decisive), Err)
}

/// Among so many operands, looking at one after the other is faster than halving.
const FEW: usize = 8;

/// Whether the value equals one of the operands, which are sorted and of one type.
#[inline]
fn is_one_of(value: &Value, operands: &[Scalar]) -> Result<bool, Flaw> {
    let found = match (value, operands.first()) {
        (Value::Bool(value), Some(Scalar::Bool(_))) => operands.contains(&Scalar::Bool(*value)),
        (Value::Number(value), Some(Scalar::Number(_))) => {
            operands.binary_search(&Scalar::Number(*value)).is_ok()
        }
        (Value::String(_), Some(Scalar::String(_))) => {
            let text = text(value)?;
            if operands.len() <= FEW {
                let equals = |operand: &Scalar| match operand {
                    Scalar::String(operand) => is_same(operand, text),
                    Scalar::Bool(_) | Scalar::Number(_) => false,
                };
                operands.iter().any(equals)
            } else {
                let order = |operand: &Scalar| match operand {
                    Scalar::String(operand) => (**operand).cmp(text),
                    Scalar::Bool(_) | Scalar::Number(_) => Ordering::Less,
                };
                operands.binary_search_by(order).is_ok()
            }
        }
        (_, Some(operand)) => return Err(Flaw::of_type(value, Wanted::Kind(operand.kind_of()))),
        (_, None) => false,
    };
    Ok(found)
}

/// The text of a value, within the bound that operators read.
#[inline]
pub(super) fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, Flaw> {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES => Err(Flaw::TooLong),
        Value::String(text) => Ok(&**text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Mapping(_) => {
            Err(Flaw::of_type(value, Wanted::Kind(Kind::String)))
        }
    }
}

/// How a value that is a number stands to another.
pub(super) fn order_of_number(value: &Value, operand: &Number) -> Result<Ordering, Flaw> {
    match value {
        Value::Number(number) => Ok(number.cmp(operand)),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::List(_) | Value::Mapping(_) => {
            Err(Flaw::of_type(value, Wanted::Kind(Kind::Number)))
        }
    }
}

/// How a value that spells a time stands to another.
pub(super) fn order_of_time(value: &Value, operand: &Timestamp) -> Result<Ordering, Flaw> {
    let time: Timestamp = parse(value, Wanted::Time)?;
    Ok(time.cmp(operand))
}

/// How a value that spells a version stands to another, by precedence: build metadata does not count.
pub(super) fn order_of_version(value: &Value, operand: &Version) -> Result<Ordering, Flaw> {
    let version: Version = parse(value, Wanted::Version)?;
    Ok(version.cmp_precedence(operand))
}

/// Whether a value that spells an IP address lies in one of the networks.
pub(super) fn is_in_network(value: &Value, networks: &[IpNet]) -> Result<bool, Flaw> {
    let address: IpAddr = parse(value, Wanted::Address)?;
    let address = address.to_canonical();
    Ok(networks.iter().any(|network| network.contains(&address)))
}

fn parse<T: std::str::FromStr>(value: &Value, wanted: Wanted) -> Result<T, Flaw> {
    text(value)?.parse().map_err(|_| Flaw::Form(wanted))
}
