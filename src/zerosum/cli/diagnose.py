"""`zerosum diagnose`: what is wrong with a training, how one sees it, and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._options import DataDir, DataOfRun, DeviceOfRun

if TYPE_CHECKING:
    from rich.console import Console

    from zerosum.diagnostics import Diagnosis, Finding
    from zerosum.diagnostics.evidence import Evidence


def diagnose(
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="The run's folder.")] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            help="Instead of a run, the log of another program: CSV, JSON lines, TensorBoard's event files, StyleGAN's "
            "stats.jsonl, what a loop printed."
        ),
    ] = None,
    samples: Annotated[
        str | None, typer.Option(metavar="IMAGES", help="The samples of another program, with --against.")
    ] = None,
    against: Annotated[str | None, typer.Option(metavar="DATA", help="The real data beside --samples.")] = None,
    data: DataOfRun = None,
    everything: Annotated[bool, typer.Option("--all", help="Also show the numbers of all that is well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Draw images that show what was found into a new folder.")
    ] = None,
    device: DeviceOfRun = None,
    data_dir: DataDir = None,
) -> None:
    """What is wrong with RUN? Look for each known kind of fault, and say what to do about those that are there.

    The run may be finished, stopped, or still training. Bounds were set, and then counted, on runs with planted faults
    and on healthy ones.
    """
    from zerosum.errors import InputError
    from zerosum.run_folder import RunFolder, check_writable

    if run is not None:
        if log or samples or against:
            raise InputError("a run has its own log and data: give RUN, or --log, --samples and --against")
        RunFolder.open(run)
    if pictures is not None and pictures.exists():
        raise InputError(f"{pictures} exists already: choose another folder for --pictures")
    if pictures is not None:
        check_writable(pictures)
    from zerosum.cli._progress import plain_console
    from zerosum.diagnostics import diagnose as look
    from zerosum.run.evidence import gather_foreign, gather_from

    console = plain_console(stderr=as_json)
    with console.status("looking at the players, their samples and the data"):
        evidence, notes = gather_foreign(log, samples, against) if run is None else gather_from(run, data, device)
        diagnosis = look(evidence)
    if pictures is not None:
        _draw(diagnosis, evidence, pictures, console)
    if as_json:
        typer.echo(diagnosis.to_bytes().decode())
        return
    if run is not None:
        console.print(f"{run}, after {diagnosis.step:,} of {diagnosis.steps:,} iterations", soft_wrap=True)
    for note in notes:
        console.print(note, soft_wrap=True, markup=False)
    show_diagnosis(diagnosis, console, everything=everything)
    if not diagnosis.checks:
        raise typer.Exit(1)


def _draw(diagnosis: "Diagnosis", evidence: "Evidence", folder: Path, console: "Console") -> None:
    """Write the pictures of findings, and say what they show."""
    from zerosum import catalog
    from zerosum.atomic import write_atomically
    from zerosum.diagnostics import Diagnostic
    from zerosum.run.doctor import draw_findings

    for name, picture in draw_findings(diagnosis, evidence).items():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{name}.png", picture)
        caption = catalog.lookup(Diagnostic, name).caption
        console.print(f"{folder / name}.png, from top to bottom: {caption}", soft_wrap=True, markup=False)


def show_diagnosis(diagnosis: "Diagnosis", console: "Console", *, everything: bool = False) -> None:
    """Print the verdict, each finding with its numbers and what to do, and what was and was not looked at."""
    console.print(f"\n{diagnosis.verdict}\n", soft_wrap=True, markup=False)
    for finding in diagnosis.findings:
        _show_finding(finding, console)
    if everything:
        for check in diagnosis.checks:
            console.print(f"{check.name}: {check.looks_for}", soft_wrap=True, markup=False)
            for measure in check.measures:
                console.print(f"    {measure.describe()}", soft_wrap=True, markup=False)
    elif diagnosis.checks:
        console.print(f"Looked for: {', '.join(check.name for check in diagnosis.checks)} (--all: with numbers)")
    for reason in dict.fromkeys(each.reason for each in diagnosis.unknown):
        names = ", ".join(each.name for each in diagnosis.unknown if each.reason == reason)
        console.print(f"Not looked for: {names}: {reason}", soft_wrap=True, markup=False)


def _show_finding(finding: "Finding", console: "Console") -> None:
    """Print a finding, the numbers that it rests on, what to do, and where it is described."""
    lines = [f"{finding.severity}: {finding.name}", f"  {finding.sentence}"]
    lines += [f"    {measure.describe()}" for measure in finding.measures]
    lines.append(f"  To do: {finding.advice}")
    lines += [f"    {finding.command}"] if finding.command else []
    lines.append(f"  See: {finding.citation}; docs/doctor.md\n")
    console.print("\n".join(lines), soft_wrap=True, markup=False, highlight=False)
