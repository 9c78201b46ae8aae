"""Removing an adapter: its item of `apiAdapters`, its document, and the comments that belong to them."""

from __future__ import annotations

from dataclasses import dataclass

from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.parts import Parts, find_parts, resolve_kind
from mom.atlas.edit.proof import proved
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.scope import data_of, only_atlas, read_scope
from mom.atlas.edit.spots import refuse_used_elsewhere
from mom.yamledit.data import Data
from mom.yamledit.document_operations import RemoveDocument
from mom.yamledit.operations import Operation
from mom.yamledit.source import Source
from mom.yamledit.tree_operations import RemoveItems


@dataclass(frozen=True)
class RemovedAdapter(Edit):
    """The edit that removes an adapter; `document` is the data of its document, None where the file had none."""

    kind: str = ""
    document: Data = None
    comments: int = 0


def remove_adapter(
    source: Source, name: str, kind: str | None = None, *, keep_comments: bool = False
) -> RemovedAdapter:
    """Return the edit that removes the adapter `name` of that kind, or of the one kind that has the name.

    `keep_comments`: only comments inside its own lines go. Raises MomError where the file has no such adapter, or where
    it cannot be taken out without changing something else.
    """
    scope = read_scope(source, name)
    atlas = only_atlas(source, scope)
    adapters = AdapterList(source, atlas, scope.documents)
    chosen = resolve_kind(source, adapters, scope, name, kind)
    parts = find_parts(source, adapters, scope, chosen, name)
    operations: list[Operation] = []
    if parts.index is not None and parts.item is not None and adapters.entry is not None:
        refuse_used_elsewhere(source, atlas.root, parts.item, "spec.apiAdapters")
        operations.append(
            RemoveItems(atlas.document, atlas.root, adapters.entry, (parts.index,), keep_comments=keep_comments)
        )
    if parts.document is not None:
        index = scope.documents.index(parts.document.document)
        operations.append(RemoveDocument(source, scope.documents, index, keep_comments=keep_comments))
    edit = proved(source, scope.documents, operations, Action.REMOVED, ())
    return RemovedAdapter.of(
        edit,
        notes=(*edit.notes, *_missing(parts)),
        kind=chosen,
        document=data_of(source, parts.document.root) if parts.document is not None else None,
        comments=_comments(edit),
    )


def _missing(parts: Parts) -> tuple[str, ...]:
    if parts.item is None:
        return (f"`apiAdapters` did not list {parts.name}: only its document was there",)
    if parts.document is None:
        return (f"{parts.name} had no document in this file: only its reference was there",)
    return ()


def _comments(edit: Edit) -> int:
    """Return how many lines of comments go with an adapter."""
    return sum(line.lstrip().startswith("#") for change in edit.changes for line in change.old) - sum(
        line.lstrip().startswith("#") for change in edit.changes for line in change.new
    )
