"""Notices that files have changed: rewritten, replaced by a rename as editors do, removed, or back again.

By looking at them, five times a second: it costs microseconds, needs no dependency, and works on every file system.

Nothing is read that is being written: a file counts when it rests, or once it was renamed into place, complete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class _Status(NamedTuple):
    """What a change of content, of permissions, or of the file itself changes (stat(2)); times in nanoseconds."""

    written: int
    changed: int
    size: int
    inode: int
    # Many file systems count time in ticks of some milliseconds, in which more than one change fits.
    mode: int


# None: there is no such file.
_State = _Status | None
# After so many looks a file that never rests is taken as it is: 2 seconds.
_MOST_LOOKS = 10
# Files that belong together, such as a certificate and its key, are renamed one after the other. In nanoseconds.
_MOMENT = 50_000_000


@dataclass
class _File:
    """A watched file: its state when last reported and at the last look, and for how many looks it has moved."""

    reported: _State
    seen: _State
    moving: int = 0

    def has_changed(self, now: _State, clock: int) -> bool:
        """Take a look, at that time; return whether there is a change to report.

        Only once the file rests, is complete, or has moved for too long.
        """
        at_rest, self.seen = now == self.seen or _was_put(self.reported, now, clock), now
        if now == self.reported:
            self.moving = 0
            return False
        self.moving += 1
        if not at_rest and self.moving < _MOST_LOOKS:
            return False
        self.reported, self.moving = now, 0
        return True


def _was_put(before: _State, now: _State, clock: int) -> bool:
    """Whether another file was renamed into place, a moment ago: what was done to it last was not a write (inode(7)).

    A file that is created in place, and written to, has the time of its last change as that of its last write.
    """
    if before is None or now is None or before.inode == now.inode:
        return False
    return now.written < now.changed < clock - _MOMENT


class Watch:
    """Watches some paths; what they point to counts, not the links themselves."""

    def __init__(self, paths: Iterable[Path], clock: Callable[[], int] = time.time_ns) -> None:
        """Start from the present state of `paths`. clock: that of the file system."""
        self._clock = clock
        self._files: dict[Path, _File] = {}
        self.add(paths)

    def poll(self) -> bool:
        """Return whether a file has changed since the last time this was true, and rests.

        A file that differs between two looks is being written, or just being replaced. Each file rests for itself: one
        that is touched again and again hides no change of another.
        """
        # Every file is looked at, whatever the result for the others.
        changed = [path for path, file in self._files.items() if file.has_changed(_state(path), self._clock())]
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
    return _Status(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_mode)
