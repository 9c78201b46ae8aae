"""The unified diff of an edit, made from its splices: the lines around them are looked at, not the whole file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from mom.yamledit.source import Source
from mom.yamledit.splice import Splice

_CONTEXT = 3


class Change(NamedTuple):
    """Some lines of the old text become others: `start` is the first old line (from 0), `old` and `new` the lines.

    Each line keeps its line ending; a last line without one has none.
    """

    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def changes(source: Source, splices: Sequence[Splice]) -> list[Change]:
    """Return what `splices` do to the lines of `source`, in order; equal lines at a change's ends are left out."""
    text = source.text
    starts = source.line_starts
    pending: list[tuple[int, int, str]] = []
    for splice in splices:
        if not splice.length and not splice.text:
            continue
        first = source.line_number(splice.offset) - 1
        begin = 0 if first == 0 else starts[first]
        stop = splice.offset + splice.length
        # Whole lines in the place of whole lines, or of none, touch no other line; all others touch those they are in.
        whole = splice.offset == begin and _ends_lines(text[begin:stop]) and _ends_lines(splice.text)
        end = stop if whole else _line_end(text, max(stop, begin))
        if pending and begin < pending[-1][1]:
            begin, done, new = pending.pop()
            end = max(done, end)
            new = new[: len(new) - (done - splice.offset)] + splice.text + text[stop:end]
            pending.append((begin, end, new))
        else:
            pending.append((begin, end, text[begin : splice.offset] + splice.text + text[stop:end]))
    return [_trimmed(source, *part) for part in pending]


def _ends_lines(text: str) -> bool:
    return not text or text.endswith("\n")


def _line_end(text: str, offset: int) -> int:
    position = text.find("\n", offset)
    return len(text) if position == -1 else position + 1


def _trimmed(source: Source, begin: int, end: int, new: str) -> Change:
    old_lines, new_lines = lines_of(source.text[begin:end]), lines_of(new)
    start = source.line_number(begin) - 1
    while old_lines and new_lines and old_lines[0] == new_lines[0]:
        start += 1
        del old_lines[0], new_lines[0]
    while old_lines and new_lines and old_lines[-1] == new_lines[-1]:
        del old_lines[-1], new_lines[-1]
    return Change(start, tuple(old_lines), tuple(new_lines))


def lines_of(text: str) -> list[str]:
    """Split at LF only, each line with its end: `str.splitlines` would also split at NEL, FF and others."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def unified(source: Source, changed: Sequence[Change], *, old_name: str, new_name: str) -> str:
    """Return the unified diff of `found`, three lines of context, as `diff -u` and `git diff` write it."""
    if not changed:
        return ""
    hunks: list[list[Change]] = []
    for change in _joined(changed):
        if hunks and change.start - (hunks[-1][-1].start + len(hunks[-1][-1].old)) <= 2 * _CONTEXT:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    parts = [f"{mark} {_quoted(name)}\n" for mark, name in (("---", old_name), ("+++", new_name))]
    shift = 0
    for hunk in hunks:
        body, first, old_count, new_count = _hunk(source, hunk)
        parts.append(f"@@ -{_range(first, old_count)} +{_range(first + shift, new_count)} @@\n")
        parts += body
        shift += new_count - old_count
    return "".join(parts)


# git-config(1), core.quotePath.
_LETTERS = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


def _quoted(name: str) -> str:
    """Return a file's name as git writes it: in C's quotes where it has control characters, quotes or backslashes.

    A tab ends a name with spaces, for those that apply the diff.
    """
    if name.isprintable() and not set('"\\') & set(name):
        return f"{name}\t" if " " in name else name
    quoted = []
    for byte in os.fsencode(name):
        if byte in _LETTERS:
            quoted.append(f"\\{_LETTERS[byte]}")
        else:
            quoted.append(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
    return f'"{"".join(quoted)}"'


def _joined(changed: Sequence[Change]) -> list[Change]:
    """Make one of changes without a line between them: all that goes is shown before all that comes."""
    joined: list[Change] = []
    for change in changed:
        if joined and change.start == joined[-1].start + len(joined[-1].old):
            last = joined.pop()
            joined.append(Change(last.start, last.old + change.old, last.new + change.new))
        else:
            joined.append(change)
    return joined


def _hunk(source: Source, hunk: Sequence[Change]) -> tuple[list[str], int, int, int]:
    total = len(source.line_starts) - (1 if source.text.endswith("\n") or not source.text else 0)
    first = max(0, hunk[0].start - _CONTEXT)
    body: list[str] = []
    position = first
    old_count = new_count = 0
    for change in hunk:
        context = [_old_line(source, number) for number in range(position, change.start)]
        body += [_shown(" ", line) for line in context]
        body += [_shown("-", line) for line in change.old] + [_shown("+", line) for line in change.new]
        old_count += len(context) + len(change.old)
        new_count += len(context) + len(change.new)
        position = change.start + len(change.old)
    tail = [_old_line(source, number) for number in range(position, min(total, position + _CONTEXT))]
    body += [_shown(" ", line) for line in tail]
    return body, first, old_count + len(tail), new_count + len(tail)


def _old_line(source: Source, number: int) -> str:
    begin = 0 if number == 0 else source.line_starts[number]
    return source.text[begin : _line_end(source.text, begin)]


def _shown(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _range(first: int, count: int) -> str:
    """Return a range of a hunk header: from 1, and for no lines the line before (POSIX diff, unified format)."""
    start = first + 1 if count else first
    return str(start) if count == 1 else f"{start},{count}"
