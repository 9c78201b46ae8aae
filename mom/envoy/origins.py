"""The parts of a URL that Envoy takes separately: scheme, host, port and path."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from mom.gateway import DEFAULT_PORTS, authority


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Scheme, lower-case host (IPv6 without brackets) and port (RFC 6454): what one set of connections can reach."""

    scheme: str
    host: str
    port: int

    @property
    def is_ip(self) -> bool:
        """Whether the host is an address, so that there is no name to look up or to send as SNI."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def authority(self) -> str:
        """The `Host` value for it: without the port where that is the scheme's default (RFC 9110, 7.2)."""
        return authority(self.host, None if self.port == DEFAULT_PORTS[self.scheme] else self.port)

    def __str__(self) -> str:
        """Give it as in a URL, always with the port."""
        return f"{self.scheme}://{authority(self.host, self.port)}"


def split(url: str) -> tuple[Origin, str]:
    """Return the origin and the path, without a slash at its end, of a URL that `mom.atlas.values` accepts."""
    parts = urlsplit(url)
    origin = Origin(parts.scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS[parts.scheme])
    return origin, parts.path.rstrip("/")
