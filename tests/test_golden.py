"""The runner of golden cases: what it writes on request, and that it fails where it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import Case, check, read_command
from tests.samples import HEAD

ATLAS = f"{HEAD}  owner: example.com\n"
COMMAND = "mom atlas config add-http-adapter -f atlas.yml \\\n    --adapter-name x --base-url https://x.example\n"


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Case:
    folder = tmp_path / "cases" / "A01-a-situation"
    folder.mkdir(parents=True)
    (folder / "in.yml").write_bytes(ATLAS.encode())
    (folder.parent / "command").write_text(COMMAND)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Case(folder)


def test_a_command_is_quoted_as_for_a_shell() -> None:
    assert read_command("mom curl -H 'A: \"b\"' \\\n  x\\ y\n") == ["curl", "-H", 'A: "b"', "x y"]


def test_a_case_without_expectations_fails_and_an_update_writes_them(case: Case) -> None:
    with pytest.raises(AssertionError, match=r"neither or both of out\.yml and error\.txt"):
        check(case, update=False)
    check(case, update=True)
    assert (case.read("out.yml") or b"").startswith(ATLAS.encode() + b"  apiAdapters:\n")
    assert case.read("stderr.txt") is None
    check(case, update=False)


def test_an_update_of_a_refusal_writes_what_stderr_said_and_an_unusual_status(case: Case) -> None:
    case.write("in.yml", "")
    check(case, update=True)
    assert (case.text("error.txt") or "").startswith("error: atlas.yml is empty")
    assert case.read("status") is None
    case.write("command", COMMAND.replace("https://", ""))
    (case.folder / "error.txt").unlink()
    check(case, update=True)
    assert case.text("status") == "2\n"


def test_an_update_does_not_turn_a_success_into_a_refusal(case: Case) -> None:
    check(case, update=True)
    case.write("in.yml", "")
    with pytest.raises(AssertionError):
        check(case, update=True)
    assert case.read("error.txt") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [("out.yml", ATLAS), ("stdout.txt", "x"), ("stderr.txt", "x"), ("status", "1"), ("error.txt", "x")],
)
def test_a_case_fails_where_anything_it_says_is_not_so(case: Case, name: str, content: str) -> None:
    check(case, update=True)
    case.write(name, content)
    with pytest.raises(AssertionError):
        check(case, update=False)
