"""YAML as people write manifests: block style, two blanks, comments above what they explain; the same text each time.

Strings that some parser takes for another type (`yes`, `0440`) are quoted: engines read YAML with parsers of several
versions.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mom.yamledit.scalars import needs_quotes

# Of a line with a comment, beside the two characters before its text.
_WIDTH, _NARROWEST = 98, 40


class Explained(NamedTuple):
    """A value of a mapping or an item of a list, with the comment above it, whose lines are broken where they must."""

    value: Any
    comment: str


def yaml_text(document: Mapping[str, Any]) -> str:
    """Return a document of JSON-like values, some of them `Explained`; an empty comment is none."""
    from ruamel.yaml import YAML

    yaml = YAML()
    # No long string is folded: a reader searches for it as it is.
    yaml.width = 1 << 20
    text = io.StringIO()
    yaml.dump(_tree(document, 0), text)
    return text.getvalue()


def _tree(value: Any, column: int) -> Any:
    """Return `value` as ruamel.yaml writes it; its keys or its dashes begin at `column`."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, str):
        return DoubleQuotedScalarString(value) if needs_quotes(value, flow=False) else value
    if isinstance(value, Mapping):
        mapping = CommentedMap()
        for key, each in value.items():
            inner, comment = _parts(each)
            # The dashes of a list are below the first letter of its key.
            mapping[_tree(key, 0)] = _tree(inner, column if _is_list(inner) else column + 2)
            if comment:
                mapping.yaml_set_comment_before_after_key(key, before=_wrapped(comment, column), indent=column)
        return mapping
    if _is_list(value):
        items = CommentedSeq()
        for number, each in enumerate(value):
            inner, comment = _parts(each)
            items.append(_tree(inner, column + 2))
            if comment:
                items.yaml_set_comment_before_after_key(number, before=_wrapped(comment, column), indent=column)
        return items
    return value


def _wrapped(comment: str, column: int) -> str:
    width = max(_WIDTH - column, _NARROWEST)
    lines = [textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) for line in comment.split("\n")]
    return "\n".join(line for wrapped in lines for line in wrapped)


def _parts(value: Any) -> tuple[Any, str]:
    return value if isinstance(value, Explained) else (value, "")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
