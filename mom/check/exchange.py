"""One signed request through a gateway, bounded in time and size."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from mom.auth.base_url import Gateway
from mom.check.smoke import SmokeRequest
from mom.errors import UsageError
from mom.files import reason_of
from mom.gateway import APIS_PATH, ERROR_HEADER, TOKEN_HEADER

# More than any proof of a credential, or any error of Atlas, needs.
MAX_BODY = 1 << 18


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, and after how many seconds. `headers` are by their names in lower case."""

    status: int
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def atlas_error(self) -> str | None:
        """The type of Atlas's own error; None where the response is the API's."""
        return self.headers.get(ERROR_HEADER.lower())


@dataclass(frozen=True, slots=True)
class NoResponse:
    """Why the gateway itself gave no response, as a clause, after how many seconds. `late`: it took too long."""

    reason: str
    seconds: float
    late: bool = False


def refuse_plain_http(gateway: Gateway) -> None:
    """Raise UsageError for a gateway on another machine without TLS: the token could be read on the way."""
    if gateway.scheme == "http" and not gateway.loopback:
        allowed = f"mom curl --mom-insecure-http --base-url {gateway.base} {APIS_PATH}"
        raise UsageError(
            f"refusing to send the token to {gateway.origin}: plain http to another host",
            hint=f"use https, or allow it for one request: {allowed}",
        )


def send(
    gateway: Gateway, path: str, token: str, request: SmokeRequest, *, timeout: float, limit: int = MAX_BODY
) -> Response | NoResponse:
    """Send `request`, with `path` at the gateway in the place of its own, and return what comes back.

    It takes little more than `timeout` seconds, whatever comes; of a body it reads `limit` bytes.
    """
    started = time.monotonic()
    connection = _connection(gateway, timeout)
    try:
        headers = {TOKEN_HEADER: token, "User-Agent": "mom", "Accept": "*/*", **dict(request.headers)}
        connection.request(request.method, gateway.prefix + path, body=request.body, headers=headers)
        response = connection.getresponse()
        body = _body(response, limit, started + timeout)
        names = {name.lower(): value for name, value in response.getheaders()}
        return Response(response.status, time.monotonic() - started, names, body)
    except TimeoutError:
        return NoResponse(f"no response after {timeout:g} s", time.monotonic() - started, late=True)
    except OSError as error:
        return NoResponse(reason_of(error), time.monotonic() - started)
    except (http.client.HTTPException, ValueError) as error:
        return NoResponse(f"not a valid response ({type(error).__name__})", time.monotonic() - started)
    finally:
        connection.close()


def _connection(gateway: Gateway, timeout: float) -> http.client.HTTPConnection:
    if gateway.scheme == "http":
        return http.client.HTTPConnection(gateway.host, gateway.port, timeout=timeout)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(gateway.host, gateway.port, timeout=timeout, context=context)


def _body(response: http.client.HTTPResponse, limit: int, deadline: float) -> bytes:
    """Return the beginning of the body; raises TimeoutError where it drips on beyond the deadline."""
    body = b""
    while len(body) < limit and (part := response.read1(limit - len(body))):
        body += part
        if time.monotonic() > deadline:
            raise TimeoutError
    return body
