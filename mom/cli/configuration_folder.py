"""The configurations below a folder: `*.yml` and `*.yaml` files with an Atlas or adapter document."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from mom.errors import MomError
from mom.files import read_file, unreadable
from mom.yamledit.source import MAX_BYTES

if TYPE_CHECKING:
    from mom.atlas.documents import Stream


class Candidate(NamedTuple):
    """A file of a folder that is a configuration: its documents, or why it cannot be read."""

    path: str
    content: Stream | MomError


def configurations_in(folder: str) -> Iterator[Candidate]:
    """Yield the configurations below `folder`, in the order of their names, each read once.

    Folders whose name begins with a dot, and links to folders, are left out. A file that cannot be read is yielded,
    since it may be one. Raises UnreadableError for a folder that cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise unreadable(str(error.filename), error)

    for path, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = os.path.join(path, name)  # noqa: PTH118 - os.walk gives text, and the user's own spelling stays
            if name.endswith((".yml", ".yaml")) and not name.startswith("."):
                content = _content(file)
                if content is not None:
                    yield Candidate(file, content)


def _content(file: str) -> Stream | MomError | None:
    """Return the documents of a file, why it cannot be read, or None where none of them is an Atlas's."""
    from mom.atlas.documents import read
    from mom.atlas.kinds import PREFIX
    from mom.yamledit.source import decode

    try:
        data = read_file(file, MAX_BYTES)
        if PREFIX.encode() not in data:
            return None
        stream = read(decode(data, file))
    except MomError as error:
        return error
    return stream if stream.own or stream.unreadable else None
