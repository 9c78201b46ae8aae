"""From a place in a document's data back to the nodes it was written as.

A path names data: keys and indices from the root, aliases followed and `<<` merged, as `to_data` reads them. What is
found are the nodes where the value really is, which may be in another part of the document than the path says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, TypeAlias

from mom.yamledit.data import is_merge, key_text, walk
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence

Path: TypeAlias = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


def show(path: Path) -> str:
    """Return a path as people write it: `spec.headers[0].value`, with odd keys quoted: `labels["a.b"]`."""
    parts = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.match(step):
            parts.append(f".{step}")
        else:
            parts.append(f"[{json.dumps(step, ensure_ascii=False)}]")
    return "".join(parts).removeprefix(".")


class Located(NamedTuple):
    """Where a path leads: the key's node (None for the root and for list items) and the value's."""

    key: Node | None
    value: Node


class Tree:
    """A document's tree, searched by path."""

    def __init__(self, root: Node) -> None:
        """Take a tree whose aliases `to_data` has accepted."""
        self.root = root
        # By identity, as long as the tree lives: looking up each of n keys by scanning would take n squared steps.
        self._indices: dict[int, dict[str, tuple[Node, Node]]] = {}

    def find(self, path: Path) -> Located | None:
        """Return the nodes at `path`, None where the data has no such place. Of duplicate keys the first counts."""
        key: Node | None = None
        value = self.root
        for step in path:
            node = self.follow(value)
            if isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
                key, value = None, node.items[step]
            elif isinstance(node, Mapping) and (entry := self._entry(node, str(step))):
                key, value = entry
            else:
                return None
        return Located(key, value)

    def nearest(self, path: Path) -> Located:
        """Return the nodes at `path`, or at the longest beginning of it that exists."""
        while (location := self.find(path)) is None:
            path = path[:-1]
        return location

    def follow(self, node: Node) -> Node:
        """Return what an alias names, any other node as it is."""
        while isinstance(node, Alias):
            # An anchor may be defined again: the last definition before the alias counts (YAML 1.2.2, 3.2.2.2).
            before = [anchored for anchored in self._anchors.get(node.name, ()) if anchored.start < node.start]
            if not before:
                return node
            node = before[-1]
        return node

    @cached_property
    def _anchors(self) -> dict[str, list[Node]]:
        anchors: dict[str, list[Node]] = {}
        for node in walk(self.root):
            if not isinstance(node, Alias) and node.anchor is not None:
                anchors.setdefault(node.anchor, []).append(node)
        return anchors

    def _entry(self, mapping: Mapping, name: str) -> tuple[Node, Node] | None:
        waiting: list[Node] = [mapping]
        while waiting:
            node = self.follow(waiting.pop())
            if isinstance(node, Sequence):
                waiting.extend(reversed(node.items))
            elif isinstance(node, Mapping):
                if entry := self._index(node).get(name):
                    return entry
                waiting.extend(value for key, value in reversed(node.entries) if is_merge(key))
        return None

    def _index(self, mapping: Mapping) -> dict[str, tuple[Node, Node]]:
        index = self._indices.get(id(mapping))
        if index is None:
            index = {}
            for key, value in mapping.entries:
                if not (isinstance(key, Scalar) and is_merge(key)):
                    index.setdefault(key_text(key), (key, value))
            self._indices[id(mapping)] = index
        return index


def places(root: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield every value below and including `root` with the path at which it is written; aliases are not followed."""
    waiting: list[tuple[Path, Node]] = [(path, root)]
    while waiting:
        place = waiting.pop()
        yield place
        path, node = place
        if isinstance(node, Sequence):
            waiting.extend(((*path, index), item) for index, item in reversed(tuple(enumerate(node.items))))
        elif isinstance(node, Mapping):
            waiting.extend(((*path, key_text(key)), value) for key, value in reversed(node.entries))
