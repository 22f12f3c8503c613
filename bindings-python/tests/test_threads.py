"""Heavy calls leave the interpreter to other threads, and a panic is an exception."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lattice_policy import PolicySet, _native, format_manifest, parse_manifest, plan, validate

POLICY = """\
  - name: policy-{0}
    action_type: type.{0}
    approval_required: false
    allowed_repos: null
    allowed_branches: [main, "release/{0}"]
    conditions: |
      logic: all
      rules:
        - {{field: a, operator: regex, value: "^a{0}$"}}
"""

BIG = "manifest_version: '1.0'\npolicies:\n" + "".join(POLICY.format(n) for n in range(2000))


def longest_pause(work: Callable[[], Any]) -> tuple[float, float]:
    """How long this thread once stood still while another one worked, and how long that took, in seconds."""
    taken = 0.0

    def timed() -> None:
        nonlocal taken
        start = time.perf_counter()
        work()
        taken = time.perf_counter() - start

    worker = threading.Thread(target=timed)
    pause, last = 0.0, time.perf_counter()
    worker.start()
    while worker.is_alive():
        time.sleep(0.001)
        now = time.perf_counter()
        pause, last = max(pause, now - last), now
    worker.join()
    return pause, taken


@pytest.mark.parametrize("function", [parse_manifest, validate, format_manifest, PolicySet])
def test_another_thread_runs_while_a_manifest_is_read(function: Callable[[str], Any]) -> None:
    pause, taken = longest_pause(lambda: function(BIG))
    assert pause < taken / 2, f"stood still for {pause} s of {taken} s"


def test_another_thread_runs_while_a_plan_is_made() -> None:
    pause, taken = longest_pause(lambda: plan(BIG, BIG.replace("^a", "^b")))
    assert pause < taken / 2, f"stood still for {pause} s of {taken} s"


def test_another_thread_runs_while_decisions_are_made() -> None:
    """The rules are what takes long here; little of each decision is converted."""
    rules = "".join(f"        - {{field: a, operator: contains_ci, value: 'y{n}'}}\n" for n in range(40))
    head, _ = POLICY.format(0).rsplit("        - ", 1)
    policies = PolicySet("manifest_version: '1.0'\npolicies:\n" + head + rules)
    action = {"action_type": "type.0", "metadata": {"branch": "main", "a": "x" * 60_000}}
    pause, taken = longest_pause(lambda: policies.decide_many([action] * 16))
    assert pause < taken / 2, f"stood still for {pause} s of {taken} s"


def test_two_threads_share_a_policy_set() -> None:
    policies = PolicySet(BIG)
    action: dict[str, Any] = {"action_type": "type.7", "metadata": {"branch": "main", "a": "a7"}}
    decided: list[Any] = []
    threads = [
        threading.Thread(target=lambda: decided.extend(policies.decide_many([action] * 500))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert decided == [policies.decide(action)] * 1000


def test_a_panic_is_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    panic = getattr(_native, "_panic")  # noqa: B009 - there in builds for tests alone
    with pytest.raises(BaseException) as raised:
        panic()
    assert (type(raised.value).__name__, str(raised.value)) == ("PanicException", "a panic on purpose")
    assert "a panic on purpose" in capfd.readouterr().err
    assert validate(BIG) == []
