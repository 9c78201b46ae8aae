"""An Envoy that serves what the translation gives, without `mom` around it: for tests of the data path."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mom.atlas.model import Configuration
from mom.envoy.bootstrap import dumps, static
from mom.envoy.messages import Json
from mom.envoy.options import Options
from mom.envoy.translate import translate
from tests.envoy.binary import ENVOY
from tests.envoy.client import SECONDS, Client, read_response

_given: set[int] = set()
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST_EPHEMERAL = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
# Not the shared generator: a test may have seeded that one.
_DICE = random.SystemRandom()


def free_port() -> int:
    """Return a port of both loopback addresses that nothing uses or has just used, a different one each time.

    Not one that the system would choose: it may give that to an outgoing connection before Envoy listens there. No
    other test process of this machine gets it as long as this one lives, be it of this test run or of another.
    """
    ports = _ports()
    while True:
        port = _DICE.randrange(10_000, _FIRST_EPHEMERAL)
        with contextlib.suppress(BlockingIOError):
            fcntl.lockf(ports, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            if port not in _given and not _is_in_use(port):
                _given.add(port)
                return port


@functools.cache
def _ports() -> int:
    """Open the file in which each byte stands for a port. A lock on it ends with this process (fcntl(2))."""
    path = Path(tempfile.gettempdir(), f"mom-test-ports-{os.getuid()}")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _is_in_use(port: int) -> bool:
    """Whether something uses the port at one of the addresses, both of which a client of `localhost` tries."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        # Without SO_REUSEADDR, so that connections of an earlier listener that still linger count as use.
        try:
            with socket.socket(family) as probe:
                probe.bind((host, port))
        except OSError as error:
            # Another error says that this machine has no such address.
            if error.errno == errno.EADDRINUSE:
                return True
    return False


@dataclass(frozen=True)
class Running:
    """A running Envoy: a client for it, its process, and the files of its run."""

    client: Client
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def log(self) -> str:
        """What Envoy has written to its own log, without a line that is being written."""
        text = (self.folder / "envoy.log").read_text(errors="replace")
        return text[: text.rfind("\n") + 1]


@contextlib.contextmanager
def running(
    configuration: Configuration,
    options: Options,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    *,
    change: Callable[[Json], Json] = lambda bootstrap: bootstrap,
    times: Mapping[str, tuple[str, str]] | None = None,
) -> Iterator[Running]:
    """Run an Envoy for `configuration`, with what `change` makes of its bootstrap, until the block ends.

    times: those that a test need not wait for in full: by the name of the field, the time that it has and another one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "bootstrap.json"
    admin = str(folder / "admin.sock")
    text = dumps(change(static(translate(configuration, options), options, admin_socket=admin)))
    for field, (long, short) in (times or {}).items():
        assert f'"{field}":"{long}"' in text
        text = text.replace(f'"{field}":"{long}"', f'"{field}":"{short}"')
    file.write_text(text)
    command = [ENVOY, "-c", str(file), "--disable-hot-restart", "--concurrency", "1", "-l", "info"]
    command += ["--file-flush-interval-msec", "50"]
    client = Client(options.listen.port, host=options.listen.host)
    with (folder / "envoy.log").open("wb") as log:
        environment = {"PATH": os.environ["PATH"], **(environ or {})}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            wait_until_serving(client, process)
            yield Running(client, process, folder)
        finally:
            process.terminate()
            process.wait(SECONDS)


def admin(envoy: Running, path: str) -> str:
    """Ask Envoy's admin interface."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(envoy.folder / "admin.sock"))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as reader:
            return read_response(reader).body.decode()


def wait_until_serving(client: Client, process: subprocess.Popen[bytes]) -> None:
    """Wait until the listener is open."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "Envoy ended"
        with contextlib.suppress(OSError), client.connect():
            return
        time.sleep(0.02)
    raise AssertionError("Envoy does not listen")
