"""Changing an HTTP adapter: its base URL, credentials, connection and bounds, each value in its own place and style."""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass
from sys import maxsize
from typing import NamedTuple

from mom.atlas.adapters import KINDS
from mom.atlas.adapters.http import HTTP
from mom.atlas.documents import DataDocument, items_at, text_at
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.appending import append_values
from mom.atlas.edit.bounds import Bounds, allow_removal, bound_operations, bounds_before
from mom.atlas.edit.pairs import PairPlan, header_changes, pair_operations, plan_pairs, query_changes
from mom.atlas.edit.parts import find_parts, resolve_kind
from mom.atlas.edit.proof import proved
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.scope import data_of, only_atlas, read_scope, refusal
from mom.atlas.edit.settings import Settings, setting_operations, settings_before
from mom.atlas.edit.spots import find_spot, replacement
from mom.atlas.ownership import OwnDocument, read_own
from mom.atlas.quick_check import fits
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.rules.findings import Findings
from mom.atlas.schemas import schema
from mom.errors import MomError
from mom.problems import Problem, Severity
from mom.yamledit.data import Data
from mom.yamledit.nodes import Mapping
from mom.yamledit.operations import Operation
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.tree_operations import AppendEntry, RemoveEntry


class HttpChanges(NamedTuple):
    """What is to be changed: the base URL, headers to set by name, and names of headers to take out.

    allow, removed_allow: entries to add to the list of requests that may pass, and to take out of it.
    query, removed_query: parameters to set by name, and names of those to take out.
    """

    base_url: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    allow: tuple[dict[str, Value], ...] = ()
    removed_allow: tuple[dict[str, Value], ...] = ()
    bounds: Bounds = Bounds()
    query: tuple[tuple[str, str], ...] = ()
    removed_query: tuple[str, ...] = ()
    settings: Settings = Settings()


@dataclass(frozen=True)
class ChangedAdapter(Edit):
    """The edit that changes an HTTP adapter.

    before: what undoes it, None where no command can; absent: headers and parameters to remove that it did not have.
    unlisted: entries of `allow` to remove that it did not have.
    opened: whether the list of requests that may pass went with its last entry.
    """

    before: HttpChanges | None = None
    absent: tuple[str, ...] = ()
    unlisted: tuple[dict[str, Value], ...] = ()
    opened: bool = False


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
    headers = plan_pairs(source, own, data, header_changes(changes.headers, changes.removed))
    query = plan_pairs(source, own, data, query_changes(changes.query, changes.removed_query))
    allowed = _new_entries(data, changes.allow)
    removal, disallowed, opened = allow_removal(source, own, changes.removed_allow)
    operations = [
        *_base_url(source, own, changes.base_url),
        *pair_operations(source, scope, adapters, own, headers),
        *pair_operations(source, scope, adapters, own, query),
        *setting_operations(source, scope, adapters, own, changes.settings),
        *([append_values(source, scope, adapters, own, "allow", allowed)] if allowed else []),
        *removal,
        *bound_operations(source, scope, adapters, own, changes.bounds),
    ]
    absent = (*(f"header {name}" for name in headers.absent), *(f"parameter {name}" for name in query.absent))
    unlisted = tuple(entry for entry in changes.removed_allow if entry not in disallowed)
    if not operations:
        return ChangedAdapter(source, source.text, Action.UNCHANGED, absent=absent, unlisted=unlisted)
    # Entries go from the last: the number of each counts those that earlier operations left.
    operations.sort(key=lambda operation: operation.at if isinstance(operation, RemoveEntry) else maxsize, reverse=True)
    edit = proved(source, scope.documents, operations, Action.CHANGED, ())
    _refuse_invalid(source, own, data, edit)
    before = _before(data, headers, query, changes._replace(allow=tuple(allowed), removed_allow=disallowed))
    return ChangedAdapter.of(edit, before=before, absent=absent, unlisted=unlisted, opened=opened)


def _base_url(source: Source, own: OwnDocument, base_url: str | None) -> SequenceABC[Operation]:
    if base_url is None:
        return []
    spot = find_spot(source, own.root, ("spec", "baseUrl"))
    if spot.node is None and isinstance(spot.parent, Mapping) and spot.parent.entries:
        return [AppendEntry(own.document, own.root, spot.parent, "baseUrl", base_url, Shape())]
    return replacement(source, own, ("spec", "baseUrl"), base_url)


def _new_entries(data: Data, entries: SequenceABC[dict[str, Value]]) -> list[dict[str, Value]]:
    """Return the entries of `allow` which are not in the list yet."""
    listed = [entry for _, entry in items_at(data, "spec", "allow")]
    return [entry for number, entry in enumerate(entries) if entry not in listed and entry not in entries[:number]]


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


def _before(data: Data, headers: PairPlan, query: PairPlan, changes: HttpChanges) -> HttpChanges | None:
    """Return the changes that undo `changes`, None where the old values are not text."""
    url = text_at(data, "spec", "baseUrl")
    bounds = bounds_before(data, changes.bounds)
    settings = settings_before(data, changes.settings)
    pairs = headers.before(), query.before()
    if bounds is None or settings is None or (changes.base_url is not None and url is None):
        return None
    if pairs[0] is None or pairs[1] is None:
        return None
    return HttpChanges(
        url if changes.base_url not in {None, url} else None,
        *pairs[0],
        allow=changes.removed_allow,
        removed_allow=changes.allow,
        bounds=bounds,
        query=pairs[1][0],
        removed_query=pairs[1][1],
        settings=settings,
    )
