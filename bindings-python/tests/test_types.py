"""What is said about the package, to people and to type checkers, holds for what was built."""

import ast
import doctest
import inspect
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

import lattice_policy
from lattice_policy import _native, types

PACKAGE = Path(lattice_policy.__file__).parent
HERE = Path(__file__).parent


def run(*args: str | Path) -> None:
    command = [sys.executable, "-m", *args]
    done = subprocess.run(command, capture_output=True, cwd=HERE.parent, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stub_is_that_of_the_built_module() -> None:
    run("mypy.stubtest", "lattice_policy", "--allowlist", HERE / "stubtest-allowlist.txt")
    tree = ast.parse((PACKAGE / "_native.pyi").read_text(encoding="utf-8"))
    listed = next(node.value for node in tree.body if isinstance(node, ast.Assign))
    assert sorted([*ast.literal_eval(listed), "_panic"]) == sorted(vars(_native)["__all__"])


def test_package_tests_and_examples_type_check() -> None:
    run("mypy", PACKAGE, HERE, ROOT / "examples" / "python")


def documented() -> list[tuple[str, str | None, Any]]:
    """Everything public in the stub, with what the stub says and what the module has."""
    rows: list[tuple[str, str | None, Any]] = []
    tree = ast.parse((PACKAGE / "_native.pyi").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found = getattr(_native, node.name)
            rows.append((node.name, ast.get_docstring(node), found))
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("__"):
                    row = f"{node.name}.{member.name}", ast.get_docstring(member), getattr(found, member.name)
                    rows.append(row)
    return rows


@pytest.mark.parametrize(("name", "doc", "found"), documented())
def test_the_stub_and_the_module_say_the_same(name: str, doc: str | None, found: Any) -> None:
    assert doc and inspect.getdoc(found) == doc, name


def test_the_example_of_the_package_runs() -> None:
    assert doctest.testmod(lattice_policy) == (0, 3)


SHAPES = {
    "plan": types.Plan,
    "eval": types.Decision,
    "evaluation": types.Evaluation,
    "audit-event": types.Event,
    "audit-list": types.EventPage,
    "audit-verify": types.Verification,
    "audit-check": types.CheckedProof,
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_are_those_of_the_schemas(name: str) -> None:
    """The keys of every typed dict are those of the JSON Schema, down through all that it holds."""
    schema = lattice_policy.schema(name)
    definitions = {f"#/$defs/{key}": value for key, value in schema.get("$defs", {}).items()}
    compared = 0

    def compare(shape: Any, described: dict[str, Any]) -> None:
        nonlocal compared
        described = definitions.get(described.get("$ref", ""), described)
        if typing.is_typeddict(shape):
            for part in described.get("anyOf", []):
                described = definitions.get(part.get("$ref", ""), described)
            hints = typing.get_type_hints(shape)
            assert sorted(hints) == sorted(described["properties"]), shape
            compared += 1
            for key, hint in hints.items():
                compare(hint, described["properties"][key])
        elif typing.get_origin(shape) is list:
            compare(typing.get_args(shape)[0], described.get("items", {}))
        else:
            for part in typing.get_args(shape):
                if typing.is_typeddict(part):
                    compare(part, described)

    compare(SHAPES[name], schema)
    assert compared >= 1
