"""How a run is conducted: what is decided by who trains, and is no part of what is played."""

from pydantic.dataclasses import dataclass

from zerosum.types import OnNonfinite, StopWhen


@dataclass(frozen=True)
class Conduct:
    """What happens when something happens.

    Attributes:
        on_nonfinite: what to do when a loss or a weight is no longer finite: `stop`, or `rollback`, once, to the last
            checkpoint, and go on with half the learning rates; a run does so once, however often it is resumed.
        stop_when: end the run before its time, with its scores and report, where it has `converged` (five scores
            without a better one) or `collapsed` (two looks in a row, see `zerosum diagnose`).
        log: the tools to log to besides, by name.
    """

    on_nonfinite: OnNonfinite = "stop"
    stop_when: StopWhen = "never"
    log: tuple[str, ...] = ()


DEFAULT = Conduct()
