"""What the tests of the run share."""

from __future__ import annotations

import pytest

from tests.envoy.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the authority whose certificates the Envoys of this test run trust."""
    return Authority(tmp_path_factory.mktemp("authority"))
