"""The private directory of a run: sockets, and the files that Envoy watches. Only this user can enter it.

It never contains a credential, only the names of variables; it is removed with the run all the same. What a killed run
left behind is removed by the next one (`mom.run.leftovers`): a lock shows which directories are in use.
`mom.run.secret_files` has a second one, on memory, for values.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from mom.errors import MomError
from mom.files import Replacement, reason_of
from mom.run import leftovers
from mom.run.hot_restart import HotRestart
from mom.run.outcome import UnavailableError

# Another run that sweeps may take a directory that is not locked yet.
_TRIES = 100
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
        prefix: str = leftovers.RUN,
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
        leftovers.remove(self.path)
        self._unlock()

    def _make(self) -> Path:
        parent = self._parent or _parent(self._environ)
        for left in reversed(range(_TRIES)):
            try:
                return self._create(parent)
            except OSError as error:
                self._unlock()
                if not left or not isinstance(error, FileNotFoundError | BlockingIOError):
                    reason = f"cannot create a runtime directory in {parent}: {reason_of(error)}"
                    raise UnavailableError(reason) from error
        raise AssertionError

    def _create(self, parent: Path) -> Path:
        # Under another name until it is locked.
        new = Path(tempfile.mkdtemp(prefix=f".{self._prefix}", dir=parent))
        try:
            # systemd-tmpfiles leaves alone what is below a locked directory (tmpfiles.d(5)).
            self._lock(os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            self._lock(os.open(new / leftovers.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            if self._hot_restart is not None:
                write(new / leftovers.BASE_ID, f"{self._hot_restart.base_id}\n")
            return new.rename(new.with_name(new.name[1:]))
        except BaseException:
            leftovers.remove(new)
            raise

    def _lock(self, descriptor: int) -> None:
        self._locks.append(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(self) -> None:
        while self._locks:
            os.close(self._locks.pop())


@contextlib.contextmanager
def run_directory(environ: Mapping[str, str], hot_restart: HotRestart | None = None) -> Iterator[RunDirectory]:
    """Create the directory of a run, and remove it at the end; remove first what killed runs have left."""
    leftovers.sweep(environ)
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
    write_all({path: text.encode()})


def write_all(contents: Mapping[Path, bytes]) -> None:
    """Put each content in place of its file, in their order, or none of them: the disk may be full.

    For folders of this run alone: their entries are not searched for what another process has left, for each file
    again. Raises UnavailableError.
    """
    path = None
    try:
        with contextlib.ExitStack() as stack:
            files = []
            for path, content in contents.items():
                files.append(stack.enter_context(Replacement(os.fspath(path), is_shared=False)))
                files[-1].write(content)
            for file in files:
                file.put()
    except OSError as error:
        raise UnavailableError(f"cannot write {path}: {reason_of(error)}") from error


def _parent(environ: Mapping[str, str]) -> Path:
    candidates = [environ.get("XDG_RUNTIME_DIR"), environ.get("TMPDIR"), *leftovers.temporary_folders()]
    for candidate in candidates:
        if candidate and is_usable(Path(candidate)):
            _check_private(Path(candidate))
            return Path(candidate)
    raise MomError("cannot create a runtime directory: set XDG_RUNTIME_DIR or TMPDIR")


def is_usable(path: Path) -> bool:
    """Whether this user may create files below `path`, and no other has a say there."""
    short = len(os.fsencode(path)) + len(f"/{leftovers.RUN}12345678") <= _LONGEST_SOCKET
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
