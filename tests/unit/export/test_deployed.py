"""Generators as ONNX and .pt2 files: every family makes the samples there that it makes in PyTorch."""

import io
import json

import pytest
import torch

from tests.unit.export.untrained import CLASSES, small, untrained
from zerosum import catalog
from zerosum.errors import InputError
from zerosum.export import deployed, onnx, pt2
from zerosum.networks import Networks
from zerosum.networks.dropout import drop
from zerosum.networks.mlp import MLP

CONDITIONS = "projection", "concatenation", "auxiliary", "none"
FAMILIES = sorted(catalog.choices(Networks))


@pytest.mark.parametrize(("number", "name"), list(enumerate(FAMILIES)))
def test_every_family_makes_the_same_samples_elsewhere(number: int, name: str) -> None:
    networks = small(name, condition=CONDITIONS[number % 3], binary=3, dropout=0.25)
    generator = untrained(networks, 3, 9, 12)
    traced = deployed.trace(generator)
    assert traced.expected.float().std() > 20  # or differences would not show
    assert traced.expected.float().std(0).mean() > 5
    noise = traced.inputs["noise"]
    assert traced.describe() == (
        f"latents float32 [N, 8], classes int64 [N], noise float32 [N, {noise.shape[1]}] -> samples uint8 [N, 3, 9, 12]"
    )
    for writer in (onnx, pt2):
        content, difference = writer.convert(traced, generator)
        assert difference <= 1
        assert len(content) > sum(4 * each.numel() for each in generator.network.parameters())


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_traced_is_what_the_generator_makes(name: str) -> None:
    """Without dropout, whose numbers are drawn elsewhere, they are the samples of seed 0."""
    for condition in ("none", "projection"):
        generator = untrained(small(name, condition=condition, binary=2), 1, 8, 8)
        module = deployed.Deployed(generator).eval()
        with torch.no_grad():
            samples = module(**deployed.draw_inputs(generator, module, 65))
        assert (samples.int() - generator.sample(65, seed=0).int()).abs().max() <= 1


def test_dropout_drops_what_sampling_would_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = untrained(small("mlp", dropout=0.3), 1, 8, 8)
    module = deployed.Deployed(generator).eval()
    latents = deployed.draw_inputs(generator, module, 10)["latents"]
    drawn: list[torch.Tensor] = []

    def watched(batch: torch.Tensor, share: float) -> torch.Tensor:
        state = torch.get_rng_state()
        draws = torch.empty((batch.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        drawn.append((draws[: batch.numel()].view_as(batch).float() + 2**15) / 2**16)
        torch.set_rng_state(state)
        return drop(batch, share)

    monkeypatch.setattr("zerosum.networks.dropout.drop", watched)
    with torch.no_grad():
        expected = generator.generate(latents)
        assert torch.equal(module(latents, noise=torch.cat(drawn, 1)), expected)
        assert not torch.equal(module(latents, noise=1 - torch.cat(drawn, 1)), expected)


def test_points_stay_in_their_own_units() -> None:
    generator = untrained(MLP(latent=4, width=8), 2)
    traced = deployed.trace(generator)
    content, difference = onnx.convert(traced, generator)
    assert (traced.expected.dtype, traced.expected.shape) == (torch.float32, (65, 2))
    assert difference < 0.01
    torch.testing.assert_close(onnx.run(content, traced), generator.sample(65))
    moved = traced.expected + (traced.expected.amax(0) - traced.expected.amin(0)) * 2.55 / 255
    with pytest.raises(InputError, match=r"it differs from PyTorch by 2\.5\d* of 255, more than 1: nothing is written"):
        traced.compare(moved, "it")


def test_samples_that_differ_are_refused() -> None:
    generator = untrained(small("mlp"), 1, 8, 8)
    traced = deployed.trace(generator)
    assert traced.compare(traced.expected, "it") == 0
    assert traced.compare(traced.expected.clamp(1) - 1, "it") == 1
    with pytest.raises(InputError, match="it differs from PyTorch by 2 of 255"):
        traced.compare(traced.expected.clamp(2) - 2, "it")
    with pytest.raises(InputError, match=r"it makes samples uint8 \[N, 1, 8, 8\] of what should be"):
        traced.compare(traced.expected[:3], "it")
    points = deployed.Traced(traced.program, {}, torch.randn(65, 2))
    with pytest.raises(InputError, match="it differs from PyTorch by inf of 255"):
        points.compare(points.expected * torch.nan, "it")


def test_the_files_say_what_they_are() -> None:
    import onnx as library

    generator = untrained(small("mlp", condition="projection"), 1, 8, 8)
    traced = deployed.trace(generator)
    model = library.load_from_string(onnx.convert(traced, generator)[0])
    library.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.input] == ["latents", "classes"]
    assert [value.type.tensor_type.shape.dim[0].dim_param for value in model.graph.input] == ["batch", "batch"]
    assert {each.domain: each.version for each in model.opset_import}[""] == onnx.OPSET
    about = json.loads({each.key: each.value for each in model.metadata_props}["zerosum"])
    assert (about["classes"], about["latent"], about["prior"], about["step"]) == (CLASSES, 8, "normal", 7)
    extra = {pt2.ABOUT: ""}
    torch.export.load(io.BytesIO(pt2.convert(traced, generator)[0]), extra_files=extra)
    assert json.loads(extra[pt2.ABOUT]) == about
