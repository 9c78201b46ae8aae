"""`mom atlas config integrations`: the table, an entry in full, and completion."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess

import pytest

from mom.catalog import loader
from mom.cli.config_integrations import _page
from mom.console import Console
from tests.golden import MOM, run_mom


def test_the_table_in_a_pipe_is_plain_and_has_every_entry() -> None:
    done = run_mom(["atlas", "config", "integrations"])
    lines = done.stdout.decode().splitlines()

    assert done.status == 0
    assert lines[0].split() == ["NAME", "API", "VARIABLES"]
    assert [line.split()[0] for line in lines[1:]] == list(loader.names())
    assert max(map(len, lines)) <= 90
    assert done.stdout.isascii()


def test_the_table_as_json() -> None:
    listed = json.loads(run_mom(["atlas", "config", "integrations", "--format", "json"]).stdout)

    assert [entry["name"] for entry in listed] == list(loader.names())
    openai = next(entry for entry in listed if entry["name"] == "openai")
    assert openai["variables"] == ["OPENAI_API_TOKEN"]
    assert openai["baseUrl"] == "https://api.openai.com"


def test_the_table_on_a_terminal_fits_it() -> None:
    """A pseudo-terminal of the test's own: what it is attached to does not matter."""
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "COLUMNS": "60", "TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen([MOM, "atlas", "config", "integrations"], stdout=theirs, env=environment) as process:
        os.close(theirs)
        text = b""
        while part := _read(ours):
            text += part
    os.close(ours)
    lines = text.decode().replace("\r", "").split("\n")

    assert process.returncode == 0
    assert all(len(line) <= 60 for line in lines)
    assert any("─" in line for line in lines)
    assert any(line.split()[:1] == ["openai"] for line in lines)
    assert "\033[" not in text.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        # Linux reports the end of a terminal so.
        return b""


def test_an_entry_in_full_says_what_to_create_and_how_it_is_added_and_tested() -> None:
    page = run_mom(["atlas", "config", "integrations", "openai"]).stdout.decode()

    for part in (
        "https://platform.openai.com/settings/organization/api-keys",
        "mom atlas config add openai",
        "mom curl /v1/apis/http/openai/v1/models",
        "atlasProxyFetch(`/v1/apis/http/${httpAdapterName}/v1/models`)",
        "from openai import OpenAI",
        'BASE_URL = "http://127.0.0.1:8082/v1/apis/http/openai/v1"',
        "organization: OpenAI-Organization",
    ):
        assert part in page, part


def test_every_page_fits_80_columns_but_for_urls_and_commands() -> None:
    console = Console(io.StringIO(), io.StringIO(), {})
    for entry in loader.all_integrations():
        for line in _page(entry, console):
            long = len(line) > 80 and "http" not in line and "/v1/apis/" not in line and "query" not in line
            assert not long, (entry.name, line)


def test_an_entry_as_json_has_what_its_file_has_and_the_commands() -> None:
    entry = json.loads(run_mom(["atlas", "config", "integrations", "slack", "--format", "json"]).stdout)

    assert entry["smoke"] == {
        "method": "POST",
        "path": "/api/auth.test",
        "status": 200,
        "proof": {"at": "ok", "equals": True},
    }
    assert entry["commands"]["test"] == "mom curl /v1/apis/http/slack/api/auth.test -X POST"


def test_the_calls_of_a_page_go_to_the_gateway_of_mom_curl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOM_BASE_URL", "https://atlas.example.com/team/")
    page = run_mom(["atlas", "config", "integrations", "openai"]).stdout.decode()
    assert 'BASE_URL = "https://atlas.example.com/team/v1/apis/http/openai/v1"' in page
    assert "mom curl /v1/apis/http/openai/v1/models\n" in page

    monkeypatch.setenv("MOM_BASE_URL", 'http://x\x1b[31m"; rm -rf')
    done = run_mom(["atlas", "config", "integrations", "openai"])
    assert (done.status, done.stdout) == (2, b"")
    assert "\x1b" not in done.stderr


def test_an_unknown_name_is_an_error_with_the_nearest_ones() -> None:
    done = run_mom(["atlas", "config", "integrations", "claude"])

    assert (done.status, done.stdout) == (2, b"")
    assert "did you mean anthropic?" in done.stderr


def test_names_are_completed() -> None:
    environment = {
        **os.environ,
        "_MOM_COMPLETE": "complete_bash",
        "COMP_WORDS": "mom atlas config add git",
        "COMP_CWORD": "4",
    }
    done = subprocess.run([MOM], env=environment, capture_output=True, text=True, check=False)

    assert done.stdout.split() == ["github", "gitlab"], done.stderr
