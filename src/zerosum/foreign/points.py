"""Bring the rows of a log to points: one run, in the order of its steps, at most 10,000 of them."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from zerosum.errors import InputError
from zerosum.foreign import Chunk, Floats
from zerosum.foreign.spellings import POSITIONS, recognise

MOST_POINTS = 10_000
MOST_UNKNOWN = 50
MOST_SETBACKS = 1_000
KIMG = 1_000
ORDER, ROW = "#order", "#row"  # columns of our own, which no log can have
BATCHES = 1e9  # more than an epoch has
ANSWERS = "d_real", "d_fake", "d_fake_after"
LOGITS = {"d_real": "real_logit", "d_fake": "fake_logit", "d_fake_after": "fake_logit_after"}
JUDGED = (*ANSWERS, *LOGITS.values(), "pair_accuracy", "accuracy", "real_accuracy", "fake_accuracy")
LOSSES = {"discriminator_loss": "the discriminator", "generator_loss": "the generator"}
Columns = Mapping[str, tuple[Floats, NDArray[np.bool_]]]


class Points:
    """Means of rows, in at most `MOST_POINTS` slots of equally many: when they are full, each two become one."""

    def __init__(self) -> None:
        """Have no point yet."""
        self.width = 1
        self._sums: dict[str, Floats] = {}
        self._counts: dict[str, NDArray[np.int64]] = {}
        self._bad: dict[str, NDArray[np.int64]] = {}
        self.last = -1

    def add(self, places: NDArray[np.int64], columns: Columns) -> None:
        """Add rows that belong to the points `places`, which do not fall, counted as if nothing had been thinned."""
        while places[-1] // self.width >= MOST_POINTS:
            self._halve()
        self.last = int(places[-1])
        slots = places // self.width
        for name, (values, there) in columns.items():
            if name not in self._sums:
                self._sums[name] = np.zeros(MOST_POINTS)
                self._counts[name], self._bad[name] = np.zeros((2, MOST_POINTS), np.int64)
            finite = np.isfinite(values)
            good = there & finite
            self._sums[name] += np.bincount(slots[good], values[good], MOST_POINTS)
            self._counts[name] += np.bincount(slots[good], minlength=MOST_POINTS)
            self._bad[name] += np.bincount(slots[there & ~finite], minlength=MOST_POINTS)

    def _halve(self) -> None:
        """Make one slot of each two."""
        self.width *= 2
        for columns in (self._sums, self._counts, self._bad):
            for name, values in columns.items():
                columns[name] = np.concatenate([values.reshape(-1, 2).sum(1), np.zeros_like(values[::2])])

    def cut(self, order: float) -> None:
        """Remove the points whose mean order is not below `order`."""
        means = self.column(ORDER)
        kept = int(np.searchsorted(means, order))
        for columns in (self._sums, self._counts, self._bad):
            for values in columns.values():
                values[kept:] = 0
        self.last = min(self.last, kept * self.width - 1)

    def column(self, name: str) -> Floats:
        """Return the means, [n]; NaN where there was nothing, or something that is not finite."""
        size = self.last // self.width + 1
        sums, counts, bad = self._sums[name][:size], self._counts[name][:size], self._bad[name][:size]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where((counts > 0) & (bad == 0), sums / counts, np.nan))

    @property
    def names(self) -> list[str]:
        """The columns that have a value anywhere."""
        return [name for name in self._sums if (self._counts[name] + self._bad[name]).any()]


class Finiteness:
    """Where the values of a column are not finite."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self.bad = 0
        self.first_bad = self.last_good = 0

    def add(self, lines: NDArray[np.int64], values: Floats, there: NDArray[np.bool_]) -> None:
        """Look at some rows."""
        finite = np.isfinite(values)
        bad, good = lines[there & ~finite], lines[there & finite]
        if len(bad):
            self.first_bad = self.first_bad or int(bad[0])
            self.bad += len(bad)
        if len(good):
            self.last_good = int(good[-1])

    def describe(self, name: str, unit: str) -> str:
        """Say where it is not finite; empty if nowhere."""
        if not self.bad:
            return ""
        if self.last_good < self.first_bad:
            return f"{name} is not finite from {unit} {self.first_bad:,} on"
        return f"{name} is not finite in {self.bad:,} of its values, first in {unit} {self.first_bad:,}"


class Assembly:
    """The rows of one log, as they come."""

    def __init__(self, unit: str) -> None:
        """`unit` is what its lines are called."""
        self._unit = unit
        self._points, self._finiteness = Points(), dict[str, Finiteness]()
        self._own = dict[str, str | None]()
        self._order = ""  # what orders the rows: step, batch (of an epoch), epoch, or row
        self._begin, self._latest = 0.0, -np.inf
        self._rows = 0
        self._runs, self._setbacks = 1, 0
        self._back = self._resumed = 0  # lines

    @property
    def unknown(self) -> tuple[str, ...]:
        """The log's columns that are not known here."""
        return tuple(name for name, own in self._own.items() if own is None)[:MOST_UNKNOWN]

    def add(self, chunk: Chunk) -> None:
        """Add some rows.

        Raises:
            InputError: their steps go back again and again.
        """
        size = len(chunk.lines)
        if not size:
            return
        columns = {own: chunk.columns[name] for name, own in self._name(chunk.columns).items()}
        if not self._order:
            self._order = _choose_order(columns)
        order = self._put_in_order(columns, size)
        rows = np.arange(self._rows, self._rows + size, dtype=np.float64)
        self._rows += size
        there = np.ones(size, np.bool_)
        kept = {name: each for name, each in columns.items() if name not in POSITIONS or name == "epoch"}
        kept |= {ORDER: (order, there), ROW: (rows, there)}
        for begin, end in self._stretches(order, chunk):
            part = {name: (values[begin:end], present[begin:end]) for name, (values, present) in kept.items()}
            self._add_stretch(chunk.lines[begin:end], part)

    def _name(self, columns: Columns) -> dict[str, str]:
        """Find our name for each of the log's columns; of two with the same, the first has it."""
        for name in columns:
            if name not in self._own:
                own = recognise(name)
                self._own[name] = None if own in self._own.values() else own
        return {name: own for name in columns if (own := self._own[name]) is not None}

    def _put_in_order(self, columns: Columns, size: int) -> Floats:
        """Return a number for each row by which rows are ordered; where there is none, that of the row before."""
        if self._order == "row":
            return np.arange(self._rows, self._rows + size, dtype=np.float64)
        if self._order == "batch":
            epochs = self._fill(columns.get("epoch"), size, 0.0)
            return epochs * BATCHES + self._fill(columns.get("batch"), size, 0.0)
        scale = KIMG if self._order == "kimg" else 1
        before = self._latest if np.isfinite(self._latest) else 0.0
        return self._fill(columns.get(self._order), size, before / scale) * scale

    @staticmethod
    def _fill(column: tuple[Floats, NDArray[np.bool_]] | None, size: int, before: float) -> Floats:
        if column is None:
            return np.full(size, before)
        values = np.concatenate([[before], column[0]])
        known = np.concatenate([[True], column[1] & np.isfinite(column[0])])
        return values[np.maximum.accumulate(np.where(known, np.arange(size + 1), 0))][1:]

    def _stretches(self, order: Floats, chunk: Chunk) -> Iterator[tuple[int, int]]:
        """Cut rows where they go back; before such a place, forget what its rows replace."""
        backs = np.flatnonzero(np.diff(order, prepend=self._latest) < 0).tolist()
        if self._order == "row":
            backs = list(chunk.restarts)
        self._setbacks += len(backs)
        if self._setbacks > MOST_SETBACKS:
            raise InputError(
                f"steps go back more than {MOST_SETBACKS:,} times, the last time in {self._unit} "
                f"{chunk.lines[backs[-1]]:,}: give a log of one run, in order"
            )
        begin = 0
        for back in backs:
            yield begin, back
            self._go_back(float(order[back]), int(chunk.lines[back]))
            begin = back
        yield begin, len(order)

    def _go_back(self, order: float, line: int) -> None:
        if self._order == "row" or order <= self._begin:
            self._points, self._finiteness = Points(), {}
            self._runs += 1
            self._back, self._resumed = line, 0
        else:
            self._points.cut(order)
            self._resumed = line
        self._latest = -np.inf

    def _add_stretch(self, lines: NDArray[np.int64], columns: Columns) -> None:
        if not len(lines):
            return
        order = columns[ORDER][0]
        if self._points.last < 0:
            self._begin = float(order[0])
        is_new = np.ones(len(order), np.bool_)
        if self._order in ("step", "images", "kimg"):
            is_new = np.diff(order, prepend=self._latest) > 0
        self._points.add(np.maximum(0, self._points.last + np.cumsum(is_new)), columns)
        self._latest = float(order[-1])
        for name, (values, there) in columns.items():
            if name not in (ORDER, ROW, "epoch"):
                self._finiteness.setdefault(name, Finiteness()).add(lines, values, there)

    def finish(self, path: str, accepted: str) -> tuple[NDArray[np.int64], dict[str, Floats], list[str]]:
        """Return the steps, the columns and the notes.

        Raises:
            InputError: nothing of it belongs to the training of a GAN.
        """
        self._check(path, accepted)
        columns = {name: self._points.column(name) for name in self._points.names}
        order, rows = columns.pop(ORDER), columns.pop(ROW)
        epochs = columns.pop("epoch", None)
        steps, counted = self._count(order, rows, epochs)
        notes = [*self._describe_runs(), counted, *self._derive(columns)]
        if self._points.width > 1:
            notes.append(
                f"{self._points.last + 1:,} points are thinned to {len(steps):,}, means of {self._points.width:,} each"
            )
        notes += [each.describe(name, self._unit) for name, each in self._finiteness.items()]
        notes += [f"no loss of {player}" for name, player in LOSSES.items() if name not in columns]
        if not any(name in columns for name in JUDGED):
            notes.append("no answers of D, as D(x) and D(G(z)): whether it tells both apart cannot be said")
        return steps, columns, [note for note in notes if note]

    def _check(self, path: str, accepted: str) -> None:
        names = [name for name in self._own if self._own[name] not in POSITIONS]
        known = [name for name in self._points.names if name not in (ORDER, ROW, "epoch")]
        if not self._rows or not names:
            raise InputError(f"{path} has no numbers of a training: --log takes {accepted}")
        empty = [name for name in names if self._own[name] is not None]
        if not known and empty:
            raise InputError(f"{path} has no numbers in its columns {', '.join(empty)}")
        if not known:
            shown = ", ".join(names[:8])
            raise InputError(
                f"{path} has no column that is known here, but {shown}: name those of the losses d_loss and g_loss"
            )
        if len(self._own) == 1:
            raise InputError(f"{path} has one column only, {names[0]}: one of steps and one of a loss is the least")

    def _count(self, order: Floats, rows: Floats, epochs: Floats | None) -> tuple[NDArray[np.int64], str]:
        """Return the steps, and what they count if they are no iterations."""
        units = {"images": "images shown to D", "kimg": "images shown to D (kimg times 1,000)"}
        if self._order in ("step", *units):
            steps = np.rint(order).astype(np.int64)
            if (np.diff(steps) > 0).all():
                return steps, f"steps are {units[self._order]}" if self._order in units else ""
        if self._order == "epoch" and epochs is not None and (np.diff(np.rint(epochs)) > 0).all():
            return np.rint(epochs).astype(np.int64), "steps are epochs"
        counted = f"steps are guessed: {self._unit}s of figures are counted, as none says its iteration"
        return np.rint(rows - rows[0]).astype(np.int64) + 1, counted

    def _describe_runs(self) -> Iterator[str]:
        if self._runs > 1:
            yield (
                f"{self._runs:,} runs in one log: it begins again at {self._unit} {self._back:,}; the last one is read"
            )
        if self._resumed:
            yield (
                f"steps go back at {self._unit} {self._resumed:,}, not to the beginning: what follows replaces what "
                "was logged of these steps"
            )

    @staticmethod
    def _derive(columns: dict[str, Floats]) -> Iterator[str]:
        """Add what follows from other columns, and rename what is something else than its name says."""
        parts = "discriminator_loss_real", "discriminator_loss_fake"
        if "discriminator_loss" not in columns and all(name in columns for name in parts):
            columns["discriminator_loss"] = columns[parts[0]] + columns[parts[1]]
            yield "discriminator_loss is the sum of its losses on real samples and on fakes"
        answers = [name for name in ANSWERS if name in columns]
        values = np.concatenate([columns[name] for name in answers]) if answers else np.zeros(0)
        if ((values < 0) | (values > 1)).any():
            for name in answers:
                columns[LOGITS[name]] = columns.pop(name)
            yield f"{' and '.join(answers)} leave [0, 1]: they are taken for logits, not for probabilities"


def _choose_order(columns: Columns) -> str:
    for name in ("step", "images", "kimg"):
        if name in columns:
            return name
    if "epoch" in columns:
        return "batch" if "batch" in columns else "epoch"
    return "row"
