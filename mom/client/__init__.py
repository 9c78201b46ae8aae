"""For Python programs that call APIs through a gateway: `auth` for requests and httpx, `token` for everything else.

    import requests
    from mom.client import auth, url

    requests.get(url("openai", "/v1/models"), auth=auth("openai"))

The token is that of `mom curl`: `MOM_TOKEN` if it is set (as `mom exec` does), else one that your own key signs. It is
renewed before it expires. Nothing is imported that is not installed; requests and httpx both take what `auth` returns.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from mom.auth.base_url import Gateway, resolve_gateway
from mom.auth.sources import resolve_token_source
from mom.errors import MomError, UsageError
from mom.gateway import DEFAULT_PORTS, HTTP_PREFIX, TOKEN_HEADER

__all__ = ["Auth", "auth", "token", "url"]

# What a token of one's own key lives, and how long it is used: each is verified once and then known to the gateway.
_SECONDS = 300
_USED_SECONDS = 200


def url(adapter: str, path: str = "", *, gateway: str | None = None) -> str:
    """Return the URL of `path` at an adapter of kind HTTP. gateway: its base URL, default as for `mom curl`."""
    if path and not path.startswith(("/", "?")):
        raise UsageError(f"{path!r} is not a path of an adapter", hint="it begins with /")
    return f"{resolve_gateway(gateway, os.environ).base}{HTTP_PREFIX}{adapter}{path}"


def token(*adapters: str, gateway: str | None = None, token_file: str | None = None) -> Callable[[], str]:
    """Return a function that returns a valid access token, the same for a while: for SDKs that take a callable key.

    adapters: those that it opens, all if none is named. Raises MomError where there is no token.
    """
    return _Token(adapters, resolve_gateway(gateway, os.environ), token_file, os.environ)


def auth(*adapters: str, gateway: str | None = None, token_file: str | None = None) -> Auth:
    """Return what requests and httpx take as `auth`: each request gets the header `Atlas-Accesstoken`."""
    return Auth(token(*adapters, gateway=gateway, token_file=token_file), resolve_gateway(gateway, os.environ))


class _Token:
    """A token that is renewed. See `token`."""

    def __init__(
        self,
        adapters: tuple[str, ...],
        gateway: Gateway,
        token_file: str | None,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._adapters = adapters
        self._gateway = gateway
        self._token_file = token_file
        self._environ = environ
        self._clock = clock
        self._current = ""
        self._until = 0.0

    def __call__(self) -> str:
        """Return the token. One from a file or a variable is read each time: others renew it."""
        source = resolve_token_source(self._token_file, self._environ)
        if not source.signs:
            return source.token(self._gateway)
        now = self._clock()
        if now >= self._until:
            # In this order: another thread may look in between.
            self._current = source.token(self._gateway, ttl=_SECONDS, adapters=self._adapters)
            self._until = now + _USED_SECONDS
        return self._current


class Auth:
    """Signs requests to one gateway, and refuses to sign others. See `auth`."""

    def __init__(self, current: Callable[[], str], gateway: Gateway) -> None:
        """Take the function that gives the token, and the gateway that it is for."""
        self._current = current
        self._gateway = gateway

    def __call__(self, request: Any) -> Any:
        """Add the token to a request of requests or httpx, which is returned. Raises MomError for another host."""
        if not self._is_at_gateway(str(request.url)):
            raise MomError(
                f"the request is outside the gateway {self._gateway.origin}; the token is only sent there",
                hint="send it without auth, or build its URL with mom.client.url",
            )
        request.headers[TOKEN_HEADER] = self._current()
        if hasattr(request, "register_hook"):
            request.register_hook("response", self._stay)
        return request

    def _stay(self, response: Any, **_: Any) -> Any:
        """Take the token off before requests follows a redirect to another host: it knows only `Authorization`."""
        from urllib.parse import urljoin

        target = response.headers.get("location")
        if target is not None and not self._is_at_gateway(urljoin(response.url, target)):
            response.request.headers.pop(TOKEN_HEADER, None)
        return response

    def _is_at_gateway(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return False
        gateway = self._gateway
        return (parts.scheme, parts.hostname, port) == (gateway.scheme, gateway.host, gateway.port)
