"""A workspace behind a server answers what one in an SQLite file does."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import SCRIPT, environment
from test_postgres import answers

from lattice_policy import LatticeError, Workspace


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URL of a server, and the service key of its workspace ``staging``."""
    url = f"sqlite:{tmp_path / 'served.db'}"
    command: list[str | Path] = [SCRIPT, "workspace", "create", "staging", "--url", url, "--format", "json"]
    made = subprocess.run(command, capture_output=True, check=True, env=environment())
    serve: list[str | Path] = [SCRIPT, "serve", "--url", url, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True, env=environment()) as server:
        assert server.stderr is not None
        address = server.stderr.readline().split()[-1]
        yield address, json.loads(made.stdout)["service_key"]
        server.kill()


def test_both_answer_alike(store: tuple[str, str], served: tuple[str, str]) -> None:
    assert answers(*served) == answers(*store)


def test_a_server_that_is_away_is_an_error(served: tuple[str, str]) -> None:
    _, key = served
    with pytest.raises(LatticeError) as refused:
        Workspace.open("http://127.0.0.1:1", key)
    assert refused.value.code == "STORE_UNAVAILABLE"
    assert str(refused.value).startswith("the server `http://127.0.0.1:1` takes no connection")
