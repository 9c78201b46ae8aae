"""Which addresses a listener has, and which names therefore lead to it and to nothing else.

A token for `http://localhost:8082` is sent wherever `localhost` leads: to 127.0.0.1 or to ::1. If another user of this
machine has one of the two, they get the token, and could use it at the other. So `localhost` is a name of this Atlas
only where it has the port on both, and each address only where it has that.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass, field

from mom.envoy.options import Listen
from mom.gateway import LOOPBACK_ADDRESSES
from mom.run.port import listening_socket

_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


@dataclass(frozen=True, slots=True)
class Binding:
    """also: the addresses that are bound beside the listener's own. names: the hosts that lead to it alone.

    taken: the loopback address at which another process has this port, None if there is none.
    """

    also: tuple[str, ...]
    names: tuple[str, ...]
    taken: str | None = None


@dataclass
class Bindings:
    """The bindings of a run. Each address is tried once: later it is this run that has it."""

    known: dict[Listen, Binding] = field(default_factory=dict)

    def of(self, listen: Listen) -> Binding:
        """Return what a listener at `listen` binds."""
        if listen not in self.known:
            self.known[listen] = _look(listen)
        return self.known[listen]


def _look(listen: Listen) -> Binding:
    own = listen.near
    if own not in LOOPBACK_ADDRESSES:
        return Binding((), (listen.host,))
    (other,) = set(LOOPBACK_ADDRESSES) - {own}
    machine = (socket.gethostname().lower(),) if listen.is_wildcard else ()
    reason = _objection(Listen(other, listen.port))
    if reason is None:
        return Binding((other,), (own, "localhost", other, *machine))
    if reason in _NO_SUCH_ADDRESS:
        # No process can bind what does not exist.
        return Binding((), (own, "localhost", *machine))
    return Binding((), (own, *machine), taken=str(Listen(other, listen.port)))


def _objection(listen: Listen) -> int | None:
    """Return the error number with which `listen` cannot be bound."""
    try:
        with contextlib.closing(listening_socket(listen)) as probe:
            probe.bind((listen.host, listen.port))
    except OSError as error:
        return error.errno
    return None
