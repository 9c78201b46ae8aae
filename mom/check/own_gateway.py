"""The gateway of a check: one that runs, or one that is started for it and ends with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from mom.auth.base_url import Gateway
from mom.check.exchange import Response, send
from mom.check.smoke import SmokeRequest
from mom.envoy.options import Listen
from mom.errors import MomError
from mom.gateway import HEALTH_PATH, LOOPBACK_ADDRESSES
from mom.run.port import bind_any, check_free

_HEALTH = SmokeRequest("GET", HEALTH_PATH)
_ATTEMPTS = 3
_START_SECONDS = 60.0
_END_SECONDS = 10.0
# The run ends with this process, however this one ends: its stdin is a pipe that only this process has open.
_MAIN = """import os, signal, sys, threading
sys.path[:] = {path!r}
def follow():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=follow, daemon=True).start()
from mom.cli import main
sys.exit(main(sys.argv[1:]))
"""


def is_running(gateway: Gateway) -> bool:
    """Whether an Atlas runs at `gateway`."""
    response = send(gateway, HEALTH_PATH, "", _HEALTH, timeout=5.0)
    return isinstance(response, Response) and response.status == 200


@contextlib.contextmanager
def started(options: Sequence[str], environ: Mapping[str, str]) -> Iterator[Gateway]:
    """Run `mom atlas run` with `options` on a free port of this machine until the block ends.

    Raises MomError, with what the run reported, where it does not start.
    """
    for attempt in range(_ATTEMPTS):
        listen = bind_any(Listen(LOOPBACK_ADDRESSES[0], 0))
        gateway = Gateway("http", listen.host, listen.port)
        with contextlib.ExitStack() as stack:
            try:
                _start(gateway, options, environ, stack)
            except MomError:
                # Another program may have taken the port in between.
                if attempt == _ATTEMPTS - 1 or _is_free(listen):
                    raise
                continue
            yield gateway
            return


def _start(gateway: Gateway, options: Sequence[str], environ: Mapping[str, str], stack: contextlib.ExitStack) -> None:
    """Start the run and wait until it serves; `stack` ends it."""
    listen = ("--listen", gateway.endpoint)
    command = [sys.executable, "-c", _MAIN.format(path=sys.path), "atlas", "run", *listen, *options]
    log = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    process = subprocess.Popen(command, env=dict(environ), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log)
    stack.callback(_end, process)
    _wait(gateway, process, log)


def _is_free(listen: Listen) -> bool:
    try:
        check_free(listen)
    except MomError:
        return False
    return True


def _wait(gateway: Gateway, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_running(gateway):
        if process.poll() is not None:
            raise MomError("cannot start a gateway for the check", hint=_reported(log))
        if time.monotonic() > deadline:
            raise MomError(f"the gateway for the check was not ready after {_START_SECONDS:g} s", hint=_reported(log))
        time.sleep(0.05)


def _reported(log: IO[bytes]) -> str:
    """Return what the run reported, as far as a person reads it."""
    log.seek(0)
    lines = log.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
    return "\n".join(["mom atlas run reported:", *(lines[:20] or ["nothing"])])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the run: the second signal does not wait for requests in progress."""
    for _ in range(2):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS / 2)
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdin is not None:
        process.stdin.close()
