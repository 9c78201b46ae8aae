"""What can go wrong, as values: a message, a hint, an exit status.

This module is imported by `mom curl`, which pays for every import: it needs nothing heavier than `enum` (`typing` would
double its time; type checkers know the name TYPE_CHECKING without it).
A mistake inside a file has a place and is a `mom.problems.Problem`; a `MomError` may carry several.
"""

from __future__ import annotations

from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mom.problems import Problem


class ExitStatus(IntEnum):
    """Every exit status of mom, except those of programs that it runs, which are passed on."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    WOULD_CHANGE = 3
    # As env(1) has them, of what `mom curl` and `mom exec` run.
    NOT_STARTED = 125
    NOT_RUNNABLE = 126
    COMMAND_MISSING = 127
    INTERRUPTED = 130


class MomError(Exception):
    """An expected failure: one clear sentence, and where possible what to do instead.

    `problems` are mistakes with a place in a file; they are shown below the message.
    """

    exit_status = ExitStatus.FAILED

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        problems: Sequence[Problem] = (),
        exit_status: ExitStatus | None = None,
    ) -> None:
        """Take what the error boundary prints; `exit_status` overrides the class's own."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        if exit_status is not None:
            self.exit_status = exit_status


class UnreadableError(MomError):
    """A file cannot be used. `reason` is a clause that follows the file's name, such as `there is no such file`."""

    def __init__(self, path: str, reason: str, *, missing: bool = False, hint: str | None = None) -> None:
        """Say why the file at `path` cannot be read; `missing`: there is none."""
        super().__init__(f"cannot read {path}: {reason}", hint=hint)
        self.path = path
        self.reason = reason
        self.missing = missing


def not_importable(error: ImportError) -> MomError:
    """Return the error for a package that mom needs and that is missing, or cannot be imported from where it is."""
    import os

    # Where this is not a file, it is in an archive.
    hint = "reinstall mom in a virtual environment of its own"
    if not os.path.exists(__file__):  # noqa: PTH110 - pathlib takes longer to import than mom takes to start
        hint = "a zip archive cannot contain compiled packages: install them beside it, or install mom"
    return MomError(f"cannot import a required package: {error}", hint=hint)


class UsageError(MomError):
    """The command line itself is wrong: an option's value, or a combination."""

    exit_status = ExitStatus.USAGE
