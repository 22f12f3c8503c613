"""The console script is the binary in process: same output, same exit codes, same signals."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, SCRIPT, environment

POLICIES = ROOT / "examples" / "policies"
ACTION = ROOT / "examples" / "actions" / "deploy-production.json"
DEV, STAGING = str(POLICIES / "dev.yaml"), str(POLICIES / "staging.yaml")

ROWS: list[tuple[list[str | bytes], int]] = [
    ([], 64),
    (["--version"], 0),
    (["--help"], 0),
    (["import", "--help"], 0),
    (["no-such-command"], 64),
    (["validate", DEV, STAGING], 0),
    (["validate", DEV, "--format", "json"], 0),
    (["validate", "missing.yaml"], 1),
    (["validate", b"\xff.yaml"], 1),
    (["validate", "-"], 1),
    (["diff", STAGING, DEV], 0),
    (["diff", STAGING, DEV, "--detailed-exitcode", "--format", "markdown"], 2),
    (["eval", "--action", str(ACTION), "--file", DEV, "--color", "always"], 0),
    (["eval", "--action", str(ACTION), "--file", DEV, "--require", "denied"], 3),
    (["schema", "eval"], 0),
    (["export"], 1),
    (["export", "--format", "json"], 1),
    (["completions", "bash"], 0),
]


def start(program: Path, *args: str | bytes) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [program, *args], stdin=pipe, stdout=pipe, stderr=pipe, env=environment(), preexec_fn=hear_interrupts
    )


def hear_interrupts() -> None:
    """Whoever runs the tests in the background has them ignored, and so would all that is started here."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("args", "code"), ROWS)
def test_the_script_prints_and_returns_what_the_binary_does(
    binary: Path, args: list[str | bytes], code: int
) -> None:
    def run(program: Path) -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            [program, *args], input=b"policies: {\n", capture_output=True, env=environment(), check=False
        )
        return done.returncode, done.stdout, done.stderr

    assert run(SCRIPT) == run(binary)
    assert run(SCRIPT)[0] == code


def test_the_module_runs_like_the_script() -> None:
    module = [sys.executable, "-m", "lattice_policy", "schema"]
    as_module = subprocess.run(module, capture_output=True, env=environment(), check=False)
    as_script = subprocess.run([SCRIPT, "schema"], capture_output=True, env=environment(), check=False)
    assert (as_module.returncode, as_module.stdout) == (as_script.returncode, as_script.stdout)


def test_ctrl_c_ends_it_as_it_ends_the_binary(binary: Path) -> None:
    for program in (binary, SCRIPT):
        # The first file's error shows that it runs; then it waits for its input.
        process = start(program, "validate", "missing.yaml", "-")
        assert process.stderr is not None
        assert b"missing.yaml" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out) == (-signal.SIGINT, b"")
        assert b"Traceback" not in err


def test_a_reader_that_has_seen_enough_is_no_error(binary: Path) -> None:
    for program in (binary, SCRIPT):
        process = start(program, "validate", "-", "--format", "json")
        assert process.stdout is not None and process.stdin is not None and process.stderr is not None
        process.stdout.close()
        process.stdin.write(Path(DEV).read_bytes())
        process.stdin.close()
        assert (process.wait(10), process.stderr.read()) == (0, b"")
        process.stderr.close()


def no_room() -> None:
    """Lets this process write nothing into files, as if the disk were full: on every Unix, a device for that is not."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_full_disk_is_an_error(binary: Path, tmp_path: Path) -> None:
    with (tmp_path / "schema.json").open("wb") as full:
        runs = [
            subprocess.run(
                [program, "schema"],
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment(),
                preexec_fn=no_room,
                check=False,
            )
            for program in (binary, SCRIPT)
        ]
    assert (tmp_path / "schema.json").read_bytes() == b""
    assert runs[0].returncode == runs[1].returncode == 1
    assert runs[0].stderr == runs[1].stderr != b""
