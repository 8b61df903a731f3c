"""Write docs/cli.md from the commands' own help; with --check, fail if it is not up to date."""

import os

os.environ["TERMINAL_WIDTH"] = "100"  # read when typer is imported
os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"

from generated_pages import write_or_check
from typer.testing import CliRunner

from zerosum import cli

HEAD = "# The command line\n\nMade by `make docs` from the commands' own help.\n"


def page() -> str:
    """Write every command's help as text."""
    application, runner = cli.application(), CliRunner()
    parts = [HEAD]
    for command in ([], *([name] for name in cli.commands())):
        output = runner.invoke(application, [*command, "--help"], prog_name="zerosum").output
        text = "\n".join(line.rstrip() for line in output.strip("\n").splitlines())
        parts.append(f"## {' '.join(['zerosum', *command])}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    write_or_check("cli", page)
