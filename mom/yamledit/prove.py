"""Proof that an edit is only what it was meant to be: the result is read back and compared with the original."""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC

from mom.yamledit.diff import Change
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence
from mom.yamledit.source import Source


def same(old: Node | None, new: Node | None) -> bool:
    """Whether two trees are equal but for positions: values, quotes, tags, anchors, flow or block, order."""
    waiting: list[tuple[Node | None, Node | None]] = [(old, new)]
    while waiting:
        left, right = waiting.pop()
        kind = type(left)
        if kind is not type(right):
            return False
        # Equal with their positions: what stands before an insertion, compared in C. (`[]` and `{}` in one place would
        # be equal too; but one place of two texts whose lines are the same holds one of them.)
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
    """Whether every line of `old` stands in `new`, in order, but for those that `changed` names as replaced.

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
    """Whether the lines `kept` stand in `text` at `offset`, from a line's start on."""
    return not kept or (text.startswith(kept, offset) and (offset == 0 or text[offset - 1] == "\n"))
