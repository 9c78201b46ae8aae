"""The command tree as a user types it: help, versions, mistakes."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from mom import __version__
from mom.cli.app import ROOT
from mom.cli.tree import Branch, Leaf, load, paths, suggestion
from tests.golden import MOM, run_mom
from tests.samples import EMPTY

PATHS = sorted({path[:depth] for path in paths(ROOT) for depth in range(len(path) + 1)})


def at(path: tuple[str, ...]) -> Branch | Leaf:
    node: Branch | Leaf = ROOT
    for name in path:
        assert isinstance(node, Branch)
        node = node.commands[name]
    return node


@cache
def mom(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    """Run mom in this process, on a terminal of so many columns; help is asked for again and again."""
    with patch.dict(os.environ, {"COLUMNS": str(columns)}):
        done = run_mom(arguments)
    return subprocess.CompletedProcess(arguments, done.status, done.stdout.decode(), done.stderr)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_the_same_help_by_three_names(path: tuple[str, ...]) -> None:
    shown = mom(*path, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert mom("help", *path).stdout == shown.stdout
    if path != ("curl",):
        # `mom curl -h` is curl's.
        assert mom(*path, "-h").stdout == shown.stdout


@pytest.mark.parametrize("path", [path for path in PATHS if path != ("curl",)], ids=" ".join)
def test_help_shows_the_usage_and_an_example_in_the_first_lines_and_fits(path: tuple[str, ...]) -> None:
    lines = mom(*path, "--help").stdout.splitlines()
    assert lines[0].startswith("Usage: mom")
    assert max(map(len, lines)) <= 80
    if isinstance(at(path), Leaf):
        example = next(number for number, line in enumerate(lines) if line.startswith("Example"))
        assert example < lines.index("Options:") < 18


@pytest.mark.parametrize("path", [path for path in PATHS if path != ("curl",)], ids=" ".join)
def test_at_40_columns_nothing_is_cut(path: tuple[str, ...]) -> None:
    wide, narrow = (mom(*path, "--help", columns=columns).stdout for columns in (80, 40))
    assert narrow.split() == wide.split()
    assert "…" not in narrow


def test_the_version_by_each_of_its_names() -> None:
    for words in (["--version"], ["-V"], ["--version", "atlas"]):
        done = subprocess.run([MOM, *words], capture_output=True, text=True, check=True)
        assert done.stdout == f"mom {__version__}\n"


def test_the_version_with_what_mom_runs_on_for_the_report_of_a_fault() -> None:
    for words in (["--version", "-v"], ["-Vv"]):
        first, python, envoy = mom(*words).stdout.splitlines()
        assert first == f"mom {__version__}"
        assert python == f"Python {platform.python_version()}, {sys.executable}"
        assert re.fullmatch(r"Envoy \d+\.\d+\.\d+, /.+", envoy)
    with patch.dict(os.environ, {"MOM_ENVOY": "/nothing"}):
        assert run_mom(["-V", "--verbose"]).stdout.decode().splitlines()[2] == (
            "Envoy: MOM_ENVOY: /nothing is not an executable file"
        )
    assert mom("-v", "atlas").returncode == 2


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("atlas validate", "mom atlas config validate"),
        ("validate", "mom atlas config validate"),
        ("config", "mom atlas config"),
        ("run", "mom atlas run"),
        ("atlas config run", "mom atlas run"),
        ("atlas confg", "mom atlas config"),
        ("atlas config validat", "mom atlas config validate"),
        ("add-http-adapter", "mom atlas config add-http-adapter"),
        ("atlas config add-htp-adapter", "mom atlas config add-http-adapter"),
        ("token", "mom auth token"),
        ("atlas config delete-http-adapter", None),
        ("atlas config rm-http-adapter", None),
    ],
)
def test_an_unknown_command_gets_the_command_that_was_meant_and_never_its_opposite(
    typed: str, meant: str | None
) -> None:
    done = mom(*typed.split())
    *before, word = typed.split()
    level = " ".join(["mom", *before])
    hint = f"did you mean '{meant}'?" if meant else f"try '{level} --help'"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {level} has no command '{word}'\nhint: {hint}\n"


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        ("atlas run -f", "option '-f' requires an argument", "try 'mom atlas run --help'"),
        ("--install-completion", "option '--install-completion' requires an argument", "try 'mom --help'"),
        ("atlas run --fil x", "no such option: --fil", "did you mean '--file'?"),
        ("auth status --outpu json", "no such option: --outpu", "did you mean '--format'?"),
        (
            "auth status --format x",
            "invalid value for '--format': 'x' is not one of 'text', 'json'",
            "try 'mom auth status --help'",
        ),
        (
            "auth status --output x",
            "invalid value for '--format': 'x' is not one of 'text', 'json'",
            "try 'mom auth status --help'",
        ),
        ("--verion", "no such option: --verion", "did you mean '--version'?"),
        ("atlas config -x", "no such option: -x", "try 'mom atlas config --help'"),
        # What other tools call it, or a word of its name.
        ("atlas run --port 80", "no such option: --port", "did you mean '--listen'?"),
        ("atlas check --json", "no such option: --json", "did you mean '--format json'?"),
        ("atlas config add-http-adapter --name x", "no such option: --name", "did you mean '--adapter-name'?"),
        (
            "atlas config validate -f atlas.yml",
            "no such option: -f",
            "give the file as an argument: mom atlas config validate FILE",
        ),
        ("atlas run -f a b", "unexpected argument: b", "try 'mom atlas run --help'"),
        ("frobnicate", "mom has no command 'frobnicate'", "its commands: atlas, auth, curl, exec"),
        (
            "atlas export k8s",
            "mom atlas export has no command 'k8s'",
            "its commands: envoy, kubernetes, compose, ecs, systemd",
        ),
        (
            "atlas run -f a --concurrency x",
            "invalid value for '--concurrency': 'x' is not a whole number",
            "try 'mom atlas run --help'",
        ),
        ("help nothing", "mom has no command 'nothing'", "its commands: atlas, auth, curl, exec"),
    ],
)
def test_a_mistake_names_the_help_of_its_command_or_what_was_meant(typed: str, message: str, hint: str) -> None:
    done = mom(*typed.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {message}\nhint: {hint}\n"


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("atlas help", "atlas --help"),
        ("atlas config help validate", "atlas config validate --help"),
        ("atlas help config validate", "atlas config validate --help"),
        ("help help", "--help"),
    ],
)
def test_help_is_a_word_of_each_group(typed: str, same: str) -> None:
    shown = mom(*typed.split())
    assert (shown.returncode, shown.stdout) == (0, mom(*same.split()).stdout)


def test_one_name_for_one_thing_in_every_command() -> None:
    meanings: dict[str, set[str]] = {}
    for path in paths(ROOT):
        leaf = at(path)
        assert isinstance(leaf, Leaf)
        parameters = load(path[-1], leaf).params
        options = {parameter.opts[0]: parameter for parameter in parameters if parameter.opts[0].startswith("-")}
        for parameter in options.values():
            long = max(parameter.opts, key=len)
            for short in parameter.opts:
                meanings.setdefault(short, set()).add(long)
        assert "--output" not in options
        assert "--file" not in options or "--quiet" in options
        # Where a file is found without being given.
        if "--file" in options and path not in {("atlas", "config", "init"), ("atlas", "apis", "list")}:
            assert "--verbose" in options
        if "--format" in options:
            kind: Any = options["--format"].type
            assert list(kind.choices)[:2] == ["text", "json"]
    assert [short for short, longs in meanings.items() if len(longs) > 1] == []
    assert meanings.keys() >= {"-f", "-n", "-q", "-v", "-H"}


def test_an_option_by_its_former_name_is_the_same_option(tmp_path: Path) -> None:
    (tmp_path / "atlas.yml").write_text(EMPTY)
    listing = ("atlas", "config", "list", "-f", str(tmp_path / "atlas.yml"))
    for words in (["--output", "json"], ["--output=json"]):
        assert mom(*listing, *words).stdout == mom(*listing, "--format", "json").stdout != ""
    assert "--output" not in mom(*listing, "--help").stdout


def test_every_command_is_meant_by_its_last_word() -> None:
    for path in paths(ROOT):
        same = [" ".join(("mom", *other)) for other in paths(ROOT) if other[-1] == path[-1]]
        assert suggestion(ROOT, (), path[-1]) in same


def test_the_summary_of_a_command_is_the_first_line_of_its_help() -> None:
    for path in paths(ROOT):
        if path != ("curl",):
            first = mom(*path, "--help").stdout.split("\n\n")[1]
            assert " ".join(first.split()).startswith(at(path).summary.rstrip("."))


def test_only_the_module_of_the_command_that_runs_is_imported() -> None:
    program = (
        "import sys; from mom.cli.app import run; run(['atlas', 'config', 'schema', 'HTTP']);"
        "print(sorted(name for name in sys.modules if name.startswith('mom.cli.')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (
        done.stderr == "['mom.cli.app', 'mom.cli.config_schema', 'mom.cli.help', 'mom.cli.options', 'mom.cli.tree']\n"
    )
