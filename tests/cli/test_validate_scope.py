"""What `validate` looks at: folders, several files of which some are missing, and the variables of this environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mom.atlas import documents
from mom.yamledit.source import Source
from tests import samples
from tests.golden import FILE, MOM, run_mom

VALIDATE = ("atlas", "config", "validate")
AWS = """\
---
apiVersion: moment.dev/adapters/v1alpha1
kind: AWS
metadata:
  name: aws
spec:
  profiles:
  - name: test
    accessKeyId: ${{ TEST_KEY_ID }}
    secretAccessKey: ${{ TEST_SECRET }}
"""
OPENAI = samples.http("openai", headers={"Authorization": "Bearer ${{ OPENAI_API_TOKEN }}"})
ATLAS = samples.atlas("openai", after=samples.reference("aws", "AWS")) + OPENAI + AWS
SET = {"OPENAI_API_TOKEN": "s3cret", "TEST_KEY_ID": "id", "TEST_SECRET": "s3cret"}


@pytest.fixture(autouse=True)
def _in_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SET:
        monkeypatch.delenv(name, raising=False)
    Path(FILE).write_text(ATLAS)


def rules(*arguments: str) -> tuple[int, list[tuple[str, str]]]:
    """Return the exit status, and the files and rules of the problems."""
    result = run_mom([*VALIDATE, "--format", "json", *arguments])
    report = json.loads(result.stdout)
    return result.status, [(file["file"], each["rule"]) for file in report["files"] for each in file["problems"]]


def test_env_reports_each_variable_that_is_not_set_and_exits_with_1() -> None:
    result = run_mom([*VALIDATE, "--env", FILE])
    text = result.stdout.decode()
    assert result.status == 1
    for name in SET:
        assert f"error: the variable {name} is not set" in text
        assert f"hint: export {name}=…, or put it in a file: --env-file .env" in text
    assert "[unset-variable]" in text


def test_env_is_content_where_every_variable_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SET.items():
        monkeypatch.setenv(name, value)
    assert rules("--env", FILE) == (0, [])
    monkeypatch.setenv("OPENAI_API_TOKEN", "Bearer s3cret")
    monkeypatch.setenv("TEST_SECRET", "")
    result = run_mom([*VALIDATE, "--env", FILE])
    assert b"s3cret" not in result.stdout
    assert rules("--env", FILE) == (1, [(FILE, "empty-variable"), (FILE, "doubtful-variable")])


def test_an_env_file_counts_and_an_empty_variable_that_hides_its_value_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in SET.items()))
    assert rules("--env-file", ".env", FILE) == (0, [])
    monkeypatch.setenv("TEST_SECRET", "")
    assert rules("--env-file", ".env", FILE) == (1, [(FILE, "hidden-variable")])


def test_the_sources_of_a_run_are_those_of_validate(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the installed command: a command runs where this command line names it, once, and nowhere else."""
    Path("mounted").mkdir()
    Path("mounted/TEST_SECRET").write_text("s3cret\n")
    Path("id").write_text("id\n")
    named = ["--credential", "OPENAI_API_TOKEN=exec:sh -c 'echo run >> runs; echo s3cret'"]
    named += ["--credential", "TEST_KEY_ID=file:id"]

    def validated(*options: str) -> tuple[int, str]:
        done = subprocess.run([MOM, *VALIDATE, *options, FILE, FILE], capture_output=True, text=True, check=False)
        assert "s3cret" not in done.stdout + done.stderr
        return done.returncode, done.stdout

    assert validated(*named, "--credentials-dir", "mounted") == (0, "")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "mounted")
    assert validated(*named, "--env") == (0, "")
    assert Path("runs").read_text() == "run\nrun\n"
    Path("mounted/TEST_SECRET").unlink()
    Path("id").write_text("\n")
    failing = [*named[:1], "OPENAI_API_TOKEN=exec:sh -c 'echo no s3cret >&2; exit 3'", *named[2:]]
    status, text = validated(*failing)
    assert status == 1
    for words in (
        "the variable OPENAI_API_TOKEN has no value (header Authorization of openai): --credential",
        "the variable TEST_KEY_ID has no value",
        "the variable TEST_SECRET is not set",
    ):
        assert text.count(words) == 2, text


def test_without_env_no_variable_needs_to_be_set() -> None:
    assert rules(FILE) == (0, [])


def test_the_configurations_of_a_folder_are_checked_and_nothing_else() -> None:
    for path, text in {
        "teams/b/atlas.yaml": ATLAS.replace("baseUrl", "baseURL"),
        "teams/a.yml": ATLAS,
        "teams/adapter.yml": ATLAS[ATLAS.index("---\n") + 4 :],
        "teams/helm.yml": "a: {{ b }}\n",
        "teams/mentions.yml": "text: see moment.dev/atlas/v1alpha1\n",
        "teams/notes.txt": ATLAS.replace("kind", "kid"),
        "teams/.git/config.yml": "apiVersion: moment.dev/atlas/v1\nkind: x\n",
    }.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    result = run_mom([*VALIDATE, "teams", "--format", "json"])
    files = [file["file"] for file in json.loads(result.stdout)["files"]]
    assert files == ["teams/a.yml", "teams/adapter.yml", "teams/b/atlas.yaml"]
    assert result.status == 1
    assert rules("teams")[1] == [("teams/adapter.yml", "no-atlas"), ("teams/b/atlas.yaml", "unknown-key")]


def test_each_file_of_a_folder_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("teams").mkdir()
    for name in ("a.yml", "b.yml"):
        Path("teams", name).write_text(ATLAS)
    parsed: list[str] = []
    read = documents.read

    def counted(source: Source) -> documents.Stream:
        parsed.append(source.name)
        return read(source)

    monkeypatch.setattr(documents, "read", counted)
    assert rules("teams", "--env")[0] == 1
    assert parsed == ["teams/a.yml", "teams/b.yml"]


def test_a_folder_that_cannot_be_read_hides_no_problem_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("teams/locked").mkdir(parents=True)
    Path("teams/a.yml").write_text(ATLAS.replace("baseUrl", "baseURL"))
    scandir = os.scandir

    def refused(path: str) -> Any:
        # For the superuser every folder can be read.
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert rules("teams") == (1, [("teams/a.yml", "unknown-key"), ("teams", "file")])


def test_a_folder_without_a_configuration_is_a_problem() -> None:
    Path("empty").mkdir()
    assert rules("empty", FILE) == (1, [("empty", "file")])
    assert b"hint: only *.yml and *.yaml files" in run_mom([*VALIDATE, "empty"]).stdout


def test_a_missing_file_among_several_is_one_problem_among_the_others() -> None:
    Path("bad.yml").write_text(ATLAS.replace("baseUrl", "baseURL"))
    Path("locked.yml").write_bytes(b"\xff")
    status, problems = rules("missing.yml", FILE, "bad.yml", "locked.yml", "no/such/folder/")
    assert status == 1
    assert problems == [
        ("missing.yml", "file"),
        ("bad.yml", "unknown-key"),
        ("locked.yml", "file"),
        ("no/such/folder/", "file"),
    ]
    text = run_mom([*VALIDATE, "missing.yml", "bad.yml", "locked.yml"]).stdout.decode()
    assert text.count("  hint: ") == 3


def test_the_installed_command_fixes_a_folder(tmp_path: Path) -> None:
    Path("teams").mkdir()
    Path("teams/a.yml").write_text(ATLAS.replace("baseUrl", "baseURL"))
    command = [MOM, *VALIDATE, "--fix", "--diff", "teams"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "+  baseUrl: https://api.openai.com" in done.stdout
    assert Path("teams/a.yml").read_text() == ATLAS


@pytest.mark.parametrize("name", ["x" * 300, "a\nb", "no\0name"], ids=["long", "two lines", "NUL"])
def test_a_name_that_no_file_can_have_is_a_problem(name: str) -> None:
    result = run_mom([*VALIDATE, name])
    assert result.status == 1
    assert b"internal error" not in result.stdout + result.stderr.encode()
    assert b"[file]" in result.stdout
