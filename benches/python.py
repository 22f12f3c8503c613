"""What crossing into Python adds: a group of rows for the tables, of the inputs that `lattice-bench bindings` wrote.

    python benches/python.py INPUTS ROWS
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import lattice_policy as lattice

Figure = dict[str, float]


def figure(runs: list[float]) -> Figure:
    return {"best": min(runs), "median": median(runs)}


def slow(job: Callable[[], object], runs: int = 9) -> Figure:
    def run() -> float:
        start = perf_counter_ns()
        result = job()
        elapsed = perf_counter_ns() - start
        del result
        return float(elapsed)

    return figure([run() for _ in range(runs)])


def fast(job: Callable[[], object], batch: int = 200, batches: int = 500) -> Figure:
    def run() -> float:
        start = perf_counter_ns()
        for _ in range(batch):
            job()
        return (perf_counter_ns() - start) / batch

    return figure([run() for _ in range(batches)])


def compare(with_binding: Figure, rust: Figure, operation: Callable[[float, float], float]) -> Figure:
    return {key: operation(with_binding[key], rust[key]) for key in ("best", "median")}


def main(inputs: Path, rows: Path) -> None:
    rust = json.loads((inputs / "rust.json").read_text())
    manifest = (inputs / "manifest.yaml").read_text()
    few, actions = (json.loads((inputs / name).read_text()) for name in ("few.json", "actions.json"))
    policies = lattice.PolicySet((inputs / "decisions.yaml").read_text())

    def ratio(with_binding: float, plain: float) -> float:
        return with_binding / plain

    def added(with_binding: float, plain: float) -> float:
        return with_binding - plain

    first = actions[0]
    parse = compare(slow(lambda: lattice.parse_manifest(manifest)), rust["parse"], ratio)
    decide = compare(fast(lambda: policies.decide(first)), rust["decide"], added)
    several = compare(slow(lambda: policies.decide_many(few)), rust["decide_many_few"], ratio)
    many = compare(slow(lambda: policies.decide_many(actions)), rust["decide_many"], ratio)
    group = {
        "title": f"Through Python {sys.version.split()[0]}",
        "rows": [
            {"what": "parse 10,000 policies, as a multiple of Rust", "unit": "times", "aim": {"at_most": 1.3}, "ours": parse},
            {"what": "`decide` from JSON text, beyond Rust", "unit": "microseconds", "aim": {"at_most": 2}, "ours": decide},
            {
                "what": "`decide_many` of 10,000 JSON texts of 100 types, as a multiple of Rust",
                "unit": "times",
                "aim": {"at_most": 1.5},
                "ours": several,
            },
            {
                "what": "the same of 10,000 types",
                "unit": "times",
                "aim": {"at_most": 1.5},
                "ours": many,
            },
        ],
    }
    rows.mkdir(parents=True, exist_ok=True)
    (rows / "python.json").write_text(json.dumps(group, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
