"""What `mom atlas run` says at start about variables whose values have the wrong form, without any of the values."""

from __future__ import annotations

import base64

import pytest

from mom.atlas.adapters.http import Header, HttpAdapter
from mom.atlas.rules.variable_rules import doubtful_variables
from mom.problems import Place

PLACE = Place("atlas.yml", 1, 1)


def warnings(header: str, value: str, **variables: str) -> list[str]:
    """Return what is said of one header."""
    adapter = HttpAdapter("api", "https://a.example", (Header(header, value, PLACE),), PLACE)
    problems = list(doubtful_variables([adapter], variables))
    assert all(problem.rule == "doubtful-variable" and problem.hint for problem in problems)
    return [problem.message for problem in problems]


def encoded(text: str) -> str:
    """Return the base64 of a text."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("value", "variable"),
    [
        ("Bearer ${{ X }}", "hunter2"),
        ("Token token=${{ X }}", "hunter2"),
        ("Basic ${{ X }}", encoded("user:hunter2")),
        ("basic ${{ X }}", encoded("user:hunter2").rstrip("=")),
        ("Basic ${{ X }}", encoded("user:")),
        ("${{ X }}", "Bearer hunter2"),
        ("${{ X }}", "a ' b"),
        ("Bearer ${{ X }}", "bearerhunter2"),
    ],
)
def test_a_value_of_the_right_form_is_not_mentioned(value: str, variable: str) -> None:
    assert warnings("Authorization", value, X=variable) == []


@pytest.mark.parametrize(
    ("value", "variable", "words"),
    [
        ("Bearer ${{ X }}", "Bearer hunter2", "begins with `Bearer`"),
        ("Bearer ${{ X }}", "bearer hunter2", "begins with `Bearer`"),
        ("Token token=${{ X }}", "token=hunter2", "begins with `token`"),
        ("Basic ${{ X }}", "Basic " + encoded("u:hunter2"), "begins with `Basic`"),
        ("${{ X }}", '"hunter2"', "quotes around"),
        ("${{ X }}", "'hunter2'", "quotes around"),
        ("${{ X }}", " hunter2", "blanks around"),
        ("${{ X }}", "hunter2\t", "blanks around"),
        ("Basic ${{ X }}", "user:hunter2", "not base64"),
        ("Basic ${{ X }}", encoded("hunter2"), "no colon"),
        ("Basic ${{ X }}", encoded("user:hunter2\n"), "line ending"),
    ],
)
def test_a_value_of_the_wrong_form_is_described_and_never_repeated(value: str, variable: str, words: str) -> None:
    (said,) = warnings("Authorization", value, X=variable)

    assert words in said
    assert said.startswith("the variable X ")
    assert said.endswith("(header Authorization of api)")
    assert "hunter2" not in said
    assert encoded("hunter2") not in said


def test_two_variables_behind_basic_are_described_by_the_first() -> None:
    (said,) = warnings("Authorization", "Basic ${{ USER }}:${{ PASSWORD }}", USER="user", PASSWORD="hunter2")
    assert said.startswith("the variable USER makes a `Basic` value that is not base64")


def test_another_header_may_begin_with_basic() -> None:
    assert warnings("X-Plan", "basic ${{ X }}", X="no base64!") == []


def test_a_credential_of_another_vendor_is_in_doubt_before_anything_is_sent() -> None:
    header = Header("Authorization", "token ${{ GITHUB_TOKEN }}", PLACE)
    adapter = HttpAdapter("github", "https://api.github.com", (header,), PLACE)
    (problem,) = doubtful_variables([adapter], {"GITHUB_TOKEN": "hunter2"})

    assert problem.message.startswith("the variable GITHUB_TOKEN does not look like a GitHub credential")
    assert problem.hint == "see https://github.com/settings/personal-access-tokens"
    assert "hunter2" not in str(problem)
    assert list(doubtful_variables([adapter], {"GITHUB_TOKEN": "ghp_hunter2"})) == []
