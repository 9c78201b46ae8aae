"""A proved edit of a configuration: its text, and which lines of it are new, changed or gone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from mom.yamledit.diff import Change
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice, reasons


class Action(StrEnum):
    """What an edit does. `completed`: the missing one of an adapter's two parts was added."""

    ADDED = "added"
    COMPLETED = "completed"
    CHANGED = "changed"
    RENAMED = "renamed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Edit:
    """A proved edit of `source`: `text` is the result; `changes` are its lines, for a diff and for line numbers.

    notes: what a user should know about the file, as sentences.
    """

    source: Source
    text: str
    action: Action
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    splices: tuple[Splice, ...] = ()

    @classmethod
    def of(cls, edit: Edit, **fields: Any) -> Self:
        """Return `edit` as one of this class; `fields`: those beside, or in the place of, those of an edit."""
        return cls(**{**vars(edit), **fields})

    def added_lines(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges of new lines in the result, first and last, from 1."""
        return self._ranges(after_replaced=True)

    def changed_lines(self) -> tuple[int, ...]:
        """Return the lines of the result, from 1, that are in the place of old ones."""
        ranges = self._ranges(after_replaced=False)
        return tuple(line for first, last in ranges for line in range(first, last + 1))

    def _ranges(self, *, after_replaced: bool) -> tuple[tuple[int, int], ...]:
        ranges: list[tuple[int, int]] = []
        shift = 0
        for change in self.changes:
            first = change.start + shift + 1
            replaced = min(len(change.old), len(change.new))
            shift += len(change.new) - len(change.old)
            start, stop = (first + replaced, first + len(change.new)) if after_replaced else (first, first + replaced)
            if stop > start:
                ranges.append((start, stop - 1))
        return tuple(ranges)

    def new_lines(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges of lines of the result that the edit is about: new ones, and those it means to change."""
        forced = {line for line, _ in self.forced_lines()}
        changed = ((line, line) for line in self.changed_lines() if line not in forced)
        ranges: list[tuple[int, int]] = []
        for first, last in sorted([*self.added_lines(), *changed]):
            if ranges and ranges[-1][1] == first - 1:
                ranges[-1] = (ranges[-1][0], last)
            else:
                ranges.append((first, last))
        return tuple(ranges)

    def removed_lines(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges of lines of the old text, first and last, from 1, that are gone."""
        gone = ((change.start + len(change.new) + 1, change.start + len(change.old)) for change in self.changes)
        return tuple((first, last) for first, last in gone if last >= first)

    def forced_lines(self) -> tuple[tuple[int, str], ...]:
        """Return the lines of the result, from 1, that had to change without being meant, each with the reason."""
        return reasons(self.source.text, self.splices)

    def line_after(self, number: int) -> int:
        """Return which line of the result, from 1, the old line `number` is."""
        before = (change for change in self.changes if change.start + len(change.old) < number)
        return number + sum(len(change.new) - len(change.old) for change in before)
