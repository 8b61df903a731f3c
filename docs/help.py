"""Write docs/cli.md from the commands' own help; with --check, fail if it is not up to date."""

import os
import sys
from pathlib import Path

os.environ["TERMINAL_WIDTH"] = "100"  # read when typer is imported
os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"

from typer.testing import CliRunner

from zerosum import cli

PAGE = Path(__file__).with_name("cli.md")
HEAD = "# The command line\n\nMade by `make docs` from the commands' own help.\n"


def page() -> str:
    """Every command's help, as text."""
    application, runner = cli.application(), CliRunner()
    parts = [HEAD]
    for command in ([], *([name] for name in cli.commands())):
        words = ["zerosum", *command]
        output = runner.invoke(application, [*command, "--help"], prog_name="zerosum").output
        text = "\n".join(line.rstrip() for line in output.strip("\n").splitlines())
        parts.append(f"## {' '.join(words)}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != page():
            sys.exit("docs/cli.md is not what the commands say: run 'make docs'")
    else:
        PAGE.write_text(page())
