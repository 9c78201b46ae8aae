"""A key that a mapping has twice: the same words for `validate` and for an edit that must refuse."""

from __future__ import annotations

from mom.atlas.rules.catalogue import problem_at
from mom.problems import Problem
from mom.yamledit.data import is_merge
from mom.yamledit.nodes import Node
from mom.yamledit.source import Source


def duplicate_key(source: Source, name: str, first: Node, again: Node, path: str = "") -> Problem:
    """Return the problem of the key `again`, which repeats `first`."""
    return problem_at(
        source,
        again.start,
        "duplicate-key",
        f"duplicate key `{name}` (first on line {source.line_number(first.start)})",
        end=again.end,
        hint="write one with a list: `<<: [*a, *b]`" if is_merge(again) else None,
        path=path,
        related=((source.place(first.start), "the first one"),),
    )
