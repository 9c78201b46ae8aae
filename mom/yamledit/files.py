"""A file read once and replaced whole or not at all.

The lock is an advisory `flock` on the file itself: no lock file is left behind, and it ends with the process however
that ends. Since a replacement is another inode, whoever waited for the lock opens the path anew when the file under it
changed. The new content goes to a temporary file in the same folder, which is flushed to the disk and renamed over the
old one (rename(2) is atomic); then the folder is flushed. Another hard link to the file keeps the old content.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self
from zlib import crc32

from mom.errors import MomError
from mom.files import UnreadableError, reason_of, unreadable
from mom.yamledit.source import MAX_BYTES

try:
    from fcntl import LOCK_EX, flock

    HAS_LOCKS = True
except ImportError:  # Windows: a change between reading and writing is still noticed
    HAS_LOCKS = False


# Bytes of a file's name that the name of its temporary file repeats.
_LONGEST = 180


class LockedFile:
    """A regular file, open and locked: `data` is what it held when it was locked. Use as a context manager."""

    def __init__(self, path: str) -> None:
        """Open and lock `path` (a symbolic link is followed). Raises MomError, in words, where that cannot be."""
        self.path = path
        self.target = os.path.realpath(path)
        try:
            self._descriptor = _open_locked(self.target)
            self._status = os.fstat(self._descriptor)
            if not stat.S_ISREG(self._status.st_mode):
                os.close(self._descriptor)
                kind = "a folder" if stat.S_ISDIR(self._status.st_mode) else "not a regular file"
                raise UnreadableError(path, f"it is {kind}", hint="-f takes a file, or - for standard input")
            self.data = _read(self._descriptor, MAX_BYTES + 1)
        except OSError as error:
            raise unreadable(path, error) from None

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        os.close(self._descriptor)

    def replace(self, data: bytes) -> None:
        """Replace the file's content by `data`: mode, owner and extended attributes stay, as far as permitted.

        Raises MomError, with the old file whole, when the file is read-only, when another program changed it since it
        was read, or when the new content cannot be written.
        """
        forbidden = os.path.exists(self.target) and not os.access(self.target, os.W_OK)  # noqa: PTH110
        if forbidden or not self._status.st_mode & 0o222:
            mode = stat.S_IMODE(self._status.st_mode)
            raise MomError(f"{self.path} is read-only (mode {mode:04o})", hint=f"chmod u+w {self.path}")
        folder, name = os.path.split(self.target)
        try:
            self._remove_stale(folder, name)
            with _temporary(folder, name) as (temporary, descriptor):
                _write_all(descriptor, data)
                self._copy_attributes(descriptor)
                os.fsync(descriptor)
                self._refuse_if_changed()
                os.replace(temporary, self.target)  # noqa: PTH105 - paths are plain strings here
            _flush_folder(folder)
        except OSError as error:
            raise _unwritable(error, self.path) from None

    def _refuse_if_changed(self) -> None:
        """Raise MomError if the path no longer leads to the bytes that were read."""
        try:
            descriptor = os.open(self.target, os.O_RDONLY)
            try:
                unchanged = os.path.samestat(os.fstat(descriptor), self._status)
                unchanged = unchanged and _read(descriptor, len(self.data) + 1) == self.data
            finally:
                os.close(descriptor)
        except OSError:
            unchanged = False
        if not unchanged:
            raise MomError(
                f"{self.path} was changed by another program meanwhile: nothing was written",
                hint="run the command again",
            )

    def _copy_attributes(self, descriptor: int) -> None:
        with suppress(OSError):
            os.fchown(descriptor, self._status.st_uid, self._status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(self._status.st_mode))
        if hasattr(os, "listxattr"):
            with suppress(OSError):
                for attribute in os.listxattr(self._descriptor):
                    with suppress(OSError):
                        os.setxattr(descriptor, attribute, os.getxattr(self._descriptor, attribute))

    def _remove_stale(self, folder: str, name: str) -> None:
        """Remove what a killed run left: while this lock is held, no other run writes a temporary file for this one."""
        if not HAS_LOCKS:
            return
        prefix = _temporary_prefix(name)
        for entry in os.listdir(folder):  # noqa: PTH208 - pathlib is not needed here, and it takes time to import
            if entry.startswith(prefix):
                with suppress(OSError):
                    os.unlink(os.path.join(folder, entry))  # noqa: PTH108, PTH118


def _open_locked(target: str) -> int:
    while True:
        # Without O_NONBLOCK, opening a pipe would wait for its writer.
        descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
        try:
            if not HAS_LOCKS or not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor
            try:
                flock(descriptor, LOCK_EX)
            except OSError as error:
                # Some network file systems have no locks; the check before the rename still holds there.
                if error.errno in {errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS}:
                    return descriptor
                raise
            if os.path.samestat(os.fstat(descriptor), os.stat(target)):  # noqa: PTH116
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _temporary_prefix(name: str) -> str:
    """Return how the names of temporary files for `name` begin; what is added fits into the 255 bytes of a name."""
    short = name
    while len(os.fsencode(short)) > _LONGEST:
        short = short[:-1]
    # Two long names may begin alike, and a run removes what it takes for its own litter.
    mark = f"-{crc32(os.fsencode(name)):08x}" if short != name else ""
    return f".{short}{mark}.mom-"


@contextmanager
def _temporary(folder: str, name: str) -> Iterator[tuple[str, int]]:
    """Make a file beside the target, open for writing, private; it is gone afterwards unless it was renamed."""
    path = os.path.join(folder, f"{_temporary_prefix(name)}{os.getpid()}-{os.urandom(6).hex()}")  # noqa: PTH118
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        yield path, descriptor
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108


def _flush_folder(folder: str) -> None:
    # The rename has happened; a file system that cannot flush a folder does not make it undone.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(descriptor: int, limit: int) -> bytes:
    parts = []
    while limit and (part := os.read(descriptor, min(limit, 1 << 20))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _unwritable(error: OSError, path: str) -> MomError:
    return MomError(f"cannot write {path}: {reason_of(error)}: the file is as it was")
