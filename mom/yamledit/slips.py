"""What was probably meant where a document cannot be read: a slip of the pen with its place, and what to type.

A parser says where it could go no further, often a line below the slip, in words about its own states. Here each line
up to there is searched for slips, and the repair of each is tried: one with which the document can be read is what
was meant. So the answer is the same whichever parser reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, islice

from mom.yamledit import indentation, line_slips
from mom.yamledit.brackets import bracket_slips
from mom.yamledit.line_slips import Line, Slip

# How much text is read again at most to prove a repair, and how many are tried: an answer must come at once.
_BUDGET = 2_000_000
_BUDGET_IN_PYTHON = 250_000
_MOST_TRIES = 150
# So far above and below the place where the parser stopped lines are looked at.
_MOST_LINES = 400

# Returns where a text cannot be read, None where it can.
FailsAt = Callable[[str], int | None]


def find_slip(text: str, offset: int, fails_at: FailsAt, *, fast: bool) -> Slip | None:
    """Return the slip because of which `text`, one document, cannot be read at `offset`; None where none is found.

    Places are offsets into `text`. fails_at: reads a repaired text. fast: whether libyaml does.
    """
    tries = min(_MOST_TRIES, (_BUDGET if fast else _BUDGET_IN_PYTHON) // max(len(text), 1))
    if not tries:
        return None
    lines, last = _lines_around(text, offset)
    attempt = _Attempt(text, lines[last].end, fails_at)
    of_lines = (
        slip
        for index in range(last, -1, -1)
        for slip in line_slips.slips(lines[index], lines[index + 1] if index + 1 < len(lines) else None)
    )
    slip = attempt.first(islice(chain(of_lines, bracket_slips(text, lines, last)), tries))
    # Another indentation makes many a text readable, so it is considered only where nothing else is wrong.
    return slip or attempt.first(islice(indentation.slips(lines, last), tries)) or attempt.farthest


class _Attempt:
    """Repairs, tried on one text that could not be read in the line that ends at `line_end`."""

    def __init__(self, text: str, line_end: int, fails_at: FailsAt) -> None:
        self._text = text
        self._fails_at = fails_at
        # Of the repairs that only make the text readable beyond that line (it has another slip), the best.
        self._reached = line_end
        self.farthest: Slip | None = None

    def first(self, slips: Iterable[Slip]) -> Slip | None:
        """Return the first slip whose repair makes the whole text readable."""
        for slip in slips:
            repaired, shift = _apply(self._text, slip.repair)
            failure = self._fails_at(repaired)
            if failure is None:
                return slip
            if failure - shift > self._reached:
                self._reached = failure - shift
                self.farthest = slip
        return None


def _apply(text: str, splices: Iterable[tuple[int, int, str]]) -> tuple[str, int]:
    """Return `text` with splices applied, and by how much it grew."""
    before = len(text)
    for start, end, new in sorted(splices, reverse=True):
        text = text[:start] + new + text[end:]
    return text, len(text) - before


def _lines_around(text: str, offset: int) -> tuple[list[Line], int]:
    """Return the lines near `offset`, and the index among them of the line that it is in."""
    start = end = offset
    for _ in range(_MOST_LINES):
        start = text.rfind("\n", 0, max(start - 1, 0)) + 1
        following = text.find("\n", end)
        end = len(text) if following == -1 else following + 1
    lines: list[Line] = []
    last = 0
    for part in text[start:end].split("\n"):
        last = len(lines) if start <= offset else last
        lines.append(Line(start, part.removesuffix("\r")))
        start += len(part) + 1
    return lines, last
