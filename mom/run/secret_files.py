"""The files in which Envoy finds secrets, in a private folder on a file system in memory, one for each variable.

What is composed of variables (`ServedKind.composed`) has files there, too, in the form in which Envoy reads them.

The folder is removed with the run. What a killed run left behind is removed by the next one, or with the machine's
memory: nothing of it was ever on a disk. Where there is no such file system, a folder of the run's directory takes its
place, and no file in it has a value (`mom.run.credentials`).
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from mom.envoy import secrets
from mom.envoy.bootstrap import dumps
from mom.envoy.messages import Json
from mom.run import leftovers
from mom.run.directory import RunDirectory, is_private, is_usable, write_all

_SHARED_MEMORY = "/dev/shm"  # noqa: S108  where Linux has a file system in memory
_MOUNTS = Path("/proc/self/mountinfo")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


def memory(environ: Mapping[str, str]) -> Path | None:
    """Return a folder on a file system in memory in which this user may create others: None where there is none."""
    for candidate in (environ.get("XDG_RUNTIME_DIR"), _SHARED_MEMORY):
        if candidate and is_in_memory(Path(candidate)) and _is_safe(Path(candidate)):
            return Path(candidate)
    return None


def is_in_memory(path: Path) -> bool:
    """Whether what is written below `path` is on no disk (proc(5): mountinfo, whose third field is the device)."""
    try:
        device = path.stat().st_dev
        mounts = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    kinds = {line.partition(" - ")[2].split(" ")[0] for line in mounts if line.split(" ")[2:3] == [number]}
    return bool(kinds) and kinds <= _IN_MEMORY


def _is_safe(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return is_usable(path) and is_private(path)
    return False


class SecretFiles:
    """The secret files of a run. `versions`: of each, by variable, as Envoy reports them once they are applied."""

    def __init__(self, environ: Mapping[str, str], directory: RunDirectory, parent: Path | None) -> None:
        """Create the folder in `parent`, which is `memory(environ)`. Raises MomError."""
        self._directory = directory
        self._own = None if parent is None else RunDirectory(environ, None, parent=parent, prefix=leftovers.SECRETS)
        self._count = itertools.count(1)
        self._contents: dict[str, Json] = {}
        self.versions: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        self.plain_versions: dict[str, int] = {}
        self.path = self._folder()

    def write(
        self,
        values: Mapping[str, str],
        in_environment: Collection[str] = (),
        plain: Mapping[str, str] | None = None,
    ) -> None:
        """Put the values that have changed into their files. Raises UnavailableError, and nothing has changed then.

        in_environment: secrets whose values Envoy has in its environment, and whose files only say so. plain: the texts
        of files that are not secrets in Envoy's sense; the numbers of their versions are in `plain_versions`.
        """
        self._ensure()
        new = {name: text for name, text in (plain or {}).items() if self._plain.get(name) != text}
        given = {name: _content(value) for name, value in values.items()}
        given |= {name: {"environment_variable": name} for name in in_environment}
        changed = {name: content for name, content in given.items() if self._contents.get(name) != content}
        # A count, and no digest: Envoy shows it, and a digest of a short value tells the value.
        versions = {name: str(next(self._count)) for name in changed}
        texts = {
            secrets.file_name(name): dumps(secrets.discovery(name, content, versions[name]))
            for name, content in changed.items()
        }
        write_all({self.path / name: text.encode() for name, text in (texts | new).items()})
        self._contents |= changed
        self.versions |= versions
        self._plain |= new
        self.plain_versions |= {name: next(self._count) for name in new}

    def remove(self) -> None:
        """Remove all of them."""
        if self._own is not None:
            self._own.remove()

    def _ensure(self) -> None:
        if not self.path.is_dir():
            (self._own or self._directory).ensure()
            self._contents, self.versions, self._plain, self.plain_versions = {}, {}, {}, {}
            self.path = self._folder()

    def _folder(self) -> Path:
        if self._own is not None:
            return self._own.path
        folder = self._directory.path / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


@contextlib.contextmanager
def secret_files(environ: Mapping[str, str], directory: RunDirectory, parent: Path | None) -> Iterator[SecretFiles]:
    """Create the folder of a run, and remove it at the end."""
    files = SecretFiles(environ, directory, parent)
    try:
        yield files
    finally:
        files.remove()


def _content(value: str) -> Json:
    try:
        value.encode()
    except UnicodeEncodeError:
        # Bytes that are not text, as the environment and files may have them.
        return {"inline_bytes": base64.b64encode(value.encode(errors="surrogateescape")).decode()}
    return {"inline_string": value}
