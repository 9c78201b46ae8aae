"""Golden cases of `mom atlas export envoy`: what is refused, with its place, and what is said of a success."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import Case, cases, check

CASES = cases(Path(__file__).parent / "export")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_export(case: Case, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    check(case, update=request.config.getoption("--update-golden"))

    # Nothing is written where something is refused.
    assert (tmp_path / "out").exists() == (case.read("error.txt") is None)
