"""A file's text as mom sees it: decoded once, positions as offsets in code points, line and column on demand."""

from __future__ import annotations

import bisect
import codecs
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from mom.errors import MomError
from mom.problems import Place, Problem, Severity

BOM = "\ufeff"

# Longer files get a clear answer instead of minutes and gigabytes; a configuration of 10,000 adapters has 3 MB.
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Source:
    """One file: `name` as the user gave it, `text` whole, a byte-order mark included as its first character."""

    name: str
    text: str

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which lines start. Only LF ends a line here (CRLF ends in LF; NEL and LS are text in YAML 1.2)."""
        lengths = (len(line) + 1 for line in self.text.split("\n"))
        starts = tuple(accumulate(lengths, initial=0))[:-1]
        return (len(BOM), *starts[1:]) if self.text.startswith(BOM) else starts

    def line_number(self, offset: int) -> int:
        """Return the line, from 1, that holds the character at `offset`."""
        return max(bisect.bisect_right(self.line_starts, offset), 1)

    def place(self, offset: int) -> Place:
        """Return the place of the character at `offset` (a code point index into `text`)."""
        line = self.line_number(offset)
        return Place(self.name, line, max(offset - self.line_starts[line - 1], 0) + 1)

    def line(self, number: int) -> str:
        """Return line `number` (from 1) without its line end."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end == -1 else end].removesuffix("\r")

    def problem(
        self,
        offset: int,
        rule: str,
        message: str,
        *,
        end: int | None = None,
        hint: str | None = None,
        path: str = "",
        severity: Severity = Severity.ERROR,
        related: tuple[tuple[Place, str], ...] = (),
    ) -> Problem:
        """Return a problem at `offset`; its caret line ends at `end` or at the line's end, whichever comes first."""
        place = self.place(offset)
        excerpt = self.line(place.line)
        room = len(excerpt) - (place.column - 1)
        width = max(1, min((end if end is not None else offset + 1) - offset, room))
        return Problem(
            place=place,
            rule=rule,
            message=message,
            severity=severity,
            hint=hint,
            path=path,
            excerpt=excerpt,
            width=width,
            related=related,
        )


def decode(data: bytes, name: str) -> Source:
    """Return the text of `data`, which must be UTF-8 (a byte-order mark is kept).

    Raises MomError with the encoding and the byte offset when it is not (YAML 1.2.2, section 5.2, also allows UTF-16
    and UTF-32; mom does not edit those).
    """
    if len(data) > MAX_BYTES:
        limit = MAX_BYTES // (1024 * 1024)
        raise MomError(f"{name} has {len(data):,} bytes: mom reads configurations up to {limit} MiB")
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "UTF-32"),
        (codecs.BOM_UTF32_BE, "UTF-32"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if data.startswith(mark):
            raise MomError(
                f"{name} is {encoding}: a byte-order mark stands at byte 0",
                hint=f"save it as UTF-8, for example: iconv -f {encoding} -t UTF-8",
            )
    # Without a mark, a NUL beside an ASCII character shows UTF-16 (YAML 1.2.2, section 5.2, table of first bytes).
    if b"\x00" in data[:4]:
        raise MomError(
            f"{name} looks like UTF-16 or UTF-32 without a byte-order mark: a NUL stands at byte {data.index(0)}",
            hint="save it as UTF-8",
        )
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        byte = data[error.start]
        raise MomError(
            f"{name} is not UTF-8: byte {error.start} is 0x{byte:02X} ({error.reason})",
            hint="save it as UTF-8, for example: iconv -f LATIN1 -t UTF-8",
        ) from None
