"""The audit log from Python: what a store says that was copied, restored or edited, and proofs that need none."""

import base64
import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ROOT, SCRIPT, environment

from lattice_policy import LatticeError, Workspace, check
from lattice_policy.types import Text

STAGING = ROOT / "examples" / "policies" / "staging.yaml"
DEV = ROOT / "examples" / "policies" / "dev.yaml"
EMPTY = "manifest_version: '1.0'\npolicies: []\n"

Store = tuple[str, str]


def copy(store: Store, path: Path) -> Workspace:
    """The workspace in a copy of its store."""
    source = sqlite3.connect(store[0].removeprefix("sqlite:"))
    with closing(source), closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return Workspace.open(f"sqlite:{path}", store[1])


def keygen(store: Store, path: Path, *args: str) -> str:
    """Makes a signing key in a file, and returns the key that verifies."""
    url, key = store
    command: list[str | Path] = [SCRIPT, "audit", "keygen", "--out", path, "--format", "json", *args]
    made = subprocess.run(command, capture_output=True, check=True, env=environment(AL_URL=url, AL_SERVICE_KEY=key))
    vkey = json.loads(made.stdout)["vkey"]
    assert isinstance(vkey, str)
    return vkey


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(LatticeError) as raised:
        call()
    return raised.value.code


def test_a_log_that_is_held_against_nothing(store: Store) -> None:
    workspace = Workspace.open(*store)
    workspace.import_manifest(STAGING)
    verified = workspace.verify()
    assert (verified["valid"], verified["trust"], verified["pins"]) == (True, "self", [])
    assert (verified["size"], verified["first_broken_seq"], verified["state_matches"]) == (2, None, None)
    assert workspace.verify(checkpoints=[], vkeys=[], state=False) == verified
    assert workspace.verify(state=True) == {**verified, "state_matches": True}


def test_a_checkpoint_is_a_text_bytes_or_a_path(store: Store, tmp_path: Path) -> None:
    workspace = Workspace.open(*store)
    workspace.import_manifest(STAGING)
    kept = workspace.checkpoint()
    origin, size, root = kept.splitlines()
    assert (origin, size) == (f"al/{workspace.id}", "2")
    path = tmp_path / "staging.checkpoint"
    path.write_text(kept, encoding="utf-8")
    workspace.import_manifest(DEV)

    rows: list[tuple[Text, str | None]] = [(kept, None), (kept.encode(), None), (path, str(path))]
    verified = workspace.verify(checkpoints=[given for given, _ in rows])
    assert (verified["valid"], verified["trust"], verified["size"]) == (True, "pinned", 3)
    assert verified["pins"] == [
        {
            "file": file,
            "origin": origin,
            "size": 2,
            "root": base64.b64decode(root).hex(),
            "result": "consistent",
            "trust": "pinned",
            "signers": [],
        }
        for _, file in rows
    ]
    proofs = {workspace.prove(1, checkpoint=given) for given, _ in rows}
    assert len(proofs) == 1


def test_an_older_copy_is_truncated(store: Store, tmp_path: Path) -> None:
    workspace = Workspace.open(*store)
    workspace.import_manifest(STAGING)
    restored = copy(store, tmp_path / "old.db")
    workspace.import_manifest(DEV)
    kept = workspace.checkpoint()
    verified = restored.verify(checkpoints=[kept])
    assert (verified["valid"], verified["size"], verified["trust"]) == (False, 2, "self")
    assert [(pin["result"], pin["size"]) for pin in verified["pins"]] == [("truncated", 3)]
    assert restored.verify()["valid"], "by itself it shows nothing"
    assert refusal(lambda: restored.prove(1, checkpoint=kept)) == "AUDIT_TAMPERED"


def test_a_copy_that_went_another_way_is_forked(store: Store, tmp_path: Path) -> None:
    workspace = Workspace.open(*store)
    before = workspace.checkpoint()
    other = copy(store, tmp_path / "other.db")
    workspace.import_manifest(STAGING)
    other.import_manifest(DEV)
    verified = other.verify(checkpoints=[before, workspace.checkpoint()])
    assert [pin["result"] for pin in verified["pins"]] == ["consistent", "forked"]
    assert (verified["valid"], verified["trust"]) == (False, "self")


def test_the_checkpoint_of_another_workspace_is_no_part_of_the_log(store: Store) -> None:
    workspace = Workspace.open(*store)
    command: list[str | Path] = [SCRIPT, "workspace", "create", "other", "--url", store[0], "--format", "json"]
    made = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    other = Workspace.open(store[0], made["service_key"])
    verified = workspace.verify(checkpoints=[other.checkpoint()])
    assert not verified["valid"]
    assert [(pin["origin"], pin["result"]) for pin in verified["pins"]] == [(f"al/{other.id}", "forked")]


def test_policies_that_were_edited_are_seen_where_they_are_compared(store: Store, tmp_path: Path) -> None:
    workspace = Workspace.open(*store)
    workspace.import_manifest(STAGING)
    edited = copy(store, tmp_path / "edited.db")
    with closing(sqlite3.connect(tmp_path / "edited.db")) as connection, connection:
        assert connection.execute("UPDATE policy SET approval_required = 1 - approval_required").rowcount > 0
    seen = edited.verify(state=True)
    assert (seen["valid"], seen["state_matches"], seen["first_broken_seq"]) == (False, False, None)
    unseen = edited.verify(checkpoints=[workspace.checkpoint()])
    assert (unseen["valid"], unseen["state_matches"]) == (True, None)


def test_a_proof_is_checked_without_the_store(store: Store, tmp_path: Path) -> None:
    workspace = Workspace.open(*store)
    workspace.import_manifest(STAGING)
    kept = workspace.checkpoint()
    workspace.import_manifest(DEV)
    event = workspace.audit()["events"][1]
    proof = workspace.prove(1, checkpoint=kept)

    checked = check(proof)
    assert (checked["valid"], checked["trust"], checked["signers"]) == (True, "self", [])
    assert checked["event"] == {key: value for key, value in event.items() if key != "names"}
    assert (checked["checkpoint"]["checkpoint"], checked["checkpoint"]["size"]) == (kept, 2)
    path = tmp_path / "proof"
    path.write_text(proof, encoding="utf-8")
    for given in (proof.encode(), path):
        assert check(given, checkpoints=[kept]) == {**checked, "trust": "pinned"}

    assert refusal(lambda: check(proof, checkpoints=[workspace.checkpoint()])) == "INVALID_CHECKPOINT"
    assert check(workspace.prove(1), checkpoints=[workspace.checkpoint()])["valid"]
    with pytest.raises(LatticeError) as raised:
        check(tmp_path / "proof", checkpoints=["no checkpoint"])
    assert (raised.value.code, raised.value.file) == ("INVALID_CHECKPOINT", None)
    path.write_text(kept, encoding="utf-8")
    with pytest.raises(LatticeError) as raised:
        check(path)
    assert (raised.value.code, raised.value.file) == ("INVALID_CHECKPOINT", str(path))

    lines = proof.split("\n")
    body = base64.b64decode(lines[1].removeprefix("extra "))
    lines[1] = "extra " + base64.b64encode(body.replace(b'"replace":false', b'"replace":true')).decode()
    edited = check("\n".join(lines), checkpoints=[kept])
    assert (edited["valid"], edited["event"], edited["trust"]) == (False, None, "self")
    assert refusal(lambda: workspace.prove(2, checkpoint=kept)) == "USAGE"


def test_signatures_are_those_of_the_key_that_the_environment_names(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace.open(*store)
    unsigned = workspace.checkpoint()
    log = f"al/{workspace.id}"
    vkey = keygen(store, tmp_path / "log.key")
    witness = keygen(store, tmp_path / "w1.key", "--witness", "witness.example.com/w1")

    monkeypatch.setenv("AL_AUDIT_KEY_FILE", str(tmp_path / "log.key"))
    signed = workspace.import_manifest(STAGING)["checkpoint"]
    assert signed and signed == workspace.checkpoint()
    assert signed.splitlines()[3:][1].startswith(f"\u2014 {log} ")
    verified = workspace.verify(checkpoints=[signed], vkeys=[vkey])
    assert (verified["valid"], verified["trust"]) == (True, "signed")
    assert [(pin["trust"], pin["signers"]) for pin in verified["pins"]] == [("signed", [log])]
    checked = check(workspace.prove(1), vkeys=[vkey])
    assert (checked["valid"], checked["trust"], checked["signers"]) == (True, "signed", [log])

    for vkeys, checkpoint in (([vkey], unsigned), ([witness], signed), ([vkey, witness], signed)):
        assert refusal(lambda: workspace.verify(checkpoints=[checkpoint], vkeys=vkeys)) == "INVALID_CHECKPOINT"
    assert refusal(lambda: workspace.verify(vkeys=[vkey])) == "USAGE"

    monkeypatch.setenv("AL_AUDIT_KEY_FILE", str(tmp_path / "w1.key"))
    for call in (workspace.checkpoint, lambda: workspace.prove(1), lambda: workspace.import_manifest(EMPTY)):
        assert refusal(call) == "INVALID_AUDIT_KEY"
    assert len(workspace.audit()["events"]) == 2


def test_what_is_no_evidence(store: Store, tmp_path: Path) -> None:
    workspace = Workspace.open(*store)
    kept = workspace.checkpoint()
    for vkeys in (["key"], [""], ["a+00000000+AAAA"]):
        assert refusal(lambda: workspace.verify(checkpoints=[kept], vkeys=vkeys)) == "INVALID_AUDIT_KEY"
        assert refusal(lambda: check(workspace.prove(0), vkeys=vkeys)) == "INVALID_AUDIT_KEY"
    for given in ("", kept.rstrip("\n"), b"\xff\n\n\n"):
        assert refusal(lambda: workspace.verify(checkpoints=[given])) == "INVALID_CHECKPOINT"
        assert refusal(lambda: workspace.prove(0, checkpoint=given)) == "INVALID_CHECKPOINT"
    assert refusal(lambda: workspace.verify(checkpoints=[tmp_path / "none"])) == "IO_ERROR"
    for wrong in (kept, [kept, 1]):
        with pytest.raises(TypeError):
            workspace.verify(checkpoints=wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        workspace.verify(vkeys="key")
    with pytest.raises(TypeError):
        workspace.verify([kept])  # type: ignore[call-arg]
