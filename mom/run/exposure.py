"""Who else can read or change what a run depends on: reported once at its start, with the command that fixes it."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from mom.run.plan import Inputs

_GIT_SECONDS = 2.0


def exposures(inputs: Inputs, private_keys: Iterable[Path] = ()) -> Iterator[str]:
    """Yield a sentence for each file that others can read or change and should not, with what to run."""
    for path in inputs.credentials.files:
        yield from _mode(path, 0o077, "read or change the credentials in", "chmod 600")
        yield from _git(path)
    yield from _mode(inputs.file, 0o022, "decide where credentials are sent: they can change", "chmod go-w")
    if inputs.tls is not None:
        certificate, key = inputs.tls
        yield from _mode(key, 0o077, "read or change the private key", "chmod 600")
        yield from _mode(certificate, 0o022, "change", "chmod go-w")
    for path in private_keys:
        yield from _mode(path, 0o077, "read or change the private key", "chmod 600")
    if inputs.local_key_file is not None:
        yield from _folder(inputs.local_key_file.parent)


def _mode(path: Path, bits: int, doing: str, command: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        status = path.stat()
        if _open_to_others(status, bits):
            yield f"other users can {doing} {path}; run: {command} {_quoted(path)}"


def _open_to_others(status: os.stat_result, bits: int) -> bool:
    """Whether another user has one of the permissions `bits`. A group of this user alone does not count."""
    if _is_private_group(status.st_gid):
        bits &= 0o707
    return bool(status.st_mode & bits)


def _is_private_group(gid: int) -> bool:
    """Whether a group has the name of this user and no other member: many systems give each user such a group."""
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return gid == user.pw_gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def _folder(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the folder of this user's signing key."""
    with contextlib.suppress(OSError):
        status = folder.lstat()
        if stat.S_ISLNK(status.st_mode):
            target = folder.resolve()
            move = f"rm {_quoted(folder)} && mv {_quoted(target)} {_quoted(folder)}"
            yield f"the folder of your signing key, {folder}, is a symbolic link; run: {move}"
        elif status.st_mode & 0o077:
            yield f"other users can access the folder of your signing key; run: chmod 700 {_quoted(folder)}"


def _git(path: Path) -> Iterator[str]:
    """Yield that the env file is in a git repository, or may get into it with the next `git add`."""
    tracked = _ask_git(path, "ls-files", "--error-unmatch")
    if tracked == 0:
        remove = f"git -C {_quoted(path.absolute().parent)} rm --cached {_quoted(path.name)}"
        yield f"{path} is tracked by git: replace the credentials in it; run: {remove}"
    elif tracked == 1 and _ask_git(path, "check-ignore", "--quiet") == 1:
        ignore = f"echo {_quoted(path.name)} >> {_quoted(path.with_name('.gitignore'))}"
        yield f"git does not ignore {path}, which contains credentials; run: {ignore}"


def _ask_git(path: Path, *question: str) -> int | None:
    """Return git's status: 0 for yes, 1 for no. None without git or a response in time, or outside a work tree."""
    git = shutil.which("git")
    if git is None:
        return None
    # Commands of a repository's own configuration are not run: no monitor of its files, and no prompt.
    command = [git, "-C", str(path.absolute().parent), "-c", "core.fsmonitor=false", *question, "--", path.name]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode if done.returncode in {0, 1} else None


def _quoted(path: Path | str) -> str:
    return shlex.quote(str(path))
