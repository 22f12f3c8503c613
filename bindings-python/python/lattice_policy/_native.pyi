from collections.abc import Iterable, Sequence
from typing import Any, Literal, final

from .types import (
    Action,
    CheckedProof,
    Decision,
    Diagnostic,
    Evaluation,
    EventPage,
    History,
    Plan,
    Policy,
    Text,
    Verification,
)

__all__ = [
    "Conditions",
    "Manifest",
    "PolicySet",
    "Workspace",
    "check",
    "format_manifest",
    "parse_manifest",
    "plan",
    "report",
    "run_cli",
    "schema",
    "show_plan",
    "validate",
]

@final
class Manifest:
    """A manifest that was read, checked and compiled. Two are equal if their bytes are, before and after overlays."""

    @property
    def version(self) -> str:
        """The manifest version, such as ``1.0``."""
    @property
    def org_name(self) -> str | None:
        """The organisation it came from: information, never identity."""
    @property
    def exported_at(self) -> str | None:
        """When it was exported: RFC 3339, in UTC, with milliseconds."""
    @property
    def policies(self) -> list[Policy]:
        """The policies in name order, as plain data; made anew by every access."""
    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes as read, in hexadecimal."""
    @property
    def rendered_sha256(self) -> str | None:
        """SHA-256 of the manifest after overlays; ``None`` where there are none."""
    def render(self) -> str:
        """The manifest as an export writes it, after overlays: policies in name order, in one layout, without comments."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Conditions:
    """Compiled conditions: compile once, evaluate many times. Two are equal if they mean the same."""

    @staticmethod
    def compile(text: Text) -> Conditions:
        """Compiles a conditions document.

        Raises ``POLICY_COMPILE_ERROR`` with everything that is wrong, and ``IO_ERROR`` for an unreadable file.
        """
    @property
    def text(self) -> str:
        """The text as it was written."""
    def evaluate(self, action: Action) -> Evaluation:
        """The result for an action, and that of every rule.

        Raises ``INVALID_ACTION``.
        """
    def __eq__(self, other: object, /) -> bool: ...

@final
class PolicySet:
    """The policies of a manifest, compiled: make it once, decide many times. Two are equal if they mean the same.

    Raises what :func:`parse_manifest` raises.
    """

    def __new__(cls, manifest: Manifest | Text) -> PolicySet: ...
    def decide(self, action: Action) -> Decision:
        """How the policies meet an action, with the whole trace.

        Raises ``INVALID_ACTION``; there is no decision then.
        """
    def decide_many(self, actions: Iterable[Action]) -> list[Decision]:
        """The decisions about many actions, in their order; other threads run meanwhile.

        Raises ``INVALID_ACTION`` for the first action that is invalid; ``file`` then is ``actions[INDEX]``, or the
        action's own file.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __len__(self) -> int: ...

@final
class Workspace:
    """A workspace, opened by its key. Every method reads it as it then is, and lets other threads run."""

    @staticmethod
    def open(url: str | None = None, service_key: str | None = None) -> Workspace:
        """Opens the workspace of a key.

        ``url`` says where workspaces live (``sqlite:PATH`` or ``postgres://…``); left out, ``AL_URL`` does, or the user's data directory is
        taken. ``service_key`` left out is ``AL_SERVICE_KEY``. With an agent key only :meth:`decide` works.

        Raises ``INVALID_SERVICE_KEY``, ``STORE_UNAVAILABLE`` and ``USAGE``.
        """
    @property
    def id(self) -> str:
        """UUID."""
    @property
    def name(self) -> str:
        """Name, unique in its store."""
    @property
    def org_name(self) -> str:
        """Organisation name, for people."""
    def export(self, *, at: int | None = None) -> str:
        """The manifest of the workspace; exporting twice differs in ``exported_at`` alone. With ``at``, the manifest of the
        state after that audit event.

        Raises ``USAGE`` for an event that the log does not have, and ``AUDIT_TAMPERED``.
        """
    def plan(
        self,
        manifest: Manifest | Text,
        *,
        replace: bool | None = None,
        allow_deactivations: int | None = None,
        deactivation_threshold: int | None = None,
    ) -> Plan:
        """What importing ``manifest`` would do; with ``replace``, policies that it does not name are deactivated.

        ``allow_deactivations`` is the exact number of deactivations that goes through, ``deactivation_threshold`` the share
        of active policies, in percent, that may be deactivated without it. Raises what :func:`parse_manifest` raises, and
        ``DEACTIVATION_LIMIT`` with the plan in ``plan``.
        """
    def import_manifest(
        self,
        manifest: Manifest | Text,
        *,
        dry_run: bool | None = None,
        replace: bool | None = None,
        allow_deactivations: int | None = None,
        deactivation_threshold: int | None = None,
    ) -> Plan:
        """Imports ``manifest`` in one transaction: everything is written or nothing; nothing with ``dry_run``.

        Raises what :meth:`plan` raises, and ``STATE_CHANGED`` where another import came first: nothing was written then, and
        the call may be repeated.
        """
    def diff(self, manifest: Manifest | Text) -> Plan:
        """What a replacing import of ``manifest`` would do, and in ``drift`` which side changed since the last import of it.

        Raises what :func:`parse_manifest` raises.
        """
    def save_plan(
        self,
        text: Text,
        *,
        overlays: Sequence[Text] | None = None,
        replace: bool | None = None,
        allow_deactivations: int | None = None,
        deactivation_threshold: int | None = None,
    ) -> str:
        """The plan of an import, to be kept for :meth:`apply`: a text that holds ``text`` and the overlays, and is bound to the
        workspace as it is. :func:`show_plan` shows it.

        Raises what :meth:`plan` raises.
        """
    def apply(self, plan: Text) -> Plan:
        """Applies a saved plan, a text or a path: exactly what it shows, or nothing.

        Raises ``INVALID_PLAN`` for a plan that was changed, ``STALE_PLAN`` where the workspace was, ``WORKSPACE_MISMATCH`` for
        another workspace, and ``DEACTIVATION_LIMIT``.
        """
    def history(self, *, before: int | None = None, limit: int | None = None) -> History:
        """The states that the workspace had, newest first: those of events before ``before`` (the ``next_cursor`` of the page
        before), or all.

        Raises ``USAGE`` for a ``limit`` that is not 1 to 1000, and ``AUDIT_TAMPERED``.
        """
    def rollback(
        self,
        event: int,
        *,
        dry_run: bool | None = None,
        allow_deactivations: int | None = None,
        deactivation_threshold: int | None = None,
    ) -> Plan:
        """Brings the workspace back to the state after the audit event ``event``, as an import that replaces; nothing is written
        with ``dry_run``.

        Raises ``USAGE`` for an event that the log does not have, ``DEACTIVATION_LIMIT`` with the plan in ``plan``,
        ``STATE_CHANGED`` and ``AUDIT_TAMPERED``.
        """
    def decide(self, action: Action) -> Decision:
        """How the workspace's policies meet an action. All that an agent key may ask for.

        Raises ``INVALID_ACTION``.
        """
    def audit(self, *, cursor: int | None = None, limit: int | None = None) -> EventPage:
        """A page of audit events in order of ``seq``, from ``cursor`` (the ``next_cursor`` of the page before) on.

        Raises ``USAGE`` for a ``limit`` that is not 1 to 1000, and ``AUDIT_TAMPERED``.
        """
    def verify(
        self,
        *,
        checkpoints: Sequence[Text] | None = None,
        vkeys: Sequence[str] | None = None,
        state: bool | None = None,
    ) -> Verification:
        """Whether the audit log still says what was appended to it, and extends every one of ``checkpoints``, which were kept
        where its writer cannot write; with ``state``, also whether the policies are what it says. What was edited is in the
        document, not raised.

        With ``vkeys``, texts as ``al audit keygen`` prints them, the log or a witness has to have signed the checkpoints.
        Raises ``INVALID_CHECKPOINT`` and ``INVALID_AUDIT_KEY`` for what is none, or is not signed so, and ``USAGE`` for keys
        without a checkpoint.
        """
    def checkpoint(self) -> str:
        """The checkpoint of the audit log, a text to keep where its writer cannot write; signed if ``AL_AUDIT_KEY_FILE`` names
        a key.

        Raises ``AUDIT_TAMPERED``, and ``INVALID_AUDIT_KEY`` for a key that does not sign for this log.
        """
    def prove(self, event: int, *, checkpoint: Text | None = None) -> str:
        """The proof that the audit event ``event`` is in the log of ``checkpoint``, which was kept, or in the log as it stands:
        a text for :func:`check`.

        Raises ``USAGE`` for an event that it does not have, ``INVALID_CHECKPOINT`` for what is none, ``AUDIT_TAMPERED`` for one
        that the log does not extend, and ``INVALID_AUDIT_KEY``.
        """

def parse_manifest(text: Text, *, overlays: Sequence[Text] | None = None) -> Manifest:
    """Reads, checks and compiles a manifest, changed by overlays in their order. A path may be a folder, whose manifests are
    merged.

    Raises ``UNSUPPORTED_MANIFEST_VERSION`` alone, or ``INVALID_MANIFEST`` and ``POLICY_COMPILE_ERROR`` with every error
    of the texts under ``related``; ``IO_ERROR`` for an unreadable file.
    """

def validate(text: Text, *, overlays: Sequence[Text] | None = None) -> list[Diagnostic]:
    """Every error and warning of a manifest and its overlays, in the order of the texts; empty if there is nothing to say.

    Raises ``IO_ERROR`` for an unreadable file, and nothing else but ``INVALID_MANIFEST`` for a folder without a manifest.
    """

def format_manifest(text: Text) -> str:
    """The canonical text of a manifest, comments kept.

    Raises what :func:`parse_manifest` raises.
    """

def plan(current: Manifest | Text, desired: Manifest | Text, *, replace: bool | None = None) -> Plan:
    """What turns the policies of ``current`` into those of ``desired``, offline.

    With ``replace``, policies that ``desired`` does not name are deactivated; without, they are untouched. Raises what
    :func:`parse_manifest` raises, for both.
    """

def show_plan(plan: Text) -> Plan:
    """The plan that was saved, as it was reviewed; ``plan`` is its text or a path.

    Raises ``INVALID_PLAN`` for anything but what :meth:`Workspace.save_plan` or ``al plan --out`` made.
    """

def check(
    proof: Text, *, checkpoints: Sequence[Text] | None = None, vkeys: Sequence[str] | None = None
) -> CheckedProof:
    """Checks the proof of an audit event, offline: a text of :meth:`Workspace.prove` or ``al audit prove``, or a path.

    ``checkpoints`` and ``vkeys`` are what the proof is held against, as by :meth:`Workspace.verify`; without them it speaks
    for itself alone. A proof that does not hold is in the document, not raised. Raises ``INVALID_CHECKPOINT`` for what is
    no proof or checkpoint, where none of ``checkpoints`` is that of the proof, and for missing signatures;
    ``INVALID_AUDIT_KEY``.
    """

def report(plan: Plan, form: Literal["markdown", "html"]) -> str:
    """A plan for people to look at, out of its document: ``markdown`` for a pull request, ``html`` for a browser.

    Raises ``INVALID_PLAN`` for what is no plan, and ``USAGE`` for another ``form``.
    """

def schema(name: str | None = None) -> dict[str, Any]:
    """A JSON Schema: ``manifest`` (also where no name is given), ``conditions``, ``action``, ``plan``, ``eval``, …

    Raises ``USAGE`` for an unknown name; ``help`` lists the known ones.
    """

def run_cli(args: Sequence[str]) -> int:
    """Runs ``al`` with ``args``, the program's name first, and returns its exit code."""
