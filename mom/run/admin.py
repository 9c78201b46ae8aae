"""Questions to a running Envoy over its admin interface, a unix socket of this user."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("envoy", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the unix socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin interface at the socket `path`. Everything raises OSError while nobody answers there."""

    path: str
    timeout: float = 5.0

    def is_live(self) -> bool:
        """Whether all workers serve."""
        return self._ask("GET", "/ready").startswith("LIVE")

    def drain(self) -> None:
        """Close the listeners; requests in progress go on, connections close after their next answer."""
        self._ask("POST", "/drain_listeners")

    def number(self, name: str) -> int:
        """Return the counter or gauge `name`, 0 if it does not exist yet."""
        pattern = name.replace(".", r"\.")
        return sum(int(value) for key, value in self._stats(f"filter=^{pattern}$").items() if key == name)

    def numbers(self, ending: str) -> int:
        """Return the sum of all counters and gauges whose name ends so."""
        return sum(int(value) for value in self._stats(f"filter={ending}$").values())

    def versions(self) -> dict[str, str]:
        """Return the version of each kind of resource that is in force, by the name of its statistic."""
        found = self._stats("filter=version_text$&type=TextReadouts")
        return {name: value.strip('"') for name, value in found.items()}

    def _stats(self, query: str) -> dict[str, str]:
        lines = self._ask("GET", f"/stats?{query}").splitlines()
        return {name: value.strip() for name, separator, value in (line.partition(": ") for line in lines) if separator}

    def _ask(self, method: str, target: str) -> str:
        connection = _Connection(self.path, self.timeout)
        try:
            connection.request(method, target)
            return connection.getresponse().read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
