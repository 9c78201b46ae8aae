"""How `mom atlas check` reports: lines or a live table for people, JSON, JUnit XML, annotations of GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mom.check.result import Outcome, Result
from mom.streams import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from mom.check.subjects import Subject
    from mom.console import Console

_WORDS = {Outcome.PASSED: "ok", Outcome.FAILED: "FAIL", Outcome.SKIPPED: "skip"}
_STYLES = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.SKIPPED: "yellow"}


class CheckFormat(StrEnum):
    """The formats of the report."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


def summary(results: Sequence[Result]) -> str:
    """Return one line about all results: `11 adapters: 9 passed, 1 failed, 1 skipped`."""
    counts = (f"{number} {outcome.value}" for outcome in Outcome if (number := _count(results, outcome)))
    return f"{counted([result.subject for result in results])}: {', '.join(counts) or 'nothing to check'}"


def counted(subjects: Sequence[Subject]) -> str:
    """Return how many adapters there are, and profiles where these are told apart: `2 adapters (3 profiles)`."""
    adapters = len({(subject.adapter.kind, subject.adapter.name) for subject in subjects})
    profiles = sum(bool(subject.profile) for subject in subjects)
    apart = f" ({profiles} profile{'' if profiles == 1 else 's'})" if profiles else ""
    return f"{adapters} adapter{'' if adapters == 1 else 's'}{apart}"


def _count(results: Sequence[Result], outcome: Outcome) -> int:
    return sum(result.outcome is outcome for result in results)


def _cause(result: Result) -> str:
    return f"{result.stage.value}: {result.message}" if result.stage else result.message


@contextmanager
def shown(console: Console, subjects: Sequence[Subject]) -> Iterator[Callable[[Result], None]]:
    """Yield what takes each result and shows it: a table that fills on a terminal, lines in a pipe."""
    if console.stdout.isatty():
        with _live(console, subjects) as take:
            yield take
        return
    yield _Lines(console, subjects).take


class _Lines:
    """Lines in the order of the configuration, each as soon as those before it are there."""

    def __init__(self, console: Console, subjects: Sequence[Subject]) -> None:
        """Take the subjects whose results are to come."""
        self._console = console
        self._keys = [subject.key for subject in subjects]
        self._width = max((len(visible(subject.name)) for subject in subjects), default=0)
        self._results: dict[tuple[str, str], Result] = {}

    def take(self, result: Result) -> None:
        """Take the result of one of them."""
        self._results[result.subject.key] = result
        while self._keys and self._keys[0] in self._results:
            for line in _lines(self._results[self._keys.pop(0)], self._width):
                self._console.data(f"{visible(line)}\n")
            self._console.stdout.flush()


def _lines(result: Result, width: int) -> Iterator[str]:
    status = str(result.status or "-")
    seconds = "-" if result.seconds is None else f"{result.seconds:.2f} s"
    first = f"{_WORDS[result.outcome]:<4}  {result.subject.name:<{width}}  {status:>3}  {seconds:>7}  {result.request}"
    yield first.rstrip()
    if result.message:
        yield f"      {_cause(result)}"
    if result.hint:
        yield from (f"      {line}" for line in f"hint: {result.hint}".split("\n"))


@contextmanager
def _live(console: Console, subjects: Sequence[Subject]) -> Iterator[Callable[[Result], None]]:
    from rich.console import Console as Terminal
    from rich.live import Live

    results: dict[tuple[str, str], Result] = {}
    colour = console.colour(console.stdout)
    terminal = Terminal(file=console.stdout, no_color=not colour, highlight=False)
    with Live(_table(subjects, results), console=terminal, refresh_per_second=8) as live:

        def take(result: Result) -> None:
            results[result.subject.key] = result
            live.update(_table(subjects, results))

        yield take


def _table(subjects: Iterable[Subject], results: dict[tuple[str, str], Result]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("")
    table.add_column("adapter", style="bold")
    table.add_column("status", justify="right")
    table.add_column("time", justify="right")
    table.add_column("request, and what is wrong with it", overflow="fold")
    for subject in subjects:
        result = results.get(subject.key)
        if result is None:
            table.add_row(Text("...", "dim"), Text(visible(subject.name)), "", "", Text("waiting", "dim"))
            continue
        text = Text(visible(result.request))
        if result.message:
            break_before = "\n" if result.request else ""
            text.append(f"{break_before}{visible(_cause(result))}", "red" if result.stage else "")
        if result.hint:
            text.append("\nhint: ", "bold cyan").append("\n".join(map(visible, result.hint.split("\n"))))
        seconds = "" if result.seconds is None else f"{result.seconds:.2f} s"
        word = Text(_WORDS[result.outcome], _STYLES[result.outcome])
        table.add_row(word, Text(visible(subject.name)), str(result.status or ""), seconds, text)
    return table


def as_json(results: Sequence[Result], gateway: str, *, started: bool) -> dict[str, Any]:
    """Return the report for programs. Keys are only ever added."""
    return {
        "version": 1,
        "gateway": gateway,
        "started": started,
        **{outcome.value: _count(results, outcome) for outcome in Outcome},
        "adapters": [
            {
                "name": result.subject.adapter.name,
                "profile": result.subject.profile or None,
                "kind": result.subject.adapter.kind,
                "target": result.target,
                "file": result.subject.place.file,
                "line": result.subject.place.line,
                "outcome": result.outcome.value,
                "request": result.request or None,
                "status": result.status,
                "seconds": None if result.seconds is None else round(result.seconds, 3),
                "stage": result.stage.value if result.stage else None,
                "message": result.message or None,
                "hint": result.hint,
            }
            for result in results
        ],
    }


def as_junit(results: Sequence[Result]) -> str:
    """Return JUnit XML: a case for each adapter or profile."""
    from xml.etree import ElementTree as ET

    from mom.cli.formats.junit import document

    root = ET.Element("testsuites", name="mom atlas check")
    suite = ET.SubElement(root, "testsuite", name="adapters")
    suite.set("tests", str(len(results)))
    suite.set("failures", str(_count(results, Outcome.FAILED)))
    suite.set("skipped", str(_count(results, Outcome.SKIPPED)))
    for result in results:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=visible(result.subject.place.file),
            name=visible(result.subject.name),
            time=f"{result.seconds or 0:.3f}",
        )
        if result.outcome is Outcome.SKIPPED:
            ET.SubElement(case, "skipped", message=visible(result.message))
        elif result.outcome is Outcome.FAILED and result.stage:
            failure = ET.SubElement(case, "failure", type=result.stage.value, message=visible(result.message))
            failure.text = f"hint: {visible(result.hint)}" if result.hint else None
    return document(root)


def as_github(results: Sequence[Result], environ: Any) -> str:
    """Return workflow commands of GitHub Actions: an error at the line of each adapter or profile that fails."""
    from mom.atlas.rules.catalogue import problem_of
    from mom.cli.formats import Checked, github

    problems = tuple(
        problem_of(result.subject.place, "smoke-test", f"{result.subject.name}: {result.message}", hint=result.hint)
        for result in results
        if result.outcome is Outcome.FAILED
    )
    return github.render([Checked("", problems)], environ)
