"""What others do while a test looks: a file that is gone between its listing and its reading is left out."""

from __future__ import annotations

import contextlib
from pathlib import Path


def contents(*folders: Path, pattern: str = "*") -> dict[Path, bytes]:
    """Return what is in the files below folders, at any depth, while somebody writes there."""
    found: dict[Path, bytes] = {}
    for folder in folders:
        for path in folder.rglob(pattern):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    found[path] = path.read_bytes()
    return found


def open_files(pid: int) -> list[str]:
    """Return what a process has open: paths, and the kernel's names of what has none (`socket:[1]`)."""
    found: list[str] = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(descriptor.readlink()))
    return found
