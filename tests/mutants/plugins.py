"""What the runner plugs into pytest: one notes which functions each test reaches, one chooses the tests to run."""

import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from types import FrameType
from typing import Any

import pytest


class Reach:
    """Notes the functions of a package that each test calls, and the seconds it takes.

    What a module of tests calls when it is imported counts for all of its tests, and what a shared fixture calls for
    all that use it.

    Attributes:
        reached: the functions, as "file qualified.name", by the node id of a test or of a module of tests.
        seconds: by the node id of a test.
        failed: the tests that failed.
    """

    def __init__(self, package: str) -> None:
        """`package`: the folder of the package."""
        self.package = package + "/"
        self.reached: dict[str, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: list[str] = []
        self._fixtures: dict[int, set[str]] = {}
        self._sink: set[str] = set()

    def _trace(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if code.co_filename.startswith(self.package):
            function = code.co_qualname.split(".<locals>")[0]
            self._sink.add(f"{code.co_filename[len(self.package) :]} {function}")

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        self._sink = self.reached[collector.nodeid]
        sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._sink = self.reached[item.nodeid]
        began = time.monotonic()
        sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.seconds[item.nodeid] = time.monotonic() - began
            for definitions in getattr(item, "_fixtureinfo").name2fixturedefs.values():  # noqa: B009
                for definition in definitions:
                    self.reached[item.nodeid] |= self._fixtures.get(id(definition), set())

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        outer, self._sink = self._sink, set()
        try:
            return (yield)
        finally:
            self._fixtures[id(fixturedef)] = self._sink
            outer |= self._sink
            self._sink = outer

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def tests_of(self, function: str) -> list[str]:
        """Return the tests that call `function`, the fastest first."""
        return sorted(
            (test for test in self.seconds if function in self.reached[test] | self.reached[test.split("::")[0]]),
            key=self.seconds.__getitem__,
        )


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
