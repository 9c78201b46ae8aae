"""The command around the rules: formats, streams, exit statuses, hostile files; and the schemas it prints."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import termios
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

from mom import __version__
from mom.atlas.adapters import kinds
from mom.atlas.rules.catalogue import RULES
from mom.atlas.schemas import combined, schema
from mom.cli.formats import Checked, Format, write
from mom.console import Console
from mom.problems import Place, Problem, Severity
from mom.yamledit.data import to_data
from mom.yamledit.source import MAX_BYTES, Source
from mom.yamledit.stream import documents, parse_document
from tests.golden import Result, Terminal, run_mom
from tests.samples import EMPTY, problems_in
from tests.searches import examples

VALID = EMPTY
# An adapter that nothing names: one warning.
WARNED = VALID + ("---\napiVersion: moment.dev/adapters/v1alpha1\nkind: Kubernetes\nmetadata:\n  name: cluster\n")
# One error with a path and a hint, and one with a second place.
BROKEN = VALID.replace("spec:", "spec:\n  ownr: a, 100%\n  owner: a\n  owner: b")
ROOT = Path(__file__).parents[2]
SARIF = Draft4Validator(json.loads((ROOT / "tests/cli/data/sarif-2.1.0-rtm.5.json").read_text()))


@pytest.fixture(autouse=True)
def _files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("valid.yml").write_text(VALID)
    Path("warned.yml").write_text(WARNED)
    Path("broken.yml").write_text(BROKEN)


def run(*arguments: str, stdin: bytes = b"") -> Result:
    """Run `mom atlas config validate` with arguments."""
    return run_mom(["atlas", "config", "validate", *arguments], stdin)


def test_all_problems_of_all_files_come_in_one_run_in_the_order_given() -> None:
    result = run("broken.yml", "valid.yml", "warned.yml", "broken.yml")
    lines = re.findall(r"^(\S+):\d+:\d+: (error|warning): ", result.stdout.decode(), re.MULTILINE)
    error, warning = ("broken.yml", "error"), ("warned.yml", "warning")
    assert lines == [error, error, warning, error, error]
    assert result.stderr == "4 errors, 1 warning in 4 files\n"
    assert result.status == 1


def test_valid_files_leave_stdout_empty() -> None:
    assert run("valid.yml") == Result(0, b"", "1 file is valid\n")
    assert run("valid.yml", "valid.yml") == Result(0, b"", "2 files are valid\n")


def test_a_warning_fails_only_when_strict() -> None:
    assert run("warned.yml").status == 0
    assert run("warned.yml", "--strict").status == 1
    assert run("valid.yml", "--strict").status == 0
    assert run("warned.yml", "--strict").stdout == run("warned.yml").stdout


def test_stdin_is_a_file_among_others() -> None:
    result = run("valid.yml", "-", stdin=BROKEN.encode())
    assert result.stdout.startswith(b"<stdin>:")
    assert result.stderr == "2 errors in 2 files\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["valid.yml", "--format", "xml"], "'xml' is not one of"),
    ],
)
def test_wrong_usage_exits_2_and_checks_nothing(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert (result.status, result.stdout) == (2, b"")
    assert words in result.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfea\x00", "is UTF-16 (byte-order mark at byte 0)"),
        (b"a: \xe9\n", "not UTF-8: byte 3 is 0xE9"),
        (b"apiVersion: moment.dev/x\na: \x00", "the control character U+0000"),
    ],
)
def test_a_file_that_is_not_text_is_a_problem_beside_others(content: bytes, words: str) -> None:
    Path("bytes.yml").write_bytes(content)
    result = run("bytes.yml", "broken.yml")
    assert result.status == 1
    assert words in result.stdout.decode()
    assert "broken.yml" in result.stdout.decode()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("none.yml", "there is no such file"),
        ("folder", "no Atlas configuration in the folder folder"),
        ("valid.yml/inner.yml", "a part of the path is not a folder"),
        ("x" * 300 + ".yml", "the name is too long"),
        ("circle.yml", "symbolic links lead in a circle"),
        ("many.yml", "too many documents (limit 100,000)"),
        ("huge.yml", "it is larger than 32 MiB"),
    ],
)
@pytest.mark.parametrize("form", Format)
def test_a_file_that_cannot_be_read_is_one_problem_among_the_others(file: str, words: str, form: Format) -> None:
    Path("folder").mkdir()
    Path("circle.yml").symlink_to("circle.yml")
    if file == "many.yml":
        Path(file).write_text("---\n" * 100_002)
    if file == "huge.yml":
        Path(file).write_text("#" * (MAX_BYTES + 1))
    result = run("broken.yml", file, "warned.yml", "--format", form.value)
    text = result.stdout.decode()
    assert words in text
    assert "ownr" in text
    assert "Kubernetes adapter `cluster` is not listed" in text
    assert (result.status, result.stderr) == (1, "3 errors, 1 warning in 3 files\n")


def test_stdin_that_is_given_twice_is_read_once_and_that_is_reported() -> None:
    result = run("-", "valid.yml", "-", stdin=BROKEN.encode())
    assert result.stderr == (
        "warning: `-` is given more than once: stdin is read and checked once\n2 errors in 2 files\n"
    )
    assert result.stdout.count(b"<stdin>:6:3: error") == 1


def _shown(problems: list[Problem], out: io.StringIO, **environ: str) -> list[str]:
    write([Checked("f", tuple(problems))], Format.TEXT, Console(stdout=out, environ=environ), strict=False)
    return out.getvalue().split("\n")


LONG = Problem(
    place=Place("some/folder/atlas.yml", 12, 3),
    rule="base-url",
    message="the base URL " + "has a part that no base URL has and " * 3 + "that is all",
    hint="leave it out " + "or put it into a header " * 4 + "\n    name: value",
    related=((Place("f", 1, 1), "the first " * 12),),
)


@pytest.mark.parametrize("width", [30, 80, 200])
def test_on_a_terminal_problems_are_wrapped_at_words(width: int) -> None:
    lines = _shown([LONG], Terminal(), COLUMNS=str(width), NO_COLOR="1")
    assert max(map(len, lines)) <= max(width, len("some/folder/atlas.yml:12:3:"))
    joined = " ".join(line.strip() for line in lines)
    for text in (LONG.message, "hint: " + LONG.hint.split("\n")[0].strip(), "the first the first"):
        assert text in joined
    assert "    name: value" in lines


def test_a_terminal_that_does_not_tell_its_width_has_80_columns_and_colour_takes_none() -> None:
    plain = _shown([LONG], Terminal(), NO_COLOR="1")
    assert 70 < max(map(len, plain)) <= 80
    coloured = _shown([LONG], Terminal())
    assert [re.sub(r"\033\[[0-9;]*m", "", line) for line in coloured] == plain


def test_in_a_pipe_a_message_is_one_line_whatever_the_environment_says() -> None:
    lines = _shown([LONG], io.StringIO(), COLUMNS="30")
    assert f"some/folder/atlas.yml:12:3: error: {LONG.message} [base-url]" in lines


def test_a_blank_line_separates_problems_of_one_file_and_of_two() -> None:
    blocks = run("broken.yml", "warned.yml").stdout.decode().split("\n\n")
    assert [block.split(":")[0] for block in blocks] == ["broken.yml", "broken.yml", "warned.yml"]
    assert not blocks[-1].startswith("\n")


def test_a_note_neither_fails_nor_counts_as_a_warning() -> None:
    noted = VALID + "  gatewayRegistration: {registrationHostpath: 'a.test:443'}\n"
    Path("noted.yml").write_text(noted)
    result = run("noted.yml", "--strict")
    assert (result.status, result.stderr) == (0, "1 file is valid, 1 note\n")
    assert result.stdout.startswith(b"noted.yml:7:3: note: `gatewayRegistration` is ignored")
    report = json.loads(run("noted.yml", "--format", "json").stdout)
    assert (report["errors"], report["warnings"], report["notes"]) == (0, 0, 1)
    assert run("noted.yml", "--format", "github").stdout.startswith(b"::notice file=noted.yml,line=7,")
    root = ET.fromstring(run("noted.yml", "--format", "junit", "--strict").stdout)
    assert root.attrib["failures"] == "0"
    log = json.loads(run("noted.yml", "--format", "sarif").stdout)
    SARIF.validate(log)
    assert log["runs"][0]["results"][0]["level"] == "note"


@pytest.mark.parametrize("form", Format)
def test_every_problem_has_its_hint_in_every_format(form: Format) -> None:
    Path("hinted.yml").write_text(BROKEN)
    text = run("hinted.yml", "--format", form.value).stdout.decode()
    assert "did you mean `owner`?" in text
    assert "remove one: parsers disagree about which one wins" in text


def test_json_has_files_sums_and_each_field_of_a_problem() -> None:
    result = run("valid.yml", "broken.yml", "--format", "json")
    report = json.loads(result.stdout)
    assert (report["version"], report["errors"], report["warnings"], result.status) == (1, 2, 0, 1)
    assert report["files"][0] == {"file": "valid.yml", "problems": []}
    unknown, twice = report["files"][1]["problems"]
    assert unknown == {
        "rule": "unknown-key",
        "severity": "error",
        "line": 6,
        "column": 3,
        "endColumn": 7,
        "path": "spec.ownr",
        "message": "`ownr` is not a key of `spec`",
        "hint": "did you mean `owner`?",
        "related": [],
    }
    assert twice["related"] == [{"file": "broken.yml", "line": 7, "column": 3, "message": "the first one"}]


def test_github_gets_one_escaped_command_for_each_problem() -> None:
    result = run("broken.yml", "warned.yml", "--format", "github")
    lines = result.stdout.decode().splitlines()
    assert lines[0] == (
        "::error file=broken.yml,line=6,col=3,endColumn=7,title=mom%3A unknown-key"
        "::`ownr` is not a key of `spec` (spec.ownr)%0Ahint: did you mean `owner`?"
    )
    assert [line.split(" ")[0] for line in lines] == ["::error", "::error", "::warning"]


def test_github_is_the_default_inside_its_actions_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("broken.yml").stdout.startswith(b"::error ")
    assert run("broken.yml", "--format", "text").stdout.startswith(b"broken.yml:")
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    assert run("broken.yml").stdout.startswith(b"broken.yml:")


def test_github_gets_paths_from_its_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert b"file=broken.yml," in run("../broken.yml", "--format", "github").stdout
    assert b"file=<stdin>," in run("-", "--format", "github", stdin=BROKEN.encode()).stdout


def test_sarif_is_valid_and_places_each_result() -> None:
    result = run("valid.yml", "broken.yml", "warned.yml", "-", "valid.yml", "--format", "sarif", stdin=BROKEN.encode())
    log = json.loads(result.stdout)
    SARIF.validate(log)
    (only,) = log["runs"]
    assert only["tool"]["driver"]["version"] == __version__
    assert [rule["id"] for rule in only["tool"]["driver"]["rules"]] == list(RULES)
    for entry in only["tool"]["driver"]["rules"]:
        assert RULES[entry["id"]].explanation in entry["fullDescription"]["text"]
        assert RULES[entry["id"]].hint in entry["help"]["text"]
        assert entry["defaultConfiguration"]["level"] == RULES[entry["id"]].severity
    assert [artifact["location"]["uri"] for artifact in only["artifacts"]] == [
        "valid.yml",
        "broken.yml",
        "warned.yml",
        "%3Cstdin%3E",
    ]
    first = only["results"][0]
    assert only["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "unknown-key"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "broken.yml", "index": 1}
    assert place["region"] == {"startLine": 6, "startColumn": 3, "endColumn": 7}
    assert only["results"][1]["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 7
    assert [each["level"] for each in only["results"]] == ["error", "error", "warning", "error", "error"]


def test_junit_has_a_suite_for_each_file_and_counts_what_fails() -> None:
    files = ("valid.yml", "broken.yml", "warned.yml")
    root = ET.fromstring(run(*files, "--format", "junit").stdout)
    assert (root.tag, root.attrib["tests"], root.attrib["failures"]) == ("testsuites", "4", "2")
    assert [suite.attrib["name"] for suite in root] == list(files)
    assert [(suite.attrib["tests"], suite.attrib["failures"]) for suite in root] == [("1", "0"), ("2", "2"), ("1", "0")]
    failure = root[1][0][0]
    assert failure.attrib == {"type": "unknown-key", "message": "`ownr` is not a key of `spec`"}
    assert (failure.text or "").startswith("broken.yml:6:3: error: ")
    strict = ET.fromstring(run(*files, "--format", "junit", "--strict").stdout)
    assert strict.attrib["failures"] == "3"
    names = [case.attrib["name"] for case in root[1]]
    assert len(set(names)) == 2


PROBLEMS = st.builds(
    Problem,
    place=st.builds(Place, st.text(min_size=1), st.integers(1, 10), st.integers(1, 10)),
    rule=st.sampled_from(list(RULES)),
    message=st.text(),
    severity=st.sampled_from(Severity),
    hint=st.text(),
    path=st.text(),
    excerpt=st.text(),
    width=st.integers(1, 5),
    related=st.lists(st.tuples(st.builds(Place, st.text(min_size=1), st.just(1), st.just(1)), st.text())).map(tuple),
)


@settings(max_examples=examples(10, 100))
@given(problems=st.lists(PROBLEMS), strict=st.booleans())
def test_any_text_of_a_file_leaves_every_format_well_formed(problems: list[Problem], strict: bool) -> None:
    for form in Format:
        assert_well_formed(form, problems, strict=strict)


def assert_well_formed(form: Format, problems: list[Problem], *, strict: bool) -> None:
    out = io.StringIO()
    write([Checked("f\n\x00é.yml", tuple(problems))], form, Console(stdout=out, environ={}), strict=strict)
    text = out.getvalue()
    match form:
        case Format.JSON:
            assert len(json.loads(text)["files"][0]["problems"]) == len(problems)
        case Format.SARIF:
            SARIF.validate(json.loads(text))
        case Format.JUNIT:
            assert len(ET.fromstring(text)[0]) == max(len(problems), 1)
        case Format.GITHUB:
            lines = text.split("\n")
            assert lines.pop() == ""
            assert len(lines) == len(problems)
            assert all(
                line.startswith(("::error file=", "::warning file=", "::notice file=")) and "\r" not in line
                for line in lines
            )
        case Format.TEXT:
            assert all(character.isprintable() or character == "\n" for character in text)


ADAPTER = "---\napiVersion: moment.dev/adapters/v1alpha1\nkind: HTTP\nmetadata:\n  name: a\nspec:\n"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param(VALID + "  owner: " + "[" * 100_000, "yaml-syntax", id="nested 100,000 deep"),
        pytest.param(
            "apiVersion: moment.dev/atlas/v1alpha1\na: &a [x, x]\n"
            + "".join(f"a{i}: &a{i} [*a{i - 1 or ''}, *a{i - 1 or ''}]\n" for i in range(1, 99)),
            "yaml-alias",
            id="aliases that stand for 2 to the 99th values",
        ),
        pytest.param(ADAPTER + "  baseUrl: " + "x" * 3_000_000, "base-url", id="a scalar of 3 MB"),
        pytest.param(
            ADAPTER + "  baseUrl: https://a.b\n  headers: [{name: A, value: '" + "${{ }}" * 100_000 + "'}]",
            "environment-reference",
            id="100,000 malformed references in one value",
            marks=pytest.mark.proof,
        ),
        pytest.param(VALID + "".join(ADAPTER + "  [\n" for _ in range(3_000)), "yaml-syntax", id="3,000 broken"),
        pytest.param(VALID + "<<<<<<< a\n" * 100_000, "conflict-marker", id="100,000 conflict markers"),
        pytest.param(
            VALID.replace(" []", "")
            + "".join(
                f"  - adapterRef: {{apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: ref{i}}}\n"
                for i in range(3_000)
            )
            + "".join(ADAPTER.replace("name: a", f"name: doc{i}") for i in range(3_000)),
            "missing-document",
            id="3,000 references and 3,000 documents that do not fit",
            marks=pytest.mark.proof,
        ),
    ],
)
def test_a_hostile_file_gets_an_answer(text: str, rule: str) -> None:
    # Each of these took minutes, or gigabytes, in some version; a test that hangs is a test that fails.
    problems = problems_in(text.encode(), "f.yml")
    assert rule in {problem.rule for problem in problems}
    assert sum(len(problem.excerpt) for problem in problems) < 10_000_000


def test_secrets_stand_in_no_format() -> None:
    secret = "hunter2-hunter2"
    Path("secret.yml").write_text(
        VALID.replace(" []", "\n  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: a}")
        + ADAPTER
        + f"  baseUrl: http://u:{secret}@a.b\n  headers:\n  - {{name: X-Key, value: {secret}, x: 1}}\n"
        + f"  - {{name: 'X Key', value: '\"{secret}\"'}}\n"
    )
    for form in Format:
        result = run("secret.yml", "--format", form.value)
        assert result.stdout.count(b"literal-secret") + result.stdout.count(b"plain text") >= 1
        assert secret not in result.stdout.decode() + result.stderr


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.kind)
@pytest.mark.parametrize("spelt", [str, str.lower, str.upper])
def test_the_schema_of_a_kind_is_printed(kind: Any, spelt: Any) -> None:
    result = run_mom(["atlas", "config", "schema", spelt(kind.kind)])
    assert result.status == 0
    assert json.loads(result.stdout) == schema(kind)


def test_without_a_kind_one_schema_for_every_document_of_a_file_is_printed() -> None:
    result = run_mom(["atlas", "config", "schema"])
    printed = json.loads(result.stdout)
    assert printed == combined()
    source = Source("f", WARNED)
    for document in documents(source):
        assert Draft202012Validator(printed).is_valid(to_data(parse_document(source, document)))


def test_an_unknown_kind_is_wrong_usage_with_the_one_that_was_meant() -> None:
    result = run_mom(["atlas", "config", "schema", "postgre"])
    assert (result.status, result.stdout) == (2, b"")
    assert "did you mean `Postgres`?" in result.stderr
    assert "`AWS`" in run_mom(["atlas", "config", "schema", "x"]).stderr


def test_the_pre_commit_hook_runs_a_command_that_exists_and_that_the_project_installs() -> None:
    source = Source("hooks", (ROOT / ".pre-commit-hooks.yaml").read_text())
    hooks = to_data(parse_document(source, documents(source)[0]))
    assert isinstance(hooks, list)
    (hook,) = hooks
    assert isinstance(hook, dict)
    assert hook["id"] == "mom-validate"
    program, *arguments = shlex.split(str(hook["entry"]))
    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert run_mom([*arguments, "valid.yml"]) == Result(0, b"", "1 file is valid\n")
    # A credential in plain text is only a warning, and nobody sees those of a hook that passes.
    assert "--strict" in arguments
    files = re.compile(str(hook["files"]))
    assert all(map(files.search, ["atlas.yml", "config/atlas-staging.yaml"]))
    assert not any(map(files.search, ["deployment.yml", "atlas.yml.bak", "myatlas.yml"]))


def test_a_real_terminal_of_50_columns_gets_lines_of_50_columns() -> None:
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    command = [sys.executable, "-m", "mom", "atlas", "config", "validate", "broken.yml"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"}
    ) as process:
        os.close(theirs)
        written = b""
        # A terminal whose other side was closed reads as an error on Linux, as an end elsewhere.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 65_536):
                written += part
        assert process.wait(timeout=120) == 1
    os.close(ours)
    assert b"\x1b[" in written
    lines = re.sub(r"\x1b\[[0-9;]*m", "", written.decode()).replace("\r\n", "\n").split("\n")
    assert max(map(len, lines)) <= 50
    assert "duplicate key `owner` (first on line 7)" in " ".join(line.strip() for line in lines)
