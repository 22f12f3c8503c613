"""The example scripts run, and print what they say."""

import subprocess
import sys
from pathlib import Path

from conftest import ROOT, environment

SCRIPT = ROOT / "examples" / "python" / "pull_request_comment.py"
POLICIES = ROOT / "examples" / "policies"


def run(*args: str | Path) -> tuple[int, str, str]:
    command = [sys.executable, SCRIPT, *args]
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
