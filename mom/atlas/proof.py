"""Proof that adding an adapter did just that: the result is read back, and must be the old data plus the addition."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass

from mom.atlas.kinds import ATLAS, HTTP
from mom.atlas.ownership import OwnDocument, as_own
from mom.atlas.quick_check import fits
from mom.atlas.schemas import Schema, schema
from mom.atlas.scope import Scope
from mom.errors import MomError
from mom.yamledit.data import to_data
from mom.yamledit.diff import Change
from mom.yamledit.nodes import Mapping, Node, Scalar, Sequence, entries_of, get
from mom.yamledit.prove import lines_kept, same
from mom.yamledit.shape import Value
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, YamlSyntaxError, documents, parse_document


@dataclass(frozen=True, slots=True)
class Addition:
    """What an edit was meant to add: the list item and the document, None where it stands there already."""

    reference: Value | None
    document: MappingABC[str, Value] | None


def prove(
    old: Source, new: Source, *, scope: Scope, atlas: OwnDocument, addition: Addition, changed: SequenceABC[Change]
) -> None:
    """Raise MomError unless `new` is `old` plus `addition`, with every old line in its order but for `changed`."""
    reason = _first_difference(old, new, scope, atlas, addition) or _violation(addition)
    if reason is None and not lines_kept(old, new, changed):
        reason = "a line of the file would be lost"
    if reason is not None:
        raise MomError(
            f"this edit cannot be made safely: {reason}; nothing was written",
            hint="make the change by hand, then `mom atlas config validate` checks it",
        )


def _violation(addition: Addition) -> str | None:
    """Return what the schemas say against what is added. What stood there before is not this edit's to judge."""
    items: Schema = schema(ATLAS)["properties"]["spec"]["properties"]["apiAdapters"]["items"]
    if addition.reference is not None and not fits(items, addition.reference):
        return "the new list item would not be valid"
    if addition.document is not None and not fits(schema(HTTP), addition.document):
        return "the new document would not be valid"
    return None


def _first_difference(old: Source, new: Source, scope: Scope, atlas: OwnDocument, addition: Addition) -> str | None:
    before, after = list(scope.documents), list(documents(new))
    if addition.document is not None:
        if not after or to_data(_parsed(new, after.pop())) != addition.document:
            return "the new document would not be read back as it was meant"
        if len(after) < len(before):
            # A bare `---` at the end became the new document.
            before.pop()
    if len(before) != len(after):
        return "the number of documents would change"
    last = len(before) - 1
    for number, (left, right) in enumerate(zip(before, after, strict=True)):
        was, becomes = old.text[left.start : left.end], new.text[right.start : right.end]
        if left == atlas.document:
            own = as_own(right, _parsed(new, right))
            if own is None or not _plus_reference(atlas.root, own.root, addition.reference):
                return "the Atlas document would change in another way too" + _block_scalar_hint(
                    old, left, number == last
                )
        elif was != becomes and not (number == last and _only_line_end_added(old, left, new, right)):
            line = old.line_number(left.body)
            return f"the document in line {line} would change" + _block_scalar_hint(old, left, number == last)
    return None


def _block_scalar_hint(old: Source, document: Document, is_last: bool) -> str:
    """Name the likeliest cause: a block scalar at the end of a file without a final line end gains one."""
    missing = is_last and document.end == len(old.text) and not old.text.endswith("\n")
    return " (its last value ends without a line end: end the file with one first)" if missing else ""


def _parsed(source: Source, document: Document) -> Node | None:
    try:
        return parse_document(source, document)
    except YamlSyntaxError:
        return None


def _only_line_end_added(old: Source, left: Document, new: Source, right: Document) -> bool:
    """Whether the last document only got its final line end, and, when it is ours, means the same with it."""
    was, becomes = old.text[left.start : left.end], new.text[right.start : right.end]
    only = becomes.removesuffix("\n").removesuffix("\r") == was
    return only and (as_own(left, _parsed(old, left)) is None or not _gained_line_end(old, left, new, right))


def _gained_line_end(old: Source, left: Document, new: Source, right: Document) -> bool:
    """Whether a document means something else with its final line end: its last value is a block scalar.

    YAML 1.2.2, section 8.1.1.2, keeps a scalar's final line break; at the end of a stream without one, the events of
    the public yaml-test-suite have it all the same, libyaml's and those of its descendants do not.
    """
    return not same(_parsed(old, left), _parsed(new, right))


def line_end_note(old: Source, new: Source, scope: Scope) -> tuple[str, ...]:
    """Return what to say when the final line end that the file needed became part of a bystander's last value."""
    if not scope.documents or old.text.endswith("\n") or new.text == old.text:
        return ()
    number = len(scope.documents) - 1
    left, right = scope.documents[number], documents(new)[number]
    root = _parsed(old, left)
    # Nothing after a bare `---`: it became the new document.
    empty = root is None or (isinstance(root, Scalar) and root.start == root.end)
    ours = as_own(left, root) is not None
    if empty or ours or left.end != len(old.text) or not _gained_line_end(old, left, new, right):
        return ()
    line = old.line_number(left.body)
    return (f"the document in line {line} ends in a block scalar without a line end: it has one now",)


def _plus_reference(old: Mapping, new: Mapping, reference: Value | None) -> bool:
    """Whether `new` is `old` with `reference` appended to `spec.apiAdapters`, or is equal where that is None."""
    if reference is None:
        return same(old, new)
    spec = get(new, "spec")
    entries = entries_of(spec, "apiAdapters")
    if not isinstance(spec, Mapping) or len(entries) != 1:
        return False
    key, listed = entries[0]
    if not isinstance(listed, Sequence) or not listed.items or to_data(listed.items[-1]) != reference:
        return False
    # Take the item away again: what is left must be the old document.
    was = get(old, "spec", "apiAdapters")
    left: Node | None = listed._replace(items=listed.items[:-1])
    if len(listed.items) == 1 and not (isinstance(was, Sequence) and was.items):
        # The list is new, or it was `[]` or a null; nothing but its anchor could be lost.
        left = was if isinstance(was, Sequence | Scalar) and was.anchor == listed.anchor else None
    entries_left = [(k, left if k is key else v) for k, v in spec.entries if k is not key or left is not None]
    rebuilt = spec._replace(entries=tuple((k, v) for k, v in entries_left if v is not None))
    return same(old, new._replace(entries=tuple((k, rebuilt if v is spec else v) for k, v in new.entries)))
