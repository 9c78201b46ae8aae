"""Changing a list of an HTTP adapter whose items have a name and a value: its headers, and parameters of the query."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass, field
from typing import NamedTuple

from mom.atlas.adapters.http import HTTP
from mom.atlas.documents import items_at
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.appending import append_values
from mom.atlas.edit.scope import EditScope, refusal
from mom.atlas.edit.spots import find_spot, refuse_used_elsewhere, removal, replacement
from mom.atlas.ownership import OwnDocument, read_own
from mom.atlas.rules.catalogue import problem_at
from mom.yamledit.data import Data
from mom.yamledit.nodes import Scalar, Sequence, get
from mom.yamledit.operations import Operation
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.stream import YamlSyntaxError
from mom.yamledit.tree_operations import AppendEntry, RemoveItems


class PairChanges(NamedTuple):
    """What is to be set in the list `spec.KEY`, by name, and names to take out. folds: whether case does not matter."""

    key: str
    values: tuple[tuple[str, str], ...]
    removed: tuple[str, ...]
    folds: bool
    what: str
    repeated: str

    def folded(self, name: str) -> str:
        """Return what is equal for equal names."""
        return name.lower() if self.folds else name


def header_changes(values: tuple[tuple[str, str], ...], removed: tuple[str, ...]) -> PairChanges:
    """Return changes of headers."""
    return PairChanges("headers", values, removed, folds=True, what="header", repeated="repeated-header")


def query_changes(values: tuple[tuple[str, str], ...], removed: tuple[str, ...]) -> PairChanges:
    """Return changes of parameters of the query."""
    return PairChanges("query", values, removed, folds=False, what="parameter", repeated="repeated-parameter")


@dataclass(frozen=True)
class _Pair:
    """An item that the document has: where in the list it is, and what it says."""

    index: int
    name: str
    value: Data


@dataclass
class PairPlan:
    """The changes to a list, sorted by what is to be done. absent: names to take out that are not there."""

    changes: PairChanges
    replaced: list[tuple[_Pair, str]] = field(default_factory=list)
    renamed: list[tuple[_Pair, tuple[str, str]]] = field(default_factory=list)
    removed: list[_Pair] = field(default_factory=list)
    added: list[tuple[str, str]] = field(default_factory=list)
    absent: tuple[str, ...] = ()

    def before(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]] | None:
        """Return what to set and what to take out to undo the plan, None where the old values are not text."""
        old = [pair for pair, _ in self.replaced] + [pair for pair, _ in self.renamed] + self.removed
        values = tuple((pair.name, pair.value) for pair in old if isinstance(pair.value, str))
        new = tuple(name for _, (name, _) in self.renamed) + tuple(name for name, _ in self.added)
        return None if len(values) < len(old) else (values, new)


def plan_pairs(source: Source, own: OwnDocument, data: Data, changes: PairChanges) -> PairPlan:
    """Return what is to be done. Raises MomError where an item that is to be changed is there twice."""
    existing = list(_pairs(data, changes.key))
    _refuse_repeated(source, own, existing, changes)
    by_name = {changes.folded(pair.name): pair for pair in existing}
    plan = PairPlan(changes)
    for name, value in changes.values:
        pair = by_name.get(changes.folded(name))
        if pair is None:
            plan.added.append((name, value))
        elif pair.value != value:
            plan.replaced.append((pair, value))
    wanted = dict.fromkeys(changes.removed)
    plan.removed = [by_name[changes.folded(name)] for name in wanted if changes.folded(name) in by_name]
    plan.absent = tuple(name for name in changes.removed if changes.folded(name) not in by_name)
    # One that goes and one that comes: its two values change, and nothing moves.
    while plan.removed and plan.added:
        plan.renamed.append((plan.removed.pop(0), plan.added.pop(0)))
    return plan


def _pairs(data: Data, key: str) -> Iterator[_Pair]:
    for index, (_, item) in enumerate(items_at(data, "spec", key)):
        if isinstance(item, dict):
            yield _Pair(index, str(item.get("name")), item.get("value"))


def _refuse_repeated(source: Source, own: OwnDocument, existing: SequenceABC[_Pair], changes: PairChanges) -> None:
    """Raise MomError where one that is to be changed is there twice: which is meant is not clear."""
    for wanted in [*(name for name, _ in changes.values), *changes.removed]:
        same = [pair for pair in existing if changes.folded(pair.name) == changes.folded(wanted)]
        if len(same) > 1:
            items = get(own.root, "spec", changes.key)
            assert isinstance(items, Sequence)
            first, second = (items.items[pair.index] for pair in same[:2])
            problem = problem_at(
                source,
                second.start,
                changes.repeated,
                f"the {changes.what} {wanted} is set twice",
                end=second.end,
                hint="remove one of them first",
                path=f"spec.{changes.key}[{same[1].index}]",
                related=((source.place(first.start), "the first one"),),
            )
            raise refusal(problem)


def pair_operations(
    source: Source, scope: EditScope, adapters: AdapterList, own: OwnDocument, plan: PairPlan
) -> Iterator[Operation]:
    """Yield what carries out a plan."""
    key = plan.changes.key
    path = ("spec", key)
    for pair, value in plan.replaced:
        spot = find_spot(source, own.root, (*path, pair.index, "value"))
        if spot.node is None and spot.parent is not None:
            yield AppendEntry(own.document, own.root, spot.parent, "value", value, Shape())
        else:
            yield from replacement(source, own, (*path, pair.index, "value"), value)
    for pair, (name, value) in plan.renamed:
        yield from replacement(source, own, (*path, pair.index, "name"), name)
        yield from replacement(source, own, (*path, pair.index, "value"), value)
    if plan.removed:
        spot = find_spot(source, own.root, path)
        assert spot.entry is not None
        indices = tuple(pair.index for pair in plan.removed)
        node = spot.entry[1]
        assert isinstance(node, Sequence)
        for index in indices:
            refuse_used_elsewhere(source, own.root, node.items[index], f"spec.{key}")
        if len(indices) == len(node.items) and _omits(source, scope, own, key):
            yield removal(own, spot)
        else:
            yield RemoveItems(own.document, own.root, spot.entry, indices)
    elif plan.added:
        values: list[Value] = [{"name": name, "value": value} for name, value in plan.added]
        yield append_values(source, scope, adapters, own, key, values)


def _omits(source: Source, scope: EditScope, own: OwnDocument, key: str) -> bool:
    """Whether adapters without such items have no such key in this file: then the key goes with the last of them."""
    if key != "headers":
        return True
    for document in scope.documents[:200]:
        if document == own.document:
            continue
        try:
            other = read_own(source, document)
        except YamlSyntaxError:
            continue
        if other is None or other.kind != HTTP.kind:
            continue
        items = get(other.root, "spec", key)
        if items is None:
            return True
        if isinstance(items, Scalar) or (isinstance(items, Sequence) and not items.items):
            return False
    return False
