"""Changes to an Atlas configuration: the one place that knows that an adapter touches two documents.

A change is computed, applied to the text, read back and proved here; nothing is written. Refusals are MomErrors whose
problems have places.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass, replace
from enum import StrEnum

from mom.atlas.edit.adapter_list import Target
from mom.atlas.edit.proof import Addition, line_end_note, prove
from mom.atlas.edit.scope import data_of, only_atlas, read, refusal
from mom.atlas.edit.style import document_shape
from mom.atlas.kinds import ADAPTERS_VERSION
from mom.atlas.ownership import ADAPTERS, OwnDocument
from mom.atlas.values.secrets import literal_secret
from mom.errors import MomError
from mom.problems import Problem
from mom.yamledit import insert
from mom.yamledit.data import Data
from mom.yamledit.diff import Change, changes
from mom.yamledit.insert import Splice
from mom.yamledit.nodes import Node, Scalar, Sequence, get, text_of
from mom.yamledit.scalars import described
from mom.yamledit.shape import Value
from mom.yamledit.source import BOM, Source


@dataclass(frozen=True, slots=True)
class HttpAdapterSpec:
    """An HTTP adapter to be added: what the user asked for, already checked (`mom.atlas.values`)."""

    name: str
    base_url: str
    headers: tuple[tuple[str, str], ...] = ()

    def reference(self) -> dict[str, Value]:
        """Return the list item that names the adapter."""
        return {"adapterRef": {"apiVersion": ADAPTERS_VERSION, "kind": "HTTP", "name": self.name}}

    def document(self) -> dict[str, Value]:
        """Return the adapter's document."""
        spec: dict[str, Value] = {"baseUrl": self.base_url}
        if self.headers:
            spec["headers"] = [{"name": name, "value": value} for name, value in self.headers]
        return {"apiVersion": ADAPTERS_VERSION, "kind": "HTTP", "metadata": {"name": self.name}, "spec": spec}


class Action(StrEnum):
    """What an edit does: both parts, the missing one of them, or nothing."""

    ADDED = "added"
    COMPLETED = "completed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Edit:
    """A proved edit of `source`: `text` is the result; `changes` are its lines, for a diff and for line numbers."""

    source: Source
    text: str
    action: Action
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()

    def added_lines(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges of new lines in the result, first and last, from 1."""
        ranges: list[tuple[int, int]] = []
        shift = 0
        for change in self.changes:
            first = change.start + shift + 1
            shift += len(change.new) - len(change.old)
            fresh = len(change.new) - len(change.old)
            if fresh > 0:
                ranges.append((first + len(change.old), first + len(change.new) - 1))
        return tuple(ranges)

    def changed_lines(self) -> tuple[tuple[int, Change], ...]:
        """Return where the result shows a line, from 1, that the edit had to change, and the change it is part of."""
        return tuple(
            (self.line_after(change.start + number + 1), change)
            for change in self.changes
            for number in range(len(change.old))
        )

    def line_after(self, number: int) -> int:
        """Return which line of the result, from 1, the old line `number` is."""
        before = (change for change in self.changes if change.start + len(change.old) < number)
        return number + sum(len(change.new) - len(change.old) for change in before)


def add_http_adapter(source: Source, adapter: HttpAdapterSpec) -> Edit:
    """Return the edit that adds `adapter`: its reference at the end of `apiAdapters`, its document at the stream's end.

    What is there already, and equal, is left alone. Raises MomError where the file has no place for it, where it holds
    something else under that name, or where the edit could not be proved to add just that.
    """
    scope = read(source, adapter.name)
    atlas = only_atlas(source, scope)
    target = Target(source, atlas, scope.documents)
    addition = Addition(
        reference=None if _find_reference(source, target, adapter) else adapter.reference(),
        document=None if _find_document(source, scope.named, adapter) else adapter.document(),
    )
    if addition == Addition(None, None):
        return _with_notes(Edit(source, source.text, Action.UNCHANGED), scope.named, adapter)

    if addition.document is not None:
        _refuse_json(source)
    splices: list[Splice] = []
    if addition.reference is not None:
        splices += target.append(addition.reference)
    if addition.document is not None:
        shape = document_shape(source, scope.documents, lambda: target.house)
        splices += insert.append_document(source, scope.documents, addition.document, shape)
    splices = insert.final_line_end(source, splices)
    edit = Edit(
        source=source,
        text=insert.apply(source.text, splices),
        action=Action.COMPLETED if addition.reference is None or addition.document is None else Action.ADDED,
        changes=tuple(changes(source, splices)),
    )
    new = Source(source.name, edit.text)
    prove(source, new, scope=scope, atlas=atlas, addition=addition, changed=edit.changes)
    edit = _with_notes(edit, scope.named, adapter)
    return replace(edit, notes=(*edit.notes, *line_end_note(source, new, scope)))


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
        f"{source.name} is JSON, which holds one value: there is no place for the adapter's document",
        hint="convert it to YAML first",
    )


def _find_reference(source: Source, target: Target, adapter: HttpAdapterSpec) -> bool:
    """Whether the list names the adapter already. Raises MomError when it does so twice, or by what is not text."""
    found: list[Node] = []
    for node, data in target.references(adapter.name):
        reference = data.get("adapterRef") if isinstance(data, dict) else None
        if not isinstance(reference, dict) or reference.get("kind") != "HTTP":
            continue
        if not str(reference.get("apiVersion")).startswith(ADAPTERS):
            continue
        name = get(node, "adapterRef", "name")
        if reference.get("name") != adapter.name and text_of(name) != adapter.name:
            continue
        _refuse_other_type(source, reference.get("name"), name or node, "spec.apiAdapters")
        found.append(node)
    if len(found) > 1:
        raise _twice(source, f"`apiAdapters` names the HTTP adapter {adapter.name}", found, "spec.apiAdapters")
    return bool(found)


def _refuse_other_type(source: Source, name: Data, node: Node, path: str) -> None:
    """Raise MomError where a name reads as a number or another type: YAML does not see the name that is meant."""
    if not isinstance(name, str):
        message = f"this name is {described(name)}, not text"
        hint = f"quote it: '{text_of(node)}'" if isinstance(node, Scalar) else "write it as text"
        raise refusal(source.problem(node.start, "wrong-type", message, end=node.end, hint=hint, path=path))


def _twice(source: Source, what: str, nodes: SequenceABC[Node], path: str) -> MomError:
    first, second = nodes[0], nodes[1]
    lines = " and ".join(str(source.line_number(node.start)) for node in nodes[:10])
    lines += " and others" if len(nodes) > 10 else ""
    problem = source.problem(
        second.start,
        "duplicate-name",
        f"{what} more than once: in lines {lines}",
        hint="remove all but one",
        path=path,
        related=((source.place(first.start), "it stands here first"),),
    )
    return refusal(problem)


def _find_document(source: Source, named: SequenceABC[OwnDocument], adapter: HttpAdapterSpec) -> bool:
    """Whether the stream holds the adapter's document already. Raises MomError when it differs, or stands twice."""
    same_name = [own for own in named if own.kind == "HTTP" and own.name == adapter.name]
    if not same_name:
        return False
    if len(same_name) > 1:
        raise _twice(source, f"the HTTP adapter {adapter.name} has a document", [own.root for own in same_name], "")
    existing = same_name[0]
    data = data_of(source, existing.root)
    metadata = data.get("metadata") if isinstance(data, dict) else None
    name = get(existing.root, "metadata", "name") or existing.root
    _refuse_other_type(source, metadata.get("name") if isinstance(metadata, dict) else None, name, "metadata.name")
    differences = _differences(source, existing, data, adapter)
    if differences:
        line = source.line_number(existing.root.start)
        raise MomError(
            f"{source.name} already has an HTTP adapter {adapter.name}, with other content: nothing was changed",
            hint=f"edit its document (line {line}), or choose another --adapter-name",
            problems=differences,
        )
    return True


def _differences(source: Source, existing: OwnDocument, data: Data, adapter: HttpAdapterSpec) -> list[Problem]:
    """Return one problem per place where the document is not what was asked for; the order of headers is no matter."""
    spec = data.get("spec") if isinstance(data, dict) else None
    spec = spec if isinstance(spec, dict) else {}
    node = get(existing.root, "spec") or existing.root
    problems: list[Problem] = []

    def differ(where: Node | None, path: str, message: str, *, secret: bool = False) -> None:
        at = where or node
        problem = source.problem(at.start, "other-content", message, end=at.end, path=path)
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


def _with_notes(edit: Edit, named: SequenceABC[OwnDocument], adapter: HttpAdapterSpec) -> Edit:
    """Add what a user should know about adapters of nearly the same name: no reason to refuse."""
    notes = []
    for own in named:
        line = edit.line_after(edit.source.line_number(own.root.start))
        if own.name != adapter.name:
            notes.append(f"the {own.kind} adapter {own.name} (line {line}) differs from {adapter.name} only in case")
        elif own.kind != "HTTP":
            notes.append(f"{own.name} (line {line}) is an adapter of kind {own.kind}: another kind, another route")
    return replace(edit, notes=tuple(notes))
