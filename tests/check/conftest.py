"""A gateway that runs already, and the API behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.envoy.upstream import Upstream
from tests.run.mom_run import MomRun, mom_run


@pytest.fixture(scope="session")
def api() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, api: Upstream) -> Iterator[MomRun]:
    with mom_run(tmp_path_factory.mktemp("run")) as started:
        started.configure({"one": (f"http://127.0.0.1:{api.port}", {})})
        started.start()
        yield started
