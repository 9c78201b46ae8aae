"""What mom says to the service manager that has started it, such as systemd: that it serves, that it ends."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"


def notify(environ: Mapping[str, str], state: str) -> None:
    """Send `state` to the socket `$NOTIFY_SOCKET`, if there is one (sd_notify(3)). A manager that is gone is no error.

    With `Type=notify` in a unit, `systemctl start` waits for READY, and reports a configuration that cannot be served.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):
        # In the abstract name space of Linux.
        address = f"\0{address[1:]}"
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.connect(address)
        to.sendall(state.encode())
