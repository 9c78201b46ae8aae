"""Our unified diff, made from the splices of an edit, is what `diff -u` makes from the two files."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mom.yamledit.diff import Change, changes, unified
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice, apply
from tests.searches import examples

needs_diff = pytest.mark.skipif(shutil.which("diff") is None, reason="diff is not installed")


def ours(source: Source, splices: list[Splice]) -> str:
    return unified(source, changes(source, splices), old_name="a", new_name="b")


def theirs(old: str, new: str) -> str:
    """Return what `diff -u` says, the two lines with names and times replaced."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a").write_bytes(old.encode())
        Path(folder, "b").write_bytes(new.encode())
        command = ["diff", "-u", "--label", "a", "--label", "b", "a", "b"]
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout.decode()


@st.composite
def edits(draw: st.DrawFn) -> tuple[Source, list[Splice]]:
    """Return a text of different lines, and splices as edits make them: whole lines, or a few letters in a line.

    No line equals another, so that there is one shortest diff.
    """
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    count = draw(st.integers(0, 30))
    text = "".join(f"line {number} é🦊{newline}" for number in range(count))
    if count and draw(st.booleans()):
        text = text.removesuffix(newline)
    text = draw(st.sampled_from(["", "\ufeff"])) + text
    source = Source("atlas.yml", text)
    splices: list[Splice] = []
    fresh = 0
    for number in sorted(draw(st.sets(st.integers(0, count), max_size=5))):
        lines = draw(st.integers(0, 3))
        added = "".join(f"new {fresh + extra}{newline}" for extra in range(lines))
        fresh += lines
        if number == count:
            end = "" if text.endswith(("\n", "\ufeff")) or not text else newline
            splices.append(Splice(len(text), 0, end + added if added else ""))
            continue
        start = text.index(f"line {number} ")
        if draw(st.booleans()):
            splices.append(Splice(start, 0, added))
        else:
            # As the comma of a list, and as `[]` that goes.
            removed = draw(st.integers(0, 3))
            splices.append(Splice(start + 2, removed, draw(st.sampled_from(["", ",", " x"]))))
    return source, splices


@needs_diff
@settings(max_examples=examples(50, 500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits())
def test_the_diff_is_that_of_diff(edit: tuple[Source, list[Splice]]) -> None:
    source, splices = edit
    assert ours(source, splices) == theirs(source.text, apply(source.text, splices))


LINES = Source("atlas.yml", "".join(f"{number}\n" for number in range(1, 21)))


def at(line: int) -> int:
    """Return the offset of a line of `LINES`."""
    return 0 if line == 1 else LINES.line_starts[line - 1]


@needs_diff
@pytest.mark.parametrize("distance", range(1, 12))
def test_two_insertions_share_a_hunk_when_six_lines_or_fewer_lie_between(distance: int) -> None:
    splices = [Splice(at(5), 0, "a\n"), Splice(at(5 + distance), 0, "b\n")]
    shown = ours(LINES, splices)
    assert shown == theirs(LINES.text, apply(LINES.text, splices))
    assert shown.count("@@ -") == (1 if distance <= 6 else 2)


def test_an_insertion_at_the_end_of_an_empty_text_starts_at_line_0() -> None:
    source = Source("atlas.yml", "")
    assert ours(source, [Splice(0, 0, "a\nb\n")]) == "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+a\n+b\n"


def test_no_change_has_no_diff() -> None:
    assert ours(LINES, []) == ""
    assert ours(LINES, [Splice(3, 0, "")]) == ""


def test_only_line_feeds_end_lines() -> None:
    source = Source("atlas.yml", "a\x0cb\u2028c\x85d\n")
    assert changes(source, [Splice(len(source.text), 0, "e\n")]) == [Change(1, (), ("e\n",))]


def test_lines_that_go_are_shown_before_those_that_come() -> None:
    source = Source("atlas.yml", "a: []\nb: c\n")
    shown = ours(source, [Splice(2, 3, ""), Splice(6, 0, "- d\n"), Splice(7, 0, "b")])
    assert shown == "--- a\n+++ b\n@@ -1,2 +1,3 @@\n-a: []\n-b: c\n+a:\n+- d\n+bb: c\n"
