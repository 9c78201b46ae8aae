"""Documents that no `---` separates: read as one they would have each of their keys twice, which says nothing of it."""

from __future__ import annotations

import re

from mom.atlas.rules.catalogue import problem_at
from mom.problems import Problem
from mom.yamledit.nodes import Mapping, Node, Scalar, text_of
from mom.yamledit.source import Source

# What tells the type of a document.
_TYPE = ("apiVersion", "kind")


def separate(root: Mapping) -> list[Mapping]:
    """Return the documents that `root` was meant to be: where `apiVersion` and `kind` come again, one begins."""
    typed = {
        index: name
        for index, (key, _) in enumerate(root.entries)
        if isinstance(key, Scalar) and key.value.endswith(_TYPE) and (name := _name(key)) in _TYPE
    }
    last = {name: index for index, name in typed.items()}
    groups: list[list[tuple[Node, Node]]] = [[]]
    before: set[str] = set()
    for index, entry in enumerate(root.entries):
        if index in typed and not before.symmetric_difference(_TYPE) and all(last[name] >= index for name in _TYPE):
            groups.append([])
            before = set()
        if index in typed:
            before.add(typed[index])
        groups[-1].append(entry)
    if len(groups) == 1 or root.flow:
        return [root]
    return [_part(root, tuple(group)) for group in groups]


def missing_separator(source: Source, offset: int) -> Problem:
    """Return the problem of a document that begins at `offset`."""
    return problem_at(
        source,
        offset,
        "missing-separator",
        "a second document begins here without a `---` before it",
        end=source.text.find(":", offset),
    )


def _name(key: Node) -> str:
    """Return a key's text; of one that has swallowed a separator (`---apiVersion`) what is left without that."""
    return re.sub(r"\A[^A-Za-z]+", "", ((text_of(key) or "").split() or [""])[-1])


def _part(root: Mapping, entries: tuple[tuple[Node, Node], ...]) -> Mapping:
    first, value = entries[0]
    if isinstance(first, Scalar):
        entries = ((first._replace(value=_name(first)), value), *entries[1:])
    return root._replace(start=first.start, end=entries[-1][1].end, entries=entries)
