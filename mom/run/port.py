"""The port, tried before Envoy starts: Envoy's own message names neither the reason nor a fix."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
from dataclasses import replace

from mom.envoy.options import Listen
from mom.errors import MomError, UsageError
from mom.files import reason_of
from mom.gateway import DEFAULT_PORT
from mom.run.outcome import UnavailableError


def parse_listen(text: str, option: str = "--listen", default_port: int = DEFAULT_PORT) -> Listen:
    """Read `HOST:PORT` (`127.0.0.1:8082`, `[::1]:8082`, `localhost:0`); raises UsageError for anything else.

    The host is an address, since a name may mean several interfaces; without one (`:8083`, `8083`) it is 127.0.0.1, as
    it is by default. Port 0 stands for any free one.
    """
    host, _, port = text.rpartition(":")
    host = host or "127.0.0.1"
    host = {"localhost": "127.0.0.1"}.get(host.lower(), host)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        raise _malformed(text, option, default_port) from None
    # An IPv6 address without brackets is ambiguous.
    if (address.version == 6) != (bare != host) or not (port.isascii() and port.isdigit()):
        raise _malformed(text, option, default_port)
    if len(port) > 5 or int(port) > 65535:
        raise UsageError(f"{option}: {port} is not a port", hint="use 1 to 65535, or 0 for any free port")
    return Listen(bare, int(port))


def _malformed(text: str, option: str, port: int) -> UsageError:
    hint = f"an IP address and a port: 127.0.0.1:{port}, [::1]:{port}, 0.0.0.0:{port} (all)"
    return UsageError(f"{option}: {text!r} is not HOST:PORT", hint=hint)


def check_free(listen: Listen, option: str = "--listen") -> None:
    """Raise MomError if nothing can listen there."""
    with contextlib.closing(listening_socket(listen)) as probe:
        try:
            probe.bind((listen.host, listen.port))
        except OSError as error:
            raise _taken(listen, option, error) from error


def bind_any(listen: Listen, option: str = "--listen") -> Listen:
    """Return `listen` with a free port in the place of port 0. Raises MomError if nothing can listen there."""
    if listen.port:
        return listen
    with contextlib.closing(listening_socket(listen)) as probe:
        try:
            probe.bind((listen.host, 0))
        except OSError as error:
            raise _taken(listen, option, error) from error
        return replace(listen, port=int(probe.getsockname()[1]))


def listening_socket(listen: Listen) -> socket.socket:
    """Return a socket that can be bound where Envoy could listen. Raises OSError."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    # As Envoy does: connections of an earlier run that linger (TIME_WAIT) are not an obstacle, a listener is.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return listening


def _taken(listen: Listen, option: str, error: OSError) -> MomError:
    other = Listen(listen.host, listen.port + 1 if listen.port < 65535 else DEFAULT_PORT)
    if error.errno == errno.EADDRINUSE:
        hint = f"stop the process that listens there, or use another port: {option} {other}"
        return UnavailableError(f"{listen} is already in use", hint=hint)
    if error.errno == errno.EACCES:
        return MomError(f"no permission to listen on port {listen.port}", hint=f"try {option} {other}")
    if error.errno == errno.EADDRNOTAVAIL:
        hint = f"{option} 0.0.0.0:PORT listens on all of them"
        return MomError(f"{listen.host} is not an address of this machine", hint=hint)
    return MomError(f"cannot listen on {listen}: {reason_of(error)}")
