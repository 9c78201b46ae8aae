"""Files, once: read with a bound, replaced whole or not at all, locked.

A name may lead anywhere: to a pipe without a writer, a device without an end, a folder, a file of gigabytes. Each gets
one error in one wording, and none blocks.

A replacement is written to a file without a name, where the system has those (Linux: O_TMPFILE), so that a killed
process leaves nothing of it; flushed to the disk; and renamed over the old file (rename(2) is atomic). What a kill
between the two leaves has a name by which the next replacement removes it.

`mom curl` imports this module on every run: it imports late what it needs for errors.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from mom.errors import UnreadableError

# No key set, certificate or list of variables is near this.
MAX_BYTES = 1 << 20

IS_FOLDER = "it is a folder"
_REASONS = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.ELOOP: "symbolic links lead in a circle",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EISDIR: IS_FOLDER,
    errno.EBADF: "it is closed",
    errno.EEXIST: "something else is there",
    errno.EFBIG: "it would be larger than a file may be here (ulimit -f)",
}
# Network file systems without locks.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS})
# Bytes of a file's name that the name of its temporary file repeats.
_LONGEST = 180


def reason_of(error: OSError) -> str:
    """Return why a file or another part of the system failed, in the same few words for the same cause everywhere."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


def unreadable(path: str, error: OSError) -> UnreadableError:
    """Return the error that says why `path` could not be opened or read."""
    from mom.errors import UnreadableError

    return UnreadableError(path, reason_of(error), missing=error.errno == errno.ENOENT)


def read_file(path: str | os.PathLike[str], limit: int = MAX_BYTES, *, pipes: bool = False) -> bytes:
    """Return the content of the regular file at `path` (symbolic links are followed): at most `limit` bytes.

    Raises UnreadableError for what is missing, forbidden, too large or not a regular file. It never waits: a pipe is
    refused before anything is read from it. `pipes` is for a name on the command line, which may be a shell's `<(…)`:
    anything but a folder is then read to its end, however long that takes.
    """
    name = os.fspath(path)
    try:
        # O_NONBLOCK: opening a pipe would else wait for its writer.
        descriptor = os.open(name, os.O_RDONLY | (0 if pipes else os.O_NONBLOCK) | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(name, error) from None
    except ValueError:
        from mom.errors import UnreadableError

        raise UnreadableError(name, "that is not the name of a file") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode) or not (pipes or stat.S_ISREG(mode)):
            from mom.errors import UnreadableError

            raise UnreadableError(name, IS_FOLDER if stat.S_ISDIR(mode) else "it is not a regular file")
        data = read_at_most(descriptor, limit + 1)
    except OSError as error:
        raise unreadable(name, error) from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        from mom.errors import UnreadableError

        raise UnreadableError(name, too_large(limit))
    return data


def too_large(limit: int) -> str:
    """Return the reason for what has more than `limit` bytes."""
    mebibytes, rest = divmod(limit, 1 << 20)
    return f"it is larger than {limit:,} bytes" if rest else f"it is larger than {mebibytes} MiB"


def text_of(data: bytes, name: str) -> str:
    """Return `data` as text. Raises MomError with the place of the first byte that is not UTF-8, counted from 0."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        from mom.errors import MomError

        if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise MomError(
                f"{name} is UTF-16 (byte-order mark at byte 0)",
                hint="save it as UTF-8, for example: iconv -f UTF-16 -t UTF-8",
            ) from None
        if 0 in data:
            # No text in any encoding of single bytes has one.
            raise MomError(
                f"{name} is not a text file: byte {data.index(0)} is NUL", hint="name a text file, in UTF-8"
            ) from None
        raise MomError(
            f"{name} is not UTF-8: byte {error.start} is 0x{data[error.start]:02X} ({error.reason})",
            hint="save it as UTF-8, for example: iconv -f LATIN1 -t UTF-8",
        ) from None


def read_at_most(descriptor: int, limit: int) -> bytes:
    """Return what is left to read of an open file, at most `limit` bytes. Raises OSError."""
    parts = []
    while limit and (part := os.read(descriptor, min(limit, 1 << 20))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def open_locked(path: str, flags: int = os.O_RDONLY, *, needs_locks: bool = False) -> int:
    """Open `path`, wait until no other process has it locked, lock it, and return its descriptor. Raises OSError.

    The lock is an advisory `flock` that ends with the process, however that ends. Since a replacement is another inode,
    the path is opened anew when the file under it changed while this waited. Files that are not regular are not locked,
    and on a file system without locks it goes on without one, unless `needs_locks`.
    """
    from fcntl import LOCK_EX, flock

    while True:
        # Without O_NONBLOCK, opening a pipe would wait for its writer.
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor
            try:
                flock(descriptor, LOCK_EX)
            except OSError as error:
                if needs_locks or error.errno not in _NO_LOCKS:
                    raise
                return descriptor
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


class Replacement:
    """New content for the file at `path`, of mode 0600.

    Use as a context manager: it is gone afterwards unless `put` was called. descriptor: where it is written. All of it
    raises OSError. Only one process at a time may replace a file (`open_locked`): what is left of another replacement
    of the same file is removed.
    """

    def __init__(self, path: str, *, is_shared: bool = True) -> None:
        """Open a new file beside `path`, in a folder that exists.

        is_shared: whether other processes write into that folder. In one of its own nothing can be left to remove.
        """
        self._path = path
        self._flushed = False
        self._folder, self._name = os.path.split(path)
        self._temporary: str | None = None
        if is_shared:
            self._remove_stale()
        self.descriptor = self._open()

    def __enter__(self) -> Self:
        """Return the open replacement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, and remove it unless it was put in place."""
        os.close(self.descriptor)
        if self._temporary is not None:
            _remove(self._temporary)

    def write(self, data: bytes) -> None:
        """Write `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]

    def flush(self) -> None:
        """Flush what was written to the disk, so that a loss of power leaves the old file or the new one."""
        os.fsync(self.descriptor)
        self._flushed = True

    def put(self) -> None:
        """Rename the new file over the old one."""
        if self._temporary is None:
            self._temporary = self._link()
        os.replace(self._temporary, self._path)
        self._temporary = None
        if self._flushed:
            _flush(self._folder or ".")

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC
        unnamed = getattr(os, "O_TMPFILE", None)
        # It gets its name by way of /proc, which a container may not have.
        if unnamed is not None and os.path.isdir("/proc/self/fd"):
            try:
                return os.open(self._folder or ".", flags | unnamed, 0o600)
            except OSError:
                pass  # a file system without such files
        self._temporary = self._new_name()
        return os.open(self._temporary, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

    def _link(self) -> str:
        name = self._new_name()
        # Python calls linkat(2), which can follow the link in /proc, only with a descriptor; to an absolute path that
        # descriptor means nothing.
        path = f"/proc/self/fd/{self.descriptor}"
        os.link(path, name, src_dir_fd=self.descriptor, follow_symlinks=True)
        return name

    def _new_name(self) -> str:
        return os.path.join(self._folder, f"{temporary_prefix(self._name)}{os.getpid()}-{os.urandom(6).hex()}")

    def _remove_stale(self) -> None:
        prefix = temporary_prefix(self._name)
        for entry in os.listdir(self._folder or "."):
            if entry.startswith(prefix):
                _remove(os.path.join(self._folder, entry))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _flush(folder: str) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        # The rename has happened; a file system that cannot flush a folder does not undo it.
        return
    finally:
        os.close(descriptor)


def temporary_prefix(name: str) -> str:
    """Return how the names of temporary files for `name` begin; what is added fits into the 255 bytes of a name."""
    short = name
    while len(os.fsencode(short)) > _LONGEST:
        short = short[:-1]
    if short == name:
        return f".{short}.mom-"
    # Two long names may begin alike, and a replacement removes what it takes for its own litter.
    from zlib import crc32

    return f".{short}-{crc32(os.fsencode(name)):08x}.mom-"
