"""`mom atlas config list`: the adapters of a configuration, and whether their variables are set."""

from __future__ import annotations

import os
from typing import Any

from mom.atlas.adapters import kind_of
from mom.atlas.load import load
from mom.atlas.model import Adapter, Configuration
from mom.atlas.rules.variable_rules import Environment, variable_names
from mom.cli.configuration_file import configuration_file, read_source
from mom.cli.options import Format, FormatOption, QuietOption, ReadFileOption, VerboseOption
from mom.cli.tables import print_table
from mom.console import Console
from mom.envoy import adapters as served
from mom.errors import ExitStatus

_COLUMNS = ("kind", "name", "base URL or profiles", "variables", "line")


def list_adapters(
    *,
    file: ReadFileOption = None,
    form: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """List the adapters of a configuration.

    With where their requests go, and whether their variables are set.

    Example: mom atlas config list
    """
    configuration = load(read_source(configuration_file(file, quiet=quiet, verbose=verbose)))
    environment = Environment(os.environ)
    console = Console(quiet=quiet)
    if form is Format.JSON:
        console.json(_report(configuration, environment))
    elif configuration.adapters:
        print_table(console, _COLUMNS, [_row(adapter, environment) for adapter in configuration.adapters])
    else:
        console.status("Empty", f"{configuration.file} has no adapters")
        console.hint("add one: mom atlas config add openai")
    return int(ExitStatus.DONE)


def _row(adapter: Adapter, environment: Environment) -> tuple[str, ...]:
    variables = ", ".join(f"{name} {environment.state(name)}" for name in variable_names([adapter]))
    return adapter.kind, adapter.name, kind_of(adapter).target(adapter), variables or "-", str(adapter.place.line)


def _report(configuration: Configuration, environment: Environment) -> dict[str, Any]:
    return {
        "file": configuration.file,
        "name": configuration.name,
        "adapters": [describe(adapter, environment) for adapter in configuration.adapters],
    }


def describe(adapter: Adapter, environment: Environment) -> dict[str, Any]:
    """Return what the JSON reports of `list` and `show` say of an adapter."""
    return {
        "kind": adapter.kind,
        "name": adapter.name,
        "target": kind_of(adapter).target(adapter),
        "path": f"{served.path(adapter)}/" if adapter.kind in served.KINDS else None,
        "variables": [{"name": name, "set": environment.state(name) == "set"} for name in variable_names([adapter])],
        "line": adapter.place.line,
    }
