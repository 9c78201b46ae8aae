"""The file of `--env-file`: followed while it is a file, and read once where it is a pipe (`<(…)` of a shell)."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

from mom.errors import MomError
from mom.files import MAX_BYTES, UnreadableError, read_file, reason_of
from mom.run import dotenv


@dataclass
class EnvFile:
    """Reads the variables of the file at `path`, which is what the user wrote."""

    path: Path
    is_followed: bool = field(init=False)
    _once: dict[str, str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Look at what it is now: that decides for the whole run."""
        self.is_followed = not _is_stream(self.path)

    def read(self) -> dict[str, str]:
        """Return its variables. Raises MomError, with a Problem for each line that cannot be read.

        A pipe is read to its end the first time, however long that takes, and never again.
        """
        if self.is_followed:
            return self._parse(self._content())
        if self._once is None:
            self._once = self._parse(self._stream())
        return self._once

    def _content(self) -> bytes:
        try:
            return read_file(self.path)
        except UnreadableError as error:
            raise MomError(f"--env-file {self.path}: {error.reason}", hint=error.hint) from error

    def _stream(self) -> bytes:
        try:
            with self.path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise MomError(f"--env-file {self.path}: {reason_of(error)}") from error
        if len(data) > MAX_BYTES:
            raise MomError(f"--env-file {self.path}: it is larger than {MAX_BYTES:,} bytes")
        return data

    def _parse(self, data: bytes) -> dict[str, str]:
        try:
            return dotenv.parse(data.decode(), str(self.path))
        except UnicodeDecodeError as error:
            raise MomError(f"--env-file {self.path} is not UTF-8 (byte {error.start + 1})") from error


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
