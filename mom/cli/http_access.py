"""The options that say who may do what with an HTTP adapter: entries of `allow`, limits, a timeout and retries."""

from __future__ import annotations

from typing import Annotated

import typer

Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="'METHODS PATHS CLAIMS'",
        help="Requests that may pass: 'GET,HEAD /models /files/** groups=ai', any part. Repeatable: any suffices.",
    ),
]
Limit = Annotated[
    str | None,
    typer.Option("--limit", metavar="N[/adapter]", help="Requests a minute of each caller; /adapter: of all together."),
]
Timeout = Annotated[
    str | None, typer.Option("--timeout", metavar="DURATION", help="How long a whole response may take, such as 30s.")
]
Retries = Annotated[
    int | None,
    typer.Option("--retries", metavar="N", min=0, max=10, help="How often a repeatable request is sent again."),
]
RemoveAllow = Annotated[
    list[str] | None,
    typer.Option(
        "--remove-allow",
        metavar="'METHODS PATHS CLAIMS'",
        help="An entry that goes, in the words of --allow. With the last one, every request may pass. Repeatable.",
    ),
]
RemoveLimit = Annotated[bool, typer.Option("--remove-limit", help="Any number of requests.")]
RemoveTimeout = Annotated[bool, typer.Option("--remove-timeout", help="The timeout of the run.")]
RemoveRetries = Annotated[bool, typer.Option("--remove-retries", help="Send no request again.")]
# By key of `spec`, the option of `set` that takes it out.
REMOVED_BOUNDS = {"limits": "--remove-limit", "timeout": "--remove-timeout", "retries": "--remove-retries"}
