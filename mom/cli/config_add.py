"""`mom atlas config add`: the adapter of an API that the catalog knows, as one edit."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit.add import add_adapter
from mom.catalog import loader
from mom.catalog.adapter import choose, read_values, usual_host
from mom.catalog.integration import Integration
from mom.cli import http_adapter
from mom.cli.add_http_adapter import AllowLiteralSecret, describe
from mom.cli.editing import Description, run_edit
from mom.cli.options import (
    CheckOption,
    DiffOption,
    DryRunOption,
    EditedFileOption,
    Format,
    FormatOption,
    QuietOption,
    VerboseOption,
    write_options,
)


def complete(incomplete: str) -> list[str]:
    """Return the names of the catalog that begin so."""
    return [name for name in loader.names() if name.startswith(incomplete)]


Name = Annotated[str, typer.Argument(metavar="NAME", help="An API of the catalog.", autocompletion=complete)]

AdapterName = Annotated[
    str | None, typer.Option("--adapter-name", metavar="NAME", help="The adapter's name. Default: the API's.")
]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PLACEHOLDER=VALUE", help="A part of the base URL, such as a host. Repeatable."),
]
Optional = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="HEADER,...", help="Optional headers of the catalog. Repeatable."),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="Where the API is, instead of the catalog's URL.")
]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header", "-H", metavar="'NAME: VALUE'", help="A further header, or instead of one of the catalog's."
    ),
]


def add(
    name: Name,
    *,
    file: EditedFileOption = None,
    adapter_name: AdapterName = None,
    set_: Values = None,
    with_: Optional = None,
    base_url: BaseUrl = None,
    header: Headers = None,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
    allow_literal_secret: AllowLiteralSecret = False,
) -> int:
    """Add the HTTP adapter of an API that the catalog knows.

    It writes what add-http-adapter would. All APIs: mom atlas config integrations.

    Example:
      mom atlas config add openai --with organization
      mom atlas config add gitlab --set host=gitlab.example.com
    """
    entry = loader.get(name)
    choice = choose(
        entry,
        values=read_values(set_ or ()),
        optional=[key for text in with_ or () for key in text.split(",")],
        adapter_name=adapter_name,
        base_url=base_url,
        headers=http_adapter.read_headers(header or (), allow_literal_secret=allow_literal_secret),
    )
    adapter = http_adapter.read_choice(choice, allow_literal_secret=allow_literal_secret)
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_edit(
        options,
        lambda source: add_adapter(source, adapter),
        lambda edit: _describe(entry, adapter, describe(edit, adapter, options)),
    )


def _describe(entry: Integration, adapter: HttpAdapterSpec, described: Description) -> Description:
    """Return what is reported of the edit: as of add-http-adapter, and where each credential comes from."""
    known = [variable for name in http_adapter.variables(adapter) if (variable := entry.variable(name))]
    warnings = list(described.warnings)
    if known and (usual := usual_host(entry, adapter.base_url)):
        names_known = ", ".join(variable.name for variable in known)
        warnings.append(f"{names_known} would be sent to {adapter.base_url}; {entry.name} is at {usual}")
    return described._replace(
        report={
            **described.report,
            "integration": entry.name,
            "obtain": {variable.name: variable.obtain for variable in known},
        },
        warnings=warnings,
        notes=[*described.notes, *(f"{each.name}: {each.what}, see {each.obtain}" for each in known)],
    )
