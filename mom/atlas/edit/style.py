"""How a new adapter document is written: like the adapters that the stream has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from mom.atlas.ownership import OwnDocument, may_be_own, read_own
from mom.yamledit import shape as shapes
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, YamlSyntaxError

# A few documents are enough to know a style; ten thousand would take seconds to parse.
_MOST_READ = 20


def document_shape(
    source: Source, documents: Sequence[Document], fallback: Callable[[], Shape], *, kind: str, list_key: str | None
) -> Shape:
    """Return the shape of a new adapter document: that of the last of its kind, else of the last of our documents.

    list_key: the key of the list in its spec. Where the last adapter of the kind has none, an earlier one shows how it
    is written; where none does, the dashes are those of `fallback`, the shape of a list in the Atlas document.
    """
    same: Shape | None = None
    other: Shape | None = None
    for own in _readable(source, reversed(documents)):
        shape = shapes.shape_of(source.text, own.root)
        if own.kind != kind:
            other = other or shape
            continue
        same = same or shape
        if list_key is None:
            return same
        listed = shape.child("spec").child(list_key)
        if listed.item is not None:
            return same.with_child("spec", same.child("spec").with_child(list_key, listed))
    shape = same or other or Shape()
    style = fallback()
    listed = Shape(
        flow=shape.flow,
        pad=shape.pad,
        quote=shape.quote,
        key_quote=shape.key_quote,
        indent=style.indent,
        gap=style.gap,
    )
    spec = shape.child("spec")
    if list_key is not None:
        spec = spec.with_child(list_key, listed)
    if same is None:
        # Another kind shows how keys and steps are written, not how this kind's values are.
        spec = replace(spec, flow=shape.flow, order=())
    return shape.with_child("spec", spec)


def with_steps(shape: Shape, value: Mapping[str, Value]) -> Shape:
    """Return `shape` with the steps of its `spec` in the mappings of `value` that it does not know."""
    step = shape.child("spec").indent
    for key, part in value.items():
        if isinstance(part, Mapping):
            child = shape.children.get(key) or replace(shape.child(key), indent=step)
            shape = shape.with_child(key, _with_step(child, part, step))
    return shape


def _with_step(shape: Shape, value: Mapping[str, Value], step: int | None) -> Shape:
    for key, part in value.items():
        if isinstance(part, Mapping) and key not in shape.children:
            shape = shape.with_child(key, _with_step(replace(shape.child(key), indent=step), part, step))
    return shape


def nearest(source: Source, documents: Sequence[Document], document: Document) -> Iterator[OwnDocument]:
    """Yield the documents of ours around `document`, the nearest first."""
    others = (other for other in documents if other != document)
    return _readable(source, sorted(others, key=lambda other: abs(other.start - document.start)))


def _readable(source: Source, documents: Iterable[Document]) -> Iterator[OwnDocument]:
    """Yield the first few of `documents` that are ours and can be read."""
    candidates = (document for document in documents if may_be_own(source, document))
    for document in islice(candidates, _MOST_READ):
        try:
            own = read_own(source, document)
        except YamlSyntaxError:
            continue
        if own is not None and own.root.entries:
            yield own
