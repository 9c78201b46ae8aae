"""Golden cases: a folder says what a user has, what they type, and what must come out. A new case needs no Python.

A case has some of these files; the bytes count, line endings and a missing final newline included:

    in.yml       what `atlas.yml` is before (without it there is no such file)
    command      what the user types, quoted as for a shell (without it: the command of the folder above)
    out.yml      what `atlas.yml` is afterwards: the command succeeded
    error.txt    what stderr says: the command refused, and `atlas.yml` keeps its bytes and its time
    stdout.txt   what is on stdout (without it: nothing)
    stderr.txt   what stderr says of a success (without it: not looked at)
    status       the exit status (without it: 0 with `out.yml`, 1 with `error.txt`)

`pytest --update-golden` writes the expected files that a case has from what came out, and `out.yml` or `error.txt`
where it has neither; the reviewer reads the diff. What an edit promises of every file (`tests.promises`) is held
besides, and no expected file can talk it away.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mom.cli import app, main, tree

FILE = "atlas.yml"
# The installed command.
MOM = str(Path(sys.executable).parent / "mom")


class Terminal(io.StringIO):
    """A stream that is a terminal, without a device behind it."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@dataclass(frozen=True)
class Result:
    """What a command did: its exit status, and what it wrote to stdout (bytes) and stderr."""

    status: int
    stdout: bytes
    stderr: str


_load = tree.load
_loaded: dict[tuple[str, str], Any] = {}


def _load_once(name: str, leaf: tree.Leaf) -> Any:
    """Return a command as a process of its own loads it, once: it takes typer longer than most commands to run."""
    if (name, leaf.where) not in _loaded:
        _loaded[name, leaf.where] = _load(name, leaf)
    return _loaded[name, leaf.where]


def run_mom(arguments: Sequence[str], stdin: bytes = b"") -> Result:
    """Run mom in this process, in the current folder, and return what it did."""
    streams = [io.TextIOWrapper(io.BytesIO(part), encoding="utf-8", newline="") for part in (stdin, b"", b"")]
    with contextlib.ExitStack() as stack:
        if list(arguments[:2]) == ["atlas", "run"]:
            # What a run does to its process for good. Programs that later tests start would inherit it.
            stack.enter_context(patch("mom.run.serve.protect"))
            stack.enter_context(patch("mom.run.limits.raise_open_files"))
        elif list(arguments[:1]) == ["curl"]:
            # curl would take the place of the tests.
            stack.enter_context(patch("mom.curl.execute.exec_curl", side_effect=AssertionError("curl is started")))
        stack.enter_context(patch.object(tree, "load", _load_once))
        stack.enter_context(patch.object(app, "load", _load_once))
        stack.enter_context(patch("sys.stdin", streams[0]))
        stack.enter_context(contextlib.redirect_stdout(streams[1]))
        stack.enter_context(contextlib.redirect_stderr(streams[2]))
        status = main(arguments)
    written = []
    for stream in streams[1:]:
        stream.flush()
        buffer = stream.buffer
        assert isinstance(buffer, io.BytesIO)
        written.append(buffer.getvalue())
    return Result(status, written[0], written[1].decode())


def read_command(text: str) -> list[str]:
    """Return the arguments of a command as a user types it: `mom …`, quoted, a backslash before a line end joins."""
    words = shlex.split(text.replace("\\\n", " "))
    assert words[0] == "mom", f"a command starts with mom: {text}"
    return words[1:]


@dataclass(frozen=True)
class Case:
    """One folder."""

    folder: Path

    @property
    def row(self) -> str:
        """The id before the situation: `A07` of `A07-commented-out-sibling-stays-below`."""
        return self.folder.name.partition("-")[0]

    @property
    def arguments(self) -> list[str]:
        """The command's arguments, the case's own or those of the folder above."""
        own = self.folder / "command"
        return read_command((own if own.exists() else self.folder.parent / "command").read_bytes().decode())

    def read(self, name: str) -> bytes | None:
        """Return the bytes of the case's file `name`, None without it."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def text(self, name: str) -> str | None:
        """Return the text of the case's file `name`, None without it."""
        content = self.read(name)
        return None if content is None else content.decode()

    def write(self, name: str, content: bytes | str) -> None:
        """Write the case's file `name`."""
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def cases(folder: Path) -> list[Case]:
    """Return the cases below `folder`, in the order of their names."""
    return [Case(path) for path in sorted(folder.iterdir()) if path.is_dir()]


def check(case: Case, *, update: bool) -> Result:
    """Run a case in the current folder and compare all that it says. Returns what the command did."""
    given = case.read("in.yml")
    path = Path(FILE)
    if given is not None:
        path.write_bytes(given)
    before = path.stat().st_mtime_ns if given is not None else None
    result = run_mom(case.arguments)
    if update:
        _update(case, result, path)
    expected, error = case.read("out.yml"), case.text("error.txt")
    assert (expected is None) != (error is None), f"{case.folder} has neither or both of out.yml and error.txt"
    assert result.stdout.decode() == (case.text("stdout.txt") or "")
    if error is not None:
        assert result.stderr == error
        assert (path.read_bytes() if path.exists() else None) == given
        assert (path.stat().st_mtime_ns if path.exists() else None) == before
    else:
        talk = case.text("stderr.txt")
        assert talk is None or result.stderr == talk
        # Beside pytest's comparison of bytes, which shows one difference, that of text shows all.
        assert path.read_bytes().decode() == (expected or b"").decode(), result.stderr
        assert path.read_bytes() == expected
    assert result.status == int(case.text("status") or (0 if error is None else 1)), result.stderr
    return result


def _update(case: Case, result: Result, path: Path) -> None:
    """Write the case's expected files from what came out."""
    if result.status and case.read("out.yml") is None:
        case.write("error.txt", result.stderr)
        if result.status != 1 or case.read("status") is not None:
            case.write("status", f"{result.status}\n")
    elif case.read("error.txt") is None:
        case.write("out.yml", path.read_bytes())
    for name, content in (("stdout.txt", result.stdout), ("stderr.txt", result.stderr.encode())):
        if case.read(name) is not None:
            case.write(name, content)
