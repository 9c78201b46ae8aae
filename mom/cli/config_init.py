"""`mom atlas config init` and `generate`: a first configuration, to a new file or to stdout."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit.add import add_adapter
from mom.atlas.initial import Preset, initial_text
from mom.atlas.validate import validate
from mom.catalog import loader
from mom.catalog.adapter import choose
from mom.cli import http_adapter
from mom.cli.configuration_file import NAMES, VARIABLE, ConfigurationFile
from mom.cli.diff_name import diff_name
from mom.cli.new_file import create_file
from mom.cli.options import CheckOption, DiffOption, DryRunOption, Format, FormatOption, QuietOption
from mom.console import Console
from mom.errors import ExitStatus, MomError, UnreadableError, UsageError
from mom.files import read_file
from mom.gateway import HTTP_PREFIX
from mom.yamledit.diff import Change, lines_of, unified
from mom.yamledit.source import MAX_BYTES, Source

NewFileOption = Annotated[str, typer.Option("--file", "-f", metavar="FILE", help="The file to create; - for stdout.")]
NameOption = Annotated[str, typer.Option("--name", metavar="NAME", help="The name of this Atlas.")]
OwnerOption = Annotated[str | None, typer.Option("--owner", metavar="DOMAIN", help="The domain of your organization.")]
PresetOption = Annotated[
    Preset,
    typer.Option(
        "--preset",
        metavar="PRESET",
        help="local: your own key, on this machine. production: an identity provider to fill in.",
    ),
]
WithOption = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="API,...", help="Add these APIs of the catalog, such as openai,github. Repeatable."),
]


@dataclass(frozen=True, slots=True)
class Created:
    """A first configuration: its text, its adapters, and the path of a first request to make."""

    text: str
    name: str
    preset: Preset
    adapters: tuple[HttpAdapterSpec, ...]
    smoke_path: str | None

    @property
    def variables(self) -> list[str]:
        """The variables that the adapters need, each once."""
        return list(dict.fromkeys(name for adapter in self.adapters for name in http_adapter.variables(adapter)))


def init(
    *,
    file: NewFileOption = NAMES[0],
    name: NameOption = "atlas",
    owner: OwnerOption = None,
    preset: PresetOption = Preset.LOCAL,
    with_: WithOption = None,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    """Create a first configuration. An existing file is not overwritten.

    generate prints it instead.

    Example: mom atlas config init --with openai,github
    """
    created = _create(name=name, owner=owner, preset=preset, apis=with_ or ())
    if file == "-":
        if form is Format.JSON or diff or check or dry_run:
            raise UsageError("init -f - prints the configuration, and nothing else", hint="use -f - alone")
        Console().data(created.text)
        return int(ExitStatus.DONE)
    exists = _is_there(file, created.text)
    writes = not (exists or dry_run or check)
    if writes:
        create_file(file, created.text.encode())
    console = Console(quiet=quiet)
    shown = "" if exists else _diff(file, created.text)
    if form is Format.JSON:
        report = _report(file, created, written=writes, exists=exists)
        console.json({**report, "diff": shown} if diff or dry_run else report)
    elif diff or dry_run:
        console.diff(shown)
    if exists:
        console.status("Unchanged", f"{file} is this configuration already")
    else:
        console.status("Created" if writes else "Would create", _what(file, created))
    if writes:
        _print_next(console, ConfigurationFile(file, given=file != NAMES[0]), created)
    return int(ExitStatus.WOULD_CHANGE if check and not exists else ExitStatus.DONE)


def generate(
    *,
    name: NameOption = "atlas",
    owner: OwnerOption = None,
    preset: PresetOption = Preset.LOCAL,
    with_: WithOption = None,
) -> int:
    """Print a first configuration on stdout.

    init writes it to a file.

    Example: mom atlas config generate --preset production > atlas.yml
    """
    Console().data(_create(name=name, owner=owner, preset=preset, apis=with_ or ()).text)
    return int(ExitStatus.DONE)


def _create(*, name: str, owner: str | None, preset: Preset, apis: Sequence[str]) -> Created:
    """Return the configuration; raises UsageError for a name that is none, or an API that needs more than its name."""
    for option, value in (("--name", name), ("--owner", owner)):
        if value is not None and (not value.strip() or not value.isprintable()):
            raise UsageError(f"{option}: `{value}` is not a name" if value.strip() else f"{option} is empty")
    entries = [loader.get(api.strip()) for text in apis for api in text.split(",") if api.strip()]
    choices = [choose(entry, values={}) for entry in dict.fromkeys(entries)]
    adapters = tuple(map(http_adapter.read_choice, choices))
    source = Source("the new configuration", initial_text(name=name, owner=owner, preset=preset))
    for adapter in adapters:
        source = Source(source.name, add_adapter(source, adapter).text)
    if problems := [problem for problem in validate(source) if problem.rule != "placeholder-provider"]:
        raise MomError("the configuration would not be valid", problems=problems)
    smoke = entries[0].smoke if entries else None
    path = f"{HTTP_PREFIX}{adapters[0].name}{smoke.path}" if smoke and smoke.method == "GET" else None
    return Created(source.text, name, preset, adapters, path)


def _is_there(file: str, text: str) -> bool:
    """Whether the file exists with this very text. Raises MomError where it, or its namesake, has another."""
    path = Path(file)
    for name in NAMES if path.name in NAMES else ():
        if name != path.name and os.path.lexists(path.with_name(name)):
            hint = "name another file: -f FILE"
            raise MomError(f"{path.with_name(name)} exists; only one of the two names may be used", hint=hint)
    try:
        if read_file(file, MAX_BYTES) == text.encode():
            return True
    except UnreadableError as error:
        if error.missing:
            return False
        raise
    raise MomError(
        f"{file} exists and is not overwritten", hint="name another file: -f FILE; or see mom atlas config list"
    )


def _what(file: str, created: Created) -> str:
    names = ", ".join(adapter.name for adapter in created.adapters)
    return f"{file} ({created.preset.value}){f' with {names}' if names else ''}"


def _diff(file: str, text: str) -> str:
    return unified(
        Source(file, ""), [Change(0, (), tuple(lines_of(text)))], old_name="/dev/null", new_name=f"b/{diff_name(file)}"
    )


def _print_next(console: Console, file: ConfigurationFile, created: Created) -> None:
    """Say the next two commands: what a newcomer types now, nothing to be filled in but credentials."""
    if named := os.environ.get(VARIABLE):
        console.warning(f"{VARIABLE} is set: commands without -f use {named}, not {file.path}")
    if created.preset is Preset.PRODUCTION:
        steps = [f"fill in the values under .invalid, in {file.path}", f"mom atlas config validate {file.path}"]
    elif created.adapters:
        steps = _start(file, created.variables)
        steps += [f"mom curl {created.smoke_path}"] if created.smoke_path else []
    else:
        steps = [f"mom atlas config add openai{file.option}", f"mom atlas run{file.option}"]
    console.next_steps(steps)
    if created.variables and created.preset is Preset.LOCAL:
        console.say(f"  without credentials: mom atlas run{file.option} --stand-in")


def _start(file: ConfigurationFile, variables: Sequence[str]) -> list[str]:
    """Return the commands that start it: the variables on the command line if they are few, else in a file."""
    run = f"mom atlas run{file.option}"
    if len(variables) > 2:
        return [f"mom atlas config env{file.option} --format dotenv > .env, and fill it in", f"{run} --env-file .env"]
    exports = " ".join(f"{name}=..." for name in variables)
    return [f"export {exports} && {run}" if exports else run]


def _report(file: str, created: Created, *, written: bool, exists: bool) -> dict[str, Any]:
    return {
        "file": file,
        "name": created.name,
        "preset": created.preset.value,
        "adapters": [adapter.name for adapter in created.adapters],
        "environment": created.variables,
        "action": "unchanged" if exists else "created",
        "written": written,
    }
