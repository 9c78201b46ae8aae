"""Errors for a curl that does not start. Imported only then: a start that works does not pay for it."""

from __future__ import annotations


def not_started(error: OSError) -> Exception:
    """Return the error for a curl that could not be started."""
    from mom.errors import ExitStatus, MomError
    from mom.files import reason_of

    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return MomError(
            "curl is not on the PATH",
            hint="install it: apt install curl, dnf install curl, brew install curl",
            exit_status=ExitStatus.COMMAND_MISSING,
        )
    return MomError(f"curl could not be started: {reason_of(error)}")
