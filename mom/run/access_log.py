"""The file of the access log: private from its first line, reopened after a rotation, watched for a full disk."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from pathlib import Path

from mom.errors import MomError
from mom.files import reason_of
from mom.run.generation import Generation

_LOOK_SECONDS = 2.0
# The same problem is not reported more often.
_REPORT_SECONDS = 60.0
# Envoy's counter of writes to files that did not succeed.
_FAILED = "filesystem.write_failed"


class AccessLog:
    """The access log of a run. `target`: a path, `-` for standard output, None for none."""

    def __init__(self, target: str | None) -> None:
        """Open nothing yet."""
        self._target = target
        self._seen: tuple[int, int] = (0, 0)
        self._next_look = 0.0
        self._next_report = 0.0

    def prepare(self) -> None:
        """Create the file so that only this user can read it; Envoy would make it readable by all.

        Raises MomError if that is impossible. It never waits.
        """
        if self._target is None or self._target == "-":
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            os.close(os.open(self._target, flags, 0o600))
        except OSError as error:
            reasons = {
                errno.ENXIO: "nothing reads this pipe",
                errno.ENOENT: f"there is no folder {Path(self._target).parent}",
            }
            reason = reasons.get(error.errno or 0, reason_of(error))
            raise MomError(f"--access-log {self._target}: {reason}") from error

    def problem(self, current: Generation) -> str | None:
        """Return what to report, if lines were lost since the last time. Raises NoResponseError."""
        now = time.monotonic()
        if self._target is None or now < self._next_look:
            return None
        self._next_look = now + _LOOK_SECONDS
        failed = current.admin.number(_FAILED)
        before = self._seen[1] if self._seen[0] == current.number else 0
        if failed <= before or now < self._next_report:
            return None
        self._seen = (current.number, failed)
        self._next_report = now + _REPORT_SECONDS
        where = "standard output" if self._target == "-" else self._target
        return f"access log lines are lost: cannot write {where}{self._reason()}"

    def _reason(self) -> str:
        """Return why, as far as that can be seen."""
        with contextlib.suppress(OSError):
            path = Path(self._target or "")
            if stat.S_ISREG(path.stat().st_mode) and os.statvfs(path).f_bavail == 0:
                return " (disk full)"
        return ""
