"""A mistake in a file, as a value: where it is, what is wrong, what to write instead.

Checks return lists of these; only `mom.console` and the report formats of `mom.cli` turn them into words on a screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad a problem is: an error refuses the file, a warning does so only under `--strict`, a note never."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Place(NamedTuple):
    """A position in a file: `line` and `column` start at 1 and count lines (LF or CRLF) and code points.

    The byte-order mark has no column. `file` is the name as the user gave it (`<stdin>` for `-`).
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Give `file:line:column`, which editors and terminals turn into a link."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One mistake with its place.

    place: where it starts. rule: a stable id in kebab case (`duplicate-key`), the same in every output format.
    message: what is wrong, without the place. hint: what to write instead. path: where in the document
    (`spec.headers[0].value`), empty for the whole. excerpt: the source line without its line ending, of a long one the
    part around the place; excerpt_column: where in the line it starts, from 1. width: how many code points the
    caret line underlines, at least 1. related: other places that belong to it, each with a word. replacement: what the
    underlined key or value was meant to be, where only one thing is likely; it may be a credential, and is not shown.
    """

    place: Place
    rule: str
    message: str
    hint: str
    severity: Severity = Severity.ERROR
    path: str = ""
    excerpt: str = ""
    excerpt_column: int = 1
    width: int = 1
    related: tuple[tuple[Place, str], ...] = ()
    replacement: str | None = None
