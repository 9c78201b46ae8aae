"""A configuration file that an edit reads once and replaces whole or not at all (`mom.files`).

The lock is on the file itself: no lock file is left behind. Another hard link to the file keeps the old content.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from types import TracebackType
from typing import Self

from mom.errors import MomError, UnreadableError
from mom.files import Replacement, open_locked, read_at_most, reason_of, unreadable
from mom.yamledit.source import MAX_BYTES


class LockedFile:
    """A regular file, open and locked: `data` is what it contained when it was locked. Use as a context manager."""

    def __init__(self, path: str) -> None:
        """Open and lock `path` (a symbolic link is followed). Raises MomError, in words, where that cannot be."""
        self.path = path
        self.target = os.path.realpath(path)
        try:
            self._descriptor = open_locked(self.target)
            self._status = os.fstat(self._descriptor)
            if not stat.S_ISREG(self._status.st_mode):
                os.close(self._descriptor)
                kind = "a folder" if stat.S_ISDIR(self._status.st_mode) else "not a regular file"
                raise UnreadableError(path, f"it is {kind}", hint="-f takes a file, or - for standard input")
            self.data = read_at_most(self._descriptor, MAX_BYTES + 1)
        except OSError as error:
            raise unreadable(path, error) from None

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, which ends the lock."""
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
        try:
            with Replacement(self.target) as new:
                new.write(data)
                self._copy_attributes(new.descriptor)
                new.flush()
                self._refuse_if_changed()
                new.put()
        except OSError as error:
            raise MomError(f"cannot write {self.path}: {reason_of(error)}: the file is as it was") from None

    def _refuse_if_changed(self) -> None:
        """Raise MomError if the path no longer leads to the bytes that were read."""
        try:
            descriptor = os.open(self.target, os.O_RDONLY)
            try:
                unchanged = os.path.samestat(os.fstat(descriptor), self._status)
                unchanged = unchanged and read_at_most(descriptor, len(self.data) + 1) == self.data
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
