//! What Python gets: documents as plain data, and errors as `LatticeError`.

use lattice_core::{Error, view};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use pythonize::pythonize;
use serde::Serialize;

/// A document as Python has it.
pub(crate) type Answer<'py> = PyResult<Bound<'py, PyAny>>;

/// A document as dicts and lists.
pub(crate) fn document<'py>(py: Python<'py>, document: &(impl Serialize + ?Sized)) -> Answer<'py> {
    Ok(pythonize(py, document)?)
}

/// The document of what `work` comes to, while other threads run.
pub(crate) fn answer<T: Serialize + Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Answer<'_> {
    document(py, &py.detach(work).or_raise(py)?)
}

/// Keeps the garbage collector still while plain data is made, in which it would look for cycles again and again, in vain.
///
/// To be held only where the interpreter is held all the while, so that no other thread sees it.
pub(crate) struct Uncollected<'py>(Option<Bound<'py, PyModule>>);

impl<'py> Uncollected<'py> {
    pub(crate) fn new(py: Python<'py>) -> PyResult<Self> {
        let collector = py.import("gc")?;
        let runs = collector.call_method0("isenabled")?.is_truthy()?;
        if runs {
            collector.call_method0("disable")?;
        }
        Ok(Self(runs.then_some(collector)))
    }
}

impl Drop for Uncollected<'_> {
    fn drop(&mut self) {
        if let Some(collector) = &self.0 {
            // It takes no arguments and raises nothing.
            let _ = collector.call_method0("enable");
        }
    }
}

/// Turns what failed in the engine into an exception.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error).unwrap_or_else(|failure| failure))
    }
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "lattice_policy._errors", "LatticeError")?;
    let fields = document(py, &view::ErrorDocument::from(error).error)?;
    let error = class.call((), Some(fields.cast::<PyDict>()?))?;
    Ok(PyErr::from_value(error))
}
