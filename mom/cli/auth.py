"""`mom auth`: create and show this user's keys and tokens. Data on stdout, messages on stderr."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Annotated, Any

import typer

from mom.auth import inspection, jwk, keys, tokens
from mom.auth.base_url import resolve_gateway
from mom.auth.sources import resolve_token_source
from mom.auth.store import home
from mom.cli.durations import seconds
from mom.cli.options import Format, FormatOption, QuietOption
from mom.cli.token_options import AdaptersOption, BaseUrlOption, TokenFileOption, checked_adapters, require_own_key
from mom.console import Console
from mom.errors import ExitStatus, MomError, UsageError
from mom.files import read_file, text_of
from mom.gateway import AWS_PREFIX, KUBERNETES_PATH, TOKEN_HEADER
from mom.shell import quote
from mom.streams import STDIN, read_stdin, visible

# As a JWK names them, and as ssh-keygen does.
_ALGORITHMS = {"eddsa": jwk.EDDSA, "ed25519": jwk.EDDSA, "es256": jwk.ES256}

# The usual names of adapters of other kinds, which a token names by their path.
_OTHER_KINDS = {
    "aws": f"AWS: --adapter {AWS_PREFIX.rstrip('/')}",
    "kubernetes": f"Kubernetes: --adapter {KUBERNETES_PATH}",
}
_METAVAR = "|".join(jwk.ALGORITHMS)


def keygen(
    *,
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", metavar=_METAVAR, help=f"Default: {keys.DEFAULT_ALGORITHM} (Ed25519).")
    ] = None,
    quiet: QuietOption = False,
) -> int:
    """Create your signing key, if there is none yet.

    mom curl does so on first use.

    Example: mom auth keygen --algorithm ES256
    """
    console = Console(quiet=quiet)
    folder = home(os.environ)
    wanted = _algorithm(algorithm)
    existed = keys.load(folder) is not None
    stored = keys.ensure(folder, algorithm=wanted or keys.DEFAULT_ALGORITHM)
    if not existed:
        console.status("Created", _described(stored, folder))
        return int(ExitStatus.DONE)
    if wanted is not None and stored.algorithm != wanted:
        raise MomError(
            f"you already have a signing key, for {stored.algorithm}",
            hint=f"replace it: mom auth rotate --algorithm {wanted}",
        )
    console.status("Unchanged", _described(stored, folder))
    console.hint("replace it with a new one: mom auth rotate")
    return int(ExitStatus.DONE)


def rotate(
    *,
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", metavar=_METAVAR, help="Default: the old key's.")
    ] = None,
    quiet: QuietOption = False,
) -> int:
    """Replace your signing key with a new one.

    Tokens of the old key stay valid: it remains in the public set for two more hours.

    Example: mom auth rotate && mom auth jwks > jwks.json
    """
    console = Console(quiet=quiet)
    folder = home(os.environ)
    stored = keys.rotate(folder, algorithm=_algorithm(algorithm))
    console.status("Created", _described(stored, folder))
    for retired in stored.retired[:1]:
        hours = keys.RETIRED_SECONDS // 3600
        console.status("Retired", f"{retired['alg']} key {retired['kid']}; it stays public for {hours} more hours")
    console.hint("publish the new set where gateways trust a copy of it: mom auth jwks")
    return int(ExitStatus.DONE)


def jwks(
    *,
    merge: Annotated[
        str | None,
        typer.Option("--merge", metavar="FILE", help="Print the keys of this JWK Set first; - for stdin."),
    ] = None,
) -> int:
    """Print your public keys as a JWK Set.

    For the publicKey of an identity provider (RFC 7517). Nothing in it is secret.

    Example: mom auth jwks --merge team.json > new.json && mv new.json team.json
    """
    public = keys.public_jwks(home(os.environ))
    if merge is not None:
        public = jwk.merge_jwks(_read_jwks(merge), public)
    Console().data(json.dumps(public, indent=2) + "\n")
    return int(ExitStatus.DONE)


def token(
    *,
    base_url: BaseUrlOption = None,
    adapter: AdaptersOption = None,
    ttl: Annotated[
        str | None,
        typer.Option(
            "--ttl", metavar="DURATION", help=f"Such as 600 or 15m. Default: {tokens.DEFAULT_TTL}; at most 1h."
        ),
    ] = None,
    token_file: TokenFileOption = None,
) -> int:
    r"""Print the token that mom curl would send, alone on stdout.

    Example:
      http :8082/v1/apis/http/openai/v1/models \
          "Atlas-Accesstoken: $(mom auth token)"
    """
    gateway = resolve_gateway(base_url, os.environ)
    source = resolve_token_source(token_file, os.environ)
    for option, given in (("--ttl", ttl), ("--adapter", adapter)):
        if given:
            require_own_key(source, option)
    life = tokens.DEFAULT_TTL if ttl is None else seconds(ttl, "--ttl")
    adapters = checked_adapters(adapter)
    for name in adapters:
        if name in _OTHER_KINDS:
            # It would open nothing, and no gateway is asked here.
            Console().say(f"note: --adapter {name} is an HTTP adapter of this name; for {_OTHER_KINDS[name]}")
    Console().data(f"{source.token(gateway, ttl=life, adapters=adapters)}\n")
    return int(ExitStatus.DONE)


def status(
    *,
    base_url: BaseUrlOption = None,
    token_file: TokenFileOption = None,
    form: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
) -> int:
    """Show which identity mom curl would use for a gateway, and why.

    It exits with 1 where the gateway would refuse it.

    Example: mom auth status --base-url https://atlas.example
    """
    console = Console(quiet=quiet)
    used = resolve_token_source(token_file, os.environ).describe(resolve_gateway(base_url, os.environ))
    if form is Format.JSON:
        console.json(dataclasses.asdict(used))
    else:
        lines = [("gateway", used.gateway), ("source", f"{used.source}: {used.reason}"), ("stored in", used.place)]
        lines += list(used.identity.items())
        lines.append(("valid", used.until))
        lines += [("retired", f"{kid}: verifies until {when}") for kid, when in (used.retired or {}).items()]
        _table(console, lines)
        _warn(console, used.wrong)
        for text in used.notes:
            console.hint(text)
    return int(ExitStatus.FAILED if used.wrong else ExitStatus.DONE)


def inspect(
    given: Annotated[
        str | None, typer.Argument(metavar="TOKEN|-", help="The token; stdin without it, unseen in ps.")
    ] = None,
    *,
    form: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
) -> int:
    """Show what a token contains and why a gateway would refuse it.

    It exits with 1 where one would.

    The signature is verified only where the token names one of your own keys.

    Example: mom auth token | mom auth inspect
    """
    console = Console(quiet=quiet)
    if given is not None and os.path.isfile(given):  # noqa: PTH113 - pathlib raises for what is as long as a token
        raise MomError(f"{given} is a file, not a token", hint=f"mom auth inspect - < {quote(given)}")
    text = text_of(read_stdin(), STDIN) if given in (None, "-") else str(given)
    # As it is copied from a request.
    name, colon, value = text.strip().partition(":")
    is_header = colon and name.strip().lower() in (TOKEN_HEADER.lower(), "authorization")
    text = value.strip() if is_header else text.strip()
    inspected = inspection.inspect(text.removeprefix("Bearer ").strip(), os.environ)
    if form is Format.JSON:
        console.json(dataclasses.asdict(inspected))
    else:
        # ASCII only: a token's content is from elsewhere, and must not drive the terminal.
        lines = [(f"header {name}", json.dumps(value)) for name, value in inspected.header.items()]
        times = inspected.times
        lines += [
            (name, f"{json.dumps(value)} ({times[name]})" if name in times else json.dumps(value))
            for name, value in inspected.claims.items()
        ]
        _table(console, [*lines, ("signature", inspected.signature)])
        _warn(console, inspected.wrong)
    return int(ExitStatus.FAILED if inspected.wrong else ExitStatus.DONE)


def _algorithm(text: str | None) -> str | None:
    if text is None:
        return None
    algorithm = _ALGORITHMS.get(text.lower())
    if algorithm is None:
        raise UsageError(f"--algorithm {text} is not supported", hint=f"choose {' or '.join(jwk.ALGORITHMS)}")
    return algorithm


def _described(stored: keys.KeySet, folder: str) -> str:
    return f"{stored.algorithm} signing key {stored.kid} for {stored.subject} in {keys.key_file(folder)}"


def _read_jwks(file: str) -> Any:
    name = STDIN if file == "-" else file
    text = text_of(read_stdin() if file == "-" else read_file(file, pipes=True), name)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        empty = "the shell truncated the file; write to a new file and rename it"
        raise MomError(f"{name} is not JSON", hint=None if text else empty) from None


def _table(console: Console, lines: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        console.data(f"{visible(f'{name:<{width}}  {value}')}\n")


def _warn(console: Console, wrong: tuple[str, ...]) -> None:
    for text in wrong:
        console.warning(text)
