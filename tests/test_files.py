"""Reading a file of any name, and replacing one."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from mom.errors import MomError, UnreadableError
from mom.files import Replacement, read_file, reason_of, text_of

UNNAMED = getattr(os, "O_TMPFILE", -1)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(b"x" * 3_000_000)
    assert read_file(path, 3_000_000) == b"x" * 3_000_000


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda _: None, "there is no such file", id="nothing"),
        pytest.param(lambda path: path.mkdir(), "it is a folder", id="a folder"),
        pytest.param(os.mkfifo, "it is not a regular file", id="a pipe that nobody writes to"),
        pytest.param(
            lambda path: path.symlink_to("/dev/zero"), "it is not a regular file", id="a device without an end"
        ),
        pytest.param(lambda path: path.symlink_to(path), "symbolic links lead in a circle", id="a circle"),
        pytest.param(lambda path: path.write_bytes(bytes(1_001)), "it is larger than 1,000 bytes", id="too large"),
    ],
)
def test_what_is_not_a_readable_file_is_an_error_at_once(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "keys.json"
    assert callable(make)
    make(path)
    with pytest.raises(UnreadableError) as caught:
        read_file(path, 1_000)
    assert str(caught.value) == f"cannot read {path}: {reason}"


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"a\xe4b", "x is not UTF-8: byte 1 is 0xE4 (invalid continuation byte)", "LATIN1"),
        ("aä".encode("utf-16"), "x is UTF-16 (byte-order mark at byte 0)", "iconv -f UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "x is not a text file: byte 8 is NUL", "name a text file"),
    ],
)
def test_what_is_not_text_is_an_error_with_what_it_is(data: bytes, message: str, hint: str) -> None:
    with pytest.raises(MomError) as caught:
        text_of(data, "x")
    assert caught.value.message == message
    assert hint in str(caught.value.hint)


def test_a_socket_and_an_impossible_name_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name in ("socket", "a\0b"):
            with pytest.raises(UnreadableError):
                read_file(name)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EFBIG, "it would be larger than a file may be here (ulimit -f)"),
        (errno.EEXIST, "something else is there"),
    ],
)
def test_the_reason_of_a_failure_is_in_words(number: int, reason: str) -> None:
    assert reason_of(OSError(number, os.strerror(number))) == reason


def replace(path: Path, data: bytes) -> None:
    with Replacement(str(path)) as new:
        new.write(data)
        new.flush()
        new.put()


@pytest.mark.parametrize("unnamed", [True, False], ids=["Linux", "a system without O_TMPFILE, such as macOS"])
def test_a_replacement_is_private_and_leaves_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, unnamed: bool
) -> None:
    if not unnamed:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = tmp_path / "a file"
    before = os.umask(0)
    try:
        replace(path, b"old")
        replace(path, b"new")
    finally:
        os.umask(before)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)
    with Replacement(str(path)) as dropped:
        dropped.write(b"dropped")
    with pytest.raises(OSError, match="full"), Replacement(str(path)):
        raise OSError(28, "full")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a file"]


def test_a_replacement_has_a_name_where_the_file_system_has_no_files_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.open

    def refuse(path: str, flags: int, *more: int) -> int:
        if flags & UNNAMED == UNNAMED:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return really(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)
    replace(tmp_path / "file", b"new")
    monkeypatch.undo()
    assert (tmp_path / "file").read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_file_of_the_current_folder_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    replace(Path("file"), b"new")
    assert Path("file").read_bytes() == b"new"
