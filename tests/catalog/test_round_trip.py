"""Every entry from the command to the API: added, validated, served by a real Envoy, called by `mom curl`.

A server on loopback stands in the place of all APIs, and has what each would get. One run serves all entries, and one
`mom curl` calls them, so that the whole takes seconds.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from mom.atlas.edit.add import add_adapter
from mom.atlas.references import Reference, scan
from mom.catalog import loader, snippets
from mom.catalog.integration import Integration, filled
from mom.cli.http_adapter import read_adapter
from mom.yamledit.source import Source
from tests.curl.recorder import Recorder, Request
from tests.golden import MOM, read_command, run_mom
from tests.run.mom_run import MomRun, mom_run
from tests.samples import EMPTY, atlas

ENTRIES = loader.all_integrations()
# What each variable has: nothing that a header could contain by accident.
VALUES = {variable.name: f"value-of-{variable.name}" for entry in ENTRIES for variable in entry.variables}
VALUES["MAILCHIMP_API_KEY"] = "YW55c3RyaW5nOmtleQ=="


def example(entry: Integration) -> dict[str, str]:
    """Return a value for each placeholder."""
    return {each.name: each.example for each in entry.placeholders}


def headers(entry: Integration) -> list[tuple[str, str]]:
    """Return every header of the entry, optional ones too, as Atlas is to have it."""
    pairs = [(each.name, each.value) for each in entry.headers]
    pairs += [(each.name, each.value) for each in entry.optional_headers]
    return [(name, filled(value, example(entry))) for name, value in pairs]


def path_of(entry: Integration) -> str:
    """Return the path of the entry's base URL."""
    path = "" if entry.base_url.startswith("{") else entry.base_url.partition("://")[2].partition("/")[2]
    return f"/{path}" if path else ""


@pytest.fixture(scope="module")
def added() -> Mapping[str, str]:
    """Return what `mom atlas config add` makes of an empty configuration, for every entry, with every option."""
    texts = {}
    for entry in ENTRIES:
        options = [word for name, value in example(entry).items() for word in ("--set", f"{name}={value}")]
        options += [word for each in entry.optional_headers for word in ("--with", each.key)]
        done = run_mom(["atlas", "config", "add", entry.name, "-q", "-f", "-", *options], EMPTY.encode())
        assert (done.status, done.stderr) == (0, ""), entry.name
        texts[entry.name] = done.stdout.decode()
    return texts


def test_every_entry_is_written_as_the_guides_command_writes_it(added: Mapping[str, str]) -> None:
    """Byte by byte; the guide's command itself for some, what it calls for all."""
    for number, entry in enumerate(ENTRIES):
        guide = [f"{name}: {value}" for name, value in headers(entry)]
        url = filled(entry.base_url, example(entry))
        basic = f"{entry.basic_auth.username}:{entry.basic_auth.password}" if entry.basic_auth else None
        query = [f"{each.name}={each.value}" for each in entry.query]
        adapter = read_adapter(entry.name, url, guide, basic_auth=basic, query=query)
        if entry.oauth2 is not None:
            assert f"    tokenUrl: {filled(entry.oauth2.token_url, example(entry))}\n" in added[entry.name]
            continue
        edit = add_adapter(Source("-", EMPTY), adapter)
        assert added[entry.name] == edit.text, entry.name
        if number % 12 == 0:
            words = ["--adapter-name", entry.name, "--base-url", url]
            words += [word for each in guide for word in ("-H", each)]
            words += ["--basic-auth", basic] if basic is not None else []
            words += [word for each in query for word in ("--query", each)]
            done = run_mom(["atlas", "config", "add-http-adapter", "-f", "-", *words], EMPTY.encode())
            assert done.stdout.decode() == added[entry.name]


@pytest.fixture(scope="module")
def api() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture(scope="module")
def run(api: Recorder, added: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[MomRun]:
    """Return a run of all entries, each with a path of its own at the server in the place of its API."""
    folder = tmp_path_factory.mktemp("catalog")
    text = atlas(*(entry.name for entry in ENTRIES))
    for entry in ENTRIES:
        document = added[entry.name].partition("\n---\n")[2]
        line = f"  baseUrl: {filled(entry.base_url, example(entry))}\n"
        assert line in document
        if entry.oauth2 is not None:
            url = f"    tokenUrl: {filled(entry.oauth2.token_url, example(entry))}\n"
            document = document.replace(url, f"    tokenUrl: {api.url}/token/{entry.name}\n")
        text += "---\n" + document.replace(line, f"  baseUrl: {api.url}/{entry.name}{path_of(entry)}\n")
    (folder / "atlas.yml").write_text(text)
    done = run_mom(["atlas", "config", "validate", str(folder / "atlas.yml")])
    assert done.status == 0, done.stdout
    with mom_run(folder, environ=VALUES) as made:
        made.start()
        yield made


def call_of(entry: Integration, run: MomRun) -> snippets.Call:
    return snippets.smoke_call(entry, gateway=f"http://127.0.0.1:{run.port}")


def environment(run: MomRun) -> dict[str, str]:
    return {
        "PATH": f"{Path(MOM).parent}{os.pathsep}{os.environ['PATH']}",
        "MOM_HOME": run.environ["MOM_HOME"],
        "MOM_BASE_URL": f"http://127.0.0.1:{run.port}",
        "HOME": str(run.folder),
    }


def with_variables(text: str) -> str:
    """Return a header's value as Atlas sends it."""
    return "".join(VALUES[part.name] if isinstance(part, Reference) else str(part) for part in scan(text))


def check(entry: Integration, request: Request) -> None:
    """Insist that the API got the entry's smoke request, with its credentials and without the caller's token."""
    path = f"/{entry.name}{path_of(entry)}{entry.smoke.path}"
    for each in entry.query:
        path += f"{'&' if '?' in path else '?'}{each.name}={with_variables(each.value)}"
    assert (request.method, request.target) == (entry.smoke.method, path)
    expected = {each.name: each.value for each in entry.smoke.headers}
    expected |= {name: with_variables(value) for name, value in headers(entry)}
    if basic := entry.basic_auth:
        pair = f"{with_variables(basic.username)}:{with_variables(basic.password)}"
        expected["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    if entry.oauth2 is not None:
        expected["Authorization"] = f"Bearer token-of-{entry.name}"
    for name, value in expected.items():
        assert request.all(name) == [value], (entry.name, name)
    assert request.tokens == []
    assert request.body == (entry.smoke.body or "").encode()
    lower = {name.lower() for name in expected}
    assert not [name for name, value in request.headers if "value-of-" in value and name.lower() not in lower]
    if "authorization" not in lower:
        assert request.all("Authorization") == []


def test_every_api_gets_exactly_the_smoke_request_with_its_credentials(run: MomRun, api: Recorder) -> None:
    words: list[str] = []
    for entry in ENTRIES:
        # The command as a user pastes it, without `mom curl`.
        words += ["--next"] if words else ["--fail", "--silent", "--show-error"]
        words += [*read_command(snippets.mom_curl(call_of(entry, run)))[1:], "-o", os.devnull]
    before = len(api.requests)
    done = subprocess.run(
        [MOM, "curl", *words], env=environment(run), cwd=run.folder, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    got = [request for request in api.requests[before:] if not request.target.startswith("/token/")]
    assert len(got) == len(ENTRIES)
    # Each token is asked for with the client's own credentials, and what the API wants besides.
    for entry in ENTRIES:
        if entry.oauth2 is not None:
            (asked, *_) = [each for each in api.requests if each.target == f"/token/{entry.name}"]
            form = dict(parse_qsl(asked.body.decode()))
            wanted = {each.name: filled(each.value, example(entry)) for each in entry.oauth2.parameters}
            wanted |= {"client_id": with_variables(entry.oauth2.client_id)}
            wanted |= {"client_secret": with_variables(entry.oauth2.client_secret)}
            assert wanted.items() <= form.items()
            assert form.get("scope", "").split() == list(entry.oauth2.scopes)
    for entry, request in zip(ENTRIES, got, strict=True):
        check(entry, request)
    # Some by hand, as their vendors document them.
    sent = {request.target.split("/")[1]: request for request in got}
    assert sent["openai"].all("Authorization") == ["Bearer value-of-OPENAI_API_TOKEN"]
    assert sent["openai"].all("OpenAI-Organization") == ["value-of-OPENAI_ORG_ID"]
    assert sent["pagerduty"].all("Authorization") == ["Token token=value-of-PAGERDUTY_ACCOUNT_TOKEN"]
    assert sent["lever"].all("Authorization") == ["Basic dmFsdWUtb2YtTEVWRVJfQVBJX0tFWTo="]
    assert sent["openweather"].target == "/openweather/data/2.5/weather?q=London&appid=value-of-OPENWEATHER_API_KEY"
    assert sent["cloudflare"].target == "/cloudflare/client/v4/user/tokens/verify"
    assert sent["linear"].body == b'{"query":"{ viewer { id } }"}'
    assert sent["trello"].all("Authorization") == [
        'OAuth oauth_consumer_key="value-of-TRELLO_API_KEY", oauth_token="value-of-TRELLO_TOKEN"'
    ]


@pytest.mark.parametrize("name", ["slack", "infracost"])
def test_what_can_be_pasted_makes_the_same_request(name: str, run: MomRun, api: Recorder) -> None:
    """With curl alone and with Python alone: a POST without a body, and one whose body has quotes."""
    entry = loader.get(name)
    call = call_of(entry, run)
    for program in (["sh", "-c", snippets.curl(call)], [sys.executable, "-c", snippets.python(call)]):
        before = len(api.requests)
        done = subprocess.run(
            program, env=environment(run), cwd=run.folder, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        (request,) = api.requests[before:]
        check(entry, request)


def test_a_redirect_does_not_get_the_token_of_the_python_call(api: Recorder, run: MomRun) -> None:
    """urllib repeats other headers at any host (see docs/clients.md)."""
    other = Recorder()
    try:
        call = snippets.Call(api.url, "x", "GET", f"/redirect?to={other.url}/elsewhere")
        done = subprocess.run(
            [sys.executable, "-c", snippets.python(call)],
            env=environment(run),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert len(api.requests[-1].tokens) == 1
        assert [(request.target, request.tokens) for request in other.requests] == [("/elsewhere", [])]
    finally:
        other.close()
