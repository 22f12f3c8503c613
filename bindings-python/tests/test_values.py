"""Python values as actions: what they mean, and what is refused."""

import copy
import json
import math
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lattice_policy import Conditions, LatticeError, Manifest, PolicySet, parse_manifest, plan, schema, validate

MANIFEST = """\
manifest_version: '1.0'
exported_at: '2026-04-01T10:30:00.000Z'
org_name: My Org
policies:
  - name: writes
    action_type: db.write
    approval_required: false
    allowed_repos: null
    allowed_branches: [main]
    conditions: null
"""

EQUALS = Conditions.compile("{logic: all, rules: [{field: x, operator: exists}]}")


def seen(value: Any) -> Any:
    """What the engine says it saw."""
    return EQUALS.evaluate({"action_type": "t", "metadata": {"x": value}})["conditions_evaluated"][0]["actual"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        1,
        1.0,
        0.1,
        -(2**63),
        2**63 - 1,
        2**63,
        2**64 - 1,
        9007199254740993,
        1.7976931348623157e308,
        "",
        "é\n😀\0",
        [],
        [[1], {"a": None}],
        {},
        {"": {"b": [True]}},
    ],
)
def test_values_come_back_as_they_went_in(value: Any) -> None:
    assert (type(seen(value)), seen(value)) == (type(value), value)


def test_a_tuple_is_a_list() -> None:
    assert seen((1, "a")) == [1, "a"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2**64, "`metadata.x` is an integer outside the 64-bit range"),
        (-(2**63) - 1, "`metadata.x` is an integer outside the 64-bit range"),
        (10**4000, "`metadata.x` is an integer outside the 64-bit range"),
        (math.nan, "`metadata.x` is outside the range of finite numbers"),
        ([0, {"a": -math.inf}], "`metadata.x.1.a` is outside the range of finite numbers"),
        ({"a": {1: 2}}, "`metadata.x.a` has a key of the type `int`, not `str`"),
        ({1, 2}, "`metadata.x` is of the type `set`, which JSON does not have"),
        (b"bytes", "`metadata.x` is of the type `bytes`, which JSON does not have"),
        ("\ud800", "`metadata.x` holds a lone surrogate, which is no Unicode text"),
    ],
)
def test_what_is_no_json_value_is_refused(value: Any, message: str) -> None:
    with pytest.raises(LatticeError) as raised:
        seen(value)
    assert (raised.value.code, raised.value.message) == ("INVALID_ACTION", message)


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_nesting_and_size_are_bounded() -> None:
    assert seen(nested(30)) == nested(30)
    endless: list[Any] = []
    endless.append(endless)
    shared: Any = "x" * 100
    for _ in range(29):
        shared = [shared] * 10
    rows = [
        (nested(31), "the action is nested deeper than 32 levels"),
        (nested(10_000), "the action is nested deeper than 32 levels"),
        (endless, "the action is nested deeper than 32 levels"),
        (shared, "the action is larger than 1048576 bytes"),
        ("x" * 2**21, "the action is larger than 1048576 bytes"),
    ]
    for value, message in rows:
        with pytest.raises(LatticeError) as raised:
            seen(value)
        assert raised.value.message == message


@pytest.mark.parametrize(
    ("action", "message", "help"),
    [
        ({}, "missing field `action_type`", "add `action_type`"),
        (None, "an action must be an object, found null", None),
        ([], "an action must be an object, found a list", None),
        ({"action_type": 1}, "`action_type` must be a string, found a number", None),
        ({"action_type": "t", "metadata": []}, "`metadata` must be an object, found a list", None),
        ({"action_type": "t", "metdata": {}}, "unknown key `metdata` in an action", "did you mean `metadata`?"),
        ('{"action_type": "t"', "invalid JSON: the text ends inside an object", None),
    ],
)
def test_invalid_actions(action: Any, message: str, help: str | None) -> None:
    policies = PolicySet(MANIFEST)
    with pytest.raises(LatticeError) as raised:
        policies.decide(action)
    error = raised.value
    assert (error.code, error.message, error.help) == ("INVALID_ACTION", message, help)


def test_many_decisions_are_those_of_one_each() -> None:
    policies = PolicySet(parse_manifest(MANIFEST))
    actions: list[Any] = [
        {"action_type": "db.write", "metadata": {"branch": branch}} for branch in ("main", "dev", None, 1)
    ]
    actions += ['{"action_type": "db.read"}', b'{"action_type": "DB.Write"}']
    many = policies.decide_many(iter(actions))
    assert many == [policies.decide(action) for action in actions]
    assert [decision["status"] for decision in many] == [
        "executed", "denied", "denied", "denied", "policy_not_found", "denied",
    ]  # fmt: skip
    for times in (50, 900):
        assert policies.decide_many(actions * times) == many * times
    assert policies.decide_many([]) == []
    for before in (0, 1, 50, 100, 900):
        with pytest.raises(LatticeError) as raised:
            policies.decide_many([*actions * before, {"action_type": ""}, "{", Path("missing")])
        assert (raised.value.code, raised.value.file) == ("INVALID_ACTION", f"actions[{6 * before}]")


def test_many_policies_may_decide_about_one_type() -> None:
    names = [f"p{n:02}" for n in range(20)]
    manifest = {
        "manifest_version": "1.0",
        "policies": [
            {
                "name": name,
                "action_type": "t",
                "approval_required": False,
                "allowed_repos": None,
                "allowed_branches": [name],
                "conditions": None,
            }
            for name in names
        ],
    }
    policies = PolicySet(json.dumps(manifest))
    actions = [{"action_type": "t", "metadata": {"branch": name}} for name in [*names, "none"]]
    for _ in range(3):
        many = policies.decide_many(actions)
        assert [decision["policy_name"] for decision in many[:-1]] == names
        assert [decision["status"] for decision in many] == ["executed"] * 20 + ["denied"]
        for decision, name in zip(many, [*names, None]):
            granting = [policy["name"] for policy in decision["policies"] if policy["result"]]
            assert granting == ([] if name is None else [name])


def test_many_decisions_may_be_large() -> None:
    policies = PolicySet(MANIFEST)
    branch = "x" * 100_000
    action = json.dumps({"action_type": "db.write", "metadata": {"branch": branch}})
    decided = policies.decide_many(action for _ in range(300))
    assert all(decision["conditions_evaluated"][0]["actual"] == branch for decision in decided)
    with pytest.raises(LatticeError) as raised:
        policies.decide_many(["{}", Path("missing")])
    assert raised.value.file == "actions[0]"
    with pytest.raises(LatticeError) as raised:
        policies.decide_many(['{"action_type": "t"}', Path("missing"), "{}"])
    assert (raised.value.code, raised.value.file) == ("IO_ERROR", "missing")


def test_few_large_actions_are_held_at_once() -> None:
    taken: list[int] = []

    def actions() -> Iterator[str]:
        for n in range(100):
            taken.append(n)
            yield "{" + " " * 1_000_000

    with pytest.raises(LatticeError) as raised:
        PolicySet(MANIFEST).decide_many(actions())
    assert (raised.value.file, len(taken)) == ("actions[0]", 17)


@pytest.mark.parametrize("before", [0, 600])
def test_what_is_wrong_first_is_raised_first(before: int) -> None:
    def actions(bad: object) -> Iterator[Any]:
        yield from ['{"action_type": "t"}'] * before
        yield from [bad] * 2
        raise ArithmeticError

    policies = PolicySet(MANIFEST)
    with pytest.raises(LatticeError) as raised:
        policies.decide_many(actions("{"))
    assert raised.value.file == f"actions[{before}]"
    with pytest.raises(LatticeError) as raised:
        policies.decide_many(actions(Path("missing")))
    assert raised.value.file == "missing"
    with pytest.raises(ArithmeticError):
        policies.decide_many(actions('{"action_type": "t"}'))


def test_any_number_of_levels() -> None:
    policy = "  - {{name: p{0}, action_type: t{0}, approval_required: false, allowed_repos: null, allowed_branches: [main], conditions: null}}\n"
    count = 1100
    policies = PolicySet("manifest_version: '1.0'\npolicies:\n" + "".join(policy.format(n) for n in range(count)))
    actions = [{"action_type": f"t{n}", "metadata": {"branch": "main"}} for n in range(count)]
    for _ in range(2):
        decided = policies.decide_many(actions)
        assert [decision["policy_name"] for decision in decided] == [f"p{n}" for n in range(count)]
        assert [decision["conditions_evaluated"][0]["actual"] for decision in decided] == ["main"] * count


def test_decisions_share_nothing() -> None:
    conditions = "logic: all\nrules:\n  - {field: x, operator: any_in, value: [a, b]}\n"
    policy = {
        "name": "p",
        "action_type": "t",
        "approval_required": False,
        "allowed_repos": None,
        "allowed_branches": ["main"],
        "conditions": conditions,
    }
    policies = PolicySet(json.dumps({"manifest_version": "1.0", "policies": [policy]}))
    action = {"action_type": "t", "metadata": {"branch": "main", "x": ["a"]}}
    first = policies.decide(action)
    untouched = copy.deepcopy(first)
    for decision in (first, policies.decide(action)):
        for rule in decision["conditions_evaluated"]:
            rule["expected"].append("spoilt")
            rule["policy"] = rule["actual"] = "spoilt"
            rule["result"] = None
        decision["policies"][0]["name"] = "spoilt"
        decision["policies"].clear()
        decision["status"] = "denied"
    assert policies.decide(action) == untouched
    assert policies.decide_many([action]) == [untouched]
    other = policies.decide({"action_type": "t"})
    assert [rule["actual"] for rule in other["conditions_evaluated"]] == [None, None]
    assert [rule["expected"] for rule in other["conditions_evaluated"]] == [["main"], ["a", "b"]]
    assert list(other) == list(untouched)


def test_a_manifest_is_plain_to_read() -> None:
    manifest = parse_manifest(MANIFEST)
    assert (manifest.version, manifest.org_name, manifest.exported_at) == (
        "1.0",
        "My Org",
        "2026-04-01T10:30:00.000Z",
    )
    assert manifest.policies == [
        {
            "name": "writes",
            "action_type": "db.write",
            "approval_required": False,
            "approval_timeout_hours": 8,
            "allowed_repos": None,
            "allowed_branches": ["main"],
            "conditions": None,
        }
    ]
    assert repr(manifest) == f"<Manifest 1.0: policies 1, sha256 {manifest.sha256}>"
    with pytest.raises(AttributeError):
        manifest.version = "2.0"  # type: ignore[misc]


def test_equality() -> None:
    other = MANIFEST.replace("[main]", '["main", main]')
    assert parse_manifest(MANIFEST) == parse_manifest(MANIFEST.encode())
    assert hash(parse_manifest(MANIFEST)) == hash(parse_manifest(MANIFEST))
    assert parse_manifest(MANIFEST) != parse_manifest(other) != MANIFEST
    assert PolicySet(MANIFEST) == PolicySet(other) != PolicySet(MANIFEST.replace("writes", "w"))
    text = "logic: all\nrules: [{field: x, operator: exists}]\n"
    assert EQUALS == Conditions.compile(text) != Conditions.compile(text.replace("all", "any"))
    assert repr(Conditions.compile(text)) == f"<Conditions {text!r}>".replace("'", '"')
    assert (repr(PolicySet(MANIFEST)), len(PolicySet(MANIFEST))) == ("<PolicySet: policies 1>", 1)


def test_an_error_says_everything_and_survives_pickling(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(MANIFEST.replace("null", "~"), encoding="utf-8")
    with pytest.raises(LatticeError) as raised:
        parse_manifest(path)
    error = raised.value
    assert (error.code, error.policy, error.file, error.line, error.column) == (
        "INVALID_MANIFEST",
        "writes",
        str(path),
        8,
        20,
    )
    assert [found["line"] for found in error.related] == [10]
    assert str(error) == f"{path}:8:20: {error.message} [INVALID_MANIFEST]\n  help: {error.help}"
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), vars(copied)) == (LatticeError, vars(error))
    assert validate(path)[0]["file"] == str(path)


def test_texts_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    functions: list[Callable[[Any], Any]] = [parse_manifest, validate, PolicySet, Conditions.compile]
    for function in functions:
        with pytest.raises(LatticeError) as raised:
            function(missing)
        assert (raised.value.code, raised.value.file) == ("IO_ERROR", str(missing))
        with pytest.raises(TypeError, match="expected str, bytes or os.PathLike, not int"):
            function(1)


def test_a_plan_names_the_errors_of_both_texts(tmp_path: Path) -> None:
    current, desired = tmp_path / "a.yaml", tmp_path / "b.yaml"
    for path in (current, desired):
        path.write_text("policies:")
    with pytest.raises(LatticeError) as raised:
        plan(current, desired)
    error = raised.value
    found = [(error.code, error.file), *((other["code"], other["file"]) for other in error.related)]
    assert set(found) == {("INVALID_MANIFEST", str(current)), ("INVALID_MANIFEST", str(desired))}


def test_text_that_is_not_unicode() -> None:
    for text in ("# \ud800\n", b"# \xff\n"):
        with pytest.raises(LatticeError) as raised:
            parse_manifest(text)
        assert (raised.value.code, raised.value.line) == ("INVALID_MANIFEST", 1)
    with pytest.raises(LatticeError) as raised:
        Conditions.compile(b"\xff")
    assert (raised.value.code, raised.value.message) == ("POLICY_COMPILE_ERROR", "the text is not UTF-8")


def test_conditions_without_a_policy() -> None:
    conditions = Conditions.compile(b"{logic: any, rules: [{field: size, operator: matches, value: '^a'}]}")
    action = {"action_type": "t", "metadata": {"size": 1}}
    assert conditions.evaluate(action) == {
        "result": None,
        "conditions_evaluated": [
            {
                "field": "size",
                "operator": "regex",
                "expected": "^a",
                "actual": 1,
                "result": None,
                "reason": "`size` is a number, not a string",
            }
        ],
    }
    with pytest.raises(LatticeError) as raised:
        Conditions.compile("{logic: any, rules: []}")
    assert (raised.value.code, raised.value.line) == ("POLICY_COMPILE_ERROR", 1)


def test_schemas() -> None:
    assert schema()["title"] == "Manifest"
    assert schema() == schema("manifest") != schema("eval")
    with pytest.raises(LatticeError) as raised:
        schema("nothing")
    assert raised.value.code == "USAGE"
    assert raised.value.help is not None and "manifest" in raised.value.help


def test_manifest_type_is_not_constructed() -> None:
    with pytest.raises(TypeError):
        Manifest()
