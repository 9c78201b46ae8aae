"""A diff that an edit prints applies: with `git apply`, in the folder that its names are relative to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.golden import run_mom
from tests.samples import EMPTY

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

ADAPTER = ("--adapter-name", "openai", "--base-url", "https://api.openai.com")


def diff_of(file: str) -> bytes:
    edit = ["atlas", "config", "add-http-adapter", "-f", file, *ADAPTER]
    result = run_mom([*edit, "--dry-run"])
    assert result.status == 0, result.stderr
    return result.stdout


def applies(diff: bytes, folder: Path, file: Path) -> None:
    before = file.read_bytes()
    subprocess.run(["git", "apply", "-"], input=diff, cwd=folder, check=True)
    assert file.read_bytes().startswith(before.replace(b" []\n", b"\n"))
    assert b"name: openai" in file.read_bytes()


# Where the file is, where mom runs, what it is called there, and where the diff applies.
PLACES = {
    "here": ("atlas.yml", ".", "atlas.yml", "."),
    "in a subfolder, from the root": ("sub/atlas.yml", ".", "sub/atlas.yml", "."),
    "in this subfolder": ("sub/atlas.yml", "sub", "atlas.yml", "sub"),
    "in this subfolder, by its whole path": ("sub/atlas.yml", "sub", "{root}/sub/atlas.yml", "sub"),
    "above, from the root": ("atlas.yml", "sub", "../atlas.yml", "."),
    "beside, from the root": ("other/atlas.yml", "sub/deep", "../../other/atlas.yml", "."),
    "with blanks, quotes and a tab": ('a "b"\t\\c.yml', ".", 'a "b"\t\\c.yml', "."),
    "beyond ASCII": ("ключи.yml", ".", "ключи.yml", "."),
    "with a line break": ("a\nb.yml", "sub", "../a\nb.yml", "."),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("work_tree", [True, False], ids=["in a work tree", "outside"])
def test_a_diff_applies(place: str, work_tree: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where, here, called, applied = PLACES[place]
    root = tmp_path / "root"
    file = root / where
    for folder in (file.parent, root / here):
        folder.mkdir(parents=True, exist_ok=True)
    file.write_text(EMPTY)
    if work_tree:
        subprocess.run(["git", "init", "-q", str(root)], check=True)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(root / here)
    is_below = file.is_relative_to(root / here)
    # Without a work tree, what is elsewhere is named from its own folder.
    folder = root / applied if work_tree or is_below else file.parent
    applies(diff_of(called.replace("{root}", str(root))), folder, file)


def test_the_diff_of_a_symbolic_link_changes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "files").mkdir()
    (tmp_path / "files/atlas.yml").write_text(EMPTY)
    (tmp_path / "link.yml").symlink_to("files/atlas.yml")
    monkeypatch.chdir(tmp_path)

    applies(diff_of("link.yml"), tmp_path, tmp_path / "files/atlas.yml")


def test_a_file_of_another_work_tree_is_named_from_its_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine", "other/deep"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("mine", "other"):
        subprocess.run(["git", "init", "-q", str(tmp_path / name)], check=True)
    file = tmp_path / "other/deep/atlas.yml"
    file.write_text(EMPTY)
    monkeypatch.chdir(tmp_path / "mine")

    applies(diff_of("../other/deep/atlas.yml"), tmp_path / "other", file)
