"""libyaml and the parser in Python give the same answers, so that it makes no difference which is installed."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from mom.yamledit import parser
from mom.yamledit.data import to_data
from mom.yamledit.nodes import Node
from mom.yamledit.parser import ParserError
from mom.yamledit.source import Source
from mom.yamledit.stream import documents
from tests.searches import SLIPS
from tests.yamledit.mutations import mutations

REFUSED = "refused"
# Each was read by one of the two alone, or in another way.
SAME = {
    "a tab after a colon": ("owner:\tx\n", {"owner": "x"}),
    "tabs inside brackets": ("a: [\tb,\tc ]\n", {"a": ["b", "c"]}),
    "a tab inside a word": ("a: b\tc\n", {"a": "b\tc"}),
    "a tab where a key begins": ("a:\n\tb: c\n", REFUSED),
    "a tab where a line of text goes on": ("a: b\n \tc\n", {"a": "b c"}),
    "an anchor with a dot": ("a: &team.main x\nb: *team.main\n", {"a": "x", "b": "x"}),
    "an anchor beyond ASCII": ("a: &é x\nb: *é\n", {"a": "x", "b": "x"}),
    "an anchor with a slash, in brackets": ("a: [&x/y z, *x/y]\n", {"a": ["z", "z"]}),
    "an anchor close before a brace": ("a: &b{c: d}\n", REFUSED),
    "an anchor close before a bracket": ("a: &b[c]\n", REFUSED),
    "a colon behind an alias": ("a: &b c\n*b: d\n", {"a": "c", "*b": "d"}),
    "an unknown directive": ("%FOO bar\n---\na: b\n", REFUSED),
    "a directive of a later version": ("%YAML 1.3\n---\na: b\n", REFUSED),
    "a directive of another version": ("%YAML 2.0\n---\na: b\n", REFUSED),
    "a directive of version 1.1": ("%YAML 1.1\n---\na: {b: c}\n", {"a": {"b": "c"}}),
    "a directive of version 1.1 below comments": ("# c\n%TAG !e! !f\n%YAML 1.1\n---\na: b\n", {"a": "b"}),
    "text like a directive": ("a:\n  b\n%YAML 1.1\n", REFUSED),
    "text like a directive in a word": ("a:?b\n%YAML 1.1\n", "a:?b %YAML 1.1"),
    "no key before a colon": ("a: b\n: c\n", REFUSED),
    "no key before a colon, in braces": ("{a: b, : c}\n", REFUSED),
    "a block scalar that is not indented": ("--- >-\na: b\n", REFUSED),
    "a comment beside a block scalar's sign": ("a: |# b\n  c\n", REFUSED),
    "a comma behind a colon": ("[{a:,b: c}]\n", REFUSED),
    "a byte-order mark where a key begins": ("---\n\ufeffa: b\n", REFUSED),
    "a byte-order mark in quotes": ("a: '\ufeffb'\n", {"a": "\ufeffb"}),
    "a line separator outside quotes": ("a: b\u2028c\n", REFUSED),
    "a next-line character where a key begins": ("a:\n\x85 b: c\n", REFUSED),
    "a next-line character in quotes": ("a: 'b\x85c'\n", {"a": "b\x85c"}),
    "a question mark at the end of a word, in braces": ("{a: b? c, d?: [e?]}\n", {"a": "b? c", "d?": ["e?"]}),
    "a question mark at both ends of a word, in brackets": ("{a: [{?b?: c}]}\n", {"a": [{"b?": "c"}]}),
    "a question mark alone between words, in brackets": ("a: [b ? c]\n", REFUSED),
    "a question mark before a word, in brackets": ("a: [b ?c]\n", REFUSED),
    "a question mark alone in brackets": ("a: [b, ?]\n", REFUSED),
    "a question mark without a key in brackets": ("a: [? : b]\n", REFUSED),
    "a no-break space behind a colon, in braces": ("{a:\xa0b/c?d, e: f}\n", {"a:\xa0b/c?d": None, "e": "f"}),
    "a no-break space in an anchor": ("a: &b\xa0c d\n", {"a": "d"}),
    "a number sign in a tag": ("a: !b#c d\n", REFUSED),
    "a tag whose handle is none": ("{a: !:!seq [ ]}\n", REFUSED),
    "a tag whose handle is none, of a word": ("a: !:!str b\n", REFUSED),
    "a tag in a tag": ("a: !!str!!str b\n", REFUSED),
    "a colon in quotes behind a word, in braces": ('{"a":b "c://d", e: f}\n', REFUSED),
    "a colon in an alias behind a word, in brackets": ("a: [b *c:d]\n", REFUSED),
    "a quote behind a word, in brackets": ("a: [b 'c]\n", {"a": ["b 'c"]}),
    "a colon in a value close behind a quoted key": ('{"a":b://c", "d": e}\n', {"a": 'b://c"', "d": "e"}),
    "a second document without a marker of its own line": ("a: b\r---\rc: d\n", {"a": "b"}),
}


def tree(text: str, name: str) -> Node | str | None:
    """Return the first document's tree as one of the parsers reads it, or that it is refused."""
    source = Source("", text)
    first = documents(source)[0]
    with patch.object(parser, "c_parser", parser.c_parser if name == "libyaml" else lambda: None):
        try:
            return parser.parse(text[first.start : first.end], first.start)
        except ParserError:
            return REFUSED


@pytest.mark.parametrize("name", ["libyaml", "Python"])
@pytest.mark.parametrize("case", SAME)
def test_what_one_parser_alone_read_both_read_now_or_none(case: str, name: str) -> None:
    text, expected = SAME[case]
    found = tree(text, name)
    assert (found if isinstance(found, str) else to_data(found)) == expected


def compare(seed: int, number: int) -> None:
    for text in mutations(seed, number):
        source = Source("", text)
        for document in documents(source):
            part = text[document.start : document.end]
            if "moment.dev/" in part:
                assert tree(part, "libyaml") == tree(part, "Python"), part


def test_both_parsers_give_the_same_trees_of_files_with_slips() -> None:
    compare(seed=1, number=150)


@pytest.mark.proof
def test_both_parsers_give_the_same_trees_of_many_files_with_slips() -> None:
    compare(seed=2, number=SLIPS)
