"""An Envoy that serves what the translation gives, without `mom` around it: for tests of the data path."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
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
from tests.envoy.client import Client, read_response

SECONDS = 30.0


_given: set[int] = set()
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST_EPHEMERAL = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768


# Test processes that run side by side take ports of their own: `gw0`, `gw1`, … are told apart by pytest-xdist.
_WORKERS = 16
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
# Not the shared generator: a test may have seeded that one.
_DICE = random.SystemRandom()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing uses or has just used, a different one each time.

    Not one that the system would choose: it may give that to an outgoing connection before Envoy listens there.
    """
    while True:
        port = _DICE.randrange(10_000 + _WORKER, _FIRST_EPHEMERAL, _WORKERS)
        # Without SO_REUSEADDR, so that connections of an earlier listener that still linger count as use.
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


@dataclass(frozen=True)
class Running:
    """A running Envoy: a client for it, its process, and the files of its run."""

    client: Client
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def log(self) -> str:
        """What Envoy has written to its own log."""
        return (self.folder / "envoy.log").read_text(errors="replace")


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
