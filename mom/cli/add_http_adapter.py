"""`mom atlas config add-http-adapter`: flags in, one edit, what was done on stderr, diff or JSON on stdout if asked."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated, Any

import typer

from mom.atlas.beginning import with_beginning
from mom.atlas.edit.add import Action, Edit, HttpAdapterSpec, add_http_adapter
from mom.atlas.references import names
from mom.atlas.values.foreign import find_foreign, is_meant_as_reference, meant_instead, message
from mom.atlas.values.headers import EMPTY_VALUE, check_header_name, check_header_value, refused_header
from mom.atlas.values.names import check_adapter_name
from mom.atlas.values.secrets import is_credential_header, literal_secret, suggested_reference, unencoded_basic
from mom.atlas.values.urls import check_base_url, endpoint, is_plain_http
from mom.cli.diff_name import diff_name
from mom.cli.output import Output
from mom.console import Console
from mom.errors import ExitStatus, MomError, UsageError
from mom.files import UnreadableError
from mom.masking import mask_tokens
from mom.streams import STDIN, read_stdin
from mom.yamledit.diff import Change, unified
from mom.yamledit.files import LockedFile
from mom.yamledit.source import MAX_BYTES, Source, decode


def add(
    *,
    file: Annotated[
        str, typer.Option("--file", "-f", metavar="FILE", help="The Atlas configuration; - for stdin to stdout.")
    ],
    adapter_name: Annotated[
        str,
        typer.Option(
            "--adapter-name", metavar="NAME", help="The adapter's name: a segment of the URL it is called by."
        ),
    ],
    base_url: Annotated[
        str, typer.Option("--base-url", metavar="URL", help="Where the API is: absolute, http or https.")
    ],
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            "-H",
            metavar="'NAME: VALUE'",
            help="A header that Atlas sets; ${{ NAME }} is a variable. Repeatable.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Print the diff on stdout, write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write, and print the diff on stdout.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 3 if the file would change.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    output: Annotated[Output, typer.Option("--output", help="How to report.")] = Output.TEXT,
    allow_literal_secret: Annotated[
        bool, typer.Option("--allow-literal-secret", help="Accept a credential that is written out in a header.")
    ] = False,
) -> int:
    r"""Add an HTTP adapter without touching any other line.

    Example:
      mom atlas config add-http-adapter -f atlas.yml --adapter-name openai \
          --base-url https://api.openai.com \
          -H 'Authorization: Bearer ${{ OPENAI_API_TOKEN }}'
    """
    adapter = HttpAdapterSpec(
        name=_checked("--adapter-name", adapter_name, check_adapter_name(adapter_name)),
        base_url=_checked("--base-url", base_url, check_base_url(base_url)),
        headers=read_headers(header or (), allow_literal_secret=allow_literal_secret),
    )
    if file == "-":
        if not (dry_run or check) and (diff or output is Output.JSON):
            also = "--diff" if diff else "--output json"
            raise UsageError(f"{also} and -f - both write to stdout", hint=f"use --dry-run {also} for the report alone")
        source = decode(read_stdin(MAX_BYTES), STDIN)
        edit = add_http_adapter(source, adapter)
        if not (dry_run or check):
            sys.stdout.buffer.write(edit.text.encode())
            sys.stdout.buffer.flush()
    else:
        with _locked(file) as locked:
            source = decode(locked.data, file)
            edit = add_http_adapter(source, adapter)
            if edit.action is not Action.UNCHANGED and not (dry_run or check):
                locked.replace(edit.text.encode())
    console = Console()
    wrote = edit.action is not Action.UNCHANGED and not (dry_run or check)
    shown = _diff(source, edit, file) if dry_run or diff else None
    if output is Output.JSON:
        console.json(_report(source, adapter, edit, wrote=wrote, diff=shown))
    elif shown is not None:
        console.diff(shown)
    if not quiet:
        _say(console, source, adapter, edit, file=file, wrote=wrote)
    return int(ExitStatus.WOULD_CHANGE if check and edit.action is not Action.UNCHANGED else ExitStatus.DONE)


def _locked(file: str) -> LockedFile:
    try:
        return LockedFile(file)
    except UnreadableError as error:
        raise with_beginning(error) from None


def _checked(option: str, value: str, wrong: str | None) -> str:
    if wrong:
        raise UsageError(f"{option}: {wrong}")
    return value


def read_headers(given: list[str] | tuple[str, ...], *, allow_literal_secret: bool) -> tuple[tuple[str, str], ...]:
    """Return the headers that `-H` gives as name and value. Raises UsageError, or MomError for a literal secret.

    A header is split at its first colon, as curl does; one pair of double quotes around the value is dropped, as the
    original mom did.
    """
    headers: list[tuple[str, str]] = []
    seen: dict[str, str] = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not colon:
            raise UsageError(f"-H: `{mask_tokens(text)}` has no colon", hint="write a header as -H 'Name: value'")
        _checked("-H", name, check_header_name(name))
        value = value.strip(" \t")
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = value[1:-1]
        _checked("-H", name, refused_header(name))
        _checked(f"-H {name}", value, check_header_value(value) if value.strip() else EMPTY_VALUE)
        if name.lower() in seen:
            hint = "which one Atlas should send is ambiguous: give one"
            raise UsageError(f"-H: the header {name} is given twice", hint=hint)
        seen[name.lower()] = name
        if not allow_literal_secret and (reason := literal_secret(name, value)):
            if is_meant_as_reference(value) and (found := find_foreign(value, placeholders=True)):
                # No credential has leaked, but the adapter could not work.
                meant = value[: found.start] + meant_instead(found, suggested_reference(name)) + value[found.end :]
                raise MomError(
                    f"-H {name}: {message(value, found)}",
                    hint=f"name a variable: -H '{name}: {meant}' (or --allow-literal-secret)",
                )
            raise MomError(
                f"-H: {reason}: a configuration in git is no place for it",
                hint=f"name a variable: -H '{name}: {suggested_reference(name, value)}' (or --allow-literal-secret)",
            )
        headers.append((name, value))
    return tuple(headers)


def _diff(source: Source, edit: Edit, file: str) -> str:
    name = source.name if file == "-" else diff_name(file)
    return unified(source, edit.changes, old_name=f"a/{name}", new_name=f"b/{name}")


def _say(console: Console, source: Source, adapter: HttpAdapterSpec, edit: Edit, *, file: str, wrote: bool) -> None:
    if edit.action is Action.UNCHANGED:
        console.status("Unchanged", f"HTTP adapter {adapter.name} is already configured in {source.name}")
    else:
        where = " and ".join(f"{first}-{last}" if last > first else str(first) for first, last in edit.added_lines())
        verb = "Adding" if wrote else "Would add"
        parts = "HTTP adapter" if edit.action is Action.ADDED else "the missing part of HTTP adapter"
        console.status(
            verb, f"{parts} {adapter.name} to {source.name} (line{'s' if '-' in where or ' ' in where else ''} {where})"
        )
    for line, change in edit.changed_lines():
        console.say(f"note: line {line} had to change: {_reason(change)}")
    for note in [*edit.notes, *_warnings(adapter)]:
        console.warning(note)
    if edit.action is not Action.UNCHANGED:
        for note in _notes(adapter):
            console.say(f"note: {note}")
    if wrote:
        variables = _variables(adapter)
        first = f"set {', '.join(variables)} where Atlas runs; " if variables else ""
        shown = "FILE" if file == "-" else shlex.quote(file)
        console.say(f"  next: {first}try it: mom atlas run -f {shown}")


def _reason(change: Change) -> str:
    if change.new and change.new[0].rstrip("\r\n") == change.old[0]:
        return "the file had no final line end"
    emptied = not change.new or len(change.new[0].strip()) < len(change.old[0].strip())
    return "its empty value became a list" if emptied else "the list is written in flow style"


def _warnings(adapter: HttpAdapterSpec) -> list[str]:
    warnings = [
        f"the value of {name} is not ASCII: servers disagree about such bytes"
        for name, value in adapter.headers
        if not value.isascii()
    ]
    if is_plain_http(adapter.base_url):
        warnings.append(f"{adapter.base_url} is plain http: the credentials would cross the network in clear text")
    for name, value in adapter.headers:
        if wrong := unencoded_basic(name, value):
            warnings.append(str(wrong))
        found = find_foreign(value, placeholders=is_credential_header(name))
        if found and (found.name or is_meant_as_reference(value)):
            instead = meant_instead(found, suggested_reference(name))
            warnings.append(f"-H {name}: {message(value, found)}; to name a variable write {instead}")
    return warnings


def _notes(adapter: HttpAdapterSpec) -> list[str]:
    """Return what may be meant, and is worth a look."""
    notes = []
    if ending := endpoint(adapter.base_url):
        notes.append(
            f"`{ending}` is an endpoint of the API, and callers' paths are appended to the base URL: end it before that"
        )
    if not any(names(value) or is_credential_header(name) for name, value in adapter.headers):
        notes.append("no header has a credential: the API gets requests without one (-H 'NAME: VALUE' sets a header)")
    return notes


def _variables(adapter: HttpAdapterSpec) -> list[str]:
    return list(dict.fromkeys(name for _, value in adapter.headers for name in names(value)))


def _report(source: Source, adapter: HttpAdapterSpec, edit: Edit, *, wrote: bool, diff: str | None) -> dict[str, Any]:
    report = {
        "file": source.name,
        "adapter": {"kind": "HTTP", "name": adapter.name, "baseUrl": adapter.base_url},
        "action": edit.action.value,
        "written": wrote,
        "addedLines": [list(lines) for lines in edit.added_lines()],
        "changedLines": [line for line, _ in edit.changed_lines()],
        "environment": _variables(adapter),
        "warnings": [*edit.notes, *_warnings(adapter)],
        "notes": _notes(adapter),
    }
    return report if diff is None else {**report, "diff": diff}
