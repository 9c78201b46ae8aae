"""`mom atlas config diff`: what a change of a configuration opens, in words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mom.atlas.review import AccessChange, access_changes
from mom.cli.configuration_file import ConfigurationFile, configuration_file, read_source
from mom.console import Console
from mom.errors import ExitStatus, MomError, UsageError
from mom.problems import Place, Problem
from mom.yamledit.source import Source, decode

if TYPE_CHECKING:
    from mom.atlas.model import Configuration


class DiffFormat(StrEnum):
    """How the changes are reported."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def diff(
    *,
    old: Annotated[
        str | None,
        typer.Argument(
            metavar="[OLD]",
            help="The configuration before; - for stdin. With --rev, or alone: the file to compare with its committed "
            "version.",
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="[NEW]", help="The configuration after; - for stdin.", show_default=False)
    ] = None,
    rev: Annotated[
        str | None,
        typer.Option("--rev", metavar="REV", help="Compare with this revision of git. Default without NEW: HEAD."),
    ] = None,
    form: Annotated[
        DiffFormat, typer.Option("--format", metavar="FORMAT", help="How to report: text, json or github.")
    ] = DiffFormat.TEXT,
) -> int:
    """Say what a change opens: which API, for whom, with which credential.

    A line with + is new, - is gone, ~ has changed. A credential that goes to
    another host is a warning.

    Exits 0 if nothing is opened, 3 if something is.

    Examples: mom atlas config diff --rev HEAD
              mom atlas config diff old.yml new.yml
    """
    if new is not None and rev is not None:
        raise UsageError("--rev takes the place of OLD: name one file", hint="mom atlas config diff --rev HEAD FILE")
    if old == "-" and new in {"-", None}:
        raise UsageError("stdin is one of two files", hint="name the other one: mom atlas config diff - NEW")
    console = Console()
    if old is not None and new is not None:
        before, after = read_source(ConfigurationFile(old)), read_source(ConfigurationFile(new))
    else:
        file = configuration_file(old)
        before, after = _committed(file.path, rev or "HEAD"), read_source(file)
    changes = access_changes(_configuration(before), _configuration(after))
    _write(console, changes, before, after, form)
    opening = sum(change.opens for change in changes)
    console.say(_summary(changes, opening))
    return int(ExitStatus.WOULD_CHANGE if opening else ExitStatus.DONE)


def _committed(path: str, rev: str) -> Source:
    """Return a file as it was at a revision, empty where it was not there. Raises MomError without git."""
    folder, name = os.path.split(os.path.realpath(path))
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    if commit.returncode:
        inside = _git(folder, "rev-parse", "--is-inside-work-tree")
        if inside.returncode == 0:
            raise MomError(f"there is no revision `{rev}`", hint="see the revisions: git log --oneline")
        words = inside.stderr.decode(errors="replace").strip().split("\n")[0]
        message = f"{path} is not in a git repository"
        if "not a git repository" not in words:
            message = f"git cannot read the repository of {path}: {words.removeprefix('fatal: ')}"
        raise MomError(message, hint="name both files: mom atlas config diff OLD NEW")
    shown = f"{rev}:{path}"
    blob = f"{commit.stdout.decode().strip()}:./{name}"
    if _git(folder, "cat-file", "-e", blob).returncode:
        return Source(shown, "")
    return decode(_git(folder, "cat-file", "blob", blob).stdout, shown)


def _git(folder: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", folder, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        raise MomError("git is not installed", hint="name both files: mom atlas config diff OLD NEW") from None


def _configuration(source: Source) -> Configuration | None:
    """Return the configuration in a text, None in an empty one."""
    from mom.atlas.load import load

    return load(source) if source.text.strip("\ufeff \t\r\n") else None


def _summary(changes: Sequence[AccessChange], opening: int) -> str:
    if not changes:
        return "No changes in what can be reached"
    count = f"{len(changes)} change{'s' if len(changes) > 1 else ''}"
    warned = sum(len(change.warnings) for change in changes)
    words = f"{count}: {opening} open{'s' if opening == 1 else ''} something"
    return f"{words}, {warned} warning{'s' if warned > 1 else ''}" if warned else words


def _write(console: Console, changes: Sequence[AccessChange], old: Source, new: Source, form: DiffFormat) -> None:
    if form is DiffFormat.JSON:
        console.json(_report(changes, old, new))
    elif form is DiffFormat.GITHUB:
        from mom.cli.formats import Checked, github

        problems = tuple(problem for change in changes for problem in _problems(change, new))
        console.data(github.render([Checked(new.name, problems)], console.environ))
    else:
        lines = (line for change in changes for line in (change.text, *_warnings(change)))
        console.diff("".join(f"{line}\n" for line in lines))


def _warnings(change: AccessChange) -> list[str]:
    return [f"  warning: {warning}" for warning in change.warnings]


def _report(changes: Sequence[AccessChange], old: Source, new: Source) -> dict[str, Any]:
    return {
        "version": 1,
        "old": old.name,
        "new": new.name,
        "opens": any(change.opens for change in changes),
        "changes": [
            {
                "sign": change.sign,
                "subject": change.subject,
                "parts": list(change.parts),
                "opens": change.opens,
                "warnings": list(change.warnings),
                "line": change.place.line if change.place else None,
            }
            for change in changes
        ],
    }


def _problems(change: AccessChange, new: Source) -> list[Problem]:
    """Return a change as problems: GitHub shows them beside the lines of a pull request."""
    from mom.atlas.rules.catalogue import problem_of

    place = change.place or Place(new.name, 1, 1)
    problems = [problem_of(place, "changed-access", change.text)]
    problems += [problem_of(place, "credential-warning", f"{change.subject}: {words}") for words in change.warnings]
    return problems
