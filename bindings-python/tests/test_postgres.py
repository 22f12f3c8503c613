"""A workspace in PostgreSQL answers what one in an SQLite file does."""

import json
import re
import subprocess
from pathlib import Path

from conftest import ROOT, SCRIPT, environment

from lattice_policy import Workspace

STAGING = ROOT / "examples" / "policies" / "staging.yaml"
DEV = ROOT / "examples" / "policies" / "dev.yaml"
ACTION = ROOT / "examples" / "actions" / "refund-small.json"

DIFFERENT = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|20[0-9-]{8}T[0-9:.]+Z|\b[0-9a-f]{64}\b|[0-9A-Za-z+/]{43}="
)
"""An id, a time, a digest or the root of a log: of each workspace another."""


def answers(url: str, key: str) -> str:
    """What is the same of every workspace into which these manifests were imported."""
    workspace = Workspace.open(url, key)
    imported = [workspace.import_manifest(STAGING), workspace.import_manifest(DEV, replace=True)]
    assert [plan["applied"] for plan in imported] == [True, True]
    decided = workspace.decide(ACTION.read_text(encoding="utf-8"))
    log = workspace.audit()
    assert log["events"][1:] == [plan["event"] for plan in imported]
    verified = workspace.verify(checkpoints=[workspace.checkpoint()], state=True)
    assert (verified["valid"], verified["size"], verified["state_matches"]) == (True, 3, True)
    return DIFFERENT.sub("…", json.dumps([imported, decided, log, verified, workspace.export()], indent=1))


def test_both_answer_alike(store: tuple[str, str], database: str) -> None:
    command: list[str | Path] = [SCRIPT, "workspace", "create", "staging", "--url", database, "--format", "json"]
    made = subprocess.run(command, capture_output=True, check=True, env=environment())
    key = json.loads(made.stdout)["service_key"]
    assert answers(database, key) == answers(*store)
