"""A value inside a document that an edit is about: its node, if it can be changed without changing another place.

And the operations that write it, and take it out.
"""

from __future__ import annotations

from typing import NamedTuple

from mom.atlas.edit.scope import data_of, refusal
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.errors import MomError
from mom.problems import Place
from mom.yamledit.data import is_merge, walk
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence, entries_of, get
from mom.yamledit.paths import Path, show
from mom.yamledit.shape import Value
from mom.yamledit.source import Source
from mom.yamledit.tree_operations import RemoveEntry, ReplaceScalar


class Spot(NamedTuple):
    """Where a path leads. parent, entry: the mapping and the entry of the last key. flow: inside braces or brackets.

    `node` is None where the mapping before the last key has no such entry, `parent` where there is no such mapping.
    """

    node: Node | None
    parent: Mapping | None
    entry: tuple[Node, Node] | None
    flow: bool


def find_spot(source: Source, root: Node, path: Path) -> Spot:
    """Return where `path` leads from `root`, by nodes that only this path leads to.

    Raises MomError, with both places, where an alias or a merge key is on the way, or an anchor that is used elsewhere.
    """
    parent: Mapping | None = None
    entry: tuple[Node, Node] | None = None
    node: Node | None = root
    flow = False
    for number, step in enumerate(path):
        assert node is not None
        _refuse_shared(source, root, node, path[:number])
        flow = flow or (isinstance(node, Sequence | Mapping) and node.flow)
        if isinstance(step, int):
            assert isinstance(node, Sequence)
            parent, entry, node = None, None, node.items[step]
            continue
        if not isinstance(node, Mapping):
            return Spot(None, None, None, flow)
        entries = entries_of(node, step)
        if not entries:
            _refuse_merged(source, node, path[: number + 1])
            return Spot(None, node if number + 1 == len(path) else None, None, flow)
        parent, entry, node = node, entries[0], entries[0][1]
    assert node is not None
    _refuse_shared(source, root, node, path)
    return Spot(node, parent, entry, flow)


def find_text(source: Source, root: Node, path: Path) -> tuple[Scalar, bool]:
    """Return the scalar at `path`, and whether it is inside braces or brackets. Raises MomError where there is none."""
    spot = find_spot(source, root, path)
    if isinstance(spot.node, Scalar):
        return spot.node, spot.flow
    at = root if spot.node is None else spot.node
    message = f"`{show(path)}` is not text"
    raise refusal(
        problem_at(source, at.start, "wrong-type", message, end=at.end, hint="write it as text", path=show(path))
    )


def replacement(source: Source, own: OwnDocument, path: Path, value: Value) -> list[ReplaceScalar]:
    """Return the operation that writes `value`, a scalar, at `path`; none where it is there already."""
    assert isinstance(value, str | int)
    node, flow = find_text(source, own.root, path)
    return [] if data_of(source, node) == value else [ReplaceScalar(own.document, own.root, node, value, flow)]


def removal(own: OwnDocument, spot: Spot) -> RemoveEntry:
    """Return the operation that takes the entry of a spot out of its mapping."""
    assert spot.parent is not None
    assert spot.entry is not None
    return RemoveEntry(own.document, own.root, spot.parent, spot.parent.entries.index(spot.entry))


def extensible_spec(source: Source, own: OwnDocument, spot: Spot) -> Mapping:
    """Return the `spec` that lacks the key of a spot. Raises MomError where it is not a mapping with keys."""
    if spot.parent is not None and spot.parent.entries:
        return spot.parent
    node = get(own.root, "spec") or own.root
    message = "`spec` is not a mapping with a base URL"
    raise refusal(problem_at(source, node.start, "wrong-type", message, end=node.end, path="spec"))


def _refuse_shared(source: Source, root: Node, node: Node, path: Path) -> None:
    """Raise MomError where a value is an alias, or has an anchor that an alias uses."""
    name, where = str(path[-1]) if path else "the document", show(path)
    if isinstance(node, Alias):
        anchors = [other for other in walk(root) if not isinstance(other, Alias) and other.anchor == node.name]
        related = [(source.place(other.start), "its value") for other in anchors[:1]]
        raise _shared(source, node, where, f"`{name}` is an alias (`*{node.name}`)", related)
    if node.anchor is not None:
        aliases = [other for other in walk(root) if isinstance(other, Alias) and other.name == node.anchor]
        if aliases:
            what = f"`{name}` has the anchor `&{node.anchor}`, which line {source.line_number(aliases[0].start)} uses"
            raise _shared(source, node, where, what, [(source.place(aliases[0].start), "used here")])


def _refuse_merged(source: Source, mapping: Mapping, path: Path) -> None:
    """Raise MomError where a key that a mapping does not have may be merged into it."""
    for key, value in mapping.entries:
        if is_merge(key):
            what = f"`{path[-1]}` may come from a merge key (`<<`)"
            raise _shared(source, key, show(path), what, [(source.place(value.start), "what is merged")])


def _shared(source: Source, node: Node, path: str, what: str, related: list[tuple[Place, str]]) -> MomError:
    message = f"{what}; an edit would change both places"
    hint = "write the value out in place"
    return refusal(
        problem_at(
            source, node.start, "unsafe-edit", message, end=node.end, hint=hint, path=path, related=tuple(related)
        )
    )


def refuse_used_elsewhere(source: Source, root: Node, item: Node, path: str) -> None:
    """Raise MomError where something in an item has an anchor that is used outside of it."""
    anchors = {node.anchor: node for node in walk(item) if not isinstance(node, Alias) and node.anchor is not None}
    for node in walk(root) if anchors else ():
        if isinstance(node, Alias) and node.name in anchors and not item.start <= node.start < item.end:
            anchored = anchors[node.name]
            line = source.line_number(node.start)
            message = f"the item has the anchor `&{node.name}`, which line {line} uses"
            problem = problem_at(
                source,
                anchored.start,
                "unsafe-edit",
                message,
                end=anchored.end,
                hint="write the value out where it is used",
                path=path,
                related=((source.place(node.start), "used here"),),
            )
            raise refusal(problem)
