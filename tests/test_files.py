"""Reading a file that somebody names."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mom.files import UnreadableError, read_file


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
def test_what_is_no_readable_file_is_an_error_at_once(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "keys.json"
    assert callable(make)
    make(path)
    with pytest.raises(UnreadableError) as caught:
        read_file(path, 1_000)
    assert str(caught.value) == f"cannot read {path}: {reason}"


def test_a_socket_and_an_impossible_name_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name in ("socket", "a\0b"):
            with pytest.raises(UnreadableError):
                read_file(name)
