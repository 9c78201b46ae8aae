"""The configurations below a folder: `*.yml` and `*.yaml` files with an Atlas or adapter document."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mom.errors import MomError
from mom.files import read_file, unreadable
from mom.yamledit.source import MAX_BYTES


def configurations_in(folder: str) -> Iterator[str]:
    """Yield the paths of the configurations below `folder`, in the order of their names.

    Folders whose name begins with a dot, and links to folders, are left out. A file that cannot be read is yielded,
    since it may be one. Raises UnreadableError for a folder that cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise unreadable(str(error.filename), error)

    for path, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = os.path.join(path, name)  # noqa: PTH118 - os.walk gives text, and the user's own spelling stays
            if name.endswith((".yml", ".yaml")) and not name.startswith(".") and _may_be_configuration(file):
                yield file


def _may_be_configuration(file: str) -> bool:
    from mom.atlas.documents import read
    from mom.atlas.kinds import PREFIX
    from mom.yamledit.source import decode

    try:
        data = read_file(file, MAX_BYTES)
        if PREFIX.encode() not in data:
            return False
        stream = read(decode(data, file))
    except MomError:
        return True
    return bool(stream.own or stream.unreadable)
