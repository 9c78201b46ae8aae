"""The style of a value, copied to another one."""

from __future__ import annotations

import pytest

from mom.yamledit import shape as shapes
from mom.yamledit.nodes import Sequence
from mom.yamledit.shape import Shape
from tests.yamledit.pieces import entry, only

VALUE = {"name": "x", "list": ["a", "b"]}

STYLES = {
    "two steps": ("m:\n  list:\n  - z\n  name: q\n", ["list:", "- a", "- b", "name: x"]),
    "four steps": ("m:\n    name: q\n    list:\n      - z\n", ["name: x", "list:", "  - a", "  - b"]),
    "wide dashes": ("m:\n  name: q\n  list:\n  -   z\n", ["name: x", "list:", "-   a", "-   b"]),
    "quotes": ("m:\n  'name': \"q\"\n  'list':\n  - 'z'\n", ["'name': \"x\"", "'list':", "- 'a'", "- 'b'"]),
    "brackets inside": ("m:\n  name: q\n  list: [z]\n", ["name: x", "list: [a, b]"]),
}


@pytest.mark.parametrize("style", STYLES)
def test_a_mapping_is_written_as_the_one_beside_it(style: str) -> None:
    text, expected = STYLES[style]
    _, _, root = only(text)
    assert shapes.block(VALUE, shapes.shape_of(text, entry(root, "m")[1])) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 'x'\nb: 'w'\nc: z\n", "'new'"),
        ("a: 'x'\nb: z\n", "new"),
        ("a: z\nb: 'x'\n", "'new'"),
        ("a: 'no'\nb: z\n", "new"),
        ("a: {b: 'v'}\nc: z\n", "new"),
        ("a: [x]\n", "new"),
    ],
)
def test_a_key_that_the_neighbour_has_not_is_quoted_as_most_of_its_values(text: str, expected: str) -> None:
    _, _, root = only(text)
    shape = shapes.shape_of(text, root)
    assert shapes.block({"key": "new"}, shape) == [f"key: {expected}"]
    # So is what is inside of it.
    assert shapes.block({"key": {"inner": ["new"]}}, shape) == ["key:", "  inner:", f"  - {expected}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m: {name: q, list: [z]}\n", "{name: x, list: [a, b]}"),
        ("m: { name: q, list: [ z ] }\n", "{ name: x, list: [ a, b ] }"),
        ('m: {"name": "q", "list": ["z"]}\n', '{"name": "x", "list": ["a", "b"]}'),
    ],
)
def test_braces_are_written_as_those_beside_them(text: str, expected: str) -> None:
    _, _, root = only(text)
    assert shapes.flow(VALUE, shapes.shape_of(text, entry(root, "m")[1])) == expected


def test_without_a_neighbour_dashes_are_at_the_column_of_the_key() -> None:
    assert shapes.block(VALUE, Shape()) == ["name: x", "list:", "- a", "- b"]


@pytest.mark.parametrize(
    ("text", "column", "blanks"),
    [
        ("l:\n- a\n- b\n", 0, 0),
        ("l: &x\n    - a\n\n    - b\n", 4, 1),
        ("l:\n  - a\n    # c\n\n\n  - b\n", 2, 2),
    ],
)
def test_the_column_of_dashes_and_the_blank_lines_between_items(text: str, column: int, blanks: int) -> None:
    _, _, root = only(text)
    node = entry(root, "l")[1]
    assert isinstance(node, Sequence)
    assert shapes.dash_column(text, node) == column
    assert shapes.blank_lines_between(text, node) == blanks
