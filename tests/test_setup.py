"""`make setup` says what it does, and what is missing, before it takes time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[1] / ".ci" / "setup"


def run(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SETUP), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": "/dev/null", **environ},
    )


def test_an_environment_of_another_python_is_named_with_the_fix(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho 3.9\n")
    python.chmod(0o755)
    done = run(tmp_path / ".venv")
    assert done.returncode == 1
    version = ".".join(map(str, sys.version_info[:3]))
    expected = f"error: {tmp_path}/.venv is for Python 3.9, this is {version}\nhint: make clean, then again\n"
    assert (done.stdout, done.stderr) == ("", expected)


@pytest.mark.parametrize("what", ["a folder without a Python", "a broken link"])
def test_what_is_no_environment_is_named_with_the_fix(tmp_path: Path, what: str) -> None:
    folder = tmp_path / ".venv"
    if what == "a broken link":
        folder.symlink_to("nowhere")
    else:
        folder.mkdir()
    done = run(folder)
    assert done.returncode == 1
    expected = f"error: {folder} is not a usable virtual environment\nhint: make clean, then again\n"
    assert (done.stdout, done.stderr) == ("", expected)


@pytest.mark.proof
def test_without_a_network_there_is_one_error_and_no_warning(tmp_path: Path) -> None:
    done = run(tmp_path / ".venv", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert first.startswith("Creating ")
    assert second.startswith("Installing mom, Envoy, ")
    assert done.stderr.splitlines() == [
        "error: pip reached no package index",
        "hint: check the network, HTTPS_PROXY and pip's configuration (pip config list), then again",
    ]
