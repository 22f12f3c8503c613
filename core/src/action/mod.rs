//! What an agent wants to do, as conditions and decisions read it.

mod exact;
mod quick;

use std::borrow::Cow;

use serde::Serialize;

use crate::action_type;
use crate::condition::{Path, Root};
use crate::decode::{excerpt, list};
use crate::error::{Code, Error};
use crate::findings::suggestion;
use crate::limits::{ACTION_BYTES, ACTION_NESTING};
use crate::source::strip_bom;
use crate::value::{Mapping, Value};

/// What an agent wants to do. Its text is borrowed from the JSON that it was read from, where that is possible.
///
/// ```
/// use lattice_core::Action;
///
/// let action = Action::parse(br#"{"action_type": "deploy.staging", "metadata": {"branch": "main"}}"#)?;
/// assert_eq!(action.action_type(), "deploy.staging");
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action<'a> {
    // Values, so that paths lead to them as to any other: INVARIANT: a string, and a list if there is one.
    kind: Value<'a>,
    data_accessed: Option<Value<'a>>,
    metadata: Mapping<'a>,
}

/// What stands at a path of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// A value, which may be null.
    Found(&'a Value<'a>),
    /// Nothing: the last segments are not there.
    Missing,
    /// Nothing: a value above is no mapping.
    NotMapping {
        /// That value.
        parent: &'a Value<'a>,
        /// How many segments of the path lead to it.
        depth: u8,
    },
}

impl<'a> Lookup<'a> {
    /// The value, if there is one.
    #[inline]
    pub fn value(&self) -> Option<&'a Value<'a>> {
        match self {
            Lookup::Found(value) => Some(value),
            Lookup::Missing | Lookup::NotMapping { .. } => None,
        }
    }
}

impl<'a> Action<'a> {
    /// Reads an action: a JSON object with `action_type`, and optionally `metadata`, an object, and
    /// `data_accessed`, a list. `timestamp` and `event_id` are ignored.
    ///
    /// # Errors
    ///
    /// `INVALID_ACTION`, with line and column, for what is no JSON object in UTF-8, for other keys, keys that stand
    /// twice in an object at any depth, numbers outside the 64-bit ranges, and past the limits on size and nesting.
    pub fn parse(json: &'a [u8]) -> Result<Self, Error> {
        if json.len() > ACTION_BYTES {
            return Err(too_large());
        }
        let text = std::str::from_utf8(json).map_err(|error| {
            let valid = json.get(..error.valid_up_to()).unwrap_or_default();
            let valid = std::str::from_utf8(valid).unwrap_or_default();
            exact::error_at(strip_bom(valid), usize::MAX, "the action is not UTF-8")
        })?;
        let text = strip_bom(text);
        quick::read(text).map_or_else(|| exact::read(text), Ok)
    }

    /// An action of values that a program holds.
    ///
    /// # Errors
    ///
    /// `INVALID_ACTION` for a wrong action type, and past the limits on size (of the values written as JSON) and nesting.
    pub fn new(
        action_type: impl Into<Cow<'a, str>>,
        metadata: Mapping<'a>,
        data_accessed: Option<Vec<Value<'a>>>,
    ) -> Result<Self, Error> {
        let action_type = action_type.into();
        check_type(&action_type).map_err(invalid)?;
        let action = Self {
            kind: Value::String(action_type),
            data_accessed: data_accessed.map(Value::List),
            metadata,
        };
        // The action itself is the first level.
        let mut left = ACTION_BYTES;
        measure(&action.kind, 1, &mut left)?;
        if let Some(list) = &action.data_accessed {
            measure(list, 1, &mut left)?;
        }
        measure_mapping(&action.metadata, 2, &mut left)?;
        Ok(action)
    }

    /// An action of a whole object that a program holds, with the keys that [`Action::parse`] reads.
    ///
    /// ```
    /// use lattice_core::{Action, Value};
    ///
    /// let kind = Value::String("db.write".into());
    /// let object = Value::Mapping([("action_type", kind)].into_iter().collect());
    /// assert_eq!(Action::from_value(object)?, Action::parse(br#"{"action_type": "db.write"}"#)?);
    /// # Ok::<(), lattice_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Action::parse`], without a place; the size is that of the values written as JSON.
    pub fn from_value(value: Value<'a>) -> Result<Self, Error> {
        measure(&value, 0, &mut { ACTION_BYTES })?;
        let Value::Mapping(object) = value else {
            return Err(invalid(expected("an action must be an object", &value)));
        };
        let mut fields = Fields::default();
        for (key, value) in object {
            let field = fields.named(&key).ok_or_else(|| unknown(&key, invalid))?;
            *field = Some((0, value));
        }
        fields.check(0, |_, message| invalid(message))
    }

    /// The action with copies of what it borrows.
    pub fn into_owned(self) -> Action<'static> {
        Action {
            kind: self.kind.into_owned(),
            data_accessed: self.data_accessed.map(Value::into_owned),
            metadata: self.metadata.into_owned(),
        }
    }

    /// The action as JSON: [`Action::parse`] reads the same action from it.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Document<'d> {
            action_type: &'d Value<'d>,
            #[serde(skip_serializing_if = "Option::is_none")]
            data_accessed: Option<&'d Value<'d>>,
            metadata: &'d Mapping<'d>,
        }
        let document = Document {
            action_type: &self.kind,
            data_accessed: self.data_accessed.as_ref(),
            metadata: &self.metadata,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// The type, never a pattern.
    pub fn action_type(&self) -> &str {
        match &self.kind {
            Value::String(text) => text,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Mapping(_) => "",
        }
    }

    /// What is known about it, beside its type.
    pub fn metadata(&self) -> &Mapping<'a> {
        &self.metadata
    }

    /// What stands at a path. One that begins with `action_type` or `data_accessed` reads the action itself, any
    /// other its `metadata`; neither falls back to the other.
    pub fn lookup(&self, path: &Path) -> Lookup<'_> {
        let Some((first, below)) = path.segments().split_first() else {
            return Lookup::Missing;
        };
        let root = match path.root() {
            Root::ActionType => Some(&self.kind),
            Root::DataAccessed => self.data_accessed.as_ref(),
            Root::Metadata => self.metadata.get(first),
        };
        let Some(mut value) = root else {
            return Lookup::Missing;
        };
        for (depth, segment) in (1..).zip(below) {
            let Value::Mapping(mapping) = value else {
                return Lookup::NotMapping {
                    parent: value,
                    depth,
                };
            };
            match mapping.get(segment) {
                Some(below) => value = below,
                None => return Lookup::Missing,
            }
        }
        Lookup::Found(value)
    }
}

/// The fields of an action.
#[derive(Default)]
struct Fields<'a> {
    action_type: Field<'a>,
    metadata: Field<'a>,
    data_accessed: Field<'a>,
    timestamp: Field<'a>,
    event_id: Field<'a>,
}

/// A value with its place, if there is one.
type Field<'a> = Option<(usize, Value<'a>)>;

const KEYS: &[&str] = &[
    "action_type",
    "metadata",
    "data_accessed",
    "timestamp",
    "event_id",
];

impl<'a> Fields<'a> {
    fn named(&mut self, key: &str) -> Option<&mut Field<'a>> {
        Some(match key {
            "action_type" => &mut self.action_type,
            "metadata" => &mut self.metadata,
            "data_accessed" => &mut self.data_accessed,
            "timestamp" => &mut self.timestamp,
            "event_id" => &mut self.event_id,
            _ => return None,
        })
    }

    /// The action of fields that stand in an object which begins at `start`; `fault` makes an error at a place.
    fn check(
        self,
        start: usize,
        fault: impl Fn(usize, String) -> Error,
    ) -> Result<Action<'a>, Error> {
        let kind = match self.action_type {
            Some((at, Value::String(text))) => {
                check_type(&text).map_err(|message| fault(at, message))?;
                Value::String(text)
            }
            Some((at, other)) => {
                return Err(fault(
                    at,
                    expected("`action_type` must be a string", &other),
                ));
            }
            None => {
                let error = fault(start, "missing field `action_type`".to_owned());
                return Err(error.with_help("add `action_type`"));
            }
        };
        let metadata = match self.metadata {
            Some((_, Value::Mapping(mapping))) => mapping,
            Some((at, other)) => {
                return Err(fault(at, expected("`metadata` must be an object", &other)));
            }
            None => Mapping::default(),
        };
        let data_accessed = match self.data_accessed {
            Some((_, list @ Value::List(_))) => Some(list),
            Some((at, other)) => {
                return Err(fault(
                    at,
                    expected("`data_accessed` must be a list", &other),
                ));
            }
            None => None,
        };
        Ok(Action {
            kind,
            data_accessed,
            metadata,
        })
    }
}

fn expected(what: &str, found: &Value<'_>) -> String {
    format!("{what}, found {}", found.kind())
}

fn unknown(key: &str, fault: impl FnOnce(String) -> Error) -> Error {
    let help = match suggestion(key, KEYS.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "an action has the keys {}; put the rest into `metadata`",
            list(KEYS)
        ),
    };
    fault(format!("unknown key `{}` in an action", excerpt(key))).with_help(help)
}

fn check_type(text: &str) -> Result<(), String> {
    action_type::check(text).map_err(|fault| format!("`action_type` `{}` {fault}", excerpt(text)))
}

/// Checks nesting and size of a value that stands inside `depth` lists and objects.
fn measure(value: &Value<'_>, depth: usize, left: &mut usize) -> Result<(), Error> {
    match value {
        Value::Null | Value::Bool(true) => spend(4, left),
        Value::Bool(false) => spend(5, left),
        Value::Number(number) => spend(number.json_len(), left),
        Value::String(text) => spend(json_len(text), left),
        Value::Mapping(mapping) => measure_mapping(mapping, depth + 1, left),
        Value::List(elements) => {
            if depth + 1 > ACTION_NESTING {
                return Err(invalid(too_deep()));
            }
            spend(2 + elements.len().saturating_sub(1), left)?;
            elements
                .iter()
                .try_for_each(|element| measure(element, depth + 1, left))
        }
    }
}

fn measure_mapping(mapping: &Mapping<'_>, depth: usize, left: &mut usize) -> Result<(), Error> {
    if depth > ACTION_NESTING {
        return Err(invalid(too_deep()));
    }
    spend(2 + mapping.len().saturating_sub(1), left)?;
    mapping.iter().try_for_each(|(key, value)| {
        spend(json_len(key) + 1, left)?;
        measure(value, depth, left)
    })
}

/// Bytes of a string written as JSON: what cannot stand for itself takes one more, or five.
fn json_len(text: &str) -> usize {
    let more = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 1,
        0..0x20 => 5,
        _ => 0,
    };
    2 + text.len() + text.bytes().map(more).sum::<usize>()
}

fn spend(bytes: usize, left: &mut usize) -> Result<(), Error> {
    *left = left.checked_sub(bytes).ok_or_else(too_large)?;
    Ok(())
}

fn too_deep() -> String {
    format!("the action is nested deeper than {ACTION_NESTING} levels")
}

fn too_large() -> Error {
    invalid(format!("the action is larger than {ACTION_BYTES} bytes"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidAction, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Pieces of JSON, sound and unsound, that both ways of reading must agree about.
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "null",
        "true",
        "false",
        "nul",
        "0",
        "-0",
        "1",
        "01",
        "-1",
        "1.0",
        "1e3",
        "1E400",
        "0.1",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "NaN",
        "Infinity",
        "\"\"",
        "\"a\"",
        "\"b\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"\t\"",
        "\"é😀\"",
        "\"\u{7f}\"",
        "\"\\u0000\"",
        "\"a string that is longer than those which are looked at byte by byte, to its end\"",
        "\"a string that is longer than those which are looked at byte by byte\\n, to its end\"",
        "\"a string that is longer than those which are looked at byte by byte\n, to its end\"",
        "\"a string that is exactly so long.\"",
        "\"metadata\"",
        "\"action_type\"",
        "\u{feff}",
    ];

    fn value() -> impl Strategy<Value = String> {
        let scalar = select(PIECES).prop_map(str::to_owned);
        scalar.prop_recursive(5, 40, 5, |inner| {
            let key = select(&["\"a\"", "\"b\"", "\"\\u0061\"", "\"\"", "\"é\""][..]);
            let entry = (key, inner.clone()).prop_map(|(key, value)| format!("{key}: {value}"));
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(|list| format!("[{}]", list.join(","))),
                prop::collection::vec(entry, 0..12)
                    .prop_map(|list| format!("{{{}}}", list.join(","))),
            ]
        })
    }

    fn text() -> impl Strategy<Value = String> {
        let field = (select(KEYS), value()).prop_map(|(key, value)| format!("\"{key}\": {value}"));
        let fields = prop::collection::vec(field, 0..3).prop_map(|fields| {
            let fields: String = fields.iter().map(|field| format!(", {field}")).collect();
            format!("{{\"action_type\": \"a\"{fields}}}")
        });
        let soup = prop::collection::vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat());
        let metadata = value().prop_map(|value| {
            format!("{{\"action_type\": \"a\", \"metadata\": {{\"x\": {value}}}}}")
        });
        prop_oneof![1 => soup, 2 => fields, 4 => metadata]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

        #[test]
        fn the_quick_way_reads_nothing_else(text in text()) {
            if let Some(action) = quick::read(&text) {
                prop_assert_eq!(exact::read(&text).ok(), Some(action), "{}", text);
            }
        }
    }

    #[test]
    fn the_quick_way_is_the_usual_one() {
        let deepest = format!(
            "{{\"action_type\": \"a\", \"metadata\": {{\"x\": {}1{}}}}}",
            "[".repeat(30),
            "]".repeat(30)
        );
        let deeper = deepest.replacen('1', "[1]", 1);
        let rows = [
            (
                r#"{"action_type": "a.b", "metadata": {"b": [1, -2, "x", null, true], "a": {}}}"#,
                true,
            ),
            (
                r#" {"timestamp": 18446744073709551615, "action_type": "a"} "#,
                true,
            ),
            (r#"{"action_type": "\u00e9"}"#, false),
            (
                r#"{"action_type": "a", "metadata": {"x": "\n\u00e9\"", "\\": -0}}"#,
                true,
            ),
            (
                r#"{"action_type": "a", "metadata": {"x": "\ud800"}}"#,
                false,
            ),
            (r#"{"action_type": "a", "metadata": {"x": 01}}"#, false),
            (r#"{"action_type": "a", "metadata": {"x": nul}}"#, false),
            (r#"{"action_type": "a", "action_type": "a"}"#, false),
            (r#"{"action_type": "a",}"#, false),
            (r#"{"action_type": "a"} ."#, false),
            (r#"{"action_type": "a", "metadata": {"x": 1.0}}"#, false),
            (
                r#"{"action_type": "a", "metadata": {"x": 1, "y": 2, "x": 3}}"#,
                false,
            ),
            (&deepest, true),
            (&deeper, false),
        ];
        for (text, read) in rows {
            assert_eq!(quick::read(text).is_some(), read, "{text}");
        }
    }
}
