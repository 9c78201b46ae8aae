"""Every rule of an edit, as a folder of `add_http_adapter/`: see `tests.golden` for the files of a folder.

A: where a list item goes. B: where a document goes. C: bytes. D: the house style. V: how values are written, and which
are refused. I: what is there already. R: what is refused.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.golden import FILE, Case, cases, check, run_mom
from tests.promises import documents_of, lines_lost, read_1_1, read_1_2, with_adapter

FOLDER = Path(__file__).parent / "add_http_adapter"
CASES = cases(FOLDER)
# Where YAML leaves no choice but to change a line, one line may change.
ONE_LINE_CHANGES = {"A18", "A19", "A20", "A23", "B10", "C04"}
SUCCESSES = [case for case in CASES if case.read("out.yml") is not None]
# What is added there ends, or starts, as what stands before, or after, it: another tool may show other lines as added.
SEVERAL_SHORTEST_DIFFS = {
    "A12-items-separated-by-blank-lines",
    "A12-items-separated-by-blank-lines-below-comments-of-their-own",
    "I08-names-differ-only-in-case",
}

needs_diff = pytest.mark.skipif(shutil.which("diff") is None, reason="diff is not installed")


def name_of(case: Case) -> str:
    """Return what a test's id shows of a case."""
    return case.folder.name


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_an_edit_gives_what_its_rule_says(
    case: Case, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    check(case, update=request.config.getoption("update_golden"))
    old, new = case.read("in.yml"), case.read("out.yml")
    if old is None or new is None:
        return
    assert lines_lost(old, new) == (1 if case.row in ONE_LINE_CHANGES else 0)
    for reader in (read_1_2, read_1_1):
        before = documents_of(reader, old)
        if before is not None and old != new:
            assert documents_of(reader, new) == with_adapter(before, *asked_for(case.arguments))
    before_again = Path(FILE).stat().st_mtime_ns
    again = run_mom(case.arguments)
    assert again.status == 0
    assert "already configured" in again.stderr or "-q" in case.arguments
    assert Path(FILE).read_bytes() == new
    assert Path(FILE).stat().st_mtime_ns == before_again


@needs_diff
@pytest.mark.parametrize("case", SUCCESSES, ids=name_of)
def test_the_diff_of_a_dry_run_is_that_of_diff(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path(FILE).write_bytes(case.read("in.yml") or b"")
    shown = run_mom([*case.arguments, "--dry-run"]).stdout
    labels = ["--label", f"a/{FILE}", "--label", f"b/{FILE}"]
    diff = ["diff", "-u", *labels, str(case.folder / "in.yml"), str(case.folder / "out.yml")]
    ours, theirs = shown.decode(), subprocess.run(diff, capture_output=True, check=False).stdout.decode()
    if case.folder.name in SEVERAL_SHORTEST_DIFFS:
        assert sorted(re.findall("^[+-].*", ours, re.MULTILINE)) == sorted(re.findall("^[+-].*", theirs, re.MULTILINE))
    else:
        assert ours == theirs


@pytest.mark.parametrize("case", SUCCESSES, ids=name_of)
def test_an_edit_is_the_same_without_libyaml(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mom.yamledit.parser.c_parser", lambda: None)
    check(case, update=False)


def asked_for(arguments: list[str]) -> tuple[str, str, list[tuple[str, str]]]:
    """Return what the arguments ask for: name, base URL, headers as they must be read back."""
    options = list(pairwise(arguments))
    name = next(value for option, value in options if option == "--adapter-name")
    base_url = next(value for option, value in options if option == "--base-url")
    headers = []
    for option, value in options:
        if option in {"-H", "--header"}:
            header, _, text = value.partition(":")
            text = text.strip(" \t")
            headers.append((header, text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text))
    return name, base_url, headers


def test_every_rule_has_its_case() -> None:
    last = {"A": 44, "B": 19, "C": 7, "V": 24, "I": 9, "R": 15}
    wanted = {f"{letter}{number:02}" for letter, count in last.items() for number in range(1, count + 1)}
    assert wanted - {case.row for case in CASES} == set()
