"""Restore a run from its folder: to train on, or only to look at it."""

from pathlib import Path

from zerosum import recipes
from zerosum.data.readers import make_absolute, open_source
from zerosum.data.recorded import open_recorded
from zerosum.errors import InputError
from zerosum.game.distributed import ALONE, Team
from zerosum.game.engine import Engine
from zerosum.run import checkpoint
from zerosum.run.checkpoint import Progress
from zerosum.run.environment import compare, describe_environment
from zerosum.run.length import Length, check_length, explain_prolonged, prolong
from zerosum.run.pace import Pace
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder


def resume(
    path: Path,
    *,
    data: str | None = None,
    allow_changed_data: bool = False,
    device: str | None = None,
    length: Length | None = None,
    team: Team = ALONE,
) -> Trainer:
    """Restore the run in `path` from its newest intact checkpoint, to train on.

    It goes on with the same bits on the device that it was on; on another `device` they may differ.

    Args:
        path: the run's folder.
        data: where its data lie now, if they were moved; noted in `run.json`.
        allow_changed_data: whether they may be others than those it began with.
        device: another one than the run's.
        length: how much longer to train than was planned; noted in `run.json`.
        team: the processes that play it from now on; not necessarily as many as before.

    Raises:
        InputError: it is no run, another process is in it, it is finished and no more was asked for, it has no
            checkpoint, its data are gone or changed, or the device is not there.
    """
    folder, length = RunFolder.open(path), length or Length()
    folder.lock()
    try:
        check_length(folder, length)
        trainer, progress = _restore(folder, data, device, team, allow_changed_data=allow_changed_data)
        _lengthen(trainer, length)
        folder.rewind(progress.metrics_bytes)
        if allow_changed_data or data is not None:
            place = folder.describe()["data"] if data is None else make_absolute(data)
            folder.note_data(place, trainer.source.fingerprint, trainer.step)
        _note_environment(trainer)
        if length.given:
            folder.note_lengths(trainer.lengths)
            folder.note(minutes=None if trainer.pace is None else trainer.pace.budget / 60)
        trainer.lead()
        return trainer
    except BaseException:
        folder.close()
        raise


def look(path: Path, *, data: str | None = None, device: str | None = None, team: Team = ALONE) -> Trainer:
    """Restore the run in the same state only to look at it: lock and change nothing in its folder.

    Raises:
        InputError: it is no run, it has no checkpoint, its data are gone or changed, or the device is not there.
    """
    return _restore(RunFolder.open(path), data, device, team, allow_changed_data=False)[0]


def _restore(
    folder: RunFolder, data: str | None, device: str | None, team: Team, *, allow_changed_data: bool
) -> tuple[Trainer, Progress]:
    about, recipe = folder.describe(), recipes.of_run(folder)
    device = device or about["device"]
    Engine.choose(device, about["precision"])  # what is not there is refused before data are read
    state = checkpoint.load_latest(folder.checkpoints)
    if data is None:
        source = open_recorded(about, recipe.data, "say where they lie now, --data PLACE")
    else:
        source = open_source(data, recipe.data)
    if source.fingerprint != about["fingerprint"] and not allow_changed_data:
        changed = f"the data at {about['data']} have changed since the run began"
        others = f"the data at {data} are not those that the run was trained on: give the place of these, or"
        raise InputError(
            f"{f'{changed};' if data is None else others} 'zerosum resume' goes on with --allow-changed-data"
        )
    trainer = Trainer.build(folder, recipe, source, {**about, "device": device}, team)
    return trainer, trainer.put(state)


def _lengthen(trainer: Trainer, length: Length) -> None:
    """Take more iterations than were planned, if `length` asks for them, and say what that does to schedules."""
    before, steps = trainer.steps, length.steps
    if length.minutes is not None:
        more, done, took = 60 * length.minutes, trainer.step, trainer.seconds
        trainer.pace = Pace(took + more)
        steps = done + max(1, int(more * done / took)) if done and took else before
    elif steps is not None:
        trainer.pace = None
    if steps is None or steps == before:
        return
    trainer.lengths = prolong(trainer.lengths, trainer.step, steps)
    players = {"generator": trainer.players.generator, "discriminator": trainer.players.discriminator}
    configs = {name: player.optimizer_config for name, player in players.items()}
    trainer.prolonged = explain_prolonged(configs, trainer.step, before, steps)


def _note_environment(trainer: Trainer) -> None:
    """Note in `run.json`, and in `elsewhere`, what bits depend on and is other than where the run was before."""
    about, now = trainer.folder.describe(), describe_environment(trainer.engine.device)
    moved = about.get("moved", [])
    changes = compare(moved[-1] if moved else about, now)
    if changes:
        trainer.elsewhere = f"{', '.join(changes)}: the bits from here on may be others than without a stop"
        trainer.folder.note(moved=[*moved, {"step": trainer.step, **now}])
