"""What `mom exec` asks a gateway: which adapters it serves, and whether it trusts a key already."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mom.auth.base_url import Gateway
from mom.check.exchange import Response, refuse_plain_http, send
from mom.check.listing import listed
from mom.check.result import Failure, Stage
from mom.check.smoke import SmokeRequest
from mom.errors import MomError
from mom.exec.variables import Served
from mom.gateway import APIS_PATH, ErrorTypes, adapter_path

_SECONDS = 10.0
# How long a running Atlas may take to trust a new key: it looks five times a second, and Envoy checks the change.
_TRUST_SECONDS = 20.0
# Connections in a row on which the key is trusted: each of Envoy's threads learns of it by itself.
_IN_A_ROW = 3
_LIST = SmokeRequest("GET", APIS_PATH)


def served(gateway: Gateway, names: Sequence[str], token: str) -> list[Served]:
    """Return the adapters of these names, or paths, that the gateway serves.

    A token that is narrowed may not list them: they are then taken as they are named. Raises MomError for a gateway
    that does not respond, one that refuses the token, and a name that it does not serve.
    """
    refuse_plain_http(gateway)
    entries = listed(gateway, APIS_PATH, token, timeout=_SECONDS)
    if isinstance(entries, Failure):
        if entries.stage is Stage.TOKEN and _is_narrowed(gateway, token):
            return [_unlisted(name) for name in names]
        hint = "start one with mom atlas run, or name one: --base-url URL"
        raise MomError(entries.message, hint=hint if entries.stage is Stage.GATEWAY else entries.hint)
    adapters = [Served(each["name"], each["path"], each.get("baseUrl")) for each in entries]
    return [_named(name, adapters, gateway) for name in names]


def _named(name: str, adapters: list[Served], gateway: Gateway) -> Served:
    path = adapter_path(name)
    by_path = [adapter for adapter in adapters if adapter.path.rstrip("/") == path]
    # One of another kind, such as `aws`, where no HTTP adapter has the name.
    for adapter in by_path or [adapter for adapter in adapters if adapter.name == name]:
        return adapter
    known = ", ".join(sorted(adapter.name for adapter in adapters)[:20])
    raise MomError(f"{gateway.base} serves no adapter {name}", hint=f"it serves: {known}" if known else None)


def _is_narrowed(gateway: Gateway, token: str) -> bool:
    """Whether the token is refused for what it opens alone, which is less than the list."""
    response = send(gateway, APIS_PATH, token, _LIST, timeout=_SECONDS)
    return isinstance(response, Response) and response.atlas_error == ErrorTypes.NOT_ALLOWED


def _unlisted(name: str) -> Served:
    path = adapter_path(name)
    return Served(path.rpartition("/")[2], f"{path}/")


def wait_until_trusted(
    gateway: Gateway, token: Callable[[], str], *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return once the gateway accepts what `token` returns, a new token each time. Raises MomError if it does not."""
    until = time.monotonic() + _TRUST_SECONDS
    accepted = 0
    while accepted < _IN_A_ROW:
        response = send(gateway, APIS_PATH, token(), _LIST, timeout=_SECONDS)
        accepted = accepted + 1 if isinstance(response, Response) and response.status == 200 else 0
        if time.monotonic() > until:
            raise MomError(
                f"{gateway.base} does not trust a key of mom exec",
                hint="it must be a mom atlas run of this user on this machine; "
                "for another gateway: --ttl 1h, or --token-file FILE",
            )
        if not accepted:
            sleep(0.05)
