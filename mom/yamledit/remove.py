"""What goes when a list item or a mapping's entry is taken out: its lines, its comments, one separation, its comma.

Comments that belong to an item go with it: those in its lines, those below it that are indented deeper than its dash,
and the block directly above it, without a blank line between. Of the blank lines above and below it the fewer go, so
that what was apart stays apart. A line that other items share changes; every other line stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as SequenceABC
from typing import NamedTuple

from mom.yamledit import shape as shapes
from mom.yamledit.insert import below, trailing_comma
from mom.yamledit.nodes import Mapping, Node, Sequence
from mom.yamledit.positions import (
    blank_above,
    blank_below,
    comments_above,
    content_start,
    dash_offset,
    line_after,
    line_start,
    next_line,
    with_fewer_blank_lines,
    without_line_ending,
)
from mom.yamledit.source import BOM, Source
from mom.yamledit.splice import BECAME_EMPTY, COMMA_REMOVED, FLOW_STYLE, MOVED_UP, Splice


class _Part(NamedTuple):
    """An item or an entry: where its own text begins (a block item's at its dash), and where it ends."""

    start: int
    end: int


def remove_items(
    source: Source,
    entry: tuple[Node, Node],
    indices: SequenceABC[int],
    *,
    keep_comments: bool = False,
) -> list[Splice]:
    """Return the splices that take the items at `indices` out of the list that is the value of `entry`.

    A list without other items becomes `[]`. `keep_comments`: comments above and below the items stay.
    """
    key, node = entry
    assert isinstance(node, Sequence)
    text = source.text
    if node.flow:
        parts = [_Part(item.start, item.end) for item in node.items]
        return _remove_from_flow(text, node, parts, indices, keep_comments=keep_comments)
    dash = shapes.dash_column(text, node)
    parts = [_Part(dash_offset(text, item.start, dash), item.end) for item in node.items]
    opening = _opening(text, key, node, parts[0].start)
    splices: list[Splice] = []
    if len(set(indices)) == len(parts):
        beside = _is_beside(text, parts[0].start)
        splices.append(
            Splice(parts[0].start, 0, "[]", BECAME_EMPTY) if beside else Splice(opening, 0, " []", BECAME_EMPTY)
        )
    for run in _runs(indices):
        splices += _remove_lines(text, parts, run, opening, dash, keep_comments=keep_comments)
    return splices


def remove_entry(source: Source, mapping: Mapping, index: int, *, keep_comments: bool = False) -> list[Splice]:
    """Return the splices that take the entry at `index` out of a `mapping` that has others."""
    text = source.text
    parts = [_Part(key.start, max(key.end, value.end)) for key, value in mapping.entries]
    if mapping.flow:
        return _remove_from_flow(text, mapping, parts, [index], keep_comments=keep_comments)
    column = shapes.mapping_column(text, mapping)
    parts = [_Part(_explicit_start(text, part.start, column), part.end) for part in parts]
    return _remove_lines(text, parts, (index, index), parts[0].start, column, keep_comments=keep_comments)


def _explicit_start(text: str, start: int, column: int) -> int:
    """Return where an entry begins: at its key, or at the `?` before that."""
    line = line_start(text, start)
    return line + column if start - line > column and text.startswith("?", line + column) else start


def _runs(indices: SequenceABC[int]) -> list[tuple[int, int]]:
    """Return the ranges that `indices` make up, each with its first and its last."""
    runs: list[tuple[int, int]] = []
    for index in sorted(set(indices)):
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


# Between a key and the first dash of its list: white space, comments, the colon, an anchor, a tag.
_BEFORE_DASH = re.compile(r"\s++|#[^\n]*+|(:)(?=\s)|([&!]\S*+)")


def _opening(text: str, key: Node, node: Sequence, dash: int) -> int:
    """Return where `[]` goes when the list of `key`, whose first dash is at `dash`, has no items left."""
    at = key.end
    for match in _BEFORE_DASH.finditer(text, key.end, dash):
        if match[1] or (match[2] and match.start() >= node.start):
            at = match.end()
    return at


def _is_beside(text: str, start: int) -> bool:
    """Whether something is before `start` in its line."""
    return bool(text[line_start(text, start) : start].strip(" " + BOM))


def _remove_lines(
    text: str, parts: SequenceABC[_Part], run: tuple[int, int], opening: int, column: int, *, keep_comments: bool
) -> list[Splice]:
    """Take the block items or entries of `run` out. `opening`: where their collection begins; `column`: theirs."""
    first, last = parts[run[0]], parts[run[1]]
    previous = parts[run[0] - 1] if run[0] else None
    following = parts[run[1] + 1] if run[1] + 1 < len(parts) else None
    if _is_beside(text, first.start):
        # `: - a`, `- a: b`: the next one takes the place of the first.
        if following is not None:
            return [Splice(first.start, following.start - first.start, "", MOVED_UP)]
        return [Splice(first.start, without_line_ending(text, last.end) - first.start, "")]
    limit = below(text, previous.end, column) if previous is not None else next_line(text, opening)
    if previous is None and opening == first.start:
        limit = line_start(text, opening)
    start, end = comments_above(text, first.start, limit), below(text, last.end, column)
    if keep_comments:
        start, end = line_start(text, first.start), line_after(text, last.end)
    if previous is not None and following is not None:
        start, end = with_fewer_blank_lines(text, start, end, (limit, following.start))
    elif previous is not None:
        start = blank_above(text, start, limit)
    elif following is not None:
        end = blank_below(text, end, following.start)
    return [Splice(start, end - start, "")]


def _remove_from_flow(
    text: str,
    node: Sequence | Mapping,
    parts: SequenceABC[_Part],
    indices: SequenceABC[int],
    *,
    keep_comments: bool,
) -> list[Splice]:
    """Take parts out of a flow collection, each with its comma, and with its lines where it has them for itself."""
    opening, close = content_start(text, node), node.end - 1
    if len(set(indices)) == len(parts):
        if "\n" not in text[opening:close]:
            return [Splice(opening + 1, close - opening - 1, "", FLOW_STYLE)]
        # Comments between brackets that have nothing else are about the list.
        keep_comments = True
    splices: list[Splice] = []
    for first, last in _runs(indices):
        following = parts[last + 1] if last + 1 < len(parts) else None
        run = _Run(
            start=parts[first].start,
            end=parts[last].end,
            previous=parts[first - 1] if first else None,
            following=following,
            comma=trailing_comma(text, parts[last].end, following.start if following else close),
        )
        if not _has_own_lines(text, run):
            splices += _remove_from_line(text, run)
            continue
        above = run.previous.end if run.previous is not None else opening
        start = line_start(text, run.start)
        splices += _remove_own_lines(
            text, run, start if keep_comments else comments_above(text, start, next_line(text, above))
        )
    return splices


class _Run(NamedTuple):
    """Neighbouring parts of a flow collection that go, and what is around them; `comma` is the one behind them."""

    start: int
    end: int
    previous: _Part | None
    following: _Part | None
    comma: int | None


def _has_own_lines(text: str, run: _Run) -> bool:
    """Whether nothing shares the lines of `run`, but for a comma and a comment behind it."""
    line, end = line_start(text, run.start), next_line(text, run.end)
    before, after = text[line : run.start].strip(" \t"), text[run.end : end].strip(" \t\r\n")
    if before not in {"", ","} or not text[run.end : end].endswith("\n") or not re.fullmatch(r",?\s*(?:#.*)?", after):
        return False
    return run.previous is None or run.previous.end <= line


def _remove_own_lines(text: str, run: _Run, start: int) -> list[Splice]:
    """Take whole lines out of a flow collection, from `start` on, and mend the commas around them."""
    end = next_line(text, run.end)
    comma_before = trailing_comma(text, run.previous.end, run.start) if run.previous is not None else None
    splices = [Splice(start, end - start, "")]
    if run.following is None and run.comma is None and comma_before is not None and comma_before < start:
        splices.insert(0, Splice(comma_before, 1, "", COMMA_REMOVED))
    if run.previous is None and run.following is not None and run.comma is not None and run.comma >= end:
        # Commas are at the starts of lines: the next one has its own.
        splices.append(Splice(run.comma, run.following.start - run.comma, "", COMMA_REMOVED))
    return splices


def _remove_from_line(text: str, run: _Run) -> list[Splice]:
    """Take a part out of a line that it shares."""
    start, end, comma = run.start, run.end, run.comma
    if run.following is not None and "\n" not in text[end : run.following.start]:
        return [Splice(start, run.following.start - start, "", FLOW_STYLE)]
    if run.previous is None:
        if run.following is None:
            return [Splice(start, (end if comma is None else comma + 1) - start, "", FLOW_STYLE)]
        if comma is not None and "\n" not in text[end:comma]:
            # `[ a,  # comment` and the next one below: the bracket stays in its line.
            line = line_start(text, start)
            start = line + len(text[line:start].rstrip(" \t"))
            return [Splice(start, without_line_ending(text, next_line(text, comma)) - start, "", FLOW_STYLE)]
        return [Splice(start, run.following.start - start, "", FLOW_STYLE)]
    comma_before = trailing_comma(text, run.previous.end, start)
    assert comma_before is not None
    if comma is not None:
        # What ends in a comma goes with it, from behind the comma before.
        return _between(text, comma_before + 1, run, comma + 1)
    return _between(text, run.previous.end, run, end, comma_before)


def _between(text: str, start: int, run: _Run, end: int, comma: int | None = None) -> list[Splice]:
    """Take out what is from `start` to `end`, but no comment before `run`; `comma` is a comma before such."""
    if "#" not in text[start : run.start]:
        return [Splice(start, end - start, "", FLOW_STYLE)]
    splices = [Splice(comma, 1, "", COMMA_REMOVED)] if comma is not None else []
    line = line_start(text, run.start)
    begin = run.start if text[line : run.start].strip() else line
    return [*splices, Splice(begin, end - begin, "", FLOW_STYLE)]
