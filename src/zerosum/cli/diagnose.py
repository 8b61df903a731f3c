"""`zerosum diagnose`: what is wrong with a training, how one sees it, and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._options import DataDir, DataOfRun, DeviceOfRun

if TYPE_CHECKING:
    from rich.console import Console

    from zerosum.diagnostics import Diagnosis, Finding


def diagnose(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    data: DataOfRun = None,
    everything: Annotated[bool, typer.Option("--all", help="Also show the numbers of all that is well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    device: DeviceOfRun = None,
    data_dir: DataDir = None,
) -> None:
    """What is wrong with RUN? Look for each known kind of fault, and say what to do about those that are there.

    The run may be finished, stopped, or still training. Thresholds were counted on runs with planted faults and on
    healthy ones.
    """
    from zerosum.run_folder import RunFolder

    RunFolder.open(run)
    from zerosum.cli._progress import plain_console
    from zerosum.diagnostics import diagnose as look
    from zerosum.run.evidence import gather_from

    console = plain_console(stderr=as_json)
    with console.status("looking at the players, their samples and the data"):
        evidence, missing = gather_from(run, data, device)
        diagnosis = look(evidence)
    if as_json:
        typer.echo(diagnosis.to_bytes().decode())
        return
    console.print(f"{run}, after {diagnosis.step:,} of {diagnosis.steps:,} iterations", soft_wrap=True)
    if missing:
        console.print(missing, soft_wrap=True)
    show_diagnosis(diagnosis, console, everything=everything)


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
    else:
        console.print(f"Looked for: {', '.join(check.name for check in diagnosis.checks)} (--all: with numbers)")
    for each in diagnosis.unknown:
        console.print(f"Not looked for: {each.name}: {each.reason}", soft_wrap=True, markup=False)


def _show_finding(finding: "Finding", console: "Console") -> None:
    """Print a finding, the numbers that it rests on, what to do, and where it is described."""
    lines = [f"{finding.severity}: {finding.name}", f"  {finding.sentence}"]
    lines += [f"    {measure.describe()}" for measure in finding.measures]
    lines.append(f"  To do: {finding.advice}")
    lines += [f"    {finding.command}"] if finding.command else []
    lines.append(f"  See: {finding.citation}; docs/doctor.md\n")
    console.print("\n".join(lines), soft_wrap=True, markup=False, highlight=False)
