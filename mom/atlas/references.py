"""Environment references: `${{ NAME }}` inside a value stands for the variable NAME of the Atlas process.

A value may mix text and several references; spaces inside the braces are optional.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from mom.atlas.values.objection import Objection

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OPEN = re.compile(r"\$\{\{")
# What the dynamic loader, the C library and the resolver of the Atlas process obey: as the name of a credential it
# would give that process a value that was meant for an API, or an API one that was meant for the process.
STEERING = (
    r"(?:(?:LD|DYLD|SSL_CERT|CARES)_[A-Za-z0-9_]*|PATH|HOME|TMPDIR|GLIBC_TUNABLES|GCONV_PATH|LOCPATH|NLSPATH"
    r"|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|BASH_ENV)"
)
_STEERING_NAME = re.compile(rf"{STEERING}\Z")
# A reference that is malformed, or that names such a setting: a pattern for a whole text.
OBJECTIONABLE = rf"\$\{{\{{(?![ \t]*[A-Za-z_][A-Za-z0-9_]*[ \t]*\}}\}})|\$\{{\{{[ \t]*{STEERING}[ \t]*\}}\}}"


class Reference(NamedTuple):
    """One well-formed `${{ NAME }}` of a value; `start` and `end` are indices into that value."""

    name: str
    start: int
    end: int


class Malformed(NamedTuple):
    """What looks like a reference and is none: unclosed, empty, or with a name that no variable can have."""

    reason: str
    start: int
    end: int
    text: str = ""


def scan(value: str) -> list[str | Reference | Malformed]:
    """Split `value` into literal text, references and malformed references, in order; joined they cover all of it."""
    parts: list[str | Reference | Malformed] = []
    position = 0
    while match := _OPEN.search(value, position):
        if match.start() > position:
            parts.append(value[position : match.start()])
        close = value.find("}}", match.end())
        if close == -1:
            parts.append(Malformed("`${{` without a closing `}}`", match.start(), len(value), value[match.start() :]))
            return parts
        end = close + 2
        name = value[match.end() : close].strip(" \t")
        if NAME.match(name):
            parts.append(Reference(name, match.start(), end))
        elif not name:
            parts.append(Malformed("`${{ }}` does not name a variable", match.start(), end, value[match.start() : end]))
        else:
            reason = f"`{name}` is not a name of an environment variable"
            parts.append(Malformed(reason, match.start(), end, value[match.start() : end]))
        position = end
    if position < len(value):
        parts.append(value[position:])
    return parts


def objection(part: str | Reference | Malformed) -> Objection | None:
    """Return what is wrong with a part of a value, and how to write it instead."""
    if isinstance(part, Malformed):
        return Objection(part.reason, _meant(part))
    if isinstance(part, Reference) and _STEERING_NAME.match(part.name):
        message = f"`{part.name}` is a setting of the Atlas process itself"
        return Objection(message, "choose another name for this variable")
    return None


def _meant(part: Malformed) -> str:
    """Return the reference that was meant: of another tool's expression (`secrets.NAME`) the last word."""
    words = re.fullmatch(r"\$\{\{[ \t]*(?:[A-Za-z]+\.)+([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}", part.text)
    if words:
        return f"write `${{{{ {words[1]} }}}}`: the variable {words[1]} of the Atlas process"
    return "write ${{ NAME }}, NAME made of letters, digits and `_`"


def names(value: str) -> list[str]:
    """Return the variables that `value` refers to, in order, each once."""
    return list(dict.fromkeys(part.name for part in scan(value) if isinstance(part, Reference)))


def only_reference(value: object) -> str | None:
    """Return the variable of a value that is one reference and nothing else, None for any other value."""
    parts = scan(value) if isinstance(value, str) else []
    return parts[0].name if len(parts) == 1 and isinstance(parts[0], Reference) else None


def filled(value: str, variables: Mapping[str, str]) -> str:
    """Return `value` with its references replaced by their variables; one that `variables` has not is empty."""
    return "".join(variables.get(part.name, "") if isinstance(part, Reference) else str(part) for part in scan(value))
