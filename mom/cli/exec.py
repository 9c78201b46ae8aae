"""`mom exec`: run a program whose SDKs reach APIs through a gateway, with a token that ends with it."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mom.auth import ephemeral
from mom.auth.base_url import Gateway, resolve_gateway
from mom.auth.sources import resolve_token_source
from mom.auth.store import home
from mom.auth.tokens import MAX_TTL
from mom.cli.durations import seconds
from mom.cli.token_options import AdaptersOption, BaseUrlOption, TokenFileOption, checked_adapters, require_own_key
from mom.console import Console
from mom.errors import ExitStatus, MomError, UsageError
from mom.exec.child import Child
from mom.exec.gateway import served, wait_until_trusted
from mom.exec.variables import Served, variables
from mom.gateway import EPHEMERAL_MAX_LIFETIME_SECONDS
from mom.shell import quote

Words = Annotated[
    list[str] | None, typer.Argument(metavar="-- COMMAND [ARGUMENT]...", help="What to run.", show_default=False)
]
Ttl = Annotated[
    str | None,
    typer.Option(
        "--ttl", metavar="DURATION", help="Use a token of your own key that lives so long, such as 15m; at most 1h."
    ),
]
Print = Annotated[bool, typer.Option("--print", help="Print the variables for a shell; run nothing.")]


def exec_(
    words: Words = None,
    *,
    adapter: AdaptersOption = None,
    base_url: BaseUrlOption = None,
    ttl: Ttl = None,
    token_file: TokenFileOption = None,
    print_: Print = False,
) -> int:
    """Run a program whose SDKs call APIs through a gateway.

    --adapter names each API that the program calls. It gets the variables of their SDKs (OPENAI_BASE_URL,
    OPENAI_API_KEY), set to the gateway and a token that opens these adapters alone. The token ends with the program: it
    is signed by a key that this Atlas trusts only while the program runs.

    Example: mom exec --adapter openai -- python app.py
    """
    try:
        names = checked_adapters(adapter)
        if not names:
            raise UsageError("no adapter is named", hint="name one: --adapter openai")
        if bool(words) == print_:
            wrong = "--print runs no command" if print_ else "no command is given"
            raise UsageError(wrong, hint="mom exec --adapter NAME -- COMMAND, or mom exec --adapter NAME --print")
        gateway = resolve_gateway(base_url, os.environ)
        source = resolve_token_source(token_file, os.environ)
        if ttl is not None:
            require_own_key(source, "--ttl")
        adapters = served(gateway, names, source.token(gateway))
        if print_ or ttl is not None or not source.signs:
            life = MAX_TTL if ttl is None else seconds(ttl, "--ttl")
            token = source.token(gateway, ttl=life, adapters=tuple(each.path for each in adapters))
            environment = variables(adapters, gateway, token, os.environ)
            return _print(environment) if print_ else _run(list(words or ()), environment)
        return _run_with_key(list(words or ()), gateway, adapters)
    except MomError as error:
        if error.exit_status in {ExitStatus.FAILED, ExitStatus.USAGE}:
            # As env(1): a program's own status is not one of these.
            error.exit_status = ExitStatus.NOT_STARTED
        raise


def _run_with_key(words: list[str], gateway: Gateway, adapters: list[Served]) -> int:
    """Run a program while a key of its own is trusted."""
    key = ephemeral.EphemeralKey(home(os.environ))
    try:
        wait_until_trusted(gateway, lambda: key.token(gateway.origin, ttl=60))
        paths = tuple(each.path for each in adapters)
        token = key.token(gateway.origin, ttl=EPHEMERAL_MAX_LIFETIME_SECONDS - 60, adapters=paths)
        child = Child(words, {**os.environ, **variables(adapters, gateway, token, os.environ)})
        status = child.wait()
    finally:
        key.close()
    return child.end_as(status)


def _run(words: list[str], environment: dict[str, str]) -> int:
    child = Child(words, {**os.environ, **environment})
    return child.end_as(child.wait())


def _print(environment: dict[str, str]) -> int:
    """Print lines that every POSIX shell and fish take."""
    Console().data("".join(f"export {name}={quote(value)}\n" for name, value in environment.items()))
    return int(ExitStatus.DONE)
