"""`mom atlas config init` and `generate` beyond their golden cases: what is there already, and where they write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import run_mom
from tests.samples import EMPTY, problems_in

INIT = ("atlas", "config", "init")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("preset", ["local", "production"])
@pytest.mark.parametrize("more", [[], ["--owner", "example.com"], ["--with", "openai,stripe,datadog"]], ids=" ".join)
def test_what_is_created_is_what_generate_prints_and_only_lacks_what_is_to_be_filled_in(
    preset: str, more: list[str]
) -> None:
    assert run_mom([*INIT, "--preset", preset, *more]).status == 0
    created = Path("atlas.yml").read_bytes()
    assert run_mom(["atlas", "config", "generate", "--preset", preset, *more]).stdout == created
    assert run_mom([*INIT, "-f", "-", "--preset", preset, *more]).stdout == created
    rules = [problem.rule for problem in problems_in(created, "atlas.yml")]
    assert rules == (["placeholder-provider"] if preset == "production" else [])
    assert max(map(len, created.decode().splitlines())) <= 80


def test_a_dry_run_and_a_check_write_nothing() -> None:
    dry = run_mom([*INIT, "-n"])
    assert (dry.status, dry.stderr) == (0, "Would create atlas.yml (local)\n")
    assert dry.stdout.startswith(b"--- /dev/null\n+++ b/atlas.yml\n@@ -0,0 +1,")
    check = run_mom([*INIT, "--check"])
    assert (check.status, check.stdout, check.stderr) == (3, b"", "Would create atlas.yml (local)\n")
    assert not Path("atlas.yml").exists()
    assert run_mom(INIT).status == 0
    modified = Path("atlas.yml").stat().st_mtime_ns
    assert run_mom([*INIT, "--check"]).status == 0
    assert run_mom([*INIT, "-n"]).stdout == b""
    assert Path("atlas.yml").stat().st_mtime_ns == modified


def test_the_other_name_of_a_configuration_is_not_made_ambiguous() -> None:
    Path("atlas.yaml").write_text(EMPTY)
    done = run_mom(INIT)
    assert (done.status, done.stdout) == (1, b"")
    assert done.stderr.startswith("error: atlas.yaml exists; only one of the two names may be used\n")
    assert not Path("atlas.yml").exists()
    assert run_mom([*INIT, "-f", "other.yml"]).status == 0


def test_it_writes_here_whatever_a_parent_folder_or_the_variable_names(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".git").mkdir()
    Path("below").mkdir()
    Path("atlas.yml").write_text(EMPTY)
    monkeypatch.chdir("below")
    assert run_mom(INIT).status == 0
    assert Path("atlas.yml").is_file()
    Path("atlas.yml").unlink()
    monkeypatch.setenv("MOM_CONFIG", "../atlas.yml")
    assert "warning: MOM_CONFIG is set: commands without -f use ../atlas.yml, not atlas.yml\n" in run_mom(INIT).stderr


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("nowhere/atlas.yml", "cannot create nowhere/atlas.yml: there is no such folder"),
        ("link.yml", "link.yml exists and is not overwritten"),
        ("folder", "cannot read folder: it is a folder"),
    ],
)
def test_where_nothing_can_be_created_nothing_is(file: str, words: str) -> None:
    Path("link.yml").symlink_to("gone.yml")
    Path("folder").mkdir()
    before = sorted(Path().rglob("*"))
    done = run_mom([*INIT, "-f", file])
    assert (done.status, done.stdout) == (1, b"")
    assert words in done.stderr
    assert sorted(Path().rglob("*")) == before


def test_the_next_commands_name_a_file_that_is_not_found_without() -> None:
    shown = run_mom([*INIT, "-f", "my atlas.yml", "--with", "openai"]).stderr
    assert "&& mom atlas run -f 'my atlas.yml'\n" in shown
    assert "mom atlas run -f 'my atlas.yml' --stand-in\n" in shown
