//! Manifests, conditions, policies, plans and proofs: what needs no workspace.

use std::sync::Arc;

use lattice_core::hash::hex;
use lattice_core::time::format_time;
use lattice_core::{schema as schemas, view};
use pyo3::prelude::*;
use pyo3::types::PyList;
use pythonize::depythonize;

use crate::decisions::Decisions;
use crate::input;
use crate::many;
use crate::output::{Answer, OrRaise, answer, document};

/// A manifest that was read, checked and compiled. Two are equal if their bytes are, before and after overlays.
#[pyclass(frozen, module = "lattice_policy")]
pub(crate) struct Manifest(pub(crate) Arc<al::Named>);

#[pymethods]
impl Manifest {
    /// The manifest version, such as ``1.0``.
    #[getter]
    fn version(&self) -> &'static str {
        self.0.manifest.version()
    }

    /// The organisation it came from: information, never identity.
    #[getter]
    fn org_name(&self) -> Option<&str> {
        self.0.manifest.org_name()
    }

    /// When it was exported: RFC 3339, in UTC, with milliseconds.
    #[getter]
    fn exported_at(&self) -> Option<String> {
        self.0.manifest.exported_at().map(format_time)
    }

    /// The policies in name order, as plain data; made anew by every access.
    #[getter]
    fn policies<'py>(&self, py: Python<'py>) -> Answer<'py> {
        document(py, &self.0.view().policies)
    }

    /// SHA-256 of the bytes as read, in hexadecimal.
    #[getter]
    fn sha256(&self) -> String {
        hex(&self.0.manifest.sha256())
    }

    /// SHA-256 of the manifest after overlays; ``None`` where there are none.
    #[getter]
    fn rendered_sha256(&self) -> Option<String> {
        self.0.manifest.rendered_sha256().map(|hash| hex(&hash))
    }

    /// The manifest as an export writes it, after overlays: policies in name order, in one layout, without comments.
    fn render(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.manifest.to_text())
    }

    fn __eq__(&self, other: &Self) -> bool {
        let digests =
            |manifest: &lattice_core::Manifest| (manifest.sha256(), manifest.rendered_sha256());
        digests(&self.0.manifest) == digests(&other.0.manifest)
    }

    fn __hash__(&self) -> u64 {
        let sha256 = self.0.manifest.sha256();
        sha256.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    fn __repr__(&self) -> String {
        let (version, sha256) = (self.version(), self.sha256());
        let policies = self.0.manifest.policies().len();
        format!("<Manifest {version}: policies {policies}, sha256 {sha256}>")
    }
}

/// Compiled conditions: compile once, evaluate many times. Two are equal if they mean the same.
#[pyclass(frozen, eq, module = "lattice_policy")]
#[derive(PartialEq)]
pub(crate) struct Conditions(lattice_core::Conditions);

#[pymethods]
impl Conditions {
    /// Compiles a conditions document.
    ///
    /// Raises ``POLICY_COMPILE_ERROR`` with everything that is wrong, and ``IO_ERROR`` for an unreadable file.
    #[staticmethod]
    fn compile(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (py, text) = (text.py(), input::source(text)?);
        py.detach(|| text.conditions()).or_raise(py).map(Self)
    }

    /// The text as it was written.
    #[getter]
    fn text(&self) -> &str {
        self.0.text()
    }

    /// The result for an action, and that of every rule.
    ///
    /// Raises ``INVALID_ACTION``.
    fn evaluate<'py>(&self, action: &Bound<'py, PyAny>) -> Answer<'py> {
        let py = action.py();
        let action = input::action(action)?.or_raise(py)?;
        document(py, &view::Evaluation::new(&self.0, &action))
    }

    fn __repr__(&self) -> String {
        format!("<Conditions {:?}>", self.text())
    }
}

/// The policies of a manifest, compiled: make it once, decide many times. Two are equal if they mean the same.
///
/// Raises what :func:`parse_manifest` raises.
#[pyclass(frozen, module = "lattice_policy")]
pub(crate) struct PolicySet {
    policies: lattice_core::PolicySet,
    decisions: Decisions,
}

#[pymethods]
impl PolicySet {
    #[new]
    fn new(manifest: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (py, given) = (manifest.py(), input::manifest(manifest)?);
        let named = py.detach(|| given.manifest()).or_raise(py)?;
        Ok(Self {
            policies: named.manifest.policies().clone(),
            decisions: Decisions::default(),
        })
    }

    /// How the policies meet an action, with the whole trace.
    ///
    /// Raises ``INVALID_ACTION``; there is no decision then.
    fn decide<'py>(&self, action: &Bound<'py, PyAny>) -> Answer<'py> {
        let py = action.py();
        let action = input::action(action)?.or_raise(py)?;
        let prepared = self.policies.prepare(&action);
        self.decisions
            .document(py, prepared.level(), &prepared.decide())
    }

    /// The decisions about many actions, in their order; other threads run meanwhile.
    ///
    /// Raises ``INVALID_ACTION`` for the first action that is invalid; ``file`` then is ``actions[INDEX]``, or the
    /// action's own file.
    fn decide_many<'py>(&self, actions: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        many::decide(&self.policies, &self.decisions, actions)
    }

    fn __len__(&self) -> usize {
        self.policies.len()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.policies == other.policies
    }

    fn __repr__(&self) -> String {
        format!("<PolicySet: policies {}>", self.policies.len())
    }
}

/// Reads, checks and compiles a manifest, changed by overlays in their order. A path may be a folder, whose manifests are
/// merged.
///
/// Raises ``UNSUPPORTED_MANIFEST_VERSION`` alone, or ``INVALID_MANIFEST`` and ``POLICY_COMPILE_ERROR`` with every error
/// of the texts under ``related``; ``IO_ERROR`` for an unreadable file.
#[pyfunction]
#[pyo3(signature = (text, *, overlays = None))]
pub(crate) fn parse_manifest(
    text: &Bound<'_, PyAny>,
    overlays: Option<Vec<Bound<'_, PyAny>>>,
) -> PyResult<Manifest> {
    let (py, sources) = (text.py(), input::sources(text, overlays)?);
    let given = al::Given::Sources(sources);
    py.detach(|| given.manifest()).or_raise(py).map(Manifest)
}

/// Every error and warning of a manifest and its overlays, in the order of the texts; empty if there is nothing to say.
///
/// Raises ``IO_ERROR`` for an unreadable file, and nothing else but ``INVALID_MANIFEST`` for a folder without a manifest.
#[pyfunction]
#[pyo3(signature = (text, *, overlays = None))]
pub(crate) fn validate<'py>(
    text: &Bound<'py, PyAny>,
    overlays: Option<Vec<Bound<'py, PyAny>>>,
) -> Answer<'py> {
    let (py, sources) = (text.py(), input::sources(text, overlays)?);
    answer(py, || sources.diagnostics())
}

/// The canonical text of a manifest, comments kept.
///
/// Raises what :func:`parse_manifest` raises.
#[pyfunction]
pub(crate) fn format_manifest(text: &Bound<'_, PyAny>) -> PyResult<String> {
    let (py, text) = (text.py(), input::source(text)?);
    py.detach(|| text.format()).or_raise(py)
}

/// What turns the policies of ``current`` into those of ``desired``, offline.
///
/// With ``replace``, policies that ``desired`` does not name are deactivated; without, they are untouched. Raises what
/// :func:`parse_manifest` raises, for both.
#[pyfunction]
#[pyo3(signature = (current, desired, *, replace = None))]
pub(crate) fn plan<'py>(
    current: &Bound<'py, PyAny>,
    desired: &Bound<'py, PyAny>,
    replace: Option<bool>,
) -> Answer<'py> {
    let py = current.py();
    let (current, desired) = (input::manifest(current)?, input::manifest(desired)?);
    answer(py, || al::plan(current, desired, replace))
}

/// The plan that was saved, as it was reviewed; ``plan`` is its text or a path.
///
/// Raises ``INVALID_PLAN`` for anything but what :meth:`Workspace.save_plan` or ``al plan --out`` made.
#[pyfunction]
pub(crate) fn show_plan<'py>(plan: &Bound<'py, PyAny>) -> Answer<'py> {
    let (py, source) = (plan.py(), input::source(plan)?);
    answer(py, || al::show(source))
}

/// Checks the proof of an audit event, offline: a text of :meth:`Workspace.prove` or ``al audit prove``, or a path.
///
/// ``checkpoints`` and ``vkeys`` are what the proof is held against, as by :meth:`Workspace.verify`; without them it speaks
/// for itself alone. A proof that does not hold is in the document, not raised. Raises ``INVALID_CHECKPOINT`` for what is
/// no proof or checkpoint, where none of ``checkpoints`` is that of the proof, and for missing signatures;
/// ``INVALID_AUDIT_KEY``.
#[pyfunction]
#[pyo3(signature = (proof, *, checkpoints = None, vkeys = None))]
pub(crate) fn check<'py>(
    proof: &Bound<'py, PyAny>,
    checkpoints: Option<Vec<Bound<'py, PyAny>>>,
    vkeys: Option<Vec<String>>,
) -> Answer<'py> {
    let (py, proof) = (proof.py(), input::source(proof)?);
    let evidence = input::evidence(checkpoints, vkeys)?;
    answer(py, || al::check(proof, evidence))
}

/// A plan for people to look at, out of its document: ``markdown`` for a pull request, ``html`` for a browser.
///
/// Raises ``INVALID_PLAN`` for what is no plan, and ``USAGE`` for another ``form``.
#[pyfunction]
pub(crate) fn report(plan: &Bound<'_, PyAny>, form: &str) -> PyResult<String> {
    let py = plan.py();
    let read = depythonize::<view::Plan>(plan).map_err(al::no_plan);
    let read = al::Report::named(form).and_then(|form| Ok((read?, form)));
    let (plan, form) = read.or_raise(py)?;
    Ok(py.detach(|| al::report(&plan, form)))
}

/// A JSON Schema: ``manifest`` (also where no name is given), ``conditions``, ``action``, ``plan``, ``eval``, …
///
/// Raises ``USAGE`` for an unknown name; ``help`` lists the known ones.
#[pyfunction]
#[pyo3(signature = (name = None))]
pub(crate) fn schema<'py>(py: Python<'py>, name: Option<&str>) -> Answer<'py> {
    answer(py, || schemas::find(name))
}
