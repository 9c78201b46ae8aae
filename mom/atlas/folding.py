"""The Atlas document with a long list of references, most of which are written alike: only two of each run are parsed.

A run is a stretch of items that differ in the adapter's name alone, and a name of those has no other meaning in YAML.
So what holds of the document with the first two items of each run holds of all of it: the structure, and that nothing
is wrong. Where something is wrong, or a place inside the list is asked for, the whole document is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

from mom.atlas.documents import DataDocument, items_at, text_at, value_at
from mom.problems import Place
from mom.yamledit.data import Data
from mom.yamledit.nodes import Mapping
from mom.yamledit.nodes import Sequence as SequenceNode
from mom.yamledit.paths import Path
from mom.yamledit.source import Source
from mom.yamledit.stream import Document

# The start of an item as the tools write it, up to the name, which comes last.
_ITEM = re.compile(r"(?m)^( *- )adapterRef:(\r?\n)(?: +[A-Za-z]+: [A-Za-z][\w./-]*\2){2} +name: (?=[a-z])")
# With a hyphen: it is text to every parser of YAML.
NAME = r"[a-z][a-z0-9]{2,}(?:-[a-z0-9]+)+"
# The keys of a reference, and how many items of a run are kept. The last one is, too: what follows may be part of it.
_KEYS, _KEPT = 3, 2
# Shorter runs take no time. More nodes than so many references have are refused (`mom.yamledit.parser`).
_FEWEST, _MOST = 32, 50_000
_LIST: Path = ("spec", "apiAdapters")

T = TypeVar("T")
# An adapter's kind and name: two of different kinds may share a name, since their URLs differ.
Identity = tuple[str, str]


class Run(NamedTuple):
    """Items that differ in their names. names: of those left out, behind the second one; the last is kept, too.

    item, next_item: where the first one begins behind its dash, and the one behind those left out, in the short text.
    line: how many lines of the short text are above what was left out; lines: how many lines that are.
    """

    names: tuple[str, ...]
    item: int
    next_item: int
    line: int
    lines: int


@dataclass(frozen=True)
class Fold:
    """What is known of such a document by its text. short: the same one without what was left out of the runs."""

    short: DataDocument
    runs: Sequence[Run]

    @cached_property
    def identities(self) -> tuple[Identity, ...]:
        """Return what the references name, in their order."""
        kept = [identity_of(item) for _, item in items_at(self.short.data, *_LIST)]
        every = self.unfolded(kept, lambda alike, name: alike and (alike[0], name))
        return tuple([identity for identity in every if identity is not None])

    def unfolded(self, kept: Sequence[T], left_out: Callable[[T, str], T]) -> Iterator[T]:
        """Yield what `kept` has for each item of the short list, and `left_out` for those in between.

        left_out: takes what is kept for an item of the same run, and the name.
        """
        starts = _item_starts(self.short)
        before = 0
        for run in self.runs:
            end = starts.index(run.item) + _KEPT
            yield from kept[before:end]
            alike = kept[end]
            yield from [left_out(alike, name) for name in run.names]
            before = end
        yield from kept[before:]


class FoldedDocument(DataDocument):
    """The Atlas document, of which only `fold.short` was parsed."""

    fold: Fold
    _line: int
    _read: Callable[[], DataDocument]

    def __init__(
        self, source: Source, limits: Document, fold: Fold, line: int, read: Callable[[], DataDocument]
    ) -> None:
        """Take the document at `limits`, which begins in that line. read: parses all of it."""
        # As of a frozen dataclass, which the base is.
        self.__dict__.update(source=source, limits=limits, fold=fold, _line=line, _read=read)

    @cached_property
    def whole(self) -> DataDocument:
        """Return the whole document, parsed."""
        return self._read()

    @property
    def root(self) -> Mapping:
        """Return its tree."""
        return self.whole.root

    @cached_property
    def data(self) -> dict[str, Data]:
        """Return its data."""
        short = self.fold.short.data
        spec, items = short["spec"], value_at(short, *_LIST)
        assert isinstance(spec, dict)
        assert isinstance(items, list)
        return {**short, "spec": {**spec, "apiAdapters": list(self.fold.unfolded(items, _named))}}

    @property
    def brief(self) -> dict[str, Data]:
        """Return the data of the short one."""
        return self.fold.short.data

    @property
    def name(self) -> str | None:
        """Return `metadata.name`."""
        return self.fold.short.name

    def place(self, path: Path) -> Place:
        """Return the place of the value at `path`, or of the nearest thing above it that exists."""
        return self.whole.place(path) if path[:2] == _LIST else self._below(self.fold.short.place(path))

    def key_place(self, path: Path) -> Place:
        """Return the place of the key at `path`, or of its value where it has none."""
        return self.whole.key_place(path) if path[:2] == _LIST else self._below(self.fold.short.key_place(path))

    def _below(self, place: Place) -> Place:
        left_out = sum(run.lines for run in self.fold.runs if place.line > run.line)
        return place._replace(line=place.line + self._line - 1 + left_out)


def fold(text: str, name: str, body: int, read: Callable[[Source, Document], Sequence[DataDocument]]) -> Fold | None:
    """Return the fold of a document of the file `name`; None where that is not the way.

    body: where it begins behind its marker. read: parses what is between two limits.
    """
    short_text, runs = _without_runs(text)
    if not runs:
        return None
    documents = read(Source(name, short_text), Document(0, 0, body, len(short_text)))
    return Fold(documents[0], runs) if len(documents) == 1 and _are_kept(documents[0], runs) else None


def identity_of(item: Data) -> Identity | None:
    """Return what an item of the list names; None where it names nothing."""
    name = text_at(item, "adapterRef", "name")
    return (text_at(item, "adapterRef", "kind") or "", name) if name else None


def _named(item: Data, name: str) -> Data:
    reference = value_at(item, "adapterRef")
    assert isinstance(reference, dict)
    return {"adapterRef": {**reference, "name": name}}


def _without_runs(text: str) -> tuple[str, list[Run]]:
    """Return the text of a document without most items of each long run, and the runs."""
    runs: list[Run] = []
    pieces: list[str] = []
    at = before = length = lines = 0
    while (item := _ITEM.search(text, at)) is not None:
        pattern = re.compile(f"{re.escape(item.group())}({NAME}){item[2]}")
        items: list[re.Match[str]] = []
        at = item.start()
        while (match := pattern.match(text, at)) is not None:
            items.append(match)
            at = match.end()
        at = max(at, item.end())
        if len(items) < _FEWEST:
            continue
        start, end = items[_KEPT].start(), items[-1].start()
        pieces.append(text[before:start])
        shift, dash = before - length, len(item[1])
        length += start - before
        lines += text.count("\n", before, start)
        names = tuple(match[1] for match in items[_KEPT:-1])
        runs.append(Run(names, item.start() - shift + dash, length + dash, lines, text.count("\n", start, end)))
        before = end
    if sum(len(run.names) for run in runs) > _MOST:
        return text, []
    return "".join(pieces) + text[before:], runs


def _are_kept(short: DataDocument, runs: Sequence[Run]) -> bool:
    """Whether the items that were kept of each run are items of the list, one behind the other."""
    items, starts = value_at(short.data, *_LIST), _item_starts(short)
    if not isinstance(items, list) or len(items) != len(starts):
        return False
    for run in runs:
        if run.item not in starts:
            return False
        index = starts.index(run.item)
        if starts[index + _KEPT : index + _KEPT + 1] != [run.next_item] or not _is_reference(items[index]):
            return False
    return True


def _is_reference(item: Data) -> bool:
    reference = value_at(item, "adapterRef")
    return isinstance(item, dict) and len(item) == 1 and isinstance(reference, dict) and len(reference) == _KEYS


def _item_starts(short: DataDocument) -> list[int]:
    entry = short.tree.find(_LIST)
    return [item.start for item in entry.value.items] if entry and isinstance(entry.value, SequenceNode) else []
