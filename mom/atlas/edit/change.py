"""Changing an HTTP adapter: its base URL, its headers and its bounds, each value in its own place and style."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass, field
from sys import maxsize
from typing import NamedTuple

from mom.atlas.adapters import KINDS
from mom.atlas.adapters.http import HTTP
from mom.atlas.documents import DataDocument, items_at, text_at
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.bounds import Bounds, allow_removal, bound_operations, bounds_before
from mom.atlas.edit.parts import find_parts, resolve_kind
from mom.atlas.edit.proof import proved
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.scope import EditScope, data_of, only_atlas, read_scope, refusal
from mom.atlas.edit.spots import extensible_spec, find_spot, refuse_used_elsewhere, removal, replacement
from mom.atlas.edit.style import document_shape
from mom.atlas.ownership import OwnDocument, read_own
from mom.atlas.quick_check import fits
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.rules.findings import Findings
from mom.atlas.schemas import schema
from mom.errors import MomError
from mom.problems import Problem, Severity
from mom.yamledit.data import Data
from mom.yamledit.nodes import Mapping, Scalar, Sequence, get
from mom.yamledit.operations import Operation
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.stream import YamlSyntaxError
from mom.yamledit.tree_operations import AppendEntry, AppendItems, RemoveEntry, RemoveItems


class HttpChanges(NamedTuple):
    """What is to be changed: the base URL, headers to set by name, and names of headers to take out.

    allow, removed_allow: entries to add to the list of requests that may pass, and to take out of it.
    """

    base_url: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    allow: tuple[dict[str, Value], ...] = ()
    removed_allow: tuple[dict[str, Value], ...] = ()
    bounds: Bounds = Bounds()


@dataclass(frozen=True)
class ChangedAdapter(Edit):
    """The edit that changes an HTTP adapter.

    before: what undoes it, None where no command can; absent: headers to remove that it did not have.
    unlisted: entries of `allow` to remove that it did not have.
    opened: whether the list of requests that may pass went with its last entry.
    """

    before: HttpChanges | None = None
    absent: tuple[str, ...] = ()
    unlisted: tuple[dict[str, Value], ...] = ()
    opened: bool = False


@dataclass(frozen=True)
class _Header:
    """A header that the document has: where in the list it is, and what it says."""

    index: int
    name: str
    value: Data


@dataclass
class _Plan:
    """The changes to a list of headers, sorted by what is to be done."""

    replaced: list[tuple[_Header, str]] = field(default_factory=list)
    renamed: list[tuple[_Header, tuple[str, str]]] = field(default_factory=list)
    removed: list[_Header] = field(default_factory=list)
    added: list[tuple[str, str]] = field(default_factory=list)


def change_http_adapter(source: Source, name: str, changes: HttpChanges) -> ChangedAdapter:
    """Return the edit that makes `changes` to the HTTP adapter `name`; what is so already is left alone.

    Raises MomError where the file has no such document, or where a value cannot be changed without changing another
    place.
    """
    scope = read_scope(source, name)
    atlas = only_atlas(source, scope)
    adapters = AdapterList(source, atlas, scope.documents)
    resolve_kind(source, adapters, scope, name, HTTP.kind)
    own = find_parts(source, adapters, scope, HTTP.kind, name).document
    if own is None:
        hint = f"mom atlas config add-http-adapter --adapter-name {name}"
        raise MomError(f"the HTTP adapter {name} has no document in {source.name}: nothing was written", hint=hint)
    data = data_of(source, own.root)
    existing = list(_headers(data))
    _refuse_repeated(source, own, existing, changes)
    plan, absent = _plan(existing, changes)
    allowed = _new_entries(data, changes.allow)
    removal, disallowed, opened = allow_removal(source, own, changes.removed_allow)
    operations = [
        *_base_url(source, own, changes.base_url),
        *_header_operations(source, scope, adapters, own, plan),
        *([_append(source, scope, adapters, own, "allow", allowed)] if allowed else []),
        *removal,
        *bound_operations(source, scope, adapters, own, changes.bounds),
    ]
    unlisted = tuple(entry for entry in changes.removed_allow if entry not in disallowed)
    if not operations:
        return ChangedAdapter(source, source.text, Action.UNCHANGED, absent=absent, unlisted=unlisted)
    # Entries go from the last: the number of each counts those that earlier operations left.
    operations.sort(key=lambda operation: operation.at if isinstance(operation, RemoveEntry) else maxsize, reverse=True)
    edit = proved(source, scope.documents, operations, Action.CHANGED, ())
    _refuse_invalid(source, own, data, edit)
    before = _before(data, plan, changes._replace(allow=tuple(allowed), removed_allow=disallowed))
    return ChangedAdapter.of(edit, before=before, absent=absent, unlisted=unlisted, opened=opened)


def _headers(data: Data) -> Iterator[_Header]:
    for index, (_, header) in enumerate(items_at(data, "spec", "headers")):
        if isinstance(header, dict):
            yield _Header(index, str(header.get("name")), header.get("value"))


def _refuse_repeated(source: Source, own: OwnDocument, existing: SequenceABC[_Header], changes: HttpChanges) -> None:
    """Raise MomError where a header that is to be changed is there twice: which one is meant is not clear."""
    for wanted in [*(name for name, _ in changes.headers), *changes.removed]:
        same = [header for header in existing if header.name.lower() == wanted.lower()]
        if len(same) > 1:
            items = get(own.root, "spec", "headers")
            assert isinstance(items, Sequence)
            first, second = (items.items[header.index] for header in same[:2])
            problem = problem_at(
                source,
                second.start,
                "repeated-header",
                f"the header {wanted} is set twice",
                end=second.end,
                hint="remove one of them first",
                path=f"spec.headers[{same[1].index}]",
                related=((source.place(first.start), "the first one"),),
            )
            raise refusal(problem)


def _plan(existing: SequenceABC[_Header], changes: HttpChanges) -> tuple[_Plan, tuple[str, ...]]:
    """Return what is to be done to the headers, and which of those to remove are not there."""
    by_name = {header.name.lower(): header for header in existing}
    plan = _Plan()
    for name, value in changes.headers:
        header = by_name.get(name.lower())
        if header is None:
            plan.added.append((name, value))
        elif header.value != value:
            plan.replaced.append((header, value))
    plan.removed = [by_name[name.lower()] for name in dict.fromkeys(changes.removed) if name.lower() in by_name]
    absent = tuple(name for name in changes.removed if name.lower() not in by_name)
    # One that goes and one that comes: its two values change, and nothing moves.
    while plan.removed and plan.added:
        plan.renamed.append((plan.removed.pop(0), plan.added.pop(0)))
    return plan, absent


def _base_url(source: Source, own: OwnDocument, base_url: str | None) -> SequenceABC[Operation]:
    if base_url is None:
        return []
    spot = find_spot(source, own.root, ("spec", "baseUrl"))
    if spot.node is None and isinstance(spot.parent, Mapping) and spot.parent.entries:
        return [AppendEntry(own.document, own.root, spot.parent, "baseUrl", base_url, Shape())]
    return replacement(source, own, ("spec", "baseUrl"), base_url)


def _header_operations(
    source: Source, scope: EditScope, adapters: AdapterList, own: OwnDocument, plan: _Plan
) -> Iterator[Operation]:
    path = ("spec", "headers")
    for header, value in plan.replaced:
        spot = find_spot(source, own.root, (*path, header.index, "value"))
        if spot.node is None and spot.parent is not None:
            yield AppendEntry(own.document, own.root, spot.parent, "value", value, Shape())
        else:
            yield from replacement(source, own, (*path, header.index, "value"), value)
    for header, (name, value) in plan.renamed:
        yield from replacement(source, own, (*path, header.index, "name"), name)
        yield from replacement(source, own, (*path, header.index, "value"), value)
    if not plan.removed and not plan.added:
        return
    spot = find_spot(source, own.root, path)
    if plan.removed:
        assert spot.entry is not None
        indices = tuple(header.index for header in plan.removed)
        node = spot.entry[1]
        assert isinstance(node, Sequence)
        for index in indices:
            refuse_used_elsewhere(source, own.root, node.items[index], "spec.headers")
        if len(indices) == len(node.items) and _omits_headers(source, scope, own):
            yield removal(own, spot)
        else:
            yield RemoveItems(own.document, own.root, spot.entry, indices)
    elif plan.added:
        values: list[Value] = [{"name": name, "value": value} for name, value in plan.added]
        yield _append(source, scope, adapters, own, "headers", values)


def _new_entries(data: Data, entries: SequenceABC[dict[str, Value]]) -> list[dict[str, Value]]:
    """Return the entries of `allow` which are not in the list yet."""
    listed = [entry for _, entry in items_at(data, "spec", "allow")]
    return [entry for number, entry in enumerate(entries) if entry not in listed and entry not in entries[:number]]


def _append(  # noqa: PLR0917
    source: Source, scope: EditScope, adapters: AdapterList, own: OwnDocument, key: str, values: SequenceABC[Value]
) -> Operation:
    """Return the operation that adds values at the end of the list `spec.KEY`, which may not be there yet."""
    spot = find_spot(source, own.root, ("spec", key))
    shape = (
        document_shape(source, scope.documents, lambda: adapters.fallback_style, kind=HTTP.kind, list_key=key)
        .child("spec")
        .child(key)
    )
    if spot.parent is not None and spot.entry is not None:
        node = spot.entry[1]
        if not isinstance(node, Sequence) and data_of(source, node) is not None:
            message = f"`{key}` is not a list"
            raise refusal(problem_at(source, node.start, "wrong-type", message, end=node.end, path=f"spec.{key}"))
        return AppendItems(own.document, own.root, spot.parent, spot.entry, values, shape)
    return AppendEntry(own.document, own.root, extensible_spec(source, own, spot), key, values, shape)


def _omits_headers(source: Source, scope: EditScope, own: OwnDocument) -> bool:
    """Whether adapters without headers have no such key in this file: then the key goes with the last of them."""
    for document in scope.documents[:200]:
        if document == own.document:
            continue
        try:
            other = read_own(source, document)
        except YamlSyntaxError:
            continue
        if other is None or other.kind != HTTP.kind:
            continue
        headers = get(other.root, "spec", "headers")
        if headers is None:
            return True
        if isinstance(headers, Scalar) or (isinstance(headers, Sequence) and not headers.items):
            return False
    return False


def _refuse_invalid(source: Source, own: OwnDocument, data: Data, edit: Edit) -> None:
    """Raise MomError where the document was valid and would not be any more."""
    rules = schema(HTTP)
    if not fits(rules, data):
        return
    new = Source(source.name, edit.text)
    shift = sum(len(splice.text) - splice.length for splice in edit.splices)
    changed = read_own(new, own.document._replace(end=own.document.end + shift))
    after = None if changed is None else data_of(new, changed.root)
    if changed is None or not fits(rules, after):
        message = "refusing to edit: the adapter would not be valid; nothing was written"
        raise refusal(problem_at(source, own.root.start, "unsafe-edit", message))
    before = {problem.rule for problem in _errors(source, own, data)}
    for problem in _errors(new, changed, after):
        if problem.rule not in before:
            raise refusal(problem_at(source, own.root.start, problem.rule, problem.message, hint=problem.hint))


def _errors(source: Source, own: OwnDocument, data: Data) -> list[Problem]:
    """Return what the rules of its kind call errors in a document, beyond its schema."""
    findings = Findings(DataDocument(source, own.document, own.root, data if isinstance(data, dict) else {}))
    KINDS[HTTP.kind].check(findings)
    return [problem for _, problem in findings.problems if problem.severity is Severity.ERROR]


def _before(data: Data, plan: _Plan, changes: HttpChanges) -> HttpChanges | None:
    """Return the changes that undo the plan, None where the old values are not text."""
    url = text_at(data, "spec", "baseUrl")
    old = [header for header, _ in plan.replaced] + [header for header, _ in plan.renamed] + plan.removed
    headers = [(header.name, header.value) for header in old if isinstance(header.value, str)]
    new = [name for _, (name, _) in plan.renamed] + [name for name, _ in plan.added]
    bounds = bounds_before(data, changes.bounds)
    if bounds is None or len(headers) < len(old) or (changes.base_url is not None and url is None):
        return None
    return HttpChanges(
        base_url=url if changes.base_url not in {None, url} else None,
        headers=tuple(headers),
        removed=tuple(new),
        allow=changes.removed_allow,
        removed_allow=changes.allow,
        bounds=bounds,
    )
