"""A gateway's base URL, read strictly: where requests go, and which audience a token for it names.

Strict because this string decides where a token is sent: what curl might read differently than we do is refused.
"""

from __future__ import annotations

from mom.gateway import DEFAULT_BASE_URL, DEFAULT_PORTS, is_this_machine
from mom.gateway import authority as join_authority
from mom.gateway import origin as origin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "MOM_BASE_URL"

_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_PREFIX = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@%/")


class Gateway:
    """A gateway's address.

    scheme: `http` or `https`. host: lower case, an IPv6 address without brackets. port: always a number.
    prefix: the base URL's path, without a slash at its end, empty for none.
    """

    __slots__ = ("host", "port", "prefix", "scheme")

    def __init__(self, scheme: str, host: str, port: int, prefix: str = "") -> None:
        """Take the parts as they are."""
        self.scheme = scheme
        self.host = host
        self.port = port
        self.prefix = prefix

    @property
    def authority(self) -> str:
        """`host` or `host:port`, the scheme's default port dropped, an IPv6 address in brackets."""
        return self.origin.partition("://")[2]

    @property
    def origin(self) -> str:
        """`scheme://host[:port]` (RFC 6454): the audience of a token for this gateway."""
        return origin_of(self.scheme, self.host, self.port)

    @property
    def base(self) -> str:
        """The origin and the prefix: `base + "/path"` is a URL."""
        return self.origin + self.prefix

    @property
    def endpoint(self) -> str:
        """`host:port`, an IPv6 address in brackets: where connections go, in curl's notation."""
        return join_authority(self.host, self.port)

    @property
    def loopback(self) -> bool:
        """Whether what is sent there cannot leave this machine (`mom.gateway.is_this_machine`).

        Names below `localhost` are left out: curl before 7.85 asks the DNS for them.
        """
        return is_this_machine(self.host) and not self.host.endswith(".localhost")


def resolve_gateway(option: str | None, environ: Mapping[str, str]) -> Gateway:
    """Return the gateway of `--base-url` (`option`), else of MOM_BASE_URL, else the one `mom atlas run` listens at.

    Raises UsageError for a malformed one, and for an empty variable: a missing address must not become the default one.
    """
    if option is not None:
        return parse_base_url(option, "--base-url")
    value = environ.get(VARIABLE)
    return parse_base_url(DEFAULT_BASE_URL if value is None else value, VARIABLE)


def parse_base_url(base_url: str, name: str = "the base URL") -> Gateway:
    """Read `http[s]://host[:port][/prefix]`. Raises UsageError, in which `name` says where the URL came from."""
    scheme, separator, rest = base_url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in DEFAULT_PORTS:
        raise _malformed(name, base_url, "it does not start with http:// or https://")
    authority, slash, path = rest.partition("/")
    prefix = (slash + path).rstrip("/")
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or not _is_ipv6(host):
            raise _malformed(name, base_url, "the address in brackets is not an IPv6 address")
        if port and not port.startswith(":"):
            raise _malformed(name, base_url, "only :port may follow ]")
        port = port[1:]
    else:
        host, colon, port = authority.partition(":")
        if "@" in authority:
            raise _malformed(name, base_url, "a base URL has no user name or password")
        if colon and not port:
            raise _malformed(name, base_url, "the port is missing after the colon")
        if not host or not _HOST.issuperset(host.lower()) or not host.strip(".-"):
            raise _malformed(name, base_url, "the host is missing, or has characters other than letters, digits, . - _")
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise _malformed(name, base_url, "the port is not a number from 1 to 65535")
    if not _PREFIX.issuperset(prefix):
        raise _malformed(name, base_url, "it has a query, a fragment, or characters that have to be %-encoded")
    return Gateway(scheme, host.lower(), int(port) if port else DEFAULT_PORTS[scheme], prefix)


def _is_ipv6(text: str) -> bool:
    import socket

    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True


def _malformed(name: str, base_url: str, reason: str) -> Exception:
    from mom.errors import UsageError

    # The part before an @ may be a password, and a query a key; where both signs are there, either may be either.
    before = min((at for mark in "?#" if (at := base_url.find(mark)) >= 0), default=len(base_url))
    shown = base_url[: before + 1] + "…" * (before < len(base_url))
    if "@" in base_url:
        shown = "…@" + base_url.rpartition("@")[2] if before == len(base_url) else "…"
    return UsageError(
        f"{name} is not a gateway's address: {shown!r}: {reason}",
        hint=f"a base URL looks like {DEFAULT_BASE_URL} or https://atlas.example",
    )
