//! An opened workspace. Every call leaves the interpreter to other threads while it works.

use al::{Client, Io, PlanOptions};
use pyo3::prelude::*;

use crate::input;
use crate::output::{Answer, OrRaise, answer, document};

/// A workspace, opened by its key. Every method reads it as it then is, and lets other threads run.
#[pyclass(frozen, module = "lattice_policy")]
pub(crate) struct Workspace(Client);

#[pymethods]
impl Workspace {
    /// Opens the workspace of a key.
    ///
    /// ``url`` says where workspaces live (``sqlite:PATH`` or ``postgres://…``); left out, ``AL_URL`` does, or the user's data directory is
    /// taken. ``service_key`` left out is ``AL_SERVICE_KEY``. With an agent key only :meth:`decide` works.
    ///
    /// Raises ``INVALID_SERVICE_KEY``, ``STORE_UNAVAILABLE`` and ``USAGE``.
    #[staticmethod]
    #[pyo3(signature = (url = None, service_key = None))]
    fn open(py: Python<'_>, url: Option<&str>, service_key: Option<&str>) -> PyResult<Self> {
        let opened = py.detach(|| Client::open(url, service_key, &Io::system()));
        opened.or_raise(py).map(Self)
    }

    /// UUID.
    #[getter]
    fn id(&self) -> &str {
        &self.0.workspace().id
    }

    /// Name, unique in its store.
    #[getter]
    fn name(&self) -> &str {
        &self.0.workspace().name
    }

    /// Organisation name, for people.
    #[getter]
    fn org_name(&self) -> &str {
        &self.0.workspace().org_name
    }

    /// The manifest of the workspace; exporting twice differs in ``exported_at`` alone. With ``at``, the manifest of the
    /// state after that audit event.
    ///
    /// Raises ``USAGE`` for an event that the log does not have, and ``AUDIT_TAMPERED``.
    #[pyo3(signature = (*, at = None))]
    fn export(&self, py: Python<'_>, at: Option<u64>) -> PyResult<String> {
        py.detach(|| self.0.export(at, &Io::system())).or_raise(py)
    }

    /// What importing ``manifest`` would do; with ``replace``, policies that it does not name are deactivated.
    ///
    /// ``allow_deactivations`` is the exact number of deactivations that goes through, ``deactivation_threshold`` the share
    /// of active policies, in percent, that may be deactivated without it. Raises what :func:`parse_manifest` raises, and
    /// ``DEACTIVATION_LIMIT`` with the plan in ``plan``.
    #[pyo3(signature = (manifest, *, replace = None, allow_deactivations = None, deactivation_threshold = None))]
    fn plan<'py>(
        &self,
        manifest: &Bound<'py, PyAny>,
        replace: Option<bool>,
        allow_deactivations: Option<u64>,
        deactivation_threshold: Option<u64>,
    ) -> Answer<'py> {
        let (py, given) = (manifest.py(), input::manifest(manifest)?);
        let options = PlanOptions {
            replace,
            allow_deactivations,
            deactivation_threshold,
        };
        answer(py, || self.0.plan(given, options, &Io::system()))
    }

    /// Imports ``manifest`` in one transaction: everything is written or nothing; nothing with ``dry_run``.
    ///
    /// Raises what :meth:`plan` raises, and ``STATE_CHANGED`` where another import came first: nothing was written then, and
    /// the call may be repeated.
    #[pyo3(signature = (
        manifest, *, dry_run = None, replace = None, allow_deactivations = None, deactivation_threshold = None
    ))]
    fn import_manifest<'py>(
        &self,
        manifest: &Bound<'py, PyAny>,
        dry_run: Option<bool>,
        replace: Option<bool>,
        allow_deactivations: Option<u64>,
        deactivation_threshold: Option<u64>,
    ) -> Answer<'py> {
        let (py, given) = (manifest.py(), input::manifest(manifest)?);
        let options = PlanOptions {
            replace,
            allow_deactivations,
            deactivation_threshold,
        };
        answer(py, || self.0.import(given, options, dry_run, &Io::system()))
    }

    /// What a replacing import of ``manifest`` would do, and in ``drift`` which side changed since the last import of it.
    ///
    /// Raises what :func:`parse_manifest` raises.
    fn diff<'py>(&self, manifest: &Bound<'py, PyAny>) -> Answer<'py> {
        let (py, given) = (manifest.py(), input::manifest(manifest)?);
        answer(py, || self.0.diff(given))
    }

    /// The plan of an import, to be kept for :meth:`apply`: a text that holds ``text`` and the overlays, and is bound to the
    /// workspace as it is. :func:`show_plan` shows it.
    ///
    /// Raises what :meth:`plan` raises.
    #[pyo3(signature = (
        text, *, overlays = None, replace = None, allow_deactivations = None, deactivation_threshold = None
    ))]
    fn save_plan(
        &self,
        text: &Bound<'_, PyAny>,
        overlays: Option<Vec<Bound<'_, PyAny>>>,
        replace: Option<bool>,
        allow_deactivations: Option<u64>,
        deactivation_threshold: Option<u64>,
    ) -> PyResult<String> {
        let (py, sources) = (text.py(), input::sources(text, overlays)?);
        let options = PlanOptions {
            replace,
            allow_deactivations,
            deactivation_threshold,
        };
        py.detach(|| self.0.save_plan(sources, options, &Io::system()))
            .or_raise(py)
    }

    /// Applies a saved plan, a text or a path: exactly what it shows, or nothing.
    ///
    /// Raises ``INVALID_PLAN`` for a plan that was changed, ``STALE_PLAN`` where the workspace was, ``WORKSPACE_MISMATCH`` for
    /// another workspace, and ``DEACTIVATION_LIMIT``.
    fn apply<'py>(&self, plan: &Bound<'py, PyAny>) -> Answer<'py> {
        let (py, source) = (plan.py(), input::source(plan)?);
        answer(py, || self.0.apply(source, &Io::system()))
    }

    /// The states that the workspace had, newest first: those of events before ``before`` (the ``next_cursor`` of the page
    /// before), or all.
    ///
    /// Raises ``USAGE`` for a ``limit`` that is not 1 to 1000, and ``AUDIT_TAMPERED``.
    #[pyo3(signature = (*, before = None, limit = None))]
    fn history<'py>(
        &self,
        py: Python<'py>,
        before: Option<u64>,
        limit: Option<u64>,
    ) -> Answer<'py> {
        answer(py, || self.0.history(before, limit))
    }

    /// Brings the workspace back to the state after the audit event ``event``, as an import that replaces; nothing is written
    /// with ``dry_run``.
    ///
    /// Raises ``USAGE`` for an event that the log does not have, ``DEACTIVATION_LIMIT`` with the plan in ``plan``,
    /// ``STATE_CHANGED`` and ``AUDIT_TAMPERED``.
    #[pyo3(signature = (
        event, *, dry_run = None, allow_deactivations = None, deactivation_threshold = None
    ))]
    fn rollback<'py>(
        &self,
        py: Python<'py>,
        event: u64,
        dry_run: Option<bool>,
        allow_deactivations: Option<u64>,
        deactivation_threshold: Option<u64>,
    ) -> Answer<'py> {
        let options = PlanOptions {
            allow_deactivations,
            deactivation_threshold,
            ..PlanOptions::default()
        };
        answer(py, || {
            self.0.rollback(event, options, dry_run, &Io::system())
        })
    }

    /// How the workspace's policies meet an action. All that an agent key may ask for.
    ///
    /// Raises ``INVALID_ACTION``.
    fn decide<'py>(&self, action: &Bound<'py, PyAny>) -> Answer<'py> {
        let py = action.py();
        let action = input::action(action)?.or_raise(py)?;
        document(py, &py.detach(|| self.0.decide(&action)).or_raise(py)?)
    }

    /// A page of audit events in order of ``seq``, from ``cursor`` (the ``next_cursor`` of the page before) on.
    ///
    /// Raises ``USAGE`` for a ``limit`` that is not 1 to 1000, and ``AUDIT_TAMPERED``.
    #[pyo3(signature = (*, cursor = None, limit = None))]
    fn audit<'py>(&self, py: Python<'py>, cursor: Option<u64>, limit: Option<u64>) -> Answer<'py> {
        answer(py, || self.0.events(cursor, limit))
    }

    /// Whether the audit log still says what was appended to it, and extends every one of ``checkpoints``, which were kept
    /// where its writer cannot write; with ``state``, also whether the policies are what it says. What was edited is in the
    /// document, not raised.
    ///
    /// With ``vkeys``, texts as ``al audit keygen`` prints them, the log or a witness has to have signed the checkpoints.
    /// Raises ``INVALID_CHECKPOINT`` and ``INVALID_AUDIT_KEY`` for what is none, or is not signed so, and ``USAGE`` for keys
    /// without a checkpoint.
    #[pyo3(signature = (*, checkpoints = None, vkeys = None, state = None))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        checkpoints: Option<Vec<Bound<'py, PyAny>>>,
        vkeys: Option<Vec<String>>,
        state: Option<bool>,
    ) -> Answer<'py> {
        let evidence = input::evidence(checkpoints, vkeys)?;
        answer(py, || self.0.verify(evidence, state))
    }

    /// The checkpoint of the audit log, a text to keep where its writer cannot write; signed if ``AL_AUDIT_KEY_FILE`` names
    /// a key.
    ///
    /// Raises ``AUDIT_TAMPERED``, and ``INVALID_AUDIT_KEY`` for a key that does not sign for this log.
    fn checkpoint(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.0.checkpoint(&Io::system())).or_raise(py)
    }

    /// The proof that the audit event ``event`` is in the log of ``checkpoint``, which was kept, or in the log as it stands:
    /// a text for :func:`check`.
    ///
    /// Raises ``USAGE`` for an event that it does not have, ``INVALID_CHECKPOINT`` for what is none, ``AUDIT_TAMPERED`` for one
    /// that the log does not extend, and ``INVALID_AUDIT_KEY``.
    #[pyo3(signature = (event, *, checkpoint = None))]
    fn prove(
        &self,
        py: Python<'_>,
        event: u64,
        checkpoint: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let checkpoint = checkpoint.map(input::source).transpose()?;
        py.detach(|| self.0.prove(event, checkpoint, &Io::system()))
            .or_raise(py)
    }

    fn __repr__(&self) -> String {
        format!("<Workspace {}: id {}>", self.name(), self.id())
    }
}
