"""Other programs' logs: each kind is recognised, its figures have our names, and what cannot be said is noted."""

import csv
import json
import math
import tracemalloc
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.loggers.test_loggers import Run
from zerosum import loggers
from zerosum.errors import InputError
from zerosum.foreign import TrainingLog, read_log
from zerosum.foreign.points import MOST_POINTS
from zerosum.foreign.spellings import OWN, recognise

TENSORBOARD = pytest.mark.skipif(not loggers.is_installed("tensorboard"), reason="the package tensorboard is not there")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, lines: Iterable[str], name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def read(folder: Path, *lines: str, name: str = "log.csv") -> TrainingLog:
    return read_log(write(folder, lines, name))


def values(log: TrainingLog, name: str) -> list[float]:
    return [round(value, 6) for value in log.columns[name].tolist()]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        *((word, "discriminator_loss") for word in ("d_loss", "Loss_D", "lossD", "errD", "train/d_loss", "D")),
        *((word, "generator_loss") for word in ("g_loss", "Loss/G/loss", "Generator Loss", "train_g_loss_epoch", "G")),
        ("D(x)", "d_real"),
        ("D_x", "d_real"),
        ("D(G(z))", "d_fake"),
        ("D_G_z1", "d_fake"),
        ("D_G_z2", "d_fake_after"),
        ("Loss/r1_penalty", "penalty"),
        ("Loss/scores/fake", "fake_logit"),
        ("FID", "fid"),
        ("global_step", "step"),
        ("lr", None),
        ("step_loss", None),
    ],
)
def test_names_are_recognised(name: str, own: str | None) -> None:
    assert recognise(name) == own


def test_our_own_names_are_recognised() -> None:
    assert {own for own in OWN.values() if recognise(own) != own} == set()


def test_a_table(folder: Path) -> None:
    log = read(folder, "iter,errD,errG,D(x),D_G_z1,lr", "0,1.5,2,0.5,0.25,1", "10,1,3,0.75,0.125,1")
    assert (log.kind, log.steps.tolist(), log.unknown, log.notes) == ("CSV", [0, 10], ("lr",), ())
    assert log.steps.dtype == np.int64
    assert {name: values(log, name) for name in log.columns} == {
        "discriminator_loss": [1.5, 1],
        "generator_loss": [2, 3],
        "d_real": [0.5, 0.75],
        "d_fake": [0.25, 0.125],
    }


def test_what_a_table_does_not_say_is_noted(folder: Path) -> None:
    log = read(folder, "d_loss;note", "0.5;a", "0.25;b", "nan;c", "inf;d")
    assert log.steps.tolist() == [1, 2, 3, 4]
    assert [math.isnan(value) for value in values(log, "discriminator_loss")] == [False, False, True, True]
    assert log.notes == (
        "steps are guessed: lines of figures are counted, as none says its iteration",
        "discriminator_loss is not finite from line 4 on",
        "no loss of the generator",
        "no answers of D, as D(x) and D(G(z)): whether it tells both apart cannot be said",
    )


def test_numbers_that_are_not_finite_now_and_then(folder: Path) -> None:
    log = read(folder, "step,d_loss,g_loss,acc", "1,nan,1,50%", "2,1,tensor(0.5),60%", "3,nan,1,70%", "4,1,,80%")
    assert "discriminator_loss is not finite in 2 of its values, first in line 2" in log.notes
    assert values(log, "generator_loss")[1] == 0.5
    assert math.isnan(values(log, "generator_loss")[3])
    assert values(log, "accuracy") == [0.5, 0.6, 0.7, 0.8]


def test_answers_outside_0_and_1_are_logits(folder: Path) -> None:
    log = read(folder, "step,d_loss,g_loss,real_score,fake_score", "1,1,1,0.5,0.5", "2,1,1,7,-3")
    assert (values(log, "real_logit"), values(log, "fake_logit")) == ([0.5, 7], [0.5, -3])
    assert any("taken for logits" in note for note in log.notes)


def test_losses_on_both_kinds_are_added(folder: Path) -> None:
    log = read(folder, "epoch,d_loss_real,d_loss_fake,g_loss", "1,0.5,0.25,1", "2,1,2,3")
    assert values(log, "discriminator_loss") == [0.75, 3]
    assert log.notes[:2] == (
        "steps are epochs",
        "discriminator_loss is the sum of its losses on real samples and on fakes",
    )


def test_epochs_that_repeat_are_no_steps(folder: Path) -> None:
    log = read(folder, "epoch,batch,d_loss,g_loss", "0,0,1,1", "0,1,1,1", "1,0,1,1", "1,1,1,1")
    assert log.steps.tolist() == [1, 2, 3, 4]
    assert log.notes[0].startswith("steps are guessed")
    assert len(read(folder, "epoch,d_loss,g_loss", "0,1,1", "0,1,1", "1,1,1")) == 3


def test_lightning(folder: Path) -> None:
    log = read(
        folder,
        "d_loss,epoch,fid,g_loss,step",
        "0.5,0,,,49",
        ",0,,2.0,49",
        ",0,31.5,,60",
        "0.25,1,,1.0,99",
    )
    assert (log.kind, log.steps.tolist()) == ("Lightning metrics.csv", [49, 60, 99])
    assert (log.columns["discriminator_loss"][[0, 2]].tolist(), log.columns["fid"][1]) == ([0.5, 0.25], 31.5)
    assert np.isnan(log.columns["fid"][[0, 2]]).all()
    assert not any("finite" in note for note in log.notes)


def test_stylegan(folder: Path) -> None:
    def line(kimg: float, loss: float, sign: float) -> str:
        def figure(mean: float) -> dict[str, float]:
            return {"num": 64, "mean": mean, "std": 0.1}

        return json.dumps(
            {
                "Loss/G/loss": figure(loss),
                "Loss/D/loss": figure(loss / 2),
                "Loss/scores/real": figure(1.5),
                "Loss/scores/fake": figure(-1.5),
                "Loss/signs/real": figure(sign),
                "Loss/signs/fake": figure(-sign),
                "Loss/r1_penalty": figure(0.01),
                "Progress/kimg": figure(kimg),
                "Progress/augment": figure(0.2),
                "timestamp": 1.6e9,
            }
        )

    log = read(folder, line(0.1, 1.0, 0.5), line(4.1, 2.0, 1.0), name="stats.jsonl")
    assert (log.kind, log.steps.tolist(), log.unknown) == ("StyleGAN stats.jsonl", [100, 4100], ("timestamp",))
    assert log.notes == ("steps are images shown to D (kimg times 1,000)",)
    assert values(log, "real_accuracy") == values(log, "fake_accuracy") == [0.75, 1.0]
    assert (values(log, "discriminator_loss"), values(log, "penalty")) == ([0.5, 1.0], [0.01, 0.01])
    assert (values(log, "real_logit"), values(log, "augment_p")) == ([1.5, 1.5], [0.2, 0.2])


def test_stylegan_metrics(folder: Path) -> None:
    lines = [
        json.dumps(
            {"results": {"fid50k_full": fid}, "metric": "fid50k_full", "snapshot_pkl": f"network-{kimg:06d}.pkl"}
        )
        for kimg, fid in ((0, 300.0), (200, 50.0))
    ]
    log = read(folder, *lines, name="metric-fid50k_full.jsonl")
    assert (log.steps.tolist(), values(log, "fid")) == ([0, 200_000], [300, 50])


def test_json_lines(folder: Path) -> None:
    log = read(folder, '{"step": 1, "loss": {"d": 0.5, "g": NaN}}', "", '{"step": 2, "loss": {"d": 1, "g": 2}}', '{"st')
    assert (log.kind, log.steps.tolist(), values(log, "discriminator_loss")) == ("JSON lines", [1, 2], [0.5, 1])
    assert log.notes[0] == "1 lines are left out: they are no whole JSON objects"


def test_the_dcgan_example(folder: Path) -> None:
    log = read(
        folder,
        "Starting Training Loop...",
        "[0/25][0/1583]\tLoss_D: 1.7\tLoss_G: 4.1\tD(x): 0.5\tD(G(z)): 0.4 / 0.02",
        "[0/25][50/1583]\tLoss_D: 0.7\tLoss_G: nan\tD(x): 0.6\tD(G(z)): 0.3 / 0.01",
        "[1/25][0/1583] Loss_D: 1e-3 Loss_G: nan D(x): 0.6 D(G(z)): 0.3 / 0.01",
        name="out.txt",
    )
    assert (log.kind, log.steps.tolist()) == ("text of PyTorch's DCGAN example", [0, 50, 1583])
    assert (values(log, "discriminator_loss"), values(log, "d_fake_after")) == ([1.7, 0.7, 0.001], [0.02, 0.01, 0.01])
    assert log.notes == ("generator_loss is not finite from line 3 on",)


def test_lightweight_gan(folder: Path) -> None:
    bar = "\rdefault<./data>:   0%|      | {}/150000 [00:01<10:00,  3.1it/s]"
    lines = [bar.format(1), bar.format(50), "G: -0.31 | D: 1.98 | GP: 0.12 | SS: 0.05", bar.format(100)]
    log = read(folder, *lines, "G: 0.5 | D: 1.5 | GP: 0.1 | SS: 0.05 | FID: 120.5", name="out.txt")
    assert (log.kind, log.steps.tolist(), log.unknown) == ("lightweight-gan log", [50, 100], ("SS",))
    assert (values(log, "generator_loss"), values(log, "penalty")) == ([-0.31, 0.5], [0.12, 0.1])
    assert log.columns["fid"][1] == 120.5
    bare = read(folder, "G: 1.23 | D: 0.98", "G: 1.2 | D: 0.9", name="out.txt")
    assert bare.steps.tolist() == [1, 2]
    assert bare.notes[0].startswith("steps are guessed: lines")


@pytest.mark.parametrize(
    ("lines", "steps"),
    [
        (["[Epoch 1/200] [Batch 3/938] [D loss: 0.5] [G loss: 2.0]"], [941]),
        (["0 [D loss: 0.5, acc.: 50.00%] [G loss: 2.0]", "7 [D loss: 0.5, acc.: 60%] [G loss: 2.0]"], [0, 7]),
        (["Epoch [2/25], Step [100/600], d_loss: 0.5, g_loss: 2.0, D(x): 0.5, D(G(z)): 0.4"], [1300]),
        (["step 1,200 of 6,000  41.3/s  D loss 0.5  G loss 2.0  D(x) 0.58  D(G(z)) 0.42"], [1200]),
        (["Iter: 10 errD=0.5 errG=2.0e0", "nothing", "Iter: 20 errD=0.5 errG=2.0"], [10, 20]),
        (["2026-11-29 23:16:14 INFO epoch: 3 loss_D: 0.5 loss_G: 2.0"], [3]),
    ],
)
def test_other_loops(lines: Sequence[str], steps: list[int], folder: Path) -> None:
    log = read(folder, *lines, name="out.txt")
    assert (log.kind, log.steps.tolist()) == ("text of a loop", steps)
    assert {*values(log, "discriminator_loss")} == {0.5}
    assert {*values(log, "generator_loss")} == {2.0}


def test_what_windows_writes(folder: Path) -> None:
    path = folder / "log.txt"
    path.write_bytes("step,d_loss,g_loss\r\n1,0.5,1\r\n2,0.25,1\r\n".encode("utf-16"))
    assert values(read_log(path), "discriminator_loss") == [0.5, 0.25]
    path.write_bytes(b"\xef\xbb\xbfstep,d_loss,g_loss\r\n1,0.5,1\r\n")
    assert read_log(path).steps.tolist() == [1]


def test_of_two_runs_the_last_is_read(folder: Path) -> None:
    header = "step,d_loss,g_loss"
    log = read(folder, header, "1,nan,9", "2,9,9", header, "1,5,5", "2,6,5", "3,7,5")
    assert (log.steps.tolist(), values(log, "discriminator_loss")) == ([1, 2, 3], [5, 6, 7])
    assert log.notes[0] == "2 runs in one log: it begins again at line 5; the last one is read"
    assert not any("finite" in note for note in log.notes)
    log = read(folder, "d_loss,g_loss", "9,9", "d_loss,g_loss", "5,5", "6,5")
    assert (log.steps.tolist(), values(log, "discriminator_loss")) == ([1, 2], [5, 6])


def test_a_run_that_was_resumed_goes_on(folder: Path) -> None:
    log = read(folder, "step,d_loss,g_loss", "1,1,1", "2,1,1", "3,9,1", "4,9,1", "3,2,1", "4,2,1", "5,2,1")
    assert (log.steps.tolist(), values(log, "discriminator_loss")) == ([1, 2, 3, 4, 5], [1, 1, 2, 2, 2])
    assert log.notes[0].startswith("steps go back at line 6, not to the beginning")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is a picture, not a log"),
        (b"\x00\x01\x02\x00", "is no text, not a log"),
        (b"\x80\x04\x95abc", "a pickle"),
        (b"Once upon a time\nthere was a loss\n", "is no log that is known here"),
        (b"1,2,3\n4,5,6\n", "is no log that is known here"),
        (b"time,lr\n1,2\n", "has no column that is known here, but time, lr"),
        (b"step,epoch\n1,2\n", "has no numbers of a training"),
        (b"d_loss\n0.5\n0.25\n", "has one column only, d_loss"),
        (b"step,d_loss,g_loss\n1,x,y\n2,x,y\n", "has no numbers in its columns d_loss, g_loss"),
        (b"step,d_loss\n", "is no log that is known here"),
        (b"step,d_loss,g_loss\n1,2,3\n" + b"no more\n" * 5, "is mixed: 5 of its 6 rows"),
        (b'{"d_loss": 1, "step": 1}\n' + b"d_loss: 0.5\n" * 5, "is mixed: 5 of its 6 lines"),
        (b"x" * 2_000_000, "has a line of more than 1,000,000 bytes"),
        (b"step,d_loss,g_loss\n" + b"2,1,1\n1,1,1\n" * 3_000, "steps go back more than 1,000 times"),
    ],
)
def test_what_is_no_log_is_refused_in_a_line(content: bytes, words: str, folder: Path) -> None:
    path = folder / "file"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_log(path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_places_without_a_log_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no log at .*no such file"):
        read_log(folder / "nowhere.csv")
    with pytest.raises(InputError, match="has no event files"):
        read_log(folder)
    (folder / "run.json").write_text("{}")
    with pytest.raises(InputError, match="is a run of zerosum"):
        read_log(folder)


@given(
    losses=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60),
    delimiter=st.sampled_from(",;\t"),
    gaps=st.integers(1, 1_000),
)
@settings(max_examples=60)
def test_a_short_table_is_read_as_it_is(
    losses: list[float], delimiter: str, gaps: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "law.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file, delimiter=delimiter)
        table.writerows([("step", "d_loss", "g_loss"), *((gaps * n, loss, -loss) for n, loss in enumerate(losses))])
    log = read_log(path)
    assert log.steps.tolist() == [gaps * number for number in range(len(losses))]
    assert log.columns["discriminator_loss"].tolist() == losses
    assert log.columns["generator_loss"].tolist() == [-loss for loss in losses]


@given(rows=st.integers(1, 60_000), bad=st.integers(0, 60_000))
@settings(max_examples=8)
def test_thinning_keeps_means_and_order(rows: int, bad: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "long.csv"
    losses = [math.sin(number) for number in range(rows)]
    text = [f"{n},{'nan' if n == bad else loss},0.5" for n, loss in enumerate(losses)]
    path.write_text("\n".join(["step,d_loss,g_loss", *text]))
    log = read_log(path)
    width = max(1, 2 ** math.ceil(math.log2(rows / MOST_POINTS)))
    assert len(log) == math.ceil(rows / width) <= MOST_POINTS
    assert (np.diff(log.steps) > 0).all()
    expected = [np.mean(losses[begin : begin + width]) for begin in range(0, rows, width)]
    found = log.columns["discriminator_loss"]
    assert np.flatnonzero(np.isnan(found)).tolist() == ([bad // width] if bad < rows else [])
    keep = ~np.isnan(found)
    np.testing.assert_allclose(found[keep], np.array(expected)[keep], atol=1e-9)
    assert any(note.endswith(f"means of {width:,} each") for note in log.notes) == (width > 1)


@given(content=st.one_of(st.binary(max_size=300), st.text('step,dlosgD(x):0.5naif \n\r\t[]{}|/"-', max_size=200)))
@settings(max_examples=200)
def test_whatever_lies_there_is_read_or_refused(content: bytes | str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        found: TrainingLog | InputError = read_log(path)
    except InputError as error:
        found = error
    if isinstance(found, TrainingLog):
        assert all(len(column) == len(found) for column in found.columns.values())
    else:
        assert "\n" not in str(found)


def test_memory_does_not_grow_with_the_log(folder: Path) -> None:
    def peak(rows: int) -> int:
        path = write(folder, ["step,d_loss,g_loss", *(f"{number},0.5,0.25" for number in range(rows))])
        tracemalloc.start()
        read_log(path)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(200_000) < 1.3 * peak(80_000)


def test_our_own_tables_are_read(folder: Path) -> None:
    run = Run(folder / "r")
    run.open("csv")
    run.play(1, 5)
    log = read_log(folder / "r" / "metrics.csv")
    assert (log.steps.tolist(), log.unknown, log.notes) == ([1, 2, 3, 4, 5], (), ())
    assert values(log, "real_as_fake") == [1, 2, 3, 4, 5]


@TENSORBOARD
def test_event_files(folder: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writing: Any = SummaryWriter
    writer = writing(str(folder / "events"))
    for step in range(0, 50, 10):
        writer.add_scalar("Loss/D", step / 100, step)
        writer.add_scalar("Loss/G", 1.0, step)
    writer.add_scalar("fid", 33.0, 40)
    writer.close()
    again = writing(str(folder / "events"), purge_step=30, filename_suffix=".2")
    again.add_scalar("Loss/D", 5.0, 30)
    again.add_text("words", "about it", 30)
    again.close()
    log = read_log(folder / "events")
    assert (log.kind, log.steps.tolist()) == ("TensorBoard events", [0, 10, 20, 30])
    np.testing.assert_allclose(log.columns["discriminator_loss"], [0, 0.1, 0.2, 5.0], rtol=1e-6)
    assert "fid" not in log.columns
    (first, _) = sorted((folder / "events").iterdir())
    assert read_log(first).columns["fid"].tolist()[-1] == 33.0


@TENSORBOARD
def test_several_runs_of_event_files_are_refused(folder: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writing: Any = SummaryWriter
    for name in ("a", "b"):
        writer = writing(str(folder / "runs" / name))
        writer.add_scalar("Loss/D", 0.5, 1)
        writer.close()
    with pytest.raises(InputError, match="has 2 runs, a, b: give one"):
        read_log(folder / "runs")


def test_event_files_without_their_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "events.out.tfevents.1.host"
    path.write_bytes(b"\0" * 20)

    def fail(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("zerosum.foreign.tensorboard.import_module", fail)
    with pytest.raises(InputError, match=r"needs pip install 'zerosum\[tensorboard\]'"):
        read_log(path)


@TENSORBOARD
@pytest.mark.parametrize("content", [b"", b"\0" * 20, b"no events at all, but text"])
def test_damaged_event_files_are_refused(content: bytes, folder: Path) -> None:
    path = folder / "events.out.tfevents.1.host"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_log(path)
    assert "\n" not in str(error.value)
