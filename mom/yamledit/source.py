"""A file's text as mom sees it: decoded once, positions as offsets in code points, line and column on demand."""

from __future__ import annotations

import bisect
import codecs
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, count
from operator import add

from mom.errors import MomError, UnreadableError
from mom.files import text_of, too_large
from mom.problems import Place, Problem, Severity

BOM = "\ufeff"

# Longer files get a clear error instead of minutes and gigabytes; a configuration of 10,000 adapters has 3 MB.
MAX_BYTES = 32 * 1024 * 1024

# How much text is split into lines at once.
_PIECE = 1 << 20

# A longer line is shown in part.
MAX_EXCERPT = 1000

_CARRIAGE_RETURN = re.compile(r"\r(?!\n)")
# What git writes around a conflict, at column 0, where no block scalar of a mapping can have such a line.
_CONFLICT_LINE = re.compile(r"^(?:<{7} |>{7} )", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """One file: `name` as the user gave it, `text` whole, a byte-order mark included as its first character."""

    name: str
    text: str

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """Offsets at which lines start. Only LF ends a line here (CRLF ends in LF; NEL and LS are text in YAML 1.2)."""
        # Piece by piece, and in an array: a file of millions of short lines must not take gigabytes.
        starts = array("q", [0])
        for begin in range(0, len(self.text), _PIECE):
            ended = self.text[begin : begin + _PIECE].split("\n")[:-1]
            starts.extend(map(add, accumulate(map(len, ended)), count(begin + 1)))
        if self.text.startswith(BOM):
            starts[0] = len(BOM)
        return starts

    def line_number(self, offset: int) -> int:
        """Return the line, from 1, that has the character at `offset`."""
        return max(bisect.bisect_right(self.line_starts, offset), 1)

    def place(self, offset: int) -> Place:
        """Return the place of the character at `offset` (a code point index into `text`)."""
        line = self.line_number(offset)
        return Place(self.name, line, max(offset - self.line_starts[line - 1], 0) + 1)

    @cached_property
    def conflicts(self) -> tuple[tuple[int, int], ...]:
        """Unfinished merges: where the marker lines of each begin, from its first to its last; some may be missing."""
        ranges: list[tuple[int, int]] = []
        start: int | None = None
        for match in _CONFLICT_LINE.finditer(self.text):
            if match.group().startswith("<"):
                if start is not None:
                    ranges.append((start, start))
                start = match.start()
            else:
                ranges.append((match.start() if start is None else start, match.start()))
                start = None
        return tuple(ranges if start is None else [*ranges, (start, start)])

    @cached_property
    def searched(self) -> set[int]:
        """Where the documents begin in which slips were looked for (`mom.yamledit.stream`): in so many, not in all."""
        return set()

    def carriage_return(self, start: int, end: int) -> int | None:
        """Return where, from `start` to `end`, the first carriage return without a line feed is."""
        match = _CARRIAGE_RETURN.search(self.text, start, end)
        return match.start() if match else None

    def line(self, number: int) -> str:
        """Return line `number` (from 1) without its line ending."""
        start, end = self._line_limits(number)
        return self.text[start:end]

    def _line_limits(self, number: int) -> tuple[int, int]:
        start = self.line_starts[number - 1]
        end = len(self.text) if number == len(self.line_starts) else self.line_starts[number] - 1
        return start, end - 1 if end > start and self.text[end - 1] == "\r" else end

    def problem(
        self,
        offset: int,
        rule: str,
        message: str,
        *,
        hint: str,
        end: int | None = None,
        path: str = "",
        severity: Severity = Severity.ERROR,
        related: tuple[tuple[Place, str], ...] = (),
    ) -> Problem:
        """Return a problem at `offset`; its caret line ends at `end` or at the line's end, whichever comes first.

        Excerpt and words show no token that is known by its looks: errors end up in logs of CI and in tickets.
        """
        from mom.masking import mask_tokens

        place = self.place(offset)
        line_start, line_end = self._line_limits(place.line)
        width = max(1, min((end if end is not None else offset + 1) - offset, line_end - offset))
        # Thousands of problems in one line of a megabyte must not take gigabytes.
        first = line_start if line_end - line_start <= MAX_EXCERPT else max(line_start, offset - MAX_EXCERPT // 2)
        excerpt = self.text[first : min(line_end, first + MAX_EXCERPT)]
        return Problem(
            place=place,
            rule=rule,
            message=mask_tokens(message),
            severity=severity,
            hint=mask_tokens(hint),
            path=path,
            excerpt=mask_tokens(excerpt),
            excerpt_column=first - line_start + 1,
            width=min(width, max(len(excerpt) - (offset - first), 1)),
            related=related,
        )


def decode(data: bytes, name: str) -> Source:
    """Return the text of `data`, which must be UTF-8 (a byte-order mark is kept).

    Raises MomError with the encoding and the byte offset when it is not (YAML 1.2.2, section 5.2, also allows UTF-16
    and UTF-32; mom does not edit those).
    """
    if len(data) > MAX_BYTES:
        raise UnreadableError(name, too_large(MAX_BYTES))
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "UTF-32"),
        (codecs.BOM_UTF32_BE, "UTF-32"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if data.startswith(mark):
            raise MomError(
                f"{name} is {encoding} (byte-order mark at byte 0)",
                hint=f"save it as UTF-8, for example: iconv -f {encoding} -t UTF-8",
            )
    # Without a mark, a NUL beside an ASCII character shows UTF-16 (YAML 1.2.2, section 5.2, table of first bytes).
    if b"\x00" in data[:4]:
        raise MomError(
            f"{name} looks like UTF-16 or UTF-32 without a byte-order mark (NUL at byte {data.index(0)})",
            hint="save it as UTF-8",
        )
    return Source(name, text_of(data, name))
