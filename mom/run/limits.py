"""What the process of a run, and each Envoy that it starts, may use of the system."""

from __future__ import annotations

import contextlib
import resource
import sys

from mom.envoy.limits import FEWEST_FILES
from mom.errors import MomError

# More open files are of no use: memory and ports run out first.
_MOST_FILES = 1_048_576
# setrlimit(2) of macOS takes no more than OPEN_MAX, whatever the hard limit is.
_MOST_FILES_ON_MACOS = 10_240


def open_files() -> int:
    """Return how many files Envoy may have open, each connection one; raises MomError if it cannot serve with them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES_ON_MACOS if sys.platform == "darwin" else _MOST_FILES
    number = most if hard == resource.RLIM_INFINITY else min(hard, most)
    if number < FEWEST_FILES:
        hint = f"raise the hard limit of open files (`ulimit -Hn`) to {FEWEST_FILES}"
        raise MomError(f"Envoy cannot serve with {number} open files", hint=hint)
    return number


def raise_open_files() -> None:
    """Raise the limit of open files to what this user may have: each connection is one."""
    number = open_files()
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
