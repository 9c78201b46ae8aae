"""The proxy of an adapter in an export: by its address, since Envoy looks up the name of none."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

NONE = "none"


def address(proxy: str) -> tuple[str, int] | None:
    """Return address and port of an adapter's valid setting `proxy`; None for no proxy, or for one with a name."""
    if proxy in {"", NONE}:
        return None
    parts = urlsplit(proxy)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host, parts.port or 80


def has_name(proxy: str) -> bool:
    """Whether a setting `proxy` names a proxy whose address has to be looked up."""
    return proxy not in {"", NONE} and address(proxy) is None
