"""What the terminal of a run says of APIs that fail."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mom.envoy.failures import Failure, failure_of
from mom.run.api_failures import ApiFailures
from tests.envoy.certificates import self_signed
from tests.envoy.conftest import server_context
from tests.envoy.faulty import FaultyServer, answers, closes
from tests.envoy.running import free_port
from tests.envoy.upstream import Upstream
from tests.run.mom_run import atlas_yml, mom_run, wait_until

REFUSED, CLOSED = failure_of("Connection_refused"), failure_of("connection_termination")


class Recorded:
    """Reports, and a clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.said: list[tuple[str, Failure, int]] = []
        self.notes: list[str] = []
        self.failures = ApiFailures(lambda *one: self.said.append(one), self.notes.append, lambda: self.now)

    def take(self, adapter: str, failure: Failure | None, times: int = 1) -> None:
        """Let requests fail."""
        assert failure is not None
        for _ in range(times):
            self.failures.take(adapter, failure)
        self.failures.publish()


def test_a_failure_is_reported_at_once_and_once_a_minute() -> None:
    run = Recorded()
    run.take("api", REFUSED, times=5)
    run.now += 59
    run.take("api", REFUSED)
    assert run.said == [("api", REFUSED, 0)]
    run.now += 1
    run.take("api", REFUSED, times=2)
    assert run.said == [("api", REFUSED, 0), ("api", REFUSED, 5)]


def test_each_adapter_and_each_kind_counts_for_itself() -> None:
    run = Recorded()
    for adapter, failure in (("a", REFUSED), ("b", REFUSED), ("a", CLOSED), ("a", REFUSED)):
        run.take(adapter, failure)
    assert run.said == [("a", REFUSED, 0), ("b", REFUSED, 0), ("a", CLOSED, 0)]


def test_when_everything_fails_a_few_are_named() -> None:
    run = Recorded()
    for number in range(10_000):
        run.take(f"api{number}", REFUSED)
    assert len(run.said) == 10
    assert run.notes == ["more APIs are failing than are shown; --access-log has each request"]
    run.now += 60
    run.take("api9999", REFUSED)
    assert run.said[10:] == [("api9999", REFUSED, 1)]


def test_a_run_reports_which_api_fails_how_and_the_fix(tmp_path: Path) -> None:
    (tmp_path / "certificates").mkdir()
    context = server_context(self_signed("localhost"), tmp_path / "certificates")
    with mom_run(tmp_path) as run, FaultyServer(answers(b""), context) as secure, FaultyServer(closes) as closing:
        run.configure(
            {
                # A literal header value that is an adapter's name, too, hides nothing.
                "secure": (f"https://localhost:{secure.port}", {"X-Kind": "secure"}),
                "closing": (f"http://localhost:{closing.port}", {}),
                "down": (f"http://localhost:{free_port()}", {}),
            }
        )
        run.start()
        for adapter in ["secure", "closing", "down"] * 3:
            run.client.send(f"/v1/apis/http/{adapter}/x?key=hunter2", token=run.token())
        run.wait("warning: secure: The certificate of the API is from an unknown authority")
        run.wait("set SSL_CERT_FILE to a PEM file")
        run.wait(
            "warning: closing: The API closed the connection before it responded; it may have processed the request"
        )
        run.wait("warning: down: The API, at the last of its addresses, refused the connection")
        assert run.end() == 0
    assert run.text.count("warning: ") == 3
    assert "hunter2" not in run.text
    assert "mom-failure" not in run.text
    assert "OPENSSL" not in run.text


def test_a_certificate_that_is_refused_at_one_address_while_another_refuses_the_connection(tmp_path: Path) -> None:
    """A server that listens on ::1 alone, as those of Node do."""
    (tmp_path / "certificates").mkdir()
    context = server_context(self_signed("localhost"), tmp_path / "certificates")
    try:
        server = FaultyServer(answers(b""), context, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with mom_run(tmp_path) as run, server:
        refused, down = f"https://localhost:{server.port}", "https://localhost:9"
        run.configure({"dev": (refused, {}), "down": (down, {}), "dev2": (refused, {}), "down2": (down, {})})
        run.start()

        def fails(adapter: str) -> None:
            answer = run.client.send(f"/v1/apis/http/{adapter}/x", token=run.token())
            assert answer.error == "API_UpstreamConnectionError"

        fails("down")
        run.wait("warning: down: The API, at the last of its addresses, refused the connection")
        fails("dev")
        run.wait("warning: dev: The certificate of the API was refused at one of its addresses")
        run.wait("SSL_CERT_FILE")
        # The two share a cluster and its statistics: if both fail before these are read, neither is blamed.
        fails("dev2")
        fails("down2")
        run.wait("warning: dev2: ")
        run.wait("warning: down2: The API, at the last of its addresses, refused the connection")


def test_with_debug_its_lines_are_not_among_envoy_s(tmp_path: Path) -> None:
    with mom_run(tmp_path) as run:
        run.configure({"down": (f"http://localhost:{free_port()}", {})})
        run.start("--debug")
        run.client.send("/v1/apis/http/down/x", token=run.token())
        run.wait("warning: down: ")
        assert "mom-failure" not in run.text


def test_they_are_reported_after_a_rotation_of_the_access_log_too(tmp_path: Path) -> None:
    with mom_run(tmp_path) as run:
        run.configure({name: (f"http://localhost:{free_port()}", {}) for name in ("first", "second")})
        run.start("--access-log", "access.jsonl")
        run.client.send("/v1/apis/http/first/x", token=run.token())
        run.wait("warning: first: ")
        (tmp_path / "access.jsonl").rename(tmp_path / "old.jsonl")
        run.process.send_signal(signal.SIGUSR1)
        wait_until((tmp_path / "access.jsonl").exists, "the log is not opened anew")
        run.client.send("/v1/apis/http/second/x", token=run.token())
        run.wait("warning: second: ")


def test_a_response_of_the_api_itself_is_not_a_failure(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run:
        run.configure({"api": (f"http://127.0.0.1:{api.port}", {}), "down": (f"http://localhost:{free_port()}", {})})
        run.start()
        for status in (404, 500, 502, 503):
            assert run.client.send(f"/v1/apis/http/api/status/{status}", token=run.token()).status == status
        run.client.send("/v1/apis/http/down/x", token=run.token())
        run.wait("warning: down: ")
        assert "warning: api" not in run.text


def test_keys_behind_the_certificate_of_an_unknown_authority(tmp_path: Path) -> None:
    """It is no fault of the network, and is not called one."""
    (tmp_path / "certificates").mkdir()
    context = server_context(self_signed("localhost"), tmp_path / "certificates")
    with mom_run(tmp_path) as run, FaultyServer(answers(b""), context) as provider:
        keys = {"publicKey": f"https://localhost:{provider.port}/jwks", "audience": "https://a.test", "issuer": "x"}
        run.configure({"api": ("https://api.test", {})}, identityProviders=[{"idp": keys}])
        run.start()
        text = run.wait("its certificate is not valid")
        assert "SSL_CERT_FILE" in text
        assert "network" not in text


def test_validate_asks_no_network_and_so_blames_none(tmp_path: Path) -> None:
    """Whatever is behind the URLs: a certificate of an unknown authority, or nothing."""
    connections: list[object] = []
    with FaultyServer(connections.append) as server:
        url = f"https://localhost:{server.port}"
        keys = {"publicKey": f"{url}/jwks", "audience": "https://a.test", "issuer": "https://idp.test/"}
        text = atlas_yml({"api": (url, {})}, identityProviders=[{"idp": keys}])
        (tmp_path / "atlas.yml").write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "mom", "atlas", "config", "validate", "atlas.yml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, connections) == (0, []), done
