"""What a run says to the service manager that has started it."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from mom.run.service_manager import READY, notify
from tests.envoy.client import SECONDS
from tests.envoy.upstream import Upstream
from tests.run.mom_run import mom_run


def test_a_service_manager_is_told_when_it_serves_and_when_it_ends(tmp_path: Path, api: Upstream) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(SECONDS)
        with mom_run(tmp_path, environ={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as run:
            run.configure({"one": (f"http://127.0.0.1:{api.port}", {})})
            run.start()
            # It said so before it listed what it serves, or at once afterwards.
            assert manager.recv(100) == b"READY=1"
            assert run.client.send("/v1/apis/http/one/notified", token=run.token()).status == 200
            run.end(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"


def test_an_abstract_socket_is_one_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("")  # the kernel chooses an abstract name
        manager.settimeout(SECONDS)
        notify({"NOTIFY_SOCKET": f"@{manager.getsockname().decode()[1:]}"}, READY)
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all", "@nobody-listens-here"])
def test_a_manager_that_is_not_there_is_no_error(address: str) -> None:
    notify({"NOTIFY_SOCKET": address}, READY)
    notify({}, READY)
