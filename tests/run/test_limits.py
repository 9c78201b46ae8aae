"""A machine on which Envoy may have few files open."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from pathlib import Path

import pytest

from mom.envoy.limits import limits
from tests.envoy.client import Client
from tests.envoy.upstream import Upstream
from tests.observed import open_files
from tests.run.mom_run import mom_run, wait_until

FILES = 256


def limited(files: int) -> str:
    """Return Python that takes away the right to have more files open."""
    return f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))"


def test_silent_clients_beyond_the_limit_are_refused_and_use_no_time(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run, contextlib.ExitStack() as silent:
        run.configure({"api": (f"http://127.0.0.1:{api.port}", {})})
        run.start(prelude=limited(FILES))
        assert f"note: {limits(FILES).clients} client connections at most, since {FILES} files may be open" in run.text
        (envoy,) = run.children()
        for _ in range(FILES + 50):
            with contextlib.suppress(OSError):
                silent.enter_context(run.client.connect())
        wait_until(lambda: len(open_files(envoy)) > limits(FILES).clients, "the clients are not connected")
        assert not is_served(run.client)
        before = processor_seconds(envoy)
        time.sleep(1)
        assert processor_seconds(envoy) - before < 0.2
        assert len(open_files(envoy)) < FILES - 20
        silent.close()
        wait_until(lambda: is_served(run.client), "nobody is served after the silent clients have gone")
        # And it can be changed.
        run.configure({"other": (f"http://127.0.0.1:{api.port}", {})})
        run.wait("Reloaded")


def test_a_change_is_applied_while_clients_take_all_connections(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run, contextlib.ExitStack() as silent:
        run.configure({"api": (f"http://127.0.0.1:{api.port}", {})})
        run.start(prelude=limited(FILES))
        for _ in range(FILES):
            with contextlib.suppress(OSError):
                silent.enter_context(run.client.connect())
        run.configure({"other": (f"http://127.0.0.1:{api.port}", {})})
        run.wait("Reloaded")


def test_too_few_files_are_an_error_before_anything_starts(tmp_path: Path) -> None:
    with mom_run(tmp_path) as run:
        run.configure({"api": ("https://api.test", {})})
        run.start(serving=False, prelude=limited(100))
        assert run.status() == 1
        assert "error: Envoy cannot serve with 100 open files" in run.text


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 4_096, reason="this user may not have as many open")
@pytest.mark.parametrize("soft", [FILES, pytest.param(4_096, marks=pytest.mark.proof)])
def test_envoy_gets_as_many_files_as_the_user_may_have(tmp_path: Path, soft: int) -> None:
    with mom_run(tmp_path) as run:
        run.configure({"api": ("https://api.test", {})})
        run.start(prelude=f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, 4096))")
        (envoy,) = run.children()
        words = Path(f"/proc/{envoy}/limits").read_text().split("Max open files")[1].split()
        assert words[:2] == ["4096", "4096"]
        assert "client connections at most" not in run.text


def processor_seconds(process: int) -> float:
    """Return the time that a process has used."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def is_served(client: Client) -> bool:
    """Whether `/healthz` is answered."""
    try:
        return client.raw(client.request("/healthz")).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
