"""How many connections an Envoy may have: as many as it may have open files, shared between clients and APIs.

Without a limit, clients that connect and are silent use up the files of the process; then no other client gets through,
and one core is busy with refusing them (measured: 40 % of a core at 256 files).
"""

from __future__ import annotations

from dataclasses import dataclass

# Files that are not connections: libraries, logs, listeners, the admin interface, event queues (measured: 29 with two
# workers), and the connections that are being refused.
_RESERVE = 64
# Enough for any client of one gateway, and what a machine with a common limit of files can give.
MOST = 10_000
# With fewer files Envoy could not serve at all.
FEWEST_FILES = 128
# So many APIs may have all of their connections in use at once before files can run out.
_BUSY_APIS = 8
_FEWEST_FOR_AN_API = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections at once: of all clients together; to each upstream with a cluster of its own.

    host, together: to each host of a shared cluster, and to all of its hosts, whatever upstreams there are.
    """

    clients: int
    upstream: int
    host: int
    together: int


def limits(open_files: int, upstreams: int = 1) -> Limits:
    """Return the limits for a process that may have `open_files` open and has so many upstreams.

    Half of the files are the clients': each connection may need another one to an API. Each upstream whose name is
    looked up has one file open for that (measured: 50 names, 50 files).
    """
    clients = max(1, min(MOST, (open_files - _RESERVE) // 2))
    together = open_files - _RESERVE - clients
    left = together - upstreams
    each = max(left // max(1, upstreams), left // _BUSY_APIS, _FEWEST_FOR_AN_API)
    host = max(together // _BUSY_APIS, _FEWEST_FOR_AN_API)
    return Limits(clients, min(MOST, each), min(MOST, host), max(together, _FEWEST_FOR_AN_API))
