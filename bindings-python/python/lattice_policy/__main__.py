"""The console script ``al``: the command line of the engine, in this process."""

import signal
import sys

from ._native import run_cli


def main() -> int:
    """Runs ``al`` with the arguments of the process and returns its exit code."""
    # Python's own handler waits for the interpreter, which does not run before the command is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_cli(["al", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
