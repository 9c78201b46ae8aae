"""Every rule of removing, changing and renaming, as a folder: see `tests.golden` for what a folder holds.

M: what goes with an adapter that is removed. P: what a value's place keeps when the value changes.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.golden import FILE, Case, cases, check, run_mom
from tests.promises import documents_of, read_1_1, read_1_2

HERE = Path(__file__).parent
CASES = [case for name in ("config_remove", "config_set", "config_rename") for case in cases(HERE / name)]


def _name(case: Case) -> str:
    return f"{case.folder.parent.name}-{case.folder.name}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_an_edit_gives_what_its_rule_says(
    case: Case, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    check(case, update=request.config.getoption("update_golden"))
    old, new = case.read("in.yml"), case.read("out.yml")
    if old is None or new is None:
        return
    for reader in (read_1_2, read_1_1):
        if documents_of(reader, old) is not None:
            assert documents_of(reader, new) is not None
    again = run_mom(case.arguments)
    if case.folder.parent.name == "config_remove" and old != new:
        # There is no such adapter any more.
        assert again.status == 1
    else:
        assert again.status == 0
        assert "Unchanged" in again.stderr
    assert Path(FILE).read_bytes() == new
    assert case.arguments == shlex.split(shlex.join(case.arguments))


def test_every_rule_has_its_case() -> None:
    wanted = {f"M{number:02}" for number in range(1, 14)} | {f"P{number:02}" for number in range(1, 9)}
    assert wanted - {case.row for case in CASES} == set()
