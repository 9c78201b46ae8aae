"""`mom atlas config add-moment-adapter`: the service catalog's source on GitHub, as one edit."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters.moment import MomentAdapterSpec, check_schedule
from mom.cli.adding import run_addition
from mom.cli.http_adapter import read_adapter_name, read_base_url
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
from mom.cli.variable_options import read_variable
from mom.errors import UsageError

AccessToken = Annotated[
    str, typer.Option("--access-token", metavar="ENV", help="The variable of a GitHub token that reads the catalog.")
]
BaseUrl = Annotated[str, typer.Option("--base-url", metavar="URL", help="Where GitHub's API is.")]
Schedule = Annotated[
    str | None,
    typer.Option("--discovery-schedule", metavar="CRON", help="When to look for changes: '0 * * * *', @hourly."),
]


def add(
    *,
    file: EditedFileOption = None,
    adapter_name: AdapterNameOption = "moment",
    variable: AccessToken = "GITHUB_TOKEN",
    base_url: BaseUrl = "https://api.github.com",
    discovery_schedule: Schedule = None,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    """Add a Moment adapter: a service catalog.

    Example:
      mom atlas config add-moment-adapter --access-token GITHUB_TOKEN
    """
    if discovery_schedule is not None and not check_schedule(discovery_schedule):
        hint = "write five or six fields of cron, such as '0 * * * *', or a word such as @hourly"
        raise UsageError("--discovery-schedule: this is not a schedule", hint=hint)
    adapter = MomentAdapterSpec(
        name=read_adapter_name(adapter_name),
        base_url=read_base_url(base_url),
        variable=read_variable("--access-token", "the access token", variable),
        schedule=discovery_schedule,
    )
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_addition(adapter, options, variables=[adapter.variable], report={"baseUrl": adapter.base_url})
