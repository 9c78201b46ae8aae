"""Where new items, entries and documents go, and why another line changes where one does."""

from __future__ import annotations

import pytest

from mom.yamledit import splice
from mom.yamledit.insert import append_document, append_entry, append_items, fill
from mom.yamledit.nodes import Mapping
from mom.yamledit.shape import Shape
from mom.yamledit.source import Source
from mom.yamledit.stream import documents
from tests.yamledit.pieces import edited, entry, only

LISTS = {
    "below the last item": ("l:\n- a\nk: 1\n", "l:\n- a\n- x\n- z\nk: 1\n", ""),
    "indented as the others": ("l:\n  - a\n", "l:\n  - a\n  - x\n  - z\n", ""),
    "below comments of the last item": ("l:\n- a\n  # c\n# d\n", "l:\n- a\n  # c\n- x\n- z\n# d\n", ""),
    "set off as the others": ("l:\n- a\n\n- b\n", "l:\n- a\n\n- b\n\n- x\n\n- z\n", ""),
    "quoted as the others": ("l:\n- 'a'\n", "l:\n- 'a'\n- 'x'\n- 'z'\n", ""),
    "inside brackets": ("l: [a] # c\n", "l: [a, x, z] # c\n", splice.FLOW_STYLE),
    "before a trailing comma": ("l: [a, ]\n", "l: [a, x, z, ]\n", splice.FLOW_STYLE),
    "on lines of their own": ("l: [\n  a,\n]\n", "l: [\n  a,\n  x,\n  z,\n]\n", ""),
    "behind a comma that was missing": ("l: [\n  a\n]\n", "l: [\n  a,\n  x,\n  z\n]\n", splice.COMMA_ADDED),
    "with leading commas": ("l: [\n  a\n  , b\n]\n", "l: [\n  a\n  , b\n  , x\n  , z\n]\n", ""),
    "below empty brackets": ("l: [] # c\nk: 1\n", "l: # c\n- x\n- z\nk: 1\n", splice.BECAME_LIST),
    "below brackets on their own line": ("l:\n  []\nk: 1\n", "l:\n- x\n- z\nk: 1\n", splice.BECAME_LIST),
    "below a null": ("l: ~\n", "l:\n- x\n- z\n", splice.BECAME_LIST),
    "below nothing": ("l:\nk: 1\n", "l:\n- x\n- z\nk: 1\n", ""),
    "with carriage returns": ("l:\r\n- a\r\n", "l:\r\n- a\r\n- x\r\n- z\r\n", ""),
}


@pytest.mark.parametrize("situation", LISTS)
def test_items_are_appended_in_the_style_of_the_list(situation: str) -> None:
    text, expected, reason = LISTS[situation]
    source, _, root = only(text)
    splices = append_items(source, root, entry(root, "l"), ["x", "z"], Shape())
    assert edited(source, splices).replace("l:  # c", "l: # c") == expected
    assert {one.reason for one in splices} - {""} == ({reason} if reason else set())


ENTRIES = {
    "in block style": ("a: 1\n", "a: 1\nk: x\n"),
    "with quoted keys": ("'a': 1\n", "'a': 1\n'k': x\n"),
    "in braces": ("{a: 1}\n", "{a: 1, k: x}\n"),
    "before a comment below": ("a: 1\n# c\n", "a: 1\nk: x\n# c\n"),
}


@pytest.mark.parametrize("situation", ENTRIES)
def test_an_entry_is_appended_in_the_style_of_the_mapping(situation: str) -> None:
    text, expected = ENTRIES[situation]
    source, _, root = only(text)
    assert edited(source, append_entry(source, root, "k", "x", Shape())) == expected


def test_an_empty_value_becomes_a_mapping() -> None:
    source, _, root = only("m: {} # c\nk: 1\n")
    splices = fill(source, root, entry(root, "m"), {"a": "x"}, Shape())
    assert edited(source, splices) == "m: # c\n  a: x\nk: 1\n".replace("m: #", "m: #")
    assert splice.BECAME_MAPPING in {one.reason for one in splices}


DOCUMENTS = {
    "below the last": ("a: 1\n", "a: 1\n---\nk: x\n"),
    "into a bare marker": ("a: 1\n---\n", "a: 1\n---\nk: x\n"),
    "not into one with a directive": ("a: 1\n...\n%YAML 1.2\n---\n", "a: 1\n...\n%YAML 1.2\n---\n---\nk: x\n"),
    "into an empty stream": ("", "---\nk: x\n"),
}


@pytest.mark.parametrize("situation", DOCUMENTS)
def test_a_document_is_appended_to_the_stream(situation: str) -> None:
    text, expected = DOCUMENTS[situation]
    source = Source("x.yml", text)
    assert edited(source, append_document(source, documents(source), {"k": "x"}, Shape())) == expected


def test_the_lines_that_had_to_change_are_reported_with_their_reasons() -> None:
    text = "l: [a]\nm:\n- b\n"
    source, _, root = only(text)
    first = append_items(source, root, entry(root, "l"), ["x"], Shape())
    second = append_items(source, root, entry(root, "m"), ["y"], Shape())
    assert isinstance(root, Mapping)
    assert splice.reasons(text, [*first, *second]) == ((1, splice.FLOW_STYLE),)
