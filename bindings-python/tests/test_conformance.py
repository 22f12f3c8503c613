"""The rows of ``core/testdata/conformance.json``, as the file's ``about`` tells a runner to read them."""

import hashlib
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import pytest
from conftest import ROOT, SCRIPT

import lattice_policy
from lattice_policy import (
    LatticeError,
    PolicySet,
    Workspace,
    check,
    format_manifest,
    parse_manifest,
    plan,
    show_plan,
    validate,
)

FILE = ROOT / "core" / "testdata" / "conformance.json"

ERROR_FIELDS = ["code", "message", "policy", "file", "line", "column", "help", "plan", "related"]



def load() -> dict[str, Any]:
    text = FILE.read_text(encoding="utf-8")
    text = re.sub("⟪([0-9]+)×([^⟫]*)⟫", lambda found: found[2] * int(found[1]), text)
    suite: dict[str, Any] = json.loads(text)
    return suite


SUITE = load()
CASES: list[dict[str, Any]] = SUITE["cases"]


def whole(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(f"{line}\n" for line in text)


def manifest_of(case: dict[str, Any]) -> str:
    if "manifest" in case:
        assert "conditions" not in case, case["name"]
        return whole(case["manifest"])
    conditions = whole(case["conditions"]).rstrip("\n").replace("\n", "\n      ")
    return whole(SUITE["manifest"]).replace("$CONDITIONS", conditions)


def action_of(case: dict[str, Any]) -> str:
    if "action" in case:
        assert "metadata" not in case, case["name"]
        action: str = case["action"]
        return action
    template: str = SUITE["action"]
    return template.replace("$METADATA", case["metadata"])


Give = Callable[[str, str], Any]
"""How a text is given, by the name of its file."""


def run_validate(case: dict[str, Any], give: Give) -> Any:
    """The list of diagnostics, and around it what the other functions say about the manifest."""
    text = give("manifest.yaml", manifest_of(case))
    diagnostics = validate(text)
    file = dict.fromkeys(["file", "valid", "manifest_version", "policies", "sha256"])
    try:
        manifest = parse_manifest(text)
    except LatticeError as error:
        assert error.code == next(found["code"] for found in diagnostics if found["severity"] == "error")
        file["valid"] = False
    else:
        file |= {
            "valid": True,
            "manifest_version": manifest.version,
            "policies": len(manifest.policies),
            "sha256": manifest.sha256,
        }
    return {"valid": file["valid"], "files": [file], "diagnostics": diagnostics}


def run_fmt(case: dict[str, Any], give: Give) -> Any:
    return format_manifest(give("manifest.yaml", manifest_of(case)))


def run_plan(case: dict[str, Any], give: Give) -> Any:
    current = give("current.yaml", whole(case["current"]))
    return plan(current, give("desired.yaml", whole(case["desired"])), replace=True)


def run_eval(case: dict[str, Any], give: Give) -> Any:
    policies = PolicySet(give("manifest.yaml", manifest_of(case)))
    return policies.decide(give("action.json", action_of(case)))


def run_render(case: dict[str, Any], give: Give) -> Any:
    overlays = [give(f"overlay-{at}.yaml", whole(text)) for at, text in enumerate(case["overlays"], 1)]
    return parse_manifest(give("manifest.yaml", manifest_of(case)), overlays=overlays).render()


def saved_of(case: dict[str, Any]) -> str:
    """The text of a saved plan, with the version of the engine and a digest that fits where the row asks for them."""
    text = whole(case["saved"]).replace("$ENGINE", version("lattice-policy"))
    before, found, _ = text.partition("$SHA256")
    lines = before[: before.rfind("\n") + 1]
    return text.replace("$SHA256", hashlib.sha256(lines.encode()).hexdigest()) if found else text


def run_show(case: dict[str, Any], give: Give) -> Any:
    return show_plan(give("plan.json", saved_of(case)))


def run_check(case: dict[str, Any], give: Give) -> Any:
    kept = [give(f"checkpoint-{at}", whole(text)) for at, text in enumerate(case["checkpoints"], 1)]
    return check(give("event.tlog-proof", whole(case["proof"])), checkpoints=kept, vkeys=case["vkeys"])


def run_promote(case: dict[str, Any], give: Give) -> Any:
    """Each row has a store of its own; what differs between workspaces is taken out."""
    event = case["then"].get("rollback") if isinstance(case["then"], dict) else None

    def comparable(plan: dict[str, Any]) -> dict[str, Any]:
        # The manifest that a rollback makes has its time.
        manifest = plan["manifest"] if event is None else {**plan["manifest"], "sha256": ""}
        return {**plan, "workspace": None, "manifest": manifest}

    guard = {key: case[key] for key in ("allow_deactivations", "deactivation_threshold") if key in case}
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:{Path(folder) / 'al.db'}"
        command = [str(SCRIPT), "workspace", "create", "dev", "--url", url, "--format", "json"]
        made = subprocess.run(command, capture_output=True, check=True)
        workspace = Workspace.open(url, json.loads(made.stdout)["service_key"])
        for at, text in enumerate(case["imports"], 1):
            workspace.import_manifest(give(f"import-{at}.yaml", whole(text)))
        try:
            if event is not None:
                return comparable({**workspace.rollback(event, dry_run=True, **guard)})
            desired = give("desired.yaml", whole(case["desired"]))
            if case["then"] == "diff":
                return comparable({**workspace.diff(desired)})
            assert case["then"] == "replace"
            return comparable({**workspace.import_manifest(desired, dry_run=True, replace=True, **guard)})
        except LatticeError as error:
            assert error.plan
            error.plan = comparable(error.plan)
            raise


RUNNERS = {
    "validate": run_validate,
    "fmt": run_fmt,
    "plan": run_plan,
    "eval": run_eval,
    "render": run_render,
    "show": run_show,
    "promote": run_promote,
    "check": run_check,
}


def outcome(case: dict[str, Any], give: Give) -> tuple[str, Any]:
    """``want`` or ``want_error``, and the document."""
    try:
        return "want", RUNNERS[case["op"]](case, give)
    except LatticeError as error:
        return "want_error", {"error": {field: getattr(error, field) for field in ERROR_FIELDS}}


def wanted(case: dict[str, Any], give_file: bool) -> tuple[str, Any]:
    kind = "want" if "want" in case else "want_error"
    want = case[kind]
    if case["op"] in ("fmt", "render") and kind == "want":
        want = whole(want)
    if case["op"] == "validate":
        file = want["files"][0]
        file["file"] = None
        if not file["valid"]:
            # What only the document of several files says; `validate` is the list of what was found.
            file["manifest_version"] = file["sha256"] = None
    if case["op"] == "show" and kind == "want":
        # Its files are those that were planned.
        return kind, want
    return kind, want if give_file else without_file(want)


def without_file(document: Any) -> Any:
    """The document of a text that came from no file."""
    if isinstance(document, dict):
        named = {"file"} & document.keys()
        return {key: None if key in named else without_file(value) for key, value in document.items()}
    if isinstance(document, list):
        return [without_file(value) for value in document]
    return document


def typed(document: Any) -> Any:
    """A document that is equal to another only if numbers and booleans are of the same types, too."""
    if isinstance(document, dict):
        return {key: typed(value) for key, value in document.items()}
    if isinstance(document, list):
        return [typed(value) for value in document]
    return type(document).__name__, document


def as_path(name: str, text: str) -> Path:
    path = Path(name)
    path.write_bytes(text.encode())
    return path


def as_bytes(_: str, text: str) -> bytes:
    return text.encode()


def as_str(_: str, text: str) -> str:
    return text


@pytest.mark.parametrize("give", [as_path, as_bytes, as_str])
def test_every_row_is_as_it_should_be(give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran: Counter[str] = Counter()
    differ = []
    for case in load()["cases"]:
        got = outcome(case, give)
        ran[case["op"]] += 1
        want = wanted(case, give is as_path)
        if typed(got) != typed(want):
            differ.append(f"{case['name']} ({case['op']})\n  want {want}\n  got  {got}")
    assert not differ, f"{len(differ)} rows differ\n" + "\n".join(differ)
    assert ran == Counter(case["op"] for case in CASES)
    assert ran.total() == len(CASES) > 500


class NotPlain(Exception):
    """JSON text that says what Python values cannot."""


def refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise NotPlain
    return dict(pairs)


def refuse_constant(_: str) -> NoReturn:
    raise NotPlain


def test_actions_of_python_values_are_met_like_their_text() -> None:
    compared = 0
    for case in CASES:
        if case["op"] != "eval":
            continue
        try:
            action = json.loads(
                action_of(case), object_pairs_hook=refuse_duplicates, parse_constant=refuse_constant
            )
        except (ValueError, NotPlain):
            continue
        kind, want = wanted(case, give_file=False)
        got_kind, got = outcome(case, lambda name, text: action if name == "action.json" else text)
        if kind == "want":
            assert (got_kind, typed(got)) == (kind, typed(want)), case["name"]
        else:
            assert (got_kind, got["error"]["code"]) == (kind, want["error"]["code"]), case["name"]
        compared += 1
    assert compared > 400


def test_the_surface_is_the_agreed_one() -> None:
    assert list(RUNNERS) == SUITE["surface"]
    assert len({case["name"] for case in CASES}) == len(CASES)
    functions = {
        "validate": "validate",
        "fmt": "format_manifest",
        "plan": "plan",
        "eval": "PolicySet",
        "render": "parse_manifest",
        "show": "show_plan",
        "promote": "Workspace",
        "check": "check",
    }
    exported = {*functions.values(), "Conditions", "LatticeError", "Manifest", "report", "schema"}
    assert sorted(lattice_policy.__all__) == sorted(exported)
    public = {name for name in vars(lattice_policy) if not name.startswith("_")}
    assert public - exported <= {"types"}


def test_an_unknown_operation_fails() -> None:
    with pytest.raises(KeyError):
        outcome({"name": "x", "op": "nothing"}, as_str)
