"""The two parsers' words for one thing get one wording, each with what to type; unknown words pass through."""

from __future__ import annotations

import re

import pytest

from mom.yamledit import parser
from mom.yamledit.phrases import translate

# What libyaml and what ruamel.yaml in Python say.
PAIRS = [
    ("mapping values are not allowed in this context", "mapping values are not allowed here"),
    ("while scanning a simple key, could not find expected ':'",) * 2,
    ("block sequence entries are not allowed in this context", "sequence entries are not allowed here"),
    (
        "while parsing a block mapping, did not find expected key",
        "while parsing a block mapping, expected <block end>, but found '<scalar>'",
    ),
    (
        "while parsing a block collection, did not find expected '-' indicator",
        "while parsing a block collection, expected <block end>, but found '?'",
    ),
    (
        "while parsing a flow node, did not find expected node content",
        "while parsing a flow node, expected the node content, but found '-'",
    ),
    (
        "while parsing a flow mapping, did not find expected ',' or '}'",
        "while parsing a flow mapping, expected ',' or '}', but got '<stream end>'",
    ),
    (
        "while parsing a flow sequence, did not find expected ',' or ']'",
        "while parsing a flow sequence, expected ',' or ']', but got ':'",
    ),
    (
        "while scanning for the next token, found character that cannot start any token",
        "while scanning for the next token, found character '@' that cannot start any token",
    ),
    (
        "while parsing a quoted scalar, found unknown escape character",
        "while scanning a double-quoted scalar, found unknown escape character '$'",
    ),
    (
        "while scanning a block scalar, did not find expected comment or line break",
        "while scanning a block scalar, expected chomping or indentation indicators, but found 't'",
    ),
    (
        "while scanning an anchor, did not find expected alphabetic or numeric character",
        "while scanning an anchor, expected alphabetic or numeric character, but found ' '",
    ),
    (
        "while scanning an alias, did not find expected alphabetic or numeric character",
        "while scanning an alias, expected alphabetic or numeric character, but found ' '",
    ),
    ("while parsing a node, found undefined tag handle", "while parsing a node, found undefined tag handle '!x!'"),
    ("found duplicate %YAML directive", "found duplicate YAML directive"),
    ("this quote is not closed",) * 2,
]


@pytest.mark.parametrize(("libyaml", "python"), PAIRS)
def test_both_parsers_get_one_wording_with_a_hint(libyaml: str, python: str) -> None:
    message, hint = translate(libyaml)
    assert translate(python) == (message, hint)
    assert message.startswith("invalid YAML: ")
    assert hint
    for word in ("while ", "did not find", "flow node", "indicator", "token", "simple key"):
        assert word not in message


# Every problem that libyaml's scanner.c, parser.c and reader.c report, with the contexts in which they do.
LIBYAML = {
    "": (
        "block sequence entries are not allowed in this context",
        "mapping keys are not allowed in this context",
        "mapping values are not allowed in this context",
        "control characters are not allowed",
        "did not find expected <document start>",
        "found duplicate %TAG directive",
        "found duplicate %YAML directive",
        "found incompatible YAML document",
    ),
    "while scanning a directive": (
        "could not find expected directive name",
        "did not find expected comment or line break",
        "found unexpected non-alphabetical character",
        "found unknown directive name",
    ),
    "while scanning a %YAML directive": (
        "did not find expected digit or '.' character",
        "did not find expected version number",
        "found extremely long version number",
    ),
    "while scanning a %TAG directive": ("did not find expected whitespace",),
    "while scanning a tag directive": ("did not find expected '!'",),
    "while parsing a %TAG directive": ("did not find expected tag URI",),
    "while scanning a tag": ("did not find expected whitespace or line break", "did not find the expected '>'"),
    "while parsing a tag": (
        "did not find URI escaped octet",
        "did not find expected tag URI",
        "found an incorrect leading UTF-8 octet",
        "found an incorrect trailing UTF-8 octet",
    ),
    "while scanning an anchor": ("did not find expected alphabetic or numeric character",),
    "while scanning an alias": ("did not find expected alphabetic or numeric character",),
    "while scanning a simple key": ("could not find expected ':'",),
    "while scanning a block scalar": (
        "did not find expected comment or line break",
        "found a tab character where an indentation space is expected",
        "found an indentation indicator equal to 0",
    ),
    "while parsing a quoted scalar": (
        "did not find expected hexdecimal number",
        "found invalid Unicode character escape code",
        "found unknown escape character",
    ),
    "while scanning a plain scalar": ("found a tab character that violates indentation", "found unexpected ':'"),
    "while scanning for the next token": ("found character that cannot start any token",),
    "while parsing a node": ("found undefined tag handle",),
    "while parsing a block node": ("did not find expected node content",),
    "while parsing a flow node": ("did not find expected node content",),
    "while parsing a block collection": ("did not find expected '-' indicator",),
    "while parsing a block mapping": ("did not find expected key",),
    "while parsing a flow sequence": ("did not find expected ',' or ']'",),
    "while parsing a flow mapping": ("did not find expected ',' or '}'",),
}


@pytest.mark.parametrize(
    "words", [", ".join(filter(None, (context, words))) for context, said in LIBYAML.items() for words in said]
)
def test_every_phrase_of_libyaml_is_translated(words: str) -> None:
    message, hint = translate(words)
    shown = message.removeprefix("invalid YAML: ")
    assert shown not in words
    assert not re.search(r"while |did not find|\bnot allowed in|token|simple key|non-alphabetical|octet", shown)
    assert len(message) <= 80
    assert hint


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "while scanning a block scalar, found a tab character where an indentation space is expected",
            "a tab is used",
        ),
        ("while scanning a block scalar, found an indentation indicator equal to 0", "an indentation indicator of 0"),
        ("while scanning a tag directive, did not find expected '!'", "begins with `%`"),
        ("special characters are not allowed", "a control character"),
    ],
)
def test_a_phrase_is_not_taken_for_one_that_it_resembles(words: str, expected: str) -> None:
    assert expected in translate(words)[0]


def test_words_that_are_not_known_pass_through_with_a_hint() -> None:
    message, hint = translate("while pondering, something else")
    assert message == "invalid YAML: while pondering, something else"
    assert "the one above" in hint


# No repair explains these, so a parser's words are what is left.
LEFT = [
    "a: {b: [}, c\n",
    "a: ]\nb: [x\n",
    "%YAML 3.0\n---\na: b\n",
    "a: !x!y z\n",
    "- a\nb: {\n",
    "? a\n- b: [\n",
    "a: 'x\n' y\nb: ] [\n",
]


@pytest.mark.parametrize("text", LEFT)
def test_what_each_parser_refuses_is_worded_without_its_words(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in (parser.c_parser, lambda: None):
        monkeypatch.setattr(parser, "c_parser", library)
        with pytest.raises(parser.ParserError) as caught:
            parser.parse(text, 0)
        message, hint = translate(caught.value.message)
        assert "while " not in message
        assert "did not find" not in message
        assert hint
