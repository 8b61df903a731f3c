"""Scores as files for programs: JSON lines, JUnit's XML for continuous integration, Markdown for a pull request."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from zerosum.atomic import write_atomically
from zerosum.errors import InputError
from zerosum.export.samples import check_parent
from zerosum.metrics import Score, list_warnings
from zerosum.metrics.by_class import ClassTable
from zerosum.metrics.conditions import Condition, describe_failure

Scores = Mapping[str, Sequence[Score]]
COMMENT = "<!-- zerosum evaluate -->"
PAGE = "<!doctype html>\n" + COMMENT  # how the report of an evaluation begins
BEGINNINGS = '{"of": ', "<?xml version='1.0' encoding='utf-8'?>\n<testsuites name=\"zerosum\"", COMMENT, PAGE
HEADS = ("figure", "", "value", "95% interval", "real data", "N", "against")


def to_json(scores: Scores, classes: Mapping[str, ClassTable] | None = None) -> str:
    """Write a JSON object in a line for each score: `of`, what was scored, and the fields of `Score`.

    Those of a class come after all others and say which: `class`.
    """
    lines = [{"of": name, **score.as_json()} for name, known in scores.items() for score in known]
    lines += [
        {"of": name, "class": row.name, **score.as_json()}
        for name, table in (classes or {}).items()
        for row in table.classes
        for score in row.scores
    ]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def to_junit(scores: Scores, conditions: Sequence[Condition] = ()) -> str:
    """Write a test case for each score, which fails where a condition holds; its properties are value and protocol."""
    root = Xml.Element("testsuites", name="zerosum")
    for name, known in scores.items():
        suite = Xml.SubElement(root, "testsuite", name=_printable(name), tests=str(len(known)))
        failed = [_add_case(suite, name, score, conditions) for score in known]
        suite.set("failures", str(sum(failed)))
    Xml.indent(root)
    return str(Xml.tostring(root, encoding="utf-8", xml_declaration=True), "utf-8") + "\n"


def to_markdown(scores: Scores, conditions: Sequence[Condition] = ()) -> str:
    """Write a table for each thing that was scored, with its protocol, its warnings, and the conditions that hold."""
    parts = [COMMENT]
    for name, known in scores.items():
        parts += [f"### {_escape(name)}", _tabulate(known), _describe_protocol(known)]
        parts += [f"- Warning: {_escape(warning)}." for warning in list_warnings(known)]
        for condition in conditions:
            score = condition.find(known, name)
            if condition.holds(score):
                parts.append(f"- **Failed**: {_escape(describe_failure(condition, score, name))}.")
            else:
                parts.append(f"- Passed: {_escape(f'{condition} does not hold')}.")
    return "\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n"


def check_destination(path: Path) -> None:
    """Refuse to write to a folder, beside none, or over a file that zerosum did not make.

    Raises:
        InputError: see there.
    """
    check_parent(path)
    if str(path).startswith("-"):
        raise InputError(f"cannot write scores to {path}: a file's name is wanted")
    if path.is_dir():
        raise InputError(f"cannot write to {path}: it is a folder")
    if path.exists() and path.stat().st_size and not _read_beginning(path).startswith(BEGINNINGS):
        raise InputError(f"{path} exists already, and only scores written by zerosum are replaced: choose another")


def write(text: str, path: Path) -> None:
    """Write `text` to `path`, all of it or nothing.

    Raises:
        InputError: nothing can be written there.
    """
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from None


def format_value(value: float | None) -> str:
    """Format a value with about four digits; None is empty."""
    if value is None:
        return ""
    if abs(value) >= 1e6:
        return f"{value:.3g}"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def _read_beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(200).decode(errors="replace")
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from None


def _add_case(suite: Xml.Element, name: str, score: Score, conditions: Sequence[Condition]) -> bool:
    """Add a test case for a score; return whether it fails."""
    case = Xml.SubElement(suite, "testcase", classname=_printable(name), name=score.metric)
    properties = Xml.SubElement(case, "properties")
    for field, value in score.as_json().items():
        Xml.SubElement(properties, "property", name=field, value="" if value is None else _printable(str(value)))
    broken = [each for each in conditions if each.concerns(score) and each.holds(score)]
    for each in broken:
        Xml.SubElement(case, "failure", message=_printable(describe_failure(each, score, name)), type=str(each))
    return bool(broken)


def _tabulate(scores: Sequence[Score]) -> str:
    rows = [HEADS, ("---", "---", *("---:" for _ in HEADS[2:]))]
    for score in scores:
        real = format_value(score.real)
        if score.real is not None and score.real_samples != score.samples:
            real += f" ({score.real_samples:,})"
        interval = f"{format_value(score.low)} to {format_value(score.high)}"
        against = f"{score.reference_samples:,}" if score.reference_samples else "?"
        rows.append(
            (score.metric, score.better, format_value(score.value), interval, real, f"{score.samples:,}", against)
        )
    return "\n".join("| " + " | ".join(_escape(cell) for cell in row) + " |" for row in rows)


def _describe_protocol(scores: Sequence[Score]) -> str:
    """Say once for all scores of one protocol what they were measured in."""
    found: dict[str, list[str]] = {}
    for score in scores:
        protocol = f"{score.features}; resizer: {score.resizer}; against the {score.reference}, seed {score.seed}"
        found.setdefault(f"{protocol}. {score.comparable}", []).append(score.metric)
    return "\n\n".join(f"{', '.join(metrics)}: {_escape(protocol)}" for protocol, metrics in found.items())


def _printable(text: str) -> str:
    """Replace what no XML may hold."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _escape(text: str) -> str:
    """Keep characters of names from becoming Markdown or HTML."""
    for sign in "\\`*_|":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
