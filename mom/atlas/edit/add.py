"""Adding an adapter: its reference at the end of `apiAdapters`, its document at the stream's end.

Nothing is written here. Refusals are MomErrors whose problems have places.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass

from mom.atlas.edit import spec
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.parts import Parts, find_parts, kinds_of
from mom.atlas.edit.proof import proved
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.scope import EditScope, data_of, only_atlas, read_scope
from mom.atlas.edit.spec import AdapterSpec
from mom.atlas.edit.spec_list import SpecList
from mom.atlas.edit.style import document_shape, with_steps
from mom.atlas.kinds import ATLAS
from mom.atlas.ownership import OwnDocument
from mom.atlas.schema_files import Schema
from mom.atlas.schemas import schema
from mom.errors import MomError
from mom.yamledit.document_operations import AppendDocument
from mom.yamledit.nodes import Sequence
from mom.yamledit.operations import Operation
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import BOM, Source

# An operation, with what it writes and the schema of that, for the proof.
_Judged = tuple[str, Schema, object]


@dataclass(frozen=True)
class AddedAdapter(Edit):
    """The edit that adds an adapter.

    shares_name: an adapter of another kind has the name too. below_comments: comments are directly above what was
    added, which a removal must be asked to keep.
    """

    shares_name: bool = False
    below_comments: bool = False


def add_adapter(source: Source, adapter: AdapterSpec) -> AddedAdapter:
    """Return the edit that adds `adapter`; of its two parts, what is there already, and equal, is left alone.

    A document that lacks an item of its list, such as a profile, gets it. Raises MomError where the file has no place
    for it, where it has something else under that name, or where the edit could not be proved to add just that.
    """
    scope = read_scope(source, adapter.name)
    adapters = AdapterList(source, only_atlas(source, scope), scope.documents)
    parts = find_parts(source, adapters, scope, adapter.kind.kind, adapter.name)
    items = _missing_items(source, adapter, parts)
    operations: list[Operation] = []
    judged: list[_Judged] = []
    if parts.item is None:
        reference = spec.reference(adapter)
        operations.append(adapters.append(reference))
        judged.append(("the new list item", _items_schema(schema(ATLAS), "apiAdapters"), reference))
    if parts.document is None:
        _refuse_json(source)
        document = spec.document(adapter)
        operations.append(AppendDocument(source, scope.documents, document, _shape(source, scope, adapters, adapter)))
        judged.append(("the new document", schema(adapter.kind), document))
    elif items and adapter.list_key:
        operations.append(SpecList(source, parts.document, scope.documents, adapter.list_key).append(*items))
        of_items = _items_schema(schema(adapter.kind), adapter.list_key)
        judged += [("the new list item", of_items, item) for item in items]
    if not operations:
        return AddedAdapter(source, source.text, Action.UNCHANGED, notes=_notes(source, None, scope.named, adapter))
    edit = proved(source, scope.documents, operations, _action(parts, extended=bool(items)), judged)
    return AddedAdapter.of(
        edit,
        notes=(*_notes(source, edit, scope.named, adapter), *edit.notes),
        shares_name=any(other != adapter.kind.kind for other in kinds_of(adapters, scope, adapter.name)),
        below_comments=_below_comments(source, edit, adapters, parts),
    )


def _below_comments(source: Source, edit: Edit, adapters: AdapterList, parts: Parts) -> bool:
    """Whether comments are directly above what is added, which a removal would take for its own."""
    text = source.text
    last_line = text.rfind("\n", 0, len(text) - 1) + 1
    if parts.document is None and text.startswith("#", last_line):
        from mom.yamledit.remove_document import heads_what_follows

        if heads_what_follows(text, len(text)):
            return True
    if parts.item is not None or adapters.entry is None:
        return False
    from mom.yamledit.positions import is_comment, line_start, next_line

    listed = adapters.entry[1]
    if adapters.items:
        # In a block list such comments belong to the item above; between brackets they belong to none.
        last = adapters.items[-1].end
        new = next((each for each in edit.splices if last <= each.offset <= listed.end and "\n" in each.text), None)
        if new is None or not (isinstance(listed, Sequence) and listed.flow):
            return False
        above = new.offset if new.text.startswith(("\r", "\n")) else line_start(text, new.offset) - 1
        return above > last and is_comment(text, line_start(text, above))
    return is_comment(text, next_line(text, listed.end))


def _action(parts: Parts, *, extended: bool) -> Action:
    if extended:
        return Action.CHANGED
    return Action.ADDED if parts.item is None and parts.document is None else Action.COMPLETED


def _missing_items(source: Source, adapter: AdapterSpec, parts: Parts) -> SequenceABC[Value]:
    """Return what the file's document of the adapter lacks. Raises MomError where it has something else."""
    existing = parts.document
    if existing is None:
        return ()
    data = data_of(source, existing.root)
    if problems := adapter.differences(source, existing, data):
        line = source.line_number(existing.root.start)
        kind = adapter.kind.kind
        article = "an" if kind[0] in "AH" else "a"
        raise MomError(
            f"{source.name} already has {article} {kind} adapter {adapter.name}, with other content: "
            "nothing was changed",
            hint=f"edit its document (line {line}), or choose another {adapter.instead}",
            problems=problems,
        )
    return adapter.missing_items(data)


def _items_schema(of_document: Schema, key: str) -> Schema:
    """Return the schema of the items of the list `spec.KEY`."""
    items: Schema = of_document["properties"]["spec"]["properties"][key]["items"]
    return items


def _shape(source: Source, scope: EditScope, adapters: AdapterList, adapter: AdapterSpec) -> Shape:
    """Return how the document of a new adapter is written."""
    kind, list_key = adapter.kind.kind, adapter.list_key
    shape = document_shape(source, scope.documents, lambda: adapters.fallback_style, kind=kind, list_key=list_key)
    return with_steps(shape, spec.document(adapter))


def _refuse_json(source: Source) -> None:
    """Raise MomError where the file is one JSON value: a second document would make it something else."""
    if not source.text.lstrip(BOM + " \t\r\n").startswith("{"):
        return
    import json

    try:
        json.loads(source.text.removeprefix(BOM))
    except ValueError:
        return
    raise MomError(
        f"{source.name} is JSON, which has one value: there is no place for the adapter's document",
        hint="convert it to YAML first",
    )


def _notes(source: Source, edit: Edit | None, named: SequenceABC[OwnDocument], adapter: AdapterSpec) -> tuple[str, ...]:
    """Return what a user should know about adapters of nearly the same name: no reason to refuse."""
    notes: list[str] = []
    for own in named:
        line = source.line_number(own.root.start)
        line = line if edit is None else edit.line_after(line)
        if own.name != adapter.name:
            notes.append(f"the {own.kind} adapter {own.name} (line {line}) differs from {adapter.name} only in case")
        elif own.kind != adapter.kind.kind:
            notes.append(f"{own.name} (line {line}) is an adapter of kind {own.kind}: another kind, another route")
    return tuple(notes)
