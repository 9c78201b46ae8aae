"""Adapters of other kinds than HTTP, and HTTP ones with Basic or a query: see `tests.golden` for what a folder has.

B, C, D: bytes and styles. P: profiles, passwords. Q: the query. T, H: TLS, HTTP/2. I: what is there already. N, V: what
is typed. S: how it is reported.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mom.atlas.validate import validate
from mom.problems import Severity
from mom.yamledit.source import decode
from tests.golden import FILE, MOM, Case, cases, check, run_mom
from tests.promises import lines_lost

FOLDERS = (
    "add_aws_adapter",
    "add_postgres_adapter",
    "add_kubernetes_adapter",
    "add_moment_adapter",
    "add_http_credentials",
)
CASES = [case for folder in FOLDERS for case in cases(Path(__file__).parent / folder)]
# Where YAML leaves no choice but to change a line.
ONE_LINE_CHANGES = {"D03", "B10", "P03", "P04"}


def name_of(case: Case) -> str:
    """Return what a test's id shows of a case."""
    return f"{case.folder.parent.name}/{case.folder.name}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_an_adapter_is_added_as_its_case_says(
    case: Case, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    check(case, update=request.config.getoption("update_golden"))
    old, new = case.read("in.yml"), case.read("out.yml")
    if old is None or new is None or old == new:
        return
    assert lines_lost(old, new) == (1 if case.row in ONE_LINE_CHANGES else 0)
    assert [problem for problem in validate(decode(new, FILE)) if problem.severity is Severity.ERROR] == []
    before = Path(FILE).stat().st_mtime_ns
    again = run_mom([word for word in case.arguments if word not in {"-q", "--diff"}])
    assert again.status == 0
    assert "already configured" in again.stderr or "--format" in case.arguments
    assert (Path(FILE).read_bytes(), Path(FILE).stat().st_mtime_ns) == (new, before)
    piped = run_mom([("-" if word == FILE else word) for word in case.arguments if word != "--diff"], old)
    assert "--format" in case.arguments or piped.stdout == new


@pytest.mark.parametrize(
    "command", ["add_aws_adapter", "add_postgres_adapter", "add_kubernetes_adapter", "add_moment_adapter"]
)
def test_the_installed_command_writes_the_same(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a user types it, in a process of its own."""
    monkeypatch.chdir(tmp_path)
    case = Case(Path(__file__).parent / command / "D04-only-the-atlas")
    Path(FILE).write_bytes(case.read("in.yml") or b"")
    done = subprocess.run([MOM, *case.arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("Added ")
    assert "  undo: mom atlas config remove" in done.stderr
    assert Path(FILE).read_bytes() == case.read("out.yml")
