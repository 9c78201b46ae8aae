"""Adding an adapter: its reference at the end of `apiAdapters`, its document at the stream's end.

Nothing is written here. Refusals are MomErrors whose problems have places.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as SequenceABC
from dataclasses import replace
from typing import TypeVar

from mom.atlas.edit import spec
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.parts import find_parts
from mom.atlas.edit.proof import proved
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.scope import data_of, only_atlas, read_scope
from mom.atlas.edit.spec import AdapterSpec, HttpAdapterSpec
from mom.atlas.edit.style import document_shape
from mom.atlas.kinds import ATLAS
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.schema_files import Schema
from mom.atlas.schemas import schema
from mom.atlas.values.secrets import literal_secret
from mom.errors import MomError
from mom.problems import Problem
from mom.yamledit.data import Data
from mom.yamledit.nodes import Node, Sequence, get, text_of
from mom.yamledit.operations import AppendDocument, Operation
from mom.yamledit.scalars import described
from mom.yamledit.source import BOM, Source

SpecT = TypeVar("SpecT", bound=AdapterSpec)

# What a document in the file has other than the adapter that is to be added; nothing where it is the same.
Differences = Callable[[Source, OwnDocument, Data, SpecT], list[Problem]]


def add_http_adapter(source: Source, adapter: HttpAdapterSpec) -> Edit:
    """Return the edit that adds an HTTP adapter (`add_adapter`)."""
    return add_adapter(source, adapter, http_differences)


def add_adapter(source: Source, adapter: SpecT, differences: Differences[SpecT]) -> Edit:
    """Return the edit that adds `adapter`; of its two parts, what is there already, and equal, is left alone.

    Raises MomError where the file has no place for it, where it has something else under that name, or where the edit
    could not be proved to add just that.
    """
    scope = read_scope(source, adapter.name)
    atlas = only_atlas(source, scope)
    adapters = AdapterList(source, atlas, scope.documents)
    kind = adapter.kind
    parts = find_parts(source, adapters, scope, kind.kind, adapter.name)
    if parts.document is not None:
        _refuse_other_content(source, parts.document, adapter, differences)
    operations: list[Operation] = []
    judged: list[tuple[str, Schema, object]] = []
    if parts.item is None:
        reference = spec.reference(adapter)
        operations.append(adapters.append(reference))
        items = schema(ATLAS)["properties"]["spec"]["properties"]["apiAdapters"]["items"]
        judged.append(("the new list item", items, reference))
    if parts.document is None:
        _refuse_json(source)
        document = spec.document(adapter)
        shape = document_shape(source, scope.documents, lambda: adapters.fallback_style)
        operations.append(AppendDocument(source, scope.documents, document, shape))
        judged.append(("the new document", schema(kind), document))
    if not operations:
        return _with_notes(Edit(source, source.text, Action.UNCHANGED), scope.named, adapter)
    action = Action.ADDED if len(operations) == 2 else Action.COMPLETED
    return _with_notes(proved(source, scope.documents, operations, action, judged), scope.named, adapter)


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


def _refuse_other_content(
    source: Source, existing: OwnDocument, adapter: SpecT, differences: Differences[SpecT]
) -> None:
    """Raise MomError where the file's document of the adapter is not what was asked for."""
    found = differences(source, existing, data_of(source, existing.root), adapter)
    if found:
        line = source.line_number(existing.root.start)
        kind = adapter.kind.kind
        article = "an" if kind[0] in "AH" else "a"
        raise MomError(
            f"{source.name} already has {article} {kind} adapter {adapter.name}, with other content: "
            "nothing was changed",
            hint=f"edit its document (line {line}), or choose another --adapter-name",
            problems=found,
        )


def http_differences(source: Source, existing: OwnDocument, data: Data, adapter: HttpAdapterSpec) -> list[Problem]:
    """Return one problem per place where the document is not what was asked for; the order of headers is no matter."""
    spec = data.get("spec") if isinstance(data, dict) else None
    spec = spec if isinstance(spec, dict) else {}
    node = get(existing.root, "spec") or existing.root
    problems: list[Problem] = []

    def differ(where: Node | None, path: str, message: str, *, secret: bool = False) -> None:
        at = where or node
        problem = problem_at(source, at.start, "other-content", message, end=at.end, path=path)
        problems.append(replace(problem, excerpt="") if secret else problem)

    if spec.get("baseUrl") != adapter.base_url:
        differ(get(node, "baseUrl"), "spec.baseUrl", f"the base URL is not {adapter.base_url}")
    wanted = {name.lower(): (name, value) for name, value in adapter.headers}
    listed = spec.get("headers")
    nodes = get(node, "headers")
    header_nodes = nodes.items if isinstance(nodes, Sequence) else ()
    for number, header in enumerate(listed if isinstance(listed, list) else []):
        where = header_nodes[number] if number < len(header_nodes) else None
        given, value = (header.get("name"), header.get("value")) if isinstance(header, dict) else ("", None)
        name = given if isinstance(given, str) else text_of(get(where, "name")) or ""
        # A credential is not repeated, neither the one that stands there nor the one that was asked for.
        secret = literal_secret(name, str(value)) is not None
        asked = wanted.pop(name.lower(), None)
        path = f"spec.headers[{number}]"
        if asked is None:
            differ(where, path, f"the header {name or '(unnamed)'} was not asked for", secret=secret)
            continue
        if not isinstance(given, str):
            differ(get(where, "name") or where, f"{path}.name", f"the name of a header is {described(given)}: quote it")
        if value != asked[1]:
            value_node = get(where, "value") or where
            shown = "the one asked for" if literal_secret(*asked) else asked[1]
            message = f"the value of {name} is not {shown}"
            if not isinstance(value, str) and value is not None and not secret:
                quote = ": quote it" if text_of(value_node) == asked[1] else f", not {shown}"
                message = f"the value of {name} is {described(value)}{quote}"
            differ(value_node, f"{path}.value", message, secret=secret)
    for name, _ in wanted.values():
        differ(nodes, "spec.headers", f"the header {name} is missing")
    for key in spec.keys() - {"baseUrl", "headers"}:
        differ(get(node, key), f"spec.{key}", f"`{key}` was not asked for")
    return problems


def _with_notes(edit: Edit, named: SequenceABC[OwnDocument], adapter: AdapterSpec) -> Edit:
    """Add what a user should know about adapters of nearly the same name: no reason to refuse."""
    notes: list[str] = []
    for own in named:
        line = edit.line_after(edit.source.line_number(own.root.start))
        if own.name != adapter.name:
            notes.append(f"the {own.kind} adapter {own.name} (line {line}) differs from {adapter.name} only in case")
        elif own.kind != adapter.kind.kind:
            notes.append(f"{own.name} (line {line}) is an adapter of kind {own.kind}: another kind, another route")
    return replace(edit, notes=(*notes, *edit.notes))
