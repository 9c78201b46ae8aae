"""What validate promises of any file: an answer, places inside the file, and silence about other tools' documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mom.atlas.rules import stream_rules
from mom.atlas.rules.catalogue import RULES
from mom.atlas.validate import validate
from mom.problems import Severity
from mom.yamledit.source import Source
from tests.golden import Case, cases
from tests.samples import BYSTANDERS, problems_in

ATLAS = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata:
  name: atlas
spec:
  identityProviders: {auth0: &p {publicKey: https://a.example/jwks, audience: a, issuer: https://a.example/}, b: *p}
  apiAdapters:
  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: github}
"""
HTTP = """\
---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: github
spec:
  baseUrl: https://api.github.com
  headers:
  - name: Authorization
    value: "Bearer ${{ GITHUB_TOKEN }}" # a comment
"""
VALID = ATLAS + HTTP


def test_the_file_that_the_promises_are_about_is_valid() -> None:
    assert validate(Source("f", VALID)) == []


@pytest.mark.parametrize("path", BYSTANDERS, ids=lambda path: path.stem)
def test_an_oddity_of_another_tool_is_not_a_problem_wherever_it_is(path: Path) -> None:
    oddity = path.read_bytes().decode().removeprefix("\ufeff")
    line_end = "" if oddity.endswith("\n") else "\n"
    for text in (
        f"{oddity}{line_end}...\n---\n{VALID}",
        f"{ATLAS}...\n{oddity}{line_end}...\n{HTTP}",
        f"{VALID}...\n{oddity}",
    ):
        assert validate(Source("f", text)) == []


WORDS = (
    "---\n",
    "...\n",
    "<<<<<<< HEAD\n",
    "{{ x }}",
    "%YAML 1.2\n",
    "apiVersion: v1\n",
    "kind: Atlas\n",
    "name: github\n",
)
MARKS = (
    "&a ",
    "*a",
    "<<: ",
    "[",
    "{",
    '"',
    "'",
    "|\n",
    "\t",
    "\r",
    "\r\n",
    "\\",
    "\x00",
    "\ufeff",
    "\u2028",
    "- ",
    ": ",
)
PIECES = st.sampled_from(WORDS + MARKS)


@given(st.lists(PIECES | st.text(max_size=5)).map("".join))
def test_any_text_without_our_name_is_no_problem_beside_a_valid_configuration(text: str) -> None:
    assert validate(Source("f", f"{VALID}...\n{text}")) == []


@given(st.data())
def test_a_damaged_file_gets_problems_that_stand_inside_it(data: st.DataObject) -> None:
    text = VALID
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 20, len(text))))
        text = text[:start] + data.draw(PIECES | st.text(max_size=5) | st.just(text[end : end + 30])) + text[end:]
    source = Source("f", text)
    lines = text.split("\n")
    problems = validate(source)
    assert [problem.place for problem in problems] == sorted(problem.place for problem in problems)
    for problem in problems:
        assert problem.rule in RULES
        assert 1 <= problem.place.line <= len(lines)
        assert 1 <= problem.place.column <= len(lines[problem.place.line - 1]) + 1
        assert problem.message
        for place, _ in problem.related:
            assert 1 <= place.line <= len(lines)


CASES = cases(Path(__file__).parents[1] / "cli/validate")
# Nothing can stand before these: a byte-order mark, and lines without line feeds.
ALONE = {"CRLF-line-ends-and-a-byte-order-mark-do-not-move-the-places", "line-ends-of-an-old-Macintosh"}


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.folder.name not in ALONE], ids=lambda case: case.folder.name
)
def test_what_is_wrong_stays_wrong_beside_other_documents(case: Case) -> None:
    given = case.read("in.yml") or b""
    other = b"# Before.\napiVersion: v1\nkind: ConfigMap\n---\n"
    alone, beside = problems_in(given, "f"), problems_in(other + given, "f")
    assert [(problem.rule, problem.place.line + 4) for problem in alone if problem.rule != "no-atlas"] == [
        (problem.rule, problem.place.line) for problem in beside if problem.rule != "no-atlas"
    ]


def test_an_error_of_one_document_hides_none_of_another() -> None:
    text = VALID.replace("https://api.github.com", "nowhere").replace("audience: a,", "")
    rules = [problem.rule for problem in validate(Source("f", text + "---\napiVersion: moment.dev/x\nkind: [\n"))]
    assert rules == ["missing-key", "missing-key", "base-url", "yaml-syntax"]


def test_warnings_and_errors_of_one_value_are_both_reported() -> None:
    text = VALID.replace("https://api.github.com", "http://a.example").replace("Authorization", "authorization\tx")
    found = [(problem.rule, problem.severity) for problem in validate(Source("f", text))]
    assert found == [("plain-http", Severity.WARNING), ("header-name", Severity.ERROR)]


def test_comparing_stops_when_the_budget_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    # Comparing each of n unknown names with n known ones would take hours for a large file.
    calls: list[str] = []
    monkeypatch.setattr(stream_rules, "closest", lambda word, _: calls.append(word))
    text = ATLAS + "".join(HTTP.replace("github", f"name{number}") for number in range(2_000))
    text = text.replace(ATLAS, ATLAS + ATLAS[ATLAS.index("  - ") :].replace("github", "other") * 100)
    validate(Source("f", text))
    assert 0 < len([word for word in calls if word in {"github", "other"}]) <= stream_rules._MAX_COMPARISONS // 2_000
