"""The two lists of a gateway: the APIs that it serves, and its instances. Asked for with a signed request."""

from __future__ import annotations

import json
from typing import Any

from mom.auth.base_url import Gateway
from mom.check.diagnosis import diagnose
from mom.check.exchange import NoResponse, send
from mom.check.result import Failure, Stage
from mom.check.smoke import SmokeRequest
from mom.gateway import APIS_PATH, INSTANCES_PATH

# The list of 100,000 adapters.
_MAX_LIST = 1 << 25
# The name of each list, and what each of its entries must have as a text.
_SHAPES = {APIS_PATH: ("apis", ("kind", "name", "path", "instance")), INSTANCES_PATH: ("instances", ("name",))}


def listed(gateway: Gateway, path: str, token: str, *, timeout: float) -> list[dict[str, Any]] | Failure:
    """Return the entries of the list at `path`, `APIS_PATH` or `INSTANCES_PATH`; or why there are none.

    Each entry has the texts that it must have; whatever else is in it comes from the gateway unchecked.
    """
    request = SmokeRequest("GET", path)
    response = send(gateway, path, token, request, timeout=timeout, limit=_MAX_LIST)
    if failure := diagnose(response, request, (), gateway.base):
        return failure
    name, texts = _SHAPES[path]
    try:
        entries = json.loads(b"" if isinstance(response, NoResponse) else response.body)[name]
        if _is_list(entries, texts):
            return list(entries)
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    message = f"the server at {gateway.base} is not an Atlas: it has no list of {name}"
    return Failure(Stage.GATEWAY, message, "name the gateway with --base-url URL")


def _is_list(entries: Any, texts: tuple[str, ...]) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in texts) for entry in entries
    )
