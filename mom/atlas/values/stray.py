"""Marks that a slip of the pen left in a value that YAML can read: a quote, a comma, a comment sign. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from mom.yamledit.line_slips import LOOKALIKE, explain_lookalike


class Stray(NamedTuple):
    """A mark in a value: where, what is wrong, what to write."""

    start: int
    end: int
    message: str
    hint: str


_COMMENT = re.compile(r"\s(//|/\*|<!--)\s|(?<=[^\s#])(#)(?= )")


def find_stray(value: str) -> Stray | None:
    """Return what does not belong into a value that is one word or one sentence: a name, a URL, a location."""
    if (match := LOOKALIKE.search(value)) is not None and (explained := explain_lookalike(match.group()[0])):
        return Stray(match.start(), match.start() + 1, *explained)
    if (match := _COMMENT.search(value)) is not None:
        mark = match[1] or match[2]
        at = match.start(1 if match[1] else 2)
        if mark == "#":
            return Stray(
                at, at + 1, "`#` begins a comment only after a space", "write a space before it, or quotes around all"
            )
        return Stray(
            at,
            at + len(mark),
            f"`{mark}` does not begin a comment in YAML: it is part of the value",
            "begin a comment with a space and `#`",
        )
    last = value[-1:]
    if last in {'"', "'"} and value.count(last) % 2:
        return Stray(len(value) - 1, len(value), f"a closing `{last}` without an opening one", "write both, or neither")
    if last in {",", ";"}:
        return Stray(len(value) - 1, len(value), f"`{last}` at the end is part of the value", "remove it")
    if value[:1] == "<" and last == ">":
        return Stray(0, 1, "`<` and `>` around it are part of the value", "remove them")
    if (match := re.search(r"[\t\x07\x08\x0b\x0c]", value)) is not None:
        message = "a control character (in double quotes `\\` begins an escape)"
        return Stray(match.start(), match.start() + 1, message, "put the value in single quotes")
    return None
