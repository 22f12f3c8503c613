"""A workspace from Python: a round trip in a store of its own."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from conftest import ROOT, SCRIPT

from lattice_policy import LatticeError, PolicySet, Workspace, parse_manifest, report, show_plan

STAGING = ROOT / "examples" / "policies" / "staging.yaml"
DEV = ROOT / "examples" / "policies" / "dev.yaml"

Store = tuple[str, str]


def test_round_trip(store: Store) -> None:
    workspace = Workspace.open(*store)
    assert (workspace.name, workspace.org_name) == ("staging", "staging")
    assert repr(workspace) == f"<Workspace staging: id {workspace.id}>"

    first = workspace.import_manifest(STAGING)
    assert (first["applied"], first["dry_run"], first["mode"]) == (True, False, "additive")
    assert first["workspace"] == {"id": workspace.id, "name": "staging", "org_name": "staging"}
    assert first["manifest"]["file"] == str(STAGING)

    preview = workspace.import_manifest(DEV, dry_run=True, replace=True)
    assert preview == workspace.plan(parse_manifest(DEV), replace=True)
    assert (preview["applied"], preview["dry_run"], preview["event"]) == (False, True, None)
    counts = {"added": 6, "modified": 4, "deactivated": 2, "unchanged": 20, "untouched": 0}
    assert preview["summary"] == counts
    assert workspace.plan(DEV) == workspace.plan(DEV, replace=False)
    assert workspace.plan(DEV)["summary"]["untouched"] == 2

    second = workspace.import_manifest(DEV.read_bytes(), replace=True)
    assert (second["summary"], second["manifest"]["file"]) == (counts, None)
    exported = workspace.export()
    assert workspace.plan(exported, replace=True)["summary"]["unchanged"] == 30
    assert PolicySet(exported) == PolicySet(DEV)

    action = (ROOT / "examples" / "actions" / "refund-small.json").read_text(encoding="utf-8")
    assert workspace.decide(action) == PolicySet(DEV).decide(json.loads(action))

    page = workspace.audit()
    assert (len(page["events"]), page["next_cursor"]) == (3, None)
    assert page["events"][2] == second["event"]
    rest = workspace.audit(cursor=1, limit=1)
    assert rest == {"events": page["events"][1:2], "next_cursor": 2}
    verified = workspace.verify(state=True)
    assert (verified["valid"], verified["size"], verified["state_matches"]) == (True, 3, True)


def test_mass_deactivation_is_held(store: Store) -> None:
    workspace = Workspace.open(*store)
    workspace.import_manifest(STAGING)
    empty = "manifest_version: '1.0'\npolicies: []\n"
    for call in (workspace.plan, workspace.import_manifest):
        with pytest.raises(LatticeError) as raised:
            call(empty, replace=True)
        assert (raised.value.code, raised.value.plan and raised.value.plan["summary"]["deactivated"]) == (
            "DEACTIVATION_LIMIT",
            26,
        )
    assert workspace.plan(empty, replace=True, allow_deactivations=26)["summary"]["deactivated"] == 26
    assert workspace.plan(DEV, replace=True, deactivation_threshold=8)["summary"]["deactivated"] == 2
    with pytest.raises(LatticeError, match="DEACTIVATION_LIMIT"):
        workspace.plan(DEV, replace=True, deactivation_threshold=7)
    assert len(workspace.audit()["events"]) == 2


OVERLAY = """\
overlay_version: '1.0'
policies:
  deploy-production: {remove: true}
"""


def test_a_plan_is_saved_shown_and_applied_once(store: Store, tmp_path: Path) -> None:
    workspace = Workspace.open(*store)
    manifest = parse_manifest(DEV, overlays=[OVERLAY])
    assert manifest.rendered_sha256 == hashlib.sha256(manifest.render().encode()).hexdigest()
    path = tmp_path / "plan.json"
    path.write_text(workspace.save_plan(DEV, overlays=[OVERLAY], replace=True), encoding="utf-8")
    shown = show_plan(path)
    assert shown == workspace.plan(manifest, replace=True)
    edited = path.read_text(encoding="utf-8").replace("deploy", "deplox", 1)
    with pytest.raises(LatticeError, match="INVALID_PLAN"):
        workspace.apply(edited)
    applied = workspace.apply(path)
    assert applied["changes"] == shown["changes"]
    assert applied["event"] and applied["event"]["rendered_sha256"] == manifest.rendered_sha256
    with pytest.raises(LatticeError, match="STALE_PLAN"):
        workspace.apply(path)


def test_states_come_back(store: Store) -> None:
    workspace = Workspace.open(*store)
    workspace.import_manifest(STAGING)
    before = workspace.export(at=1)
    workspace.import_manifest(DEV, replace=True)
    states = workspace.history()["states"]
    assert [(state["event"], state["current"]) for state in states] == [(2, True), (1, False)]
    assert workspace.history(limit=1)["next_cursor"] == 2
    drift = workspace.diff(STAGING)["drift"]
    assert drift and (drift["since"], drift["manifest"], len(drift["workspace"])) == (1, [], 12)
    preview = workspace.rollback(1, dry_run=True)
    with pytest.raises(LatticeError, match="DEACTIVATION_LIMIT"):
        workspace.rollback(1, deactivation_threshold=1)
    rolled = workspace.rollback(1)
    assert (rolled["changes"], rolled["mode"]) == (preview["changes"], "replace")
    assert rolled["event"] and (rolled["event"]["kind"], rolled["event"]["after"]) == ("rollback", states[1]["state"])
    assert workspace.export(at=3).splitlines()[2:] == before.splitlines()[2:]
    with pytest.raises(LatticeError, match="USAGE"):
        workspace.export(at=9)


def test_reports_are_those_of_the_command(store: Store) -> None:
    workspace = Workspace.open(*store)
    plan = workspace.plan(DEV)
    url, key = store
    environment = {"AL_URL": url, "AL_SERVICE_KEY": key}
    forms: list[Literal["markdown", "html"]] = ["markdown", "html"]
    for form in forms:
        args = [str(SCRIPT), "import", "--file", str(DEV), "--dry-run", "--quiet", "--format", form]
        done = subprocess.run(args, capture_output=True, check=True, encoding="utf-8", env=environment)
        assert report(plan, form) == done.stdout
    with pytest.raises(LatticeError, match="INVALID_PLAN"):
        report({}, "html")  # type: ignore[typeddict-item]
    with pytest.raises(LatticeError, match="USAGE"):
        report(plan, "pdf")  # type: ignore[arg-type]


def test_what_is_left_out_comes_from_the_environment(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    url, key = store
    monkeypatch.setenv("AL_URL", url)
    with pytest.raises(LatticeError) as raised:
        Workspace.open()
    assert (raised.value.code, raised.value.message) == ("INVALID_SERVICE_KEY", "no service key was given")
    monkeypatch.setenv("AL_SERVICE_KEY", key)
    assert Workspace.open().id == Workspace.open(service_key=key).id == Workspace.open(url, key).id


def test_refusals(store: Store, tmp_path: Path) -> None:
    url, key = store
    unknown = f"al_svc_staging_{'0' * 64}"
    rows = [
        ((url, "key"), "INVALID_SERVICE_KEY"),
        ((url, unknown), "INVALID_SERVICE_KEY"),
        ((f"sqlite:{tmp_path / 'none.db'}", key), "STORE_UNAVAILABLE"),
        (("ftp://host", key), "USAGE"),
    ]
    for (place, given), code in rows:
        with pytest.raises(LatticeError) as raised:
            Workspace.open(place, given)
        assert (raised.value.code, key in str(raised.value)) == (code, False)
    assert not (tmp_path / "none.db").exists()

    workspace = Workspace.open(url, key)
    for limit in (0, 1001, 2**63):
        with pytest.raises(LatticeError) as raised:
            workspace.audit(limit=limit)
        assert raised.value.code == "USAGE"
    with pytest.raises(LatticeError) as raised:
        workspace.import_manifest("policies:")
    assert raised.value.code == "INVALID_MANIFEST"
    assert workspace.verify()["size"] == 1


def test_an_agent_key_asks_for_decisions_alone(store: Store) -> None:
    url, key = store
    Workspace.open(url, key).import_manifest(DEV)
    command: list[str | Path] = [SCRIPT, "key", "create", "--agent", "--workspace", "staging", "--url", url, "--format", "json"]
    made = subprocess.run(command, capture_output=True, check=True)
    agent = Workspace.open(url, json.loads(made.stdout)["key"])
    assert agent.decide({"action_type": "nothing.of.the.kind"})["status"]
    for refused in (
        agent.export,
        agent.audit,
        agent.verify,
        agent.checkpoint,
        lambda: agent.prove(0),
        lambda: agent.plan(DEV),
        lambda: agent.import_manifest(DEV),
    ):
        with pytest.raises(LatticeError) as raised:
            refused()
        assert raised.value.code == "INVALID_SERVICE_KEY"
