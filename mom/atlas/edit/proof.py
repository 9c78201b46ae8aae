"""Proof that adding an adapter did just that: the result is read back, and must be the old data plus the addition."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass
from typing import NamedTuple

from mom.atlas.adapters import KINDS
from mom.atlas.edit.scope import Scope, refusal
from mom.atlas.kinds import ATLAS
from mom.atlas.ownership import OwnDocument, as_own
from mom.atlas.quick_check import fits
from mom.atlas.schema_files import Schema
from mom.atlas.schemas import schema
from mom.yamledit.data import to_data, walk
from mom.yamledit.diff import Change
from mom.yamledit.nodes import Mapping, Node, Scalar, Sequence, entries_of, get
from mom.yamledit.parser import reads
from mom.yamledit.prove import lines_kept, same
from mom.yamledit.scalars import is_ambiguous
from mom.yamledit.shape import Value
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, YamlSyntaxError, documents, parse_document


@dataclass(frozen=True, slots=True)
class Addition:
    """What an edit was meant to add: the list item and the document, None where it stands there already."""

    reference: Value | None
    document: MappingABC[str, Value] | None


class _Obstacle(NamedTuple):
    """Why an edit is not safe: where in the old text, and a clause that says what would happen."""

    offset: int
    reason: str
    hint: str = "make the change by hand, then `mom atlas config validate` checks it"


def prove(
    old: Source, new: Source, *, scope: Scope, atlas: OwnDocument, addition: Addition, changed: SequenceABC[Change]
) -> None:
    """Raise MomError unless `new` is `old` plus `addition`, with every old line in its order but for `changed`.

    Whatever could read the old text must read the new one: parsers of YAML 1.1 and of old libyaml, too.
    """
    obstacle = _first_difference(old, new, scope, atlas, addition) or _violation(atlas, addition)
    if obstacle is None and not lines_kept(old, new, changed):
        obstacle = _Obstacle(atlas.root.start, "a line of the file would be lost")
    if obstacle is not None:
        message = f"refusing to edit: {obstacle.reason}; nothing was written"
        raise refusal(old.problem(obstacle.offset, "unsafe-edit", message, hint=obstacle.hint))


def _violation(atlas: OwnDocument, addition: Addition) -> _Obstacle | None:
    """Return what the schemas say against what is added. What stood there before is not this edit's to judge."""
    items: Schema = schema(ATLAS)["properties"]["spec"]["properties"]["apiAdapters"]["items"]
    if addition.reference is not None and not fits(items, addition.reference):
        return _Obstacle(atlas.root.start, "the new list item would not be valid")
    if addition.document is not None and not fits(KINDS[str(addition.document["kind"])].schema(), addition.document):
        return _Obstacle(atlas.root.start, "the new document would not be valid")
    return None


def _first_difference(
    old: Source, new: Source, scope: Scope, atlas: OwnDocument, addition: Addition
) -> _Obstacle | None:
    before, after = list(scope.documents), list(documents(new))
    if addition.document is not None:
        added = _parsed(new, after.pop()) if after else None
        if added is None or to_data(added) != addition.document or _reads_as_another_type(added):
            return _Obstacle(before[-1].body, "the new document would not be read back as it was meant")
        if len(after) < len(before):
            # A bare `---` at the end became the new document.
            before.pop()
    if len(before) != len(after):
        return _Obstacle(atlas.root.start, "the number of documents would change")
    last = len(before) - 1
    for number, (left, right) in enumerate(zip(before, after, strict=True)):
        was, becomes = old.text[left.start : left.end], new.text[right.start : right.end]
        if left == atlas.document:
            own = as_own(right, _parsed(new, right))
            at = get(atlas.root, "spec", "apiAdapters") or get(atlas.root, "spec") or atlas.root
            if own is None or not plus_reference(atlas.root, own.root, addition.reference):
                reason = "the Atlas document would change elsewhere"
                return _unended(old, left, atlas.root, is_last=number == last) or _Obstacle(at.start, reason)
            if reads(was) and not reads(becomes):
                return _Obstacle(at.start, "parsers that read this document now would not read it with the new item")
        elif was != becomes and not (number == last and _only_line_end_added(old, left, new, right)):
            root = _parsed(old, left)
            obstacle = _Obstacle(root.start if root else left.body, "this document would change")
            return _unended(old, left, root, is_last=number == last) or obstacle
    return None


def _reads_as_another_type(root: Node) -> bool:
    """Whether a value that was written as text is something else for a parser of YAML 1.1."""
    return any(isinstance(node, Scalar) and not node.style and is_ambiguous(node.value) for node in walk(root))


def _unended(old: Source, document: Document, root: Node | None, *, is_last: bool) -> _Obstacle | None:
    """Name the likeliest obstacle: a block scalar at the end of a file without a final line ending gains one."""
    if not is_last or document.end != len(old.text) or old.text.endswith("\n"):
        return None
    node = root
    while isinstance(node, Sequence | Mapping) and not node.flow:
        node = node.items[-1] if isinstance(node, Sequence) else node.entries[-1][1]
    at = node.start if node is not None else document.body
    reason = "the last value ends without a line ending, and would get one"
    return _Obstacle(at, reason, "end the file with a line ending first, if the value may have it")


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


def plus_reference(old: Mapping, new: Mapping, reference: Value | None) -> bool:
    """Whether `new` is `old` with `reference` appended to `spec.apiAdapters`, or is equal where that is None."""
    if reference is None:
        return same(old, new)
    specs = entries_of(new, "spec")
    lists = entries_of(specs[0][1], "apiAdapters") if len(specs) == 1 else []
    if len(lists) != 1:
        return False
    (spec_key, spec), (key, listed) = specs[0], lists[0]
    if not isinstance(spec, Mapping) or not isinstance(listed, Sequence) or not listed.items:
        return False
    added = listed.items[-1]
    if to_data(added) != reference or _reads_as_another_type(added):
        return False
    # Take the item away again, and what was made for it: what is left must be the old document.
    shorter = listed._replace(items=listed.items[:-1])
    spec_left = _with_value(spec, key, _as_it_was(shorter, get(old, "spec", "apiAdapters")))
    return same(old, _with_value(new, spec_key, _as_it_was(spec_left, get(old, "spec"))))


def _as_it_was(left: Sequence | Mapping, old: Node | None) -> Node | None:
    """Return a collection without what was added: `old` where that had nothing in it, None where it was not there."""
    if left.items if isinstance(left, Sequence) else left.entries:
        return left
    if isinstance(old, Sequence | Mapping) and type(old) is not type(left):
        return left
    if isinstance(old, Sequence | Mapping | Scalar):
        # Only its anchor and tag could be lost. A null has no tag that a collection could have.
        return old if (old.anchor, old.tag) == (left.anchor, left.tag) else left
    return None


def _with_value(mapping: Mapping, key: Node, value: Node | None) -> Mapping:
    entries = ((k, value if k is key else v) for k, v in mapping.entries)
    return mapping._replace(entries=tuple((k, v) for k, v in entries if v is not None))
