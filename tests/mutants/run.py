"""Count the mutants that the tests catch: `make mutants`, or `python -m tests.mutants.run --help`.

First the named mutants, each against the one test that has to see it; then a sample of the systematic ones of game/,
metrics/ and run/, each against the tests of a fast subset that call the mutated function, until one fails. Nothing in
the checkout changes: the sources and the tests are copied first.
"""

import argparse
import compileall
import contextlib
import gc
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
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
    "tests/unit/test_generator.py",
    "tests/unit/test_recipes.py",
    "tests/end_to_end",
)
PRELOADED = ["torch", "torch._dynamo", "pydantic", "scipy.stats", "scipy.sparse.csgraph", "sklearn.metrics"]
PRELOADED += ["sklearn.neighbors", "sklearn.datasets", "matplotlib.figure", "hypothesis", "pytest"]
LEFT_OUT = (".*", "runs", "build", "dist", "__pycache__")  # of the checkout, for the copy
NO_TESTS = 5  # pytest's exit code
MOST_MEMORY = 8 * 2**30  # bytes of address space
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


@dataclass(frozen=True)
class Reached:
    """Which tests call what, where nothing is mutated.

    Attributes:
        tests: those that call a function, the fastest first.
        seconds: that a test takes.
    """

    tests: dict[str, list[str]]
    seconds: dict[str, float]


class Workshop:
    """A copy of sources and tests, and processes of its own for each run of tests."""

    def __init__(self, folder: Path) -> None:
        """`folder`: an empty one."""
        self.folder = folder
        self.numbers = count()
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
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
        if answer["code"] == NO_TESTS:
            return Outcome(False, "no test ran")
        return Outcome(True, f"pytest could not run (exit code {answer['code']})")

    def start(self, target: Any, place: Path, limit: float, *arguments: object) -> dict[str, Any] | None:
        """Call `target` in a process of its own that imports from `place`; None if it gives no answer in time."""
        result = self.folder / f"{place.name}.json"
        process = self.processes.Process(target=target, args=(self.folder, place, result, *arguments))
        process.start()
        process.join(limit)
        assert process.pid is not None
        with contextlib.suppress(ProcessLookupError):  # none of its group is left
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()
        if not result.exists():
            return None
        answer: dict[str, Any] = json.loads(result.read_bytes())
        result.unlink()
        return answer


def enter(root: Path, place: Path) -> None:
    """Make this process, and those that it starts, import the package from `place` and the tests from `root`."""
    os.setsid()  # so that what the tests start can be killed with them
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
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
    reached = {function: reach.callers_of(function) for function in set().union(*reach.reached.values())}
    answer = {"code": int(code), "failed": reach.failed, "reached": reached, "seconds": reach.seconds}
    result.write_text(json.dumps(answer))


def options(place: Path) -> list[str]:
    """Return pytest's options for a run that leaves nothing behind."""
    return ["-q", "-p", "no:cacheprovider", f"--basetemp={temporary(place)}"]


def temporary(place: Path) -> Path:
    """Return the folder for what the tests of a mutant write."""
    return place.with_name(f"{place.name}-temporary")


def try_named(workshop: Workshop, patch: Patch) -> Outcome:
    """Run the test that has to see `patch`."""
    return workshop.run(patch.file, patch.apply(workshop.package), [], [patch.test], 10 * LEAST_SECONDS)


def try_systematic(workshop: Workshop, reach: Reached, mutant: Mutant) -> Outcome:
    """Run the tests that call the mutated function."""
    tests = reach.tests.get(f"{mutant.file} {mutant.function}", [])
    if not tests:
        return Outcome(False, "no test calls the function")
    seconds = list(accumulate(reach.seconds[test] for test in tests))
    tests = [test for test, needed in zip(tests, seconds, strict=True) if needed <= MOST_TEST_SECONDS] or tests[:1]
    limit = max(LEAST_SECONDS, SLOWER * seconds[len(tests) - 1])
    return workshop.run(mutant.file, mutant.text, tests, sorted({test.split("::")[0] for test in tests}), limit)


def find_reach(workshop: Workshop, pool: Executor, console: Console) -> Reached:
    """Run the whole subset of the tests, each file by itself, and note which functions each test calls."""
    files = [path for part in SUITE for path in sorted((ROOT / part).rglob("test_*.py")) or [ROOT / part]]

    def measure(number: int, file: Path) -> dict[str, Any]:
        place = workshop.folder / f"whole-{number}"
        shutil.copytree(workshop.package, place / "zerosum")
        answer = workshop.start(measure_reach, place, 60 * LEAST_SECONDS, [str(file.relative_to(ROOT))])
        shutil.rmtree(place)
        shutil.rmtree(temporary(place), ignore_errors=True)
        if answer is None or answer["code"] != 0:
            sys.exit(f"tests fail without any mutant: {answer and answer['failed']}")
        return answer

    reached: dict[str, set[str]] = defaultdict(set)
    seconds: dict[str, float] = {}
    for answer in track(pool.map(measure, count(), files), "which test calls what", len(files), console=console):
        seconds |= answer["seconds"]
        for function, tests in answer["reached"].items():
            reached[function].update(tests)
    return Reached({each: sorted(tests, key=seconds.__getitem__) for each, tests in reached.items()}, seconds)


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


def run_named(workshop: Workshop, pool: Executor, console: Console, part: str) -> bool:
    """Try the named mutants whose name contains `part`; return whether all are caught."""
    patches = [patch for patch in NAMED if part in patch.name]
    if not patches:
        return True
    text = (workshop.package / "__init__.py").read_text(encoding="utf-8")
    unmutated = workshop.run("__init__.py", text, [], sorted({patch.test for patch in patches}), 10 * LEAST_SECONDS)
    if unmutated.caught or unmutated.by:
        sys.exit(f"a test fails without any mutant: {unmutated.by}")
    tried = pool.map(lambda patch: try_named(workshop, patch), patches)
    outcomes = dict(zip(patches, track(tried, "named mutants", len(patches), console=console), strict=True))
    show_named(console, outcomes)
    return all(outcome.caught for outcome in outcomes.values())


def run_sample(workshop: Workshop, pool: Executor, console: Console, arguments: argparse.Namespace) -> bool:
    """Try a sample of the systematic mutants; return whether enough are caught."""
    candidates = [mutant for mutant in all_mutants(workshop.package) if arguments.only in mutant.name]
    order = np.random.default_rng(arguments.seed).permutation(len(candidates))
    chosen = [candidates[place] for place in order[: arguments.sample]]
    if not chosen:
        return True
    reach = find_reach(workshop, pool, console)
    results = pool.map(lambda mutant: try_systematic(workshop, reach, mutant), chosen)
    label = f"{len(chosen)} of {len(candidates):,} systematic mutants"
    outcomes: dict[Mutant, Outcome] = {}
    for mutant, outcome in zip(chosen, track(results, label, len(chosen), console=console), strict=True):
        outcomes[mutant] = outcome
        if not outcome.caught:
            why = outcome.by or "all tests passed"
            console.print(f"survived: {mutant.name} ({why})", markup=False, highlight=False)
    show_systematic(console, outcomes)
    return sum(outcome.caught for outcome in outcomes.values()) >= float(arguments.least) * len(outcomes)


def main() -> int:
    """Try the mutants; 0 if all that are named are caught, and of the sample enough."""
    arguments, console = read_arguments(), Console(width=None if sys.stdout.isatty() else 170)
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}  # for the processes that are started
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.jobs) as pool:
        try:
            workshop = Workshop(Path(folder))
            caught = run_named(workshop, pool, console, arguments.only)
            enough = run_sample(workshop, pool, console, arguments)
        finally:  # of an interruption too
            pool.shutdown(cancel_futures=True)
    return 0 if caught and enough else 1


if __name__ == "__main__":
    sys.exit(main())
