"""The parts of a URL that Envoy takes separately: scheme, host, port and path."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from mom.gateway import DEFAULT_PORTS, authority


class Origin(NamedTuple):
    """Scheme, lower-case host (IPv6 without brackets) and port (RFC 6454): what one set of connections can reach."""

    scheme: str
    host: str
    port: int

    @property
    def is_ip(self) -> bool:
        """Whether the host is an address, so that there is no name to look up or to send as SNI."""
        return _is_address(self.host)

    @property
    def authority(self) -> str:
        """The `Host` value for it: without the port where that is the scheme's default (RFC 9110, 7.2)."""
        return authority(self.host, None if self.port == DEFAULT_PORTS[self.scheme] else self.port)

    def __str__(self) -> str:
        """Give it as in a URL, always with the port."""
        return f"{self.scheme}://{authority(self.host, self.port)}"


@lru_cache(maxsize=16_384)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# Each adapter's URL is asked for four times; a URL of 10,000 adapters fits.
@lru_cache(maxsize=16_384)
def split(url: str) -> tuple[Origin, str]:
    """Return the origin and the path, without a slash at its end, of a URL that `mom.atlas.values` accepts."""
    parts = urlsplit(url)
    origin = Origin(parts.scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS[parts.scheme])
    return origin, parts.path.rstrip("/")
