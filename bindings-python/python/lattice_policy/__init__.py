"""Governance policies of AI agents: read, compare, import and decide.

The engine is the one behind ``al``. Results are the documents of ``al --format json`` as dicts and lists, whose
shapes are in :mod:`lattice_policy.types`; ``schema(NAME)`` gives their JSON Schemas. Whatever the engine refuses is a
:class:`LatticeError`.

>>> from lattice_policy import PolicySet
>>> policies = PolicySet('''
... manifest_version: '1.0'
... policies:
...   - name: audit-all-writes
...     action_type: db.write
...     approval_required: false
...     allowed_repos: null
...     allowed_branches: null
...     conditions: null
... ''')
>>> policies.decide({"action_type": "db.write"})["status"]
'executed'
"""

from ._errors import LatticeError
from ._native import (
    Conditions,
    Manifest,
    PolicySet,
    Workspace,
    check,
    format_manifest,
    parse_manifest,
    plan,
    report,
    schema,
    show_plan,
    validate,
)

__all__ = [
    "Conditions",
    "LatticeError",
    "Manifest",
    "PolicySet",
    "Workspace",
    "check",
    "format_manifest",
    "parse_manifest",
    "plan",
    "report",
    "schema",
    "show_plan",
    "validate",
]
