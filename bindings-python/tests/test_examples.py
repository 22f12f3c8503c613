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
    lines = out.splitlines()
    assert lines[:3] == [
        "### Policy changes",
        "",
        "6 added, 4 modified, 2 deactivated, 20 unchanged; mode replace",
    ]
    assert sum(line.startswith("**") and line.count("`") >= 2 for line in lines) == 12
    assert lines[-1].startswith("Manifest SHA-256: `")


def test_no_name_becomes_markup(tmp_path: Path) -> None:
    empty, desired = tmp_path / "empty.yaml", tmp_path / "desired.yaml"
    empty.write_text("manifest_version: '1.0'\npolicies: []\n", encoding="utf-8")
    desired.write_text(
        """\
manifest_version: '1.0'
policies:
  - name: "`@all` | <b>"
    action_type: t
    approval_required: false
    allowed_repos: ["a|b"]
    allowed_branches: null
    conditions: null
""",
        encoding="utf-8",
    )
    code, out, _ = run(empty, desired)
    assert code == 0
    assert "**➕ added** `` `@all` | <b> ``\n" in out
    assert '| `allowed_repos` | `null` | `["a\\|b"]` |\n' in out


def test_an_invalid_manifest_is_reported(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("manifest_version: '2.0'\n", encoding="utf-8")
    code, out, err = run(bad, POLICIES / "dev.yaml")
    assert (code, out) == (1, "")
    assert err.startswith(f"{bad}:1:") and "[UNSUPPORTED_MANIFEST_VERSION]" in err
