"""A file that must not exist yet."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from mom.errors import MomError
from mom.files import reason_of


def create_file(path: str, data: bytes) -> None:
    """Write `data` to a new file. Raises MomError, and leaves nothing behind, where that fails or the file exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise MomError(f"{path} exists and is not overwritten", hint="name another file: -f FILE") from None
    except FileNotFoundError:
        raise MomError(f"cannot create {path}: there is no such folder") from None
    except OSError as error:
        raise MomError(f"cannot create {path}: {reason_of(error)}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            Path(path).unlink()
        raise MomError(f"cannot create {path}: {reason_of(error)}") from None
