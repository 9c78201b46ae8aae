"""What the commands that are typed most import: each module is paid for at each start.

The expected names are in `imports/`, one a line; `--update-golden` writes them anew, and the reviewer reads the diff.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.samples import EMPTY

FOLDER = Path(__file__).parent / "imports"
EDIT = "atlas config add-http-adapter -f atlas.yml --adapter-name a --base-url https://a.example"
COMMANDS = {
    "version": "--version",
    "curl": "curl --mom-print /v1/x",
    "edit": f"{EDIT} -H X-A:b",
}
# Of the standard library, what costs 5 ms and more, and none of these needs.
HEAVY = {"asyncio", "http.client", "ssl", "hashlib", "email", "xml", "unittest", "logging", "tempfile", "argparse"}
# Beside these for curl, which needs nothing of typer nor of YAML.
LIGHT = {*HEAVY, "typing", "pathlib", "dataclasses", "inspect", "enum", "re", "subprocess", "shutil", "contextlib"}
PROGRAM = """
import sys
before = set(sys.modules)
from mom.cli import main
status = main(sys.argv[1:])
print(status, *sorted(set(sys.modules) - before), file=sys.stderr)
"""


def imported(folder: Path, command: str) -> set[str]:
    """Return the modules that a command imports, in a process of its own."""
    environ = {"PATH": os.environ["PATH"], "MOM_HOME": str(folder / "home")}
    (folder / "atlas.yml").write_text(EMPTY)
    words = [sys.executable, "-c", PROGRAM, *command.split()]
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=True)
    status, *names = done.stderr.split("\n")[-2].split()
    assert status == "0"
    return set(names)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_imports_the_modules_that_are_listed(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    modules = imported(tmp_path, COMMANDS[name])
    ours = {module for module in modules if module.partition(".")[0] == "mom"}
    others = {module.partition(".")[0] for module in modules - ours} - sys.stdlib_module_names
    shown = "".join(f"{module}\n" for module in sorted(ours | {other for other in others if other[0] != "_"}))
    path = FOLDER / f"{name}.txt"
    if request.config.getoption("update_golden"):
        path.write_text(shown)
    assert shown == path.read_text()
    assert not modules & (LIGHT if name in {"version", "curl"} else HEAVY)
