"""What several tests share."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = Path(sys.executable).with_name("al")
"""The console script of the environment that runs the tests."""


def environment(**variables: str) -> dict[str, str]:
    """The environment without what would make ``al`` find a real workspace."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AL_", "XDG_"))}
    return {**own, **variables}


@pytest.fixture(scope="session")
def binary() -> Path:
    """The ``al`` that cargo builds: what the console script must equal."""
    subprocess.run(["cargo", "build", "--locked", "--quiet", "-p", "al"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    return ROOT / target / "debug" / "al"


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The URL of an empty database, on a PostgreSQL server that ends with the tests."""
    command = ["cargo", "run", "--locked", "--quiet", "-p", "lattice-testing"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().rstrip()
        assert url, "the server did not start"
        yield url


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The URL of a new store, and the service key of its workspace ``staging``."""
    for name in list(os.environ):
        if name.startswith("AL_"):
            monkeypatch.delenv(name)
    url = f"sqlite:{tmp_path / 'al.db'}"
    command: list[str | Path] = [SCRIPT, "workspace", "create", "staging", "--url", url, "--format", "json"]
    made = subprocess.run(command, capture_output=True, check=True)
    return url, json.loads(made.stdout)["service_key"]
