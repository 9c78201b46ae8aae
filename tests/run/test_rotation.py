"""Values that rotate under load: no request is lost, and none has the old value after the change is reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.envoy.client import read_response
from tests.envoy.upstream import Upstream
from tests.run.mom_run import MomRun, mom_run, replace, wait_until


class Load:
    """Sends requests on connections that stay open, until `stop`; what went wrong with any is in `wrong`.

    begun: how many each connection has begun to send. Each request says which of them it is.
    """

    def __init__(self, run: MomRun, connections: int, path: str = "/v1/apis/http/one/x", **claims: str) -> None:
        self._path, self._claims = path, claims
        self.begun = [0] * connections
        self.wrong: list[str] = []
        self._ends = threading.Event()
        self._run = run
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(connections)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End it."""
        self._ends.set()
        for thread in self._threads:
            thread.join(30)

    def _send(self, connection: int) -> None:
        client = self._run.client
        # For as long as any of these tests takes on a machine with other work.
        token = self._run.token(exp=int(time.time()) + 3_600, **self._claims)
        with client.connect() as stream, stream.makefile("rb") as reader:
            while not self._ends.is_set():
                self.begun[connection] += 1
                which = f"X-Which: {connection} {self.begun[connection]}"
                data = client.request(self._path, which, token=token)
                stream.sendall(data.replace(b"Connection: close\r\n", b""))
                status = read_response(reader).status
                if status != 200:
                    self.wrong.append(f"status {status}")


def values_of_later(api: Upstream, begun: Sequence[int]) -> list[str]:
    """Return the values in requests that began after `begun` was noted: those before it may be under way for long."""
    values = []
    for request in api.seen("/x"):
        connection, number = map(int, request.get("x-which")[0].split())
        if number > begun[connection]:
            values.append(request.get("authorization")[0])
    return values


def rotate(folder: Path, api: Upstream, rotations: int) -> None:
    """Rotate the value of a variable so often."""
    secret = folder / "secret"
    secret.write_text("value-0\n")
    slowest, sent = 0.0, 0
    with mom_run(folder) as run:
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {"Authorization": "Bearer ${{ KEY }}"})})
        run.start("--credential", f"KEY=file:{secret}")
        load = Load(run, 4)
        try:
            for number in range(1, rotations + 1):
                started = time.monotonic()
                replace(secret, f"value-{number}\n")
                run.wait("Reloaded variables: KEY", number)
                slowest = max(slowest, time.monotonic() - started)
                begun = list(load.begun)
                wait_until(lambda begun=begun: len(values_of_later(api, begun)) >= 40, "40 requests")
                assert set(values_of_later(api, begun)) == {f"Bearer value-{number}"}
                sent += len(api.requests)
                api.requests.clear()
        finally:
            load.stop()
        assert load.wrong == []
        assert sent >= rotations * 40
        assert len(run.children()) == 1
    print(f"{rotations} rotations, {sent} requests, the slowest took {slowest:.2f} s to be reported")


def test_no_request_is_lost_and_none_has_an_old_value(tmp_path: Path) -> None:
    with Upstream() as api:
        rotate(tmp_path, api, 3)


@pytest.mark.proof
def test_a_hundred_rotations(tmp_path: Path) -> None:
    with Upstream() as api:
        rotate(tmp_path, api, 100)
