"""Which configuration a command works on where none is named: the same file for each command, or one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from mom.cli.configuration_file import locate
from mom.errors import UnreadableError, UsageError
from tests.golden import run_mom
from tests.samples import EMPTY

ADD = ("atlas", "config", "add-http-adapter", "--adapter-name", "x", "--base-url", "https://x.example")
VALIDATE = ("atlas", "config", "validate")
# Envoy is not needed for what is asserted here: the address is refused before it starts.
RUN = ("atlas", "run", "--envoy", "/dev/null")
COMMANDS = {"add": ADD, "validate": VALIDATE, "run": RUN}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two folders below its root; the inner one is the current folder."""
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository" / "a" / "b")
    return tmp_path / "repository"


@pytest.mark.parametrize("name", ["atlas.yml", "atlas.yaml"])
@pytest.mark.parametrize(
    ("folder", "path"), [("a/b", "{}"), ("a", "../{}"), (".", "../../{}")], ids=["here", "parent", "root"]
)
def test_the_nearest_file_up_to_the_root_of_the_repository_is_used(
    repository: Path, name: str, folder: str, path: str
) -> None:
    (repository / folder / name).write_text(EMPTY)
    assert locate({}).path == path.format(name)
    (repository.parent / "atlas.yml").write_text(EMPTY)
    assert locate({}).path == path.format(name)


def test_a_file_further_up_is_hidden_by_a_nearer_one(repository: Path) -> None:
    (repository / "atlas.yml").write_text(EMPTY)
    (repository / "a" / "atlas.yaml").write_text(EMPTY)
    assert locate({}).path == "../atlas.yaml"


def test_nothing_above_the_repository_and_nothing_but_this_folder_without_one_is_used(repository: Path) -> None:
    (repository.parent / "atlas.yml").write_text(EMPTY)
    with pytest.raises(UnreadableError, match=r"atlas\.yml: there is no such file"):
        locate({})
    (repository / ".git").rmdir()
    (repository / "atlas.yml").write_text(EMPTY)
    with pytest.raises(UnreadableError):
        locate({})


def test_the_git_file_of_a_work_tree_or_a_submodule_is_the_root_too(repository: Path) -> None:
    (repository / "atlas.yml").write_text(EMPTY)
    (repository / "a" / ".git").write_text("gitdir: ../.git/modules/a\n")
    with pytest.raises(UnreadableError):
        locate({})


@pytest.mark.parametrize("folder", ["a/b", "a"])
def test_both_names_in_one_folder_are_an_error_that_names_one_to_pass(repository: Path, folder: str) -> None:
    for name in ("atlas.yml", "atlas.yaml"):
        (repository / folder / name).write_text(EMPTY)
    for command in COMMANDS.values():
        done = run_mom(command)
        assert (done.status, done.stdout) == (2, b"")
        assert "has both" in done.stderr
        path = "atlas.yml" if folder == "a/b" else "../atlas.yml"
        assert done.stderr.endswith(f"hint: pass one of them: -f {path}\n")


def test_the_variable_comes_before_any_search_and_is_ignored_when_it_is_empty(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "a" / "b" / "atlas.yml").write_text(EMPTY)
    (repository / "other.yml").write_text(EMPTY)
    monkeypatch.setenv("MOM_CONFIG", "../../other.yml")
    done = run_mom(ADD)
    assert done.status == 0
    assert done.stderr.startswith("Added HTTP adapter x to ../../other.yml (lines 7-17)\n")
    assert (repository / "a" / "b" / "atlas.yml").read_text() == EMPTY
    assert run_mom([*VALIDATE, "-v"]).stderr.startswith("Using ../../other.yml, named by MOM_CONFIG\n")
    monkeypatch.setenv("MOM_CONFIG", "")
    assert run_mom(ADD).stderr.startswith("Added HTTP adapter x to atlas.yml")
    with pytest.raises(UsageError, match="standard input is not a file"):
        locate({"MOM_CONFIG": "-"})


def test_a_file_of_a_parent_folder_is_named_unless_quiet(repository: Path) -> None:
    (repository / "atlas.yml").write_text(EMPTY)
    for command in (ADD, VALIDATE, RUN):
        assert run_mom(command).stderr.startswith("Using ../../atlas.yml\n")
    assert run_mom([*ADD, "-q"]).stderr == ""
    assert run_mom([*VALIDATE, "-q"]).stderr == ""


def test_the_named_file_wins_and_is_in_the_next_command_which_needs_none_otherwise(repository: Path) -> None:
    (repository / "a" / "b" / "atlas.yml").write_text(EMPTY)
    assert run_mom(ADD).stderr.splitlines()[-2].endswith("next: mom atlas run")
    (repository / "an atlas.yml").write_text(EMPTY)
    shown = run_mom([*ADD, "-f", "../../an atlas.yml"]).stderr.splitlines()[-2]
    assert shown.endswith("next: mom atlas run -f '../../an atlas.yml'")


def test_without_a_file_each_command_fails_as_for_a_missing_one(repository: Path) -> None:
    for command in COMMANDS.values():
        done = run_mom(command)
        assert (done.status, done.stdout) == (1, b"")
        assert done.stderr.startswith("error: cannot read atlas.yml: there is no such file\nhint: ")
    (repository / "a" / "b" / "atlas.yml").symlink_to("gone.yml")
    assert locate({}).path == "atlas.yml"
    (repository / "a" / "b" / "atlas.yml").unlink()
    (repository / "a" / "b" / "atlas.yml").mkdir()
    (repository / "a" / "atlas.yml").write_text(EMPTY)
    assert locate({}).path == "../atlas.yml"


def test_a_folder_in_the_place_of_a_file_is_an_error_with_what_to_name(repository: Path) -> None:
    for command in (["list", "-f", "../b"], ["show", "x", "-f", "../b"], ["diff", "../b", "../b"]):
        done = run_mom(["atlas", "config", *command])
        assert (done.status, done.stdout) == (1, b""), repository
        hint = "name a file in it, or - for standard input"
        assert done.stderr == f"error: cannot read ../b: it is a folder\nhint: {hint}\n"
