"""The file of `--env-file`: followed while it is a file, read once where it is a pipe (`<(…)` of a shell)."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

from mom.errors import MomError, UnreadableError
from mom.files import read_file, text_of
from mom.run import dotenv


@dataclass
class EnvFile:
    """Reads the variables of the file at `path`, as the user wrote it."""

    path: Path
    is_followed: bool = field(init=False)
    _once: dict[str, str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Look at its type now: that decides for the whole run."""
        self.is_followed = not _is_stream(self.path)

    def read(self) -> dict[str, str]:
        """Return its variables. Raises MomError, with a Problem for each line that cannot be read.

        A pipe is read to its end the first time, however long that takes, and never again.
        """
        if self.is_followed:
            return self._variables()
        if self._once is None:
            self._once = self._variables()
        return self._once

    def _variables(self) -> dict[str, str]:
        try:
            data = read_file(self.path, pipes=not self.is_followed)
        except UnreadableError as error:
            raise MomError(f"--env-file {self.path}: {error.reason}", hint=error.hint) from error
        return dotenv.parse(text_of(data, f"--env-file {self.path}"), str(self.path))


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
