"""Every rule of removing, changing and renaming, as a folder: see `tests.golden` for the files of a folder.

M: what goes with an adapter that is removed. P: what a value's place keeps when the value changes.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit.add import add_adapter
from mom.atlas.edit.remove import remove_adapter
from mom.yamledit.source import decode
from tests.cli.test_add_http_adapter_cases import asked_for
from tests.golden import FILE, MOM, Case, cases, check, run_mom
from tests.promises import documents_of, read_1_1, read_1_2

HERE = Path(__file__).parent
CASES = [case for name in ("config_remove", "config_set", "config_rename") for case in cases(HERE / name)]


def _name(case: Case) -> str:
    return f"{case.folder.parent.name}-{case.folder.name}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_an_edit_gives_what_its_rule_says(
    case: Case, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    check(case, update=request.config.getoption("update_golden"))
    old, new = case.read("in.yml"), case.read("out.yml")
    if old is None or new is None:
        return
    for reader in (read_1_2, read_1_1):
        if documents_of(reader, old) is not None:
            assert documents_of(reader, new) is not None
    again = run_mom(case.arguments)
    if case.folder.parent.name == "config_remove" and old != new:
        # There is no such adapter any more.
        assert again.status == 1
    else:
        assert again.status == 0
        assert "Unchanged" in again.stderr
    assert Path(FILE).read_bytes() == new


def test_every_rule_has_its_case() -> None:
    wanted = {f"M{number:02}" for number in range(1, 14)} | {f"P{number:02}" for number in range(1, 9)}
    assert wanted - {case.row for case in CASES} == set()


# What an addition changes in a line of its own: there the data come back, not the bytes.
LINES_CHANGED = {"A18", "A20", "A21", "A22", "A23", "A24", "B07", "B10", "C04"}
# One part was there before; or `spec`, or the list, was not.
PARTLY_THERE = {"I02", "I03"}
NO_LIST = {"A17-spec-of-empty-braces-over-several-lines", "A19-list-absent-inside-braces"}


def test_what_add_added_is_removed_to_the_byte() -> None:
    """M01, for every row of the tables about additions."""
    undone = 0
    for case in cases(HERE / "add_http_adapter"):
        old, new = case.read("in.yml"), case.read("out.yml")
        if old is None or new is None or old == new or case.row in PARTLY_THERE:
            continue
        adapter = HttpAdapterSpec(*asked_for(case.arguments)[:2], headers=tuple(asked_for(case.arguments)[2]))
        edit = add_adapter(decode(old, FILE), adapter)
        removed = remove_adapter(decode(new, FILE), adapter.name, "HTTP", keep_comments=edit.below_comments)
        if case.row in LINES_CHANGED or case.folder.name in NO_LIST:
            before, after = documents_of(read_1_2, old), documents_of(read_1_2, removed.text.encode())
            assert before is None or _with_lists(after or []) == _with_lists(before), case.folder.name
        else:
            assert removed.text.encode() == old, case.folder.name
            undone += 1
    assert undone > 100


def _with_lists(documents: list[Any]) -> list[Any]:
    """Return documents with a list in each Atlas, and without a bare marker at the end."""
    result = documents[:-1] if documents and documents[-1] is None else list(documents)
    for number, data in enumerate(result):
        if isinstance(data, dict) and data.get("kind") == "Atlas":
            spec = data.get("spec") or {}
            result[number] = {**data, "spec": {**spec, "apiAdapters": spec.get("apiAdapters") or []}}
    return result


SAMPLE = (HERE / "config_remove" / "M01-what-was-just-added" / "in.yml").read_bytes()
COMMANDS = {
    "set": "set openai --base-url https://eu.openai.example",
    "rename": "rename openai models",
    "remove": "remove openai",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_takes_the_options_of_an_edit(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["atlas", "config", *COMMANDS[command].split()]
    path = Path(FILE)
    path.write_bytes(SAMPLE)
    before = path.stat().st_mtime_ns

    dry = run_mom([*arguments, "-n"])
    check_only = run_mom([*arguments, "--check", "-q"])
    report = json.loads(run_mom([*arguments, "--dry-run", "--format", "json"]).stdout)
    piped = run_mom([*arguments, "-f", "-"], SAMPLE)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (SAMPLE, before)
    assert (dry.status, check_only.status, check_only.stderr) == (0, 3, "")
    assert dry.stdout.startswith(b"--- a/atlas.yml\n+++ b/atlas.yml\n@@")
    assert report["diff"].encode() == dry.stdout
    assert (report["adapter"]["kind"], report["written"]) == ("HTTP", False)
    assert report["action"] == {"set": "changed", "rename": "renamed", "remove": "removed"}[command]

    done = subprocess.run([MOM, *arguments, "--diff"], capture_output=True, check=True)
    assert done.stdout == dry.stdout
    assert path.read_bytes() == piped.stdout != SAMPLE
    assert run_mom(undo_in(done.stderr.decode())).status == 0
    assert path.read_bytes() == SAMPLE


def test_a_header_that_is_removed_goes_by_the_undo_of_the_one_that_was_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(FILE).write_bytes(SAMPLE)
    shown = run_mom(["atlas", "config", "set", "openai", "-H", "X-Team: $a 'b'"]).stderr
    assert run_mom(undo_in(shown)).status == 0
    assert Path(FILE).read_bytes() == SAMPLE


@pytest.mark.parametrize("case", [case for case in CASES if "M15-the-undo-of" in case.folder.name], ids=lambda c: c.row)
def test_the_undo_of_a_removal_brings_all_data_back(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = case.read("in.yml") or b""
    Path(FILE).write_bytes(before)
    shown = run_mom(case.arguments).stderr
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert run_mom(undo_in(shown)).status == 0
    by_name = [
        sorted(documents_of(read_1_2, data) or [], key=lambda document: str(document["kind"]))
        for data in (before, Path(FILE).read_bytes())
    ]
    assert by_name[0] == by_name[1]


def undo_in(shown: str) -> list[str]:
    """Return the arguments of the command that undoes an edit, read as a shell reads it."""
    return shlex.split(shown.rpartition("  undo: mom ")[2].replace("\\\n", " "))
