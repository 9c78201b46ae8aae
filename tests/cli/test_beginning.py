"""From nothing: what each command says where there is no configuration yet, and that what it says to type works."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.golden import MOM, run_mom
from tests.samples import EMPTY

ADD = ("--adapter-name", "openai", "--base-url", "https://api.openai.com", "-H", "Authorization: Bearer ${{ TOKEN }}")
COMMANDS = {
    "add-http-adapter": ("atlas", "config", "add-http-adapter", *ADD, "-f"),
    "add": ("atlas", "config", "add", "openai", "-f"),
    "list": ("atlas", "config", "list", "-f"),
    "show": ("atlas", "config", "show", "openai", "-f"),
    "env": ("atlas", "config", "env", "-f"),
    "validate": ("atlas", "config", "validate"),
    "check": ("atlas", "check", "-f"),
    "run": ("atlas", "run", "--listen", "127.0.0.1:0", "-f"),
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOM_HOME", str(tmp_path / "home"))


def shell(shown: str, words: str) -> str:
    """Return the command line that a hint names after `words`, and run it in a shell as a user would."""
    hint = re.search(rf"hint: {words}: (mom [^;\n]+)", shown)
    assert hint, shown
    path = f"{Path(MOM).parent}:{os.environ['PATH']}"
    done = subprocess.run(hint[1], shell=True, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return hint[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_file_is_reported_in_the_same_words_with_the_command_that_creates_one(command: str) -> None:
    done = run_mom([*COMMANDS[command], "atlas.yml"])
    assert done.status == 1
    assert "error: cannot read atlas.yml: there is no such file" in done.stdout.decode() + done.stderr
    assert "hint: create one: mom atlas config init\n" in done.stdout.decode() + done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_without_an_atlas_is_reported_with_the_command_that_adds_one(command: str) -> None:
    Path("atlas.yml").write_text("kind: Deployment\n")
    done = run_mom([*COMMANDS[command], "atlas.yml"])
    assert done.status == 1
    assert "no Atlas document" in done.stdout.decode() + done.stderr
    assert "hint: add one: mom atlas config generate >> atlas.yml" in done.stdout.decode() + done.stderr


def test_what_a_hint_says_to_type_works_as_it_is_printed() -> None:
    name = "it's my file.yml"
    missing = run_mom([*COMMANDS["add-http-adapter"], name])
    assert shell(missing.stderr, "create one").startswith("mom atlas config init -f ")
    assert run_mom([*COMMANDS["add-http-adapter"], name]).status == 0
    for content in ("", "# nothing yet\nkind: Deployment\n"):
        Path(name).write_text(content)
        without = run_mom([*COMMANDS["add-http-adapter"], name])
        assert shell(without.stderr, "add one").startswith("mom atlas config generate >> ")
        assert Path(name).read_text().startswith(content)
        assert run_mom([*COMMANDS["add-http-adapter"], name]).status == 0
        assert run_mom(["atlas", "config", "validate", name]).status == 0


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["folder", "a/b", "x" * 300, "a\nb"], ids=["folder", "below", "long", "two lines"])
def test_what_cannot_be_read_is_status_1_everywhere(command: str, name: str) -> None:
    Path("folder").mkdir()
    Path("a").touch()
    done = run_mom([*COMMANDS[command], name])
    assert done.status == 1
    if command == "validate" and name == "folder":
        # It stands for the configurations below it.
        assert b"no Atlas configuration in the folder" in done.stdout
        return
    assert f"cannot read {name.replace(chr(10), chr(92) + 'n')}: " in done.stdout.decode() + done.stderr


def test_the_installed_command_creates_a_configuration_and_never_overwrites_one() -> None:
    done = subprocess.run([MOM, "atlas", "config", "init"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr.splitlines()[0]) == ("", "Created atlas.yml (local)")
    created = Path("atlas.yml").read_text()
    Path("atlas.yml").write_text(EMPTY)
    done = subprocess.run([MOM, "atlas", "config", "init"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: atlas.yml exists and is not overwritten\nhint: ")
    assert Path("atlas.yml").read_text() == EMPTY
    Path("atlas.yml").write_text(created)
    assert run_mom(["atlas", "config", "init"]).stderr == "Unchanged atlas.yml is this configuration already\n"
