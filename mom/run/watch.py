"""Notices that files have changed: rewritten, replaced by a rename as editors do, removed, or back again.

By looking at them, five times a second: it costs microseconds, needs no dependency, and works on every file system.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# What a change of content, of permissions, or of the file itself changes (stat(2)); None: no such file.
_State = tuple[int, int, int, int, int] | None
# After so many looks a file that never rests is taken as it is: 2 seconds.
_MOST_LOOKS = 10


@dataclass
class _File:
    """A watched file: its state when last reported and at the last look, and for how many looks it has moved."""

    reported: _State
    seen: _State
    moving: int = 0

    def has_changed(self, now: _State) -> bool:
        """Take a look; return whether there is a change to report: the file rests, or has moved for too long."""
        at_rest, self.seen = now == self.seen, now
        if now == self.reported:
            self.moving = 0
            return False
        self.moving += 1
        if not at_rest and self.moving < _MOST_LOOKS:
            return False
        self.reported, self.moving = now, 0
        return True


class Watch:
    """Watches some paths; what they point to counts, not the links themselves."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Start from the present state of `paths`."""
        self._files: dict[Path, _File] = {}
        self.add(paths)

    def poll(self) -> bool:
        """Return whether a file has changed since the last time this was true, and rests.

        A file that differs between two looks is being written, or just being replaced. Each file rests for itself: one
        that is touched again and again hides no change of another.
        """
        # Every file is looked at, whatever the result for the others.
        changed = [path for path, file in self._files.items() if file.has_changed(_state(path))]
        return bool(changed)

    def add(self, paths: Iterable[Path]) -> None:
        """Watch `paths` as well."""
        for path in paths:
            if path not in self._files:
                state = _state(path)
                self._files[path] = _File(state, state)


def _state(path: Path) -> _State:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    # The mode, too: many file systems count time in ticks of some milliseconds, in which more than one change fits.
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_mode
