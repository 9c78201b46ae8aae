"""A splice: some text at some place instead of some other. All edits are a few of them on the original text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# Why a line has to change that an edit is not about. Clauses for a report: "line 7 had to change: …".
FLOW_STYLE = "the list is written in flow style"
MOVED_UP = "the next one begins where the first one did"
COMMA_ADDED = "its item needed a comma"
COMMA_REMOVED = "its comma had nothing left to separate"
BECAME_LIST = "its empty value became a list"
BECAME_MAPPING = "its empty value became a mapping"
BECAME_EMPTY = "its list became empty"
NO_FINAL_LINE_ENDING = "the file had no final line ending"


class Splice(NamedTuple):
    """Replace `length` code points at `offset` by `text`. Splices at the same offset apply in their order.

    reason: why a line changes that the edit is not about; empty where the splice is what was asked for.
    """

    offset: int
    length: int
    text: str
    reason: str = ""


def apply(text: str, splices: Sequence[Splice]) -> str:
    """Return `text` with all splices applied; they are given in the order of their offsets and do not overlap."""
    parts: list[str] = []
    position = 0
    for splice in splices:
        assert splice.offset >= position, "splices overlap or are out of order"
        parts += [text[position : splice.offset], splice.text]
        position = splice.offset + splice.length
    parts.append(text[position:])
    return "".join(parts)


def line_ending_at(text: str, offset: int) -> str:
    """Return the line ending to write at `offset`: that of the line before it, else of the next one, else LF."""
    position = text.rfind("\n", 0, offset)
    if position == -1:
        position = text.find("\n", offset)
    return "\r\n" if position > 0 and text[position - 1] == "\r" else "\n"


def reasons(text: str, splices: Sequence[Splice]) -> tuple[tuple[int, str], ...]:
    """Return the lines, from 1, of the edited text that had to change, each with the reason; `text` is the old one."""
    forced: dict[int, str] = {}
    line = 1
    position = 0
    for splice in splices:
        line += text.count("\n", position, splice.offset)
        if splice.reason:
            forced.setdefault(line, splice.reason)
        line += splice.text.count("\n")
        position = splice.offset + splice.length
    return tuple(forced.items())
