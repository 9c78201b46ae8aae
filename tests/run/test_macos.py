"""A run where `sys.platform` says macOS: no hot restart, no prctl, a guard for Envoy. A fake: nothing here is macOS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.envoy.upstream import Upstream
from tests.run.mom_run import is_running, mom_run, wait_until

FAKE = "sys.platform = 'darwin'"


@pytest.mark.proof
def test_a_run_serves_reloads_and_takes_envoy_with_it_when_killed(tmp_path: Path) -> None:
    with Upstream() as api, mom_run(tmp_path) as run:
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {})})
        run.start(prelude=FAKE)
        assert run.client.send("/v1/apis/http/one/x", token=run.token()).status == 200
        run.configure({"other": (f"http://127.0.0.1:{api.port}", {})})
        run.wait("Reloaded + other, - one")
        wait_until(
            lambda: run.client.send("/v1/apis/http/other/x", token=run.token()).status == 200, "the reload counts"
        )
        envoys = run.children()
        run.process.kill()
        wait_until(lambda: not any(map(is_running, envoys)), "the guard ends Envoy")
