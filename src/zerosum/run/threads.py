"""Take as many threads as help, while other programs come and go beside a run.

Threads that wait for one another at every operation are as slow as the slowest, and one that shares its core makes all
wait: beside one busy process, two threads on two cores are slower than one.
"""

from dataclasses import dataclass
from typing import Any

import torch

from zerosum.game.recipe import Recipe

WINDOW = 2.0  # seconds between two looks at the speed
SLOWER = 1.5  # times the fastest time of an iteration: something else needs the cores
GAIN = 1.1  # times as fast, for another number of threads to be kept
FIRST_WAIT, LONGEST_WAIT = 8, 64  # windows until another number is tried, once more after one that did not help


@dataclass
class ThreadTuner:
    """Chooses between all threads and one, by how long iterations take.

    Attributes:
        most: all threads.
        threads: those in use.
    """

    most: int
    threads: int
    _fastest: float = float("inf")
    _left: tuple[int, float] | None = None
    _wait: int = FIRST_WAIT
    _until: int = FIRST_WAIT

    def observe(self, seconds: float) -> int:
        """Note how long an iteration took in the latest window; return how many threads to take in the next."""
        if self._left is not None:
            self._judge(seconds, *self._left)
        elif self.threads == self.most:
            self._fastest = min(self._fastest, seconds)
            if seconds > SLOWER * self._fastest:
                self._try_other(seconds)
        else:
            self._until -= 1
            if self._until <= 0:
                self._try_other(seconds)
        return self.threads

    def _try_other(self, seconds: float) -> None:
        self._left = self.threads, seconds
        self.threads = 1 if self.threads == self.most else self.most

    def _judge(self, seconds: float, before: int, seconds_before: float) -> None:
        """Keep the number that was tried if it was faster, else go back and wait longer before the next attempt."""
        self._left = None
        if seconds * GAIN < seconds_before:
            self._wait = FIRST_WAIT
        else:
            self.threads = before
            self._wait = min(2 * self._wait, LONGEST_WAIT)
        if self.threads == self.most:
            self._fastest = min(seconds, seconds_before)
        self._until = self._wait


@dataclass
class Threads:
    """How many threads a run took from which iteration on, and takes: their number is part of what bits depend on.

    Attributes:
        changes: (from which step, threads), the first from 0.
        tuner: what may choose them from now on; None if the last number stays.
    """

    changes: list[tuple[int, int]]
    tuner: ThreadTuner | None = None
    _step: int = 0
    _seconds: float = 0.0

    @classmethod
    def of(cls, about: dict[str, Any], recipe: Recipe) -> "Threads":
        """Read them from `about`, the content of `run.json`; their number may change if the probe chose it."""
        changes = [(step, threads) for step, threads in about.get("threads_at", [[0, about["threads"]]])]
        most = max((timing["threads"] for timing in about.get("probe", ())), default=1)
        tuned = recipe.threads is None and most > 1
        return cls(changes, ThreadTuner(most, changes[-1][1]) if tuned else None)

    def begin(self, step: int, seconds: float) -> None:
        """Begin a window at iteration `step`, after so many seconds of training, with the threads it is played with."""
        self._step, self._seconds = step, seconds
        torch.set_num_threads([threads for begin, threads in self.changes if begin <= step][-1])

    def follow(self, step: int, seconds: float, *, free: bool) -> bool:
        """Set PyTorch's number of threads for iteration `step`; return whether it is one that was not noted before.

        What was noted is taken again, where a run lost its newest checkpoints; a new number only if the run is `free`,
        as one that follows the clock anyway.
        """
        if 0 < step <= self.changes[-1][0]:
            self.begin(step, seconds)
            return False
        if not free or self.tuner is None or seconds - self._seconds < WINDOW:
            return False
        before = self.tuner.threads
        after = self.tuner.observe((seconds - self._seconds) / (step - self._step))
        if after != before:
            self.changes.append((step, after))
        self.begin(step, seconds)
        return after != before
