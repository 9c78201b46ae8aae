"""File names that would like to be more than names: lines of their own, commands of CI, sequences of a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree as ET

import pytest

from mom.cli.formats import Checked, Format, write
from mom.console import Console
from mom.problems import Place, Problem
from tests.golden import MOM, run_mom
from tests.samples import EMPTY

NAMES = {
    "a line of its own": "x\nerror: fake\n::error::fake",
    "a carriage return": "x\rerror: fake",
    "escape": "\x1b[2J\x9bx",
    "another direction": "x\u202egnp.lmy",
    "no character": "x\udcff",
    "quotes": "\"a'\\x",
}
ADD = ("atlas", "config", "add-http-adapter", "--adapter-name", "a", "--base-url", "https://a.example", "-f")
COMMANDS = {
    "add": ADD,
    "add, as a diff": (*ADD[:-1], "-n", "-f"),
    "add, as JSON": (*ADD[:-1], "--format", "json", "-f"),
    "init": ("atlas", "config", "init", "--owner", "", "-f"),
    "list": ("atlas", "config", "list", "-f"),
    "show": ("atlas", "config", "show", "-f", "good.yml"),
    "env": ("atlas", "config", "env", "-f"),
    "validate": ("atlas", "config", "validate"),
    **{f"validate, {form}": ("atlas", "config", "validate", "--format", form) for form in ("github", "sarif", "junit")},
    "validate, json": ("atlas", "config", "validate", "--format", "json"),
    "run": ("atlas", "run", "-f"),
    "run with --env-file": ("atlas", "run", "-f", "good.yml", "--env-file"),
    "run with --tls-cert": ("atlas", "run", "-f", "good.yml", "--tls-key", "none", "--tls-cert"),
    "run with --envoy": ("atlas", "run", "-f", "good.yml", "--envoy"),
    "jwks": ("auth", "jwks", "--merge"),
    "token": ("auth", "token", "--mom-token-file"),
    "inspect": ("auth", "inspect"),
    "curl": ("curl", "--mom-token-file"),
    "an unknown command": ("atlas",),
    "an argument too many": ("atlas", "config", "schema", "HTTP"),
    "an unknown kind": ("atlas", "config", "schema"),
    "a shell": ("--show-completion",),
}


def mom(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run mom with names that are bytes to the system: in this process, but for curl, which would become it."""
    if arguments[0] != "curl":
        with contextlib.chdir(folder), patch.dict(os.environ, {"MOM_HOME": str(folder / "home")}):
            done = run_mom(arguments)
        return subprocess.CompletedProcess(arguments, done.status, done.stdout, done.stderr.encode())
    environ = {"PATH": os.environ["PATH"], "MOM_HOME": str(folder / "home"), "PYTHONIOENCODING": "utf-8"}
    words: list[str | bytes] = [MOM, *map(os.fsencode, arguments)]
    return subprocess.run(words, cwd=folder, env=environ, capture_output=True, check=False)


def assert_harmless(shown: str) -> None:
    for line in shown.split("\n"):
        assert line.isprintable(), ascii(line)
        assert not line.startswith(("error: fake", "::error::fake"))


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_missing_file_cannot_fake_a_line(tmp_path: Path, command: tuple[str, ...], name: str) -> None:
    (tmp_path / "good.yml").write_text(EMPTY)
    last = (name, "/v1/x") if command[0] == "curl" else (name,)
    done = mom(tmp_path, *command, *last)
    assert done.returncode in {1, 2, 125}, done.stdout + done.stderr
    shown = (done.stdout + done.stderr).decode()
    assert "bug in mom" not in shown
    assert_harmless(shown)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("command", [word for word in COMMANDS if word.split(",")[0] in {"add", "validate"}])
def test_a_file_that_is_there_cannot_fake_a_line(tmp_path: Path, command: str, name: str) -> None:
    (tmp_path / name).write_text(EMPTY.replace("spec:", "owner: 1\nspec:") if "validate" in command else EMPTY)
    done = mom(tmp_path, *COMMANDS[command], name)
    assert done.returncode == int("validate" in command), done.stderr
    text = done.stdout.decode()
    if "json" in command.lower():
        report = json.loads(text)
        assert (report["files"][0]["file"] if "validate" in command else report["file"]) == name
    elif "junit" in command:
        assert ET.fromstring(text) is not None
    assert_harmless(text + done.stderr.decode())


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_git_applies_the_diff_of_a_file_with_such_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(EMPTY)
    shown = mom(tmp_path, *COMMANDS["add, as a diff"], name).stdout
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=shown, check=True)
    assert "https://a.example" in (tmp_path / name).read_text()


def test_a_hint_of_several_lines_keeps_them_in_a_report_for_services() -> None:
    out = io.StringIO()
    hint = "write\n    kind: Atlas\n    metadata:"
    problem = Problem(place=Place("atlas.yml", 1, 1), rule="no-atlas", message="there is none", hint=hint)
    write([Checked("atlas.yml", (problem,))], Format.JUNIT, Console(stdout=out, environ={}), strict=False)
    assert "\n    kind: Atlas\n    metadata:" in out.getvalue()
