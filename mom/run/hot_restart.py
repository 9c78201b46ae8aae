"""The shared memory by which one Envoy takes over from another (Envoy: "Hot restart").

Envoy names it after a base id. A number that others could foretell would let any user of the machine create it first,
and no Atlas could start.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux has POSIX shared memory
# Envoy multiplies by ten and wants 32 bits.
_BASE_IDS = 400_000_000
# source/server/hot_restart_impl.h, version 11: size, version, two mutexes, and the flags that this is about.
_LAYOUT = struct.Struct("<QQ80sQ")
_VERSION = 11


@dataclass(frozen=True, slots=True)
class HotRestart:
    """Names the shared memory of one run."""

    base_id: int

    @property
    def file(self) -> Path:
        """Where it is."""
        return _SHARED_MEMORY / f"envoy_shared_memory_{self.base_id * 10}"

    def forget_failure(self) -> None:
        """Let another successor start after one that ended before it served.

        It marks the memory when it begins, and removes the mark when it serves; as long as the mark is there, Envoy
        refuses to start ("previous envoy process is still initializing").
        """
        with contextlib.suppress(OSError, struct.error), self.file.open("r+b", buffering=0) as memory:
            content = memory.read()
            size, version, _, _ = _LAYOUT.unpack(content)
            if (size, version) == (_LAYOUT.size, _VERSION):
                memory.seek(_LAYOUT.size - 8)
                memory.write(bytes(8))

    def remove(self) -> None:
        """Remove what Envoy leaves behind: two locks, no data."""
        with contextlib.suppress(OSError):
            self.file.unlink()


def new_hot_restart() -> HotRestart | None:
    """Return a base id that nothing uses.

    None where no successor could take over: it is measured on Linux, and needs POSIX shared memory.
    """
    if sys.platform != "linux" or not os.access(_SHARED_MEMORY, os.W_OK | os.X_OK):
        return None
    while True:
        hot_restart = HotRestart(secrets.randbelow(_BASE_IDS))
        if not os.path.lexists(hot_restart.file):
            return hot_restart
