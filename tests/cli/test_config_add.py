"""`mom atlas config add`: its options, what it says, what it refuses. For what it writes, see `test_round_trip`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.golden import MOM, run_mom
from tests.samples import EMPTY

ATLAS = EMPTY.encode()


def test_the_installed_command_adds_once_and_then_finds_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "atlas.yml").write_bytes(ATLAS)
    command = [MOM, "atlas", "config", "add", "openai", "-f", "atlas.yml"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    text, time = (tmp_path / "atlas.yml").read_text(), (tmp_path / "atlas.yml").stat().st_mtime_ns
    second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (first.returncode, first.stdout) == (0, "")
    assert "OPENAI_API_TOKEN: API key of a project or a service account, see https://" in first.stderr
    assert "https://platform.openai.com/settings/organization/api-keys" in first.stderr
    assert "value: Bearer ${{ OPENAI_API_TOKEN }}\n" in text
    assert second.returncode == 0
    assert "already configured" in second.stderr
    assert (tmp_path / "atlas.yml").stat().st_mtime_ns == time


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "atlas.yml").write_bytes(ATLAS)
    return tmp_path / "atlas.yml"


def test_the_options_of_every_edit_mean_here_what_they_mean_elsewhere(here: Path) -> None:
    add = ["atlas", "config", "add", "github", "-f", "atlas.yml"]
    planned = run_mom([*add, "-n"])
    assert (planned.status, here.read_bytes()) == (0, ATLAS)
    assert b"+  baseUrl: https://api.github.com\n" in planned.stdout
    assert run_mom([*add, "--check", "-q"]).status == 3
    assert here.read_bytes() == ATLAS
    report = json.loads(run_mom([*add, "--format", "json", "--adapter-name", "gh"]).stdout)
    assert report["adapter"] == {"kind": "HTTP", "name": "gh", "baseUrl": "https://api.github.com"}
    assert report["integration"] == "github"
    assert report["obtain"] == {"GITHUB_TOKEN": "https://github.com/settings/personal-access-tokens"}
    assert report["written"] is True
    quiet = run_mom([*add, "-q", "--adapter-name", "other"])
    assert (quiet.status, quiet.stdout, quiet.stderr) == (0, b"", "")


def test_every_part_can_be_overridden_and_is_written_so(here: Path) -> None:
    words = ["atlas", "config", "add", "openai", "-f", "atlas.yml", "--adapter-name", "ai"]
    words += ["--base-url", "https://eu.api.openai.com", "-H", "Authorization: Bearer ${{ MY_KEY }}", "-H", "X-Team: a"]
    done = run_mom(words)

    assert done.status == 0
    text = here.read_text()
    assert "baseUrl: https://eu.api.openai.com\n" in text
    assert "value: Bearer ${{ MY_KEY }}\n" in text
    assert "OPENAI_API_TOKEN" not in text
    assert "name: X-Team\n" in text
    assert "platform.openai.com" not in done.stderr


def test_optional_headers_are_named_together_or_apart() -> None:
    add = ["atlas", "config", "add", "openai", "-q", "-f", "-"]
    together = run_mom([*add, "--with", "organization,project"], ATLAS)
    apart = run_mom([*add, "--with", "organization", "--with", "PROJECT"], ATLAS)

    assert b"name: OpenAI-Project\n" in together.stdout
    assert (together.status, together.stdout) == (0, apart.stdout)


def test_a_url_of_another_domain_is_a_warning_that_names_the_credential(here: Path) -> None:
    add = ["atlas", "config", "add", "openai", "-f", "atlas.yml", "--base-url"]
    report = json.loads(run_mom([*add, "https://llm.example.com", "-n", "--format", "json"]).stdout)
    expected = "OPENAI_API_TOKEN would be sent to https://llm.example.com; openai is at api.openai.com"

    assert report["warnings"] == [expected]
    assert "warning" not in run_mom([*add, "https://eu.api.openai.com", "-n"]).stderr
    assert here.read_bytes() == ATLAS


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["opnai"], 2, "the catalog has no API 'opnai'"),
        (["../openai"], 2, "the catalog has no API '../openai'"),
        (["atlas.yml"], 2, "the catalog has no API 'atlas.yml'"),
        (["a\x1b[31m"], 2, "the catalog has no API 'a\\x1b[31m'"),
        (["sk-abcdefghijklmnop"], 2, "the catalog has no API '***"),
        (["openai", "-H", "sk-abcdefghijklmnop: "], 2, "the value is empty"),
        (["openai", "-H", "X-A: 1", "-H", "x-a: 2"], 2, "duplicate header `x-a`"),
        (["weaviate"], 2, "weaviate needs --set host=…, REST endpoint of the cluster"),
        (["mailchimp", "--set", "datacenter=evil.example/"], 2, "--set datacenter: `evil.example/`"),
        (["mailchimp", "--set", "datacenter=a\nb"], 2, "--set datacenter: `a"),
        (["openai", "--set", "host=x"], 2, "--set: openai has no placeholder `host`"),
        (["openai", "--with", "org"], 2, "--with: openai has no optional header `org`"),
        (["openai", "--base-url", "https://user:pw@x.example"], 2, "--base-url: the base URL"),
        (["openai", "-H", "Authorization: Bearer sk-abcdefghijklmnop"], 1, "API key"),
        (["openai", "--adapter-name", "a/b"], 2, "--adapter-name"),
    ],
)
def test_what_cannot_be_added_is_one_error_and_no_change(
    words: list[str], status: int, message: str, here: Path
) -> None:
    done = run_mom(["atlas", "config", "add", *words, "-f", "atlas.yml"])

    assert (done.status, done.stdout) == (status, b"")
    assert message in done.stderr
    assert done.stderr.count("error: ") == 1
    assert "sk-abcdefghijklmnop" not in done.stderr
    assert "\x1b" not in done.stderr
    assert here.read_bytes() == ATLAS
