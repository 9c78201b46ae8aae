"""What the process of a run, and each Envoy that it starts, may use of the system."""

from __future__ import annotations

import contextlib
import resource


def raise_open_files() -> None:
    """Take all the open files that this user may have: each connection is one."""
    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
