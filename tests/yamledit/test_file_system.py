"""The real command on a real file system: other users, full disks, kills at any moment, many runs at once.

`test_files` has each failure by itself, brought about inside one process.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit.add import add_adapter
from mom.errors import MomError
from mom.files import temporary_prefix
from mom.yamledit.files import LockedFile
from mom.yamledit.source import decode
from tests.samples import EMPTY
from tests.searches import examples

ATLAS = EMPTY.encode()
ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An Atlas configuration in a folder of its own."""
    found = tmp_path / "atlas.yml"
    found.write_bytes(ATLAS)
    return found


def command(path: Path | str, name: str = "openai") -> list[str]:
    base = [sys.executable, "-m", "mom", "atlas", "config", "add-http-adapter", "-q"]
    return [*base, "-f", str(path), "--adapter-name", name, "--base-url", "https://api.openai.com"]


def with_adapter(data: bytes, name: str) -> bytes:
    return add_adapter(decode(data, "atlas.yml"), HttpAdapterSpec(name, "https://api.openai.com")).text.encode()


def names(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


# Linux: a file without a name, which is opened by that of its folder.
UNNAMED = getattr(os, "O_TMPFILE", -1)


# Imports first, as the user who may read the code, then becomes another and edits.
AS_NOBODY = """
import fcntl, os, sys
from mom.errors import MomError
from mom.files import temporary_prefix
from mom.yamledit.files import LockedFile
os.setgid(65534)
os.setuid(65534)
try:
    with LockedFile(sys.argv[1]) as locked:
        locked.replace(locked.data + b"# more\\n")
except MomError as error:
    sys.exit(error.message)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    # Not in a folder for temporary files of this user alone.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def edit_as_nobody(path: Path) -> str:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(path)], capture_output=True, text=True, check=False)
    return done.stderr.strip()


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "words"),
    [
        (0o755, 0o666, "cannot write {path}: permission denied: the file is as it was"),
        (0o777, 0o644, "{path} is read-only (mode 0644)"),
        (0o777, 0o600, "cannot read {path}: permission denied"),
        (0o700, 0o666, "cannot read {path}: permission denied"),
    ],
    ids=["a folder that is not ours", "a file that is not ours", "a file we may not read", "a folder we may not enter"],
)
def test_what_another_user_may_not_write_stays_as_it_is(
    open_folder: Path, folder_mode: int, file_mode: int, words: str
) -> None:
    path = open_folder / "atlas.yml"
    path.write_bytes(ATLAS)
    path.chmod(file_mode)
    open_folder.chmod(folder_mode)

    assert edit_as_nobody(path) == words.format(path=path)
    assert path.read_bytes() == ATLAS
    assert names(path) == ["atlas.yml"]


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_a_file_that_others_own_and_we_may_write_is_ours_afterwards(open_folder: Path) -> None:
    """Only root may give a file away: the owner is kept where that is permitted."""
    path = open_folder / "atlas.yml"
    path.write_bytes(ATLAS)
    path.chmod(0o666)
    open_folder.chmod(0o777)

    assert edit_as_nobody(path) == ""
    assert path.read_bytes() == ATLAS + b"# more\n"
    assert path.stat().st_uid == NOBODY
    assert stat.S_IMODE(path.stat().st_mode) == 0o666


@pytest.mark.skipif(not ROOT, reason="only root may give files away")
def test_the_command_keeps_owner_group_and_mode(path: Path) -> None:
    os.chown(path, 1234, 5678)
    path.chmod(0o640)
    subprocess.run(command(path), check=True)

    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 5678, 0o640)
    assert path.read_bytes() == with_adapter(ATLAS, "openai")


def test_extended_attributes_stay(path: Path) -> None:
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        pytest.skip("this file system has no extended attributes")
    subprocess.run(command(path), check=True)

    assert os.getxattr(path, "user.note") == b"kept"
    assert path.read_bytes() == with_adapter(ATLAS, "openai")


def test_another_hard_link_keeps_the_old_content(path: Path) -> None:
    """As the module says: the path gets a new file, what other paths lead to is not touched."""
    other = path.with_name("other.yml")
    other.hardlink_to(path)
    subprocess.run(command(path), check=True)

    assert path.read_bytes() == with_adapter(ATLAS, "openai")
    assert other.read_bytes() == ATLAS


@pytest.mark.parametrize("kind", ["a pipe", "/dev/null", "/dev/zero", "a folder"])
def test_what_is_not_a_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = Path(kind) if kind.startswith("/") else tmp_path / "x"
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    done = subprocess.run(command(path), capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 1
    assert f"cannot read {path}: it is {'a folder' if kind == 'a folder' else 'not a regular file'}" in done.stderr


def test_a_limit_on_the_size_of_files_leaves_the_old_file(path: Path) -> None:
    large = ATLAS + b"# comment\n" * 10_000
    path.write_bytes(large)
    done = subprocess.run(
        command(path),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )

    assert done.returncode == 1
    reason = "it would be larger than a file may be here (ulimit -f)"
    assert f"cannot write {path}: {reason}: the file is as it was" in done.stderr
    assert path.read_bytes() == large
    assert names(path) == ["atlas.yml"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if not ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no permission to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(small_disk: Path) -> None:
    path = small_disk / "atlas.yml"
    large = ATLAS + b"# comment\n" * 15_000
    path.write_bytes(large)
    done = subprocess.run(command(path), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert f"cannot write {path}: the disk is full: the file is as it was" in done.stderr
    assert path.read_bytes() == large
    assert names(path) == ["atlas.yml"]


def test_a_run_that_is_killed_at_any_moment_leaves_the_old_file_or_the_new_one(path: Path) -> None:
    """Kills between a run's start and its end, most of them while it reads, proves and writes."""
    data = ATLAS + b"# a comment of some length\n" * 40_000
    path.write_bytes(data)
    started = time.monotonic()
    subprocess.run(command(path, "first"), check=True)
    whole = time.monotonic() - started
    data = with_adapter(data, "first")
    assert path.read_bytes() == data

    dice = random.Random(1)
    killed = 0
    for number in range(examples(5, 8)):
        running = subprocess.Popen(command(path, f"a{number}"))
        # The machine may be faster now than it was then: the first kills come early, whatever it does.
        time.sleep(whole * dice.uniform(0.0, 0.2) if number < 3 else whole * dice.uniform(0.3, 1.1))
        running.kill()
        killed += running.wait() != 0
        found = path.read_bytes()
        assert found in {data, with_adapter(data, f"a{number}")}, number
        data = found

    # Whatever the kills left, the next run removes.
    subprocess.run(command(path, "last"), check=True)
    assert killed
    assert path.read_bytes() == with_adapter(data, "last")
    assert names(path) == ["atlas.yml"]


@pytest.mark.proof
def test_of_commands_at_once_each_adds_its_adapter(path: Path) -> None:
    """`test_files` has more at once that only write: an edit takes longer to start than to hold the lock."""
    wanted = [f"a{number}" for number in range(examples(12, 50))]
    running = [subprocess.Popen(command(path, name)) for name in wanted]

    assert [process.wait(120) for process in running] == [0] * len(wanted)
    text = path.read_text()
    assert sorted(line.split()[1] for line in text.split("\n") if line.startswith("      name: ")) == sorted(wanted)
    assert sorted(line.split()[1] for line in text.split("\n") if line.startswith("  name: a")) == sorted(
        [*wanted, "atlas"]
    )
    assert names(path) == ["atlas.yml"]


def test_the_new_file_is_on_the_disk_before_it_has_the_name_and_the_name_before_the_run_ends(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls, in order: a crash between any two leaves the old file or the new one."""
    calls: list[str] = []
    opened: dict[int, str] = {}

    def record(name: str) -> None:
        real = getattr(os, name)

        def recorded(*arguments: Any) -> Any:
            result = real(*arguments)
            what = opened.get(arguments[0], "?") if isinstance(arguments[0], int) else str(arguments[0])
            if name == "open" and arguments[1] & UNNAMED == UNNAMED:
                what = ".mom-"
                opened[result] = "new"
            elif name == "open":
                opened[result] = what = "folder" if Path(what).is_dir() else "new" if ".mom-" in what else "old"
            calls.append(f"{name} {'new' if '.mom-' in what else what}")
            return result

        monkeypatch.setattr(os, name, recorded)

    with LockedFile(str(path)) as locked:
        for name in ("open", "write", "fchmod", "fsync", "replace"):
            record(name)
        locked.replace(b"new")
        monkeypatch.undo()
    expected = ["open new", "write new", "fchmod new", "fsync new", "open old", "replace new", "open folder"]
    assert calls == [*expected, "fsync folder"]


@pytest.mark.parametrize("name", ["ж" * 127, "\U0001f600" * 63, "a" * 255], ids=["2 bytes", "4 bytes", "1 byte"])
def test_a_file_with_the_longest_name_is_edited_and_what_a_killed_run_left_is_removed(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(ATLAS)
    other = tmp_path / (name[:-1] + "b")
    litter = [tmp_path / f"{temporary_prefix(found.name)}1-000000000000" for found in (path, other)]
    for found in litter:
        found.write_bytes(b"half")
    with LockedFile(str(path)) as locked:
        locked.replace(b"new")

    assert path.read_bytes() == b"new"
    # Another file of nearly the same name may be in the hands of another run.
    assert names(path) == sorted([name, litter[1].name])


def test_a_file_that_another_program_writes_to_meanwhile_keeps_what_that_one_wrote(path: Path) -> None:
    with LockedFile(str(path)) as locked:
        with path.open("ab") as other:
            other.write(b"# theirs\n")
        with pytest.raises(MomError, match="was changed by another program meanwhile"):
            locked.replace(with_adapter(ATLAS, "openai"))

    assert path.read_bytes() == ATLAS + b"# theirs\n"
    assert names(path) == ["atlas.yml"]
