"""What goes with an item, an entry, a document, and what stays."""

from __future__ import annotations

import pytest

from mom.yamledit.nodes import Mapping, Node, Sequence, entries_of
from mom.yamledit.remove import remove_entry, remove_items
from mom.yamledit.remove_document import remove_document
from mom.yamledit.source import Source
from mom.yamledit.splice import BECAME_EMPTY, COMMA_REMOVED, FLOW_STYLE, MOVED_UP, apply
from mom.yamledit.stream import documents
from tests.yamledit.pieces import edited, entry, only

ITEMS = {
    "the first": ("l:\n- a\n- b\nk: 1\n", [0], "l:\n- b\nk: 1\n"),
    "the last": ("l:\n- a\n- b\nk: 1\n", [1], "l:\n- a\nk: 1\n"),
    "two of four": ("l:\n- a\n- b\n- c\n- d\n", [1, 2], "l:\n- a\n- d\n"),
    "two apart": ("l:\n- a\n- b\n- c\n- d\n", [0, 2], "l:\n- b\n- d\n"),
    "all": ("l: # c\n- a\n- b\nk: 1\n", [0, 1], "l: [] # c\nk: 1\n"),
    "all, with a tag on a line of its own": ("l:\n  !!seq # c\n  - a\n", [0], "l:\n  !!seq [] # c\n"),
    "beside the indicator of the value": ("? l\n: - a\n  - b\n", [0], "? l\n: - b\n"),
    "the only one beside the indicator": ("? l\n: - a\nk: 1\n", [0], "? l\n: []\nk: 1\n"),
    "a dash alone on its line": ("l:\n-\n  a: 1\n- b\n", [0], "l:\n- b\n"),
    "a scalar that keeps its blank lines stays whole": ("l:\n- |+\n  a\n\n- b\n", [1], "l:\n- |+\n  a\n\n"),
    "one separation goes": ("l:\n- a\n\n- b\n\n- c\n", [1], "l:\n- a\n\n- c\n"),
    "what was apart stays apart": ("l:\n- a\n\n\n- b\n- c\n", [1], "l:\n- a\n\n\n- c\n"),
    "comments deeper than the dash": ("l:\n- a\n- b\n  # c\n# d\nk: 1\n", [1], "l:\n- a\n# d\nk: 1\n"),
    "comments of the one before": ("l:\n- a\n  # c\n- b\n", [1], "l:\n- a\n  # c\n"),
    "comments directly above": ("l:\n- a\n# c\n# d\n- b\n", [1], "l:\n- a\n"),
    "comments above a blank line": ("l:\n- a\n# c\n\n- b\n", [1], "l:\n- a\n# c\n"),
    "in brackets, the first": ("l: [a, b, c] # d\n", [0], "l: [b, c] # d\n"),
    "in brackets, the middle": ("l: [a, b, c]\n", [1], "l: [a, c]\n"),
    "in brackets, the last": ("l: [a, b, c ]\n", [2], "l: [a, b ]\n"),
    "in brackets, all": ("l: [ a, b, ]\n", [0, 1], "l: []\n"),
    "in brackets, before a trailing comma": ("l: [a, b, ]\n", [1], "l: [a, ]\n"),
    "in brackets over lines": ("l: [\n  a,\n  b,  # c\n]\n", [1], "l: [\n  a,\n]\n"),
    "in brackets over lines, a comma too many": ("l: [\n  a, # c\n  b\n]\n", [1], "l: [\n  a # c\n]\n"),
    "in brackets over lines, leading commas": ("l: [\n  a\n  , b\n]\n", [0], "l: [\n  b\n]\n"),
    "in brackets over lines, all": ("l: [\n  # c\n  a,\n]\n", [0], "l: [\n  # c\n]\n"),
    "carriage returns": ("l:\r\n- a\r\n- b\r\n", [1], "l:\r\n- a\r\n"),
    "without a final line ending": ("l:\n- a\n- b", [1], "l:\n- a\n"),
}


@pytest.mark.parametrize("situation", ITEMS)
def test_an_item_goes_with_what_belongs_to_it(situation: str) -> None:
    text, indices, expected = ITEMS[situation]
    source, _, root = only(text)
    assert edited(source, remove_items(source, entry(root, "l"), indices)) == expected


def test_comments_around_an_item_stay_where_they_are_to_be_kept() -> None:
    source, _, root = only("l:\n- a\n# c\n- b\n  # d\nk: 1\n")
    splices = remove_items(source, entry(root, "l"), [1], keep_comments=True)
    assert edited(source, splices) == "l:\n- a\n# c\n  # d\nk: 1\n"


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("l:\n- a\n- b\n", {""}),
        ("l: [a, b]\n", {FLOW_STYLE}),
        ("l: [\n  a,\n  b\n]\n", {"", COMMA_REMOVED}),
        ("l:\n- b\n", {"", BECAME_EMPTY}),
        ("? l\n: - b\n  - a\n", {MOVED_UP}),
    ],
)
def test_each_splice_says_why_another_line_changes(text: str, reasons: set[str]) -> None:
    source, _, root = only(text)
    (_, node) = entry(root, "l")
    index = 0 if "- b\n  - a" in text or text == "l:\n- b\n" else 1
    assert getattr(node, "items", None)
    assert {splice.reason for splice in remove_items(source, entry(root, "l"), [index])} == reasons


ENTRIES = {
    "in the middle": ("a: 1\nb: 2\nc: 3\n", 1, "a: 1\nc: 3\n"),
    "with what is below it": ("a: 1\nb:\n- x\n# c\nc: 3\n", 1, "a: 1\n# c\nc: 3\n"),
    "with an explicit key": ("a: 1\n? b\n: 2\nc: 3\n", 1, "a: 1\nc: 3\n"),
    "the first, after a dash": ("- a: 1\n  b: 2\n", 0, "- b: 2\n"),
    "in braces": ("{a: 1, b: 2}\n", 1, "{a: 1}\n"),
    "without a value": ("a: 1\nb:\nc: 3\n", 1, "a: 1\nc: 3\n"),
}


@pytest.mark.parametrize("situation", ENTRIES)
def test_an_entry_goes_with_its_value(situation: str) -> None:
    text, index, expected = ENTRIES[situation]
    source = Source("x.yml", text)
    source, _, root = only(text if not text.startswith("- ") else f"l:\n{text}")
    mapping: Node = root
    if text.startswith("- "):
        items = entry(root, "l")[1]
        assert isinstance(items, Sequence)
        mapping = items.items[0]
    assert isinstance(mapping, Mapping)
    assert edited(source, remove_entry(source, mapping, index)).removeprefix("l:\n") == expected
    assert entries_of(mapping, "a")


DOCUMENTS = {
    "between others": ("a: 1\n---\nb: 2\n---\nc: 3\n", 1, "a: 1\n---\nc: 3\n"),
    "the last": ("a: 1\n---\nb: 2\n", 1, "a: 1\n"),
    "the first": ("a: 1\n---\nb: 2\n", 0, "---\nb: 2\n"),
    "with its directive": ("%YAML 1.2\n---\na: 1\n---\nb: 2\n", 0, "---\nb: 2\n"),
    "with the comment above it": ("a: 1\n# c\n---\nb: 2\n# d\n---\nc: 3\n", 1, "a: 1\n# d\n---\nc: 3\n"),
    "with a long comment": ("a: 1\n" + "# c\n" * 200 + "---\nb: 2\n", 1, "a: 1\n"),
    "not with pages of comments": ("a: 1\n" + "# c\n" * 201 + "---\nb: 2\n", 1, "a: 1\n" + "# c\n" * 201),
    "not with a modeline": ("a: 1\n# vim: sw=2\n---\nb: 2\n", 1, "a: 1\n# vim: sw=2\n"),
    "not with what is commented out": ("a: 1\n#---\n#x: 2\n---\nb: 2\n", 1, "a: 1\n#---\n#x: 2\n"),
    "not with an indented comment of the one before": ("a:\n- 1\n  # c\n---\nb: 2\n", 1, "a:\n- 1\n  # c\n"),
    "not with text that looks like a comment": ("--- |\n# c\n---\nb: 2\n", 1, "--- |\n# c\n"),
    "one separation goes": ("a: 1\n\n---\nb: 2\n\n---\nc: 3\n", 1, "a: 1\n\n---\nc: 3\n"),
    "the last of some set off": ("a: 1\n\n---\nb: 2\n\n---\nc: 3\n", 2, "a: 1\n\n---\nb: 2\n"),
    "what follows the last stays": ("a: 1\n---\nb: 2\n\n# end\n", 1, "a: 1\n\n# end\n"),
    "an end marker that a directive needs": (
        "a: 1\n---\nb: 2\n...\n%YAML 1.2\n---\nc: 3\n",
        1,
        "a: 1\n...\n%YAML 1.2\n---\nc: 3\n",
    ),
    "an end marker that nothing needs": ("a: 1\n---\nb: 2\n...\n---\nc: 3\n", 1, "a: 1\n---\nc: 3\n"),
    "an end marker that a bare document needs": ("a: 1\n---\nb: 2\n...\nc: 3\n", 1, "a: 1\n...\nc: 3\n"),
    "behind an end marker": ("a: 1\n...\n---\nb: 2\n", 1, "a: 1\n...\n"),
    "with a scalar that keeps blank lines before it": ("a: |+\n  x\n\n---\nb: 2\n", 1, "a: |+\n  x\n\n"),
}


@pytest.mark.parametrize("situation", DOCUMENTS)
def test_a_document_goes_with_what_belongs_to_it(situation: str) -> None:
    text, index, expected = DOCUMENTS[situation]
    source = Source("x.yml", text)
    found = documents(source)
    removal = remove_document(source, found, index)
    assert apply(text, removal.splices) == expected
    after = Source("x.yml", expected)
    texts = [expected[one.start : one.end] for one in documents(after)]
    left = [one for number, one in enumerate(found) if number != index]
    known = {index - 1: removal.previous_text, index + 1: removal.following_text}
    assert texts == [known.get(found.index(one)) or text[one.start : one.end] for one in left]
