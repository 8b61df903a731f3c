"""The generator as a repository of the Hugging Face hub: weights, configuration, a model card, and an app for a Space.

The card says what was measured, and has a line to fill in where nothing is known: whose the data are.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from zerosum import catalog, records
from zerosum.errors import InputError
from zerosum.export import onnx
from zerosum.export.deployed import Traced
from zerosum.export.folders import check_free, write_folder
from zerosum.export.pictures import SOFTWARE
from zerosum.generator import TrainedGenerator
from zerosum.metrics import Score
from zerosum.places import HUB, MODEL, import_hub, shorten
from zerosum.records import ScoreRecord
from zerosum.run_description import Line
from zerosum.run_folder import RunFolder, enclosing_run

APP = "app.py", "requirements.txt"
MEMORISATION = "nearest-training", "nearer-than-real"
LICENCES = {  # of sets whose authors, or who publishes them, state one
    "digits": "CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits, Alpaydin & Kaynak 1998)",
    "fashion-mnist": "MIT (Zalando SE, Xiao et al. 2017)",
    "kmnist": "CC BY-SA 4.0 (ROIS-DS Center for Open Data in the Humanities, Clanuwat et al. 2018)",
    **dict.fromkeys(("ring", "grid", "gaussian"), "none is needed: the points are drawn from a formula"),
}
UNKNOWN = "FILL IN: whose the training data are, and under which licence"


def write(traced: Traced, generator: TrainedGenerator, run: Path, path: Path, name: str) -> float:
    """Write the repository to the folder `path`, all or nothing.

    Args:
        traced: the generator, traced.
        generator: the same.
        run: where it was loaded from; if that is in a run's folder, the card has its data and scores.
        path: a new or an empty folder.
        name: the title of the card, OWNER/NAME if it is known.

    Returns:
        The largest difference of the ONNX file from PyTorch, of 255.

    Raises:
        InputError: the generator cannot be converted, or the folder cannot be written.
    """
    check_free(path, "--hub")
    model, difference = onnx.convert(traced, generator)
    content = {
        MODEL: generator.encode(),
        "generator.onnx": model,
        "config.json": json.dumps({"model_type": "zerosum-generator", **onnx.describe(generator)}, indent=2).encode(),
        "README.md": write_card(generator, run, name).encode(),
    }
    if len(generator.shape) == 3:
        content |= {each: (files("zerosum.export") / "space" / each).read_bytes() for each in APP}
    write_folder(path, content)
    return difference


def write_card(generator: TrainedGenerator, run: Path, name: str) -> str:
    """Return the model card of a generator that was loaded from `run`."""
    about, scores = _read_run(run, generator.metadata.get("step"))
    environment = Environment(  # noqa: S701  # Markdown, not HTML; what comes from outside is in code spans
        loader=PackageLoader("zerosum.export", "."), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["code"] = _to_code
    return environment.get_template("card.md.j2").render(
        name=name,
        generator=generator,
        family=catalog.name_of(generator.networks),
        weights=sum(each.numel() for each in generator.network.parameters()),
        images=len(generator.shape) == 3,
        about=about,
        data=about.get("data"),
        licence=LICENCES.get(str(about.get("data")).removeprefix("builtin:"), UNKNOWN),
        groups=_by_protocol(scores),
        memorisation=[score for score in scores if score.metric in MEMORISATION],
        recipe=json.dumps(generator.metadata.get("recipe"), indent=2).replace("```", "'''"),
        software=SOFTWARE,
        hub=HUB,
    )


def _to_code(value: object) -> str:
    """Show a word from outside as a code span, in one line, which it cannot leave."""
    return f"`{' '.join(str(value).replace('`', chr(39)).split())}`"


def _read_run(run: Path, step: object) -> tuple[Line, list[Score]]:
    """Read what the run's folder, if there is one, says of the generator after `step`: `run.json` and its scores."""
    place = run.expanduser().resolve()
    folder = place if (place / "run.json").is_file() else enclosing_run(place)
    if folder is None or not place.exists():
        return {}, []
    opened = RunFolder.open(folder)
    return opened.describe(), [each.score for each in records.read(opened, ScoreRecord) if each.step == step]


def _by_protocol(scores: list[Score]) -> list[tuple[Score, list[Score]]]:
    """Group scores of the same features, each group after its first one."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        groups.setdefault(score.features, []).append(score)
    return [(group[0], group) for group in groups.values()]


def push(folder: Path, repository: str, *, private: bool) -> str:
    """Upload `folder` to the repository OWNER/NAME, which is made if there is none; return its address.

    The token is that of 'hf auth login' or of HF_TOKEN.

    Raises:
        InputError: huggingface_hub is not installed, or the hub refuses.
    """
    library: Any = import_hub()
    try:
        api = library.HfApi()
        address = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message=f"Upload by {SOFTWARE}")
    except Exception as error:  # what it raises is not documented
        raise InputError(
            f"cannot upload to {HUB}{repository}: {shorten(error)}; log in with 'hf auth login' or set HF_TOKEN"
        ) from None
    return str(address)
