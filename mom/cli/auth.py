"""`mom auth`: this user's keys and tokens, shown and made. Data on stdout, talk on stderr."""

from __future__ import annotations

import dataclasses
import json
import os
from enum import StrEnum
from typing import Annotated, Any

import typer

from mom.auth import inspection, keys, sources, tokens
from mom.auth.base_url import resolve_gateway
from mom.auth.store import home
from mom.cli.options import Format, FormatOption
from mom.console import Console
from mom.errors import ExitStatus, MomError, UsageError
from mom.files import read_file, text_of
from mom.gateway import DEFAULT_BASE_URL
from mom.streams import STDIN, read_stdin, visible


class Algorithm(StrEnum):
    """The algorithms that every gateway takes and that need no choice of parameters."""

    ES256 = "es256"
    EDDSA = "eddsa"


_NAMES = {Algorithm.ES256: "ES256", Algorithm.EDDSA: "EdDSA"}

BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help=f"The gateway. Default: $MOM_BASE_URL, else {DEFAULT_BASE_URL}."),
]
TokenFile = Annotated[
    str | None, typer.Option("--mom-token-file", metavar="FILE", help="A token in a file, as for mom curl.")
]


def keygen(
    *,
    algorithm: Annotated[
        Algorithm | None, typer.Option("--algorithm", help="Default: es256.", case_sensitive=False)
    ] = None,
) -> int:
    """Create your signing key, if there is none yet.

    mom curl does it by itself.

    Example: mom auth keygen --algorithm eddsa
    """
    console = Console()
    folder = home(os.environ)
    before = keys.load(folder)
    found = keys.ensure(folder, algorithm=_NAMES[algorithm or Algorithm.ES256])
    if before is None:
        console.status("Made", _named(found, folder))
        return int(ExitStatus.DONE)
    if algorithm is not None and found.algorithm != _NAMES[algorithm]:
        raise MomError(
            f"there is a key already, and it is one for {found.algorithm}",
            hint=f"replace it: mom auth rotate --algorithm {algorithm.value}",
        )
    console.status("Unchanged", _named(found, folder))
    console.hint("a new one in its place: mom auth rotate")
    return int(ExitStatus.DONE)


def rotate(
    *,
    algorithm: Annotated[
        Algorithm | None, typer.Option("--algorithm", help="Default: the old key's.", case_sensitive=False)
    ] = None,
) -> int:
    """Sign with a new key from now on.

    The old one stays in the public set for two hours more.

    Example: mom auth rotate && mom auth jwks > jwks.json
    """
    console = Console()
    folder = home(os.environ)
    found = keys.rotate(folder, algorithm=_NAMES[algorithm] if algorithm else None)
    console.status("Made", _named(found, folder))
    for jwk in found.retired[:1]:
        console.status("Retired", f"{jwk['kid']}: in the public set for {keys.RETIRED_SECONDS // 3600} hours more")
    console.hint("gateways that trust a copy of your public keys need the new one: mom auth jwks")
    return int(ExitStatus.DONE)


def jwks(
    *,
    merge: Annotated[
        str | None,
        typer.Option("--merge", metavar="FILE", help="Print the keys of this JWK Set too, first; - for stdin."),
    ] = None,
) -> int:
    """Print your public keys as a JWK Set.

    It is for an identity provider's publicKey (RFC 7517). Nothing in it is secret.

    Example: mom auth jwks --merge team.json > new.json && mv new.json team.json
    """
    public = keys.public_jwks(home(os.environ))
    if merge is not None:
        public = keys.merge(_read_jwks(merge), public)
    Console().data(json.dumps(public, indent=2) + "\n")
    return int(ExitStatus.DONE)


def token(
    *,
    base_url: BaseUrl = None,
    ttl: Annotated[
        int | None,
        typer.Option("--ttl", metavar="SECONDS", help=f"Default: {tokens.DEFAULT_TTL}; at most {tokens.MAX_TTL}."),
    ] = None,
    token_file: TokenFile = None,
) -> int:
    r"""Print the token that mom curl would send, alone on stdout.

    Example:
      http :8082/v1/apis/http/openai/v1/models \
          "Atlas-Accesstoken: $(mom auth token)"
    """
    at = resolve_gateway(base_url, os.environ)
    source = sources.resolve_token_source(token_file, os.environ)
    if ttl is not None and source.kind != sources.LOCAL_KEY:
        raise UsageError(
            f"--ttl is for tokens that your own key signs, and {source.place} gives another",
            hint=f"leave --ttl out, or unset {source.place}"
            if source.kind == sources.VARIABLE
            else "leave one of the two out",
        )
    text = sources.token(source, at, os.environ, ttl=tokens.DEFAULT_TTL if ttl is None else ttl)
    Console().data(f"{text}\n")
    return int(ExitStatus.DONE)


def status(
    *,
    base_url: BaseUrl = None,
    token_file: TokenFile = None,
    form: FormatOption = Format.TEXT,
) -> int:
    """Show which identity mom curl would use for a gateway, and why.

    Also where it is stored and until when it is valid.

    Example: mom auth status --base-url https://atlas.example
    """
    console = Console()
    found = inspection.status(resolve_gateway(base_url, os.environ), token_file, os.environ)
    if form is Format.JSON:
        console.json(dataclasses.asdict(found))
    else:
        lines = [("gateway", found.gateway), ("source", f"{found.source}: {found.reason}"), ("kept in", found.place)]
        lines += list(found.identity.items())
        lines.append(("good", found.until))
        lines += [("retired", f"{kid}: verifies until {when}") for kid, when in (found.retired or {}).items()]
        _table(console, lines)
        _wrong(console, found.wrong)
        for text in found.notes:
            console.hint(text)
    return int(ExitStatus.FAILED if found.wrong else ExitStatus.DONE)


def inspect(
    given: Annotated[
        str | None, typer.Argument(metavar="TOKEN|-", help="The token; - or nothing: read from stdin, unseen in ps.")
    ] = None,
    *,
    form: FormatOption = Format.TEXT,
) -> int:
    """Show what a token contains and what is wrong with it.

    Exits 1 where a gateway would refuse it.

    The signature is checked only where your own key made it; the report says so.

    Example: mom auth token | mom auth inspect
    """
    console = Console()
    text = text_of(read_stdin(), STDIN) if given in (None, "-") else str(given)
    # As it is copied from a request.
    name, colon, value = text.strip().partition(":")
    text = value.strip() if colon and name.strip().lower() in ("atlas-accesstoken", "authorization") else text.strip()
    found = inspection.inspect(text.removeprefix("Bearer ").strip(), os.environ)
    if form is Format.JSON:
        console.json(dataclasses.asdict(found))
    else:
        # ASCII only: what a token holds is somebody else's, and must not drive the terminal.
        lines = [(f"header {name}", json.dumps(value)) for name, value in found.header.items()]
        lines += [
            (name, f"{json.dumps(value)} ({found.times[name]})" if name in found.times else json.dumps(value))
            for name, value in found.claims.items()
        ]
        _table(console, [*lines, ("signature", found.signature)])
        _wrong(console, found.wrong)
    return int(ExitStatus.FAILED if found.wrong else ExitStatus.DONE)


def _named(found: keys.KeySet, folder: str) -> str:
    return f"{found.algorithm} key {found.kid} of {found.subject} in {keys.key_file(folder)}"


def _read_jwks(file: str) -> Any:
    name = STDIN if file == "-" else file
    text = text_of(read_stdin() if file == "-" else read_file(file, pipes=True), name)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        empty = "a shell empties a file that it writes to: print to another file, then move it"
        raise MomError(f"{name} is not JSON", hint=None if text else empty) from None


def _table(console: Console, lines: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        console.data(f"{visible(f'{name:<{width}}  {value}')}\n")


def _wrong(console: Console, wrong: tuple[str, ...]) -> None:
    for text in wrong:
        console.warning(text)
