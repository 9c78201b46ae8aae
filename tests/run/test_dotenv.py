"""The env file: what other tools write is read, and nothing is guessed."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mom.errors import MomError
from mom.run.dotenv import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("# only a comment", {}, id="a comment without a line ending"),
        pytest.param("\n\n  \n\t# x\n", {}, id="blank lines"),
        pytest.param("A=1\nB=2", {"A": "1", "B": "2"}, id="no line ending at the end"),
        pytest.param("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}, id="CRLF"),
        pytest.param("\ufeffA=1\n", {"A": "1"}, id="a byte-order mark"),
        pytest.param("A = 1 \n", {"A": "1"}, id="blanks around the sign and the value"),
        pytest.param("export A=1\n  export\tB=2\n", {"A": "1", "B": "2"}, id="export"),
        pytest.param("A=\nB=''\n", {"A": "", "B": ""}, id="empty values"),
        pytest.param("A=a b # c\n", {"A": "a b"}, id="a comment after a blank"),
        pytest.param("A=a#b\n", {"A": "a#b"}, id="a # inside a word is no comment"),
        pytest.param("A=#b\nB= #b\n", {"A": "#b", "B": ""}, id="a # right after the sign is none, after a blank it is"),
        pytest.param("A='a # b'  # c\n", {"A": "a # b"}, id="a # in quotes"),
        pytest.param("A='it is $B `c` \\n'\n", {"A": "it is $B `c` \\n"}, id="single quotes take nothing away"),
        pytest.param('A="a\\tb\\"c\\\\d\\$e\\nf"\n', {"A": 'a\tb"c\\d$e\nf'}, id="escapes in double quotes"),
        pytest.param('A="a\nb"\nC=1\n', {"A": "a\nb", "C": "1"}, id="a line ending in quotes"),
        pytest.param("A=$B${C}\n", {"A": "$B${C}"}, id="nothing is expanded"),
        pytest.param("A=x=y==\n", {"A": "x=y=="}, id="more signs belong to the value"),
        pytest.param("A=1\nA=2\n", {"A": "2"}, id="the last one counts"),
        pytest.param("A=it's\n", {"A": "it's"}, id="a quote inside a word is a character"),
    ],
)
def test_values(text: str, expected: dict[str, str]) -> None:
    assert parse(text, ".env") == expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("A\n", [1], id="no sign"),
        pytest.param("A=1\n1B=2\nC D=3\n", [2, 3], id="names that cannot be"),
        pytest.param("A='x\n", [1], id="an open single quote"),
        pytest.param('A=1\nB="x', [2], id="an open double quote at the end"),
        pytest.param("A='x'y\n", [1], id="more after a quote"),
        pytest.param("=1\n", [1], id="no name"),
    ],
)
def test_lines_that_are_refused(text: str, lines: list[int]) -> None:
    with pytest.raises(MomError) as caught:
        parse(text, ".env")
    assert [problem.place.line for problem in caught.value.problems] == lines


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), st.text(string.printable, max_size=20)))
def test_single_quotes_hold_everything_but_themselves(values: dict[str, str]) -> None:
    kept = {name: value.replace("'", "").replace("\r\n", "") for name, value in values.items()}
    assert parse("".join(f"{name}='{value}'\n" for name, value in kept.items()), ".env") == kept


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert all(name.isidentifier() for name in parse(text, ".env"))
    except MomError as error:
        assert error.problems  # noqa: PT017  both ways are right; a third would be an exception of another type
