"""How to begin: what every error about a missing configuration tells a newcomer to type."""

from __future__ import annotations

from mom.errors import UnreadableError
from mom.shell import quote
from mom.streams import STDIN

DEFAULT_FILE = "atlas.yml"


def add_hint(file: str) -> str:
    """Return the hint for a file, or stdin, that has no Atlas document: other tools' documents in it stay."""
    return f"add one: mom atlas config generate >> {'FILE' if file == STDIN else quote(file)}"


def with_beginning(error: UnreadableError) -> UnreadableError:
    """Return `error` about a configuration with the command that creates one, where it says that there is none."""
    if error.missing:
        option = "" if error.path == DEFAULT_FILE else f" -f {quote(error.path)}"
        error.hint = f"create one: mom atlas config init{option}"
    return error
