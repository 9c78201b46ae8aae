"""Requests on connections that stay open while what is served changes: none is lost, and none has an older value."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.envoy.client import SECONDS, read_response
from tests.envoy.upstream import Request, Upstream
from tests.run.mom_run import MomRun, wait_until

Value = TypeVar("Value")


class Load:
    """Sends requests, a connection for each path, until `stop`; what went wrong with any is in `wrong`.

    begun: how many each connection has begun to send. Each request says which of them it is.
    """

    def __init__(self, run: MomRun, paths: Sequence[str], **claims: str) -> None:
        self._claims = claims
        self.begun = [0] * len(paths)
        self.wrong: list[str] = []
        self._ends = threading.Event()
        self._run = run
        self._threads = [threading.Thread(target=self._send, args=each) for each in enumerate(paths)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End it."""
        self._ends.set()
        for thread in self._threads:
            thread.join(SECONDS)

    def _send(self, connection: int, path: str) -> None:
        client = self._run.client
        # For as long as any of these tests takes on a machine with other work.
        token = self._run.token(exp=int(time.time()) + 3_600, **self._claims)
        try:
            with client.connect() as stream, stream.makefile("rb") as reader:
                while not self._ends.is_set():
                    self.begun[connection] += 1
                    which = f"X-Which: {connection} {self.begun[connection]}"
                    data = client.request(path, which, token=token)
                    stream.sendall(data.replace(b"Connection: close\r\n", b""))
                    status = read_response(reader).status
                    if status != 200:
                        self.wrong.append(f"{path}: status {status}")
        except (OSError, ValueError, LookupError, AssertionError) as error:
            self.wrong.append(f"{path}: {error!r}")


def later(api: Upstream, begun: Sequence[int]) -> list[Request]:
    """Return the requests to an API that began after `begun` was noted: those before it may be under way for long."""
    found = []
    for request in list(api.requests):
        connection, number = map(int, request.get("x-which")[0].split())
        if number > begun[connection]:
            found.append(request)
    return found


def rotate(
    run: MomRun,
    api: Upstream,
    path: str,
    *,
    rotations: int,
    change: Callable[[int], object],
    sent: Callable[[Request], Value],
    expected: Callable[[int], Value],
) -> None:
    """Have a value changed so often, under load, and check that no request begun after that has an older one.

    change: changes it, at the time of that number, and waits until that is reported. sent: returns what a request has.
    """
    slowest, count = 0.0, 0
    load = Load(run, [path] * 4)
    try:
        for number in range(1, rotations + 1):
            started = time.monotonic()
            change(number)
            slowest = max(slowest, time.monotonic() - started)
            begun = list(load.begun)
            wait_until(lambda begun=begun: len(later(api, begun)) >= 40, "40 requests")
            assert {sent(request) for request in later(api, begun)} == {expected(number)}
            count += len(api.requests)
            api.requests.clear()
    finally:
        load.stop()
    assert load.wrong == []
    assert count >= rotations * 40
    assert len(run.children()) == 1
    print(f"{rotations} rotations, {count} requests, the slowest took {slowest:.2f} s to be reported")
