"""Many clients at once through one address, and an API that says which credential it got; no request is repeated.

A client keeps its connection until a response says that it ends, as HTTP/1.1 clients do. What comes back is the
credential that the API got, so a client sees when a changed one is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self

CLIENTS = 32
# Each so many requests the API takes its time, so that there are always some in progress.
_SLOW_EVERY, SLOW_SECONDS = 50, 0.5

_API = f"""
import asyncio

async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            if b"/slow" in head.split(b"\\r\\n", 1)[0]:
                await asyncio.sleep({SLOW_SECONDS})
            lines = head.split(b"\\r\\n")
            value = next((line[14:].strip() for line in lines if line.lower().startswith(b"authorization:")), b"")
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(value), value))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@contextlib.contextmanager
def telling_api() -> Iterator[int]:
    """Run the API in a process of its own, and return its port."""
    process = subprocess.Popen([sys.executable, "-c", _API], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=120)


class Lost(NamedTuple):
    """A request without a good response: when it was sent, and what came instead."""

    at: float
    reason: str


@dataclass
class Load:
    """Clients that send requests to a port of this machine until the block ends. Times are of `time.monotonic`.

    last: when the last request was sent that got a credential, by the credential.
    """

    port: int
    path: str
    token: str
    done: int = 0
    lost: list[Lost] = field(default_factory=list)
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    slowest: float = 0.0
    _stopped: bool = False

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join(60)
        self.seconds = time.monotonic() - self.started

    def wait(self, count: int, seconds: float = 600) -> None:
        """Wait until so many requests are done."""
        deadline = time.monotonic() + seconds
        while self.done < count:
            assert time.monotonic() < deadline, f"{self.done} of {count} requests in {seconds} s"
            time.sleep(0.05)

    async def _run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(CLIENTS)))

    async def _client(self) -> None:
        connection = None
        while not self._stopped:
            sent = time.monotonic()
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", self.port)
                value, stays = await asyncio.wait_for(self._request(*connection), 60)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
                self.lost.append(Lost(sent, f"{type(error).__name__}: {error}"))
                stays = False
            else:
                self.first.setdefault(value, sent)
                self.last[value] = max(sent, self.last.get(value, 0.0))
            self.done += 1
            self.slowest = max(self.slowest, time.monotonic() - sent)
            if connection is not None and not stays:
                connection[1].close()
                connection = None
        if connection is not None:
            connection[1].close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, bool]:
        """Send one request; return the credential that the API got, and whether the connection stays."""
        path = f"{self.path}/slow" if self.done % _SLOW_EVERY == 0 else f"{self.path}/x"
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAtlas-Accesstoken: {self.token}\r\n\r\n"
        writer.write(head.encode())
        response = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = response.split(b" ", 2)[1]
        length = int(response.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if status != b"200":
            raise ValueError(f"{status.decode()} {body.decode()}")
        return body.decode(), b"\r\nconnection: close" not in response
