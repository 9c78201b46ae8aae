"""The private directory of a run: sockets, and the files that Envoy watches. Only this user can enter it.

It never holds a credential, only their names; it goes away with the run all the same. What a killed run left behind is
removed by the next one: a lock tells which directories are in use.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from mom.errors import MomError

_PREFIX = "mom-atlas-"
_LOCK = "lock"
# sockaddr_un.sun_path with its final NUL, and the longest name that a run puts into the directory.
_LONGEST_SOCKET = (108 if sys.platform == "linux" else 104) - 1 - len("/hot-restart_udp_parent_4294967295")


@contextlib.contextmanager
def run_directory(environ: Mapping[str, str]) -> Iterator[Path]:
    """Make the directory and remove it at the end. It is in `$XDG_RUNTIME_DIR`, else where temporary files go."""
    parent = _parent(environ)
    _sweep(parent)
    try:
        # Under another name until it is locked: another run may be sweeping.
        new = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=parent))
        lock = os.open(new / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        directory = new.rename(new.with_name(new.name[1:]))
    except OSError as error:
        raise MomError(f"no directory for the run in {parent}: {error.strerror}") from error
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def write(path: Path, text: str) -> None:
    """Put `text` in place of the file `path` at once, readable by this user only."""
    temporary = path.with_suffix(".tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except OSError as error:
        raise MomError(f"{path} cannot be written: {error.strerror}") from error


def _parent(environ: Mapping[str, str]) -> Path:
    candidates = [environ.get("XDG_RUNTIME_DIR"), environ.get("TMPDIR"), tempfile.gettempdir(), "/tmp"]  # noqa: S108
    for candidate in candidates:
        if candidate and _is_usable(Path(candidate)):
            return Path(candidate)
    raise MomError("no directory for the run: neither XDG_RUNTIME_DIR nor TMPDIR can be written")


def _is_usable(path: Path) -> bool:
    short = len(os.fsencode(path)) + len(f"/{_PREFIX}12345678") <= _LONGEST_SOCKET
    return path.is_absolute() and short and path.is_dir() and os.access(path, os.W_OK | os.X_OK)


def _sweep(parent: Path) -> None:
    """Remove what runs of this user left in `parent` when they were killed."""
    for directory in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                continue
            with (directory / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
