"""Changing what bounds an HTTP adapter: entries of `allow`, its limit, its timeout and its retries."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as SequenceABC
from typing import NamedTuple

from mom.atlas.documents import items_at, value_at
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.appending import append_key
from mom.atlas.edit.scope import EditScope, data_of, refusal
from mom.atlas.edit.spots import find_spot, refuse_used_elsewhere, removal, replacement
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.yamledit.data import Data
from mom.yamledit.nodes import Mapping, Sequence
from mom.yamledit.operations import Operation
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.tree_operations import AppendEntry, RemoveItems

BOUNDS = ("limits", "timeout", "retries")


class Bounds(NamedTuple):
    """What each bound is to be, None for one that stays; `removed`: keys to take out."""

    limits: dict[str, Value] | None = None
    timeout: str | None = None
    retries: int | None = None
    removed: tuple[str, ...] = ()

    def values(self) -> dict[str, Value]:
        """Return the bounds to be set, by key of `spec`."""
        given: tuple[Value | None, ...] = (self.limits, self.timeout, self.retries)
        return {key: value for key, value in zip(BOUNDS, given, strict=True) if value is not None}


def bound_operations(
    source: Source, scope: EditScope, adapters: AdapterList, own: OwnDocument, bounds: Bounds
) -> Iterator[Operation]:
    """Yield what sets and removes bounds; nothing for one that is so already."""
    data = data_of(source, own.root)
    for key, value in bounds.values().items():
        spot = find_spot(source, own.root, ("spec", key))
        if spot.node is None:
            yield append_key(source, scope, adapters, own, key, value)
        elif isinstance(value, dict):
            yield from _limit(source, own, value, data)
        else:
            yield from replacement(source, own, ("spec", key), value)
    for key in bounds.removed:
        spot = find_spot(source, own.root, ("spec", key))
        if spot.entry is not None:
            yield removal(own, spot)


def _limit(source: Source, own: OwnDocument, limit: dict[str, Value], data: Data) -> Iterator[Operation]:
    """Yield what makes the limit that is there another one, each value in its place."""
    spot = find_spot(source, own.root, ("spec", "limits"))
    if not isinstance(spot.node, Mapping) or not spot.node.entries:
        node = spot.node or own.root
        message = "`limits` is not a mapping with a number of requests"
        raise refusal(problem_at(source, node.start, "wrong-type", message, end=node.end, path="spec.limits"))
    for key, value in {"per": "subject", **limit}.items():
        inner = find_spot(source, own.root, ("spec", "limits", key))
        if key in limit and inner.node is not None:
            yield from replacement(source, own, ("spec", "limits", key), value)
        elif key in limit:
            yield AppendEntry(own.document, own.root, spot.node, key, value, Shape())
        elif inner.node is not None and value_at(data, "spec", "limits", key) != value:
            yield removal(own, inner)


def allow_removal(
    source: Source, own: OwnDocument, entries: SequenceABC[dict[str, Value]]
) -> tuple[list[Operation], tuple[dict[str, Value], ...], bool]:
    """Return what takes entries out of `allow`, which of them are there, and whether no other entry is left.

    With its last entry the list goes: an empty one would be an error.
    """
    listed = [entry for _, entry in items_at(data_of(source, own.root), "spec", "allow")]
    indices = tuple(index for index, entry in enumerate(listed) if entry in entries)
    if not indices:
        return [], (), False
    spot = find_spot(source, own.root, ("spec", "allow"))
    node = spot.node
    assert isinstance(node, Sequence)
    assert spot.entry is not None
    for index in indices:
        refuse_used_elsewhere(source, own.root, node.items[index], "spec.allow")
    removed = tuple(entry for entry in entries if entry in listed)
    if len(indices) == len(node.items):
        return [removal(own, spot)], removed, True
    return [RemoveItems(own.document, own.root, spot.entry, indices)], removed, False


def bounds_before(data: Data, bounds: Bounds) -> Bounds | None:
    """Return the bounds that undo `bounds`; None where an old value is nothing that an option says."""
    old = {key: value_at(data, "spec", key) for key in (*bounds.values(), *bounds.removed)}
    changed = {key: value for key, value in old.items() if value != bounds.values().get(key)}
    limits, timeout, retries = (changed.get(key) for key in BOUNDS)
    if (
        not isinstance(limits, dict | None)
        or not isinstance(timeout, str | None)
        or not isinstance(retries, int | None)
    ):
        return None
    number = None if limits is None else limits.get("requestsPerMinute")
    per = None if limits is None else limits.get("per", "subject")
    if limits is not None and (not isinstance(number, int) or not isinstance(per, str)):
        return None
    before: dict[str, Value] | None = None
    if isinstance(number, int) and isinstance(per, str):
        before = {"requestsPerMinute": number, **({"per": per} if limits and "per" in limits else {})}
    removed = tuple(key for key, value in changed.items() if value is None and key in bounds.values())
    return Bounds(before, timeout, retries, removed)
