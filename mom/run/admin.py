"""Questions to a running Envoy over its admin interface, a unix socket of this user."""

from __future__ import annotations

import http.client
import io
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from mom.run.outcome import UnavailableError


class NoResponseError(UnavailableError):
    """The admin interface did not respond in time, or not at all."""


def _wait(source: socket.socket, seconds: float) -> bool:
    return bool(select.select([source], [], [], seconds)[0])


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin interface at the socket `path`. Everything raises NoResponseError after `timeout` seconds.

    wait: returns whether a socket can be read after at most so many seconds; a run waits for signals there, too.
    """

    path: str
    wait: Callable[[socket.socket, float], bool] = _wait
    timeout: float = 5.0

    def is_live(self) -> bool:
        """Whether all workers serve."""
        return self._ask("GET", "/ready").startswith("LIVE")

    def drain(self) -> None:
        """Close the listeners; requests in progress go on, connections close after their next response."""
        self._ask("POST", "/drain_listeners")

    def number(self, name: str) -> int:
        """Return the counter or gauge `name`, 0 if it does not exist yet."""
        pattern = name.replace(".", r"\.")
        return sum(int(value) for key, value in self._stats(f"filter=^{pattern}$").items() if key == name)

    def numbers(self, pattern: str) -> dict[str, int]:
        """Return all counters and gauges in whose name `pattern` (RE2) matches an end."""
        return {name: int(value) for name, value in self._stats(f"filter={pattern}$").items()}

    def versions(self) -> dict[str, str]:
        """Return the version of each kind of resource that is applied, by the name of its statistic."""
        versions = self._stats("filter=version_text$&type=TextReadouts")
        return {name: value.strip('"') for name, value in versions.items()}

    def _stats(self, query: str) -> dict[str, str]:
        lines = self._ask("GET", f"/stats?{query}").splitlines()
        return {name: value.strip() for name, separator, value in (line.partition(": ") for line in lines) if separator}

    def _ask(self, method: str, target: str) -> str:
        try:
            # Typed for a socket, of which it calls `makefile` alone.
            response = http.client.HTTPResponse(_Received(self._exchange(method, target)))  # type: ignore[arg-type]
            response.begin()
            return response.read().decode(errors="replace")
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NoResponseError(f"Envoy's admin interface does not respond: {error}") from error

    def _exchange(self, method: str, target: str) -> bytes:
        """Return all bytes of a response: to a request with `Connection: close` it ends with the connection."""
        until = time.monotonic() + self.timeout
        received = bytearray()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            connection.connect(self.path)
            head = f"{method} {target} HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(head.encode())
            while (left := until - time.monotonic()) > 0:
                if self.wait(connection, left):
                    part = connection.recv(65_536)
                    if not part:
                        return bytes(received)
                    received += part
        raise TimeoutError(f"no response in {self.timeout:g} s")


@dataclass(frozen=True, slots=True)
class _Received:
    """As much of a socket as HTTPResponse uses: it parses what has been read already, so that the wait can be ours."""

    data: bytes

    def makefile(self, _mode: str) -> io.BytesIO:
        """Return a file of what was received."""
        return io.BytesIO(self.data)
