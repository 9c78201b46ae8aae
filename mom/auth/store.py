"""Where mom stores private files, and how they are read and replaced.

The folder is `MOM_HOME` if set, else the platform's user data directory. Private files are 0600 in a 0700 folder of the
user's own; they are replaced atomically, and never read or written through a symbolic link.
"""

from __future__ import annotations

import os
import stat
import sys

from mom.files import MAX_BYTES, Replacement, open_locked, read_at_most, reason_of, too_large

TYPE_CHECKING = False  # `typing` costs as much as everything else here together; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self


def home(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Return the folder for everything that mom stores for this user; it need not exist.

    `MOM_HOME` wins; else `~/Library/Application Support/mom` on macOS, and elsewhere `$XDG_DATA_HOME/mom` (absolute
    values only, as the XDG Base Directory specification says) or `~/.local/share/mom`.
    Raises MomError where there is no home directory.
    """
    chosen = environ.get("MOM_HOME")
    if chosen:
        return os.path.abspath(chosen)
    if platform == "darwin":
        return os.path.join(_user_home(environ), "Library", "Application Support", "mom")
    base = environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(base):
        return os.path.join(base, "mom")
    return os.path.join(_user_home(environ), ".local", "share", "mom")


def _user_home(environ: Mapping[str, str]) -> str:
    folder = environ.get("HOME") or _home_of_the_account()
    if not os.path.isabs(folder):
        from mom.errors import MomError

        raise MomError("there is no home directory to store the signing key in", hint="set MOM_HOME to a folder")
    return folder


def _home_of_the_account() -> str:
    """Return the home directory in the user database, empty where it has none: containers run as any number."""
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
    from mom.shell import quote

    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        status = os.lstat(path)
    except OSError as error:
        hint = "set MOM_HOME to a folder that you may write to"
        raise MomError(f"cannot create the folder {path}: {reason_of(error)}", hint=hint) from None
    if not stat.S_ISDIR(status.st_mode):
        raise MomError(f"{path} is not a folder", hint="move it away, or set MOM_HOME to another folder")
    _check_owner(path, status)
    if status.st_mode & 0o077:
        raise MomError(f"{path} is accessible to other users", hint=f"run: chmod 700 {quote(path)}")
    above = os.path.dirname(path)
    parent = os.stat(above)
    # A folder that others may write to and that is not sticky lets them put their own in this one's place.
    if parent.st_mode & 0o022 and not parent.st_mode & stat.S_ISVTX:
        raise MomError(f"other users can replace what is in {above}", hint=f"run: chmod go-w {quote(above)}")


def read_private(path: str) -> bytes | None:
    """Return the bytes of a private file, None where there is none.

    Raises MomError where it is a symbolic link, another user's or too large, or where others can read it.
    """
    # O_NONBLOCK: not to wait for ever on a named pipe that another program put there.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unusable(path, "it is a symbolic link" if os.path.islink(path) else reason_of(error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(path, "it is not a regular file")
        _check_owner(path, status)
        if status.st_mode & 0o077:
            from mom.errors import MomError
            from mom.shell import quote

            raise MomError(
                f"other users can read the signing key {path} (mode {stat.S_IMODE(status.st_mode):04o})",
                hint=f"run: chmod 600 {quote(path)}, then mom auth rotate if anyone may have read it",
            )
        data = read_at_most(descriptor, MAX_BYTES + 1)
    except OSError as error:
        raise _unusable(path, reason_of(error)) from None
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise _unusable(path, too_large(MAX_BYTES))
    return data


def _unusable(path: str, reason: str) -> Exception:
    from mom.errors import MomError

    return MomError(f"cannot read the signing key {path}: {reason}", hint="move it away, or restore it")


def _check_owner(path: str, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        from mom.errors import MomError

        raise MomError(f"{path} belongs to another user", hint="set MOM_HOME to a folder of your own")


def write_private(path: str, data: bytes) -> None:
    """Replace `path` by `data`, mode 0600, in one step: a reader sees the old file or the new one, whole.

    The folder exists, is private and locked. Raises MomError where it cannot be written; the old file is then as it
    was.
    """
    try:
        with Replacement(path) as new:
            new.write(data)
            new.flush()
            new.put()
    except OSError as error:
        from mom.errors import MomError

        raise MomError(f"cannot write the signing key {path}: {reason_of(error)}") from None


class Lock:
    """Held while the files of `folder` change: two processes that start at once do so one after the other."""

    def __init__(self, folder: str) -> None:
        """Take the folder, which exists."""
        self._path = os.path.join(folder, "lock")
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Wait for the lock. Raises MomError where the file system has none."""
        try:
            self._descriptor = open_locked(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, needs_locks=True)
        except OSError as error:
            from mom.errors import MomError

            raise MomError(f"cannot lock {self._path}: {reason_of(error)}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the lock file, which ends the lock."""
        os.close(self._descriptor)
