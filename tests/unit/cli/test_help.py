"""What help shows is what was written: no bracket of it is taken for markup."""

import re

import pytest
import typer
from rich.text import Text

from zerosum import cli

COMMANDS = getattr(typer.main.get_command(cli.application()), "commands", {})
TEXTS = {
    name: [command.help or "", *(getattr(each, "help", None) or "" for each in command.params)]
    for name, command in COMMANDS.items()
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_bracket_is_eaten(name: str) -> None:
    for text in TEXTS[name]:
        assert Text.from_markup(text, emoji=False).plain == text.replace("\\[", "["), text


def test_an_extra_is_named() -> None:
    assert re.search(r"zerosum\\\[explore\]", TEXTS["explore"][0])
