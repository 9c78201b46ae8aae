"""The parts of an adapter that a file has: items of `apiAdapters` and documents, of one kind and name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass

from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.scope import EditScope, data_of, refusal
from mom.atlas.ownership import ADAPTERS, OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.errors import MomError
from mom.yamledit.data import Data
from mom.yamledit.nodes import Node, Scalar, get, text_of
from mom.yamledit.scalars import described
from mom.yamledit.source import Source


@dataclass(frozen=True)
class Parts:
    """An adapter's reference (its index in the list and its item) and its document, None where the file has none."""

    kind: str
    name: str
    index: int | None
    item: Node | None
    document: OwnDocument | None


def find_parts(source: Source, adapters: AdapterList, scope: EditScope, kind: str, name: str) -> Parts:
    """Return the parts of the adapter of that kind and name.

    Raises MomError where the file has one of them more than once, or with a name that YAML does not read as text.
    """
    listed: list[tuple[int, Node]] = []
    for index, node, other, data in _references(adapters, name):
        if other == kind:
            _refuse_other_type(source, data, get(node, "adapterRef", "name") or node, "spec.apiAdapters")
            listed.append((index, node))
    if len(listed) > 1:
        what = f"`apiAdapters` names the {kind} adapter {name}"
        raise _repeated(source, what, [node for _, node in listed], "spec.apiAdapters")
    same = [own for own in scope.named if own.kind == kind and own.name == name]
    if len(same) > 1:
        raise _repeated(source, f"the {kind} adapter {name} has a document", [own.root for own in same], "")
    if same:
        data = data_of(source, same[0].root)
        metadata = data.get("metadata") if isinstance(data, dict) else None
        node = get(same[0].root, "metadata", "name") or same[0].root
        _refuse_other_type(source, metadata.get("name") if isinstance(metadata, dict) else None, node, "metadata.name")
    document = same[0] if same else None
    return Parts(kind, name, *listed[0], document) if listed else Parts(kind, name, None, None, document)


def kinds_of(adapters: AdapterList, scope: EditScope, name: str) -> list[str]:
    """Return the kinds of the adapters of that name, in the order of the file."""
    listed = [kind for _, _, kind, _ in _references(adapters, name)]
    documents = [own.kind for own in scope.named if own.name == name and own.kind is not None]
    return list(dict.fromkeys([*listed, *documents]))


def _references(adapters: AdapterList, name: str) -> Iterator[tuple[int, Node, str, Data]]:
    """Yield the items that name an adapter so: their index, their node, the kind, and the name as data."""
    for index, (node, data) in enumerate(adapters.references(name)):
        reference = data.get("adapterRef") if isinstance(data, dict) else None
        if not isinstance(reference, dict) or not str(reference.get("apiVersion")).startswith(ADAPTERS):
            continue
        if name in (reference.get("name"), text_of(get(node, "adapterRef", "name"))):
            yield index, node, str(reference.get("kind")), reference.get("name")


def _refuse_other_type(source: Source, name: Data, node: Node, path: str) -> None:
    """Raise MomError where a name reads as a number or another type: YAML does not see the name that is meant."""
    if not isinstance(name, str):
        message = f"this name is {described(name)}, not text"
        hint = f"quote it: '{text_of(node)}'" if isinstance(node, Scalar) else "write it as text"
        raise refusal(problem_at(source, node.start, "wrong-type", message, end=node.end, hint=hint, path=path))


def _repeated(source: Source, what: str, nodes: SequenceABC[Node], path: str) -> MomError:
    first, second = nodes[0], nodes[1]
    lines = " and ".join(str(source.line_number(node.start)) for node in nodes[:10])
    lines += " and others" if len(nodes) > 10 else ""
    problem = problem_at(
        source,
        second.start,
        "duplicate-name",
        f"{what} more than once: in lines {lines}",
        hint="remove all but one",
        path=path,
        related=((source.place(first.start), "the first one"),),
    )
    return refusal(problem)


def close_names(known: SequenceABC[str], name: str) -> list[str]:
    """Return the known names that are spelt most like `name`, at most three."""
    return difflib.get_close_matches(name, known, n=3, cutoff=0.6)
