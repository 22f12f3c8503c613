"""The shapes of what goes in and comes out: typed dicts, for type checkers and readers.

Every key is always there; ``None`` where there is nothing to say.
"""

import os
from typing import Any, Literal, TypeAlias, TypedDict

Text: TypeAlias = str | bytes | os.PathLike[str]
"""A text, or the path of the file that holds it."""

Action: TypeAlias = dict[str, Any] | Text
"""``action_type`` (required), ``metadata`` (a dict) and ``data_accessed`` (a list); or the same as JSON text.

Values are what JSON has. An ``int`` is in the range of i64 or u64, a ``float`` is finite, a ``bool`` is no number, the keys
of a dict are ``str``.
"""


class Policy(TypedDict):
    """A policy as a manifest says it; ``conditions`` is the text, verbatim."""

    name: str
    action_type: str
    approval_required: bool
    approval_timeout_hours: int
    allowed_repos: list[str] | None
    allowed_branches: list[str] | None
    conditions: str | None


class Related(TypedDict):
    """Another place that belongs to a diagnostic."""

    message: str
    file: str | None
    line: int | None
    column: int | None


class Diagnostic(TypedDict):
    """A finding of :func:`lattice_policy.validate`. Errors refuse the manifest, warnings do not."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    policy: str | None
    file: str | None
    line: int | None
    column: int | None
    help: str | None
    related: list[Related]


class ConditionResult(TypedDict):
    """One rule of an evaluation; ``result`` is ``None`` for unknown, and ``reason`` then says why."""

    field: str
    operator: str
    expected: Any
    actual: Any
    result: bool | None
    reason: str | None


class Evaluation(TypedDict):
    """What conditions say about an action; ``result`` is ``None`` for unknown."""

    result: bool | None
    conditions_evaluated: list[ConditionResult]


class RuleResult(ConditionResult):
    """One rule of a decision."""

    policy: str


class PolicyResult(TypedDict):
    """One policy of the deciding level."""

    name: str
    result: bool | None
    approval_required: bool


class Decision(TypedDict):
    """How an action is met, with the trace of every rule."""

    status: Literal["policy_not_found", "denied", "requested", "executed"]
    denial_reason: str | None
    policy_name: str | None
    approval_timeout_hours: int | None
    conditions_evaluated: list[RuleResult]
    policies: list[PolicyResult]


class WorkspaceRef(TypedDict):
    """Which workspace a document is about."""

    id: str
    name: str
    org_name: str


class ManifestRef(TypedDict):
    """Which manifest a document is about."""

    file: str | None
    sha256: str
    rendered_sha256: str | None
    version: str
    policies: int


class Drift(TypedDict):
    """Which side changed since the state that audit event ``since`` left; names of policies."""

    since: int
    workspace: list[str]
    manifest: list[str]
    both: list[str]


class Summary(TypedDict):
    """Counts of a plan."""

    added: int
    modified: int
    deactivated: int
    unchanged: int
    untouched: int


class FieldChange(TypedDict):
    """One changed field: ``action_type``, ``conditions.rules[1].value``, …"""

    field: str
    before: Any
    after: Any


class Change(TypedDict):
    """One policy of a plan."""

    name: str
    action: Literal["add", "modify", "deactivate", "unchanged", "untouched"]
    reactivated: bool
    fields: list[FieldChange]


class Names(TypedDict):
    """The policies that an event changed; of ``log_key_rotated``, the keys that verify checkpoints."""

    added: list[str]
    modified: list[str]
    deactivated: list[str]


# A word of the language cannot stand in a class body.
_From = TypedDict("_From", {"from": str | None})


class Leaf(_From):
    """An event as the audit log covers it; fields that its kind does not use are ``None``."""

    type: str
    log: str
    seq: int
    time: str
    kind: str
    actor: str
    added: int | None
    modified: int | None
    deleted: int | None
    unchanged: int | None
    before: str | None
    after: str | None
    changes: str | None
    manifest_sha256: str | None
    manifest_version: str | None
    rendered_sha256: str | None
    replace: bool | None


class Event(Leaf):
    """An event of the audit log, with the names whose digest is ``changes``."""

    names: Names


class EventPage(TypedDict):
    """Events in order of ``seq``; ``next_cursor`` is ``None`` on the last page."""

    events: list[Event]
    next_cursor: int | None


class RecordedState(TypedDict):
    """A state that an import or a rollback left."""

    event: int
    time: str
    kind: Literal["import", "rollback"]
    actor: str
    added: int
    modified: int
    deactivated: int
    unchanged: int
    state: str
    manifest_sha256: str
    rendered_sha256: str | None
    replace: bool
    current: bool


class History(TypedDict):
    """States, newest first; ``next_cursor`` is ``None`` on the last page."""

    states: list[RecordedState]
    next_cursor: int | None


class Plan(TypedDict):
    """What an import did, or would do; changes in name order."""

    workspace: WorkspaceRef | None
    mode: Literal["additive", "replace"]
    dry_run: bool
    applied: bool
    manifest: ManifestRef
    summary: Summary
    changes: list[Change]
    notes: list[str]
    drift: Drift | None
    event: Event | None
    checkpoint: str | None


class Pin(TypedDict):
    """What the audit log says about a checkpoint that was kept; ``signers`` are the names of the given keys that signed it."""

    file: str | None
    origin: str
    size: int
    root: str
    result: Literal["consistent", "truncated", "forked"]
    trust: Literal["self", "pinned", "signed", "witnessed"]
    signers: list[str]


class Verification(TypedDict):
    """Whether an audit log verifies. ``state_matches`` is ``None`` where the policies were not compared.

    ``pins`` are the checkpoints in the order in which they were given. ``trust`` is what the verdict rests on, the best of
    those that are consistent: the store alone, a checkpoint that was kept, or one that its log or a witness signed.
    """

    valid: bool
    workspace: str
    size: int
    root: str
    first_broken_seq: int | None
    state_matches: bool | None
    trust: Literal["self", "pinned", "signed", "witnessed"]
    pins: list[Pin]


class Checkpoint(TypedDict):
    """The head of an audit log; ``checkpoint`` is the text to keep."""

    origin: str
    size: int
    root: str
    checkpoint: str


class CheckedProof(TypedDict):
    """Whether an event is in the audit log of a checkpoint; ``event`` is ``None`` where the hashes do not lead to its root."""

    valid: bool
    event: Leaf | None
    checkpoint: Checkpoint
    trust: Literal["self", "pinned", "signed", "witnessed"]
    signers: list[str]
