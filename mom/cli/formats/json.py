"""The report as JSON: for scripts. Keys are only ever added; `version` changes if one must change its meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mom.cli.formats import Checked, count
from mom.console import to_json
from mom.problems import Problem, Severity


def render(checked: Sequence[Checked]) -> str:
    """Return the report: all files, also those without problems, and the sums."""
    report = {
        "version": 1,
        "errors": count(checked, Severity.ERROR),
        "warnings": count(checked, Severity.WARNING),
        "notes": count(checked, Severity.NOTE),
        "files": [_file(each) for each in checked],
    }
    return to_json(report)


def _file(checked: Checked) -> dict[str, Any]:
    report: dict[str, Any] = {"file": checked.file, "problems": [_problem(problem) for problem in checked.problems]}
    if checked.fixes:
        report["fixes"] = [_problem(problem) for problem in checked.fixes]
    if checked.diff:
        report["diff"] = checked.diff
    return report


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "rule": problem.rule,
        "severity": problem.severity.value,
        "line": problem.place.line,
        "column": problem.place.column,
        "endColumn": problem.place.column + problem.width,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
        "related": [
            {"file": place.file, "line": place.line, "column": place.column, "message": words}
            for place, words in problem.related
        ],
    }
