"""The name of a file in a diff, such that `git apply` and `patch -p1` find it."""

from __future__ import annotations

import os
from pathlib import Path


def diff_name(path: str) -> str:
    """Return the name for the header of a diff of the file at `path`, without the `a/` or `b/` before it.

    In or below the current folder the name is relative to it. `git apply` refuses names that begin with `../`, and
    ignores files outside the folder that it runs in: any other name is relative to the root of the file's git work
    tree, where the diff applies, or without one to its own folder. A symbolic link is followed, as the edit does.
    """
    try:
        real, here = Path(os.path.realpath(path)), Path.cwd().resolve()
    except OSError:
        return path.lstrip("/")
    if real.is_relative_to(here):
        return str(real.relative_to(here))
    root = next((folder for folder in real.parents if (folder / ".git").exists()), real.parent)
    return str(real.relative_to(root))
