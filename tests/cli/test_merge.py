"""Two branches that each add an adapter: the conflict in git is resolved by taking a side and adding again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import samples
from tests.golden import run_mom

ADD = ("atlas", "config", "add-http-adapter", "-f", "atlas.yml")
OPENAI = (*ADD, "--adapter-name", "openai", "--base-url", "https://api.openai.com", "-H", "X-Key: ${{ OPENAI }}")
STRIPE = (*ADD, "--adapter-name", "stripe", "--base-url", "https://api.stripe.com", "-H", "X-Key: ${{ STRIPE }}")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("side", ["--ours", "--theirs"])
def test_after_taking_either_side_the_same_commands_again_give_both_adapters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("atlas.yml")
    for name, command in {"ours.yml": OPENAI, "base.yml": (), "theirs.yml": STRIPE}.items():
        file.write_text(samples.GITHUB)
        assert not command or run_mom(command).status == 0
        file.rename(name)
    files = ["ours.yml", "base.yml", "theirs.yml"]
    conflict = subprocess.run(["git", "merge-file", "-p", *files], capture_output=True, check=False)
    assert conflict.returncode > 0
    file.write_bytes(conflict.stdout)
    refused = run_mom(OPENAI)
    assert (refused.status, file.read_bytes()) == (1, conflict.stdout)
    assert "conflict-marker" in refused.stderr

    resolved = subprocess.run(["git", "merge-file", "-p", side, *files], capture_output=True, check=True)
    file.write_bytes(resolved.stdout)
    results = [run_mom(command) for command in (OPENAI, STRIPE)]

    assert [result.status for result in results] == [0, 0]
    assert sorted(result.stderr.split()[0] for result in results) == ["Added", "Unchanged"]
    assert run_mom(["atlas", "config", "validate", "atlas.yml"]).status == 0
    assert [file.read_text().count(f"  name: {name}\n") for name in ("github", "openai", "stripe")] == [2, 2, 2]
