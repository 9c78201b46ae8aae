"""The server that takes the place of every API in a run with `--stand-in`: an echo on 127.0.0.1, in a thread of mom.

It speaks as much HTTP/1.1 as Envoy does to an API, and is bounded in each direction, since any program of this machine
can connect to it. It ends with the process; nothing in its responses is a secret.
"""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from mom.envoy.stand_in import HOST
from mom.errors import MomError
from mom.files import reason_of
from mom.run.echo import SHOWN_BYTES, Received, echo

# More connections at once are closed unread. Each may need a file of mom's own, which must not run out of them.
_CONNECTIONS = 512
# Above what Envoy passes on: 60 KiB from a client, and what an adapter adds.
_HEAD_BYTES = 1 << 20
_CHUNK_LINE_BYTES = 65_536
# Longer than Envoy keeps an idle connection to an API (`mom.envoy.clusters`), so that it is Envoy that closes one.
_IDLE_SECONDS = 60.0
_BACKLOG = 512


class _MalformedError(Exception):
    """What came is not a request: the connection ends with status 400."""


class StandIn:
    """Serves from `with` to its end. `port`: where, on 127.0.0.1."""

    def __init__(self) -> None:
        """Listen on any free port, and serve once entered. Raises MomError if that is impossible."""
        self._loop = asyncio.new_event_loop()
        self._connections = 0
        # What goes wrong with a connection concerns that one only, and its client sees it.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        try:
            self._server = self._loop.run_until_complete(
                asyncio.start_server(self._serve, HOST, 0, limit=_HEAD_BYTES, backlog=_BACKLOG)
            )
        except OSError as error:
            self._loop.close()
            raise MomError(f"the stand-in cannot listen on {HOST}: {reason_of(error)}") from error
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-in", daemon=True)

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop at once, without waiting for responses."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            while self._connections <= _CONNECTIONS and await _exchange(reader, writer):
                pass
        except (OSError, EOFError, TimeoutError):
            pass  # The client has gone, or sends nothing more.
        finally:
            self._connections -= 1
            writer.close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Respond to one request. Return whether the connection can have another."""
    try:
        request = await _read(reader)
    except (_MalformedError, asyncio.LimitOverrunError):
        await _respond(writer, "400 Bad Request", '{"error": "not an HTTP/1.1 request"}\n', body=True, close=True)
        return False
    close = any(name.lower() == "connection" and "close" in value.lower() for name, value in request.headers)
    await _respond(writer, "200 OK", echo(request), body=request.method != "HEAD", close=close)
    return not close


async def _respond(writer: asyncio.StreamWriter, status: str, text: str, *, body: bool, close: bool) -> None:
    content = text.encode()
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json; charset=utf-8",
        # A request is repeated in what a browser might take for a page.
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        f"Content-Length: {len(content)}",
        *(["Connection: close"] if close else []),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + (content if body else b""))
    async with asyncio.timeout(_IDLE_SECONDS):
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Received:
    """Read one request (RFC 9112). Raises EOFError where there is none, and what `_exchange` takes for malformed."""
    head = await _until(reader, b"\r\n\r\n")
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in {"HTTP/1.1", "HTTP/1.0"}:
        raise _MalformedError
    headers = _fields(lines)
    encodings = [value.lower() for name, value in headers if name.lower() == "transfer-encoding"]
    lengths = {value for name, value in headers if name.lower() == "content-length"}
    trailers: list[tuple[str, str]] = []
    if encodings:
        if encodings != ["chunked"] or lengths:
            raise _MalformedError
        body, size, trailers = await _chunked(reader)
    else:
        size = _length(lengths)
        body = await _some(reader, size, SHOWN_BYTES)
    return Received(words[0], words[1], headers, body, size, trailers)


def _fields(lines: list[str]) -> list[tuple[str, str]]:
    """Return header fields as they came; their bytes are UTF-8 where they are valid as that."""
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _MalformedError
        fields.append((name, value.strip(" \t").encode("latin-1").decode(errors="backslashreplace")))
    return fields


def _length(lengths: set[str]) -> int:
    if not lengths:
        return 0
    text = min(lengths)
    if len(lengths) > 1 or not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _MalformedError
    return int(text)


async def _chunked(reader: asyncio.StreamReader) -> tuple[bytes, int, list[tuple[str, str]]]:
    """Read a chunked body (RFC 9112, 7.1). Return its beginning, its size and its trailers."""
    body, size = b"", 0
    while True:
        line = await _until(reader, b"\r\n")
        digits = line.partition(b";")[0].strip()
        if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
            raise _MalformedError
        if not (length := int(digits, 16)):
            break
        body += await _some(reader, length, SHOWN_BYTES - len(body))
        size += length
        if await reader.readexactly(2) != b"\r\n":
            raise _MalformedError
    lines: list[str] = []
    total = 0
    while (line := await _until(reader, b"\r\n")) != b"\r\n":
        total += len(line)
        if total > _CHUNK_LINE_BYTES:
            raise _MalformedError
        lines.append(line[:-2].decode("latin-1"))
    return body, size, _fields(lines)


async def _some(reader: asyncio.StreamReader, length: int, shown: int) -> bytes:
    """Read `length` bytes, and return the first `shown` of them."""
    beginning = bytearray()
    while length:
        async with asyncio.timeout(_IDLE_SECONDS):
            part = await reader.read(min(length, 65_536))
        if not part:
            raise EOFError
        length -= len(part)
        beginning += part[: max(0, shown - len(beginning))]
    return bytes(beginning)


async def _until(reader: asyncio.StreamReader, mark: bytes) -> bytes:
    async with asyncio.timeout(_IDLE_SECONDS):
        return await reader.readuntil(mark)
