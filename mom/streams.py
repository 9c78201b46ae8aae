"""The standard streams where they are closed, full or gone, and text made safe to print.

`mom curl` imports this: nothing heavy at the top.
"""

from __future__ import annotations

import errno
import os
import sys

from mom.errors import MomError, UnreadableError
from mom.files import MAX_BYTES, reason_of, too_large

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

# How standard input is named in messages.
STDIN = "<stdin>"


def open_closed() -> None:
    """Open each standard stream that is closed, so that reading stdin and writing stdout fail.

    Otherwise the next file opened would get its descriptor, and output would be written into that file.
    """
    for number, flags, mode in ((0, os.O_WRONLY, "r"), (1, os.O_RDONLY, "w"), (2, os.O_WRONLY, "w")):
        name = ("stdin", "stdout", "stderr")[number]
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, flags)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
        os.set_inheritable(number, True)
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - a descriptor


def read_stdin(limit: int = MAX_BYTES) -> bytes:
    """Return standard input to its end. Raises UnreadableError where it is closed or has more than `limit` bytes."""
    try:
        data = sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        raise UnreadableError(STDIN, reason_of(error)) from None
    if len(data) > limit:
        raise UnreadableError(STDIN, too_large(limit))
    return data


def visible(text: str) -> str:
    """Return `text` for one line of output: characters that are not printable become escapes, as in Python."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


# What writing to a stream fails with, and nothing that is not about a file.
_LOST = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def lost_output(error: OSError) -> MomError | None:
    """Return the error for output that could not be written, None where `error` is about something else.

    It flushes stdout, and Python does not try again at exit. Without a buffer (`PYTHONUNBUFFERED`, as in many
    containers) nothing is left to flush: then `error` itself tells, which has the name of a file for all but streams.
    """
    try:
        sys.stdout.flush()
    except OSError as failed:
        return lost(failed)
    return lost(error) if error.filename is None and error.errno in _LOST else None


def lost(error: OSError) -> MomError:
    """Return the error for output that could not be written because of `error`."""
    silence(sys.stdout)
    return MomError(f"cannot write to stdout: {reason_of(error)}")


def write_message(stream: IO[str], text: str) -> None:
    """Write a message to `stream`. A failure (a closed terminal, a full disk) does not end the command."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        silence(stream)


def silence(stream: IO[str]) -> None:
    """Redirect `stream` to the null device: Python flushes it at exit, and would report an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
