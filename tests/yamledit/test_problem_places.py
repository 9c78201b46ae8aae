"""Places and excerpts of problems: long lines are shown in part, unfinished merges are found whole or not."""

from __future__ import annotations

import io

import pytest

from mom.console import Console
from mom.yamledit.source import MAX_EXCERPT, Source
from mom.yamledit.stream import YamlSyntaxError, documents, parse_document


def test_a_line_of_a_megabyte_is_shown_around_the_place() -> None:
    text = "a" * 500_000 + "HERE" + "b" * 500_000
    problem = Source("f", text).problem(500_000, "rule", "message", hint="fix", end=500_004)
    assert len(problem.excerpt) == MAX_EXCERPT
    begin = problem.place.column - problem.excerpt_column
    assert problem.excerpt[begin : begin + problem.width] == "HERE"
    out = io.StringIO()
    Console(stdout=out, environ={}).problems([problem], out)
    lines = out.getvalue().split("\n")
    assert max(map(len, lines)) < 90
    start = lines[2].index("^")
    assert lines[1][start : start + 4] == "HERE"


def test_the_end_of_a_long_line_has_a_caret_too() -> None:
    text = "x" * 5000
    problem = Source("f", text).problem(5000, "rule", "message", hint="fix")
    assert problem.width == 1
    assert problem.place.column == 5001


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_excerpt_has_no_line_end(line_end: str) -> None:
    source = Source("f", line_end.join(["one", "two", ""]))
    assert source.problem(source.text.index("two"), "r", "m", hint="fix", end=len(source.text)).excerpt == "two"
    assert [source.line(1), source.line(2), source.line(3)] == ["one", "two", ""]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", 2, id="all of the markers"),
        pytest.param("a: 1\n<<<<<<< HEAD\nb: 1\n", 2, id="only the first"),
        pytest.param("a: 1\nb: 2\n>>>>>>> x\n", 3, id="only the last"),
        pytest.param("<<<<<<< HEAD\n---\na: 1\n=======\n>>>>>>> x\n", 1, id="begun in the document before"),
        pytest.param("<<<<<<< a\n>>>>>>> a\n---\na: 1\n<<<<<<< b\nb: 1\n>>>>>>> b\n", 5, id="the second of two"),
    ],
)
def test_conflict_markers_are_named_where_they_begin(text: str, line: int) -> None:
    source = Source("f", text)
    with pytest.raises(YamlSyntaxError) as caught:
        parse_document(source, documents(source)[-1])
    assert caught.value.problem.rule == "conflict-marker"
    assert caught.value.problem.place.line == line


def test_an_excerpt_shows_no_token_and_keeps_its_places() -> None:
    source = Source("atlas.yml", "value: Bearer sk-live-1234567890abcdef # mine\n")

    problem = source.problem(7, "rule", "message", hint="fix", end=14)

    assert problem.excerpt == "value: Bearer ************************ # mine"
    assert (problem.place.column, problem.width) == (8, 7)
