"""How `validate` reports: one module per format, each with `render(checked) -> str`, which gives the whole report.

Text is the exception: the console renders it, since it knows about colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mom.console import Console
from mom.problems import Problem, Severity


@dataclass(frozen=True, slots=True)
class Checked:
    """One file that was checked: its name as the user gave it (`<stdin>` for `-`), and its problems by place.

    fixes: the problems that `--fix` fixed, or would fix. diff: of these, where one was asked for.
    """

    file: str
    problems: tuple[Problem, ...]
    fixes: tuple[Problem, ...] = ()
    diff: str = ""


class Format(StrEnum):
    """The formats of a report."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


def write(checked: Sequence[Checked], form: Format, console: Console, *, strict: bool, messages: bool = False) -> None:
    """Write the report to stdout. `strict`: a warning fails, which some formats have to say.

    messages: text goes to stderr, since stdout has something else.
    """
    match form:
        case Format.TEXT:
            stream = console.stderr if messages else console.stdout
            console.problems([problem for each in checked for problem in each.problems], stream)
        case Format.JSON:
            from mom.cli.formats import json

            console.data(json.render(checked))
        case Format.GITHUB:
            from mom.cli.formats import github

            console.data(github.render(checked, console.environ))
        case Format.SARIF:
            from mom.cli.formats import sarif

            console.data(sarif.render(checked))
        case Format.JUNIT:
            from mom.cli.formats import junit

            console.data(junit.render(checked, strict=strict))


def summary(checked: Sequence[Checked]) -> str:
    """Return one line about all files: `2 errors, 1 warning in 3 files`, or `3 files are valid`, with notes if any."""
    files = _counted(len(checked), "file")
    numbers = {severity: count(checked, severity) for severity in Severity}
    words = ", ".join(_counted(number, severity.value) for severity, number in numbers.items() if number)
    if not numbers[Severity.ERROR] and not numbers[Severity.WARNING]:
        return f"{files} {'is' if len(checked) == 1 else 'are'} valid{f', {words}' if words else ''}"
    return f"{words} in {files}"


def count(checked: Sequence[Checked], severity: Severity) -> int:
    """Return how many problems of that severity there are in all files."""
    return sum(problem.severity is severity for each in checked for problem in each.problems)


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
