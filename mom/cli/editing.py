"""One edit of a configuration, the same for every editing command: read, lock, change, write, report.

A command checks its own options, says how the text changes (`mom.atlas`), and describes the result. What `-f -`,
`--dry-run`, `--diff`, `--check`, `--quiet` and `--format json` mean is decided here, once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from mom.atlas.beginning import with_beginning
from mom.atlas.edit.result import Action, Edit
from mom.cli.command_lines import command_lines
from mom.cli.configuration_file import ConfigurationFile
from mom.cli.diff_name import diff_name
from mom.cli.options import Format, WriteOptions
from mom.console import Console
from mom.errors import ExitStatus, UnreadableError, UsageError
from mom.streams import STDIN, read_stdin
from mom.yamledit.diff import unified
from mom.yamledit.files import LockedFile
from mom.yamledit.source import MAX_BYTES, Source, decode

EditT = TypeVar("EditT", bound=Edit)


class Verb(NamedTuple):
    """The words for an edit: done, planned, and the preposition before the file."""

    done: str
    planned: str
    preposition: str


ADD = Verb("Added", "Would add", "to")
REMOVE = Verb("Removed", "Would remove", "from")
CHANGE = Verb("Changed", "Would change", "in")
RENAME = Verb("Renamed", "Would rename", "in")


class Description(NamedTuple):
    """What a command reports about its edit.

    `what` is edited ("HTTP adapter openai"), `unchanged` is the clause for an edit without effect. `report` are the
    command's own keys of the JSON report. Warnings are printed always, notes and the next step only where something
    changes; `next_step` and `undo` only after it was written.
    """

    verb: Verb
    what: str
    unchanged: str
    report: Mapping[str, Any] = MappingProxyType({})
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    next_step: str | None = None
    undo: str | None = None


def run_edit(
    options: WriteOptions, change: Callable[[Source], EditT], describe: Callable[[EditT], Description]
) -> ExitStatus:
    """Edit the file, or stdin to stdout, and report. Returns the exit status of the command.

    `change` returns the proved edit of a text or raises MomError; `describe` says what it was. Raises MomError where
    the file cannot be read or replaced; it is then as it was.
    """
    if options.file.is_stdin:
        source, edit = _edit_stdin(options, change)
    else:
        source, edit = _edit_file(options, change)
    changes = edit.action is not Action.UNCHANGED
    description = describe(edit)
    console = Console(quiet=options.quiet)
    diff = _diff(source, edit, options.file) if options.dry_run or options.diff else None
    if options.form is Format.JSON:
        console.json(_report(source, edit, description, written=changes and options.writes, diff=diff))
    elif diff is not None:
        console.diff(diff)
    _print_messages(console, source, edit, description, writes=options.writes)
    return ExitStatus.WOULD_CHANGE if options.check and changes else ExitStatus.DONE


def run_command_hint(variables: Sequence[str], options: WriteOptions) -> str:
    """Return the next step after an adapter was added: the variables to set, then the command that tries it."""
    first = f"set {', '.join(variables)}, then: " if variables else ""
    return f"{first}mom atlas run{options.file.option}"


def _edit_stdin(options: WriteOptions, change: Callable[[Source], EditT]) -> tuple[Source, EditT]:
    if options.writes and (options.diff or options.form is Format.JSON):
        also = "--diff" if options.diff else "--format json"
        raise UsageError(f"{also} and -f - both write to stdout", hint=f"use --dry-run {also} for the report alone")
    source = decode(read_stdin(MAX_BYTES), STDIN)
    edit = change(source)
    if options.writes:
        sys.stdout.buffer.write(edit.text.encode())
        sys.stdout.buffer.flush()
    return source, edit


def _edit_file(options: WriteOptions, change: Callable[[Source], EditT]) -> tuple[Source, EditT]:
    try:
        locked = LockedFile(options.file.path)
    except UnreadableError as error:
        raise with_beginning(error) from None
    with locked:
        source = decode(locked.data, options.file.path)
        edit = change(source)
        if edit.action is not Action.UNCHANGED and options.writes:
            locked.replace(edit.text.encode())
    return source, edit


def _diff(source: Source, edit: Edit, file: ConfigurationFile) -> str:
    name = source.name if file.is_stdin else diff_name(file.path)
    return unified(source, edit.changes, old_name=f"a/{name}", new_name=f"b/{name}")


def _print_messages(console: Console, source: Source, edit: Edit, description: Description, *, writes: bool) -> None:
    changes = edit.action is not Action.UNCHANGED
    if changes:
        verb = description.verb
        where = f"{verb.preposition} {source.name}{_lines(edit)}"
        console.status(verb.done if writes else verb.planned, f"{description.what} {where}")
    else:
        console.status("Unchanged", f"{description.unchanged} in {source.name}")
    for line, reason in edit.forced_lines():
        console.say(f"note: line {line} had to change: {reason}")
    for warning in (*edit.notes, *description.warnings):
        console.warning(warning)
    for note in description.notes if changes else ():
        console.say(f"note: {note}")
    if changes and writes:
        if description.next_step:
            console.say(f"  next: {description.next_step}")
        for text in command_lines("  undo:", description.undo) if description.undo else ():
            console.say(text)


def _lines(edit: Edit) -> str:
    """Return where the edit is, for a sentence: ` (lines 16-19 and 28-36)`.

    The lines are those of the result; of an edit that only removes, those of the file before.
    """
    ranges = edit.new_lines() or edit.removed_lines()
    where = " and ".join(f"{first}-{last}" if last > first else str(first) for first, last in ranges)
    return f" (line{'s' if len(ranges) > 1 or '-' in where else ''} {where})" if where else ""


def _report(source: Source, edit: Edit, description: Description, *, written: bool, diff: str | None) -> dict[str, Any]:
    report = {
        "file": source.name,
        **description.report,
        "action": edit.action.value,
        "written": written,
        "addedLines": [list(lines) for lines in edit.added_lines()],
        "changedLines": list(edit.changed_lines()),
        "removedLines": [list(lines) for lines in edit.removed_lines()],
        "warnings": [*edit.notes, *description.warnings],
        "notes": list(description.notes),
    }
    return report if diff is None else {**report, "diff": diff}
