"""What the lists of a running gateway have in common: which gateway, whose token, and what is wrong without them."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from mom.auth.base_url import resolve_gateway
from mom.auth.sources import resolve_token_source
from mom.check.exchange import refuse_plain_http
from mom.check.listing import listed
from mom.check.result import Failure, Stage
from mom.errors import MomError
from mom.gateway import DEFAULT_BASE_URL

_SECONDS = 10.0

GatewayOption = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        "-u",
        metavar="GATEWAY",
        help=f"The gateway's URL. Default: $MOM_BASE_URL, else {DEFAULT_BASE_URL}.",
    ),
]


def ask(path: str, base_url: str | None, token_file: str | None, *, instead: str = "") -> tuple[str, list[Any]]:
    """Return the gateway's base URL and the entries of its list at `path`.

    Raises MomError where there is no gateway or it refuses the token; `instead`: what else a user without a gateway can
    type.
    """
    gateway = resolve_gateway(base_url, os.environ)
    refuse_plain_http(gateway)
    token = resolve_token_source(token_file, os.environ).token(gateway)
    entries = listed(gateway, path, token, timeout=_SECONDS)
    if isinstance(entries, Failure):
        raise MomError(entries.message, hint=_hint(entries, instead))
    return gateway.base, entries


def _hint(failure: Failure, instead: str) -> str | None:
    if failure.stage is Stage.TIMEOUT:
        return None
    if failure.stage is Stage.GATEWAY:
        return f"start one with mom atlas run, or name one: -u URL{instead}"
    return failure.hint
