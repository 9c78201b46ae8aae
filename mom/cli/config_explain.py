"""`mom atlas config explain`: whether a request of a caller would pass, by which entry or list, at which line."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mom.atlas.load import load
from mom.cli.configuration_file import configuration_file, read_source
from mom.cli.options import Format, FormatOption, QuietOption, ReadFileOption, VerboseOption
from mom.console import Console
from mom.envoy.explain import explain as explained
from mom.errors import ExitStatus, MomError, UsageError
from mom.files import read_file, text_of
from mom.gateway import EPHEMERAL_MAX_LIFETIME_SECONDS, LOCAL_MAX_LIFETIME_SECONDS
from mom.streams import STDIN, read_stdin

if TYPE_CHECKING:
    from mom.envoy.verdict import Verdict
    from mom.problems import Place


def explain(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="The request's method, such as GET.")],
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="Its path at the gateway, such as /v1/apis/http/openai/v1/models.")
    ],
    *,
    file: ReadFileOption = None,
    claims_file: Annotated[
        str | None,
        typer.Option("--as", metavar="CLAIMS.JSON", help="The caller's claims, as a JSON object; - for stdin."),
    ] = None,
    token_file: Annotated[
        str | None, typer.Option("--token", metavar="FILE", help="A file with the caller's access token; - for stdin.")
    ] = None,
    http2: Annotated[
        bool, typer.Option("--http2", help="A request over HTTP/2, not over HTTP/1.1: it may have more methods.")
    ] = False,
    form: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Say whether a request would pass, by which entry or list, at which line.

    Without --as or --token the caller has no claims. The signature of a token
    is not verified.

    Exits 0 if the request would pass, 3 if Atlas would refuse it.

    Example: mom atlas config explain GET /v1/apis/http/openai/v1/models
    """
    if claims_file is not None and token_file is not None:
        raise UsageError("--as and --token exclude each other", hint="pass one of them")
    if not path.startswith("/"):
        # Of a URL people copy, what follows the host.
        beyond = f"/{path.partition('://')[2].partition('/')[2]}"
        example = beyond if "://" in path and beyond != "/" else "/v1/apis/http/openai/v1/models"
        raise UsageError("PATH begins with `/`", hint=f"such as {example}")
    source = read_source(configuration_file(file, quiet=quiet, verbose=verbose))
    claims, wrong = _claims(claims_file, token_file)
    from mom.auth import ephemeral, keys

    own = {keys.local_issuer(): LOCAL_MAX_LIFETIME_SECONDS, ephemeral.ISSUER: EPHEMERAL_MAX_LIFETIME_SECONDS}
    now = time.time() if token_file is not None else None
    verdict = explained(load(source), method, path, claims, own=own, http2=http2, now=now)
    console = Console(quiet=quiet)
    if form is Format.JSON:
        console.json(_report(verdict))
    else:
        console.data("\n".join(_lines(verdict)) + "\n")
    for reason in wrong:
        console.warning(f"the token would be refused: {reason}")
    if claims_file is None and token_file is None and any(miss.for_claims for miss in verdict.misses):
        console.say("The caller has no claims; pass --as CLAIMS.JSON or --token FILE for one that has.")
    return int(ExitStatus.DONE if verdict.allowed and not wrong else ExitStatus.WOULD_CHANGE)


def _claims(claims_file: str | None, token_file: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the caller's claims, and why gateways would refuse the token. Raises MomError for what is neither."""
    if token_file is not None:
        from mom.auth.inspection import inspect

        # Which lifetime is too long, the identity provider of the configuration says.
        text = _text(token_file).strip()
        if not text:
            name = {"-": STDIN}.get(token_file, token_file)
            raise MomError(f"{name} is empty: it contains no token", hint="mom auth token > FILE")
        inspected = inspect(text, os.environ, max_lifetime=None)
        return dict(inspected.claims), inspected.wrong
    if claims_file is None:
        return {}, ()
    name = STDIN if claims_file == "-" else claims_file
    from mom.auth import inspection, tokens

    text = _text(claims_file)
    if not text.strip():
        raise MomError(f"{name} is empty", hint='write claims as {"groups": ["platform"]}')
    try:
        claims = tokens.read_json(text)
    except (ValueError, RecursionError) as error:
        raise MomError(
            f"{name} is not JSON that a token can have: {error}", hint='write claims as {"groups": ["platform"]}'
        ) from None
    if not isinstance(claims, dict):
        raise MomError(f"{name} is not a JSON object", hint='write claims as {"groups": ["platform"]}')
    return claims, tuple(inspection.wrong_types(claims))


def _text(path: str) -> str:
    return text_of(read_stdin(), STDIN) if path == "-" else text_of(read_file(path, pipes=True), path)


def _lines(verdict: Verdict) -> list[str]:
    response = f"{verdict.status} {verdict.error}" if verdict.status else "no response: the HTTP/2 stream is reset"
    status = "" if verdict.allowed else f" ({response})"
    where = f" at {verdict.place}" if verdict.place is not None else ""
    rule = f"{verdict.rule}{where}: " if verdict.rule else ""
    first = f"{'allowed' if verdict.allowed else 'refused'}: {rule}{verdict.reason}{status}"
    return [first, *(f"  {miss.name} at {miss.place}: {miss.reason}" for miss in verdict.misses)]


def _report(verdict: Verdict) -> dict[str, Any]:
    return {
        "allowed": verdict.allowed,
        "status": verdict.status or None,
        "error": verdict.error or None,
        "adapter": verdict.adapter or None,
        "rule": verdict.rule or None,
        **_place(verdict.place),
        "reason": verdict.reason,
        "entries": [{"rule": miss.name, **_place(miss.place), "reason": miss.reason} for miss in verdict.misses],
    }


def _place(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {"file": None, "line": None, "column": None}
    return {"file": place.file, "line": place.line, "column": place.column}
