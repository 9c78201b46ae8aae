"""`mom atlas config add-aws-adapter`: access keys as profiles, as one edit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Annotated

import typer

from mom.atlas.adapters.aws import AWS, AwsSpec
from mom.atlas.adapters.aws_endpoints import check_region, check_service
from mom.atlas.values.objection import Objection
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
from mom.errors import UsageError

_FORM = "NAME,KEY_ID_ENV,SECRET_ENV[,SESSION_TOKEN_ENV]"
_CREDENTIALS = (("accessKeyId", "the access key id"), ("secretAccessKey", "the secret access key"))
_OPTIONAL = (("sessionToken", "the session token"),)

Profiles = Annotated[
    list[str],
    typer.Option("--profile", metavar=_FORM, help="A name, and the variable of each credential. Repeatable."),
]

Services = Annotated[
    list[str] | None,
    typer.Option(
        "--service", metavar="SERVICE", help="A service that callers reach, instead of some common ones. Repeatable."
    ),
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="REGION", help="A region that callers of every profile reach. Repeatable."),
]

ProfileRegions = Annotated[
    list[str] | None,
    typer.Option("--profile-region", metavar="NAME=REGION", help="The region of a profile given here. Repeatable."),
]


def add(
    *,
    file: EditedFileOption = None,
    profile: Profiles,
    profile_region: ProfileRegions = None,
    service: Services = None,
    region: Regions = None,
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
    services = _checked("--service", service or (), check_service)
    regions = _checked("--region", region or (), check_region)
    texts = _profile_regions(profile_region or (), profiles)
    adapter = AwsSpec(AWS, read_adapter_name(adapter_name), profiles, texts=texts, services=services, regions=regions)
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_profile_addition(adapter, options)


def _checked(option: str, given: Sequence[str], check: Callable[[str], Objection | None]) -> tuple[str, ...]:
    for text in given:
        if wrong := check(text):
            raise UsageError(f"{option}: {wrong.message}", hint=wrong.hint)
    return tuple(dict.fromkeys(given))


def _profile_regions(given: Sequence[str], profiles: Collection[str]) -> dict[str, dict[str, str]]:
    regions: dict[str, dict[str, str]] = {}
    for text in given:
        name, equals, region = text.partition("=")
        if not equals or name not in profiles or name in regions:
            hint = "write it as NAME=REGION, once for each profile that --profile gives"
            raise UsageError("--profile-region: not the name of a profile and its region", hint=hint)
        _checked("--profile-region", [region], check_region)
        regions[name] = {"region": region}
    return regions
