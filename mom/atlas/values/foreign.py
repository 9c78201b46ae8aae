"""Values written in another tool's form: a shell's `$TOKEN`, a template's `{{ token }}`, a placeholder `<your key>`.

Atlas sends each as it is. What was meant is an environment reference, so that is what a message shows. Pure functions.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_SENT = " and would be sent as it is"
_START = r"(?:(?<=[\s:=\"',;/])|^)"


class Foreign(NamedTuple):
    """A part of a value, from `start` to `end`: what is wrong with it, and the variable that it names (None: none)."""

    start: int
    end: int
    what: str
    name: str | None


# Each with what it is. The variable is the first group. They are compiled at first use: edits must start at once.
_FORMS = (
    (
        rf"\$+(?=\$\{{\{{)\$\{{\{{[ \t]*({_NAME})[ \t]*\}}\}}",
        "has a second `$`, which would be sent",
    ),
    (rf"(?<!\$)\$\{{({_NAME})(?::?[-=?+][^}}]*)?\}}(?!\}})", f"is shell syntax{_SENT}"),
    (rf"\$\([ \t]*({_NAME})[ \t]*\)", f"is the syntax of another tool{_SENT}"),
    (rf"(?<!\$)\{{\{{[ \t]*({_NAME})[ \t]*\}}\}}", f"lacks the `$` of a reference{_SENT}"),
    (r"\$\([^()]+\)", f"is a shell command{_SENT}"),
    (rf"{_START}\$({_NAME})", f"is shell syntax{_SENT}"),
    (rf"{_START}%({_NAME})%", f"is Windows syntax{_SENT}"),
    (
        (rf"\b(?:process\.env\.|os\.environ\[['\"]|os\.getenv\(['\"]|env\.|ENV\[['\"])({_NAME})(?:['\"][\])])?"),
        f"is program code{_SENT}",
    ),
)
_FILLED_IN, _CHANGED = ("your", "insert", "enter"), ("change", "replace")
# One of these is in every placeholder that is made of words.
PLACEHOLDER_WORDS = (*_FILLED_IN, *_CHANGED, "xxxx", "todo")
# These may be meant in a header that carries no credential.
_PLACEHOLDERS = (
    (r"<[A-Za-z][^<>\n]{0,60}>", f"is a placeholder{_SENT}"),
    (rf"(?<![{{$])\{{({_NAME})\}}(?!\}})", f"is a placeholder{_SENT}"),
    (
        (
            rf"(?i)\b(?:{'|'.join(_FILLED_IN)})(?:[-_ ][a-z0-9]+){{0,3}}"
            r"[-_ ](?:key|token|secret|password|pat|credentials?)(?:[-_ ]here)?\b"
            rf"|\b(?:{'|'.join(_CHANGED)})[-_]?(?:me|this)\b|\bx{{4,}}\b|\btodo\b|\.\.\.|\u2026"
        ),
        f"is a placeholder{_SENT}",
    ),
)
# What may surround a reference in a value that is one: the scheme, its parameter, quotes.
_AROUND = r"""(?i)["'\s]*(?:bearer|basic|token|apikey|bot|key)?[\s:]*(?:token|key)?=?["'\s:]*\Z"""


def find_foreign(value: str, *, placeholders: bool) -> Foreign | None:
    """Return the first part of a value that is another tool's reference; with `placeholders` also `<your token>`."""
    for pattern, what in (*_FORMS, *(_PLACEHOLDERS if placeholders else ())):
        if match := re.search(pattern, value):
            name = match[1] if match.groups() else None
            return Foreign(match.start(), match.end(), what, name)
    return None


def is_meant_as_reference(value: str) -> bool:
    """Whether a credential's value is only another tool's reference, so that no credential is in it."""
    rest = value
    for _ in range(5):
        if (foreign := find_foreign(rest, placeholders=True)) is None:
            break
        rest = rest[: foreign.start] + rest[foreign.end :]
    return rest != value and re.match(_AROUND, rest) is not None


def message(value: str, foreign: Foreign) -> str:
    """Return what is wrong with that part of `value`. The default of a shell's reference is not repeated."""
    part = value[foreign.start : foreign.end]
    shown = (
        f"${{{foreign.name}…}}" if part.startswith("${") and not part.startswith("${{") and "}" in part[2:] else part
    )
    shown = part if foreign.name and part == f"${{{foreign.name}}}" else shown
    return f"`{shown}` {foreign.what}"


def meant_instead(foreign: Foreign, suggestion: str) -> str:
    """Return the environment reference that was probably meant; `suggestion` where no variable is named."""
    return f"${{{{ {foreign.name} }}}}" if foreign.name else suggestion
