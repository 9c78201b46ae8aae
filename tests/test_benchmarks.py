"""What `make` runs as a benchmark runs: a script and the options that it is called with belong together."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.proof
def test_a_soak_of_some_seconds_loses_nothing() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "soak", "SOAK=8"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (line,) = [line for line in shown.splitlines() if "soak.py" in line]
    _, *words = shlex.split(line)
    command = [sys.executable, *words, "--rotate", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(r"[1-9]\d* reloads, [1-9]\d* rotations: 0 lost", done.stdout)
