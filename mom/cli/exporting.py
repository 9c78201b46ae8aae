"""One export, the same for every engine: read, check, plan, write, report.

A command says how its engine's files are made of a source. What `--dry-run`, `--diff`, `--check`, `--quiet` and
`--format json` mean is decided here, once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mom.cli.options import Format, WriteOptions, write_options
from mom.console import Console
from mom.errors import ExitStatus, UsageError
from mom.gateway import DEFAULT_PORT

if TYPE_CHECKING:
    from mom.envoy.options import Listen
    from mom.export.folder import Plan
    from mom.export.model import Export, Layout, Source

OutputOption = Annotated[
    str, typer.Option("--output-dir", "-o", metavar="DIR", help="The folder to write, created if it is not there.")
]
ExportCheckOption = Annotated[
    bool, typer.Option("--check", help="Write nothing; exit 3 if the folder is not what the configuration says.")
]
WithMomOption = Annotated[
    bool, typer.Option("--with-mom", help="Run mom there, in an image whose Dockerfile is written, not Envoy alone.")
]


def listen_option(what: str, host: str) -> Any:
    """Return the option `--listen` of a command. what: its help. host: the default, beside the configuration's port."""
    help_text = f"{what}. Default: {host} and spec.exposedPorts.ingressHttpPort, else {DEFAULT_PORT}."
    return typer.Option("--listen", metavar="HOST:PORT", help=help_text)


class Serving(NamedTuple):
    """How the exported Envoy serves, by the options that `mom atlas run` has for the same."""

    listen: Listen | None
    timeout: float | None
    stream_limit: float | None
    connection_limit: float | None
    key_slots: bool

    def layout(self, source: Source, layout: Layout) -> Layout:
        """Return the layout of an engine with what the options say, and with the configuration's port without one."""
        from mom.envoy.options import STREAM_LIMIT

        return replace(
            layout,
            listen=self.listen or replace(layout.listen, port=source.port),
            timeout=self.timeout,
            stream_limit=STREAM_LIMIT if self.stream_limit is None else self.stream_limit,
            connection_limit=layout.connection_limit if self.connection_limit is None else self.connection_limit,
            key_slots=self.key_slots,
        )


def serving_options(
    timeout: float | None,
    stream_limit: float | None,
    *,
    no_key_slots: bool,
    listen: str | None = None,
    connection_limit: float | None = None,
) -> Serving:
    """Return how the exported Envoy serves as the command line gives it. Raises UsageError for what no Envoy can do."""
    from mom.cli.run import check_durations
    from mom.run.port import parse_listen

    check_durations(timeout, stream_limit, connection_limit)
    at = None if listen is None else parse_listen(listen)
    return Serving(at, timeout, stream_limit, connection_limit, key_slots=not no_key_slots)


def export_options(
    file: str | None,
    folder: str,
    *,
    dry_run: bool,
    diff: bool,
    check: bool,
    quiet: bool,
    verbose: bool,
    form: Format,
) -> WriteOptions:
    """Return the options of an export to `folder` as the command line gives them.

    Raises UsageError where two configurations could be meant, UnreadableError where there is none.
    """
    if file == "-":
        hint = "save the configuration to a file"
        raise UsageError("--file -: the files that a configuration names are relative to it", hint=hint)
    if not folder:
        raise UsageError("--output-dir is empty", hint="name a folder: -o DIR")
    return write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)


def run_export(options: WriteOptions, output: str, engine: Callable[[Source], Export]) -> ExitStatus:
    """Export the configuration to the folder `output` and report. Returns the exit status of the command.

    `engine` returns the files of a source or raises MomError. Raises MomError where the configuration cannot be
    exported, or the folder not be written.
    """
    from mom import __version__
    from mom.cli.configuration_file import read_source
    from mom.export import folder
    from mom.export.source import read

    console = Console(quiet=options.quiet)
    source, warnings = read(read_source(options.file))
    console.problems(() if options.quiet else warnings, console.stderr)
    export = engine(source)
    todo = folder.plan(Path(output), export, __version__)
    shown = _diff(todo) if options.dry_run or options.diff else None
    if options.writes:
        folder.apply(todo)
    if options.form is Format.JSON:
        console.json(_report(todo, export, written=options.writes, diff=shown))
    elif shown is not None:
        console.diff(shown)
    _print_messages(console, todo, export, options, output)
    if options.check:
        return ExitStatus.WOULD_CHANGE if todo.is_stale else ExitStatus.DONE
    return ExitStatus.FAILED if todo.of(folder.Action.OUTDATED) else ExitStatus.DONE


def _print_messages(console: Console, todo: Plan, export: Export, options: WriteOptions, output: str) -> None:
    from mom.export.folder import MANIFEST, Action
    from mom.lists import some

    verbs = {Action.CREATED: "Created", Action.REPLACED: "Updated", Action.REMOVED: "Removed"}
    for action, verb in verbs.items():
        if paths := todo.of(action):
            words = verb if options.writes else f"Would {verb.lower().removesuffix('d')}"
            console.status(words, f"{some(paths, 8)} in {output}")
    if not any(change.writes for change in todo.changes) and todo.is_stale:
        console.status("Updated" if options.writes else "Would update", f"{MANIFEST} in {output}")
    elif not todo.is_stale:
        console.status("Unchanged", f"{output} is the export of {options.file.path}")
    if kept := todo.of(Action.KEPT):
        console.say(f"note: kept, changed since mom wrote it: {some(kept, 8)}")
    for path in todo.of(Action.OUTDATED):
        console.warning(f"{output}/{path} was changed, and mom would now write something else: it is kept")
    if todo.of(Action.OUTDATED):
        hint = "merge what --diff shows" if options.writes else "merge it by hand"
        console.hint(f"{hint}; or remove the file to have it written again")
    for note in export.notes:
        console.say(f"note: {note}")
    if options.writes and any(change.writes for change in todo.changes):
        console.next_steps(export.next_steps)


def _diff(todo: Plan) -> str:
    from mom.cli.diff_name import diff_name
    from mom.export.folder import Action
    from mom.yamledit.diff import Change, lines_of, unified
    from mom.yamledit.source import Source

    parts = []
    for change in todo.changes:
        if not change.writes and change.action is not Action.OUTDATED:
            continue
        name = diff_name(str(todo.folder / change.path))
        old, new = change.old or "", change.new or ""
        parts.append(
            unified(
                Source(name, old),
                [
                    Change(start, tuple(before), tuple(after))
                    for start, before, after in _changed(lines_of(old), lines_of(new))
                ],
                old_name="/dev/null" if change.old is None else f"a/{name}",
                new_name="/dev/null" if change.new is None else f"b/{name}",
            )
        )
    return "".join(parts)


def _changed(old: list[str], new: list[str]) -> list[tuple[int, list[str], list[str]]]:
    """Return the lines that differ: where in the old text, and those of both."""
    from difflib import SequenceMatcher

    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(begin, old[begin:end], new[first:last]) for tag, begin, end, first, last in blocks if tag != "equal"]


def _report(todo: Plan, export: Export, *, written: bool, diff: str | None) -> dict[str, object]:
    report = {
        "folder": str(todo.folder),
        "command": export.command,
        "input": export.digest,
        "files": [{"path": change.path, "action": change.action.value} for change in todo.changes],
        "stale": todo.is_stale,
        "written": written,
        "notes": list(export.notes),
    }
    return report if diff is None else {**report, "diff": diff}
