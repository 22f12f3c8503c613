//! What an unquoted YAML scalar means, and whether every reader agrees on it.

use std::sync::LazyLock;

use regex::Regex;

/// The meaning of a plain scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// `null`, spelt just so.
    Null,
    /// `true` or `false`, spelt just so.
    Bool(bool),
    /// A number that YAML 1.1 and 1.2 read alike; its range is not checked here.
    Number,
    /// Text for both.
    String,
    /// Something that the two read differently, or a spelling that only looks like null or a boolean.
    Ambiguous,
}

/// Decimal numbers on which YAML 1.1 and 1.2 agree.
static AGREED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?:
            [-+]? (?: 0 | [1-9][0-9]* )
          | [-+]? [0-9]+ \. [0-9]* (?: [eE] [-+] [0-9]+ )?
          | \. [0-9]+ (?: [eE] [-+] [0-9]+ )?
          | [-+]? \. (?: inf | Inf | INF )
          | \. (?: nan | NaN | NAN )
        )$",
    )
    .ok()
});

/// Numbers and times of YAML 1.2's core schema or of YAML 1.1 as `PyYAML` reads it.
static EITHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?:
            [-+]? [0-9]+
          | 0o [0-7]+
          | [-+]? (?: \. [0-9]+ | [0-9]+ (?: \. [0-9]* )? ) (?: [eE] [-+]? [0-9]+ )?
          | [-+]? 0b [01_]+
          | [-+]? [0-9] [0-9_]*
          | [-+]? 0x [0-9a-fA-F_]+
          | [-+]? [0-9] [0-9_]* \. [0-9_]* (?: [eE] [-+]? [0-9]+ )?
          | [-+]? \. [0-9] [0-9_]* (?: [eE] [-+]? [0-9]+ )?
          | [-+]? [0-9] [0-9_]* (?: : [0-5]? [0-9] )+ (?: \. [0-9_]* )?
          | [0-9]{4} - [0-9]{1,2} - [0-9]{1,2}
            (?: (?: [Tt] | [\ \t]+ ) [0-9]{1,2} : [0-9]{2} : [0-9]{2} (?: \. [0-9]* )?
                (?: [\ \t]* (?: Z | [-+] [0-9]{1,2} (?: :? [0-9]{2} )? ) )? )?
        )$",
    )
    .ok()
});

/// Reads a plain scalar that is not empty.
pub(crate) fn classify(text: &str) -> Plain {
    match text {
        "null" => return Plain::Null,
        "true" => return Plain::Bool(true),
        "false" => return Plain::Bool(false),
        "~" | "Null" | "NULL" | "True" | "TRUE" | "False" | "FALSE" | "=" | "<<" | "y" | "Y"
        | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "n" | "N" | "no" | "No" | "NO" | "off"
        | "Off" | "OFF" => return Plain::Ambiguous,
        _ => {}
    }
    match text.as_bytes() {
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => Plain::Number,
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => {
            // Without its pattern, nothing is taken for granted.
            if AGREED.as_ref().is_some_and(|agreed| agreed.is_match(text)) {
                Plain::Number
            } else if EITHER.as_ref().is_none_or(|either| either.is_match(text)) {
                Plain::Ambiguous
            } else {
                Plain::String
            }
        }
        _ => Plain::String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings() {
        let numbers = [
            "0",
            "-0",
            "+5",
            "42",
            "2026",
            "1.0",
            "-1.5",
            "1.",
            ".5",
            "1.0e+3",
            ".inf",
            "-.Inf",
            ".NaN",
            "18446744073709551616",
        ];
        let strings = [
            "main",
            "^main$",
            "a.b",
            "1.2.3",
            "10.0.0.0/8",
            "-",
            "+",
            ".",
            "-x",
            "1x",
            "v1",
            "yess",
            "0b",
            "deploy.*",
            "1-2",
            "--",
            "truE",
        ];
        let ambiguous = [
            "yes",
            "NO",
            "on",
            "Off",
            "y",
            "N",
            "True",
            "FALSE",
            "~",
            "Null",
            "NULL",
            "=",
            "<<",
            "007",
            "08",
            "00",
            "1_000",
            "0o17",
            "0b11",
            "0x1F",
            "-0x1F",
            "0x_1",
            "1e3",
            "1.5e3",
            "+.5",
            "-.5",
            "1:30",
            "12:30:45",
            "190:20:30.15",
            "2026-04-01",
            "2026-4-1",
            "2026-04-01T10:30:00.000Z",
            "2001-12-14 21:59:43.10 -5",
            "1_0.5",
        ];
        for text in numbers {
            assert_eq!(classify(text), Plain::Number, "{text}");
        }
        for text in strings {
            assert_eq!(classify(text), Plain::String, "{text}");
        }
        for text in ambiguous {
            assert!(matches!(classify(text), Plain::Ambiguous), "{text}");
        }
        assert_eq!(classify("null"), Plain::Null);
        assert_eq!(classify("true"), Plain::Bool(true));
    }
}
