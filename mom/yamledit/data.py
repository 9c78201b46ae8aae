"""A node tree as Python data, and its duplicate keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from mom.errors import MomError
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence, is_string
from mom.yamledit.scalars import resolve

Data: TypeAlias = "str | int | float | bool | list[Data] | dict[str, Data] | None"

# A few lines of aliases can expand to billions of nodes ("billion laughs"). Real files share a handful.
MAX_EXPANDED = 5_000_000


class ExpansionError(MomError):
    """Aliases that cannot be followed: unknown, inside themselves, or too many. `node` has the place."""

    def __init__(self, message: str, node: Node, *, hint: str) -> None:
        """Keep the node at fault beside the words."""
        super().__init__(message, hint=hint)
        self.node = node


def to_data(root: Node | None, *, limit: int = MAX_EXPANDED) -> Data:
    """Return the data of a tree: YAML 1.2 core schema, aliases followed, `<<` merged.

    Aliases share the value they name, so the result is as small as the tree; keys that are not strings are given as
    their text. Raises ExpansionError where an alias has no anchor or is inside it, or where the data, with aliases
    written out, would have more than `limit` nodes. Of duplicate keys the first counts (`duplicate_keys` finds
    them).
    """
    return _Reader(limit).read(root)[0] if root is not None else None


class _Reader:
    """Recursion is safe here: `mom.yamledit.stream` bounds the depth of a tree."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        # Per anchor: its value and that value's size with all aliases written out. None while it is being read.
        self.anchors: dict[str, tuple[Data, int] | None] = {}

    def read(self, node: Node) -> tuple[Data, int]:
        if isinstance(node, Alias):
            return self._follow(node)
        if node.anchor is not None:
            self.anchors[node.anchor] = None
        result = self._read(node)
        if result[1] > self.limit:
            raise ExpansionError(
                f"aliases expand to more than {self.limit:,} values here",
                node,
                hint="write out the values that are meant",
            )
        if node.anchor is not None:
            self.anchors[node.anchor] = result
        return result

    def _follow(self, node: Alias) -> tuple[Data, int]:
        if node.name not in self.anchors:
            hint = f"put the value in quotes if it is text, or write `&{node.name}` where the value is that it names"
            raise ExpansionError(f"alias `*{node.name}` has no anchor `&{node.name}` before it", node, hint=hint)
        anchored = self.anchors[node.name]
        if anchored is None:
            hint = "write out the value that is meant"
            raise ExpansionError(f"alias `*{node.name}` is inside the value that it names", node, hint=hint)
        return anchored

    def _read(self, node: Scalar | Sequence | Mapping) -> tuple[Data, int]:
        if isinstance(node, Scalar):
            return resolve(node.value, node.style, node.tag), 1
        size = 1
        if isinstance(node, Sequence):
            items: list[Data] = []
            for item in node.items:
                value, weight = self.read(item)
                items.append(value)
                size += weight
            return items, size
        own: dict[str, Data] = {}
        merged: dict[str, Data] = {}
        for key, value_node in node.entries:
            name = key_text(key)
            value, weight = self.read(value_node)
            size += weight + 1
            if isinstance(key, Scalar) and is_merge(key):
                for source in value if isinstance(value, list) else [value]:
                    for inherited, part in source.items() if isinstance(source, dict) else ():
                        merged.setdefault(inherited, part)
            else:
                own.setdefault(name, value)
        return {**own, **{name: part for name, part in merged.items() if name not in own}}, size


def is_merge(key: Node) -> bool:
    """Whether `key` is the merge key (yaml.org/type/merge): a plain `<<`."""
    return isinstance(key, Scalar) and key.value == "<<" and not key.style


def key_text(key: Node) -> str:
    """Return a key as text: a scalar's value, `*name` for an alias, and a word for a collection (`? [a, b]`)."""
    if isinstance(key, Scalar):
        return key.value
    return f"*{key.name}" if isinstance(key, Alias) else "(complex key)"


def walk(root: Node | None) -> Iterator[Node]:
    """Yield every node below and including `root`, in file order, without recursion."""
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Sequence):
            waiting.extend(reversed(node.items))
        elif isinstance(node, Mapping):
            waiting.extend(part for entry in reversed(node.entries) for part in reversed(entry))


def duplicate_keys(root: Node | None) -> list[tuple[str, Node, Node]]:
    """Return each key that a mapping has twice (YAML 1.2.2, section 3.2.1.1, forbids that): name, first, repeated.

    Two `<<` are counted too: parsers disagree about them.
    """
    repeated: list[tuple[str, Node, Node]] = []
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, Sequence):
            waiting.extend(reversed(node.items))
        elif isinstance(node, Mapping):
            waiting.extend(value for _, value in reversed(node.entries) if not isinstance(value, Scalar))
            waiting.extend(key for key, _ in node.entries if not isinstance(key, Scalar))
            names = {key.value for key, _ in node.entries if isinstance(key, Scalar)}
            if len(names) < len(node.entries):
                repeated += _repeated(node)
    return sorted(repeated, key=lambda entry: entry[2].start)


def tagged_keys(root: Node | None) -> list[Scalar]:
    """Return, in file order, each key that a tag makes something other than text, as `!!null kind`.

    Readers by name would take it for the text; parsers that resolve tags do not.
    """
    mappings = (node for node in walk(root) if isinstance(node, Mapping)) if root is not None else ()
    keys = (key for node in mappings for key, _ in node.entries if isinstance(key, Scalar))
    return sorted((key for key in keys if not is_string(key) and not is_merge(key)), key=lambda key: key.start)


def _repeated(node: Mapping) -> list[tuple[str, Node, Node]]:
    repeated: list[tuple[str, Node, Node]] = []
    seen: dict[str | tuple[str], Node] = {}
    for key, _ in node.entries:
        if isinstance(key, Scalar):
            # `~` and `null` are one key, and not the strings of that name.
            null = resolve(key.value, key.style, key.tag) is None
            name = "" if null else (key.value,)
            if name in seen:
                repeated.append((key.value, seen[name], key))
            else:
                seen[name] = key
    return repeated
