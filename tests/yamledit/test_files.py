"""A file is replaced whole or not at all: links, modes, locks, and everything that can go wrong in between."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mom.errors import MomError
from mom.yamledit.files import LockedFile
from tests.searches import examples

OLD = b"old: 1\r\n"
NEW = b"old: 1\r\nnew: 2\r\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder of its own."""
    found = tmp_path / "atlas.yml"
    found.write_bytes(OLD)
    return found


def replace(path: Path, data: bytes = NEW) -> None:
    with LockedFile(str(path)) as locked:
        locked.replace(data)


def names(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


def test_a_file_is_read_and_replaced_as_bytes(path: Path) -> None:
    with LockedFile(str(path)) as locked:
        assert locked.data == OLD
        locked.replace(NEW)
    assert path.read_bytes() == NEW
    assert names(path) == ["atlas.yml"]


@pytest.mark.parametrize("absolute", [True, False])
def test_a_symbolic_link_stays_and_its_target_is_replaced(path: Path, tmp_path: Path, absolute: bool) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = folder / "link.yml"
    link.symlink_to(path if absolute else Path("..", "atlas.yml"))
    second = tmp_path / "second.yml"
    second.symlink_to(link)
    replace(second)
    assert second.is_symlink()
    assert link.is_symlink()
    assert not path.is_symlink()
    assert path.read_bytes() == NEW
    assert names(link) == ["link.yml"]


def test_links_in_a_circle_are_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(MomError, match="symbolic links lead in a circle"):
        LockedFile(str(tmp_path / "a"))


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o755, 0o664, 0o4750])
def test_the_mode_stays(path: Path, mode: int) -> None:
    path.chmod(mode)
    replace(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays(path: Path) -> None:
    os.chown(path, 12345, 23456)
    replace(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_the_owner_is_kept_only_where_that_is_permitted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    replace(path)
    assert path.read_bytes() == NEW


def test_a_read_only_file_is_not_replaced(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(MomError, match=r"is read-only \(mode 0444\)") as caught:
        replace(path)
    assert caught.value.hint == f"chmod u+w {path}"
    assert path.read_bytes() == OLD
    assert names(path) == ["atlas.yml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_nothing_is_written_in_a_read_only_folder(path: Path) -> None:
    path.parent.chmod(0o555)
    try:
        with pytest.raises(MomError, match=r"cannot write .*: permission denied: the file is as it was"):
            replace(path)
    finally:
        path.parent.chmod(0o755)
    assert path.read_bytes() == OLD
    assert names(path) == ["atlas.yml"]


# Each call on the way to the new file, and what the system may answer.
FAILURES = [
    ("open", errno.EACCES, "permission denied"),
    ("open", errno.EROFS, "the file system is read-only"),
    ("write", errno.ENOSPC, "the disk is full"),
    ("write", errno.EDQUOT, "the disk quota is used up"),
    ("fchmod", errno.EPERM, "permission denied"),
    ("fsync", errno.EIO, "Input/output error"),
    ("replace", errno.EACCES, "permission denied"),
]


@pytest.mark.parametrize(("call", "number", "words"), FAILURES, ids=str)
def test_a_failure_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, words: str
) -> None:
    with LockedFile(str(path)) as locked:

        def fail(*_: Any) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, call, fail)
        with pytest.raises(MomError) as caught:
            locked.replace(NEW)
        monkeypatch.undo()
    assert caught.value.message == f"cannot write {path}: {words}: the file is as it was"
    assert path.read_bytes() == OLD
    assert names(path) == ["atlas.yml"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_an_interrupt_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with LockedFile(str(path)) as locked:
        monkeypatch.setattr(os, call, interrupt)
        with pytest.raises(KeyboardInterrupt):
            locked.replace(NEW)
        monkeypatch.undo()
    assert path.read_bytes() == OLD
    assert names(path) == ["atlas.yml"]


def test_a_write_that_takes_only_a_part_is_continued(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    replace(path)
    assert path.read_bytes() == NEW


KILLED = """
import os, signal, sys
from mom.yamledit import files
call = sys.argv[2]
real = getattr(os, call)
def killed(*arguments):
    if call == "write":
        real(arguments[0], arguments[1][:3])
    os.kill(os.getpid(), signal.SIGKILL)
setattr(files.os, call, killed)
with files.LockedFile(sys.argv[1]) as locked:
    locked.replace(b"new" * 100)
"""


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_killed_run_leaves_the_old_file_and_the_next_run_tidies_up(path: Path, call: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), call], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD
    # Until the end the new file has no name, where the system has such files.
    assert len(names(path)) == 1 if call != "replace" and hasattr(os, "O_TMPFILE") else 2
    replace(path)
    assert path.read_bytes() == NEW
    assert names(path) == ["atlas.yml"]


def test_a_file_that_was_written_meanwhile_is_not_replaced(path: Path) -> None:
    with LockedFile(str(path)) as locked:
        path.write_bytes(b"other: 3\n")
        with pytest.raises(MomError, match="was changed by another program meanwhile: nothing was written") as caught:
            locked.replace(NEW)
    assert caught.value.hint == "run the command again"
    assert path.read_bytes() == b"other: 3\n"
    assert names(path) == ["atlas.yml"]


def test_a_file_that_was_replaced_or_removed_meanwhile_is_not_replaced(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yml"
    other.write_bytes(OLD)
    with LockedFile(str(path)) as locked:
        other.replace(path)
        with pytest.raises(MomError, match="was changed by another program"):
            locked.replace(NEW)
    assert path.read_bytes() == OLD
    with LockedFile(str(path)) as locked:
        path.unlink()
        with pytest.raises(MomError, match="was changed by another program"):
            locked.replace(NEW)
    assert names(path) == []


def test_whoever_waits_for_the_lock_reads_what_was_written_before(path: Path) -> None:
    started, read = threading.Event(), []

    def wait() -> None:
        started.set()
        with LockedFile(str(path)) as locked:
            read.append(locked.data)

    with LockedFile(str(path)) as locked:
        thread = threading.Thread(target=wait)
        thread.start()
        started.wait(120)
        thread.join(0.2)
        assert read == []
        locked.replace(NEW)
    thread.join(120)
    assert read == [NEW]


ADDS_A_LINE = """
import sys
from mom.yamledit.files import LockedFile
with LockedFile(sys.argv[1]) as locked:
    locked.replace(locked.data + sys.argv[2].encode() + b"\\n")
"""


def test_of_many_runs_at_once_none_is_lost(path: Path) -> None:
    many = examples(20, 50)
    command = [sys.executable, "-c", ADDS_A_LINE, str(path)]
    running = [subprocess.Popen([*command, str(number)]) for number in range(many)]
    assert [process.wait(120) for process in running] == [0] * many
    assert sorted(map(int, path.read_bytes().removeprefix(OLD).split())) == list(range(many))
    assert names(path) == ["atlas.yml"]


def test_what_is_not_a_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MomError, match="is a folder"):
        LockedFile(str(tmp_path))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(MomError, match="it is not a regular file"):
        LockedFile(str(pipe))


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.yml", "there is no such file"), ("x" * 300, "the name is too long"), ("atlas.yml/x", "not a folder")],
    ids=["missing", "long", "below a file"],
)
def test_what_cannot_be_opened_is_reported_in_words(path: Path, name: str, words: str) -> None:
    with pytest.raises(MomError, match=f"cannot read .*: .*{words}"):
        LockedFile(str(path.parent / name))


def test_a_name_with_spaces_and_one_of_the_greatest_length_are_files_like_others(tmp_path: Path) -> None:
    for name in ("my atlas.yml", "x" * 255):
        (tmp_path / name).write_bytes(OLD)
        replace(tmp_path / name)
        assert (tmp_path / name).read_bytes() == NEW
