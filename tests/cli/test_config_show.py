"""`mom atlas config show`, `list` and `env` for a person at a terminal, and what they complete."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import patch

import pytest

from mom.cli import main
from mom.cli.completion import adapter_names
from tests.golden import Terminal, run_mom

SAMPLE = (Path(__file__).parent / "list" / "every-kind" / "in.yml").read_text()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("atlas.yml").write_text(SAMPLE)


@pytest.mark.parametrize("command", [["list"], ["env"], ["show", "github"]], ids=" ".join)
def test_on_a_terminal_everything_fits_its_width_and_nothing_is_cut(command: list[str]) -> None:
    stdout = Terminal()
    with patch("sys.stdout", stdout):
        assert main(["atlas", "config", *command, "-q"]) == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", stdout.getvalue())
    assert max(map(len, shown.splitlines())) <= 80
    plain = run_mom(["atlas", "config", *command, "-q"]).stdout.decode()
    squeezed = re.sub(r"\s", "", shown)
    for word in re.findall(r"[A-Za-z_]{4,}", plain):
        assert word.lower() in squeezed.lower()


def test_the_lines_are_highlighted_where_there_is_colour_and_carry_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = run_mom(["atlas", "config", "show", "github", "-q"]).stdout.decode()
    assert "\x1b[" in shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert [line.split()[0] for line in lines if line.strip()] == [str(number) for number in range(26, 38)]
    # The name of a document in a file of ours may have been made to drive a terminal.
    Path("atlas.yml").write_text(SAMPLE.replace("# Of the platform team.", "# \u202e\x9b31m"))
    shown = run_mom(["atlas", "config", "show", "github", "-q"]).stdout.decode()
    assert "\x9b" not in shown
    assert "\u202e" not in shown


def test_stdin_is_a_configuration_too() -> None:
    for command in (["list"], ["env", "--format", "dotenv"], ["show", "github"]):
        expected = run_mom(["atlas", "config", *command]).stdout
        Path("atlas.yml").rename("away.yml")
        done = run_mom(["atlas", "config", *command, "-f", "-"], stdin=SAMPLE.encode())
        Path("away.yml").rename("atlas.yml")
        assert (done.status, done.stdout) == (0, expected)


def test_the_templates_are_read_by_what_they_are_for() -> None:
    import subprocess

    import yaml

    from mom.run.dotenv import parse

    names = ["GITHUB_TOKEN", "TEAM", "PRODUCTION_KEY_ID", "PRODUCTION_SECRET", "STAGING_KEY_ID", "STAGING_SECRET"]
    names.append("WAREHOUSE_URL")
    printed = {
        form: run_mom(["atlas", "config", "env", "--format", form]).stdout.decode()
        for form in ("dotenv", "shell", "kubernetes-secret")
    }
    assert list(parse(printed["dotenv"], ".env")) == names
    script = f"TEAM=kept; {printed['shell']}\nenv"
    done = subprocess.run(["sh", "-eu", "-c", script], env={}, capture_output=True, text=True, check=True)
    assert {line.partition("=")[0]: line.partition("=")[2] for line in done.stdout.splitlines()}.items() >= {
        **dict.fromkeys(names, ""),
        "TEAM": "kept",
    }.items()
    secret = yaml.safe_load(printed["kubernetes-secret"])
    assert (secret["kind"], secret["metadata"]["name"]) == ("Secret", "team-s-atlas")
    assert secret["stringData"] == dict.fromkeys(names, "")


def test_the_names_of_adapters_are_completed() -> None:
    assert adapter_names("") == ["github", "aws", "warehouse", "cluster"]
    assert adapter_names("w") == ["warehouse"]
    Path("atlas.yml").write_text("broken: [")
    assert adapter_names("") == []
