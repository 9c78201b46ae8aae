"""Removes what runs of this user left behind when they were killed: directories, and the shared memory of Envoy.

A run holds a lock on its directory and on a file in it (flock(2)), which end with the process. Directories may be where
another run would put them today, since variables of the environment say where; so all those places are looked at.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from mom.run.hot_restart import HotRestart

LOCK = "lock"
BASE_ID = "base-id"
# What the name of a directory begins with: of sockets and files that Envoy watches, and of values on memory. There is a
# dot before it until the directory is ready.
RUN, SECRETS = "mom-atlas-", "mom-secrets-"
_PREFIXES = (RUN, SECRETS, f".{RUN}", f".{SECRETS}")


def sweep(environ: Mapping[str, str]) -> None:
    """Remove the directories of this user's runs that no process holds, wherever a run may have put them."""
    for place in dict.fromkeys(_places(environ)):
        with contextlib.suppress(OSError):
            names = [entry.name for entry in os.scandir(place) if entry.name.startswith(_PREFIXES)]
            for name in names:
                _sweep(Path(place, name))


def _places(environ: Mapping[str, str]) -> Iterator[str]:
    yield from (path for name in ("XDG_RUNTIME_DIR", "TMPDIR") if (path := environ.get(name)))
    # Where systemd has it, though a run from cron may not know it.
    yield f"/run/user/{os.getuid()}"
    yield "/dev/shm"  # noqa: S108
    yield from temporary_folders()


def temporary_folders() -> Iterator[str]:
    """Yield where temporary files go, if anywhere: a container may have no folder on a disk that it may write to."""
    with contextlib.suppress(FileNotFoundError):
        yield tempfile.gettempdir()
    yield "/tmp"  # noqa: S108


def _sweep(directory: Path) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        stack.callback(os.close, held)
        if os.fstat(held).st_uid != os.getuid():
            return
        # Both: the file, since a cleaner of temporary files may hold the directory; the directory, since the file may
        # not be there yet, or not any more.
        with contextlib.suppress(FileNotFoundError):
            lock = stack.enter_context((directory / LOCK).open("r+"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove_shared_memory(directory / BASE_ID)
        remove(directory)


def remove(directory: Path) -> None:
    """Remove the directory of a run, its lock last: by that the next run knows what a kill meanwhile has left of it."""
    with contextlib.suppress(OSError):
        for entry in list(directory.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != LOCK:
                entry.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def _remove_shared_memory(base_id: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        HotRestart(int(base_id.read_text())).remove()
