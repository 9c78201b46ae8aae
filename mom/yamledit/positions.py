"""Where lines, dashes and comments are in a text: what finders of places to insert and to remove have in common."""

from __future__ import annotations

import re

from mom.yamledit.nodes import Alias, Node
from mom.yamledit.source import BOM


def line_start(text: str, offset: int) -> int:
    """Return where the line of `offset` begins."""
    return text.rfind("\n", 0, offset) + 1


def next_line(text: str, offset: int) -> int:
    """Return where the line after that of `offset` begins, or the text's end."""
    position = text.find("\n", offset)
    return len(text) if position == -1 else position + 1


def line_after(text: str, end: int) -> int:
    """Return where the first line begins that has nothing of what ends at `end`; that may end in a line ending."""
    return end if text[end - 1 : end] == "\n" else next_line(text, end)


def without_line_ending(text: str, end: int) -> int:
    """Return `end`, or the start of the line ending that is directly before it."""
    if text[end - 1 : end] == "\n":
        end -= 1
        end -= text[end - 1 : end] == "\r"
    return end


_PROPERTIES = re.compile(r"(?:[&!](?:<[^>\s]*+>|[^\s\[\]{},]*+)(?:\s++(?:#[^\n]*+\n\s*+)*+|\Z|(?=[\[{])))*+")


def content_start(text: str, node: Node) -> int:
    """Return where a node begins behind its anchor and tag; its end where it has nothing else."""
    if isinstance(node, Alias) or (node.anchor is None and node.tag is None):
        return node.start
    match = _PROPERTIES.match(text, node.start, node.end)
    return match.end() if match else node.start


def dash_offset(text: str, start: int, column: int) -> int:
    """Return where the dash is of a block item whose node begins at `start`; the list's dashes are at `column`."""
    line = line_start(text, start)
    while True:
        at = line + column + (len(BOM) if line == 0 and text.startswith(BOM) else 0)
        if at < start and text[at] == "-" and text[at + 1 : at + 2] in {" ", "\t", "\r", "\n", ""}:
            return at
        if line == 0:
            return start
        line = line_start(text, line - 1)


def is_comment(text: str, line: int) -> bool:
    """Whether the line that begins at `line` has a comment and nothing else."""
    return text[line : next_line(text, line)].lstrip(" \t" + BOM).startswith("#")


def comments_above(text: str, start: int, limit: int) -> int:
    """Return where the block of comment lines directly above the line of `start` begins; not above `limit`."""
    line = line_start(text, start)
    while line > limit:
        above = line_start(text, line - 1)
        if above < limit or not is_comment(text, above):
            break
        line = above
    return line


def blank_above(text: str, line: int, limit: int) -> int:
    """Return where the blank lines directly above the line that begins at `line` begin; not above `limit`."""
    while line > limit:
        above = line_start(text, line - 1)
        if above < limit or text[above:line].strip(" \t\r\n"):
            break
        line = above
    return line


def blank_below(text: str, line: int, limit: int) -> int:
    """Return where the blank lines end that begin at `line`; not below `limit`."""
    while line < limit:
        below = next_line(text, line)
        if below > limit or text[line:below].strip(" \t\r\n") or not text[line:below].endswith("\n"):
            break
        line = below
    return line


def with_fewer_blank_lines(text: str, start: int, end: int, limits: tuple[int, int]) -> tuple[int, int]:
    """Return the lines from `start` to `end` with the blank lines beside them that go too: those of the shorter side.

    `limits`: what is above the first and below the second of them stays.
    """
    above, below = blank_above(text, start, limits[0]), blank_below(text, end, limits[1])
    if text.count("\n", above, start) <= text.count("\n", end, below):
        return above, end
    return start, below
