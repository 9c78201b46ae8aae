"""What a plain scalar means, and how text is written so that every parser reads it as text."""

from __future__ import annotations

import math

import pytest

from mom.yamledit.scalars import described, double_quoted, needs_quotes, resolve, write

MEANT = [
    ("", None),
    ("~", None),
    ("Null", None),
    ("true", True),
    ("yes", "yes"),
    ("0o17", 15),
    ("0x1F", 31),
    ("017", 17),
    ("1_000", "1_000"),
    ("1.10", 1.1),
    ("1e3", 1000.0),
    ("-.inf", -math.inf),
    ("a", "a"),
]


@pytest.mark.parametrize(("text", "value"), MEANT)
def test_a_plain_scalar_means_what_the_core_schema_says(text: str, value: object) -> None:
    assert resolve(text, "", None) == value
    assert resolve(text, "'", None) == text


def test_a_tag_decides_what_a_scalar_means() -> None:
    core = "tag:yaml.org,2002:"
    assert resolve("1", "", f"{core}str") == "1"
    assert resolve("1", "'", f"{core}int") == 1
    assert resolve("1", "", f"{core}float") == 1.0
    assert resolve("1", "", "!secret") == "1"
    assert math.isnan(float(resolve(".nan", "", None) or 0))


WRITTEN = [
    ("a", "", False, "a"),
    ("a", "'", False, "'a'"),
    ("yes", "", False, "'yes'"),
    ("it's: x", "", False, '"it\'s: x"'),
    ("a\tb", "'", False, '"a\\tb"'),
    ("${{ X }}", "", False, "${{ X }}"),
    ("${{ X }}", "", True, "'${{ X }}'"),
    ("a: b", "", False, "'a: b'"),
    ("a:b", "", False, "a:b"),
    ("---", "", False, "'---'"),
    ("\u2028", "", False, '"\\u2028"'),
]


@pytest.mark.parametrize(("value", "style", "flow", "expected"), WRITTEN)
def test_text_is_quoted_where_a_parser_would_read_something_else(
    value: str, style: str, flow: bool, expected: str
) -> None:
    assert write(value, flow=flow, style=style) == expected
    assert needs_quotes(value, flow=flow) is (style == "" and expected[0] in "'\"") or bool(style)


def test_escapes_are_those_of_both_versions() -> None:
    assert double_quoted('\\"\0\x07\x85\ufeff\U0010ffff') == '"\\\\\\"\\0\\x07\\N\\uFEFF\U0010ffff"'


def test_what_is_not_text_is_described() -> None:
    values: list[object] = [None, True, 2, [], {}, "x"]
    assert [described(value) for value in values] == [
        "null",
        "true",
        "the number 2",
        "a list",
        "a mapping",
        "text",
    ]
