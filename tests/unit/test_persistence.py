"""Checkpoints, generators and the run folder: what is written is whole, and what is damaged is refused."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import images
from zerosum import checkpoint, gan, recipes, record
from zerosum.algorithm import play
from zerosum.average import Average
from zerosum.data import open_source
from zerosum.engine import Engine
from zerosum.errors import InputError
from zerosum.gan import GAN
from zerosum.interval import Interval
from zerosum.metrics import Metric, Score
from zerosum.networks.compact import Compact
from zerosum.networks.mlp import MLP
from zerosum.players import Players
from zerosum.playing import build
from zerosum.record import RunFolder, replacing, write_atomically
from zerosum.run import Run

SOURCE = images((1, 8, 8))
ENGINE = Engine(torch.device("cpu"))
RECIPE = recipes.change(recipes.change(recipes.find("compact"), "networks.width=4"), "batch_size=8")

NOTED = {"metrics_bytes": 0, "best": None}


def game(recipe: recipes.Recipe = RECIPE, seed: int = 0) -> tuple[Players, Average]:
    players = build(recipe, SOURCE, ENGINE, seed)
    return players, Average(players.generator.network, recipe.average)


def advance(players: Players, average: Average, start: int, stop: int) -> None:
    steps = play(
        players, RECIPE.game, SOURCE.train, ENGINE, batch_size=8, discriminator_steps=2, steps=20, seed=0, start=start
    )
    for _, iteration in zip(range(stop - start), steps, strict=False):
        average.update(iteration.step + 1)


def same(one: tuple[Players, Average], other: tuple[Players, Average]) -> bool:
    """Whether every parameter, buffer and optimiser state has the same bits."""
    here, there = (checkpoint._tensors(*each) for each in (one, other))
    return here.keys() == there.keys() and all(torch.equal(here[name], there[name]) for name in here)


REMEMBERING = recipes.change(
    RECIPE, 'tricks=[{"name": "replay", "capacity": 20}, {"name": "adaptive-augment", "ramp": 99}]'
)


@pytest.mark.parametrize(
    "recipe", [RECIPE, recipes.find("paper-mnist"), REMEMBERING], ids=["compact", "paper", "tricks"]
)
def test_a_restored_game_goes_on_bit_for_bit(tmp_path: Path, recipe: recipes.Recipe) -> None:
    whole, parts, other = game(recipe), game(recipe), game(recipe, seed=5)
    advance(*whole, 0, 8)
    advance(*parts, 0, 3)
    checkpoint.save(tmp_path, 3, *parts, NOTED)
    checkpoint.restore(checkpoint.latest(tmp_path), *other)
    assert bool(other[0].memory) == bool(recipe.tricks)
    advance(*other, 3, 8)
    assert same(whole, other)
    assert not same(whole, parts)


def test_only_the_last_two_are_kept(tmp_path: Path) -> None:
    players = game()
    for step in (1, 2, 3, 4, 5):
        checkpoint.save(tmp_path, step, *players, NOTED)
    assert checkpoint.steps(tmp_path) == [4, 5]
    assert len(list(tmp_path.iterdir())) == 4


def test_damaged_checkpoints_that_were_passed_over_do_not_displace_sound_ones(tmp_path: Path) -> None:
    players = game()
    for step in (900, 1000):
        checkpoint.save(tmp_path, step, *players, NOTED)
    (tmp_path / "001000.safetensors").write_bytes(b"")
    assert checkpoint.latest(tmp_path).step == 900
    checkpoint.save(tmp_path, 950, *players, NOTED)
    assert checkpoint.steps(tmp_path) == [900, 950]


def test_a_file_that_is_being_read_is_waited_for_where_that_stops_a_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "ATTEMPTS", 3)
    monkeypatch.setattr(record, "PAUSE", 0)
    answers: list[Exception | str] = [PermissionError("it is read"), PermissionError("it is read"), "done"]

    def act() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert record.patiently(act) == "done"
    answers += [PermissionError("it is read")] * 4
    with pytest.raises(PermissionError):
        record.patiently(act)
    assert len(answers) == 1


def test_what_is_pending_comes_back(tmp_path: Path) -> None:
    players, average = game()
    steps = play(
        players, RECIPE.game, SOURCE.train, ENGINE, batch_size=8, discriminator_steps=1, steps=20, seed=0, start=3
    )
    interval = Interval([iteration for iteration, _ in zip(steps, range(4), strict=False)])
    for pending in (interval, Interval()):
        checkpoint.save(tmp_path, 7, players, average, NOTED, pending.tensors())
        found = Interval.of(checkpoint.load(tmp_path, 7).pending, ENGINE.device)
        assert [each.step for each in found.iterations] == [each.step for each in pending.iterations]
        assert not found.iterations or found.summary() == pending.summary()


def test_a_damaged_checkpoint_is_refused_and_the_one_before_it_taken(tmp_path: Path) -> None:
    players = game()
    for step in (1, 2):
        checkpoint.save(tmp_path, step, *players, NOTED)
    file = tmp_path / "000002.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"000002.safetensors is damaged: its digest"):
        checkpoint.load(tmp_path, 2)
    older = checkpoint.latest(tmp_path)
    assert older.step == 1
    assert "000002.safetensors is damaged" in " ".join(older.passed_over)
    (tmp_path / "000001.json").write_text("{")
    with pytest.raises(InputError, match=r"000001.json is damaged: it does not describe a checkpoint"):
        checkpoint.load(tmp_path, 1)
    with pytest.raises(InputError, match=r"000002.safetensors is damaged: its digest"):  # of the newest
        checkpoint.latest(tmp_path)
    (tmp_path / "000002.safetensors").unlink()
    with pytest.raises(InputError, match=r"000002.safetensors cannot be read"):
        checkpoint.load(tmp_path, 2)


@pytest.mark.parametrize(
    "content",
    ["[]", "3", "{}", "[" * 100_000, "\xff"],
)
def test_other_json_beside_a_checkpoint_is_passed_over(tmp_path: Path, content: str) -> None:
    checkpoint.save(tmp_path, 1, *game(), NOTED)
    (tmp_path / "000002.json").write_text(content, encoding="latin-1")
    (tmp_path / "000002.safetensors").write_bytes(b"")
    older = checkpoint.latest(tmp_path)
    assert older.step == 1
    assert older.metadata["best"] is None
    assert "000002.json is damaged: it does not describe a checkpoint" in " ".join(older.passed_over)


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no checkpoint to resume from"):
        checkpoint.latest(tmp_path)


def test_a_checkpoint_of_other_networks_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, *game(), NOTED)
    with pytest.raises(InputError, match=r"of step 1 is of other networks .* size mismatch for") as caught:
        checkpoint.restore(checkpoint.latest(tmp_path), *game(recipes.change(RECIPE, "networks.width=5")))
    assert "\n" not in str(caught.value)


def trained_gan() -> gan.GAN:
    players, average = game()
    return gan.GAN(
        average.finished(players.networks, [], ENGINE.device),
        players.networks,
        SOURCE.shape,
        {},
        ENGINE,
        {"recipe": RECIPE.as_json()},
    )


def test_a_generator_comes_back_from_its_file(tmp_path: Path) -> None:
    saved = trained_gan()
    saved.save(tmp_path / "g.safetensors")
    loaded = gan.load(tmp_path / "g.safetensors")
    assert torch.equal(saved.sample(70, seed=3), loaded.sample(70, seed=3))
    assert loaded.about["recipe"] == RECIPE.as_json()


def test_samples_are_a_function_of_the_seed_and_their_place() -> None:
    made = trained_gan()
    many = made.sample(150, seed=1)
    assert (many.shape, many.dtype) == ((150, 1, 8, 8), torch.uint8)
    for few in (1, 64, 65):
        assert torch.equal(made.sample(few, seed=1), many[:few])
    batches = list(made.batches(150, seed=1))
    assert [len(batch) for batch in batches] == [64, 64, 22]
    assert torch.equal(torch.cat(batches), many)
    assert not torch.equal(made.sample(150, seed=2), many)
    with pytest.raises(InputError, match="cannot make 0 samples"):
        made.sample(0)


def test_between_batches_the_callers_randomness_is_its_own() -> None:
    networks = Compact(width=4, dropout=0.5)
    generator, _ = networks.pair((1, 8, 8), 0, seed=0)
    made = GAN(generator.eval(), networks, (1, 8, 8), {}, ENGINE, {})

    def draws(seed: int) -> list[float]:
        torch.manual_seed(seed)
        return [torch.rand(()).item() for chunks in (made.batches(100), made.codes(100)) for _ in chunks]

    assert draws(1) != draws(2)
    torch.manual_seed(7)
    pairs = list(zip(made.batches(100, seed=0), made.batches(100, seed=1), strict=True))
    after = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(after, torch.rand(3))
    assert torch.equal(torch.cat([first for first, _ in pairs]), made.sample(100, seed=0))  # with its dropout


def test_journeys_lead_from_one_latent_to_another() -> None:
    made = trained_gan()
    journeys = made.interpolate(3, 5, seed=2).view(3, 5, 1, 8, 8)
    ends = torch.cat(list(made.codes(6, seed=2)))[:6]
    expected = torch.cat([made._finish(made.forward(ends))])
    assert (journeys[:, 0].int() - expected[0::2].int()).abs().max() <= 1  # rounding of the angle may cross a pixel's
    assert (journeys[:, -1].int() - expected[1::2].int()).abs().max() <= 1
    with pytest.raises(InputError, match="cannot make 1 journeys of 1 steps"):
        made.interpolate(1, 1)


def test_binary_latents_jump_half_way() -> None:
    networks = MLP(latent=3, binary=3, width=8)
    generator, _ = networks.pair((2,), 0, seed=0)
    made = GAN(generator.eval(), networks, (2,), {}, Engine(torch.device("cpu")), {})
    journeys = made.interpolate(20, 8, seed=0).view(20, 8, 2)
    starts, ends = made.sample(40, seed=0).view(20, 2, 2).unbind(1)
    torch.testing.assert_close(journeys[:, :4], starts[:, None].expand(-1, 4, -1))
    torch.testing.assert_close(journeys[:, 4:], ends[:, None].expand(-1, 4, -1))


@given(seed=st.integers(0, 1000), steps=st.integers(2, 9), dimension=st.integers(2, 40))
def test_great_circles_keep_the_length_and_turn_evenly(seed: int, steps: int, dimension: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    start, end = torch.randn(2, 1, dimension, generator=draw, dtype=torch.float64)
    end = end * start.norm() / end.norm()
    points = gan.great_circle(start, end, steps)[0]
    torch.testing.assert_close(points.norm(dim=1), start.norm().expand(steps), rtol=1e-3, atol=0)
    turns = torch.nn.functional.cosine_similarity(points[1:], points[:-1], dim=1)
    torch.testing.assert_close(turns, turns[:1].expand(steps - 1), rtol=1e-3, atol=1e-3)


def test_a_conditional_generator_makes_the_class_that_is_asked_for(tmp_path: Path) -> None:
    networks = Compact(width=4, condition="projection")
    generator, _ = networks.pair((1, 8, 8), 3, seed=0)
    made = gan.GAN(generator.eval(), networks, (1, 8, 8), {"a": 70, "b": 30, "c": 0}, ENGINE, {})
    labels = torch.cat([codes[:, -3:].argmax(1) for codes in made.codes(2_000, seed=1)])
    assert labels.bincount(minlength=3).tolist()[2] == 0
    assert labels.float().mean().item() == pytest.approx(0.3, abs=5 * (0.3 * 0.7 / 2_000) ** 0.5)
    assert {int(codes[:, -3:].argmax(1).unique()) for codes in made.codes(200, label="c")} == {2}
    made.save(tmp_path / "g.safetensors")
    assert torch.equal(gan.load(tmp_path / "g.safetensors").sample(5, label="b"), made.sample(5, label="b"))
    with pytest.raises(InputError, match="no class is called 'd': choose one of: a, b, c"):
        made.sample(5, label="d")
    with pytest.raises(InputError, match="the generator was trained without labels"):
        trained_gan().sample(5, label="b")


def test_files_that_are_no_generators(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"not safetensors at all")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        gan.load(tmp_path / "a.safetensors")
    checkpoint.save(tmp_path, 1, *game(), NOTED)
    with pytest.raises(InputError, match="is not a generator written by zerosum"):
        gan.load(tmp_path / "000001.safetensors")
    with pytest.raises(InputError, match="is not a run folder"):
        gan.load(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        gan.load(tmp_path / "missing.safetensors")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("{", "is not a generator written by zerosum"),
        ("[]", "is not a generator written by zerosum"),
        ("[" * 100_000, "is not a generator written by zerosum"),
        (json.dumps({"format": gan.FORMAT}), "its header is damaged: it lacks networks, shape, classes"),
        (json.dumps({"format": gan.FORMAT, "networks": "mlp", "shape": 3, "classes": {}}), "its header is damaged"),
        (json.dumps({"format": gan.FORMAT, "networks": "mlp", "shape": [2], "classes": {}}), "do not fit the networks"),
        *(
            (json.dumps({"format": gan.FORMAT, "networks": "mlp", "shape": [2], "classes": {}, **changed}), expected)
            for changed, expected in (
                ({"shape": ["x"]}, "its header is damaged: shape.0: it must be a whole number, but it was 'x'"),
                ({"shape": [-1]}, "its header is damaged: shape.0: it must be greater than or equal to 1"),
                ({"shape": [1, 2]}, "its header is damaged: shape: it must be of 1 or 3 numbers"),
                ({"shape": []}, "its header is damaged: shape: it must be of 1 or 3 numbers"),
                ({"classes": ["abc"]}, "its header is damaged: classes: "),
                ({"classes": {"a": -1}}, "its header is damaged: classes.a: it must be greater than or equal to 0"),
                ({"precision": "int4"}, "its header is damaged: precision: "),
                ({"networks": {"name": "os.system"}}, "no networks is called 'os.system'"),
                ({"networks": {"name": "mlp", "width": -1}}, "its header is damaged: networks.width: "),
            )
        ),
    ],
)
def test_headers_from_strangers_are_data_not_code(tmp_path: Path, header: str, expected: str) -> None:
    content = safetensors.torch.save({"a": torch.zeros(1)}, {"zerosum": header})
    (tmp_path / "g.safetensors").write_bytes(content)
    with pytest.raises(InputError) as caught:
        gan.load(tmp_path / "g.safetensors")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_run_folder_says_where(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {"data": "digits"})
    with pytest.raises(InputError, match=r"run.json is damaged: it lacks fingerprint, seed"):
        folder.describe()
    folder.description.write_text("{")
    with pytest.raises(InputError, match=r"run.json is damaged"):
        folder.describe()
    whole = {**dict.fromkeys(("data", "fingerprint", "device", "precision"), "x"), "seed": 0, "steps": 1, "threads": 1}
    for name, value in (("steps", "many"), ("steps", 0), ("threads", True), ("seed", -1), ("data", ["digits"])):
        folder.description.write_text(json.dumps({**whole, "recipe": {}, name: value}))
        with pytest.raises(InputError, match=re.escape(f"run.json is damaged: {name} cannot be {value!r}")):
            folder.describe()
    folder.metrics.write_text('{"kind": "score"}\nxx\n')
    with pytest.raises(InputError, match=r"metrics.jsonl is damaged in line 2"):
        folder.lines("score")
    folder.close()


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_who_write_the_same_file_at_once_each_write_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with replacing(path) as one:
        one.write(b"one, begun")
        with replacing(path) as other:
            other.write(b"other")
        assert path.read_bytes() == b"other"
        one.write(b" and ended")
    assert path.read_bytes() == b"one, begun and ended"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("a" * 255), b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a" * 255]


def test_a_run_folder_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {"a": 1})
    other = RunFolder.open(tmp_path / "r")
    with pytest.raises(InputError, match="is in use by another process"):
        other.lock()
    folder.close()
    other.lock()
    other.close()


HOLDER = """
import sys
from dataclasses import fields
from pathlib import Path
from zerosum.record import RunFolder
folder = RunFolder.open(Path(sys.argv[1]))
folder.lock()
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_process_that_dies_gives_its_folder_back(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {})
    folder.close()
    command = [sys.executable, "-c", HOLDER, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(InputError, match="is in use by another process"):
            folder.lock()
        holder.kill()
    folder.lock()
    folder.close()


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".0.partial").touch()  # of run.json: no run began
    folder = RunFolder.create(tmp_path / "r", {})
    folder.close()
    (folder.checkpoints / ".1.partial").touch()
    folder.lock()
    folder.close()
    assert not list(folder.checkpoints.iterdir())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "film.partial").touch()  # somebody's
    with pytest.raises(InputError, match="exists already: please choose another --out"):
        RunFolder.create(tmp_path / "other", {})


class Counting:
    """An evaluation whose distance is smaller the more samples it sees, as a biased one is."""

    def __init__(self, level: float) -> None:
        self.level = level

    def scores(self, samples: Tensor, seed: int, metrics: Sequence[Metric] = (), *, training: bool) -> list[Score]:
        protocol = dict.fromkeys((each.name for each in fields(Score)), "")
        line = {"metric": "frechet-distance", "value": self.level + 1 / len(samples), "samples": len(samples)}
        return [Score(**{**protocol, **line})]  # type: ignore[arg-type]

    def closest(self, samples: Tensor, seed: int, count: int) -> Tensor:
        return samples[: 2 * count]


def test_the_best_is_found_among_distances_of_equally_many_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zerosum.run.INTERIM_SAMPLES", 10)
    monkeypatch.setattr("zerosum.run.sample_count", lambda source: 100)
    run = Run.create(tmp_path / "r", RECIPE, SOURCE, "digits", ENGINE, seed=0, steps=1)
    run.best = (0.1, 0)  # at 10 samples, so a level of 0
    assert run.train(Counting(0.05), lambda line: None, lambda: False)  # type: ignore[arg-type]
    (final,) = run.folder.lines("score")
    assert final["value"] == pytest.approx(0.06)
    assert run.best == (0.1, 0)
    run.folder.close()


def test_the_generator_is_made_once_for_each_step(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", RECIPE, SOURCE, "digits", ENGINE, seed=0, steps=2)
    first = run.gan()
    assert run.gan() is first
    run.train(Counting(0.0), lambda line: None, lambda: False)  # type: ignore[arg-type]
    assert run.gan().about["step"] == 2
    run.folder.close()


def test_what_a_kill_left_of_a_checkpoint_is_removed(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", RECIPE, SOURCE, "digits", ENGINE, seed=0, steps=1)
    players, average = run.players, run.average
    for step in (1, 2):
        checkpoint.save(run.folder.checkpoints, step, players, average, {})
    (run.folder.checkpoints / "000000.safetensors").write_bytes(b"its other half was deleted")
    checkpoint.save(run.folder.checkpoints, 3, players, average, {})
    names = {file.name for file in run.folder.checkpoints.iterdir()}
    assert names == {f"00000{step}.{kind}" for step in (2, 3) for kind in ("json", "safetensors")}
    run.folder.close()


def test_a_run_that_goes_on_has_no_generator_of_an_earlier_stop(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", RECIPE, SOURCE, "digits", ENGINE, seed=0, steps=3)
    run.train(Counting(0.0), lambda line: None, lambda: True)  # type: ignore[arg-type]
    assert run.folder.generator.exists()

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.train(Counting(0.0), lambda line: None, interrupt)  # type: ignore[arg-type]
    assert not run.folder.generator.exists()
    run.folder.close()


def test_where_nothing_can_be_written_a_run_can_be_looked_at(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "r", RECIPE, SOURCE, "digits", ENGINE, seed=0, steps=2)
    run.gan().save(run.folder.generator)
    run.folder.close()
    (tmp_path / "r" / ".lock").unlink(missing_ok=True)
    (tmp_path / "r" / ".lock").mkdir()  # as good as a medium that is read-only, also for root
    assert RunFolder.open(tmp_path / "r").describe()["steps"] == 2
    assert gan.load(tmp_path / "r").sample(1).shape == (1, 1, 8, 8)
    with pytest.raises(InputError, match=r"cannot write to .*: Is a directory"):
        Run.resume(tmp_path / "r")


def test_a_run_goes_on_where_it_was_or_on_the_device_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r"
    np.save(tmp_path / "noise.npy", SOURCE.train.samples[:, 0].numpy())
    source = open_source(str(tmp_path / "noise.npy"))
    Run.create(path, RECIPE, source, str(tmp_path / "noise.npy"), ENGINE, seed=0, steps=2).folder.close()
    about = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**about, "device": "cuda:7"}))
    for begin in (Run.look, Run.resume):
        with pytest.raises(InputError, match="device 'cuda:7' is not available here"):
            begin(path)
        run = begin(path, device="cpu")
        assert run.engine == ENGINE
        run.folder.close()
    assert json.loads((path / "run.json").read_text())["device"] == "cuda:7"


def test_nothing_is_imported_that_only_unix_has() -> None:
    found = [
        f"{path.name}: {line}"
        for path in Path(gan.__file__).parent.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(import|from) (fcntl|grp|pwd|resource|termios|tty)\b", line)
    ]
    assert found == []


def test_a_folder_that_exists_is_not_taken(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "r", {}).close()
    with pytest.raises(
        InputError, match=r"exists already: continue it with 'zerosum resume .*' or choose another --out"
    ):
        RunFolder.create(tmp_path / "r", {})
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="exists already: please choose another --out"):
        RunFolder.create(tmp_path / "file", {})
    with pytest.raises(InputError, match=r"cannot write to .*: Not a directory"):
        RunFolder.create(tmp_path / "file" / "r", {})


def test_metrics_survive_a_torn_last_line_and_can_be_cut_back(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {})
    folder.append({"kind": "iteration", "step": 1})
    length = folder.metrics.stat().st_size
    folder.append({"kind": "score", "step": 1})
    with folder.metrics.open("a") as file:
        file.write('{"kind": "iter')
    assert folder.lines("iteration") == [{"kind": "iteration", "step": 1}]
    assert folder.lines("score") == [{"kind": "score", "step": 1}]
    folder.rewind(length)
    assert json.loads(folder.metrics.read_text())["kind"] == "iteration"
    folder.close()


def test_a_new_run_is_another_s_from_its_first_byte_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_late(path: Path, content: bytes) -> None:
        monkeypatch.undo()
        with pytest.raises(InputError, match="is in use by another process"):
            RunFolder.create(tmp_path / "r", {"seed": 1})
        write_atomically(path, content)

    monkeypatch.setattr("zerosum.record.write_atomically", write_late)
    folder = RunFolder.create(tmp_path / "r", {"seed": 0})
    assert json.loads(folder.description.read_text()) == {"seed": 0}
    folder.close()


def test_a_folder_that_was_filled_before_it_was_locked_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = RunFolder.lock

    def lock_late(folder: RunFolder) -> None:
        monkeypatch.undo()
        RunFolder.create(tmp_path / "r", {"seed": 1}).close()
        lock(folder)

    monkeypatch.setattr(RunFolder, "lock", lock_late)
    with pytest.raises(InputError, match="exists already"):
        RunFolder.create(tmp_path / "r", {"seed": 0})
    assert json.loads((tmp_path / "r" / "run.json").read_text()) == {"seed": 1}
    folder = RunFolder.open(tmp_path / "r")
    folder.lock()  # it was given back
    folder.close()


def test_folders_that_nobody_named_are_numbered(tmp_path: Path) -> None:
    folders = [RunFolder.create(tmp_path / "a", {"seed": seed}, numbered=True) for seed in range(2)]
    (tmp_path / "a-3").write_text("x")
    folders.append(RunFolder.create(tmp_path / "a", {"seed": 2}, numbered=True))
    folders[0].close()
    folders.append(RunFolder.create(tmp_path / "a", {"seed": 3}, numbered=True))
    assert [folder.path.name for folder in folders] == ["a", "a-2", "a-4", "a-5"]
    for seed, folder in enumerate(folders):
        assert json.loads(folder.description.read_text()) == {"seed": seed}
        folder.close()
    with pytest.raises(InputError, match=r"cannot write to .*: Not a directory"):
        RunFolder.create(tmp_path / "a-3" / "b", {}, numbered=True)


@pytest.mark.parametrize("failing", ["_picture", "_save"])
def test_a_run_that_could_not_begin_leaves_its_folder_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(_: Run) -> None:
        raise OSError(28, "No space left on device")

    def begin() -> Run:
        return Run.create(tmp_path / "r", RECIPE, SOURCE, "noise", ENGINE, seed=0, steps=2)

    with monkeypatch.context() as patch:
        patch.setattr(Run, failing, fail)
        with pytest.raises(OSError, match="No space left"):
            begin()
    assert [path.name for path in tmp_path.rglob("*") if path.name != ".lock"] == ["r"]
    run = begin()
    assert checkpoint.steps(run.folder.checkpoints) == [0]
    run.folder.close()
