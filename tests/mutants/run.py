"""Count the mutants that the tests catch: `make mutants`, or `python -m tests.mutants.run --help`.

First the named mutants, each against the one test that has to see it; then a sample of the systematic ones of game/,
metrics/ and run/, each against the tests of a fast subset that call the mutated function, until one fails. Nothing in
the checkout changes: the sources and the tests are copied first.
"""

import argparse
import compileall
import gc
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, count
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.operators import Mutant, mutants
from tests.mutants.patches import NAMED, Patch
from tests.mutants.trace import follow_children

ROOT = Path(__file__).parents[2]
MUTATED = ("game", "metrics", "run")
SUITE = (
    "tests/wiring",
    "tests/property/test_games.py",
    "tests/property/test_players.py",
    "tests/unit/game",
    "tests/unit/metrics",
    "tests/unit/run",
    "tests/unit/networks",
)
PRELOADED = ["torch", "torch._dynamo", "pydantic", "scipy.stats", "scipy.sparse.csgraph", "sklearn.metrics"]
PRELOADED += ["sklearn.neighbors", "sklearn.datasets", "matplotlib.figure", "hypothesis", "pytest"]
MOST_TEST_SECONDS = 90.0  # of the tests that a mutant has to face, which are the fastest ones
LEAST_SECONDS, SLOWER = 60.0, 10.0  # a mutant that takes longer, or so many times as long as the tests did, is caught


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        caught: whether a test failed, or the time ran out.
        by: the test that failed, or what else happened.
    """

    caught: bool
    by: str


class Workshop:
    """A copy of sources and tests, and processes of its own for each run of tests."""

    def __init__(self, folder: Path) -> None:
        """`folder`: an empty one."""
        self.folder = folder
        self.numbers = count()
        for part in ("src", "tests"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy2(ROOT / "pyproject.toml", folder)
        self.package = folder / "src" / "zerosum"
        compileall.compile_dir(self.package, quiet=1)
        self.processes: ForkServerContext = multiprocessing.get_context("forkserver")
        self.processes.set_forkserver_preload(PRELOADED)

    def run(self, file: str, text: str, tests: Sequence[str], arguments: Sequence[str], limit: float) -> Outcome:
        """Run `tests`, or all that `arguments` collect, where `file` has the content `text`."""
        place = self.folder / f"mutant-{next(self.numbers)}"
        shutil.copytree(self.package, place / "zerosum")
        (place / "zerosum" / file).write_text(text, encoding="utf-8")
        try:
            answer = self.start(run_tests, place, limit, list(tests), list(arguments))
        finally:
            shutil.rmtree(place)
            shutil.rmtree(temporary(place), ignore_errors=True)
        if answer is None:
            return Outcome(True, f"no end within {limit:.0f} s, or a crash")
        if answer["code"] in (0, 1):
            return Outcome(answer["code"] == 1, answer["failed"])
        return Outcome(True, f"pytest could not run (exit code {answer['code']})")

    def start(self, target: Any, place: Path, limit: float, *arguments: object) -> dict[str, Any] | None:
        """Call `target` in a process of its own that imports from `place`; None if it gives no answer in time."""
        result = self.folder / f"{place.name}.json"
        process = self.processes.Process(target=target, args=(self.folder, place, result, *arguments))
        process.start()
        process.join(limit)
        process.kill()
        process.join()
        if not result.exists():
            return None
        answer: dict[str, Any] = json.loads(result.read_bytes())
        result.unlink()
        return answer


def enter(root: Path, place: Path) -> None:
    """Make this process, and those that it starts, import the package from `place` and the tests from `root`."""
    gc.freeze()  # pytest collects garbage, and need not go through what was imported before
    os.chdir(root)
    sys.path[:] = [str(place), str(root), *(path for path in sys.path if path and Path(path) != ROOT)]
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    os.environ |= {"PYTHONPATH": str(place), "HYPOTHESIS_STORAGE_DIRECTORY": str(root / "hypothesis")}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def run_tests(root: Path, place: Path, result: Path, tests: list[str], arguments: list[str]) -> None:
    """Run tests until one fails, and write down which."""
    import pytest

    from tests.mutants.plugins import Selection

    enter(root, place)
    selection = Selection(tests)
    code = pytest.main([*arguments, "-x", *options(place)], plugins=[selection])
    result.write_text(json.dumps({"code": int(code), "failed": selection.failed}))


def measure_reach(root: Path, place: Path, result: Path, arguments: list[str]) -> None:
    """Run all tests, and write down which functions each of them calls and how long it takes."""
    import pytest

    from tests.mutants.plugins import Reach

    package, children = place / "zerosum", place / "children"
    follow_children(package, children, root)
    enter(root, place)
    reach = Reach(package, children)
    code = pytest.main([*arguments, *options(place)], plugins=[reach])
    reached = {function: reach.tests_of(function) for function in set().union(*reach.reached.values())}
    answer = {"code": int(code), "failed": reach.failed, "reached": reached, "seconds": reach.seconds}
    result.write_text(json.dumps(answer))


def options(place: Path) -> list[str]:
    """Return pytest's options for a run that leaves nothing behind."""
    return ["-q", "-p", "no:cacheprovider", f"--basetemp={temporary(place)}"]


def temporary(place: Path) -> Path:
    """Return the folder for what the tests of a mutant write."""
    return place.with_name(f"{place.name}-temporary")


def check_named(workshop: Workshop, patches: Sequence[Patch]) -> Outcome:
    """Run the tests of `patches` on the sources as they are; none may fail."""
    text = (workshop.package / "__init__.py").read_text(encoding="utf-8")
    return workshop.run("__init__.py", text, [], sorted({patch.test for patch in patches}), 10 * LEAST_SECONDS)


def try_named(workshop: Workshop, patch: Patch) -> Outcome:
    """Run the test that has to see `patch`."""
    return workshop.run(patch.file, patch.apply(workshop.package), [], [patch.test], 10 * LEAST_SECONDS)


def try_systematic(workshop: Workshop, reach: dict[str, Any], mutant: Mutant) -> Outcome:
    """Run the tests that call the mutated function."""
    tests = reach["reached"].get(f"{mutant.file} {mutant.function}", [])
    if not tests:
        return Outcome(False, "no test calls the function")
    seconds = list(accumulate(reach["seconds"][test] for test in tests))
    tests = [test for test, needed in zip(tests, seconds, strict=True) if needed <= MOST_TEST_SECONDS] or tests[:1]
    limit = max(LEAST_SECONDS, SLOWER * seconds[len(tests) - 1])
    return workshop.run(mutant.file, mutant.text, tests, sorted({test.split("::")[0] for test in tests}), limit)


def all_mutants(package: Path) -> list[Mutant]:
    """Return every systematic mutant of the mutated folders that is not known to be equivalent."""
    found: list[Mutant] = []
    for folder in MUTATED:
        for path in sorted((package / folder).rglob("*.py")):
            found += mutants(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8"))
    return [mutant for mutant in found if mutant.name not in EQUIVALENT]


def show_named(console: Console, outcomes: dict[Patch, Outcome]) -> None:
    """Print the table of the named mutants."""
    table = Table("mutant", "file", "caught by", title="Named mutants")
    for patch, outcome in outcomes.items():
        table.add_row(patch.name, patch.file, outcome.by.split("[")[0] if outcome.caught else "NOTHING")
    console.print(table)


def show_systematic(console: Console, outcomes: dict[Mutant, Outcome]) -> None:
    """Print the share caught in each folder."""
    table = Table("folder", "tried", "caught", "share", title="Systematic mutants")
    for folder in (*MUTATED, ""):
        caught = [outcome.caught for mutant, outcome in outcomes.items() if mutant.file.startswith(folder)]
        if caught:
            table.add_row(folder or "all", str(len(caught)), str(sum(caught)), f"{sum(caught) / len(caught):.1%}")
    console.print(table)


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.run", description=__doc__)
    parser.add_argument("--sample", type=int, default=300, help="systematic mutants to try; 0 for none")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of the sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutants tried at the same time")
    parser.add_argument("--only", default="", help="try only mutants whose name contains this text")
    parser.add_argument("--least", type=float, default=0.95, help="share of the sample that has to be caught")
    return parser.parse_args()


def main() -> int:
    """Try the mutants; 0 if all that are named are caught, and of the sample enough."""
    arguments, console = read_arguments(), Console(width=None if sys.stdout.isatty() else 170)
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}  # for the processes that are started
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.jobs) as pool:
        workshop = Workshop(Path(folder))
        patches = [patch for patch in NAMED if arguments.only in patch.name]
        if patches and (unmutated := check_named(workshop, patches)).caught:
            console.print(f"a test fails without any mutant: {unmutated.by}", markup=False)
            return 2
        tried = pool.map(lambda patch: try_named(workshop, patch), patches)
        named = dict(zip(patches, track(tried, "named mutants", len(patches), console=console), strict=True))
        show_named(console, named)
        systematic: dict[Mutant, Outcome] = {}
        candidates = [mutant for mutant in all_mutants(workshop.package) if arguments.only in mutant.name]
        order = np.random.default_rng(arguments.seed).permutation(len(candidates))
        chosen = [candidates[place] for place in order[: arguments.sample]]
        if chosen:
            shutil.copytree(workshop.package, workshop.folder / "whole" / "zerosum")
            reach = workshop.start(measure_reach, workshop.folder / "whole", 3600, list(SUITE))
            if reach is None or reach["code"] != 0:
                console.print(f"the tests do not pass as they are: {reach and reach['failed']}", markup=False)
                return 2
            results = pool.map(lambda mutant: try_systematic(workshop, reach, mutant), chosen)
            label = f"{len(chosen)} of {len(candidates):,} systematic mutants"
            for mutant, outcome in zip(chosen, track(results, label, len(chosen), console=console), strict=True):
                systematic[mutant] = outcome
                if not outcome.caught:
                    why = outcome.by or "all tests passed"
                    console.print(f"survived: {mutant.name} ({why})", markup=False, highlight=False)
            show_systematic(console, systematic)
    caught = [outcome.caught for outcome in systematic.values()]
    enough = not caught or sum(caught) >= arguments.least * len(caught)
    return 0 if enough and all(outcome.caught for outcome in named.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
