"""Signing keys: created once, private, rotated without a gap, published without anything private."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mom.auth import keys, store
from mom.errors import MomError, UsageError

NOW = 1_800_000_000.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def mode(path: str | Path) -> int:
    return stat.S_IMODE(Path(path).lstat().st_mode)


def test_the_key_is_created_on_first_use_and_stays_the_same(home: Path) -> None:
    first = keys.ensure(home)
    second = keys.ensure(home, algorithm="ES256")
    assert (first.algorithm, first.kid) == (second.algorithm, second.kid) == ("EdDSA", first.kid)


def test_the_key_file_is_0600_in_0700_folders_whatever_the_umask(home: Path) -> None:
    before = os.umask(0)
    try:
        keys.ensure(home)
    finally:
        os.umask(before)
    path = Path(keys.key_file(home))
    assert [mode(path), mode(path.parent), mode(home)] == [0o600, 0o700, 0o700]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["keys.json", "lock"]


def test_ten_processes_that_start_at_once_have_one_key(home: Path) -> None:
    program = f"from mom.auth import keys; print(keys.ensure({str(home)!r}).kid)"

    def kid(_: int) -> str:
        return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    with ThreadPoolExecutor(10) as pool:
        kids = set(pool.map(kid, range(10)))
    assert kids == {keys.ensure(home).kid + "\n"}


def test_another_algorithm_is_refused_by_name(home: Path) -> None:
    with pytest.raises(UsageError, match="HS256"):
        keys.ensure(home, algorithm="HS256")
    assert keys.load(home) is None


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_the_public_set_contains_nothing_private(home: Path, algorithm: str) -> None:
    secret = keys.ensure(home, algorithm=algorithm).current["d"]
    rotated = keys.rotate(home).current["d"]
    text = json.dumps(keys.public_jwks(home))
    assert secret not in text
    assert rotated not in text
    assert '"d"' not in text


def test_rotation_keeps_the_old_public_key_for_two_hours_and_the_subject_for_ever(home: Path) -> None:
    old = keys.ensure(home, subject="me@here", now=NOW)
    new = keys.rotate(home, now=NOW)
    assert new.kid != old.kid
    assert [jwk["kid"] for jwk in keys.public_jwks(home, now=NOW + 7199)["keys"]] == [new.kid, old.kid]
    assert [jwk["kid"] for jwk in keys.public_jwks(home, now=NOW + 7200)["keys"]] == [new.kid]
    assert keys.ensure(home).subject == "me@here"


def test_a_retired_key_loses_its_private_part_and_leaves_the_file_at_last(home: Path) -> None:
    secret = keys.ensure(home, now=NOW).current["d"]
    keys.rotate(home, now=NOW)
    assert secret not in Path(keys.key_file(home)).read_text()
    keys.rotate(home, now=NOW + 8000)
    assert len(json.loads(Path(keys.key_file(home)).read_text())["keys"]) == 2


def test_rotation_keeps_the_algorithm_unless_another_is_named(home: Path) -> None:
    keys.ensure(home, algorithm="ES256")
    assert keys.rotate(home).algorithm == "ES256"
    assert keys.rotate(home, algorithm="EdDSA").algorithm == "EdDSA"


def test_rotation_makes_the_first_key_too(home: Path) -> None:
    assert keys.rotate(home).retired == []


@pytest.mark.parametrize("wrong", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_could_read_is_refused_with_the_command_to_run(home: Path, wrong: int) -> None:
    keys.ensure(home)
    path = keys.key_file(home)
    Path(path).chmod(wrong)
    with pytest.raises(MomError, match="other users can read") as caught:
        keys.ensure(home)
    assert f"chmod 600 {path}" in str(caught.value.hint)


def test_a_folder_that_others_can_enter_is_refused_before_a_key_is_created(home: Path) -> None:
    (home / "auth").mkdir(parents=True)
    (home / "auth").chmod(0o755)
    with pytest.raises(MomError, match="accessible to other users") as caught:
        keys.ensure(home)
    assert f"chmod 700 {home / 'auth'}" in str(caught.value.hint)
    assert keys.load(home) is None


def test_a_folder_in_which_others_can_replace_ours_is_refused(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(MomError, match="replace") as caught:
        keys.ensure(home)
    assert f"chmod go-w {home}" in str(caught.value.hint)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_key_of_another_user_is_refused(home: Path) -> None:
    keys.ensure(home)
    os.chown(keys.key_file(home), 12345, -1)
    with pytest.raises(MomError, match="another user"):
        keys.ensure(home)


def test_a_symbolic_link_in_place_of_the_key_is_not_followed(home: Path, tmp_path: Path) -> None:
    keys.ensure(tmp_path / "elsewhere")
    keys.ensure(home)
    Path(keys.key_file(home)).unlink()
    Path(keys.key_file(home)).symlink_to(keys.key_file(tmp_path / "elsewhere"))
    with pytest.raises(MomError, match="symbolic link"):
        keys.ensure(home)


def test_a_symbolic_link_in_place_of_the_folder_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    home.mkdir(mode=0o700)
    (home / "auth").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MomError, match="not a folder"):
        keys.ensure(home)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_named_pipe_in_place_of_the_key_is_refused_and_not_waited_for(home: Path) -> None:
    (home / "auth").mkdir(parents=True, mode=0o700)
    os.mkfifo(keys.key_file(home), 0o600)
    with pytest.raises(MomError, match="it is not a regular file"):
        keys.load(home)


def _without(document: dict[str, Any], name: str) -> dict[str, Any]:
    first, *rest = document["keys"]
    return {**document, "keys": [{key: value for key, value in first.items() if key != name}, *rest]}


@pytest.mark.parametrize("name", ["kty", "crv", "x", "y", "d", "kid", "alg"])
def test_a_key_without_one_of_its_members_is_damaged_and_says_so(home: Path, name: str) -> None:
    keys.ensure(home, algorithm="ES256")
    path = Path(keys.key_file(home))
    path.write_text(json.dumps(_without(json.loads(path.read_text()), name)))
    with pytest.raises(MomError, match="is damaged"):
        keys.load(home)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"keys": []}', '{"keys": [1], "subject": "x"}', "\xff", '{"keys": ' + "[" * 100_000],
    ids=lambda text: text[:12],
)
def test_a_file_with_other_content_is_damaged_and_says_so(home: Path, text: str) -> None:
    keys.ensure(home)
    Path(keys.key_file(home)).write_bytes(text.encode("latin-1"))
    with pytest.raises(MomError, match="is damaged"):
        keys.load(home)


def test_a_write_that_fails_leaves_the_old_key_and_no_other_file(tmp_path: Path) -> None:
    target = tmp_path / "folder-in-the-way"
    target.mkdir()
    (target / "x").touch()
    with pytest.raises(MomError, match="cannot write the signing key"):
        store.write_private(str(target), b"data")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder-in-the-way"]


KILLED = """
import os, signal, sys
from mom.auth import keys
def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], killed)
keys.rotate(sys.argv[1])
"""


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_killed_rotation_leaves_the_old_key_and_at_last_no_copy_of_the_new_one(home: Path, call: str) -> None:
    kid = keys.ensure(home).kid
    done = subprocess.run([sys.executable, "-c", KILLED, home, call], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert keys.ensure(home).kid == kid
    folder = Path(keys.key_file(home)).parent
    if call == "fsync" and hasattr(os, "O_TMPFILE"):
        assert sorted(entry.name for entry in folder.iterdir()) == ["keys.json", "lock"]
    assert {mode(entry) for entry in folder.iterdir()} == {0o600}
    keys.rotate(home)
    assert sorted(entry.name for entry in folder.iterdir()) == ["keys.json", "lock"]


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"HOME": "/h"}, "/h/.local/share/mom"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "/d"}, "/d/mom"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "relative"}, "/h/.local/share/mom"),
        ("linux", {"HOME": "/h", "MOM_HOME": "/m"}, "/m"),
        ("linux", {"HOME": "/h", "MOM_HOME": ""}, "/h/.local/share/mom"),
        ("darwin", {"HOME": "/h", "XDG_DATA_HOME": "/d"}, "/h/Library/Application Support/mom"),
        ("darwin", {"HOME": "/h", "MOM_HOME": "/m"}, "/m"),
    ],
)
def test_files_are_stored_where_the_platform_stores_them(platform: str, environ: dict[str, str], expected: str) -> None:
    assert store.home(environ, platform) == expected


def test_a_relative_home_is_an_error_that_names_the_variable_to_set() -> None:
    with pytest.raises(MomError, match="no home directory") as caught:
        store.home({"HOME": "relative"}, "linux")
    assert "MOM_HOME" in str(caught.value.hint)
