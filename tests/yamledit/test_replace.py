"""What a value's place keeps when the value changes."""

from __future__ import annotations

import pytest

from mom.yamledit.nodes import Scalar
from mom.yamledit.replace import rename_key, replace_scalar
from tests.yamledit.pieces import edited, entry, only

VALUES = {
    "plain": ("k: a # c\n", "x", "k: x # c\n"),
    "plain that needs quotes": ("k: a\n", "yes", "k: 'yes'\n"),
    "single quotes": ("k: 'a'  # c\n", "it's", "k: 'it''s'  # c\n"),
    "double quotes": ('k: "a"\n', 'a"b', 'k: "a\\"b"\n'),
    "single quotes that cannot carry it": ("k: 'a'\n", "a\tb", 'k: "a\\tb"\n'),
    "an anchor and a tag": ("k: &x !!str a\n", "b", "k: &x !!str b\n"),
    "only an anchor": ("k: &x\n", "b", "k: &x b\n"),
    "nothing": ("k:\n", "x", "k: x\n"),
    "nothing before a comment": ("k: # c\n", "x", "k: x # c\n"),
    "a null": ("k: ~\n", "x", "k: x\n"),
    "over several lines": ("k: a\n  b\nl: 1\n", "x", "k: x\nl: 1\n"),
    "quoted over several lines": ('k: "a\n  b" # c\n', "x", 'k: "x" # c\n'),
    "a literal": ("k: |- # c\n  a\n  b\nl: 1\n", "x", "k: x # c\nl: 1\n"),
    "a literal that keeps blank lines": ("k: |+\n  a\n\nl: 1\n", "x", "k: x\nl: 1\n"),
    "a folded scalar at the end": ("k: >-\n  a", "x", "k: x"),
    "a literal with a tag": ("k: !!str |-\n  a\n", "x", "k: !!str x\n"),
}


@pytest.mark.parametrize("situation", VALUES)
def test_a_value_is_replaced_in_its_own_style(situation: str) -> None:
    text, value, expected = VALUES[situation]
    source, _, root = only(text)
    node = entry(root, "k")[1]
    assert isinstance(node, Scalar)
    assert edited(source, replace_scalar(source, node, value, flow=False)) == expected


FLOW = {
    "a value that braces end": ("{k: a}\n", "${{ X }}", "{k: '${{ X }}'}\n"),
    "a colon where there was none": ("{k: a}\n", "b:c", "{k: 'b:c'}\n"),
    "a colon where there was one": ("{k: a:b}\n", "b:c", "{k: b:c}\n"),
}


@pytest.mark.parametrize("situation", FLOW)
def test_a_value_inside_braces_is_quoted_where_some_parser_needs_it(situation: str) -> None:
    text, value, expected = FLOW[situation]
    source, _, root = only(text)
    node = entry(root, "k")[1]
    assert isinstance(node, Scalar)
    assert edited(source, replace_scalar(source, node, value, flow=True)) == expected


def test_a_key_is_renamed_in_its_own_quotes() -> None:
    source, _, root = only("a: 1\n'bseUrl': x # c\n")
    assert edited(source, rename_key(source, root, 1, "baseUrl")) == "a: 1\n'baseUrl': x # c\n"
