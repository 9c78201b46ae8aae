"""`mom atlas config validate --fix`: the fixes of one file, written as an edit is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mom.cli.diff_name import diff_name
from mom.cli.formats import Format
from mom.console import Console
from mom.errors import UsageError
from mom.problems import Problem
from mom.streams import STDIN, read_stdin
from mom.yamledit.diff import unified
from mom.yamledit.files import LockedFile
from mom.yamledit.source import MAX_BYTES, decode

if TYPE_CHECKING:
    from mom.atlas.edit.fix import Fixed


@dataclass(frozen=True, slots=True)
class FixOptions:
    """The options of `--fix`, which mean what they mean for every editing command."""

    dry_run: bool
    diff: bool
    check: bool
    form: Format

    def __post_init__(self) -> None:
        """Raise UsageError for a format that has no place for a diff."""
        if self.shows_diff and self.form not in {Format.TEXT, Format.JSON}:
            raise UsageError("a diff is printed with --format text or json only", hint="leave out --format")

    @property
    def writes(self) -> bool:
        """Whether the file is replaced."""
        return not (self.dry_run or self.check)

    @property
    def shows_diff(self) -> bool:
        """Whether the diff is printed."""
        return self.dry_run or self.diff

    def refuse_two_outputs(self, files: Sequence[str]) -> None:
        """Raise UsageError where a fixed text and a report are both for stdout."""
        if "-" in files and self.writes and (self.diff or self.form is not Format.TEXT):
            raise UsageError("the fixed text of - and the report are both for stdout", hint="add --dry-run")

    def uses_stdout(self, files: Sequence[str]) -> bool:
        """Whether stdout has a diff or a fixed text, so that a report as text belongs on stderr."""
        return self.form is Format.TEXT and (self.shows_diff or (self.writes and "-" in files))


def fixed(file: str, options: FixOptions, console: Console) -> tuple[bytes, tuple[Problem, ...], str]:
    """Fix a file, or stdin to stdout, and report. Returns its content after the fixes, what was fixed, and the diff.

    Raises MomError where the file cannot be read or replaced; it is then as it was.
    """
    from mom.atlas.edit.fix import fix

    if file == "-":
        result = fix(decode(read_stdin(MAX_BYTES), STDIN))
        if options.writes:
            sys.stdout.buffer.write(result.text.encode())
            sys.stdout.buffer.flush()
        return _reported(result, STDIN, options, console)
    with LockedFile(file) as locked:
        result = fix(decode(locked.data, file))
        if result.problems and options.writes:
            locked.replace(result.text.encode())
    return _reported(result, diff_name(file), options, console)


def _reported(
    result: Fixed, name: str, options: FixOptions, console: Console
) -> tuple[bytes, tuple[Problem, ...], str]:
    diff = ""
    if result.problems and options.shows_diff:
        diff = unified(result.source, result.changes, old_name=f"a/{name}", new_name=f"b/{name}")
        if options.form is Format.TEXT:
            console.diff(diff)
    if result.problems:
        number = len(result.problems)
        what = f"{number} problem{'s' if number > 1 else ''}"
        console.status("Fixed" if options.writes else "Would fix", f"{what} in {result.source.name}")
    for problem in result.problems:
        console.say(f"  {problem.place}: {problem.message} [{problem.rule}]")
    return result.text.encode(), result.problems, diff
