"""What the tests of `mom curl` share: recording servers, and the installed command in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.curl.recorder import Recorder

TOKEN = "given.token-1~2"


class Mom:
    """The installed `mom curl`, with a token given by MOM_TOKEN, an empty home, and no proxies."""

    def __init__(self, gateway: Recorder, folder: Path) -> None:
        """Use `folder` for the home directory and for the working directory."""
        self.home = folder / "home"
        self.folder = folder / "work"
        self.home.mkdir()
        self.folder.mkdir()
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "MOM_HOME": str(self.home / "mom"),
            "MOM_BASE_URL": gateway.url,
            "MOM_TOKEN": TOKEN,
            "LC_ALL": "C.UTF-8",
        }

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of `mom curl` with `arguments`."""
        script = Path(sys.executable).parent / "mom"
        start = [str(script)] if script.exists() else [sys.executable, "-m", "mom"]
        return [*start, "curl", *arguments]

    def __call__(
        self, *arguments: str, stdin: bytes = b"", **environ: str | None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `mom curl` with `arguments`; a variable that is None is not set."""
        return self.run(arguments, environ, stdin)

    def run(
        self, arguments: Sequence[str], environ: Mapping[str, str | None], stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Do the same, for lines and variables that come from a table."""
        changed = {name: value for name, value in {**self.environ, **environ}.items() if value is not None}
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            env=changed,
            cwd=self.folder,
            timeout=120,
            check=False,
        )

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start `mom curl` with `arguments`, its streams being pipes."""
        return subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environ, **environ},
            cwd=self.folder,
        )

    def curlrc(self, text: str) -> None:
        """Write ~/.curlrc."""
        (self.home / ".curlrc").write_text(text)


@pytest.fixture(scope="session", autouse=True)
def _curl() -> None:
    if shutil.which("curl") is None:
        pytest.fail("these tests need curl")


@pytest.fixture
def gateway() -> Iterator[Recorder]:
    """A server where requests belong."""
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def elsewhere() -> Iterator[Recorder]:
    """A server at another port, which no token may reach."""
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def mom(gateway: Recorder, tmp_path: Path) -> Mom:
    """The installed command, its gateway being `gateway`."""
    return Mom(gateway, tmp_path)
