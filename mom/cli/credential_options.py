"""The options by which a command says where variables come from: the same for `run`, `check` and `validate --env`."""

from __future__ import annotations

from typing import Annotated

import typer

EnvFileOption = Annotated[
    str | None,
    typer.Option("--env-file", metavar="FILE", help="NAME=value lines. A variable of the environment itself wins."),
]
CredentialOption = Annotated[
    list[str] | None,
    typer.Option(
        "--credential",
        metavar="NAME=exec:COMMAND",
        help="The variable NAME is what COMMAND prints (exec,ttl=5m,stale=10m:COMMAND), or NAME=file:PATH. Repeatable.",
    ),
]
CredentialsDir = Annotated[
    str | None,
    typer.Option(
        "--credentials-dir", metavar="DIR", help="A folder with a file per variable. Default: $CREDENTIALS_DIRECTORY."
    ),
]
