"""Operations on a stream, each with two faces: what changes in the text, and what must be read afterwards.

`splices(source)` and `expected(stream)` know nothing of each other, and the proof (`mom.yamledit.prove`) knows no
operation by name: what one does by mistake, the other does not expect.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from collections.abc import Sequence as SequenceABC
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

# What makes the splices of other operations is imported by these: additions, the most frequent edits, need no more.
from mom.yamledit import insert
from mom.yamledit.diff import Change, changes
from mom.yamledit.expected import ExpectedDocument, Written, with_node, written_over
from mom.yamledit.nodes import Mapping, Node, Scalar, Sequence
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.splice import NO_FINAL_LINE_ENDING, Splice, apply, line_ending_at
from mom.yamledit.stream import Document

if TYPE_CHECKING:
    from mom.yamledit.remove_document import Removal

Stream: TypeAlias = tuple[ExpectedDocument, ...]


class Operation(Protocol):
    """A change of a stream. `place`: an offset in the old text, where to point when it cannot be made."""

    @property
    def place(self) -> int:
        """Where in the old text the operation is about."""

    def splices(self, source: Source) -> list[Splice]:
        """Return what changes in the text, in the order of the offsets."""

    def expected(self, stream: Stream) -> Stream:
        """Return what must be read afterwards where `stream` had to be read before."""


class _InDocument(Operation, Protocol):
    """An operation inside one document: its limits and its tree."""

    @property
    def document(self) -> Document:
        """The document."""

    @property
    def root(self) -> Node:
        """Its tree."""

    def changed(self, tree: Any) -> Any:
        """Return the tree after the operation."""


def _with_changed_tree(operation: _InDocument, stream: Stream) -> Stream:
    """Return the stream with the tree of the operation's document changed."""
    return tuple(
        expected._replace(tree=operation.changed(operation.root if expected.tree is None else expected.tree))
        if expected.document == operation.document
        else expected
        for expected in stream
    )


class AppendItems(NamedTuple):
    """Put `values` at the end of the list that is the value of `entry` in `parent`: a list, or nothing yet."""

    document: Document
    root: Node
    parent: Mapping
    entry: tuple[Node, Node]
    values: SequenceABC[Value]
    fallback: Shape

    @property
    def place(self) -> int:
        """Return where the list is."""
        return self.entry[1].start

    def splices(self, source: Source) -> list[Splice]:
        """Return the items as text, in the style of the list."""
        return insert.append_items(source, self.parent, self.entry, self.values, self.fallback)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document changed."""
        return _with_changed_tree(self, stream)

    def changed(self, tree: Any) -> Any:
        """Return the tree with the items, nothing else about the list changed."""
        node = self.entry[1]
        if not isinstance(node, Sequence) or not node.items:
            return with_node(tree, node, written_over(node, list(self.values)))
        return with_node(
            tree, node, lambda sequence: sequence._replace(items=(*sequence.items, *map(Written, self.values)))
        )


class AppendEntry(NamedTuple):
    """Put `key` with `value` at the end of a `mapping` that has entries."""

    document: Document
    root: Node
    mapping: Mapping
    key: str
    value: Value
    fallback: Shape

    @property
    def place(self) -> int:
        """Return where the mapping is."""
        return self.mapping.start

    def splices(self, source: Source) -> list[Splice]:
        """Return the entry as text."""
        return insert.append_entry(source, self.mapping, self.key, self.value, self.fallback)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document changed."""
        return _with_changed_tree(self, stream)

    def changed(self, tree: Any) -> Any:
        """Return the tree with the entry."""
        entry = (Written(self.key), Written(self.value))
        return with_node(tree, self.mapping, lambda mapping: mapping._replace(entries=(*mapping.entries, entry)))


class Fill(NamedTuple):
    """Make `value` of the empty value of `entry` in `parent`."""

    document: Document
    root: Node
    parent: Mapping
    entry: tuple[Node, Node]
    value: Value
    fallback: Shape

    @property
    def place(self) -> int:
        """Return where the empty value is."""
        return self.entry[1].start

    def splices(self, source: Source) -> list[Splice]:
        """Return the value as text."""
        return insert.fill(source, self.parent, self.entry, self.value, self.fallback)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document changed."""
        return _with_changed_tree(self, stream)

    def changed(self, tree: Any) -> Any:
        """Return the tree with the value; the anchor that was there stays."""
        return with_node(tree, self.entry[1], written_over(self.entry[1], self.value))


class RemoveItems(NamedTuple):
    """Take the items at `indices` out of the list that is the value of `entry`."""

    document: Document
    root: Node
    entry: tuple[Node, Node]
    indices: tuple[int, ...]
    keep_comments: bool = False

    @property
    def place(self) -> int:
        """Return where the first of the items is."""
        node = self.entry[1]
        assert isinstance(node, Sequence)
        return node.items[min(self.indices)].start

    def splices(self, source: Source) -> list[Splice]:
        """Return what goes with the items."""
        from mom.yamledit import remove

        return remove.remove_items(source, self.entry, self.indices, keep_comments=self.keep_comments)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document changed."""
        return _with_changed_tree(self, stream)

    def changed(self, tree: Any) -> Any:
        """Return the tree without the items; a list without others is empty."""
        node = self.entry[1]
        assert isinstance(node, Sequence)
        if len(set(self.indices)) == len(node.items):
            return with_node(tree, node, written_over(node, []))
        return with_node(tree, node, lambda sequence: sequence._replace(items=_without(sequence.items, self.indices)))


class RemoveEntry(NamedTuple):
    """Take the entry at `index` out of a `mapping` that has others."""

    document: Document
    root: Node
    mapping: Mapping
    at: int
    keep_comments: bool = False

    @property
    def place(self) -> int:
        """Return where the entry is."""
        return self.mapping.entries[self.at][0].start

    def splices(self, source: Source) -> list[Splice]:
        """Return what goes with the entry."""
        from mom.yamledit import remove

        return remove.remove_entry(source, self.mapping, self.at, keep_comments=self.keep_comments)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document changed."""
        return _with_changed_tree(self, stream)

    def changed(self, tree: Any) -> Any:
        """Return the tree without the entry."""
        return with_node(
            tree, self.mapping, lambda mapping: mapping._replace(entries=_without(mapping.entries, (self.at,)))
        )


def _without(parts: tuple[Any, ...], indices: SequenceABC[int]) -> tuple[Any, ...]:
    return tuple(part for number, part in enumerate(parts) if number not in indices)


class ReplaceScalar(NamedTuple):
    """Write `value` in the place of a scalar; `flow`: whether that is inside braces or brackets."""

    document: Document
    root: Node
    node: Scalar
    value: str
    flow: bool

    @property
    def place(self) -> int:
        """Return where the scalar is."""
        return self.node.start

    def splices(self, source: Source) -> list[Splice]:
        """Return the new text of the scalar."""
        from mom.yamledit import replace

        return replace.replace_scalar(source, self.node, self.value, flow=self.flow)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document changed."""
        return _with_changed_tree(self, stream)

    def changed(self, tree: Any) -> Any:
        """Return the tree with the value; anchor and tag stay."""
        return with_node(tree, self.node, written_over(self.node, self.value))


class RenameKey(NamedTuple):
    """Give the entry number `at` of a `mapping` another key."""

    document: Document
    root: Node
    mapping: Mapping
    at: int
    name: str

    @property
    def place(self) -> int:
        """Return where the key is."""
        return self.mapping.entries[self.at][0].start

    def splices(self, source: Source) -> list[Splice]:
        """Return the new text of the key."""
        from mom.yamledit import replace

        return replace.rename_key(source, self.mapping, self.at, self.name)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document changed."""
        return _with_changed_tree(self, stream)

    def changed(self, tree: Any) -> Any:
        """Return the tree with the key."""
        key = self.mapping.entries[self.at][0]
        return with_node(tree, key, written_over(key, self.name))


class AppendDocument(NamedTuple):
    """Put a document at the end of the stream."""

    source: Source
    documents: tuple[Document, ...]
    value: MappingABC[str, Value]
    shape: Shape

    @property
    def place(self) -> int:
        """Return where the last document is."""
        return self.documents[-1].body if self.documents else 0

    def splices(self, source: Source) -> list[Splice]:
        """Return the document as text."""
        return insert.append_document(source, self.documents, self.value, self.shape)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document; a bare `---` at the end is its own."""
        bare = insert.ends_in_bare_marker(self.source, self.documents)
        return (*(stream[:-1] if bare else stream), ExpectedDocument(None, Written(self.value)))


class RemoveDocument:
    """Take the document at `index` out of the stream."""

    def __init__(
        self, source: Source, documents: tuple[Document, ...], index: int, *, keep_comments: bool = False
    ) -> None:
        """Remove the document at `index` of `documents`, which are all of `source`."""
        self.source = source
        self.documents = documents
        self.index = index
        self.keep_comments = keep_comments

    @property
    def place(self) -> int:
        """Return where the document is."""
        return self.documents[self.index].body

    @cached_property
    def _removal(self) -> Removal:
        from mom.yamledit import remove_document

        return remove_document.remove_document(
            self.source, self.documents, self.index, keep_comments=self.keep_comments
        )

    def splices(self, source: Source) -> list[Splice]:  # noqa: ARG002 - the one it was made for
        """Return what goes with the document."""
        return self._removal.splices

    def expected(self, stream: Stream) -> Stream:
        """Return the stream without the document; comments that stay are its neighbours' then."""
        removal = self._removal
        texts = {self.index - 1: removal.previous_text, self.index + 1: removal.following_text}
        changed = {self.documents[index]: text for index, text in texts.items() if text is not None and index >= 0}
        return tuple(
            expected._replace(text=changed[expected.document]) if expected.document in changed else expected
            for expected in stream
            if expected.document != self.documents[self.index]
        )


class EndLastLine(NamedTuple):
    """Give a stream without a final line ending one, before something is put below its last line."""

    source: Source

    @property
    def place(self) -> int:
        """Return where the stream ends."""
        return len(self.source.text)

    def splices(self, source: Source) -> list[Splice]:
        """Return the line ending."""
        end = len(source.text)
        return [Splice(end, 0, line_ending_at(source.text, end), NO_FINAL_LINE_ENDING)]

    def expected(self, stream: Stream) -> Stream:
        """Return the stream whose last document has the line ending, where that reaches to the end."""
        reaches = [
            expected
            for expected in stream
            if expected.document is not None and expected.document.end == len(self.source.text)
        ]
        return tuple(expected._replace(ended=True) if expected in reaches[-1:] else expected for expected in stream)


class Outcome(NamedTuple):
    """What operations make of a text: the operations, the splices, the lines that change, and the new text."""

    operations: tuple[Operation, ...]
    splices: tuple[Splice, ...]
    changes: tuple[Change, ...]
    text: str


def carry_out(source: Source, operations: SequenceABC[Operation]) -> Outcome:
    """Return what `operations` make of the text; they do not touch the same places.

    Where something is put below a last line without a line ending, that gets one first.
    """
    text = source.text
    splices = [splice for operation in operations for splice in operation.splices(source)]
    if text and not text.endswith("\n") and any(splice.offset == len(text) and splice.text for splice in splices):
        end = EndLastLine(source)
        operations, splices = [end, *operations], [*end.splices(source), *splices]
    splices.sort(key=lambda splice: splice.offset)
    return Outcome(tuple(operations), tuple(splices), tuple(changes(source, splices)), apply(text, splices))


def expected(documents: SequenceABC[Document], operations: SequenceABC[Operation]) -> Stream:
    """Return what must be read after `operations` where the stream has `documents` now."""
    stream: Stream = tuple(ExpectedDocument(document) for document in documents)
    for operation in operations:
        stream = operation.expected(stream)
    return stream
