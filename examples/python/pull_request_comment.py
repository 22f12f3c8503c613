"""Writes the body of a pull-request comment: what promoting one manifest over another would change.

    python pull_request_comment.py staging.yaml dev.yaml --replace > comment.md
    gh pr comment --body-file comment.md

Errors go to stderr, and the exit code is 1.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from lattice_policy import LatticeError, plan
from lattice_policy.types import Change, Plan

SIGNS = {"add": "➕ added", "modify": "✏️ modified", "deactivate": "➖ deactivated"}


def code(text: str) -> str:
    """A code span of any text, in which nothing is markup: whoever names a policy does not write the comment."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def cell(value: Any) -> str:
    """A value in a table, where a bar would end the cell."""
    return code(json.dumps(value, ensure_ascii=False)).replace("|", "\\|")


def details(change: Change) -> list[str]:
    """The changed fields of one policy, folded away."""
    lines = ["", f"**{SIGNS[change['action']]}** {code(change['name'])}"]
    if change["reactivated"]:
        lines[-1] += " (reactivated)"
    if change["fields"]:
        lines += ["", "| field | before | after |", "|---|---|---|"]
    for field in change["fields"]:
        row = [code(field["field"]).replace("|", "\\|"), cell(field["before"]), cell(field["after"])]
        lines.append(f"| {' | '.join(row)} |")
    return lines


def comment(plan: Plan) -> str:
    """The plan as Markdown."""
    summary = plan["summary"]
    counts = ", ".join(f"{count} {what}" for what, count in summary.items() if count)
    lines = ["### Policy changes", "", f"{counts or 'no policies'}; mode {plan['mode']}"]
    if plan["notes"]:
        lines += ["", "**Look twice at:**", ""]
        lines += [f"- {code(note)}" for note in plan["notes"]]
    for change in plan["changes"]:
        if change["action"] in SIGNS:
            lines += details(change)
    lines += ["", f"Manifest SHA-256: {code(plan['manifest']['sha256'])}"]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("current", type=Path, help="the manifest that is in force")
    parser.add_argument("desired", type=Path, help="the manifest that the pull request proposes")
    parser.add_argument("--replace", action="store_true", help="deactivate what the proposal does not name")
    arguments = parser.parse_args()
    try:
        proposed = plan(arguments.current, arguments.desired, replace=arguments.replace)
    except LatticeError as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(comment(proposed).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
