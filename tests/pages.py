"""README and the pages of docs/ as tests see them: their tables, their console blocks, their links.

A console block is run, line by line, in one folder for each page. A line without `$ ` is output. What a page needs
before its first command stands in a comment above a block:

    <!-- file: NAME -->             the YAML block that follows is that file
    <!-- file: NAME = PAGE.md -->   the file NAME of another page
    <!-- options: COMMAND -->       a table of the command's options follows, made from what --help is made of
    <!-- commands: GROUP -->        a table of the commands of a group follows; `all`: of all commands
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer

from mom.cli.app import ROOT as ROOT_BRANCH
from mom.cli.app import tree
from mom.cli.tree import paths

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = Path(sys.executable).parent


def command_at(path: tuple[str, ...]) -> Any:
    """Return the command that these words call."""
    command: Any = tree()
    for name in path:
        command = command.get_command(typer.Context(command), name)
    return command


TREE = {" ".join(path): command_at(path) for path in paths(ROOT_BRANCH)}


def option_table(command: Any) -> str:
    """Return a command's arguments and options as the pages show them, from what `--help` is made of."""
    lines = ["| option | meaning |", "|---|---|"]
    for parameter in command.params:
        help_text = " ".join((getattr(parameter, "help", None) or "").split()).replace("|", "\\|")
        if getattr(parameter, "hidden", False):
            continue
        if parameter.param_type_name == "argument":
            metavar = parameter.make_metavar(typer.Context(command)).replace("|", "\\|")
            lines.append(f"| `{metavar}` | {help_text} |")
        elif parameter.name != "help":
            value = "" if parameter.is_flag else f" {_metavar(parameter, command)}"
            words = ", ".join(f"`{option}{value}`" for option in sorted(parameter.opts, key=len))
            shown = parameter.default if parameter.default not in {None, False, ()} and not parameter.is_flag else None
            default = f" Default: `{shown}`." if shown is not None and not callable(shown) else ""
            lines.append(f"| {words} | {help_text}{default} |")
    return "\n".join(lines) if len(lines) > 2 else "No options."


def _metavar(parameter: Any, command: Any) -> str:
    return str(parameter.make_metavar(typer.Context(command))).replace("|", "\\|")


def command_table(group: str) -> str:
    """Return the commands of a group with their first sentence."""
    lines = ["| command | what it does |", "|---|---|"]
    for path, command in TREE.items():
        if group == "all" or path.startswith(f"{group} "):
            sentence = " ".join((command.help or "").split("\n\n")[0].split()).replace("|", "\\|")
            lines.append(f"| `mom {path}` | {sentence} |")
    return "\n".join(lines)


def tables(text: str) -> str:
    """Return a page with every table made from the commands anew."""

    def replaced(match: re.Match[str]) -> str:
        table = option_table(TREE[match["what"]]) if match["kind"] == "options" else command_table(match["what"])
        return f"<!-- {match['kind']}: {match['what']} -->\n\n{table}\n\n"

    pattern = r"<!-- (?P<kind>options|commands): (?P<what>[a-z -]+?) -->\n\n*(?:No options\.\n|(?:\|[^\n]*\n)*)\n*"
    return re.sub(pattern, replaced, text).rstrip("\n") + "\n"


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
    return _without_place(done.stdout.decode(), folder)


def _without_place(output: str, folder: Path) -> str:
    """Return output without what differs between two machines: the folder."""
    return output.replace(str(folder / "home"), "/home/you/.local/share/mom").replace(str(folder), "/home/you")


def files(page: Path) -> dict[str, str]:
    """Return the files that a page shows."""
    pattern = r"<!-- file: (?P<name>\S+) -->\n```yaml\n(?P<content>.*?)```\n"
    return {match["name"]: match["content"] for match in re.finditer(pattern, page.read_text(), flags=re.DOTALL)}


def consoles(page: Path, folder: Path) -> str:
    """Return a page with the output of every console block made anew, in order, in one folder."""

    def replaced(match: re.Match[str]) -> str:
        if match["name"]:
            (folder / match["name"]).write_text(match["content"])
            return match[0]
        if match["borrowed"]:
            (folder / match["borrowed"]).write_text(files(_page(match["source"]))[match["borrowed"]])
            return match[0]
        lines = [line for line in match["console"].split("\n") if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{run(line[2:], folder)}" for line in lines) + "```\n"

    pattern = (
        r"<!-- file: (?P<name>\S+) -->\n```yaml\n(?P<content>.*?)```\n"
        r"|<!-- file: (?P<borrowed>\S+) = (?P<source>\S+) -->\n"
        r"|```console\n(?P<console>.*?)```\n"
    )
    return re.sub(pattern, replaced, page.read_text(), flags=re.DOTALL)


def _page(name: str) -> Path:
    return next(page for page in PAGES if page.name == name)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them (github.com/gjtorikian/html-pipeline)."""
    headings = re.findall(r"^#+ +(.+?) *$", _without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """Return the targets of a page's links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", _without_code(text))


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
