"""Every rule of `validate`, as a folder of `validate/`: `in.yml`, what stdout says of it, and the exit status.

`stdout.txt` is left out where nothing is said, `status` where it is 1, `command` where it is that of the folder above.
`pytest --update-golden` writes `stdout.txt`; the reviewer reads the diff.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mom.atlas.rules.catalogue import GROUPS
from tests.golden import FILE, Case, cases, run_mom
from tests.samples import problems_in

FOLDER = Path(__file__).parent / "validate"
CASES = cases(FOLDER)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_the_problems_of_a_file_are_reported(case: Case, request: pytest.FixtureRequest) -> None:
    given = case.read("in.yml")
    assert given is not None
    Path(FILE).write_bytes(given)
    result = run_mom(case.arguments)
    said = result.stdout.decode()
    if request.config.getoption("update_golden") and said:
        case.write("stdout.txt", said)
    assert said == (case.text("stdout.txt") or "")
    assert result.status == int(case.text("status") or 1)
    errors, warnings, notes = (
        len(re.findall(rf"^\S.*: {severity}: ", said, re.MULTILINE)) for severity in ("error", "warning", "note")
    )
    assert (result.status == 1) == (errors > 0)
    assert result.stderr == summary(errors, warnings, notes)
    assert Path(FILE).read_bytes() == given


def summary(errors: int, warnings: int, notes: int) -> str:
    counts = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((errors, "error"), (warnings, "warning"), (notes, "note"))
        if count
    ]
    if errors or warnings:
        return f"{', '.join(counts)} in 1 file\n"
    return f"1 file is valid{f', {counts[0]}' if counts else ''}\n"


def test_every_rule_has_a_case() -> None:
    seen = {problem.rule for case in CASES for problem in problems_in(case.read("in.yml") or b"", FILE)}
    # A file that is not text cannot be a case; the last groups are reported by other commands.
    elsewhere = {"Editing", "Running", "Exporting", "Checking", "Reviewing"}
    reported = {rule.id for name, group in GROUPS.items() if name not in elsewhere for rule in group}
    assert seen | {"file"} == reported


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_problems_are_sorted_and_have_an_excerpt_and_a_way_out(case: Case) -> None:
    problems = problems_in(case.read("in.yml") or b"", FILE)
    places = [problem.place for problem in problems]
    assert places == sorted(places)
    for problem in problems:
        assert problem.excerpt or case.folder.name in {"an-empty-file", "an-alias-without-its-anchor"}
        assert not problem.message.endswith(".")
        assert problem.hint
        assert not problem.hint.endswith(".")
        assert problem.width >= 1
        assert len(re.sub(r"`[^`]*`", "`name`", problem.message)) <= 80
