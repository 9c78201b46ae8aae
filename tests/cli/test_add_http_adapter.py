"""The options of `mom atlas config add-http-adapter`: what is written, what is printed where, and the exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import samples
from tests.golden import Result, run_mom

ATLAS = samples.atlas("github", after="  owner: example.com\n")
ITEM = samples.reference("openai")

DOCUMENT = samples.http("openai", headers={"Authorization": "Bearer ${{ OPENAI_API_TOKEN }}"})

EDITED = ATLAS.replace("  owner", ITEM + "  owner") + DOCUMENT

DIFF = """\
--- a/atlas.yml
+++ b/atlas.yml
@@ -8,4 +8,18 @@
       apiVersion: moment.dev/adapters/v1alpha1
       kind: HTTP
       name: github
+  - adapterRef:
+      apiVersion: moment.dev/adapters/v1alpha1
+      kind: HTTP
+      name: openai
   owner: example.com
+---
+apiVersion: moment.dev/adapters/v1alpha1
+kind: HTTP
+metadata:
+  name: openai
+spec:
+  baseUrl: https://api.openai.com
+  headers:
+  - name: Authorization
+    value: Bearer ${{ OPENAI_API_TOKEN }}
"""

ADDED = "Added HTTP adapter openai to atlas.yml (lines 11-14 and 16-25)\n"
WOULD_ADD = "Would add HTTP adapter openai to atlas.yml (lines 11-14 and 16-25)\n"
UNDO = "  undo: mom atlas config remove -f atlas.yml openai\n"
NEXT = f"  next: set OPENAI_API_TOKEN, then: mom atlas run -f atlas.yml\n{UNDO}"
UNCHANGED = "Unchanged HTTP adapter openai is already configured in atlas.yml\n"


class Atlas:
    """A configuration in the current folder, and the command on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write(ATLAS)

    def write(self, text: str) -> None:
        self.path.write_bytes(text.encode())
        self.time = self.path.stat().st_mtime_ns

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()

    @property
    def untouched(self) -> bool:
        """Whether nobody wrote the file, not even the same bytes."""
        return self.path.stat().st_mtime_ns == self.time

    def add(self, *options: str, file: str | None = "atlas.yml", stdin: bytes = b"") -> Result:
        arguments = ["--adapter-name", "openai", "--base-url", "https://api.openai.com"]
        header = ["-H", "Authorization: Bearer ${{ OPENAI_API_TOKEN }}"]
        where = [] if file is None else ["-f", file]
        return run_mom(["atlas", "config", "add-http-adapter", *where, *arguments, *header, *options], stdin)


@pytest.fixture
def atlas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Atlas:
    monkeypatch.chdir(tmp_path)
    return Atlas(tmp_path / "atlas.yml")


def test_without_options_the_file_is_written_and_stdout_is_empty(atlas: Atlas) -> None:
    assert atlas.add() == Result(0, b"", ADDED + NEXT)
    assert atlas.text == EDITED


def test_a_second_run_writes_nothing_and_says_so(atlas: Atlas) -> None:
    atlas.write(EDITED)
    assert atlas.add() == Result(0, b"", UNCHANGED)
    assert atlas.untouched


@pytest.mark.parametrize("option", ["-n", "--dry-run"])
def test_dry_run_prints_the_diff_and_writes_nothing(atlas: Atlas, option: str) -> None:
    assert atlas.add(option) == Result(0, DIFF.encode(), WOULD_ADD)
    assert atlas.untouched


def test_dry_run_of_what_is_there_prints_no_diff(atlas: Atlas) -> None:
    atlas.write(EDITED)
    assert atlas.add("--dry-run") == Result(0, b"", UNCHANGED)


def test_diff_writes_and_prints_the_diff(atlas: Atlas) -> None:
    assert atlas.add("--diff") == Result(0, DIFF.encode(), ADDED + NEXT)
    assert atlas.text == EDITED


def test_check_exits_with_3_when_the_file_would_change(atlas: Atlas) -> None:
    assert atlas.add("--check") == Result(3, b"", WOULD_ADD)
    assert atlas.untouched


def test_check_exits_with_0_when_all_is_there(atlas: Atlas) -> None:
    atlas.write(EDITED)
    assert atlas.add("--check") == Result(0, b"", UNCHANGED)


@pytest.mark.parametrize("part", [ITEM, DOCUMENT], ids=["the reference", "the document"])
def test_check_exits_with_3_when_one_part_is_missing(atlas: Atlas, part: str) -> None:
    atlas.write(EDITED.replace(part, ""))
    result = atlas.add("--check")
    assert result.status == 3
    assert result.stderr.startswith("Would add the missing part of HTTP adapter openai to atlas.yml (lines ")
    assert atlas.untouched


@pytest.mark.parametrize("option", ["--diff", "--dry-run"])
def test_check_with_a_diff_prints_it_writes_nothing_and_exits_with_3(atlas: Atlas, option: str) -> None:
    assert atlas.add("--check", option) == Result(3, DIFF.encode(), WOULD_ADD)
    assert atlas.untouched


def test_check_of_a_conflict_exits_with_1(atlas: Atlas) -> None:
    atlas.write(EDITED.replace("api.openai.com", "openai.example.com"))
    assert atlas.add("--check").status == 1


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_quiet_says_nothing(atlas: Atlas, option: str) -> None:
    assert atlas.add(option) == Result(0, b"", "")
    assert atlas.text == EDITED


def test_quiet_still_prints_what_was_asked_for(atlas: Atlas) -> None:
    assert atlas.add("-q", "--dry-run") == Result(0, DIFF.encode(), "")


def test_quiet_still_tells_errors(atlas: Atlas) -> None:
    atlas.write("")
    assert "has no Atlas document" in atlas.add("-q").stderr


REPORT: dict[str, Any] = {
    "file": "atlas.yml",
    "adapter": {"kind": "HTTP", "name": "openai", "baseUrl": "https://api.openai.com"},
    "action": "added",
    "written": True,
    "addedLines": [[11, 14], [16, 25]],
    "changedLines": [],
    "removedLines": [],
    "environment": ["OPENAI_API_TOKEN"],
    "warnings": [],
    "notes": [],
}


def test_json_reports_what_was_done(atlas: Atlas) -> None:
    result = atlas.add("--format", "json")
    assert json.loads(result.stdout) == REPORT
    assert atlas.text == EDITED


def test_json_of_a_dry_run_contains_the_diff(atlas: Atlas) -> None:
    result = atlas.add("--format", "json", "--dry-run")
    assert json.loads(result.stdout) == {**REPORT, "written": False, "diff": DIFF}
    assert atlas.untouched


def test_json_of_a_check_that_fails(atlas: Atlas) -> None:
    result = atlas.add("--format", "json", "--check")
    assert result.status == 3
    assert json.loads(result.stdout) == {**REPORT, "written": False}


def test_json_of_no_change(atlas: Atlas) -> None:
    atlas.write(EDITED)
    result = atlas.add("--format", "json")
    assert json.loads(result.stdout) == {**REPORT, "action": "unchanged", "written": False, "addedLines": []}
    assert atlas.untouched


def test_json_names_changed_lines_and_warnings(atlas: Atlas) -> None:
    atlas.write(ATLAS.removesuffix("\n"))
    result = atlas.add("--format", "json", "-H", "X-Name: Zoë")
    report = json.loads(result.stdout)
    assert report["changedLines"] == [15]
    assert report["addedLines"] == [[11, 14], [16, 27]]
    assert report["warnings"] == ["the value of `X-Name` is not ASCII: servers decode such bytes differently"]


def test_a_dash_reads_stdin_and_writes_the_file_to_stdout(atlas: Atlas) -> None:
    result = atlas.add(file="-", stdin=ATLAS.encode())
    said = (ADDED + NEXT).replace("to atlas.yml", "to <stdin>").replace("-f atlas.yml", "-f FILE")
    assert result == Result(0, EDITED.encode(), said)
    assert atlas.untouched


def test_a_dash_keeps_line_ends_and_the_byte_order_mark(atlas: Atlas) -> None:
    given = ("\ufeff" + ATLAS.replace("\n", "\r\n")).encode()
    assert atlas.add("-q", file="-", stdin=given).stdout == ("\ufeff" + EDITED.replace("\n", "\r\n")).encode()


def test_a_dash_gives_an_unchanged_file_back_as_it_is(atlas: Atlas) -> None:
    assert atlas.add("-q", file="-", stdin=EDITED.encode()) == Result(0, EDITED.encode(), "")


def test_a_dash_that_is_refused_writes_nothing_to_stdout(atlas: Atlas) -> None:
    result = atlas.add(file="-", stdin=b"kind: Atlas\n")
    assert (result.status, result.stdout) == (1, b"")
    assert result.stderr.startswith("error: <stdin> has no Atlas document")


def test_a_dash_with_dry_run_prints_the_diff_alone(atlas: Atlas) -> None:
    result = atlas.add("-n", file="-", stdin=ATLAS.encode())
    assert result.stdout.decode() == DIFF.replace("/atlas.yml", "/<stdin>")


def test_a_dash_with_check_prints_nothing_and_exits_with_3(atlas: Atlas) -> None:
    assert atlas.add("--check", "-q", file="-", stdin=ATLAS.encode()) == Result(3, b"", "")


@pytest.mark.parametrize("options", [["--diff"], ["--format", "json"]], ids=" ".join)
def test_a_dash_and_another_thing_for_stdout_are_wrong_usage(atlas: Atlas, options: list[str]) -> None:
    result = atlas.add(*options, file="-", stdin=ATLAS.encode())
    assert (result.status, result.stdout) == (2, b"")
    assert result.stderr.startswith(f"error: {' '.join(options)} and -f - both write to stdout\nhint: ")


def test_headers_may_be_absent(atlas: Atlas) -> None:
    arguments = "-f atlas.yml --adapter-name openai --base-url https://api.openai.com"
    result = run_mom(["atlas", "config", "add-http-adapter", *arguments.split()])
    assert result.stderr == (
        "Added HTTP adapter openai to atlas.yml (lines 11-14 and 16-22)\n"
        "note: no header has a credential; add one with -H 'NAME: VALUE'\n"
        f"  next: mom atlas run -f atlas.yml\n{UNDO}"
    )
    assert atlas.text == EDITED.partition("  headers:\n")[0]


def test_all_variables_are_named_once(atlas: Atlas) -> None:
    result = atlas.add("-H", "X-A: ${{ A }}", "-H", "X-B: ${{ B }}:${{ A }}")
    assert result.stderr.endswith(f"  next: set OPENAI_API_TOKEN, A, B, then: mom atlas run -f atlas.yml\n{UNDO}")


def test_plain_http_to_another_machine_is_warned_of(atlas: Atlas) -> None:
    result = atlas.add("--base-url", "http://api.example.com")
    assert result.status == 0
    assert "warning: credentials would be sent unencrypted, over plain http, to http://api.example.com" in result.stderr


def test_a_literal_secret_is_refused_and_never_repeated(atlas: Atlas) -> None:
    result = atlas.add("-H", "X-Api-Key: 0123456789abcdef")
    assert result.status == 1
    assert "0123456789abcdef" not in result.stderr
    assert "hint: name a variable: -H 'X-Api-Key: ${{ X_API_KEY }}' (or --allow-literal-secret)\n" in result.stderr
    assert atlas.untouched


def test_a_literal_secret_can_be_allowed(atlas: Atlas) -> None:
    assert atlas.add("-H", "X-Api-Key: 0123456789abcdef", "--allow-literal-secret").status == 0
    assert "    value: 0123456789abcdef\n" in atlas.text


def test_a_nul_in_a_header_is_refused(atlas: Atlas) -> None:
    assert atlas.add("-H", "X-A: a\0b") == Result(
        2,
        b"",
        "error: -H X-A: the value contains a control character (U+0000): remove it, a header is one line of text\n",
    )


WRONG = {
    "no name": (["-f", "atlas.yml", "--base-url", "https://x.example"], "missing option '--adapter-name'"),
    "no base URL": (["-f", "atlas.yml", "--adapter-name", "x"], "missing option '--base-url'"),
    "an unknown option": (["-f", "atlas.yml", "--adaptr-name", "x"], "no such option: --adaptr-name"),
    "a stray argument": (
        ["-f", "atlas.yml", "--adapter-name", "x", "--base-url", "https://x.example", "y"],
        "unexpected argument: y",
    ),
    "an unknown output": (
        ["-f", "atlas.yml", "--adapter-name", "x", "--base-url", "https://x.example", "--format", "xml"],
        "invalid value for '--format': 'xml' is not one of 'text', 'json'",
    ),
}


@pytest.mark.parametrize("situation", WRONG)
def test_wrong_usage_is_one_line_a_hint_and_exit_2(atlas: Atlas, situation: str) -> None:
    arguments, message = WRONG[situation]
    command = "mom atlas config add-http-adapter --help"
    result = run_mom(["atlas", "config", "add-http-adapter", *arguments])
    assert (result.status, result.stdout) == (2, b"")
    first, hint = result.stderr.rstrip("\n").split("\n")
    assert first.startswith(f"error: {message}")
    meant = "did you mean '--adapter-name'?" if situation == "an unknown option" else None
    assert hint == f"hint: {meant or f'try {command!r}'}"
    assert atlas.untouched


@pytest.mark.parametrize(
    "options",
    [
        ["--adapter-name", ""],
        ["--adapter-name", ".."],
        ["--adapter-name", "a/b"],
        ["--adapter-name", "-a"],
        ["--adapter-name", "ä"],
        ["--adapter-name", "a" * 254],
        ["--base-url", "api.openai.com"],
        ["--base-url", "ftp://api.openai.com"],
        ["--base-url", "https://"],
        ["--base-url", "https://user:word@api.openai.com"],
        ["--base-url", "https://api.openai.com?a=b"],
        ["--base-url", "https://api.openai.com#a"],
        ["-H", "X A: b"],
        ["-H", "Host: a\r\nX: y"],
    ],
    ids=lambda options: " ".join(options)[:40].encode("unicode_escape").decode(),
)
def test_values_are_checked_before_the_file_is_looked_at(atlas: Atlas, options: list[str]) -> None:
    atlas.path.unlink()
    result = atlas.add(*options)
    assert result.status == 2
    assert result.stderr.startswith(f"error: {options[0]}")
    assert "no such file" not in result.stderr


def test_an_underscore_in_the_host_and_an_adapter_of_253_letters_are_fine(atlas: Atlas) -> None:
    assert atlas.add("--base-url", "http://my_service.internal:8080/v1", "--adapter-name", "a" * 253).status == 0


def test_a_missing_file_is_reported_as_missing(atlas: Atlas) -> None:
    expected = """\
error: cannot read atlsa.yml: there is no such file
hint: create one: mom atlas config init -f atlsa.yml
"""
    assert atlas.add(file="atlsa.yml") == Result(1, b"", expected)


def test_a_folder_is_reported_as_one(atlas: Atlas, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert atlas.add(file="folder") == Result(
        1, b"", "error: cannot read folder: it is a folder\nhint: -f takes a file, or - for standard input\n"
    )


def test_a_file_below_a_file_is_no_path(atlas: Atlas) -> None:
    assert (
        atlas.add(file="atlas.yml/x").stderr == "error: cannot read atlas.yml/x: a part of the path is not a folder\n"
    )


def test_a_path_with_spaces_is_quoted_in_the_next_step(atlas: Atlas, tmp_path: Path) -> None:
    (tmp_path / "my files").mkdir()
    path = tmp_path / "my files" / "it's atlas.yml"
    path.write_text(ATLAS)
    result = atlas.add("--diff", file="my files/it's atlas.yml")
    assert path.read_text() == EDITED
    assert result.stdout.decode() == DIFF.replace("/atlas.yml", "/my files/it's atlas.yml\t")
    assert "to my files/it's atlas.yml (lines" in result.stderr
    assert """mom atlas run -f 'my files/it'"'"'s atlas.yml'\n""" in result.stderr
    assert result.stderr.endswith("""undo: mom atlas config remove -f 'my files/it'"'"'s atlas.yml' openai\n""")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("name", ["atlas.yml", "my atlas.yml"])
@pytest.mark.parametrize(
    "text", [ATLAS, ATLAS.removesuffix("\n"), ATLAS.replace("\n", "\r\n")], ids=["", "end", "crlf"]
)
def test_git_applies_the_diff_of_a_dry_run(atlas: Atlas, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    shown = atlas.add("-n", file=name).stdout
    subprocess.run(["git", "apply", "-"], check=True, cwd=tmp_path, input=shown)
    assert path.read_bytes().decode() == EDITED.replace("\n", "\r\n" if "\r" in text else "\n")


def test_a_windows_path_is_a_name_like_any_other(atlas: Atlas) -> None:
    assert atlas.add(file="C:\\atlas.yml").stderr.startswith(
        "error: cannot read C:\\atlas.yml: there is no such file\n"
    )


def test_a_file_name_cannot_drive_the_terminal(atlas: Atlas) -> None:
    assert "\033" not in atlas.add(file="\033[2Jatlas.yml").stderr


def test_a_diff_of_an_absolute_path_names_the_file_from_the_current_folder(atlas: Atlas) -> None:
    assert atlas.add("-n", file=str(atlas.path)).stdout.decode() == DIFF


def test_a_diff_tells_of_a_missing_final_newline(atlas: Atlas) -> None:
    atlas.write(ATLAS.removesuffix("\n"))
    shown = atlas.add("-n").stdout.decode()
    assert "-  owner: example.com\n\\ No newline at end of file\n+  - adapterRef:\n" in shown
    assert "+  owner: example.com\n+---\n" in shown


@pytest.mark.parametrize(
    "break_it", [lambda text: text + "a: [\n", lambda text: text.replace("moment.dev/atlas", "x/y")]
)
@pytest.mark.parametrize("option", ["--dry-run", "--check", "--diff", "--format=json", "--quiet"])
def test_a_refusal_is_one_whatever_the_options(atlas: Atlas, option: str, break_it: Callable[[str], str]) -> None:
    atlas.write(break_it(ATLAS))
    result = atlas.add(option)
    assert (result.status, result.stdout) == (1, b"")
    assert result.stderr
    assert atlas.untouched
