"""Putting a new key, or new items of a list, into the `spec` of an adapter that the file has."""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC

from mom.atlas.adapters.http import HTTP
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.scope import EditScope, data_of, refusal
from mom.atlas.edit.spots import extensible_spec, find_spot
from mom.atlas.edit.style import document_shape
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.yamledit.nodes import Sequence
from mom.yamledit.operations import Operation
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.tree_operations import AppendEntry, AppendItems


def _spec_shape(source: Source, scope: EditScope, adapters: AdapterList, list_key: str) -> Shape:
    """Return the style of a `spec` whose list is `spec.LIST_KEY`, as other documents of the stream have it."""
    return document_shape(
        source, scope.documents, lambda: adapters.fallback_style, kind=HTTP.kind, list_key=list_key
    ).child("spec")


def append_key(  # noqa: PLR0917
    source: Source,
    scope: EditScope,
    adapters: AdapterList,
    own: OwnDocument,
    key: str,
    value: Value,
    *,
    list_key: str = "headers",
) -> Operation:
    """Return the operation that adds a key at the end of a `spec` that does not have it.

    list_key: the list whose style other documents of the stream show. Raises MomError where the spec has no keys.
    """
    spec = extensible_spec(source, own, find_spot(source, own.root, ("spec", key)))
    shape = _spec_shape(source, scope, adapters, list_key).child(key)
    return AppendEntry(own.document, own.root, spec, key, value, shape)


def append_values(  # noqa: PLR0917
    source: Source, scope: EditScope, adapters: AdapterList, own: OwnDocument, key: str, values: SequenceABC[Value]
) -> Operation:
    """Return the operation that adds values at the end of the list `spec.KEY`, which may not be there yet."""
    spot = find_spot(source, own.root, ("spec", key))
    if spot.parent is not None and spot.entry is not None:
        node = spot.entry[1]
        if not isinstance(node, Sequence) and data_of(source, node) is not None:
            message = f"`{key}` is not a list"
            raise refusal(problem_at(source, node.start, "wrong-type", message, end=node.end, path=f"spec.{key}"))
        shape = _spec_shape(source, scope, adapters, key).child(key)
        return AppendItems(own.document, own.root, spot.parent, spot.entry, values, shape)
    return append_key(source, scope, adapters, own, key, values, list_key=key)
