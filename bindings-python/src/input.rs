//! What Python gives: texts, manifests, evidence and actions.

use std::path::PathBuf;
use std::sync::Arc;

use al::{Limit, Source};
use lattice_core::limits::{ACTION_BYTES, ACTION_NESTING};
use lattice_core::{Action, Code, Error, NamedText, Number, NumberError, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::engine::Manifest;
use crate::output::OrRaise;

/// Takes `str` and `bytes` as they are, and an `os.PathLike` as the file to read.
pub(crate) fn source(given: &Bound<'_, PyAny>) -> PyResult<Source> {
    let bytes = if let Ok(bytes) = given.cast::<PyBytes>() {
        bytes.as_bytes().to_vec()
    } else if let Ok(text) = given.cast::<PyString>() {
        bytes_of(text)?
    } else if let Ok(path) = given.extract::<PathBuf>() {
        return Ok(Source::File(path));
    } else {
        let message = format!("expected str, bytes or os.PathLike, not {}", type_of(given));
        return Err(PyTypeError::new_err(message));
    };
    Ok(Source::Text(NamedText { bytes, file: None }))
}

/// A lone surrogate is no Unicode text: it is passed on, so that the engine says where it stands.
fn bytes_of(text: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    match text.to_str() {
        Ok(text) => Ok(text.as_bytes().to_vec()),
        Err(_) => text
            .call_method1("encode", ("utf-8", "surrogatepass"))?
            .extract(),
    }
}

/// A manifest that was read, or a text to read it from.
pub(crate) fn manifest(given: &Bound<'_, PyAny>) -> PyResult<al::Given> {
    match given.cast::<Manifest>() {
        Ok(manifest) => Ok(al::Given::Manifest(Arc::clone(&manifest.get().0))),
        Err(_) => Ok(al::Given::Sources(source(given)?.into())),
    }
}

/// A manifest's text, and overlays.
pub(crate) fn sources(
    given: &Bound<'_, PyAny>,
    overlays: Option<Vec<Bound<'_, PyAny>>>,
) -> PyResult<al::Sources> {
    let overlays = overlays.unwrap_or_default();
    Ok(al::Sources {
        manifest: source(given)?,
        overlays: overlays.iter().map(source).collect::<PyResult<_>>()?,
    })
}

/// What an audit log or a proof is held against.
pub(crate) fn evidence(
    checkpoints: Option<Vec<Bound<'_, PyAny>>>,
    vkeys: Option<Vec<String>>,
) -> PyResult<al::Evidence> {
    let checkpoints = checkpoints.unwrap_or_default();
    Ok(al::Evidence {
        checkpoints: checkpoints.iter().map(source).collect::<PyResult<_>>()?,
        vkeys: vkeys.unwrap_or_default(),
    })
}

/// An action as it is given: JSON that is still to be read, which does not take the interpreter, or what became of it.
pub(crate) enum Unread<'a> {
    Json(&'a [u8]),
    Action(Result<Action<'static>, Error>),
}

impl<'a> Unread<'a> {
    /// Takes JSON text or Python values.
    pub(crate) fn new(given: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyDict>() {
            return Ok(Self::Action(of_values(given)));
        }
        if let Ok(bytes) = given.cast::<PyBytes>() {
            return Ok(Self::Json(bytes.as_bytes()));
        }
        if let Ok(text) = given.cast::<PyString>() {
            return Ok(match text.to_str() {
                Ok(text) => Self::Json(text.as_bytes()),
                Err(_) => Self::Action(Action::parse(&bytes_of(text)?).map(Action::into_owned)),
            });
        }
        if given.hasattr("__fspath__")? {
            let (py, source) = (given.py(), source(given)?);
            let text = py.detach(|| source.read(Limit::ACTION)).or_raise(py)?;
            let action = Action::parse(&text.bytes).map(Action::into_owned);
            return Ok(Self::Action(action.map_err(|error| text.blame(error))));
        }
        Ok(Self::Action(of_values(given)))
    }

    pub(crate) fn read(self) -> Result<Action<'a>, Error> {
        match self {
            Self::Json(json) => Action::parse(json),
            Self::Action(action) => action,
        }
    }
}

/// An action of JSON text, or of Python values.
pub(crate) fn action<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<Result<Action<'a>, Error>> {
    Unread::new(given).map(Unread::read)
}

fn of_values(given: &Bound<'_, PyAny>) -> Result<Action<'static>, Error> {
    // Every value takes a byte at least of what the engine measures: where this is spent, the engine refuses.
    let mut left = ACTION_BYTES + 1;
    let value = value(given, 1, &mut left).map_err(Fault::into_error)?;
    Action::from_value(value)
}

/// Converts a value that stands on the given level of containers.
fn value(
    given: &Bound<'_, PyAny>,
    level: usize,
    left: &mut usize,
) -> Result<Value<'static>, Fault> {
    *left = left.saturating_sub(1);
    if let Ok(text) = given.cast::<PyString>() {
        return string(text, left).map(|text| Value::String(text.into()));
    }
    if let Ok(dict) = given.cast::<PyDict>() {
        let mut mapping = Vec::new();
        // INVARIANT: a container past the limit is refused by the engine, whatever it holds.
        if level <= ACTION_NESTING {
            for (key, given) in dict {
                if *left == 0 {
                    break;
                }
                let Ok(key) = key.cast::<PyString>() else {
                    let kind = type_of(&key);
                    return Err(Fault::new(format!(
                        "has a key of the type `{kind}`, not `str`"
                    )));
                };
                let key = string(key, left)?;
                let value = value(&given, level + 1, left).map_err(|fault| fault.below(&key))?;
                mapping.push((key, value));
            }
        }
        return Ok(Value::Mapping(mapping.into_iter().collect()));
    }
    if let Ok(list) = given.cast::<PyList>() {
        return elements(list.iter(), level, left);
    }
    if let Ok(tuple) = given.cast::<PyTuple>() {
        return elements(tuple.iter(), level, left);
    }
    if given.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(given) = given.cast::<PyBool>() {
        return Ok(Value::Bool(given.is_true()));
    }
    let number = if let Ok(int) = given.cast::<PyInt>() {
        let small = int.extract::<i64>().map(Number::from);
        let number = small.or_else(|_| int.extract::<u64>().map(Number::from));
        number.map_err(|_| NumberError::IntegerRange)
    } else if let Ok(float) = given.cast::<PyFloat>() {
        Number::from_f64(float.value()).ok_or(NumberError::FloatRange)
    } else {
        let kind = type_of(given);
        return Err(Fault::new(format!(
            "is of the type `{kind}`, which JSON does not have"
        )));
    };
    number
        .map(Value::Number)
        .map_err(|error| Fault::new(error.as_str()))
}

fn elements<'py>(
    elements: impl Iterator<Item = Bound<'py, PyAny>>,
    level: usize,
    left: &mut usize,
) -> Result<Value<'static>, Fault> {
    let mut list = Vec::new();
    if level <= ACTION_NESTING {
        for (index, given) in elements.enumerate() {
            if *left == 0 {
                break;
            }
            let value = value(&given, level + 1, left);
            list.push(value.map_err(|fault| fault.below(&index))?);
        }
    }
    Ok(Value::List(list))
}

fn string(text: &Bound<'_, PyString>, left: &mut usize) -> Result<String, Fault> {
    let text = text.to_str();
    let text = text.map_err(|_| Fault::new("holds a lone surrogate, which is no Unicode text"))?;
    *left = left.saturating_sub(text.len());
    Ok(text.to_owned())
}

fn type_of(given: &Bound<'_, PyAny>) -> String {
    given
        .get_type()
        .name()
        .map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

/// Why a value cannot stand in an action, and the way to it, innermost first.
struct Fault {
    reason: String,
    path: Vec<String>,
}

impl Fault {
    fn new(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let path = Vec::new();
        Self { reason, path }
    }

    fn below(mut self, key: &impl ToString) -> Self {
        self.path.push(key.to_string());
        self
    }

    fn into_error(self) -> Error {
        let path: Vec<_> = self.path.into_iter().rev().collect();
        let subject = match path.as_slice() {
            [] => "the action".to_owned(),
            path => format!("`{}`", path.join(".")),
        };
        Error::new(Code::InvalidAction, format!("{subject} {}", self.reason))
    }
}
