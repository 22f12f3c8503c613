"""Writes the body of a pull-request comment: what promoting one manifest over another would change.

    python pull_request_comment.py staging.yaml dev.yaml --overlay staging-overlay.yaml --replace > comment.md
    gh pr comment --body-file comment.md

Errors go to stderr, and the exit code is 1.
"""

import argparse
import sys
from pathlib import Path

from lattice_policy import LatticeError, parse_manifest, plan, report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("current", type=Path, help="the manifest that is in force")
    parser.add_argument("desired", type=Path, help="the manifest that the pull request proposes")
    parser.add_argument("--overlay", type=Path, action="append", default=[], help="what is different in the environment")
    parser.add_argument("--replace", action="store_true", help="deactivate what the proposal does not name")
    arguments = parser.parse_args()
    try:
        desired = parse_manifest(arguments.desired, overlays=arguments.overlay)
        proposed = plan(arguments.current, desired, replace=arguments.replace)
    except LatticeError as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(report(proposed, "markdown").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
