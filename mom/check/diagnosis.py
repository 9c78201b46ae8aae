"""From a response to the stage that failed and what to do. Values in, values out; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mom.atlas.rules.error_types import ERROR_TYPES
from mom.check.exchange import NoResponse, Response
from mom.check.result import Failure, Stage
from mom.check.smoke import SmokeRequest
from mom.envoy import failures
from mom.gateway import ErrorTypes

# Stages of the errors that Atlas itself reports (`mom.envoy.failures`, `mom.envoy.replies`).
_STAGES = {
    ErrorTypes.MISSING_ACCESS_TOKEN: Stage.TOKEN,
    ErrorTypes.INVALID_ACCESS_TOKEN: Stage.TOKEN,
    ErrorTypes.NOT_ALLOWED: Stage.TOKEN,
    ErrorTypes.IDENTITY_PROVIDER_UNAVAILABLE: Stage.TOKEN,
    ErrorTypes.UPSTREAM_NAME: Stage.DNS,
    ErrorTypes.UPSTREAM_CONNECTION: Stage.CONNECTION,
    ErrorTypes.UPSTREAM_TLS: Stage.CONNECTION,
    ErrorTypes.UPSTREAM_CERTIFICATE: Stage.CERTIFICATE,
    ErrorTypes.UPSTREAM_CONNECT_TIMEOUT: Stage.TIMEOUT,
    ErrorTypes.INSTANCE_REQUEST_TIMEOUT: Stage.TIMEOUT,
}
# Where the check knows more than the type says.
_HINTS = {
    ErrorTypes.NO_MATCHING_INSTANCE: "the gateway runs another configuration: start it again with this one",
}
_SUCCESS = range(200, 300)
# RFC 9110, 10.2.3 and RFC 6585, 4.
_RETRY_AFTER = "retry-after"


def diagnose(
    response: Response | NoResponse, request: SmokeRequest, variables: Sequence[str], gateway: str
) -> Failure | None:
    """Return what failed, None where the adapter works.

    variables: those that the adapter's headers refer to. gateway: the origin, for the advice about tokens.
    """
    if isinstance(response, NoResponse):
        return _without_response(response, gateway)
    if response.atlas_error is not None:
        return _of_atlas(response, gateway)
    if response.status in {401, 403, 407}:
        return _refused(response.status, request, variables)
    if response.status == 429:
        return _rate_limited(response)
    if response.status >= 500:
        return Failure(Stage.API, f"the API failed: HTTP {response.status}", "look at the API's own status page")
    return _unexpected(response, request, variables)


def token_hint(gateway: str) -> str:
    """Return what shows whose token was sent to `gateway`."""
    return f"mom auth status --base-url {gateway} shows which identity was used, and why"


def _without_response(response: NoResponse, gateway: str) -> Failure:
    if response.late:
        return Failure(Stage.TIMEOUT, response.reason, "the API is slow: allow it more time with --timeout SECONDS")
    hint = "start it with mom atlas run, or leave out --base-url to have one started for the check"
    return Failure(Stage.GATEWAY, f"no response from the gateway {gateway}: {response.reason}", hint)


def _of_atlas(response: Response, gateway: str) -> Failure:
    kind = response.atlas_error or ""
    message = _message_of(response.body)
    stage = _STAGES.get(kind, Stage.ATLAS)
    known = [failure for failure in failures.FAILURES if failure.type == kind]
    failure = next((failure for failure in known if failure.message == message), known[0] if len(known) == 1 else None)
    hint = failure.hint if failure else _HINTS.get(kind)
    if hint is None and stage is Stage.TOKEN and kind != ErrorTypes.IDENTITY_PROVIDER_UNAVAILABLE:
        hint = token_hint(gateway)
    elif hint is None and kind in ERROR_TYPES:
        hint = ERROR_TYPES[kind].hint
    return Failure(stage, f"{kind}: {message}" if message else kind, hint)


def _message_of(body: bytes) -> str:
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return message if isinstance(message, str) else ""


def _refused(status: int, request: SmokeRequest, variables: Sequence[str]) -> Failure:
    names = " and ".join(variables)
    if not variables:
        message = f"the API wants a credential (HTTP {status}), and the adapter sends none"
        return Failure(Stage.AUTHORIZATION, message, "add a header: mom atlas config add-http-adapter --help")
    if status == 403 and request.needs_permission:
        message = f"the API refused the request (HTTP 403): the credential in {names} is not allowed to do this"
        hint = f"give it the scope or permission for {request}, or use another credential"
    else:
        message = f"the API refused the credential in {names} (HTTP {status})"
        hint = "it is wrong, expired or revoked: create a new one"
    return Failure(Stage.AUTHORIZATION, message, _with_page(hint, request))


def _with_page(hint: str, request: SmokeRequest) -> str:
    """Return `hint` with the vendor's page, where one is known."""
    pages = list(dict.fromkeys(variable.obtain for variable in request.api.variables)) if request.api else []
    return f"{hint}, see {pages[0]}" if pages else hint


def _rate_limited(response: Response) -> Failure:
    after = response.headers.get(_RETRY_AFTER, "")
    wait = f"in {after} s" if after.isdigit() and len(after) < 7 else "later"
    return Failure(
        Stage.RATE_LIMIT, "the API limits requests, and the limit is reached (HTTP 429)", f"check again {wait}"
    )


def _unexpected(response: Response, request: SmokeRequest, variables: Sequence[str]) -> Failure | None:
    if not request.proves:
        return None
    expected = response.status in _SUCCESS if request.status is None else response.status == request.status
    if not expected:
        wanted = "200 to 299" if request.status is None else str(request.status)
        hint = "check baseUrl and the path of the smoke request: spec.smoke, or --path PATH"
        if 300 <= response.status < 400:
            hint = "write the URL to which the API redirects in baseUrl"
        return Failure(Stage.API, f"HTTP {response.status} for {request}, expected {wanted}", hint)
    if request.proof is not None and not _proven(response.body, request.proof.at, request.proof.equals):
        names = " and ".join(variables) or "the adapter"
        message = f"HTTP {response.status}, but `{request.proof.at}` in the body says that the credential was refused"
        return Failure(Stage.AUTHORIZATION, message, _with_page(f"create a new credential for {names}", request))
    return None


def _proven(body: bytes, at: str, equals: str | bool | None) -> bool:
    try:
        value: Any = json.loads(body)
        for step in at.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    return value == equals if equals is not None else bool(value)
