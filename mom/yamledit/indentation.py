"""Slips with indentation: a line, alone or with what is indented below it, that begins in the wrong column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mom.yamledit.line_slips import Line, Slip

# How many lines above the place where the parser stopped are considered, and how many columns for each.
_LINES = 4
_COLUMNS = 4


def slips(lines: Sequence[Line], last: int) -> Iterator[Slip]:
    """Yield lines near the index `last` with another column: the nearest first, then that of a line just above."""
    near = [index for index in range(last, -1, -1) if _counts(lines[index])][:_LINES]
    for index in near:
        yield from _without_dash(lines, index)
    begin = max(last - 400, 0)
    used = Counter(line.indent for line in lines[begin : last + 400] if _counts(line))
    used.update(line.head for line in lines[begin : last + 400] if _counts(line) and line.head != line.indent)
    ranked: list[tuple[tuple[int, bool, int, int], Slip]] = []
    for distance, index in enumerate(near):
        line = lines[index]
        columns = sorted((column for column in used if column != line.indent), key=lambda at: abs(at - line.indent))
        for column in columns[:_COLUMNS]:
            like = _like(lines, index, column)
            # A column that one line alone begins in may be that line's own slip.
            order = (abs(column - line.indent), used[column] < 2, index - like if like is not None else index, distance)
            ranked += [(order, slip) for slip in _moved(lines, index, column, like)]
    for _, slip in sorted(ranked, key=lambda entry: entry[0]):
        yield slip


def _without_dash(lines: Sequence[Line], index: int) -> Iterator[Slip]:
    """Yield a line as the list item that it would be with the dash of one near it that begins with the same key."""
    line = lines[index]
    key = line.text.strip().partition(":")[0]
    if line.head != line.indent or not key:
        return
    for other in (*reversed(lines[max(index - 50, 0) : index]), *lines[index + 1 : index + 50]):
        if other.head != other.indent and other.text[other.head :].partition(":")[0] == key:
            message, hint = (
                "no `- ` before this list item",
                f"write `- {key}:`, with the dash where the other items have it",
            )
            yield line.slip(0, line.indent, message, hint, other.text[: other.head])._replace(
                start=line.start + line.indent, end=line.start + line.indent + 1
            )
            return


def _like(lines: Sequence[Line], index: int, column: int) -> int | None:
    """Return the nearest line above that is indented by `column`."""
    for number in range(index - 1, -1, -1):
        if _counts(lines[number]) and lines[number].indent == column:
            return number
    return None


def _counts(line: Line) -> bool:
    return bool(line.text.strip()) and not line.text.lstrip().startswith("#")


def _moved(lines: Sequence[Line], index: int, column: int, like: int | None) -> Iterator[Slip]:
    """Yield the line alone, then with all that is indented deeper below it, moved to `column`."""
    line = lines[index]
    end = index + 1
    while end < len(lines) and (not lines[end].text.strip() or lines[end].indent > line.indent):
        end += 1
    message = f"wrong indentation: {_spaces(line.indent)} before this"
    as_above = f", like `{_word(lines[like])}` above" if like is not None else ""
    hint = f"indent it by {_spaces(column)}{as_above}"
    for last in dict.fromkeys((index + 1, end)):
        splices = tuple(
            (each.start, each.start + each.indent, " " * max(each.indent + column - line.indent, 0))
            for each in lines[index:last]
            if each.text.strip()
        )
        start = line.start + line.indent
        yield Slip(start, start + 1, message, hint, splices)


def _spaces(count: int) -> str:
    return "no space" if count == 0 else "1 space" if count == 1 else f"{count} spaces"


def _word(line: Line) -> str:
    """Return what a line begins with: its key, never a value, which may be a credential."""
    text = line.text.strip()
    key, colon, _ = text.partition(":")
    return f"{key}:" if colon and len(key) < 40 else text[:1]
