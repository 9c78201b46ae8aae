"""What must be read after an edit: the old trees, with values of the edit's own where it put some.

A tree of `mom.yamledit.nodes` says how each value is written (quotes, tags, flow or block), and what an edit leaves
alone stays so. What it writes only has to be read as it was meant, by every parser: that is `Written`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mom.yamledit.data import duplicate_keys, to_data, walk
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence
from mom.yamledit.scalars import is_ambiguous
from mom.yamledit.shape import Value
from mom.yamledit.stream import Document


class Written(NamedTuple):
    """A value that an edit writes, in whatever style; the tag and the anchor are those that were there."""

    value: Value
    tag: str | None = None
    anchor: str | None = None

    def is_read_from(self, node: Node | None) -> bool:
        """Whether every parser, of YAML 1.1 and 1.2, reads `node` as the value."""
        if node is None or isinstance(node, Alias):
            return False
        if (node.tag, node.anchor) != (self.tag, self.anchor) or duplicate_keys(node):
            return False
        for part in walk(node):
            if isinstance(part, Alias) or (part is not node and (part.tag is not None or part.anchor is not None)):
                return False
            if isinstance(part, Scalar) and not part.style and part.tag is None and _is_doubtful(part.value):
                return False
        return bool(to_data(node) == self.value)


# What YAML 1.1 and 1.2 both read as that number.
_INTEGER = re.compile(r"(?:0|[1-9][0-9]{0,14})\Z")


def _is_doubtful(plain: str) -> bool:
    return is_ambiguous(plain) and not _INTEGER.match(plain)


class ExpectedDocument(NamedTuple):
    """One document of the edited stream.

    document: the one it was, None for a new one. tree: what must be read, `Written` in the place of some nodes; None
    where the text must be the same. text: that text where it is another than the old limits say. ended: whether a
    line ending is added to its end.
    """

    document: Document | None
    tree: Any = None
    text: str | None = None
    ended: bool = False


def written_over(node: Node, value: Value) -> Written:
    """Return `value` in the place of `node`, whose anchor and tag stay."""
    return Written(value) if isinstance(node, Alias) else Written(value, node.tag, node.anchor)


def with_node(tree: Any, old: Node, new: Any) -> Any:
    """Return a tree with `new` in the place of the node at `old`'s place, which other edits may have changed inside.

    Nodes are told apart by where they begin and what they are.
    """
    if isinstance(tree, Written) or tree is None:
        return tree
    if _is_at(tree, old):
        return new(tree) if callable(new) else new
    if isinstance(tree, Sequence):
        items: list[Any] = list(tree.items)
        _replace_in(items, old, new)
        return tree._replace(items=tuple(items))
    if isinstance(tree, Mapping):
        parts: list[Any] = [part for entry in tree.entries for part in entry]
        _replace_in(parts, old, new)
        return tree._replace(entries=tuple(zip(parts[::2], parts[1::2], strict=True)))
    return tree


def _replace_in(parts: list[Any], old: Node, new: Any) -> None:
    for number, part in enumerate(parts):
        if not isinstance(part, Written) and (part.start <= old.start <= part.end or _is_at(part, old)):
            parts[number] = with_node(part, old, new)


def _is_at(node: Node, old: Node) -> bool:
    if node.start != old.start or type(node) is not type(old):
        return False
    if isinstance(node, Sequence | Mapping):
        return node.flow == getattr(old, "flow", None)
    return True
