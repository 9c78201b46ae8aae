"""Which proxy leads to which API, by the variables that curl and others obey, and by what an adapter says.

| | proxy |
|---|---|
| `proxy: none` of an adapter | none |
| `proxy: http://HOST:PORT` of an adapter | that one |
| an https API | `$https_proxy`, `$HTTPS_PROXY` |
| an http API | `$http_proxy`, `$HTTP_PROXY` (not in a CGI program, where a client sets it) |
| a name or an address that `$no_proxy`, `$NO_PROXY` has, and this machine | none |

The name of a proxy is looked up at the start, and again when connections through it fail.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mom.envoy.origins import Origin
from mom.envoy.proxies import Proxy, ProxyKey
from mom.errors import MomError
from mom.gateway import authority, is_this_machine

NONE = "none"
# Names are looked up so often at most while connections fail.
_SECONDS = 10.0


def _look_up(host: str, port: int) -> str:
    return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])


@dataclass
class Proxies:
    """The proxies of a run. look_up: returns the address of a name; raises OSError."""

    environ: Mapping[str, str]
    look_up: Callable[[str, int], str] = _look_up
    _addresses: dict[tuple[str, int], str] = field(init=False, default_factory=dict)
    _has_changed: bool = field(init=False, default=False)
    _next: float = field(init=False, default=0.0)

    @property
    def is_unused(self) -> bool:
        """Whether no variable names a proxy."""
        return not any(variable_of(scheme, self.environ) for scheme in ("http", "https"))

    def of(self, keys: Iterable[ProxyKey]) -> dict[ProxyKey, Proxy]:
        """Return the proxy of each of `keys` that has one. Raises MomError for one that cannot be used."""
        proxies: dict[ProxyKey, Proxy] = {}
        for origin, setting in keys:
            if (url := self.url(origin, setting)) is not None:
                host, port = parse(url, _where(origin, setting, self.environ))
                proxies[origin, setting] = Proxy(url, self._address(host, port), port)
        return proxies

    def url(self, origin: Origin, setting: str = "") -> str | None:
        """Return the URL of the proxy that leads to `origin`, None for none. It may have a password."""
        if setting:
            return None if setting == NONE else setting
        if is_this_machine(origin.host) or excepts(_value(self.environ, "no_proxy") or "", origin):
            return None
        variable = variable_of(origin.scheme, self.environ)
        return None if variable is None else self.environ[variable]

    def ask_again(self) -> None:
        """Have every name looked up again, soon: connections fail. Once in a while at most."""
        now = time.monotonic()
        if self._addresses and now >= self._next:
            self._next = now + _SECONDS
            # A daemon: a name server that does not respond delays nothing.
            threading.Thread(target=self._refresh, daemon=True, name="proxies").start()

    def take_change(self) -> bool:
        """Whether a name has another address since the last time this was true."""
        changed, self._has_changed = self._has_changed, False
        return changed

    def _refresh(self) -> None:
        for host, port in list(self._addresses):
            # One that cannot be found keeps its address.
            with contextlib.suppress(OSError):
                address = self.look_up(host, port)
                if address != self._addresses[host, port]:
                    self._addresses[host, port] = address
                    self._has_changed = True

    def _address(self, host: str, port: int) -> str:
        if (host, port) not in self._addresses:
            try:
                self._addresses[host, port] = self.look_up(host, port)
            except OSError as error:
                hint = "check its name, or set NO_PROXY or `proxy: none` where no proxy is needed"
                raise MomError(f"cannot resolve the proxy {host}: {error.strerror}", hint=hint) from error
        return self._addresses[host, port]


def parse(url: str, where: str) -> tuple[str, int]:
    """Return host and port of a proxy's URL. Raises MomError; a password in it is not repeated."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        raise MomError(f"{where}: this is not the URL of a proxy", hint="write http://HOST:PORT") from None
    if parts.username is not None or parts.password is not None:
        raise MomError(
            f"{where}: Envoy cannot authenticate to a proxy, and this one has a user name",
            hint="use a proxy of this machine that authenticates (cntlm, px), or `proxy: none` and NO_PROXY",
        )
    if parts.scheme != "http" or not host:
        raise MomError(f"{where}: only proxies by http are supported", hint="write http://HOST:PORT")
    return host, port


def variable_of(scheme: str, environ: Mapping[str, str]) -> str | None:
    """Return the name of the variable that has the proxy for URLs of a scheme, None where none is set."""
    # A CGI server makes HTTP_PROXY of a client's header `Proxy` (CVE-2016-5385).
    upper = [] if scheme == "http" and "REQUEST_METHOD" in environ else [f"{scheme.upper()}_PROXY"]
    names = [f"{scheme}_proxy", *upper]
    return next((name for name in names if environ.get(name)), None)


def excepts(patterns: str, origin: Origin) -> bool:
    """Whether NO_PROXY has an origin: its host, a domain above that, a network of its address, or `*`."""
    names = (origin.host, authority(origin.host, origin.port))
    return any(_excepts(pattern, name) for pattern in patterns.split(",") for name in names)


def _excepts(pattern: str, name: str) -> bool:
    text = pattern.strip().lower()
    if "/" in text:
        try:
            return ipaddress.ip_address(name) in ipaddress.ip_network(text, strict=False)
        except ValueError:
            return False
    domain = text.removeprefix("*.").lstrip(".")
    return domain == "*" or (domain != "" and f".{name.lower()}".endswith(f".{domain}"))


def _value(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name) or environ.get(name.upper())


def _where(origin: Origin, setting: str, environ: Mapping[str, str]) -> str:
    if setting:
        return f"the proxy of {origin.authority}"
    return variable_of(origin.scheme, environ) or "the proxy"
