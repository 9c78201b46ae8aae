"""Operations inside one document: on its lists, its mappings and its scalars (see `mom.yamledit.operations`)."""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC
from typing import Any, NamedTuple, Protocol

# What makes the splices of other operations is imported by these: additions, the most frequent edits, need no more.
from mom.yamledit import insert
from mom.yamledit.expected import Written, with_node, written_over
from mom.yamledit.nodes import Mapping, Node, Scalar, Sequence
from mom.yamledit.operations import Operation, Stream
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice
from mom.yamledit.stream import Document


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
    value: str | int
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
