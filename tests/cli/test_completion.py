"""Shell completion, as the shells ask for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MOM = str(Path(sys.executable).parent / "mom")


def complete(words: str, count: int) -> list[str]:
    """Return what bash would be offered for the last of `words`."""
    environment = {**os.environ, "_MOM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    done = subprocess.run([MOM], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "count", "offered"),
    [
        pytest.param("mom a", 1, ["atlas", "auth"], id="groups"),
        pytest.param("mom atlas config add", 3, ["add-http-adapter"], id="commands"),
        pytest.param("mom atlas run --env", 3, ["--env-file"], id="options"),
    ],
)
def test_the_shell_is_offered_what_can_follow(words: str, count: int, offered: list[str]) -> None:
    found = complete(words, count)

    assert [word for word in offered if word not in found] == []


def test_completion_installs_itself_for_the_shell_that_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}

    done = subprocess.run(
        [MOM, "--install-completion", "bash"], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "mom" in (tmp_path / ".bashrc").read_text()
