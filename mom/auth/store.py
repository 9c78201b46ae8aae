"""Where mom keeps private files, and how they are read and replaced.

The folder is `MOM_HOME` if set, else the platform's user data directory. Private files are 0600 in a 0700 folder of the
user's own; they are replaced atomically, and never read or written through a symbolic link. On Windows the profile's
access list does the same, and the mode checks are left out.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False  # `typing` costs as much as everything else here together; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_POSIX = os.name == "posix"


def home(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Return the folder for everything that mom keeps for this user; it need not exist.

    `MOM_HOME` wins; else `$XDG_DATA_HOME/mom` (absolute values only, as the XDG Base Directory specification says) or
    `~/.local/share/mom`, `~/Library/Application Support/mom` on macOS, `%LOCALAPPDATA%\\mom` on Windows.
    Raises MomError where there is no home directory.
    """
    chosen = environ.get("MOM_HOME")
    if chosen:
        return os.path.abspath(chosen)
    if platform == "win32":
        base = environ.get("LOCALAPPDATA")
        if base:
            return os.path.join(base, "mom")
        return os.path.join(_user_home(environ), "AppData", "Local", "mom")
    if platform == "darwin":
        return os.path.join(_user_home(environ), "Library", "Application Support", "mom")
    base = environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(base):
        return os.path.join(base, "mom")
    return os.path.join(_user_home(environ), ".local", "share", "mom")


def _user_home(environ: Mapping[str, str]) -> str:
    found = environ.get("HOME") or _home_of_the_account()
    if not os.path.isabs(found):
        from mom.errors import MomError

        raise MomError("there is no home directory to keep the signing key in", hint="set MOM_HOME to a folder")
    return found


def _home_of_the_account() -> str:
    """Return the home directory in the user database, empty where it has none: containers run as any number."""
    if not _POSIX:
        return os.path.expanduser("~")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def private_folder(path: str) -> None:
    """Create `path` as a 0700 folder where it is missing; refuse it where another user could reach into it.

    Raises MomError naming the `chmod` to run.
    """
    import contextlib

    from mom.errors import MomError

    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        found = os.lstat(path)
    except OSError as error:
        hint = "set MOM_HOME to a folder that you may write to"
        raise MomError(f"cannot create the folder {path}: {error.strerror}", hint=hint) from None
    if not stat.S_ISDIR(found.st_mode):
        raise MomError(f"{path} is not a folder", hint="move it away, or set MOM_HOME to another folder")
    _check_owner(path, found)
    if _POSIX and found.st_mode & 0o077:
        raise MomError(
            f"other users can look into {path}, where the signing key is kept", hint=f"run: chmod 700 '{path}'"
        )
    above = os.path.dirname(path)
    parent = os.stat(above)
    # A folder that others may write to and that is not sticky lets them put their own in this one's place.
    if _POSIX and parent.st_mode & 0o022 and not parent.st_mode & stat.S_ISVTX:
        raise MomError(f"other users can replace what is in {above}", hint=f"run: chmod go-w '{above}'")


def read_private(path: str) -> bytes | None:
    """Return the bytes of a private file, None where there is none.

    Raises MomError where it is a symbolic link or another user's, or where others can read it.
    """
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    # Not to wait for ever on a named pipe that somebody put there.
    flags |= getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        from mom.errors import MomError
        from mom.files import reason_of

        reason = "it is a symbolic link" if os.path.islink(path) else reason_of(error)
        raise MomError(f"the signing key {path} cannot be read: {reason}", hint="move it away, or restore it") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            from mom.errors import MomError

            raise MomError(f"the signing key {path} is not a regular file", hint="move it away, or restore it")
        _check_owner(path, found)
        if _POSIX and found.st_mode & 0o077:
            from mom.errors import MomError

            raise MomError(
                f"other users can read the signing key {path} (mode {stat.S_IMODE(found.st_mode):04o})",
                hint=f"run: chmod 600 '{path}', then mom auth rotate if somebody may have read it",
            )
        parts = []
        while part := os.read(descriptor, 65536):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _check_owner(path: str, found: os.stat_result) -> None:
    if _POSIX and found.st_uid != os.geteuid():
        from mom.errors import MomError

        raise MomError(f"{path} belongs to another user", hint="set MOM_HOME to a folder of your own")


def write_private(path: str, data: bytes) -> None:
    """Replace `path` by `data`, mode 0600, in one step: a reader sees the old file or the new one, whole.

    The folder exists and is private. Raises MomError where it cannot be written; the old file is then as it was.
    """
    temporary = f"{path}.{os.getpid()}.{os.urandom(6).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        from mom.errors import MomError

        raise MomError(f"the signing key {path} cannot be written: {error.strerror}") from None


class Lock:
    """Held while the files of `folder` change: two processes that start at once do so one after the other.

    The operating system lets go of it when a process ends, however it ends.
    """

    def __init__(self, folder: str) -> None:
        """Name the folder; it exists."""
        self._path = os.path.join(folder, "lock")
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Wait until the lock is ours."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._descriptor = os.open(self._path, flags, 0o600)
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self._descriptor, msvcrt.LK_LOCK, 1)
            else:
                import fcntl

                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            from mom.errors import MomError

            raise MomError(f"{self._path} cannot be locked: {error.strerror}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        os.close(self._descriptor)
