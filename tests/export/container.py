"""A file system as a container has it, without one: a mount namespace in which folders of a test are at other paths.

All else is as on this machine, the programs and their libraries among it. It needs no root: the namespace is that of a
user of its own (user_namespaces(7)). Nothing of it is left when its process ends.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath


def inside(root: Path, mounts: Mapping[str, Path], command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` where each of `mounts`, a file or folder of the test, is at its path.

    root: an empty folder, where the file system is put together. The process that is started becomes the command.
    """
    targets = {PurePosixPath(path): source for path, source in mounts.items()}
    steps = ["set -e", f"mount -t tmpfs none {shlex.quote(str(root))}", *_steps(root, PurePosixPath("/"), targets)]
    steps.append(f"exec chroot {shlex.quote(str(root))} {shlex.join(command)}")
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", "\n".join(steps)]


def _steps(root: Path, at: PurePosixPath, mounts: Mapping[PurePosixPath, Path]) -> Iterator[str]:
    """Yield shell commands that give the folder `at` all that is there, but for what is mounted at or below it."""
    here = Path(at)
    names = {entry.name for entry in here.iterdir()} if here.is_dir() else set()
    names |= {path.relative_to(at).parts[0] for path in mounts if path.is_relative_to(at)}
    for name in sorted(names):
        path = at / name
        target = shlex.quote(f"{root}{path}")
        if path in mounts:
            yield from _bind(mounts[path], target)
        elif any(mounted.is_relative_to(path) for mounted in mounts):
            yield f"mkdir {target}"
            yield from _steps(root, path, mounts)
        elif Path(path).is_symlink():
            yield f"ln -s {shlex.quote(str(Path(path).readlink()))} {target}"
        elif Path(path).exists():
            yield from _bind(Path(path), target)


def _bind(source: Path, target: str) -> Iterator[str]:
    yield f"mkdir {target}" if source.is_dir() else f": > {target}"
    yield f"mount --rbind {shlex.quote(str(source))} {target}"
