"""Checkpoints: the whole state of a game as safetensors with a JSON beside it, written atomically, verified on loading.

`000500.safetensors` holds the tensors, `000500.json` their digest and what else is needed. The JSON is written last:
a checkpoint without it does not exist. Randomness is a function of the step, so no random state is kept.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from zerosum.average import Average
from zerosum.catalog import name_of
from zerosum.errors import InputError
from zerosum.players import Player, Players
from zerosum.record import patiently, write_atomically

KEEP = 2


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint: the state after `step` iterations, and the metadata saved with it.

    `passed_over` says what is wrong with newer ones.
    """

    step: int
    tensors: dict[str, Tensor]
    metadata: dict[str, Any]
    passed_over: tuple[str, ...] = ()

    @property
    def pending(self) -> dict[str, Tensor]:
        """What was saved with the players and is not of them."""
        return _by_part(self.tensors).get("pending", {})


def save(
    folder: Path,
    step: int,
    players: Players,
    average: Average,
    metadata: dict[str, Any],
    pending: dict[str, Tensor] | None = None,
) -> None:
    """Write the checkpoint of `step`, with whatever else is `pending` then, and keep the one before it and no other.

    Newer ones are there where a damaged one was passed over; what they held is played again.
    """
    tensors = _tensors(players, average) | {f"pending/{key}": tensor for key, tensor in (pending or {}).items()}
    content = safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    write_atomically(folder / f"{step:06d}.safetensors", content)
    about = {"step": step, "sha256": hashlib.sha256(content).hexdigest(), **metadata}
    write_atomically(folder / f"{step:06d}.json", json.dumps(about, indent=2).encode())
    kept = [each for each in steps(folder) if each <= step][-KEEP:]
    for file in sorted(folder.glob("*.json")) + sorted(folder.glob("*.safetensors")):  # so that none is without tensors
        if file.stem.isdigit() and int(file.stem) not in kept:
            patiently(file.unlink)


def steps(folder: Path) -> list[int]:
    """The steps of which there is a checkpoint, in order."""
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


def latest(folder: Path) -> Checkpoint:
    """The newest checkpoint that is whole, and why it is not a newer one.

    Raises:
        InputError: there is none.
    """
    problems: list[str] = []
    for step in reversed(steps(folder)):
        try:
            return replace(load(folder, step), passed_over=tuple(problems))
        except InputError as error:
            problems.append(str(error))
    nothing = f"{folder} has no checkpoint to resume from: start the run anew with 'zerosum train'"
    raise InputError(problems[0] if problems else nothing)


def restore(checkpoint: Checkpoint, players: Players, average: Average) -> None:
    """Put the players, their optimisers and the average into the saved state, bit for bit.

    Raises:
        InputError: the checkpoint is of other networks.
    """
    parts = _by_part(checkpoint.tensors)
    device = next(players.discriminator.network.parameters()).device
    try:
        for name, player in _named(players):
            player.network.load_state_dict(parts[name])
            player.optimizer.load_state_dict(_optimizer_state(player, parts.get(f"{name}_optimizer", {})))
        average.network.load_state_dict(parts["average"])
        players.memory.clear()
        players.memory.update({name: tensor.to(device) for name, tensor in parts.get("memory", {}).items()})
    except (KeyError, RuntimeError, ValueError) as error:
        reason = str(error).split("\n\t")[-1]  # PyTorch lists what does not fit, each on a line of its own
        raise InputError(
            f"the checkpoint of step {checkpoint.step} is of other networks than the recipe's, "
            f"{name_of(players.networks)}: {reason}"
        ) from None


def _named(players: Players) -> tuple[tuple[str, Player], ...]:
    return ("generator", players.generator), ("discriminator", players.discriminator)


def _tensors(players: Players, average: Average) -> dict[str, Tensor]:
    """Every tensor of the state, as `part/name`; an optimiser's as `part_optimizer/parameter number.name`."""
    found = {f"average/{key}": tensor for key, tensor in average.network.state_dict().items()}
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
    """Each tensor in its parameter's memory format: PyTorch's fused kernels pair the two by their place in memory."""
    parameters = list(player.network.parameters())
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        like = parameters[int(number)]
        placed = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
        state.setdefault(int(number), {})[key] = placed
    return {"state": state, "param_groups": player.optimizer.state_dict()["param_groups"]}
