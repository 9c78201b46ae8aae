"""`mom atlas config validate --fix`: each safe fix is a case of `validate_fix/`; what is not safe stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.golden import FILE, Case, cases, check, run_mom

FOLDER = Path(__file__).parent / "validate_fix"
CASES = cases(FOLDER)
VALIDATE = ("atlas", "config", "validate")


@pytest.fixture(autouse=True)
def _in_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_a_fix_is_the_smallest_edit(case: Case, request: pytest.FixtureRequest) -> None:
    check(case, update=request.config.getoption("update_golden"))


def slips(name: str = "several-slips-at-once") -> tuple[bytes, bytes]:
    """Return the text of a case before and after."""
    case = next(case for case in CASES if case.folder.name == name)
    return case.read("in.yml") or b"", case.read("out.yml") or b""


def test_what_was_fixed_needs_no_fix() -> None:
    for case in CASES:
        if (fixed := case.read("out.yml")) is not None:
            Path(FILE).write_bytes(fixed)
            result = run_mom([*VALIDATE, "--fix", "--check", "--strict", FILE])
            assert (result.status, result.stderr) == (0, "1 file is valid\n"), case.folder.name


def test_a_dry_run_prints_the_diff_that_git_applies_and_writes_nothing() -> None:
    before, after = slips()
    Path(FILE).write_bytes(before)
    result = run_mom([*VALIDATE, "--fix", "-n", FILE])
    assert result.status == 0
    assert Path(FILE).read_bytes() == before
    assert "Would fix 5 problems in atlas.yml" in result.stderr
    lines = result.stdout.decode().splitlines()
    assert lines[:2] == ["--- a/atlas.yml", "+++ b/atlas.yml"]
    kept = [line[1:] for line in lines[2:] if line[:1] in {" ", "+"}]
    assert set(kept) <= set(after.decode().splitlines())
    shown = run_mom([*VALIDATE, "--fix", "--diff", FILE])
    assert shown.stdout == result.stdout
    assert Path(FILE).read_bytes() == after


def test_check_writes_nothing_and_exits_3_where_it_would_change_something() -> None:
    before, after = slips()
    Path(FILE).write_bytes(before)
    assert run_mom([*VALIDATE, "--fix", "--check", FILE]).status == 3
    assert Path(FILE).read_bytes() == before
    Path(FILE).write_bytes(after)
    assert run_mom([*VALIDATE, "--fix", "--check", FILE]).status == 0


def test_stdin_is_fixed_to_stdout() -> None:
    before, after = slips()
    result = run_mom([*VALIDATE, "--fix", "-"], before)
    assert (result.status, result.stdout) == (0, after)
    broken = run_mom([*VALIDATE, "--fix", "-"], before.replace(b"https://api.github.com", b"api.github.com"))
    assert broken.status == 1
    assert b"not absolute" not in broken.stdout
    assert "not absolute" in broken.stderr


def test_the_report_as_json_says_what_was_fixed() -> None:
    before, _ = slips("a-misspelt-key")
    Path(FILE).write_bytes(before)
    report = json.loads(run_mom([*VALIDATE, "--fix", "-n", "--format", "json", FILE]).stdout)
    (file,) = report["files"]
    assert [fix["rule"] for fix in file["fixes"]] == ["unknown-key"] * 3
    assert file["problems"] == []
    assert file["diff"].startswith("--- a/atlas.yml\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--diff", FILE),
        ("--fix", "--diff", "-"),
        ("--fix", "--format", "json", "-"),
        ("--fix", "-n", "--format", "sarif"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_usage_errors(arguments: tuple[str, ...]) -> None:
    Path(FILE).write_bytes(slips()[0])
    result = run_mom([*VALIDATE, *arguments], slips()[0])
    assert result.status == 2
    assert "hint: " in result.stderr
    assert Path(FILE).read_bytes() == slips()[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("kind: HTTP\n", "kind: HTTP\nkind: AWS\n", id="two values"),
        pytest.param("  baseUrl: ", "  url: ", id="no key is close"),
        pytest.param("metadata:\n  name: openai\n", "metadata: &a\n  name: openai\nmetadata: *a\n", id="an alias"),
    ],
)
def test_what_has_no_one_safe_fix_keeps_its_bytes(before: str, after: str) -> None:
    text = slips("a-missing-reference")[1].decode()
    start = text.rindex("kind: HTTP")
    given = text[:start] + text[start:].replace(before, after, 1)
    assert given != text
    Path(FILE).write_text(given)
    result = run_mom([*VALIDATE, "--fix", FILE])
    assert result.status == 1
    assert Path(FILE).read_text() == given
    assert "Fixed" not in result.stderr
