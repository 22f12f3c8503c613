//! Numbers with one meaning: an `i64`, a `u64` or a finite `f64`, compared by exact mathematical value.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};

/// A number of a condition or an action.
///
/// Integers stay integers; a literal with a fraction or an exponent means its nearest `f64`. Any two compare
/// exactly, never by widening: `9007199254740993` is not `9007199254740992.0`.
///
/// ```
/// use lattice_core::Number;
///
/// assert_eq!(Number::parse("1"), Number::parse("1.0"));
/// assert!(Number::parse("9007199254740993") > Number::parse("9007199254740992.0"));
/// assert!(Number::parse("18446744073709551616").is_err()); // past u64
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Number(Repr);

// INVARIANT: an integer that fits i64 is never `Large`, and `Float` is finite.
#[derive(Debug, Clone, Copy)]
enum Repr {
    Int(i64),
    Large(u64),
    Float(f64),
}

/// Why a literal is not a number of this engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NumberError {
    /// Not a decimal literal at all.
    Syntax,
    /// An integer outside `i64` and `u64`.
    IntegerRange,
    /// A literal past the largest `f64`, or an infinity or NaN.
    FloatRange,
}

impl NumberError {
    /// The reason in words that follow the literal.
    pub fn as_str(self) -> &'static str {
        match self {
            NumberError::Syntax => "is not a decimal number",
            NumberError::IntegerRange => "is an integer outside the 64-bit range",
            NumberError::FloatRange => "is outside the range of finite numbers",
        }
    }
}

/// 2^63 and 2^64: the first floats past `i64` and `u64`.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

impl Number {
    /// Reads a decimal literal as JSON and YAML write it: `-12`, `0.5`, `1.0e+3`.
    ///
    /// # Errors
    ///
    /// See [`NumberError`].
    pub fn parse(literal: &str) -> Result<Self, NumberError> {
        let digits = literal.trim_start_matches(['+', '-']);
        if [".inf", ".nan"]
            .iter()
            .any(|word| digits.eq_ignore_ascii_case(word))
        {
            return Err(NumberError::FloatRange);
        }
        if literal.len() > digits.len() + 1
            || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            || !digits
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        {
            return Err(NumberError::Syntax);
        }
        if digits.bytes().all(|b| b.is_ascii_digit()) {
            return literal
                .parse::<i64>()
                .map(Self::from)
                .or_else(|_| literal.parse::<u64>().map(Self::from))
                .map_err(|_| NumberError::IntegerRange);
        }
        let float = literal.parse::<f64>().map_err(|_| NumberError::Syntax)?;
        Self::from_f64(float).ok_or(NumberError::FloatRange)
    }

    /// The number of a float; `None` for NaN and infinities.
    pub fn from_f64(float: f64) -> Option<Self> {
        float.is_finite().then_some(Self(Repr::Float(float)))
    }

    /// The integer with the same value, if there is one in `i64` or `u64`.
    fn integral(self) -> Option<Repr> {
        match self.0 {
            Repr::Int(_) | Repr::Large(_) => Some(self.0),
            Repr::Float(float) if float.fract() != 0.0 => None,
            Repr::Float(float) if (-TWO_63..TWO_63).contains(&float) =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "integral and in range")]
                Some(Repr::Int(float as i64))
            }
            Repr::Float(float) if (0.0..TWO_64).contains(&float) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "integral and in range"
                )]
                Some(Repr::Large(float as u64))
            }
            Repr::Float(_) => None,
        }
    }

    /// The shortest literal that both YAML 1.1 and 1.2 read as this value; equal numbers, and only they, share it.
    pub fn canonical_literal(self) -> String {
        match self.integral().unwrap_or(self.0) {
            Repr::Int(int) => int.to_string(),
            Repr::Large(int) => int.to_string(),
            Repr::Float(float) => {
                let shortest = format!("{float:?}");
                // YAML 1.1 wants a fraction and a sign in front of an exponent.
                match shortest.split_once('e') {
                    None => shortest,
                    Some((mantissa, exponent)) => {
                        let fraction = if mantissa.contains('.') { "" } else { ".0" };
                        let sign = if exponent.starts_with('-') { "" } else { "+" };
                        format!("{mantissa}{fraction}e{sign}{exponent}")
                    }
                }
            }
        }
    }

    /// Every digit of the value: no exponent, no trailing zeros.
    pub fn exact_decimal(self) -> String {
        match self.integral().unwrap_or(self.0) {
            Repr::Int(int) => int.to_string(),
            Repr::Large(int) => int.to_string(),
            Repr::Float(float) => {
                // 1074 is the longest fraction an f64 has.
                let digits = format!("{float:.1074}");
                digits
                    .trim_end_matches('0')
                    .trim_end_matches('.')
                    .to_owned()
            }
        }
    }
}

impl Number {
    /// Bytes of the number written as JSON.
    pub(crate) fn json_len(self) -> usize {
        let digits = |int: u64| int.checked_ilog10().unwrap_or(0) as usize + 1;
        match self.0 {
            Repr::Int(int) => digits(int.unsigned_abs()) + usize::from(int < 0),
            Repr::Large(int) => digits(int),
            Repr::Float(float) => serde_json::to_string(&float).map_or(0, |text| text.len()),
        }
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self(Repr::Int(int))
    }
}

impl From<u64> for Number {
    fn from(int: u64) -> Self {
        Self(i64::try_from(int).map_or(Repr::Large(int), Repr::Int))
    }
}

impl Ord for Number {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(&b),
            (Repr::Large(a), Repr::Large(b)) => a.cmp(&b),
            (Repr::Int(_), Repr::Large(_)) => Ordering::Less,
            (Repr::Large(_), Repr::Int(_)) => Ordering::Greater,
            // Both finite: `-0.0` and `0.0` are equal, and nothing is unordered.
            (Repr::Float(a), Repr::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Repr::Int(a), Repr::Float(b)) => compare(i128::from(a), b),
            (Repr::Large(a), Repr::Float(b)) => compare(i128::from(a), b),
            (Repr::Float(a), Repr::Int(b)) => compare(i128::from(b), a).reverse(),
            (Repr::Float(a), Repr::Large(b)) => compare(i128::from(b), a).reverse(),
        }
    }
}

/// Compares an integer of 64 bits with a finite float, exactly.
fn compare(int: i128, float: f64) -> Ordering {
    if float >= TWO_64 {
        return Ordering::Less;
    }
    if float < -TWO_63 {
        return Ordering::Greater;
    }
    // In this range the floor is an integer of 65 bits, and the fraction decides a tie.
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let floor = float.floor() as i128;
    int.cmp(&floor).then(if float > float.floor() {
        Ordering::Less
    } else {
        Ordering::Equal
    })
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Equal numbers hash alike, however they are represented.
impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // What is equal has one nearest float; adding zero takes the sign from its zero.
        #[expect(
            clippy::cast_precision_loss,
            reason = "numbers near each other may collide"
        )]
        let nearest = match self.0 {
            Repr::Int(int) => int as f64,
            Repr::Large(int) => int as f64,
            Repr::Float(float) => float + 0.0,
        };
        nearest.to_bits().hash(state);
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Repr::Int(int) => serializer.serialize_i64(int),
            Repr::Large(int) => serializer.serialize_u64(int),
            Repr::Float(float) => serializer.serialize_f64(float),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        let rows = [
            ("0", Ok("0")),
            ("-0", Ok("0")),
            ("-0.0", Ok("0")),
            ("1.0", Ok("1")),
            ("0.1", Ok("0.1")),
            (".5", Ok("0.5")),
            ("1e3", Ok("1000")),
            ("1e300", Ok("1.0e+300")),
            ("1.5e-9", Ok("1.5e-9")),
            ("9223372036854775807", Ok("9223372036854775807")),
            ("-9223372036854775808", Ok("-9223372036854775808")),
            ("18446744073709551615", Ok("18446744073709551615")),
            ("18446744073709551616", Err(NumberError::IntegerRange)),
            ("-9223372036854775809", Err(NumberError::IntegerRange)),
            ("1e400", Err(NumberError::FloatRange)),
            ("", Err(NumberError::Syntax)),
            ("+-1", Err(NumberError::Syntax)),
            ("inf", Err(NumberError::Syntax)),
            (".inf", Err(NumberError::FloatRange)),
            ("-.Inf", Err(NumberError::FloatRange)),
            (".NaN", Err(NumberError::FloatRange)),
            ("1x", Err(NumberError::Syntax)),
            ("--1", Err(NumberError::Syntax)),
        ];
        for (literal, expected) in rows {
            assert_eq!(
                Number::parse(literal).map(Number::canonical_literal),
                expected.map(str::to_owned),
                "{literal}"
            );
        }
    }

    #[test]
    fn exact_decimals() {
        let rows = [
            (
                "0.1",
                "0.1000000000000000055511151231257827021181583404541015625",
            ),
            ("-2.50", "-2.5"),
            ("1e22", "10000000000000000000000"),
            ("1.0", "1"),
        ];
        for (literal, expected) in rows {
            assert_eq!(Number::parse(literal).unwrap().exact_decimal(), expected);
        }
    }

    #[test]
    fn exact_order() {
        // Each literal is smaller than the next, across all three representations.
        let ascending = [
            "-1e300",
            "-9223372036854775808",
            "-9223372036854775807",
            "-1.5",
            "-1",
            "0",
            "0.5",
            "1",
            "9007199254740992.0",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808.0",
            "9223372036854775809",
            "18446744073709551615",
            "18446744073709551616.0",
            "1e300",
        ];
        let numbers = ascending.map(|literal| Number::parse(literal).unwrap());
        for (i, a) in numbers.iter().enumerate() {
            for (j, b) in numbers.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{} and {}", ascending[i], ascending[j]);
            }
        }
        assert_eq!(
            Number::parse("9223372036854775808"),
            Number::parse("9223372036854775808.0")
        );
    }
}
