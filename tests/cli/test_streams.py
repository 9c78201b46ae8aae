"""Standard streams that are closed, full or not text, and an account without a home: no bug in mom, no traceback."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.golden import MOM, Result, run_mom
from tests.samples import EMPTY

ADD = "mom atlas config add-http-adapter --adapter-name a --base-url https://a.example"
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "atlas.yml").write_text(EMPTY)
    return tmp_path


def sh(folder: Path, line: str, given: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of sh in `folder`, with this mom as `mom`."""
    environ = {"PATH": f"{Path(MOM).parent}:{os.environ['PATH']}", "MOM_HOME": str(folder / "home"), **environ}
    environ = {name: value for name, value in environ.items() if value != "unset"}
    done = subprocess.run(["sh", "-c", line], cwd=folder, env=environ, input=given, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert b"bug in mom" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    return done


READERS = {
    "add": f"{ADD} -f -",
    "validate": "mom atlas config validate -",
    "inspect": "mom auth inspect",
    "inspect, as -": "mom auth inspect -",
    "jwks": "mom auth jwks --merge -",
}


@pytest.mark.parametrize("line", READERS.values(), ids=READERS)
def test_bytes_on_stdin_that_are_not_text_are_an_error_with_an_offset(folder: Path, line: str) -> None:
    done = sh(folder, line, b"abcd\xff")
    assert done.returncode == 1
    assert b"error: <stdin> is not UTF-8: byte 4 is 0xFF (invalid start byte)" in done.stdout + done.stderr


@pytest.mark.parametrize("line", READERS.values(), ids=READERS)
def test_a_closed_stdin_is_an_error(folder: Path, line: str) -> None:
    done = sh(folder, f"{line} <&-")
    assert done.returncode == 1
    assert b"error: cannot read <stdin>: it is closed" in done.stdout + done.stderr


@pytest.mark.parametrize("line", [READERS["add"], READERS["validate"], READERS["jwks"]])
def test_stdin_has_a_limit(folder: Path, line: str) -> None:
    done = sh(folder, f"{line} </dev/zero")
    assert done.returncode == 1
    assert b"cannot read <stdin>: it is larger than " in done.stdout + done.stderr


WRITERS = {
    "version": ("mom --version", 1),
    "help": ("mom --help", 1),
    "help of a command": ("mom atlas run -h", 1),
    "help of curl": ("mom curl --help", 125),
    "print of curl": ("mom curl --mom-print /v1/x", 125),
    "schema": ("mom atlas config schema", 1),
    "validate": ("mom atlas config validate none.yml", 1),
    "validate, json": ("mom atlas config validate --format json atlas.yml", 1),
    "add to stdout": (f"{ADD} -f - <atlas.yml", 1),
    "diff": (f"{ADD} -n -f atlas.yml", 1),
    "status": ("mom auth status", 1),
    "completion": ("mom --show-completion fish", 1),
}


@FULL
@pytest.mark.parametrize(("line", "status"), WRITERS.values(), ids=WRITERS)
def test_a_full_disk_is_an_error(folder: Path, line: str, status: int) -> None:
    done = sh(folder, f"{line} >/dev/full")
    assert done.returncode == status
    assert done.stderr.endswith(b"error: cannot write to stdout: the disk is full\n")


@FULL
@pytest.mark.parametrize(("line", "status"), [WRITERS["help of a command"], WRITERS["print of curl"], WRITERS["diff"]])
def test_a_full_disk_is_the_same_error_without_a_buffer(folder: Path, line: str, status: int) -> None:
    """As in a container whose image sets this variable, which most images of Python do."""
    done = sh(folder, f"PYTHONUNBUFFERED=1 {line} >/dev/full")
    assert done.returncode == status
    assert done.stderr.endswith(b"error: cannot write to stdout: the disk is full\n")


# Of what writes in the same way one is in each run of the tests.
@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param(*case, id=name, marks=() if name in {"version", "help of curl", "diff"} else pytest.mark.proof)
        for name, case in WRITERS.items()
    ],
)
def test_a_closed_stdout_is_an_error(folder: Path, line: str, status: int) -> None:
    done = sh(folder, f"{line} >&-")
    assert done.returncode == status
    assert done.stderr.endswith(b"error: cannot write to stdout: it is closed\n")


@pytest.mark.parametrize("where", [">&-", pytest.param(">/dev/full", marks=FULL)])
def test_what_cannot_be_printed_on_stderr_ends_no_command(folder: Path, where: str) -> None:
    assert sh(folder, f"{ADD} -f atlas.yml 2{where}").returncode == 0
    assert "https://a.example" in (folder / "atlas.yml").read_text()
    assert sh(folder, f"mom atlas config validate atlas.yml 2{where}").returncode == 0
    assert sh(folder, f"mom atlas config nothing 2{where}").returncode == 2
    assert sh(folder, f"mom curl --mom-nothing 2{where}").returncode == 125


def test_with_every_stream_closed_no_file_is_written_to_by_mistake(folder: Path) -> None:
    assert sh(folder, f"{ADD} --diff -f atlas.yml <&- >&- 2>&-").returncode == 1
    text = (folder / "atlas.yml").read_text()
    assert text.startswith("apiVersion: moment.dev/atlas/v1alpha1\n")
    assert "+++" not in text
    assert "Adding" not in text


def without_mom_home(folder: Path, line: str, home: str) -> Result:
    """Run a command in this process, with nothing but HOME, or a variable before the command, to say where files go."""
    words = shlex.split(line)
    number = words.index("mom")
    environ = {"PATH": os.environ["PATH"], "HOME": home, **dict(word.split("=") for word in words[:number])}
    with contextlib.chdir(folder), patch.dict(os.environ, environ, clear=True):
        done = run_mom(words[number + 1 :])
    assert "bug in mom" not in done.stderr
    return done


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nothing", "relative"])
@pytest.mark.parametrize(
    ("line", "status"),
    [("mom auth token", 1), ("mom auth keygen", 1), ("mom curl /v1/x", 125), ("mom atlas run -f atlas.yml", 1)],
)
def test_without_a_home_to_write_to_there_is_one_error_with_the_variable_to_set(
    folder: Path, home: str, line: str, status: int
) -> None:
    done = without_mom_home(folder, line, home)
    assert done.status == status, done.stderr
    assert "hint: set MOM_HOME to a folder" in done.stderr
    assert done.stderr.count("\n") == 2


@pytest.mark.parametrize(
    "line",
    [
        "mom --version",
        "mom --help",
        "mom --show-completion bash",
        "mom curl --help",
        "mom atlas config validate atlas.yml",
        f"{ADD} -f atlas.yml",
        "MOM_TOKEN=x mom curl --mom-print /v1/x",
    ],
)
def test_what_needs_no_home_works_without_one(folder: Path, line: str) -> None:
    done = without_mom_home(folder, line, "/dev/null")
    assert done.status == 0, done.stderr


def test_an_empty_home_is_none(folder: Path) -> None:
    home = sh(folder, "mom auth status", MOM_HOME="unset", HOME="").stdout
    assert home == sh(folder, "mom auth status", MOM_HOME="unset").stdout
    assert b" /.local" not in home
