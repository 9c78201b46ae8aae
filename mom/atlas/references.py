"""Environment references: `${{ NAME }}` inside a value stands for the variable NAME of the Atlas process.

A value may mix text and several references; spaces inside the braces are optional.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OPEN = re.compile(r"\$\{\{")


@dataclass(frozen=True, slots=True)
class Reference:
    """One well-formed `${{ NAME }}` of a value; `start` and `end` are indices into that value."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """What looks like a reference and is none: unclosed, empty, or with a name that no variable can have."""

    reason: str
    start: int
    end: int


def scan(value: str) -> list[str | Reference | Malformed]:
    """Split `value` into literal text, references and malformed references, in order; joined they cover all of it."""
    parts: list[str | Reference | Malformed] = []
    position = 0
    while match := _OPEN.search(value, position):
        if match.start() > position:
            parts.append(value[position : match.start()])
        close = value.find("}}", match.end())
        if close == -1:
            parts.append(Malformed("`${{` is not closed by `}}`", match.start(), len(value)))
            return parts
        end = close + 2
        name = value[match.end() : close].strip(" \t")
        if NAME.match(name):
            parts.append(Reference(name, match.start(), end))
        elif not name:
            parts.append(Malformed("`${{ }}` names no variable", match.start(), end))
        else:
            parts.append(Malformed(f"`{name}` is not the name of an environment variable", match.start(), end))
        position = end
    if position < len(value):
        parts.append(value[position:])
    return parts


def names(value: str) -> list[str]:
    """Return the variables that `value` refers to, in order, each once."""
    return list(dict.fromkeys(part.name for part in scan(value) if isinstance(part, Reference)))
