"""Whatever happens to a file that zerosum reads, it is read, or an error of zerosum's own says so in one line."""

import pytest

from tests.property.formats import Format, find_surprise, make_formats

EACH = 40


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Format]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("formats")
        patch.setenv("ZEROSUM_CACHE", str(folder / "cache"))
        return {each.name: each for each in make_formats(folder)}


NAMES = (
    *(
        "generator.safetensors",
        "run.json",
        "metrics.jsonl",
        "equilibrium.jsonl",
        "checkpoint, its JSON",
        "checkpoint",
        "recipe",
        "pack.json",
    ),
    *("pack, its pixels", "pack, its files", "idx", "idx, labels", "npy", "npz", "labels"),
)


@pytest.mark.parametrize("name", NAMES)
def test_changed_files(name: str, formats: dict[str, Format]) -> None:
    assert set(formats) == set(NAMES)
    formats[name].open()
    surprises = [find_surprise(formats[name], seed) for seed in range(EACH)]
    assert [each for each in surprises if each] == []
    formats[name].open()
