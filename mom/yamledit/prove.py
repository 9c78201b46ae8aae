"""Proof that an edit is only what it was meant to be: the result is read back and compared with what is expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as SequenceABC
from enum import Enum
from typing import NamedTuple

from mom.yamledit.diff import Change
from mom.yamledit.expected import ExpectedDocument, Written
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence
from mom.yamledit.parser import reads
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, YamlSyntaxError, documents, parse_document


class Fault(Enum):
    """What is not as it was meant: something about one document, or about the stream."""

    NUMBER = "the number of documents would change"
    NEW = "the new document would not be read back as it was meant"
    TREE = "the document would change elsewhere"
    TEXT = "this document would change"
    PARSERS = "parsers that read this document now would not read it afterwards"
    LINE_ENDING = "the last value ends without a line ending, and would get one"
    LINES = "a line of the file would be lost"


class Difference(NamedTuple):
    """The first thing that is not as it was meant, and the document, in its old limits, that it is about."""

    fault: Fault
    document: Document | None = None


def first_difference(
    old: Source,
    new: Source,
    stream: SequenceABC[ExpectedDocument],
    changes: Iterable[Change],
    *,
    must_mean_the_same: Callable[[Document], bool],
) -> Difference | None:
    """Return how `new` differs from what `stream` expects, or from the lines of `old` but for `changes`; else None.

    Whatever could read the old text must read the new one: parsers of YAML 1.1 and of old libyaml, too.
    `must_mean_the_same` says of a last document whether its last value must not gain the line ending that is added.
    """
    after = documents(new)
    if len(stream) != len(after):
        return Difference(Fault.NUMBER)
    for wanted, limits in zip(stream, after, strict=True):
        fault = _fault(old, new, wanted, limits, must_mean_the_same)
        if fault is not None:
            return Difference(fault, wanted.document)
    # A directive belongs to the stream: what is before it must have ended.
    if "\n%" in new.text and reads(old.text) and not reads(new.text):
        return Difference(Fault.PARSERS)
    return None if lines_kept(old, new, tuple(changes)) else Difference(Fault.LINES)


def _fault(
    old: Source,
    new: Source,
    wanted: ExpectedDocument,
    limits: Document,
    must_mean_the_same: Callable[[Document], bool],
) -> Fault | None:
    document, becomes = wanted.document, new.text[limits.start : limits.end]
    if document is None:
        return None if same(wanted.tree, parsed(new, limits)) else Fault.NEW
    was = old.text[document.start : document.end]
    if wanted.tree is not None:
        if not same(wanted.tree, parsed(new, limits)):
            return Fault.LINE_ENDING if wanted.ended else Fault.TREE
        return Fault.PARSERS if reads(was) and not reads(becomes) else None
    text = was if wanted.text is None else wanted.text
    if text == becomes:
        return None
    if not wanted.ended or becomes.removesuffix("\n").removesuffix("\r") != text:
        return Fault.TEXT
    if must_mean_the_same(document) and gained_line_ending(old, document, new, limits):
        return Fault.LINE_ENDING
    return None


def parsed(source: Source, document: Document) -> Node | None:
    """Return the tree of a document, None where it cannot be read or has nothing."""
    try:
        return parse_document(source, document)
    except YamlSyntaxError:
        return None


def gained_line_ending(old: Source, left: Document, new: Source, right: Document) -> bool:
    """Whether a document means something else with its final line ending: its last value is a block scalar.

    YAML 1.2.2, section 8.1.1.2, keeps a scalar's final line break; at the end of a stream without one, the events of
    the public yaml-test-suite have it all the same, libyaml's and those of its descendants do not.
    """
    return not same(parsed(old, left), parsed(new, right))


def same(old: Node | Written | None, new: Node | None) -> bool:
    """Whether two trees are equal but for positions: values, quotes, tags, anchors, flow or block, order.

    Where the old one has `Written`, the new one must be read as that value.
    """
    waiting: list[tuple[Node | Written | None, Node | None]] = [(old, new)]
    while waiting:
        left, right = waiting.pop()
        if isinstance(left, Written):
            if not left.is_read_from(right):
                return False
            continue
        kind = type(left)
        if kind is not type(right):
            return False
        # Equal with their positions: what is before an insertion, compared in C. (`[]` and `{}` in one place would
        # be equal too; but one place of two texts whose lines are the same has one of them.)
        if left is None or right is None or left == right:
            continue
        if kind is Scalar or kind is Alias:
            if left[2:] != right[2:]:
                return False
            continue
        if left[3:] != right[3:]:
            return False
        parts, twins = _parts(left), _parts(right)
        if len(parts) != len(twins):
            return False
        for part, twin in zip(parts, twins, strict=True):
            # Scalars, which are nearly all of a tree, are compared at once.
            if type(part) is not Scalar or type(twin) is not Scalar:
                waiting.append((part, twin))
            elif part[2:] != twin[2:]:
                return False
    return True


def _parts(node: Node) -> SequenceABC[Node]:
    if isinstance(node, Sequence):
        return node.items
    return [part for entry in node.entries for part in entry] if isinstance(node, Mapping) else ()


def lines_kept(old: Source, new: Source, changed: SequenceABC[Change]) -> bool:
    """Whether every line of `old` is in `new`, in order, but for those that `changed` names as replaced.

    Compared on the two texts; the changes only tell how many lines come between two stretches of old ones.
    """
    position = new_position = 0
    for change in changed:
        stop = old.line_starts[change.start] if change.start else 0
        kept = old.text[position:stop]
        if not _stands(kept, new.text, new_position):
            return False
        position = stop + sum(map(len, change.old))
        new_position += len(kept) + sum(map(len, change.new))
    rest = old.text[position:]
    return _stands(rest, new.text, new_position) and len(new.text) == new_position + len(rest)


def _stands(kept: str, text: str, offset: int) -> bool:
    """Whether the lines `kept` are in `text` at `offset`, from a line's start on."""
    return not kept or (text.startswith(kept, offset) and (offset == 0 or text[offset - 1] == "\n"))
