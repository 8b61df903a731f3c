"""The trained generator: a function of its seed, saved and loaded as data."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.run.small import ENGINE, RECIPE, SOURCE, build
from zerosum.errors import InputError
from zerosum.game.engine import Engine
from zerosum.generator import FORMAT, TrainedGenerator
from zerosum.generator.interpolation import slerp
from zerosum.generator.loading import load
from zerosum.networks.compact import Compact
from zerosum.networks.mlp import MLP
from zerosum.run import checkpoint


def trained() -> TrainedGenerator:
    players, ema = build()
    network = ema.calibrated(players.networks, [], ENGINE.device)
    return TrainedGenerator(network, players.networks, SOURCE.shape, {}, ENGINE, {"recipe": RECIPE.as_json()})


def test_a_generator_comes_back_from_its_file(tmp_path: Path) -> None:
    saved = trained()
    saved.save(tmp_path / "g.safetensors")
    loaded = load(tmp_path / "g.safetensors")
    assert torch.equal(saved.sample(70, seed=3), loaded.sample(70, seed=3))
    assert loaded.metadata["recipe"] == RECIPE.as_json()


def test_samples_are_a_function_of_the_seed_and_their_place() -> None:
    made = trained()
    many = made.sample(150, seed=1)
    assert (many.shape, many.dtype) == ((150, 1, 8, 8), torch.uint8)
    for few in (1, 64, 65):
        assert torch.equal(made.sample(few, seed=1), many[:few])
    batches = list(made.sample_batches(150, seed=1))
    assert [len(batch) for batch in batches] == [64, 64, 22]
    assert torch.equal(torch.cat(batches), many)
    assert not torch.equal(made.sample(150, seed=2), many)
    with pytest.raises(InputError, match="cannot make 0 samples"):
        made.sample(0)


def test_between_batches_the_callers_randomness_is_its_own() -> None:
    networks = Compact(width=4, dropout=0.5)
    generator, _ = networks.build_pair((1, 8, 8), 0, seed=0)
    made = TrainedGenerator(generator.eval(), networks, (1, 8, 8), {}, ENGINE, {})

    def draws(seed: int) -> list[float]:
        torch.manual_seed(seed)
        return [
            torch.rand(()).item() for chunks in (made.sample_batches(100), made.sample_latents(100)) for _ in chunks
        ]

    assert draws(1) != draws(2)
    torch.manual_seed(7)
    pairs = list(zip(made.sample_batches(100, seed=0), made.sample_batches(100, seed=1), strict=True))
    after = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(after, torch.rand(3))
    assert torch.equal(torch.cat([first for first, _ in pairs]), made.sample(100, seed=0))  # with its dropout


def test_journeys_lead_from_one_latent_to_another() -> None:
    made = trained()
    journeys = made.interpolate(3, 5, seed=2).view(3, 5, 1, 8, 8)
    ends = torch.cat(list(made.sample_latents(6, seed=2)))[:6]
    expected = torch.cat([made.generate(ends)])
    assert (journeys[:, 0].int() - expected[0::2].int()).abs().max() <= 1  # rounding of the angle may cross a pixel's
    assert (journeys[:, -1].int() - expected[1::2].int()).abs().max() <= 1
    batches = list(made.interpolate_batches(3, 50, seed=2))
    assert [len(batch) for batch in batches] == [64, 64, 22]
    assert torch.equal(torch.cat(batches), made.interpolate(3, 50, seed=2))
    with pytest.raises(InputError, match="cannot make 1 journeys of 1 steps"):
        made.interpolate(1, 1)


def test_a_walk_passes_the_samples_and_has_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen in the latents: all steps of a leg are as long, also the last one, which leads back to the first sample."""
    made = trained()
    passed = torch.cat(list(made.walk(3, 50, seed=2)))
    assert (passed[::50].int() - made.sample(3, seed=2).int()).abs().max() <= 1
    monkeypatch.setattr(TrainedGenerator, "generate", lambda self, latents: latents)
    chunks = list(made.walk(3, 50, seed=2))
    assert max(len(chunk) for chunk in chunks) <= 64
    path = torch.cat(chunks)
    assert len(path) == 150
    stops = torch.cat(list(made.sample_latents(3, seed=2)))[:3]
    torch.testing.assert_close(path[::50], stops)
    turns = torch.nn.functional.cosine_similarity(path, path.roll(-1, 0)).view(3, 50)
    torch.testing.assert_close(turns, turns[:, :1].expand(-1, 50), rtol=0, atol=1e-3)
    with pytest.raises(InputError, match="cannot walk through 1 points"):
        next(made.walk(1, 5))


def test_a_walk_mixes_the_classes_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = Compact(width=4, latent=5, condition="projection")
    generator, _ = networks.build_pair((1, 8, 8), 3, seed=0)
    made = TrainedGenerator(generator.eval(), networks, (1, 8, 8), {"a": 1, "b": 1, "c": 1}, ENGINE, {})
    monkeypatch.setattr(TrainedGenerator, "generate", lambda self, latents: latents)
    path = torch.cat(list(made.walk(6, 4, seed=0)))[:, 5:].view(6, 4, 3)
    starts = path[:, 0]
    assert set(starts.flatten().tolist()) == {0.0, 1.0}
    assert len(starts.unique(dim=0)) > 1
    torch.testing.assert_close(path[:, 1], starts * 0.75 + starts.roll(-1, 0) * 0.25)
    same = torch.cat(list(made.walk(6, 4, seed=0, label="b")))[:, 5:]
    assert torch.equal(same, torch.tensor([0.0, 1, 0]).expand(24, -1))


def test_binary_latents_jump_half_way() -> None:
    networks = MLP(latent=3, binary=3, width=8)
    generator, _ = networks.build_pair((2,), 0, seed=0)
    made = TrainedGenerator(generator.eval(), networks, (2,), {}, Engine(torch.device("cpu")), {})
    journeys = made.interpolate(20, 8, seed=0).view(20, 8, 2)
    starts, ends = made.sample(40, seed=0).view(20, 2, 2).unbind(1)
    torch.testing.assert_close(journeys[:, :4], starts[:, None].expand(-1, 4, -1))
    torch.testing.assert_close(journeys[:, 4:], ends[:, None].expand(-1, 4, -1))


@given(seed=st.integers(0, 1000), steps=st.integers(2, 9), dimension=st.integers(2, 40))
def test_great_circles_keep_the_length_and_turn_evenly(seed: int, steps: int, dimension: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    start, end = torch.randn(2, 1, dimension, generator=draw, dtype=torch.float64)
    end = end * start.norm() / end.norm()
    points = slerp(start, end, steps)[0]
    torch.testing.assert_close(points.norm(dim=1), start.norm().expand(steps), rtol=1e-3, atol=0)
    turns = torch.nn.functional.cosine_similarity(points[1:], points[:-1], dim=1)
    torch.testing.assert_close(turns, turns[:1].expand(steps - 1), rtol=1e-3, atol=1e-3)


def test_a_conditional_generator_makes_the_class_that_is_asked_for(tmp_path: Path) -> None:
    networks = Compact(width=4, condition="projection")
    generator, _ = networks.build_pair((1, 8, 8), 3, seed=0)
    made = TrainedGenerator(generator.eval(), networks, (1, 8, 8), {"a": 70, "b": 30, "c": 0}, ENGINE, {})
    labels = torch.cat([latents[:, -3:].argmax(1) for latents in made.sample_latents(2_000, seed=1)])
    assert labels.bincount(minlength=3).tolist()[2] == 0
    assert labels.float().mean().item() == pytest.approx(0.3, abs=5 * (0.3 * 0.7 / 2_000) ** 0.5)
    assert torch.equal(made.sample_labels(130, seed=1), labels[:130])
    assert {int(latents[:, -3:].argmax(1).unique()) for latents in made.sample_latents(200, label="c")} == {2}
    made.save(tmp_path / "g.safetensors")
    assert torch.equal(load(tmp_path / "g.safetensors").sample(5, label="b"), made.sample(5, label="b"))
    with pytest.raises(InputError, match="unknown class 'd': choose one of: a, b, c"):
        made.sample(5, label="d")
    with pytest.raises(InputError, match="the generator was trained without labels"):
        trained().sample(5, label="b")
    with pytest.raises(InputError, match="have no classes: it was trained without labels"):
        trained().sample_labels(5)


def test_files_that_are_no_generators(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"not safetensors at all")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        load(tmp_path / "a.safetensors")
    checkpoint.save(tmp_path, 1, *build(), {})
    with pytest.raises(InputError, match="is not a generator written by zerosum"):
        load(tmp_path / "000001.safetensors")
    with pytest.raises(InputError, match="is not a run folder"):
        load(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        load(tmp_path / "missing.safetensors")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("{", "is not a generator written by zerosum"),
        ("[]", "is not a generator written by zerosum"),
        ("[" * 100_000, "is not a generator written by zerosum"),
        (json.dumps({"format": FORMAT}), "its header is damaged: it lacks networks, shape, classes"),
        (json.dumps({"format": FORMAT, "networks": "mlp", "shape": 3, "classes": {}}), "its header is damaged"),
        (json.dumps({"format": FORMAT, "networks": "mlp", "shape": [2], "classes": {}}), "do not fit the networks"),
        *(
            (json.dumps({"format": FORMAT, "networks": "mlp", "shape": [2], "classes": {}, **changed}), expected)
            for changed, expected in (
                ({"shape": ["x"]}, "its header is damaged: shape.0: it must be a whole number, but it was 'x'"),
                ({"shape": [-1]}, "its header is damaged: shape.0: it must be greater than or equal to 1"),
                ({"shape": [1, 2]}, "its header is damaged: shape: it must be of 1 or 3 numbers"),
                ({"shape": []}, "its header is damaged: shape: it must be of 1 or 3 numbers"),
                ({"classes": ["abc"]}, "its header is damaged: classes: "),
                ({"classes": {"a": -1}}, "its header is damaged: classes.a: it must be greater than or equal to 0"),
                ({"precision": "int4"}, "its header is damaged: precision: "),
                ({"networks": {"name": "os.system"}}, "unknown network 'os.system'"),
                ({"networks": {"name": "mlp", "width": -1}}, "its header is damaged: networks.width: "),
            )
        ),
    ],
)
def test_headers_from_strangers_are_data_not_code(tmp_path: Path, header: str, expected: str) -> None:
    content = safetensors.torch.save({"a": torch.zeros(1)}, {"zerosum": header})
    (tmp_path / "g.safetensors").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(tmp_path / "g.safetensors")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
