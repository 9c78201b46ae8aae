"""Files that a user or a configuration names, read with a bound.

A name may lead anywhere: to a pipe that nobody writes to, a device without an end, a folder, a file of gigabytes. Each
gets one answer in one wording, and none blocks.
"""

from __future__ import annotations

import errno
import os
import stat

from mom.errors import MomError

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
}


class UnreadableError(MomError):
    """A file cannot be used. `reason` is a clause that follows the file's name, such as `there is no such file`."""

    def __init__(self, path: str, reason: str, *, missing: bool = False, hint: str | None = None) -> None:
        """Say why the file at `path` cannot be read; `missing`: there is none."""
        super().__init__(f"cannot read {path}: {reason}", hint=hint)
        self.path = path
        self.reason = reason
        self.missing = missing


def reason_of(error: OSError) -> str:
    """Return why a file could not be used, in the same few words for the same cause everywhere."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


def unreadable(path: str, error: OSError) -> UnreadableError:
    """Return the error that says why `path` could not be opened or read."""
    return UnreadableError(path, reason_of(error), missing=error.errno == errno.ENOENT)


def read_file(path: str | os.PathLike[str], limit: int = MAX_BYTES, *, pipes: bool = False) -> bytes:
    """Return the content of the regular file at `path` (symbolic links are followed): at most `limit` bytes.

    Raises UnreadableError for what is missing, forbidden, too large or no regular file. It never waits: a pipe is
    refused before anything is read from it. `pipes` is for a name on the command line, which may be a shell's `<(…)`:
    whatever is no folder is then read to its end, however long that takes.
    """
    name = os.fspath(path)
    try:
        # O_NONBLOCK: opening a pipe would else wait for its writer.
        descriptor = os.open(name, os.O_RDONLY | (0 if pipes else os.O_NONBLOCK) | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            raise unreadable(name, error) from None
        raise UnreadableError(name, "that is not the name of a file") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode) or not (pipes or stat.S_ISREG(mode)):
            raise UnreadableError(name, IS_FOLDER if stat.S_ISDIR(mode) else "it is not a regular file")
        data = _read_at_most(descriptor, limit + 1)
    except OSError as error:
        raise unreadable(name, error) from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
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
        raise MomError(
            f"{name} is not UTF-8: byte {error.start} is 0x{data[error.start]:02X} ({error.reason})",
            hint="save it as UTF-8, for example: iconv -f LATIN1 -t UTF-8",
        ) from None


def _read_at_most(descriptor: int, limit: int) -> bytes:
    parts = []
    while limit and (part := os.read(descriptor, min(limit, 1 << 20))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)
