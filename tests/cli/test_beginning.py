"""From nothing: what each command says where there is no configuration yet."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mom.atlas.beginning import LINES

MOM = str(Path(sys.executable).parent / "mom")
ADD = ("--adapter-name", "openai", "--base-url", "https://api.openai.com", "-H", "Authorization: Bearer ${{ TOKEN }}")
COMMANDS = {
    "add-http-adapter": ("atlas", "config", "add-http-adapter", *ADD, "-f"),
    "validate": ("atlas", "config", "validate"),
    "run": ("atlas", "run", "--listen", "127.0.0.1:0", "-f"),
}


def mom(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "MOM_HOME": str(folder / "home")}
    return subprocess.run([MOM, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False)


def lines_to_write(shown: str) -> str:
    """Return the indented lines at the end, as they are."""
    lines = [line for line in shown.splitlines() if line.startswith("    ") and " | " not in line]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_file_is_said_in_the_same_words_and_how_to_begin(tmp_path: Path, command: str) -> None:
    done = mom(tmp_path, *COMMANDS[command], "atlas.yml")
    shown = done.stdout + done.stderr
    assert done.returncode == 1
    assert "error: cannot read atlas.yml: there is no such file" in shown
    assert "hint: to begin with, write this to atlas.yml:\n    apiVersion: " in shown
    assert textwrap.dedent(lines_to_write(shown)).splitlines() == list(LINES)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_without_an_atlas_is_said_and_how_to_begin(tmp_path: Path, command: str) -> None:
    (tmp_path / "atlas.yml").write_text("kind: Deployment\n")
    done = mom(tmp_path, *COMMANDS[command], "atlas.yml")
    shown = done.stdout + done.stderr
    assert done.returncode == 1
    assert "no Atlas document" in shown
    assert textwrap.dedent(lines_to_write(shown)).splitlines() == list(LINES)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["folder", "a/b", "x" * 300, "a\nb"], ids=["folder", "below", "long", "two lines"])
def test_what_cannot_be_read_is_status_1_everywhere(tmp_path: Path, command: str, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").touch()
    done = mom(tmp_path, *COMMANDS[command], name)
    assert done.returncode == 1
    assert f"cannot read {name.replace(chr(10), chr(92) + 'n')}: " in done.stdout + done.stderr


def test_the_lines_are_a_configuration_and_take_an_adapter_as_they_are_printed(tmp_path: Path) -> None:
    printed = lines_to_write(mom(tmp_path, *COMMANDS["add-http-adapter"], "atlas.yml").stderr)
    for text in (printed, textwrap.dedent(printed)):
        (tmp_path / "atlas.yml").write_text(text)
        for command in ("validate", "add-http-adapter", "validate"):
            done = mom(tmp_path, *COMMANDS[command], "atlas.yml")
            assert done.returncode == 0, done.stdout + done.stderr
        assert "openai" in (tmp_path / "atlas.yml").read_text()
