"""What the runner plugs into pytest: one notes which functions each test reaches, one chooses the tests to run."""

import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.trace import Calls, collect


class Reach:
    """Notes the functions of a package that each test calls, and the seconds it takes.

    What a module of tests calls when it is imported counts for all of its tests, and what a shared fixture calls for
    all that use it.

    Attributes:
        reached: the functions, by the node id of a test or of a module of tests.
        seconds: by the node id of a test.
        failed: the tests that failed.
    """

    def __init__(self, package: Path, children: Path) -> None:
        """`package`: its folder; `children`: the folder in which processes that tests start leave what they called."""
        self.calls = Calls(package)
        self.children = children
        self.reached: dict[str, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: list[str] = []
        self._of_fixtures: dict[int, set[str]] = {}

    @contextmanager
    def _traced(self) -> Iterator[set[str]]:
        """Fill the set that is the value; what is called inside counts outside as well."""
        outer, self.calls.functions = self.calls.functions, set()
        before = sys.gettrace()
        sys.settrace(self.calls)
        try:
            yield self.calls.functions
        finally:
            sys.settrace(before)
            self.calls.functions |= collect(self.children)
            outer |= self.calls.functions
            self.calls.functions = outer

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        with self._traced() as functions:
            report = yield
        self.reached[collector.nodeid] |= functions
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        with self._traced() as functions:
            value = yield
        self._of_fixtures[id(fixturedef)] = functions
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        began = time.monotonic()
        with self._traced() as functions:
            result = yield
        self.seconds[item.nodeid] = time.monotonic() - began
        of_fixtures = (self._of_fixtures.get(id(each), set()) for each in fixtures_of(item))
        self.reached[item.nodeid] |= functions.union(*of_fixtures)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def callers_of(self, function: str) -> list[str]:
        """Return the tests that call `function`, the fastest first."""
        return sorted(
            (test for test in self.seconds if function in self.reached[test] | self.reached[test.split("::")[0]]),
            key=self.seconds.__getitem__,
        )


def fixtures_of(item: pytest.Item) -> Iterator[pytest.FixtureDef[Any]]:
    """Yield the fixtures that a test uses, directly or not."""
    if isinstance(item, pytest.Function):
        for definitions in item._fixtureinfo.name2fixturedefs.values():
            yield from definitions


class Selection:
    """Runs the chosen tests, in the order given.

    Attributes:
        failed: the test that failed first; empty if none did.
    """

    def __init__(self, tests: Iterable[str]) -> None:
        """`tests`: node ids; if there are none all that are collected run."""
        self.places = {test: place for place, test in enumerate(tests)}
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.places:
            items[:] = [item for item in items if item.nodeid in self.places]
            items.sort(key=lambda item: self.places[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid
