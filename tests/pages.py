"""README and the pages of docs/ as tests see them: their tables, their console blocks, their links.

A console block is run, line by line, in one folder for each page; a line without `$ ` is output. What a page needs
besides is in comments:

    <!-- file: NAME -->             the YAML or JSON block that follows is that file
    <!-- run: LINE -->              a line that is run, without its output
    <!-- options: COMMAND -->       a table of the command's options follows, made from what --help is made of
    <!-- commands: GROUP -->        a table of the commands of a group follows; `all`: of all commands
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path
from types import ModuleType
from typing import Any, Self
from unittest.mock import patch

import typer

from mom.cli import main
from mom.cli.app import ROOT as ROOT_BRANCH
from mom.cli.app import tree
from mom.cli.tree import paths
from tests.envoy.client import SECONDS
from tests.envoy.running import free_port
from tests.golden import MOM

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "deploy").glob("*.md"))]
DEMO = ROOT / "docs" / "demo"


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


class Shell:
    """Runs the lines of a page's console blocks, in a folder and with variables of their own.

    A line that is one mom command runs in this process, which is faster; every other line is one of sh, with the
    installed command. `export NAME=value` lasts. A line that ends in `&` runs until the page ends; the lines after it
    wait until it prints what it serves. It gets a free port instead of 8082, and the output shows 8082.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": f"{Path(MOM).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "MOM_HOME": str(folder / "home"),
            "COLUMNS": "80",
            "NO_COLOR": "1",
        }
        self._port: int | None = None
        self._background: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._background is not None:
            self._background.send_signal(signal.SIGINT)
            self._background.wait(timeout=SECONDS)

    def run(self, line: str) -> str:
        """Return what a line prints on a terminal of 80 columns, both streams."""
        if line.startswith("export "):
            self.environment.update(dict(word.split("=", 1) for word in shlex.split(line)[1:]))
            return ""
        if line.endswith(" &"):
            return self._start(line.removesuffix(" &"))
        words = shlex.split(line, comments=True)
        if words[:1] == ["mom"] and words[1:2] != ["curl"] and _is_plain(line):
            return self._steady(self._in_this_process(words[1:]))
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return self._steady(done.stdout)

    def _in_this_process(self, arguments: list[str]) -> bytes:
        output = io.BytesIO()
        stream = io.TextIOWrapper(output, encoding="utf-8", newline="", write_through=True)
        with (
            contextlib.chdir(self.folder),
            patch.dict(os.environ, self.environment, clear=True),
            patch("sys.stdin", io.TextIOWrapper(io.BytesIO(b""))),
            contextlib.redirect_stdout(stream),
            contextlib.redirect_stderr(stream),
        ):
            main(arguments)
        return output.getvalue()

    def _start(self, line: str) -> str:
        self._port = free_port()
        self.environment["MOM_BASE_URL"] = f"http://127.0.0.1:{self._port}"
        log = self.folder.parent / f"{self.folder.name}.log"
        with log.open("wb") as stream:
            self._background = subprocess.Popen(
                ["sh", "-c", f"exec {line} --listen 127.0.0.1:{self._port}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        deadline = time.monotonic() + SECONDS
        # The last line of what a run prints at its start.
        while b"  try: " not in (output := log.read_bytes()) or not output.endswith(b"\n"):
            assert self._background.poll() is None, output.decode()
            assert time.monotonic() < deadline, output.decode()
            time.sleep(0.05)
        return self._steady(output)

    def _steady(self, output: bytes) -> str:
        """Return output without what differs between runs and machines: folder, port, limits, time, version of curl."""
        text = output.decode().replace("\r\n", "\n").replace(str(self.folder / "home"), "/home/you/.local/share/mom")
        text = text.replace(str(self.folder), "/home/you")
        if self._port is not None:
            text = text.replace(f" --base-url http://127.0.0.1:{self._port}", "")
            text = text.replace(f"127.0.0.1:{self._port}", "127.0.0.1:8082")
        text = re.sub(r"^note: \d+ client connections at most, .*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^\d\d:\d\d:\d\d ", "12:00:00 ", text, flags=re.MULTILINE)
        text = re.sub(r"\b\d+\.\d\d s\b", "0.05 s", text)
        text = re.sub(r"\bcurl/[\d.]+", "curl/8.5.0", text)
        return text if text.endswith("\n") or not text else text + "\n"


def _is_plain(line: str) -> bool:
    """Return whether sh would do nothing to a line but part its words."""
    unquoted = re.sub(r"'[^']*'", "", line)
    return not set(unquoted) & set("|<>;&$`*?~")


def consoles(page: Path, folder: Path) -> str:
    """Return a page with the output of every console block made anew, in order, in one folder."""
    with Shell(folder) as shell:
        return _consoles(page, folder, shell)


def _consoles(page: Path, folder: Path, shell: Shell) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match["name"]:
            (folder / match["name"]).write_text(match["content"])
            return match[0]
        if match["silent"]:
            shell.run(match["silent"])
            return match[0]
        lines = [line for line in match["console"].split("\n") if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{shell.run(line[2:])}" for line in lines) + "```\n"

    pattern = (
        r"<!-- file: (?P<name>\S+) -->\n```(?:yaml|json)\n(?P<content>.*?)```\n"
        r"|<!-- run: (?P<silent>.*?) -->\n"
        r"|```console\n(?P<console>.*?)```\n"
    )
    return re.sub(pattern, replaced, page.read_text(), flags=re.DOTALL)


def script(name: str) -> ModuleType:
    """Return docs/demo/NAME.py, which is a script and in no package."""
    specification = importlib.util.spec_from_file_location(f"demo_{name}", DEMO / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them (github.com/gjtorikian/html-pipeline)."""
    headings = re.findall(r"^#+ +(.+?) *$", _without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """Return the targets of a page's links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", _without_code(text))


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
