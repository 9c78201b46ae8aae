"""The proxy of an adapter in an export: by its address, since Envoy looks up the name of none."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from mom.envoy.clusters import Upstream

NONE = "none"


def address(proxy: str) -> tuple[str, int] | None:
    """Return address and port of an adapter's valid setting `proxy`; None for no proxy, or for one with a name."""
    if proxy in {"", NONE}:
        return None
    host, port = _host_and_port(proxy)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host, port


def has_name(proxy: str) -> bool:
    """Whether a setting `proxy` names a proxy whose address has to be looked up."""
    return proxy not in {"", NONE} and address(proxy) is None


def reached(upstream: Upstream) -> tuple[str, int]:
    """Return host and port of what is connected to for an upstream: its own, or those of its proxy."""
    if upstream.proxy in {"", NONE}:
        return upstream.origin.host, upstream.origin.port
    return _host_and_port(upstream.proxy)


def _host_and_port(proxy: str) -> tuple[str, int]:
    parts = urlsplit(proxy)
    return parts.hostname or "", parts.port or 80
