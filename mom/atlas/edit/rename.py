"""Renaming an adapter: the name in its reference and in its document, together, each in its own quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.parts import Parts, find_parts, kinds_of, resolve_kind
from mom.atlas.edit.proof import proved
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.scope import EditScope, only_atlas, read_scope, refusal
from mom.atlas.edit.spots import find_text
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.errors import MomError
from mom.yamledit.data import walk
from mom.yamledit.nodes import Node, Scalar
from mom.yamledit.operations import Operation
from mom.yamledit.source import Source
from mom.yamledit.tree_operations import ReplaceScalar


@dataclass(frozen=True)
class RenamedAdapter(Edit):
    """The edit that renames an adapter.

    mentions: the lines of the result with comments that have the old name. shares_name: an adapter of another kind has
    the new name too.
    """

    kind: str = ""
    mentions: tuple[int, ...] = ()
    shares_name: bool = False


def rename_adapter(source: Source, old: str, new: str, kind: str | None = None) -> RenamedAdapter:
    """Return the edit that renames the adapter `old` of that kind, or of the one kind that has the name.

    Where it has the new name already, nothing is to be done. Raises MomError where the file has no such adapter, where
    the new name is another's, or where a name cannot be changed without changing another place.
    """
    scope = read_scope(source, old, new)
    atlas = only_atlas(source, scope)
    adapters = AdapterList(source, atlas, scope.documents)
    wanted = None if kind is None else kind.casefold()
    taken, existing = (
        [other for other in kinds_of(adapters, scope, name) if wanted in {None, other.casefold()}]
        for name in (new, old)
    )
    if old == new or (taken and not existing):
        chosen = taken[0] if taken else resolve_kind(source, adapters, scope, new, kind)
        return RenamedAdapter(source, source.text, Action.UNCHANGED, kind=chosen)
    chosen = resolve_kind(source, adapters, scope, old, kind)
    parts = find_parts(source, adapters, scope, chosen, old)
    if chosen in taken:
        raise _taken(source, parts, find_parts(source, adapters, scope, chosen, new))
    edit = proved(source, scope.documents, _operations(source, atlas, parts, new), Action.RENAMED, ())
    mentions = tuple(edit.line_after(line) for line in _mentions(source, atlas, scope, old))
    shares_name = bool(kinds_of(adapters, scope, new))
    return RenamedAdapter.of(edit, kind=chosen, mentions=mentions, shares_name=shares_name)


def _operations(source: Source, atlas: OwnDocument, parts: Parts, new: str) -> list[Operation]:
    operations: list[Operation] = []
    if parts.index is not None:
        node, flow = find_text(source, atlas.root, ("spec", "apiAdapters", parts.index, "adapterRef", "name"))
        operations.append(ReplaceScalar(atlas.document, atlas.root, node, new, flow))
    if parts.document is not None:
        root = parts.document.root
        node, flow = find_text(source, root, ("metadata", "name"))
        operations.append(ReplaceScalar(parts.document.document, root, node, new, flow))
    return operations


def _taken(source: Source, old: Parts, other: Parts) -> MomError:
    """Return the error for a new name that another adapter has: where that is, and where the old one is."""
    nodes = [(node, name) for part, name in ((other, other.name), (old, old.name)) if (node := _node(part)) is not None]
    (first, _), *rest = nodes
    problem = problem_at(
        source,
        first.start,
        "duplicate-name",
        f"an adapter {other.name} of kind {other.kind} exists already",
        end=source.text.find("\n", first.start),
        hint="choose another name, or remove that one first",
        related=tuple((source.place(node.start), f"{name} is here") for node, name in rest),
    )
    return refusal(problem)


def _node(parts: Parts) -> Node | None:
    return parts.document.root if parts.document is not None else parts.item


def _mentions(source: Source, atlas: OwnDocument, scope: EditScope, name: str) -> Iterator[int]:
    """Yield the lines, from 1, of documents that the edit has read whose comments have the name as a word."""
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
    for own in sorted(
        {id(document): document for document in (atlas, *scope.named)}.values(),
        key=lambda document: document.document.start,
    ):
        limits = own.document
        if word.search(source.text, limits.start, limits.end) is None:
            continue
        texts = [(node.start, node.end) for node in walk(own.root) if isinstance(node, Scalar)]
        seen: set[int] = set()
        for match in word.finditer(source.text, limits.start, limits.end):
            at = match.start()
            line = source.line_number(at)
            if line in seen or any(start <= at < end for start, end in texts):
                continue
            begin = source.text.rfind("\n", 0, at) + 1
            if re.search(r"(?:^|\s)#", source.text[begin:at]):
                seen.add(line)
                yield line
