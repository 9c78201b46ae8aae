"""The report as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

Format and escapes: github.com/actions/toolkit, packages/core/src/command.ts. GitHub shows the first ten errors and the
first ten warnings of a step; all are in the step's log.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mom.cli.formats import Checked
from mom.problems import Place, Problem, Severity
from mom.streams import visible


def render(checked: Sequence[Checked], environ: Mapping[str, str]) -> str:
    """Return one command for each problem. `GITHUB_WORKSPACE` is the folder that GitHub's paths start from."""
    workspace = environ.get("GITHUB_WORKSPACE")
    return "".join(_command(problem, workspace) for report in checked for problem in report.problems)


def _command(problem: Problem, workspace: str | None) -> str:
    properties = {
        "file": _path(problem.place, workspace),
        "line": str(problem.place.line),
        "col": str(problem.place.column),
        "endColumn": str(problem.place.column + problem.width),
        "title": f"mom: {problem.rule}",
    }
    lines = [f"{problem.message} ({problem.path})" if problem.path else problem.message]
    lines += [f"{words}: line {place.line}" for place, words in problem.related]
    lines.append(f"hint: {problem.hint}")
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    command = "notice" if problem.severity is Severity.NOTE else problem.severity.value
    return f"::{command} {given}::{_data(chr(10).join(lines))}\n"


def _path(place: Place, workspace: str | None) -> str:
    if workspace is None or place.file == "<stdin>":
        return place.file
    path = os.path.relpath(place.file, workspace)
    return place.file if path.startswith("..") else path


def _data(text: str) -> str:
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
