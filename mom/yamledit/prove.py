"""Proof that an edit is only what it was meant to be: the result is read back and compared with the original."""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC

from mom.yamledit.diff import Change
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence


def same(old: Node | None, new: Node | None) -> bool:
    """Whether two trees are equal but for positions: values, quotes, tags, anchors, flow or block, order."""
    waiting: list[tuple[Node | None, Node | None]] = [(old, new)]
    while waiting:
        left, right = waiting.pop()
        if type(left) is not type(right):
            return False
        if isinstance(left, Scalar | Alias):
            assert right is not None
            if left[2:] != right[2:]:
                return False
        elif isinstance(left, Sequence):
            assert isinstance(right, Sequence)
            if left[3:] != right[3:] or len(left.items) != len(right.items):
                return False
            waiting.extend(zip(left.items, right.items, strict=True))
        elif isinstance(left, Mapping):
            assert isinstance(right, Mapping)
            if left[3:] != right[3:] or len(left.entries) != len(right.entries):
                return False
            for (old_key, old_value), (new_key, new_value) in zip(left.entries, right.entries, strict=True):
                waiting.append((old_value, new_value))
                if old_key[2:] != new_key[2:]:
                    waiting.append((old_key, new_key))
    return True


def lines_kept(old: str, new: str, changed: SequenceABC[Change]) -> bool:
    """Whether every line of `old` stands in `new`, in order, but for those that `changed` names as replaced.

    Checked on the two texts alone, not on the splices that made one from the other.
    """
    replaced = {change.start + number for change in changed for number in range(len(change.old))}
    rest = iter(new.split("\n"))
    lines = old.split("\n")
    # What follows the last line end is no line.
    count = len(lines) - (1 if lines[-1] == "" else 0)
    return all(number in replaced or any(line == other for other in rest) for number, line in enumerate(lines[:count]))
