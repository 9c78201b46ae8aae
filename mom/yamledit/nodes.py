"""The tree of one YAML document, with positions: what a finder looks at before it inserts text.

Offsets are code point indices into the file's text. A node's `start` is that of its anchor or tag where it has one.
Its `end` is exclusive: of a scalar, an alias or a flow collection the end of its own text; of a block collection
the end of its last leaf, never the comments or blank lines after it (a parser's own end mark of a block collection
is at the NEXT token). The end of a block scalar includes its final line ending and, for `|+`, its blank lines,
which are data.

Named tuples, not dataclasses: 70,000 of them are made for a file of 10,000 adapters.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Scalar(NamedTuple):
    """A scalar. `style` is '' for plain, or one of `'`, `"`, `|`, `>`. `value` is what YAML makes of the text."""

    start: int
    end: int
    value: str
    style: str
    tag: str | None
    anchor: str | None


class Alias(NamedTuple):
    """`*name`."""

    start: int
    end: int
    name: str


class Sequence(NamedTuple):
    """A list, `flow` when written as `[…]`."""

    start: int
    end: int
    items: tuple[Node, ...]
    flow: bool
    tag: str | None
    anchor: str | None


class Mapping(NamedTuple):
    """A mapping in file order, duplicate keys included, `flow` when written as `{…}`."""

    start: int
    end: int
    entries: tuple[tuple[Node, Node], ...]
    flow: bool
    tag: str | None
    anchor: str | None


Node: TypeAlias = Scalar | Alias | Sequence | Mapping


_CORE = "tag:yaml.org,2002:"


def is_string(node: Node) -> bool:
    """Whether no tag says that a scalar is something else than text: a null, a number."""
    return isinstance(node, Scalar) and (node.tag is None or node.tag == f"{_CORE}str" or _CORE not in node.tag)


def is_key(node: Node, name: str) -> bool:
    """Whether `node` is the string `name`, however it is quoted."""
    return isinstance(node, Scalar) and node.value == name and node.style not in {"|", ">"}


def entries_of(node: Node | None, key: str) -> list[tuple[Node, Node]]:
    """Return all entries of `node` with that key: none where it is not a mapping, several where keys are duplicated."""
    return [entry for entry in node.entries if is_key(entry[0], key)] if isinstance(node, Mapping) else []


def get(node: Node | None, *path: str) -> Node | None:
    """Follow keys from `node`; return the node there, or None. Of duplicate keys the first counts."""
    for key in path:
        entries = entries_of(node, key)
        if not entries:
            return None
        node = entries[0][1]
    return node


def last_leaf(node: Node) -> Node:
    """Return what a block collection ends with: its last value, all the way in; any other node as it is."""
    while isinstance(node, Sequence | Mapping) and not node.flow:
        node = node.items[-1] if isinstance(node, Sequence) else node.entries[-1][1]
    return node


def text_of(node: Node | None) -> str | None:
    """Return a scalar's value as text, None for anything else (also for an alias: its value is elsewhere)."""
    return node.value if isinstance(node, Scalar) else None
