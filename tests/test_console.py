"""The only writer: nothing that it is given can drive the terminal or pass for a line of mom's."""

from __future__ import annotations

import io
import json

import pytest

from mom.cli.app import ROOT
from mom.console import Console, wrapped
from mom.errors import MomError
from mom.problems import Place, Problem
from tests.golden import Terminal

HOSTILE = "a\nerror: fake\r\x1b[2J\t\x7f\x9b\u2028\u202e\x85b\udcff"


def console(*, terminal: bool = False) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    return Console(out, err, {"NO_COLOR": "1", "COLUMNS": "500"}), out, err


def assert_harmless(shown: str, *, lines: int) -> None:
    assert shown.endswith("\n")
    assert len(shown.splitlines()) == lines
    assert all(character.isprintable() for line in shown.split("\n") for character in line)


@pytest.mark.parametrize("method", ["say", "warning", "status"])
def test_a_message_stays_one_line(method: str) -> None:
    writer, _, err = console()
    getattr(writer, method)(*(("Adding", HOSTILE) if method == "status" else (HOSTILE,)))
    assert_harmless(err.getvalue(), lines=1)
    assert r"a\nerror: fake\r\x1b[2J\t\x7f\x9b\u2028\u202e\x85b\udcff" in err.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_a_problem_stays_in_its_lines(terminal: bool) -> None:
    place = Place(HOSTILE, 1, 1)
    problem = Problem(
        place=place, rule="x", message=HOSTILE, hint="write", path=HOSTILE, excerpt=HOSTILE, related=((place, HOSTILE),)
    )
    writer, out, _ = console(terminal=terminal)
    writer.problems([problem], out)
    assert_harmless(out.getvalue(), lines=5)


def test_a_later_line_of_a_hint_is_indented_whatever_it_says() -> None:
    writer, _, err = console()
    writer.error(MomError(HOSTILE, hint="write this to a\nerror: fake:\n    kind: Atlas\x1b"))
    first, second, *rest = err.getvalue().splitlines()
    assert first.startswith("error: a\\n")
    assert second == "hint: write this to a"
    assert rest == ["    error: fake:", "    kind: Atlas\\x1b"]


def test_a_diff_keeps_its_bytes_in_a_pipe_and_drives_no_terminal() -> None:
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\tb\x1b[2J\r\n+c\n"
    writer, out, _ = console()
    writer.diff(diff)
    assert out.getvalue() == diff
    writer, out, _ = console(terminal=True)
    writer.diff(diff)
    assert out.getvalue() == "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\tb\\x1b[2J\n+c\n"


def test_json_on_a_terminal_has_no_control_characters_and_the_same_value() -> None:
    writer, out, _ = console(terminal=True)
    writer.json({HOSTILE: ["é", HOSTILE, "𝔸\U000e0001"]})
    assert_harmless(out.getvalue(), lines=7)
    assert json.loads(out.getvalue()) == {HOSTILE: ["é", HOSTILE, "𝔸\U000e0001"]}
    assert '"é"' in out.getvalue()


def test_a_command_of_mom_is_not_broken_at_the_width_of_a_terminal() -> None:
    for name in ROOT.commands:
        command = f"mom {name} --an-option-that-is-long --another-option-that-is-long"
        assert wrapped(f"a message, to which a command belongs: {command}; and more", 60)[1].strip() == f"{command};"


def test_a_command_line_to_run_next_is_not_broken_at_the_width_of_a_terminal() -> None:
    err = Terminal()
    step = f"(umask 022; printf %s x > {'a-folder/' * 12}NAME) && {'long ' * 20}{HOSTILE}"
    Console(Terminal(), err, {"NO_COLOR": "1", "COLUMNS": "40"}).next_steps([step, step])
    first, second = err.getvalue().splitlines()
    assert first.removeprefix("  next: ") == second.removeprefix("        ")
    assert_harmless(err.getvalue(), lines=2)
