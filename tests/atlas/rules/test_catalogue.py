"""The catalogue of rules is complete, and nothing is reported that it does not have."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

import mom
from mom.atlas.rules.catalogue import RULES, Rule, problem_of
from mom.problems import Place, Severity

MOM = Path(mom.__file__).parent
CATALOGUE = MOM / "atlas" / "rules" / "catalogue.py"
FILES = sorted(MOM.rglob("*.py"))


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def calls(path: Path, name: str) -> Iterator[ast.Call]:
    """Yield the calls of a function or method of that name."""
    for node in nodes(path):
        if isinstance(node, ast.Call) and name in {getattr(node.func, "id", None), getattr(node.func, "attr", None)}:
            yield node


def literals(path: Path) -> set[str]:
    return {node.value for node in nodes(path) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_an_entry_says_what_why_and_what_to_do(rule: Rule) -> None:
    assert rule.words.endswith(".")
    assert rule.explanation.endswith(".")
    assert rule.hint
    assert not rule.hint.endswith(".")
    assert "\n" not in rule.words + rule.hint + rule.explanation
    assert rule.explanation != rule.words
    assert max(map(len, (rule.words, rule.hint, rule.explanation))) <= 120


def test_every_problem_is_made_by_the_catalogue_or_while_a_file_is_read() -> None:
    makers = {path.relative_to(MOM).as_posix() for path in FILES for _ in calls(path, "Problem")}
    assert makers == {"atlas/rules/catalogue.py", "yamledit/source.py"}
    readers = {
        path.relative_to(MOM).as_posix()
        for path in FILES
        for call in calls(path, "problem")
        if ast.unparse(call.func).endswith(("source.problem", "old.problem", "new.problem"))
    }
    assert {reader for reader in readers if not reader.startswith("yamledit/")} == {"atlas/rules/catalogue.py"}


def test_what_is_reported_while_a_file_is_read_is_in_the_catalogue_as_an_error() -> None:
    said = [call for path in FILES if path.parts[-2] == "yamledit" for call in calls(path, "problem")]
    assert said
    for call in said:
        rule = call.args[1]
        assert isinstance(rule, ast.Constant), ast.unparse(call)
        assert RULES[str(rule.value)].severity is Severity.ERROR
        assert "severity" not in {keyword.arg for keyword in call.keywords}


def test_an_id_that_the_catalogue_does_not_have_cannot_be_reported() -> None:
    with pytest.raises(KeyError):
        problem_of(Place("f", 1, 1), "no-such-rule", "message")


def test_no_entry_is_unused() -> None:
    used = set().union(*(literals(path) for path in FILES if path != CATALOGUE))
    assert set(RULES) - used == set()


def test_severity_and_fallback_hint_come_from_the_entry() -> None:
    problem = problem_of(Place("f", 1, 1), "plain-http", "message")
    assert (problem.severity, problem.hint) == (Severity.WARNING, "write https://")
