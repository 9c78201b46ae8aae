"""`mom atlas config env`: the environment variables of a configuration, as a report or as a template to fill in."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.load import load
from mom.atlas.model import Configuration
from mom.atlas.rules.variable_rules import Environment, Use, uses
from mom.catalog.integration import Variable
from mom.catalog.loader import match
from mom.cli.configuration_file import configuration_file, read_source
from mom.cli.options import QuietOption, ReadFileOption, VerboseOption
from mom.cli.tables import print_table
from mom.console import Console
from mom.errors import ExitStatus
from mom.streams import visible

_COLUMNS = ("variable", "now", "used in", "line")


class EnvFormat(StrEnum):
    """A report for people or programs, or a template."""

    TEXT = "text"
    JSON = "json"
    DOTENV = "dotenv"
    SHELL = "shell"
    KUBERNETES_SECRET = "kubernetes-secret"  # noqa: S105 - a format's name


@dataclass(frozen=True, slots=True)
class Needed:
    """A variable that a configuration needs: where it is used, and what the catalog knows of it, if anything."""

    name: str
    uses: Sequence[Use]
    known: Variable | None

    @property
    def comments(self) -> Iterator[str]:
        """Yield the comments of a template: where it is used, and where to get a value."""
        yield ", ".join(use.words for use in self.uses)
        if self.known:
            yield f"{self.known.what}: {self.known.obtain}"


def env(
    *,
    file: ReadFileOption = None,
    form: Annotated[
        EnvFormat, typer.Option("--format", metavar="FORMAT", help="text, json, dotenv, shell or kubernetes-secret.")
    ] = EnvFormat.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Show which environment variables a configuration needs.

    Where each is used and whether it is set, never its value. dotenv, shell and
    kubernetes-secret are templates to fill in.

    Example: mom atlas config env --format dotenv > .env
    """
    configuration = load(read_source(configuration_file(file, quiet=quiet, verbose=verbose)))
    variables = _needed(configuration)
    environment = Environment(os.environ)
    console = Console(quiet=quiet)
    if form is EnvFormat.JSON:
        console.json({"file": configuration.file, "variables": [_report(each, environment) for each in variables]})
    elif form is EnvFormat.TEXT:
        if variables:
            print_table(console, _COLUMNS, [_row(each, environment) for each in variables])
        else:
            console.status("Nothing", f"to set: {configuration.file} refers to no variable")
    else:
        console.data("".join(f"{line}\n" for line in _TEMPLATES[form](configuration.name, variables)))
    return int(ExitStatus.DONE)


def _needed(configuration: Configuration) -> list[Needed]:
    by_name: dict[str, list[Use]] = {}
    for use in uses(configuration.adapters):
        by_name.setdefault(use.name, []).append(use)
    return [Needed(name, of_name, _known(name, of_name)) for name, of_name in by_name.items()]


def _known(name: str, of_name: Sequence[Use]) -> Variable | None:
    """Return what the catalog says of a variable of that name, at an API that uses it."""
    for use in of_name:
        entry = match(use.adapter.base_url, use.adapter.name) if isinstance(use.adapter, HttpAdapter) else None
        if entry and (variable := entry.integration.variable(name)):
            return variable
    return None


def _row(variable: Needed, environment: Environment) -> tuple[str, ...]:
    lines = ", ".join(str(use.setting.place.line) for use in variable.uses)
    return variable.name, environment.state(variable.name), ", ".join(use.words for use in variable.uses), lines


def _report(variable: Needed, environment: Environment) -> dict[str, Any]:
    used_in = [
        {
            "kind": use.adapter.kind,
            "adapter": use.adapter.name,
            "setting": use.setting.label,
            "line": use.setting.place.line,
        }
        for use in variable.uses
    ]
    known = {"what": variable.known.what, "obtain": variable.known.obtain} if variable.known else {}
    return {"name": variable.name, "set": environment.state(variable.name) == "set", "uses": used_in, **known}


def _dotenv(atlas: str, variables: Sequence[Needed]) -> Iterator[str]:
    yield f"# Variables of {visible(atlas)}. Fill in, keep out of git, and run: mom atlas run --env-file FILE"
    for variable in variables:
        yield ""
        yield from (f"# {visible(comment)}" for comment in variable.comments)
        yield f"{variable.name}="


def _shell(atlas: str, variables: Sequence[Needed]) -> Iterator[str]:
    yield f"# Variables of {visible(atlas)}. Fill in, keep out of git, and read it: . FILE"
    for variable in variables:
        yield ""
        yield from (f"# {visible(comment)}" for comment in variable.comments)
        # One that is set already keeps its value.
        yield f'export {variable.name}="${{{variable.name}-}}"'


def _kubernetes_secret(atlas: str, variables: Sequence[Needed]) -> Iterator[str]:
    yield f"# Variables of {visible(atlas)}. Fill in, keep out of git, and apply it: kubectl apply -f FILE"
    yield from ("apiVersion: v1", "kind: Secret", "metadata:", f"  name: {_object_name(atlas)}", "type: Opaque")
    yield "stringData:" if variables else "stringData: {}"
    for variable in variables:
        yield from (f"  # {visible(comment)}" for comment in variable.comments)
        yield f'  {variable.name}: ""'


def _object_name(atlas: str) -> str:
    """Return the name as Kubernetes takes one: a label of a domain name (RFC 1123), at most 63 characters."""
    label = re.sub("[^a-z0-9]+", "-", atlas.lower())[:63].strip("-")
    return label or "atlas"


_TEMPLATES: dict[EnvFormat, Callable[[str, Sequence[Needed]], Iterator[str]]] = {
    EnvFormat.DOTENV: _dotenv,
    EnvFormat.SHELL: _shell,
    EnvFormat.KUBERNETES_SECRET: _kubernetes_secret,
}
