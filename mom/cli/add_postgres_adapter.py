"""`mom atlas config add-postgres-adapter`: databases as profiles, as one edit."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters.postgres import POSTGRES
from mom.atlas.adapters.profiles import ProfileSpec
from mom.cli.adding import run_profile_addition
from mom.cli.http_adapter import read_adapter_name
from mom.cli.options import (
    AdapterNameOption,
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
from mom.cli.profile_options import read_profiles

_FORM = "NAME,URL_ENV"
_CREDENTIALS = (("databaseUrl", "the connection URL"),)

Profiles = Annotated[
    list[str],
    typer.Option("--profile", metavar=_FORM, help="A name, and the variable of the connection URL. Repeatable."),
]


def add(
    *,
    file: EditedFileOption = None,
    profile: Profiles,
    adapter_name: AdapterNameOption = "postgres",
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    """Add a Postgres adapter, or profiles to one.

    A profile is a database, of which a caller chooses one. The option takes
    the name of an environment variable, never the URL itself.

    Example:
      mom atlas config add-postgres-adapter --profile main,DATABASE_URL
    """
    profiles = read_profiles(profile, _CREDENTIALS, (), _FORM)
    adapter = ProfileSpec(POSTGRES, read_adapter_name(adapter_name), profiles)
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_profile_addition(adapter, options)
