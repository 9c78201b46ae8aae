"""Proof that an edit did just what its operations say: the result is read back before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as SequenceABC

from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.scope import refusal
from mom.atlas.ownership import as_own
from mom.atlas.quick_check import fits
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.schema_files import Schema
from mom.yamledit import operations as yaml
from mom.yamledit.nodes import Scalar, last_leaf
from mom.yamledit.operations import Operation
from mom.yamledit.prove import Difference, Fault, first_difference, gained_line_ending, parsed
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, documents

_BY_HAND = "make the change by hand, then `mom atlas config validate` checks it"
_END_FIRST = "end the file with a line ending first, if the value may have it"

# What must fit which schema, and what it is, for a message.
Judged = Iterable[tuple[str, Schema, object]]


def proved(
    source: Source, limits: tuple[Document, ...], operations: SequenceABC[Operation], action: Action, judged: Judged
) -> Edit:
    """Return the edit that `operations` make of a stream of documents with those `limits`.

    Raises MomError unless the result is what they expect, with every other line in its order, and what they write
    is valid. What was there before is not this edit's to judge.
    """
    outcome = yaml.carry_out(source, operations)
    new = Source(source.name, outcome.text)
    for what, schema, value in judged:
        if not fits(schema, value):
            raise _refused(source, operations[0].place, f"{what} would not be valid", _BY_HAND)
    difference = first_difference(
        source,
        new,
        yaml.expected(limits, outcome.operations),
        outcome.changes,
        must_mean_the_same=lambda document: as_own(document, parsed(source, document)) is not None,
    )
    if difference is not None:
        raise _refused(source, *_explained(source, outcome.operations, difference))
    ended = any(isinstance(operation, yaml.EndLastLine) for operation in outcome.operations)
    notes = _line_ending_note(source, new, limits) if ended else ()
    return Edit(source, outcome.text, action, outcome.changes, notes, outcome.splices)


def _refused(source: Source, offset: int, reason: str, hint: str) -> Exception:
    message = f"refusing to edit: {reason}; nothing was written"
    return refusal(problem_at(source, offset, "unsafe-edit", message, hint=hint))


def _explained(source: Source, operations: SequenceABC[Operation], difference: Difference) -> tuple[int, str, str]:
    """Return where to point, what would happen, and what to do instead."""
    fault, document = difference
    at = operations[0].place
    if document is None:
        return at, fault.value, _BY_HAND
    at = next(
        (operation.place for operation in operations if getattr(operation, "document", None) == document), document.body
    )
    root = parsed(source, document)
    if fault is Fault.LINE_ENDING:
        return (document.body if root is None else last_leaf(root).start), fault.value, _END_FIRST
    if fault is Fault.TREE:
        own = as_own(document, root)
        return at, f"the {own.kind if own is not None else 'other'} document would change elsewhere", _BY_HAND
    if fault is Fault.TEXT and root is not None:
        at = root.start
    return at, fault.value, _BY_HAND


def _line_ending_note(old: Source, new: Source, limits: tuple[Document, ...]) -> tuple[str, ...]:
    """Return what to say when the final line ending that the file needed became part of a bystander's last value."""
    if not limits:
        return ()
    left, right = limits[-1], documents(new)[len(limits) - 1]
    root = parsed(old, left)
    # Nothing after a bare `---`: it became the new document.
    empty = root is None or (isinstance(root, Scalar) and root.start == root.end)
    if empty or as_own(left, root) is not None or left.end != len(old.text):
        return ()
    if not gained_line_ending(old, left, new, right):
        return ()
    line = old.line_number(left.body)
    return (f"the document in line {line} ends in a block scalar without a line ending: it has one now",)
