"""The example scripts run, and print what they say."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from conftest import ROOT, environment

from lattice_policy import Workspace

EXAMPLES = ROOT / "examples" / "python"
POLICIES = ROOT / "examples" / "policies"


def run(*args: str | Path, script: str = "pull_request_comment.py") -> tuple[int, str, str]:
    command = [sys.executable, EXAMPLES / script, *args]
    done = subprocess.run(command, capture_output=True, env=environment(), check=False, encoding="utf-8")
    return done.returncode, done.stdout, done.stderr


def test_a_pull_request_comment() -> None:
    code, out, err = run(POLICIES / "staging.yaml", POLICIES / "dev.yaml", "--replace")
    assert (code, err) == (0, "")
    assert out.startswith("### ")
    assert "| 6 | 4 | 2 | 20 | 0 |\n" in out


def test_what_is_different_in_an_environment(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("overlay_version: '1.0'\npolicies:\n  deploy-production: {remove: true}\n", encoding="utf-8")
    code, out, err = run(POLICIES / "dev.yaml", POLICIES / "dev.yaml", "--replace", "--overlay", overlay)
    assert (code, err) == (0, "")
    assert "| 0 | 0 | 1 | 29 | 0 |\n" in out


def test_an_invalid_manifest_is_reported(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("manifest_version: '2.0'\n", encoding="utf-8")
    code, out, err = run(bad, POLICIES / "dev.yaml")
    assert (code, out) == (1, "")
    assert err.startswith(f"{bad}:1:") and "[UNSUPPORTED_MANIFEST_VERSION]" in err


def test_an_audit_log_is_checked_without_the_engine(store: tuple[str, str], tmp_path: Path) -> None:
    workspace = Workspace.open(*store)
    workspace.import_manifest(POLICIES / "staging.yaml")
    early, late = tmp_path / "early", tmp_path / "late"
    early.write_text(workspace.checkpoint(), encoding="utf-8")
    workspace.import_manifest(POLICIES / "dev.yaml")
    late.write_text(workspace.checkpoint(), encoding="utf-8")
    database = store[0].removeprefix("sqlite:")
    proof = tmp_path / "1.tlog-proof"
    proof.write_text(workspace.prove(1, checkpoint=early), encoding="utf-8")
    log = f"al/{workspace.id}"

    def check(checkpoint: Path, subject: str | Path) -> tuple[int, str, str]:
        return run(checkpoint, subject, script="check_audit_log.py")

    for checkpoint, size in ((early, 2), (late, 3)):
        holds = f"{database}: holds against the checkpoint of {size} events of {log}\n"
        assert check(checkpoint, database) == (0, holds, "")
    code, out, err = check(early, proof)
    assert (code, err, f"holds against the checkpoint of 2 events of {log}" in out) == (0, "", True)
    code, _, err = check(late, proof)
    assert (code, "leads to another checkpoint" in err) == (1, True)

    lines = late.read_text(encoding="utf-8").splitlines()
    root = early.read_text(encoding="utf-8").splitlines()[2]
    late.write_text("\n".join([*lines[:2], root, ""]), encoding="utf-8")
    code, out, err = check(late, database)
    assert (code, out, "do not lead to the root" in err) == (1, "", True)

    for unreadable in (tmp_path / "none", tmp_path, early):
        code, _, err = check(early, unreadable)
        assert (code, "cannot be checked" in err) == (2, True), unreadable
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE audit_event SET names = replace(names, '[', '[ ') WHERE seq = 1")
    code, _, err = check(early, database)
    assert (code, "the names of event 1 are others" in err) == (1, True)
