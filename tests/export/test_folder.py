"""The folder of an export: what is written again, what people keep, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mom.errors import MomError
from mom.export.folder import MANIFEST, Action, apply, plan
from mom.export.model import Export, ExportedFile

COMMAND = "mom atlas export envoy"


def export(*files: ExportedFile, digest: str = "0" * 64) -> Export:
    """Return an export of `files`."""
    return Export(command=COMMAND, digest=digest, files=files)


def write(folder: Path, *files: ExportedFile, digest: str = "0" * 64) -> dict[str, str]:
    """Export, and return what happened to each file."""
    todo = plan(folder, export(*files, digest=digest), "1.2.3")
    apply(todo)
    return {change.path: change.action.value for change in todo.changes}


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


A, B, JSON = ExportedFile("a.yaml", "a: 1\n"), ExportedFile("b/c.yaml", "b: 1\n"), ExportedFile("e.json", "{}\n", "")


def test_a_header_names_the_command_and_the_input_where_the_format_has_comments(tmp_path: Path) -> None:
    write(tmp_path, A, JSON, ExportedFile("run.sh", "#!/bin/sh\nexit\n"), digest="abc" * 20)
    line = f"# Written by `{COMMAND}` (mom 1.2.3); input sha256:abcabcabcabcabca\n"
    assert (tmp_path / "a.yaml").read_text() == f"{line}a: 1\n"
    assert (tmp_path / "e.json").read_text() == "{}\n"
    assert (tmp_path / "run.sh").read_text() == f"#!/bin/sh\n{line}exit\n"


def test_a_second_export_writes_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, A, B, JSON) == {"a.yaml": "created", "b/c.yaml": "created", "e.json": "created"}
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    todo = plan(tmp_path, export(A, B, JSON), "9.9.9")
    assert not todo.is_stale
    apply(todo)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_what_people_changed_is_kept_and_reported_once_where_it_is_outdated(tmp_path: Path) -> None:
    write(tmp_path, A, B)
    (tmp_path / "a.yaml").write_text("mine\n")
    assert write(tmp_path, A, B)["a.yaml"] == "kept"
    changed = ExportedFile("a.yaml", "a: 2\n")
    assert write(tmp_path, changed, B)["a.yaml"] == "outdated"
    assert write(tmp_path, changed, B)["a.yaml"] == "kept"
    assert (tmp_path / "a.yaml").read_text() == "mine\n"


def test_what_is_not_written_any_more_is_removed_unless_people_changed_it(tmp_path: Path) -> None:
    write(tmp_path, A, B, JSON)
    (tmp_path / "e.json").write_text("mine\n")
    assert write(tmp_path, A) == {"a.yaml": "unchanged", "b/c.yaml": "removed", "e.json": "kept"}
    assert sorted(tree(tmp_path)) == [MANIFEST, "a.yaml", "e.json"]
    assert not (tmp_path / "b").exists()


def test_a_file_that_mom_did_not_write_refuses_everything(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("theirs\n")
    with pytest.raises(MomError, match="not written by"):
        write(tmp_path, A, B)
    assert tree(tmp_path) == {"a.yaml": b"theirs\n"}


def test_the_manifest_has_every_file(tmp_path: Path) -> None:
    write(tmp_path, A, JSON)
    assert sorted(json.loads((tmp_path / MANIFEST).read_text())["files"]) == ["a.yaml", "e.json"]
    assert {action.value for action in Action} >= {"created", "kept"}
