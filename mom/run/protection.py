"""Keeps what is in the memory of a run out of other hands: other processes of this user, and files of a crash."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import sys
from pathlib import Path

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def protect() -> None:
    """Have neither this process nor an Envoy that it starts leave its memory, credentials in it, in a core dump.

    On Linux no other process of this user can look into this one either (ptrace(2), /proc/PID/mem, /proc/PID/environ).
    Into Envoy it can: a program that is started is open to its user again (prctl(2), PR_SET_DUMPABLE).
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # Where a program takes core dumps (core_pattern with a pipe) the limit does not count. This does (core(5)), and
        # is inherited: no mapping is written. It belongs to root once the process is not dumpable.
        with contextlib.suppress(OSError):
            Path("/proc/self/coredump_filter").write_text("0")
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
