"""A file's own documents read as data, with the way back from data to places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from mom.atlas.ownership import OwnDocument, read_own
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.rules.separators import separate
from mom.problems import Place, Problem
from mom.yamledit.data import Data, ExpansionError, tagged_keys, to_data
from mom.yamledit.nodes import Mapping, Node
from mom.yamledit.paths import Path, Tree, show
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, YamlSyntaxError, documents

if TYPE_CHECKING:
    from mom.atlas.forms import Forms

_MAX_ALIASED = 500_000


@dataclass(frozen=True)
class DataDocument:
    """A document of ours that could be read: its limits, its tree, and its data."""

    source: Source
    limits: Document
    root: Mapping
    data: dict[str, Data]

    @cached_property
    def tree(self) -> Tree:
        """Return the tree, searched by path."""
        return Tree(self.root)

    @property
    def brief(self) -> dict[str, Data]:
        """Return its data, of a long list of references perhaps only some."""
        return self.data

    @property
    def name(self) -> str | None:
        """Return `metadata.name`, None where there is none or it is not text."""
        return text_at(self.data, "metadata", "name")

    def offset(self, path: Path) -> int:
        """Return where the value at `path` is, or the nearest thing above it that exists."""
        return self.tree.nearest(path).value.start

    def place(self, path: Path) -> Place:
        """Return the place of the value at `path`, or of the nearest thing above it that exists."""
        return self.source.place(self.offset(path))

    def key_place(self, path: Path) -> Place:
        """Return the place of the key at `path`, or of its value where it has none."""
        entry = self.tree.nearest(path)
        return self.source.place((entry.key or entry.value).start)

    def problem(
        self,
        path: Path,
        rule: str,
        message: str,
        *,
        at: Node | None = None,
        hint: str | None = None,
        related: tuple[tuple[Place, str], ...] = (),
    ) -> Problem:
        """Return a problem about the value at `path`, placed where that is or at another node."""
        node = self.tree.nearest(path).value if at is None else at
        return problem_at(
            self.source, node.start, rule, message, end=node.end, hint=hint, path=show(path), related=related
        )


class Unreadable(NamedTuple):
    """A document that says it is ours and cannot be read."""

    limits: Document
    problem: Problem


class Stream(NamedTuple):
    """A file's documents, sorted by whose they are; each list in file order.

    unseparated: where a document begins, as an offset, that no `---` separates from the one before it.
    """

    source: Source
    own: tuple[DataDocument, ...]
    unreadable: tuple[Unreadable, ...]
    bystanders: tuple[Document, ...]
    unseparated: tuple[int, ...] = ()


def read(source: Source, forms: Forms | None = None) -> Stream:
    """Read all documents of ours in `source`. What cannot be read is given as a value, with its problem.

    forms: those of the documents that were read before; what is of one of them is not parsed.
    """
    own: list[DataDocument] = []
    unreadable: list[Unreadable] = []
    bystanders: list[Document] = []
    unseparated: list[int] = []
    line, at = 1, 0
    for limits in documents(source):
        if forms is not None:
            line, at = line + source.text.count("\n", at, limits.start), limits.start
            if (known := forms.find(source, limits, line)) is not None:
                own.append(known)
                continue
        document = _read_document(source, limits)
        if isinstance(document, DataDocument):
            parts = _parts(document)
            own += parts
            unseparated += [part.root.start for part in parts[1:]]
            if forms is not None and len(parts) > 1:
                forms.forget(limits)
        elif isinstance(document, Unreadable):
            unreadable.append(document)
        else:
            bystanders.append(limits)
    return Stream(source, tuple(own), tuple(unreadable), tuple(bystanders), tuple(unseparated))


def read_whole(source: Source, limits: Document) -> list[DataDocument]:
    """Return the documents of ours within `limits`: none where it is another tool's, or cannot be read."""
    document = _read_document(source, limits)
    return _parts(document) if isinstance(document, DataDocument) else []


def _parts(document: DataDocument) -> list[DataDocument]:
    """Return the documents that one was meant to be (`mom.atlas.rules.separators`)."""
    parts = separate(document.root)
    if len(parts) == 1:
        return [document]
    try:
        return [_part(document, part) for part in parts]
    except ExpansionError:
        # One uses an anchor of another.
        return [document]


def _part(document: DataDocument, root: Mapping) -> DataDocument:
    data = to_data(root)
    assert isinstance(data, dict)
    return DataDocument(document.source, document.limits, root, data)


def _read_document(source: Source, limits: Document) -> DataDocument | Unreadable | None:
    try:
        own = read_own(source, limits)
    except YamlSyntaxError as error:
        return Unreadable(limits, error.problem)
    if own is None:
        return None
    try:
        data = own_data(own)
    except ExpansionError as error:
        return Unreadable(limits, alias_problem(source, error))
    assert isinstance(data, dict)
    return DataDocument(source, limits, own.root, data)


def own_data(own: OwnDocument) -> Data:
    """Return the data of a document of ours. Raises ExpansionError where its aliases cannot be followed."""
    # No tree has more nodes than its text has characters; what goes far beyond comes from aliases, and validating
    # takes time for every use of an alias.
    return to_data(own.root, limit=_MAX_ALIASED + own.document.end - own.document.start)


def alias_problem(source: Source, error: ExpansionError) -> Problem:
    """Return the problem, with its place, of an alias that cannot be followed."""
    node = error.node
    return problem_at(source, node.start, "yaml-alias", error.message, end=node.end, hint=error.hint)


def carriage_return_problem(source: Source, limits: Document) -> Problem | None:
    """Return the problem of a document with a carriage return that no line feed follows: mom counts lines by LF."""
    offset = source.carriage_return(limits.start, limits.end)
    if offset is None:
        return None
    message = "bare carriage return: lines must end in LF or CRLF"
    return problem_at(source, offset, "line-end", message)


def tagged_key_problems(source: Source, limits: Document, root: Node) -> Iterator[Problem]:
    """Yield the problem of each key of a document of ours that a tag makes something other than text."""
    # Looking for a sign in the text takes a fraction of the time of a walk through the tree.
    for key in tagged_keys(root) if source.text.find("!", limits.body, limits.end) != -1 else ():
        message = f"the key `{key.value}` has a tag that makes it something other than text"
        yield problem_at(source, key.start, "tagged-key", message, end=key.end)


def value_at(data: Data, *path: str | int) -> Data:
    """Follow `path` into data; None where it leads nowhere."""
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data):
            data = data[step]
        else:
            return None
    return data


def text_at(data: Data, *path: str | int) -> str | None:
    """Follow `path` into data; None unless there is text."""
    value = value_at(data, *path)
    return value if isinstance(value, str) else None


def items_at(data: Data, *path: str | int) -> Iterator[tuple[Path, Data]]:
    """Yield the items of the list at `path`, each with its own path; nothing where there is no list."""
    items = value_at(data, *path)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        yield (*path, index), item


def texts_at(data: Data, *path: str | int) -> tuple[str, ...]:
    """Return the texts of the list at `path`; none where there is no list."""
    return tuple(item for _, item in items_at(data, *path) if isinstance(item, str))
