"""`mom atlas config diff`: two files, or one and a revision, in; what a change opens out; status 3 where it does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.atlas.test_review import ATLAS, MOVED, WITH_OPENAI
from tests.golden import MOM, run_mom

DIFF = ("atlas", "config", "diff")
LINE = "+ openai: all callers, all methods, sends OPENAI_API_TOKEN to api.openai.com\n"
EVIL = WITH_OPENAI.replace("api.stripe.com", "evil.example")


@pytest.fixture(autouse=True)
def _files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))):
        monkeypatch.setenv(name, value)
    Path("old.yml").write_text(ATLAS)
    Path("new.yml").write_text(WITH_OPENAI)
    Path("evil.yml").write_text(EVIL)


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def committed(text: str, path: str = "atlas.yml") -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text)
    git("init", "-q")
    git("add", path)
    git("commit", "-qm", "a")


def test_what_is_opened_is_reported_and_exits_with_3() -> None:
    result = run_mom([*DIFF, "old.yml", "new.yml"])
    assert (result.status, result.stdout.decode()) == (3, LINE)
    assert result.stderr == "1 change: 1 opens something\n"
    closed = run_mom([*DIFF, "new.yml", "old.yml"])
    assert (closed.status, closed.stdout) == (0, b"- openai: no longer reachable\n")
    same = run_mom([*DIFF, "new.yml", "new.yml"])
    assert (same.status, same.stdout, same.stderr) == (0, b"", "No changes in what can be reached\n")


def test_a_credential_that_goes_elsewhere_is_a_warning_below_its_line() -> None:
    result = run_mom([*DIFF, "new.yml", "evil.yml"])
    line = "~ stripe: base URL api.stripe.com -> evil.example, same credential"
    assert result.stdout.decode() == f"{line}\n  warning: {MOVED}\n"
    assert result.stderr == "1 change: 1 opens something, 1 warning\n"


def test_json_and_github_say_the_same() -> None:
    report = json.loads(run_mom([*DIFF, "old.yml", "evil.yml", "--format", "json"]).stdout)
    assert (report["old"], report["new"], report["opens"]) == ("old.yml", "evil.yml", True)
    assert [(change["sign"], change["subject"], change["opens"]) for change in report["changes"]] == [
        ("+", "openai", True),
        ("~", "stripe", True),
    ]
    assert report["changes"][1]["warnings"] == [MOVED]
    number = EVIL.splitlines().index("  name: stripe") + 1
    assert report["changes"][1]["line"] == number
    shown = run_mom([*DIFF, "old.yml", "evil.yml", "--format", "github"]).stdout.decode()
    assert shown.count("::notice file=evil.yml,") == 2
    assert f"::warning file=evil.yml,line={number},col=9," in shown
    assert f"stripe: {MOVED}" in shown


def test_stdin_is_one_of_the_files() -> None:
    result = run_mom([*DIFF, "-", "new.yml"], ATLAS.encode())
    assert (result.status, result.stdout.decode()) == (3, LINE)
    assert run_mom([*DIFF, "old.yml", "-"], WITH_OPENAI.encode()).stdout.decode() == LINE
    assert run_mom([*DIFF, "-", "-"]).status == 2
    assert run_mom([*DIFF, "-"]).status == 2


def test_a_file_is_compared_with_a_revision() -> None:
    committed(ATLAS)
    Path("atlas.yml").write_text(WITH_OPENAI)
    for arguments in ((), ("--rev", "HEAD"), ("atlas.yml",), ("atlas.yml", "--rev", "main")):
        result = run_mom([*DIFF, *arguments])
        assert (result.status, result.stdout.decode()) == (3, LINE), arguments
    git("commit", "-qam", "b")
    assert run_mom([*DIFF]).status == 0
    assert run_mom([*DIFF, "--rev", "HEAD~1"]).stdout.decode() == LINE


def test_a_file_that_was_not_there_opens_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    committed(ATLAS, "sub/atlas.yml")
    monkeypatch.chdir("sub")
    Path("other.yml").write_text(WITH_OPENAI)
    assert run_mom([*DIFF, "other.yml"]).stdout.decode().count("+ ") == 4
    assert run_mom([*DIFF]).status == 0


@pytest.mark.parametrize("rev", ["no-such", "--output=x", "HEAD:atlas.yml"])
def test_a_revision_that_does_not_exist_is_an_error_and_no_option_of_git(rev: str) -> None:
    committed(ATLAS)
    result = run_mom([*DIFF, f"--rev={rev}"])
    assert result.status == 1
    assert result.stderr.startswith(f"error: there is no revision `{rev}`\nhint: ")
    assert not Path("x").exists()


def test_without_a_repository_both_files_are_asked_for() -> None:
    result = run_mom([*DIFF, "old.yml"])
    assert result.status == 1
    assert result.stderr == (
        "error: old.yml is not in a git repository\nhint: name both files: mom atlas config diff OLD NEW\n"
    )
    assert run_mom([*DIFF, "old.yml", "new.yml", "--rev", "HEAD"]).status == 2


def test_a_file_with_an_error_is_refused_with_its_problems() -> None:
    Path("bad.yml").write_text(ATLAS.replace("baseUrl", "baseURL"))
    result = run_mom([*DIFF, "old.yml", "bad.yml"])
    assert (result.status, result.stdout) == (1, b"")
    assert "[unknown-key]" in result.stderr


def test_the_installed_command_compares_two_files(tmp_path: Path) -> None:
    command = [MOM, *DIFF, "old.yml", "new.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, LINE)
