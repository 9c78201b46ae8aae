"""`mom atlas config show`: the lines of one adapter, and where it is reached."""

from __future__ import annotations

import os
import shutil
from typing import Annotated, Any

import typer

from mom.atlas.adapters import KINDS, kind_of
from mom.atlas.documents import read
from mom.atlas.lines import AdapterLines, lines_of
from mom.atlas.load import load
from mom.atlas.model import Adapter, Configuration
from mom.atlas.rules.variable_rules import Environment, variable_names
from mom.atlas.suggestions import closest, listed
from mom.cli.completion import adapter_names
from mom.cli.config_list import describe
from mom.cli.configuration_file import configuration_file, read_source
from mom.cli.options import Format, FormatOption, QuietOption, ReadFileOption, VerboseOption
from mom.console import Console
from mom.envoy import adapters as served
from mom.errors import ExitStatus, MomError, UsageError
from mom.streams import visible


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An adapter's name.", autocompletion=adapter_names)],
    *,
    file: ReadFileOption = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="Its kind, where several have the name.")
    ] = None,
    form: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Show an adapter's lines, and where it is reached.

    The lines go to stdout, the rest to stderr.

    Example: mom atlas config show openai
    """
    source = read_source(configuration_file(file, quiet=quiet, verbose=verbose))
    configuration = load(source)
    stream = read(source)
    adapters = [(each, lines_of(stream, each)) for each in _named(configuration, name, _known_kind(kind))]
    console = Console(quiet=quiet)
    if form is Format.JSON:
        console.json({"file": source.name, "adapters": [_report(adapter, lines) for adapter, lines in adapters]})
        return int(ExitStatus.DONE)
    for number, (adapter, lines) in enumerate(adapters):
        if number:
            console.data("---\n")
        where = f"lines {_range(lines.reference)} and {_range(lines.document)}"
        console.status(f"{adapter.kind} adapter", f"{name} in {source.name} ({where})")
        _print_lines(console, lines)
        for label, text in _reached(adapter):
            console.say(f"  {label}: {text}")
    return int(ExitStatus.DONE)


def _known_kind(kind: str | None) -> str | None:
    if kind is None:
        return None
    known = next((known for known in KINDS if known.lower() == kind.lower()), None)
    if known is None:
        raise UsageError(f"there is no kind `{kind}`", hint=f"the kinds are {listed(list(KINDS))}")
    return known


def _named(configuration: Configuration, name: str, kind: str | None) -> list[Adapter]:
    """Return the adapters of that name; raises MomError with what was probably meant where there is none."""
    adapters = [adapter for adapter in configuration.adapters if kind in {None, adapter.kind}]
    named = [adapter for adapter in adapters if adapter.name == name]
    if named:
        return named
    meant = closest(name, [adapter.name for adapter in adapters])
    what = f"{kind} adapter" if kind else "adapter"
    hint = f"did you mean `{meant}`?" if meant else "all of them: mom atlas config list"
    raise MomError(f"{configuration.file} has no {what} `{name}`", hint=hint)


def _report(adapter: Adapter, lines: AdapterLines) -> dict[str, Any]:
    return {
        **describe(adapter, Environment(os.environ)),
        "documentLines": list(lines.document),
        "referenceLines": list(lines.reference),
        "text": lines.text,
    }


def _print_lines(console: Console, lines: AdapterLines) -> None:
    """Write the document's lines: as they are, or on a terminal with numbers and colours."""
    if not console.colour(console.stdout):
        console.data(f"{lines.text}\n")
        return
    from rich.console import Console as Terminal
    from rich.syntax import Syntax

    text = "\n".join(visible(line.removesuffix("\r")) for line in lines.text.split("\n"))
    shown = Syntax(
        text, "yaml", theme="ansi_dark", line_numbers=True, start_line=lines.document[0], background_color="default"
    )
    Terminal(file=console.stdout, force_terminal=True, width=_width()).print(shown)


def _width() -> int:
    return max(40, shutil.get_terminal_size().columns)


def _reached(adapter: Adapter) -> list[tuple[str, str]]:
    """Return how callers reach the adapter, where their requests go, and which variables that takes."""
    kind = kind_of(adapter)
    reached = served.reached(adapter) if adapter.kind in served.KINDS else "not served by mom atlas run"
    words = [("reached at", reached), ("leads to", kind.target(adapter))]
    environment = Environment(os.environ)
    variables = [f"{name} ({environment.state(name)})" for name in variable_names([adapter])]
    return [*words, ("variables", ", ".join(variables))] if variables else words


def _range(lines: tuple[int, int]) -> str:
    return f"{lines[0]}-{lines[1]}" if lines[1] > lines[0] else str(lines[0])
