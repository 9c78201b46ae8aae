"""The private directory of a run: sockets, and the files that Envoy watches. Only this user can enter it.

It never contains a credential, only the names of variables; it is removed with the run all the same. What a killed run
left behind is removed by the next one: a lock shows which directories are in use. `mom.run.secret_files` has a second
one, on memory, for values.
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
from mom.files import Replacement, reason_of
from mom.run.hot_restart import HotRestart
from mom.run.outcome import UnavailableError

_PREFIX = "mom-atlas-"
_LOCK = "lock"
_BASE_ID = "base-id"
# sockaddr_un.sun_path with its final NUL, and the longest name that a run puts into the directory.
_LONGEST_SOCKET = (108 if sys.platform == "linux" else 104) - 1 - len("/hot-restart_udp_parent_4294967295")


class RunDirectory:
    """The directory of one run. `path` changes only if it was removed (see `ensure`)."""

    def __init__(
        self,
        environ: Mapping[str, str],
        hot_restart: HotRestart | None,
        *,
        parent: Path | None = None,
        prefix: str = _PREFIX,
    ) -> None:
        """Create it in `parent`; None: in `$XDG_RUNTIME_DIR`, else where temporary files go.

        prefix: what its name begins with, by which those of other runs are found. Raises MomError where that is
        impossible.
        """
        self._environ = environ
        self._parent = parent
        self._prefix = prefix
        self._hot_restart = hot_restart
        self._locks: list[int] = []
        self.path = self._make()

    def exists(self) -> bool:
        """Whether it is still there: some systems remove from /tmp what is some days old."""
        return self.path.is_dir()

    def ensure(self) -> None:
        """Create another one if it is gone."""
        if not self.exists():
            self._unlock()
            self.path = self._make()

    def remove(self) -> None:
        """Remove it with all that is in it."""
        _remove(self.path)
        self._unlock()

    def _make(self) -> Path:
        parent = self._parent or _parent(self._environ)
        _sweep(parent, self._prefix)
        try:
            # Under another name until it is locked: another run may be sweeping.
            new = Path(tempfile.mkdtemp(prefix=f".{self._prefix}", dir=parent))
            if self._hot_restart is not None:
                write(new / _BASE_ID, f"{self._hot_restart.base_id}\n")
            self._lock(os.open(new / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            # systemd-tmpfiles leaves alone what is below a locked directory (tmpfiles.d(5)).
            self._lock(os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            return new.rename(new.with_name(new.name[1:]))
        except OSError as error:
            self._unlock()
            raise UnavailableError(f"cannot create a runtime directory in {parent}: {reason_of(error)}") from error

    def _lock(self, descriptor: int) -> None:
        self._locks.append(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(self) -> None:
        while self._locks:
            os.close(self._locks.pop())


@contextlib.contextmanager
def run_directory(environ: Mapping[str, str], hot_restart: HotRestart | None = None) -> Iterator[RunDirectory]:
    """Create the directory of a run, and remove it at the end."""
    directory = RunDirectory(environ, hot_restart)
    try:
        yield directory
    finally:
        directory.remove()


def make_folder(parent: Path, name: str) -> Path:
    """Create a folder in the directory of a run, `name` with a suffix if that exists. Raises UnavailableError."""
    try:
        for suffix in range(1_000):
            with contextlib.suppress(FileExistsError):
                folder = parent / (f"{name}.{suffix}" if suffix else name)
                folder.mkdir(mode=0o700)
                return folder
    except OSError as error:
        raise UnavailableError(f"cannot create a folder in {parent}: {reason_of(error)}") from error
    raise UnavailableError(f"cannot create a folder in {parent}: {name} exists")


def write(path: Path, text: str) -> None:
    """Put `text` in place of the file `path` at once, readable by this user only. Raises UnavailableError."""
    write_all({path: text})


def write_all(texts: Mapping[Path, str]) -> None:
    """Put each text in place of its file, in their order, or none of them: the disk may be full.

    For folders of this run alone: their entries are not searched for what another process has left, for each file
    again. Raises UnavailableError.
    """
    path = None
    try:
        with contextlib.ExitStack() as stack:
            files = []
            for path, text in texts.items():
                files.append(stack.enter_context(Replacement(os.fspath(path), is_shared=False)))
                files[-1].write(text.encode())
            for file in files:
                file.put()
    except OSError as error:
        raise UnavailableError(f"cannot write {path}: {reason_of(error)}") from error


def _parent(environ: Mapping[str, str]) -> Path:
    candidates = [environ.get("XDG_RUNTIME_DIR"), environ.get("TMPDIR"), tempfile.gettempdir(), "/tmp"]  # noqa: S108
    for candidate in candidates:
        if candidate and is_usable(Path(candidate)):
            _check_private(Path(candidate))
            return Path(candidate)
    raise MomError("cannot create a runtime directory: set XDG_RUNTIME_DIR or TMPDIR")


def is_usable(path: Path) -> bool:
    """Whether this user may create files below `path`, and no other has a say there."""
    short = len(os.fsencode(path)) + len(f"/{_PREFIX}12345678") <= _LONGEST_SOCKET
    if not (path.is_absolute() and short and path.is_dir() and os.access(path, os.W_OK | os.X_OK)):
        return False
    # Another user's, which root can write all the same (`sudo -E`).
    return path.stat().st_uid in {0, os.getuid()}


def is_private(path: Path) -> bool:
    """Whether no other user can replace what this one creates in the folder `path`."""
    mode = path.stat().st_mode
    return not mode & 0o022 or bool(mode & stat.S_ISVTX)


def _check_private(path: Path) -> None:
    """Raise MomError where other users could put a directory of their own in the place of ours."""
    if not is_private(path):
        hint = f"run: chmod go-w '{path}', or name another directory in XDG_RUNTIME_DIR or TMPDIR"
        raise MomError(f"other users can replace files in {path}, where the run has its sockets", hint=hint)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove what runs of this user left in `parent` when they were killed."""
    for directory in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                continue
            with (directory / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_shared_memory(directory / _BASE_ID)
                _remove(directory)


def _remove(directory: Path) -> None:
    """Remove the directory of a run, its lock last: by that the next run knows what a kill meanwhile has left of it."""
    with contextlib.suppress(OSError):
        for entry in list(directory.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != _LOCK:
                entry.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def _remove_shared_memory(base_id: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        HotRestart(int(base_id.read_text())).remove()
