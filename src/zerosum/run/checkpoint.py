"""Write and read checkpoints: the whole state of a game as safetensors with a JSON beside it, atomic and verified.

`000500.safetensors` holds the tensors, `000500.json` their digest and the run's progress. The JSON is written last:
without it there is no checkpoint. Randomness is a function of the step, so no random state is kept.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import pydantic
import safetensors.torch
import torch
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor

from zerosum.atomic import retry, write_atomically
from zerosum.catalog import name_of
from zerosum.errors import InputError
from zerosum.game.ema import EMA
from zerosum.game.players import Player, Players

KEEP = 2


@pydantic.dataclasses.dataclass(frozen=True)
class Progress:
    """How far a run is, as a checkpoint keeps it beside its tensors.

    Attributes:
        metrics_bytes: the length of `metrics.jsonl`.
        seconds: of training so far.
        best: the smallest Fréchet distance so far, and the step it was measured at.
    """

    metrics_bytes: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)] = 0.0
    best: tuple[float, int] | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint: the state after `step` iterations, and the metadata saved with it.

    `skipped` says what is wrong with newer ones.
    """

    step: int
    tensors: dict[str, Tensor]
    metadata: dict[str, Any]
    skipped: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, dict[str, Tensor]]:
        """The tensors by the part of the game that they belong to, and by name."""
        return _by_part(self.tensors)

    def read_progress(self, folder: Path) -> Progress:
        """Return how far the run is, by the metadata; the checkpoint lies in `folder`.

        Raises:
            InputError: they are damaged.
        """
        try:
            return TypeAdapter(Progress).validate_python(self.metadata)
        except ValidationError as error:
            where, problem = folder / f"{self.step:06d}.json", error.errors()[0]
            raise InputError(f"{where} is damaged: {problem['loc'][0]}: {problem['msg'].lower()}") from None

    @property
    def window(self) -> dict[str, Tensor]:
        """What the iterations since the last line of the metrics measured."""
        return self.parts.get("window", {})


def save(
    folder: Path,
    step: int,
    players: Players,
    ema: EMA,
    metadata: dict[str, Any],
    window: dict[str, Tensor] | None = None,
) -> None:
    """Write the checkpoint of `step`, with the open logging `window`, and delete all but the one before it.

    Newer ones, which remain where a damaged checkpoint was skipped, are deleted too: their iterations are played again.
    """
    tensors = _tensors(players, ema) | {f"window/{key}": tensor for key, tensor in (window or {}).items()}
    content = safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    write_atomically(folder / f"{step:06d}.safetensors", content)
    about = {"step": step, "sha256": hashlib.sha256(content).hexdigest(), **metadata}
    write_atomically(folder / f"{step:06d}.json", json.dumps(about, indent=2).encode())
    kept = [each for each in steps(folder) if each <= step][-KEEP:]
    for file in sorted(folder.glob("*.json")) + sorted(
        folder.glob("*.safetensors")
    ):  # each JSON goes before its tensors
        if file.stem.isdigit() and int(file.stem) not in kept:
            retry(file.unlink)


def steps(folder: Path) -> list[int]:
    """List the steps that have a checkpoint, in order."""
    return sorted(int(file.stem) for file in folder.glob("*.json") if file.stem.isdigit())


def load(folder: Path, step: int) -> Checkpoint:
    """Read and verify the checkpoint of `step`.

    Raises:
        InputError: it is damaged.
    """
    file, beside = (folder / f"{step:06d}.{ending}" for ending in ("safetensors", "json"))
    try:
        about = json.loads(beside.read_bytes())
        noted, content = about["sha256"], file.read_bytes()
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError(f"{beside} is damaged: it does not describe a checkpoint") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error}") from None
    if hashlib.sha256(content).hexdigest() != noted:
        raise InputError(f"{file} is damaged: its digest is not the one noted when it was written")
    return Checkpoint(step, safetensors.torch.load(content), about)


def load_latest(folder: Path) -> Checkpoint:
    """Load the newest intact checkpoint, and note what is wrong with newer ones.

    Raises:
        InputError: there is none.
    """
    problems: list[str] = []
    for step in reversed(steps(folder)):
        try:
            return replace(load(folder, step), skipped=tuple(problems))
        except InputError as error:
            problems.append(str(error))
    nothing = f"{folder} has no checkpoint to resume from: start the run anew with 'zerosum train'"
    raise InputError(problems[0] if problems else nothing)


def restore(checkpoint: Checkpoint, players: Players, ema: EMA) -> None:
    """Restore the players, their optimisers and the EMA to the saved state, bit for bit.

    Raises:
        InputError: the checkpoint is of other networks.
    """
    parts = checkpoint.parts
    device = next(players.discriminator.network.parameters()).device
    try:
        for name, player in _named(players):
            player.network.load_state_dict(parts[name])
            player.optimizer.load_state_dict(_optimizer_state(player, parts.get(f"{name}_optimizer", {})))
        ema.network.load_state_dict(parts["ema"])
        players.memory.clear()
        players.memory.update({name: tensor.to(device) for name, tensor in parts.get("memory", {}).items()})
    except (KeyError, IndexError, RuntimeError, ValueError) as error:
        reason = str(error).split("\n\t")[-1]  # PyTorch lists what does not fit, each on a line of its own
        raise InputError(
            f"the checkpoint of step {checkpoint.step} is of other networks than the recipe's, "
            f"{name_of(players.networks)}: {reason}"
        ) from None


def _named(players: Players) -> tuple[tuple[str, Player], ...]:
    return ("generator", players.generator), ("discriminator", players.discriminator)


def _tensors(players: Players, ema: EMA) -> dict[str, Tensor]:
    """Collect all tensors of the state as `part/name`, an optimiser's as `part_optimizer/parameter number.name`."""
    found = {f"ema/{key}": tensor for key, tensor in ema.network.state_dict().items()}
    found |= {f"memory/{key}": tensor for key, tensor in players.memory.items()}
    for name, player in _named(players):
        found |= {f"{name}/{key}": tensor for key, tensor in player.network.state_dict().items()}
        for number, state in player.optimizer.state_dict()["state"].items():
            found |= {f"{name}_optimizer/{number}.{key}": value for key, value in state.items() if value is not None}
    return found


def _by_part(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part, key = name.split("/", 1)
        parts.setdefault(part, {})[key] = tensor
    return parts


def _optimizer_state(player: Player, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Bring each tensor into its parameter's memory format: fused kernels pair the two by their place in memory."""
    parameters = player.parameters
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        like = parameters[int(number)]
        placed = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
        state.setdefault(int(number), {})[key] = placed
    return {"state": state, "param_groups": player.optimizer.state_dict()["param_groups"]}
