"""The parts of an adapter that a file has: items of `apiAdapters` and documents, of one kind and name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass

from mom.atlas.documents import text_at, value_at
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.scope import EditScope, data_of, refusal
from mom.atlas.ownership import ADAPTERS, OwnDocument, read_own
from mom.atlas.rules.catalogue import problem_at
from mom.errors import MomError, UsageError
from mom.yamledit.data import Data
from mom.yamledit.nodes import Node, Scalar, get, text_of
from mom.yamledit.scalars import described
from mom.yamledit.source import Source
from mom.yamledit.stream import YamlSyntaxError


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
        node = get(same[0].root, "metadata", "name") or same[0].root
        _refuse_other_type(source, value_at(data, "metadata", "name"), node, "metadata.name")
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
        reference = value_at(data, "adapterRef")
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


def resolve_kind(
    source: Source, adapters: AdapterList, scope: EditScope, name: str, kind: str | None, *, option: str = "--kind"
) -> str:
    """Return the kind of the adapter that is meant: `kind` in whatever case, else that of the only one of the name.

    Raises MomError where the file has none, with the names closest to it, or several.
    """
    of_name = kinds_of(adapters, scope, name)
    known = [other for other in of_name if kind is None or other.casefold() == kind.casefold()]
    if of_name and not known:
        hint = f"{name} is of kind {' and of kind '.join(of_name)}"
        raise MomError(f"no {kind} adapter {name} in {source.name}; nothing was written", hint=hint)
    if not known:
        what = f"no {kind} adapter {name}" if kind is not None else f"no adapter {name}"
        raise MomError(f"{what} in {source.name}; nothing was written", hint=_other_names(source, adapters, name))
    if len(known) > 1:
        raise UsageError(
            f"{source.name} has {len(known)} adapters named {name}, of the kinds {', '.join(known)}",
            hint=f"choose one with {' or '.join(f'{option} {other}' for other in known)}",
        )
    return known[0]


def _other_names(source: Source, adapters: AdapterList, name: str) -> str:
    """Return a hint: the adapters of the file whose names are closest to `name`, or some of all."""
    names: dict[str, None] = {}
    for _, data in adapters.all_references():
        if (listed := text_at(data, "adapterRef", "name")) is not None:
            names[listed] = None
    for document in adapters.documents:
        try:
            own = read_own(source, document)
        except YamlSyntaxError:
            continue
        if own is not None and own.name is not None and own.api_version.startswith(ADAPTERS):
            names[own.name] = None
    if not names:
        return "the file has no adapter"
    folded = {other.casefold(): other for other in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(folded[other] for other in close)}?"
    more = ", …" if len(names) > _NAMED else ""
    return f"the file has {', '.join(list(names)[:_NAMED])}{more}"


# Of thousands of names, this many are listed.
_NAMED = 8
