"""README says what mom does: its console blocks are run, its option tables are compared with `--help`.

`pytest --update-golden` writes both into README anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from mom.cli.app import ROOT as ROOT_BRANCH
from mom.cli.app import tree
from mom.cli.tree import paths

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
COMMANDS = Path(sys.executable).parent


def command_at(path: tuple[str, ...]) -> Any:
    """Return the command that these words call."""
    command: Any = tree()
    for name in path:
        command = command.get_command(typer.Context(command), name)
    return command


TREE = {" ".join(path): command_at(path) for path in paths(ROOT_BRANCH)}


def option_table(command: Any) -> str:
    """Return a command's arguments and options as README shows them, from what `--help` is made of."""
    lines = ["| option | meaning |", "|---|---|"]
    for parameter in command.params:
        help_text = " ".join((getattr(parameter, "help", None) or "").split()).replace("|", "\\|")
        if parameter.param_type_name == "argument":
            lines.append(f"| `{parameter.make_metavar(typer.Context(command))}` | {help_text} |")
        elif parameter.name != "help":
            value = "" if parameter.is_flag else f" {_metavar(parameter, command)}"
            words = ", ".join(f"`{option}{value}`" for option in sorted(parameter.opts, key=len))
            shown = parameter.default if parameter.default not in {None, False, ()} and not parameter.is_flag else None
            default = f" Default: `{shown}`." if shown is not None and not callable(shown) else ""
            lines.append(f"| {words} | {help_text}{default} |")
    return "\n".join(lines)


def _metavar(parameter: Any, command: Any) -> str:
    return str(parameter.make_metavar(typer.Context(command))).replace("|", "\\|")


def command_table(group: str) -> str:
    """Return the commands of a group with their first sentence."""
    lines = ["| command | what it does |", "|---|---|"]
    for path, command in TREE.items():
        if path.startswith(f"{group} "):
            sentence = " ".join((command.help or "").split("\n\n")[0].split())
            lines.append(f"| `mom {path}` | {sentence} |")
    return "\n".join(lines)


def tables(text: str) -> str:
    """Return README with every table made from the commands anew."""

    def replaced(match: re.Match[str]) -> str:
        table = option_table(TREE[match["what"]]) if match["kind"] == "options" else command_table(match["what"])
        return f"<!-- {match['kind']}: {match['what']} -->\n\n{table}\n"

    pattern = r"<!-- (?P<kind>options|commands): (?P<what>[a-z -]+?) -->\n(?:\n(?:\|[^\n]*\n)*)?"
    return re.sub(pattern, replaced, text)


def run(line: str, folder: Path) -> str:
    """Return what the installed command prints on a terminal of 80 columns, both streams."""
    environment = {
        "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "MOM_HOME": str(folder / "home"),
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.stdout.decode()


def consoles(text: str, folder: Path) -> str:
    """Return README with the output of every console block made anew, in order, in one folder.

    A block that follows `<!-- file: NAME -->` is written to that file first.
    """

    def replaced(match: re.Match[str]) -> str:
        if match["name"]:
            (folder / match["name"]).write_text(match["content"])
            return match[0]
        lines = [line for line in match["console"].split("\n") if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{run(line[2:], folder)}" for line in lines) + "```\n"

    pattern = r"<!-- file: (?P<name>\S+) -->\n```yaml\n(?P<content>.*?)```\n|```console\n(?P<console>.*?)```\n"
    return re.sub(pattern, replaced, text, flags=re.DOTALL)


def compare(request: pytest.FixtureRequest, expected: str) -> None:
    """Insist that README is `expected`, or write it on `--update-golden`."""
    if request.config.getoption("--update-golden"):
        README.write_text(expected)
    assert README.read_text() == expected


def test_the_option_tables_of_the_readme_are_those_of_help(request: pytest.FixtureRequest) -> None:
    compare(request, tables(README.read_text()))


def test_every_command_with_options_is_in_the_readme() -> None:
    text = README.read_text()

    missing = [path for path in TREE if path != "curl" and f"mom {path}" not in text]

    assert missing == []


def test_the_console_blocks_of_the_readme_show_what_is_printed(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    compare(request, consoles(README.read_text(), tmp_path))


def test_help_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    groups = {" ".join(path.split()[:depth]) for path in TREE for depth in range(3)}

    wide = {
        line
        for path in sorted(groups | set(TREE))
        for line in run(f"mom {path} --help", tmp_path).split("\n")
        if len(line) > 80
    }

    assert wide == set()
