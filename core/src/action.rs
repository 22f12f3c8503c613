//! What an agent wants to do, as conditions and decisions read it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

use crate::action_type;
use crate::condition::Path;
use crate::decode::{excerpt, list};
use crate::error::{Code, Error};
use crate::findings::suggestion;
use crate::limits::{ACTION_BYTES, ACTION_NESTING};
use crate::number::Number;
use crate::source::{Source, Span, strip_bom};
use crate::value::Value;

/// What an agent wants to do.
///
/// ```
/// use lattice_core::Action;
///
/// let action = Action::parse(br#"{"action_type": "deploy.staging", "metadata": {"branch": "main"}}"#)?;
/// assert_eq!(action.action_type(), "deploy.staging");
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    // Values, so that paths lead to them as to any other: INVARIANT: a string, and a list if there is one.
    kind: Value,
    data_accessed: Option<Value>,
    pub(crate) metadata: BTreeMap<String, Value>,
}

/// What stands at a path of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// A value, which may be null.
    Found(&'a Value),
    /// Nothing: the last segments are not there.
    Missing,
    /// Nothing: a value above is no mapping.
    NotMapping {
        /// That value.
        parent: &'a Value,
        /// How many segments of the path lead to it.
        depth: usize,
    },
}

impl Action {
    /// Reads an action: a JSON object with `action_type`, and optionally `metadata`, an object, and
    /// `data_accessed`, a list. `timestamp` and `event_id` are ignored.
    ///
    /// # Errors
    ///
    /// `INVALID_ACTION`, with line and column, for what is no JSON object in UTF-8, for other keys, keys that stand
    /// twice in an object at any depth, numbers outside the 64-bit ranges, and past the limits on size and nesting.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > ACTION_BYTES {
            return Err(too_large());
        }
        let text = std::str::from_utf8(json).map_err(|error| {
            let valid = json.get(..error.valid_up_to()).unwrap_or_default();
            let valid = std::str::from_utf8(valid).unwrap_or_default();
            error_at(strip_bom(valid), usize::MAX, "the action is not UTF-8")
        })?;
        Reader::new(strip_bom(text)).action()
    }

    /// An action of values that a program holds.
    ///
    /// # Errors
    ///
    /// `INVALID_ACTION` for a wrong action type, and past the limits on size (of the values written as JSON) and nesting.
    pub fn new(
        action_type: impl Into<String>,
        metadata: BTreeMap<String, Value>,
        data_accessed: Option<Vec<Value>>,
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
    /// use std::collections::BTreeMap;
    ///
    /// use lattice_core::{Action, Value};
    ///
    /// let kind = Value::String("db.write".to_owned());
    /// let object = Value::Mapping(BTreeMap::from([("action_type".to_owned(), kind)]));
    /// assert_eq!(Action::from_value(object)?, Action::parse(br#"{"action_type": "db.write"}"#)?);
    /// # Ok::<(), lattice_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Action::parse`], without a place; the size is that of the values written as JSON.
    pub fn from_value(value: Value) -> Result<Self, Error> {
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

    /// What stands at a path. One that begins with `action_type` or `data_accessed` reads the action itself, any
    /// other its `metadata`; neither falls back to the other.
    pub fn lookup(&self, path: &Path) -> Lookup<'_> {
        let root = match path.first() {
            "action_type" => Some(&self.kind),
            "data_accessed" => self.data_accessed.as_ref(),
            key => self.metadata.get(key),
        };
        let Some(mut value) = root else {
            return Lookup::Missing;
        };
        for (depth, segment) in path.segments().iter().enumerate().skip(1) {
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

/// Reads JSON strictly; every error ends the reading.
struct Reader<'j> {
    text: &'j str,
    jiter: Jiter<'j>,
}

/// The fields of an action, each with the place of its value.
#[derive(Default)]
struct Fields {
    action_type: Option<(usize, Value)>,
    metadata: Option<(usize, Value)>,
    data_accessed: Option<(usize, Value)>,
    timestamp: Option<(usize, Value)>,
    event_id: Option<(usize, Value)>,
}

const KEYS: &[&str] = &[
    "action_type",
    "metadata",
    "data_accessed",
    "timestamp",
    "event_id",
];

impl<'j> Reader<'j> {
    fn new(text: &'j str) -> Self {
        Self {
            text,
            jiter: Jiter::new(text.as_bytes()),
        }
    }

    fn action(mut self) -> Result<Action, Error> {
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
    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        let peek = self.peek()?;
        let at = self.jiter.current_index();
        match peek {
            Peek::Null => self.json(Jiter::known_null).map(|()| Value::Null),
            Peek::True | Peek::False => self.json(|jiter| jiter.known_bool(peek)).map(Value::Bool),
            Peek::String => self
                .json(|jiter| jiter.known_str().map(str::to_owned))
                .map(Value::String),
            Peek::Array => self.array(depth + 1),
            Peek::Object => {
                let mut mapping = BTreeMap::new();
                self.object(depth + 1, |reader, key, at| {
                    let value = reader.value(depth + 1)?;
                    match mapping.entry(key) {
                        Entry::Occupied(entry) => Err(reader.duplicate(at, entry.key())),
                        Entry::Vacant(entry) => {
                            entry.insert(value);
                            Ok(())
                        }
                    }
                })?;
                Ok(Value::Mapping(mapping))
            }
            Peek::NaN | Peek::Infinity => {
                Err(self.error(at, "NaN and infinities are not JSON numbers"))
            }
            _ => {
                let literal = self.json(|jiter| {
                    let bytes = jiter.known_number_bytes(peek)?;
                    Ok(String::from_utf8_lossy(bytes).into_owned())
                })?;
                let number = Number::parse(&literal).map_err(|error| {
                    self.error(at, format!("`{}` {}", excerpt(&literal), error.as_str()))
                })?;
                Ok(Value::Number(number))
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Error> {
        self.check_nesting(depth)?;
        let mut elements = Vec::new();
        let mut next = self.json(Jiter::known_array)?;
        while next.is_some() {
            elements.push(self.value(depth)?);
            next = self.json(Jiter::array_step)?;
        }
        Ok(Value::List(elements))
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

impl Fields {
    fn named(&mut self, key: &str) -> Option<&mut Option<(usize, Value)>> {
        Some(match key {
            "action_type" => &mut self.action_type,
            "metadata" => &mut self.metadata,
            "data_accessed" => &mut self.data_accessed,
            "timestamp" => &mut self.timestamp,
            "event_id" => &mut self.event_id,
            _ => return None,
        })
    }

    /// Reads the value of a field.
    fn read(&mut self, reader: &mut Reader<'_>, key: &str, at: usize) -> Result<(), Error> {
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

    /// The action of fields that stand in an object which begins at `start`; `fault` makes an error at a place.
    fn check(self, start: usize, fault: impl Fn(usize, String) -> Error) -> Result<Action, Error> {
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
            None => BTreeMap::new(),
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

fn expected(what: &str, found: &Value) -> String {
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

fn in_words(reason: &JsonErrorType) -> String {
    match reason {
        JsonErrorType::EofWhileParsingList => "the text ends inside a list".to_owned(),
        JsonErrorType::EofWhileParsingObject => "the text ends inside an object".to_owned(),
        JsonErrorType::EofWhileParsingString => "the text ends inside a string".to_owned(),
        JsonErrorType::EofWhileParsingValue => "the text ends where a value belongs".to_owned(),
        other => other.to_string(),
    }
}

fn check_type(text: &str) -> Result<(), String> {
    action_type::check(text).map_err(|fault| format!("`action_type` `{}` {fault}", excerpt(text)))
}

/// Checks nesting and size of a value that stands inside `depth` lists and objects.
fn measure(value: &Value, depth: usize, left: &mut usize) -> Result<(), Error> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => spend(1, left),
        Value::String(text) => spend(text.len() + 2, left),
        Value::Mapping(mapping) => measure_mapping(mapping, depth + 1, left),
        Value::List(elements) => {
            if depth + 1 > ACTION_NESTING {
                return Err(invalid(too_deep()));
            }
            spend(2 + elements.len(), left)?;
            elements
                .iter()
                .try_for_each(|element| measure(element, depth + 1, left))
        }
    }
}

fn measure_mapping(
    mapping: &BTreeMap<String, Value>,
    depth: usize,
    left: &mut usize,
) -> Result<(), Error> {
    if depth > ACTION_NESTING {
        return Err(invalid(too_deep()));
    }
    spend(2, left)?;
    mapping.iter().try_for_each(|(key, value)| {
        spend(key.len() + 4, left)?;
        measure(value, depth, left)
    })
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

fn error_at(text: &str, at: usize, message: impl Into<String>) -> Error {
    let at = at.min(text.len());
    invalid(message).with_place(Source::new(text).place(Span::at(at)))
}
