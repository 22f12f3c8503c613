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
