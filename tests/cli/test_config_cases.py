"""`init`, `list`, `show`, `env` and `explain`, as folders of what a user has, types and gets: see `tests.golden`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import FILE, Case, cases, check

COMMANDS = ("init", "list", "show", "env", "explain")
CASES = [case for command in COMMANDS for case in cases(Path(__file__).parent / command)]


def name_of(case: Case) -> str:
    """Return what a test's id shows of a case."""
    return f"{case.folder.parent.name}: {case.folder.name}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_command_prints_what_its_case_has(
    case: Case, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TEAM", "PRODUCTION_KEY_ID", "PRODUCTION_SECRET", "STAGING_KEY_ID", "OPENAI_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_TOKEN", "secret-value")
    monkeypatch.setenv("STAGING_SECRET", "")
    monkeypatch.setenv("WAREHOUSE_URL", "secret-value")
    result = check(case, update=request.config.getoption("update_golden"))
    shown = result.stdout.decode() + result.stderr
    assert "secret-value" not in shown
    assert "abcdefghijklmnop" not in shown
    if case.folder.parent.name == "init" and not result.status:
        assert max(map(len, shown.splitlines()), default=0) <= 80
    else:
        assert (Path(FILE).read_bytes() if Path(FILE).exists() else None) == case.read("in.yml")
