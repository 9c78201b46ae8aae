"""The folder of an export: what is written again, what people keep, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.errors import MomError
from mom.export import folder as module
from mom.export.folder import MANIFEST, Action, Plan, apply, plan
from mom.export.model import Export, ExportedFile
from mom.files import Replacement
from tests.searches import examples

COMMAND = "mom atlas export envoy"
DIGEST = "0" * 64


def planned(folder: Path, *files: ExportedFile, digest: str = DIGEST, version: str = "1.2.3") -> Plan:
    """Return what an export of `files` would do."""
    return plan(folder, Export(command=COMMAND, digest=digest, files=files), version)


def write(folder: Path, *files: ExportedFile, digest: str = DIGEST) -> dict[str, str]:
    """Export, and return what happened to each file."""
    todo = planned(folder, *files, digest=digest)
    apply(todo)
    return {change.path: change.action.value for change in todo.changes}


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def times(folder: Path) -> dict[Path, int]:
    """Return when each file and folder was written last."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


A, B, JSON = ExportedFile("a.yaml", "a: 1\n"), ExportedFile("b/c.yaml", "b: 1\n"), ExportedFile("e.json", "{}\n", "")
TEMPLATE = ExportedFile("credentials.env", "# TOKEN=\n", is_template=True, mode=0o600)


def test_a_header_names_the_command_and_the_input_where_the_format_has_comments(tmp_path: Path) -> None:
    write(tmp_path, A, JSON, TEMPLATE, ExportedFile("run.sh", "#!/bin/sh\nexit\n"), digest="abc" * 20)
    line = f"# Written by `{COMMAND}` (mom 1.2.3); input sha256:abcabcabcabcabca\n"
    assert (tmp_path / "a.yaml").read_text() == f"{line}a: 1\n"
    assert (tmp_path / "e.json").read_text() == "{}\n"
    assert (tmp_path / "credentials.env").read_text() == "# TOKEN=\n"
    assert (tmp_path / "run.sh").read_text() == f"#!/bin/sh\n{line}exit\n"


def test_files_have_the_permissions_that_they_are_given_less_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path, A, TEMPLATE)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"a.yaml": 0o640, "credentials.env": 0o600, MANIFEST: 0o640}
    (tmp_path / "a.yaml").chmod(0o600)
    write(tmp_path, ExportedFile("a.yaml", "a: 2\n"), TEMPLATE)
    assert stat.S_IMODE((tmp_path / "a.yaml").stat().st_mode) == 0o600


def test_a_second_export_writes_nothing_and_neither_does_another_version_of_mom(tmp_path: Path) -> None:
    assert write(tmp_path, A, B, JSON) == {"a.yaml": "created", "b/c.yaml": "created", "e.json": "created"}
    before = times(tmp_path)
    todo = planned(tmp_path, A, B, JSON, version="9.9.9")
    assert not todo.is_stale
    apply(todo)
    assert times(tmp_path) == before


def test_another_input_is_recorded_where_it_changes_no_file(tmp_path: Path) -> None:
    write(tmp_path, JSON)
    todo = planned(tmp_path, JSON, digest="1" * 64)
    assert todo.is_stale
    apply(todo)
    assert json.loads((tmp_path / MANIFEST).read_text())["input"] == "1" * 64
    assert not planned(tmp_path, JSON, digest="1" * 64).is_stale


def test_what_people_changed_is_kept_and_reported_once_where_it_is_outdated(tmp_path: Path) -> None:
    write(tmp_path, A, B)
    (tmp_path / "a.yaml").write_text("mine\n")
    assert write(tmp_path, A, B)["a.yaml"] == "kept"
    assert not planned(tmp_path, A, B).is_stale
    changed = ExportedFile("a.yaml", "a: 2\n")
    assert planned(tmp_path, changed, B).is_stale
    assert write(tmp_path, changed, B)["a.yaml"] == "outdated"
    assert write(tmp_path, changed, B)["a.yaml"] == "kept"
    assert (tmp_path / "a.yaml").read_text() == "mine\n"
    (tmp_path / "a.yaml").unlink()
    assert write(tmp_path, changed, B)["a.yaml"] == "created"
    assert write(tmp_path, A, B)["a.yaml"] == "replaced"


def test_another_input_does_not_make_what_people_changed_outdated(tmp_path: Path) -> None:
    write(tmp_path, A)
    (tmp_path / "a.yaml").write_text("mine\n")
    assert write(tmp_path, A, digest="1" * 64) == {"a.yaml": "kept"}


def test_what_is_not_written_any_more_is_removed_unless_people_changed_it(tmp_path: Path) -> None:
    write(tmp_path, A, B, JSON, TEMPLATE)
    (tmp_path / "e.json").write_text("mine\n")
    assert write(tmp_path, A) == {"a.yaml": "unchanged", "b/c.yaml": "removed", "e.json": "kept"}
    assert sorted(tree(tmp_path)) == [MANIFEST, "a.yaml", "credentials.env", "e.json"]
    assert not (tmp_path / "b").exists()


def test_a_template_is_its_readers_own_also_where_it_is_gone(tmp_path: Path) -> None:
    write(tmp_path, A, TEMPLATE)
    (tmp_path / "credentials.env").write_text("TOKEN=s3cret\n")
    # Not even read: it may be a link to where its reader may look and mom may not.
    (tmp_path / "credentials.env").rename(tmp_path / "real")
    (tmp_path / "credentials.env").symlink_to("real")
    other = ExportedFile("credentials.env", "# OTHER=\n", is_template=True)
    assert write(tmp_path, A, other) == {"a.yaml": "unchanged", "credentials.env": "unchanged"}
    assert (tmp_path / "credentials.env").read_text() == "TOKEN=s3cret\n"
    assert "s3cret" not in (tmp_path / MANIFEST).read_text()
    (tmp_path / "credentials.env").unlink()
    assert not planned(tmp_path, A, other).is_stale
    apply(planned(tmp_path, A, other))
    assert not (tmp_path / "credentials.env").exists()


def test_the_digest_of_a_template_with_values_is_written_nowhere(tmp_path: Path) -> None:
    (tmp_path / "credentials.env").write_text("TOKEN=0000\n")
    write(tmp_path, A, TEMPLATE)
    assert module._digest("TOKEN=0000\n") not in (tmp_path / MANIFEST).read_text()


def test_a_file_that_mom_did_not_write_refuses_everything_unless_it_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("theirs\n")
    with pytest.raises(MomError, match="not written by"):
        write(tmp_path, A, B)
    assert tree(tmp_path) == {"a.yaml": b"theirs\n"}
    (tmp_path / "a.yaml").unlink()
    write(tmp_path, A, B)
    (tmp_path / MANIFEST).unlink()
    assert write(tmp_path, A, B) == {"a.yaml": "unchanged", "b/c.yaml": "unchanged"}
    assert (tmp_path / MANIFEST).exists()


def test_another_engine_has_a_folder_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, A)
    with pytest.raises(MomError, match="has the files of `mom atlas export envoy`"):
        plan(tmp_path, Export(command="mom atlas export ecs", digest=DIGEST, files=(B,)), "1")


@pytest.mark.parametrize("name", ["a.yaml", "b", "b/c.yaml", MANIFEST])
def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path, name: str) -> None:
    target, out = tmp_path / "elsewhere", tmp_path / "out"
    target.mkdir()
    (target / "file").write_text("theirs\n")
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(target if name == "b" else target / "file")
    before = tree(target)
    with pytest.raises(MomError, match="is a symbolic link"):
        write(out, A, B)
    assert tree(target) == before


def test_a_folder_that_is_a_symbolic_link_is_the_folder_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link", A)
    assert (tmp_path / "real" / "a.yaml").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(MomError, match="file is not a folder"):
        write(tmp_path / "file", A)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"files": []}', '{"command": 1, "files": {"a": 1}}', "<<<<<<< HEAD\n", "\x00"]
)
def test_a_manifest_that_is_none_is_an_error_that_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(MomError, match="is not the manifest of an export"):
        write(tmp_path, A)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", "a//b"])
def test_a_manifest_that_names_what_is_elsewhere_removes_nothing(tmp_path: Path, name: str) -> None:
    content = module._digest("theirs\n")
    (tmp_path / "x").write_text("theirs\n")
    out = tmp_path / "out"
    out.mkdir()
    entry = {"written": [content], "content": content}
    (out / MANIFEST).write_text(json.dumps({"command": COMMAND, "input": DIGEST, "files": {name: entry}}))
    with pytest.raises(MomError, match="outside the folder"):
        write(out, A)
    assert (tmp_path / "x").exists()


def test_what_is_written_between_the_plan_and_the_files_is_kept(tmp_path: Path) -> None:
    write(tmp_path, A)
    todo = planned(tmp_path, ExportedFile("a.yaml", "a: 2\n"), B)
    (tmp_path / "a.yaml").write_text("mine\n")
    with pytest.raises(MomError, match="was written meanwhile"):
        apply(todo)
    assert (tmp_path / "a.yaml").read_text() == "mine\n"
    assert not (tmp_path / "b").exists()


def test_a_kill_between_two_files_leaves_files_that_are_still_known_as_moms(tmp_path: Path) -> None:
    write(tmp_path, A, B)
    put, calls = Replacement.put, []

    def killed(self: Replacement) -> None:
        calls.append(self)
        if len(calls) == 3:
            raise KeyboardInterrupt
        put(self)

    # The manifest, then the first of the two files.
    with patch.object(Replacement, "put", killed), pytest.raises(KeyboardInterrupt):
        write(tmp_path, ExportedFile("a.yaml", "a: 2\n"), ExportedFile("b/c.yaml", "b: 2\n"))
    assert (tmp_path / "a.yaml").read_text().endswith("a: 2\n")
    assert (tmp_path / "b" / "c.yaml").read_text().endswith("b: 1\n")
    third = (ExportedFile("a.yaml", "a: 3\n"), ExportedFile("b/c.yaml", "b: 3\n"))
    assert write(tmp_path, *third) == {"a.yaml": "replaced", "b/c.yaml": "replaced"}
    assert not [name for name in tree(tmp_path) if ".mom-" in name and name != MANIFEST]


def test_a_folder_that_cannot_be_written_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, A)
    before = tree(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with patch.object(Replacement, "write", full), pytest.raises(MomError, match="the disk is full"):
        write(tmp_path, ExportedFile("a.yaml", "a: 2\n"))
    assert tree(tmp_path) == before
    with patch.object(Path, "mkdir", full), pytest.raises(MomError, match="the disk is full"):
        write(tmp_path / "new", A)


_NAMES = st.sampled_from(["a.yaml", "b/c.yaml", "b/d.json", "e/f/g.yaml"])
_TEXTS = st.sampled_from(["", "x: 1\n", "x: 2", "é\r\n", "# Written by\n"])
_FILES = st.dictionaries(_NAMES, _TEXTS, min_size=1)


@settings(max_examples=examples(15, 200))
@given(st.data())
def test_no_byte_that_people_wrote_is_lost_or_passed_over_in_silence(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    folder = tmp_path_factory.mktemp("any")
    shutil.rmtree(folder)
    theirs: dict[str, bytes] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        files = [
            ExportedFile(name, text, "" if name.endswith("json") else "#") for name, text in data.draw(_FILES).items()
        ]
        try:
            todo = planned(folder, *files, digest=data.draw(st.sampled_from([DIGEST, "1" * 64])))
        except MomError:
            # Only what mom never wrote.
            assert any(name in theirs for name in [file.path for file in files])
            break
        apply(todo)
        now = tree(folder)
        for name, content in theirs.items():
            assert now[name] == content
            if name in todo.of(*Action):
                assert name in todo.of(Action.KEPT, Action.OUTDATED, Action.UNCHANGED)
        # What is ours is what an export to an empty folder would be.
        fresh = tmp_path_factory.mktemp("fresh")
        apply(planned(fresh, *files, digest=todo.digest))
        ours = {name: content for name, content in tree(fresh).items() if name not in theirs and name != MANIFEST}
        assert {name: content for name, content in now.items() if name not in theirs and name != MANIFEST} == ours
        before = times(folder)
        again = planned(folder, *files, digest=todo.digest)
        assert not again.is_stale
        apply(again)
        assert times(folder) == before
        if data.draw(st.booleans()):
            name = data.draw(st.sampled_from(sorted(name for name in now if name != MANIFEST)))
            theirs[name] = now[name] + b"mine"
            (folder / name).write_bytes(theirs[name])
