"""`mom atlas config add-aws-adapter`: access keys as profiles, as one edit."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters.aws import AWS
from mom.atlas.adapters.profiles import ProfileSpec
from mom.cli.adding import run_profile_addition
from mom.cli.editing import edit_options
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
)
from mom.cli.profile_options import read_profiles

_FORM = "NAME,KEY_ID_ENV,SECRET_ENV[,SESSION_TOKEN_ENV]"
_CREDENTIALS = (("accessKeyId", "the access key id"), ("secretAccessKey", "the secret access key"))
_OPTIONAL = (("sessionToken", "the session token"),)

Profiles = Annotated[
    list[str],
    typer.Option("--profile", metavar=_FORM, help="A name, and the variable of each credential. Repeatable."),
]


def add(
    *,
    file: EditedFileOption = None,
    profile: Profiles,
    adapter_name: AdapterNameOption = "aws",
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    r"""Add an AWS adapter, or profiles to one.

    A further profile goes into the document that the file has. The option
    takes names of environment variables, never the credentials themselves.

    Example:
      mom atlas config add-aws-adapter \
          --profile prod,AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY
    """
    profiles = read_profiles(profile, _CREDENTIALS, _OPTIONAL, _FORM)
    adapter = ProfileSpec(AWS, read_adapter_name(adapter_name), profiles)
    options = edit_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_profile_addition(adapter, options)
