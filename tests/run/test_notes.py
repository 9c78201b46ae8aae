"""What a run says at its start of things that do not work as elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from mom.envoy.options import Listen, Options
from mom.envoy.translate import upstreams
from mom.run.notes import notes
from mom.run.plan import Plan
from mom.run.proxies import Proxies
from tests.envoy.configurations import configuration, http
from tests.run.mom_run import mom_run, replace

APIS = {"a": "https://api.corp.test", "b": "https://other.test:8443", "c": "https://localhost:9"}


def said(
    apis: Mapping[str, str], environ: Mapping[str, str], open_files: int = 1_048_576, *, verbose: bool = False
) -> list[str]:
    """Return the notes for a configuration of `apis`."""
    given = configuration(*(http(name, base_url) for name, base_url in apis.items()))
    known = Options(
        listen=Listen("127.0.0.1", 8082), ca_file="/etc/ssl/certs/ca-certificates.crt", open_files=open_files
    )
    return list(notes(Plan(given, known, {}, ()), environ, verbose=verbose))


def without_proxy(names: str) -> str:
    """Return the note about a variable that is not used."""
    return f"ALL_PROXY has no effect, HTTPS_PROXY has: Atlas connects directly to {names}"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, ""),
        ({"ALL_PROXY": ""}, ""),
        ({"ALL_PROXY": "socks5://user:secret@proxy"}, "a, b"),
        ({"ALL_PROXY": "socks5://proxy", "NO_PROXY": "corp.test"}, "b"),
        ({"ALL_PROXY": "socks5://proxy", "https_proxy": "http://proxy"}, ""),
    ],
)
def test_a_proxy_variable_that_has_no_effect(environ: Mapping[str, str], named: str) -> None:
    assert said(APIS, environ) == ([without_proxy(named)] if named else [])


def test_which_apis_a_proxy_leads_to() -> None:
    given = configuration(*(http(name, base_url) for name, base_url in APIS.items()))
    proxies = Proxies({"HTTPS_PROXY": "proxy:3128", "NO_PROXY": "other.test"}, lambda _host, _port: "192.0.2.9")
    known = Options(listen=Listen("127.0.0.1", 8082), ca_file="/etc/ssl/certs/ca-certificates.crt")
    keys = [(upstream.origin, upstream.proxy) for upstream in upstreams(given, known)]
    options = dataclasses.replace(known, proxies=proxies.of(keys))
    assert list(notes(Plan(given, options, {}, ()), {})) == ["through the proxy proxy:3128: a"]


def test_that_plain_http_apis_get_http_1_is_said_to_those_who_want_to_know_more() -> None:
    apis = {f"api{number}": "http://localhost:1" for number in range(5)}
    assert said(apis, {}) == []
    (note,) = said(apis, {}, verbose=True)
    assert note.startswith("api0, api1, api2 and 2 more: plain http APIs get HTTP/1.1")


def test_few_open_files() -> None:
    assert said(APIS, {}, open_files=10_240) == []
    assert said(APIS, {}, open_files=1_024)[0].startswith("480 client connections at most, since 1024 files may")


def test_a_run_prints_them_on_stderr(tmp_path: Path) -> None:
    with mom_run(tmp_path, environ={"ALL_PROXY": "http://u:hunter2@proxy.test"}) as run:
        run.configure({"a": ("https://api.test", {})})
        run.start()
        assert f"note: {without_proxy('a')}\n" in run.text
        assert "hunter2" not in run.text


def test_values_of_the_wrong_form_are_reported_at_the_start_and_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2")
    github = "the variable GITHUB_TOKEN does not look like a GitHub credential"
    with mom_run(tmp_path, environ={"TOKEN": "Bearer hunter2", "KEY": "'hunter2'"}) as run:
        run.configure(
            {
                "api": ("https://api.test", {"Authorization": "Bearer ${{ TOKEN }}", "X-Key": "${{ KEY }}"}),
                "github": ("https://api.github.com", {"Authorization": "token ${{ GITHUB_TOKEN }}"}),
            }
        )
        run.start("--credential", "GITHUB_TOKEN=file:token")
        assert run.text.count(github) == 1
        # As at the start, so when it changes.
        replace(tmp_path / "token", "hunter22")
        run.wait(github, count=2)
        assert "warning: the variable TOKEN begins with `Bearer`, which the header already has" in run.text
        assert "warning: the variable KEY has quotes around its value" in run.text
        assert "hunter2" not in run.text
