"""What a run says at its start of things that do not work as elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mom.envoy.options import Listen, Options
from mom.run.notes import notes
from mom.run.plan import Plan
from tests.envoy.configurations import configuration, http, provider
from tests.run.mom_run import mom_run

APIS = {"a": "https://api.corp.test", "b": "https://other.test:8443", "c": "https://localhost:9"}


def said(apis: Mapping[str, str], environ: Mapping[str, str], open_files: int = 1_048_576) -> list[str]:
    """Return the notes for a configuration of `apis`."""
    given = configuration(*(http(name, base_url) for name, base_url in apis.items()))
    known = Options(
        listen=Listen("127.0.0.1", 8082), ca_file="/etc/ssl/certs/ca-certificates.crt", open_files=open_files
    )
    return list(notes(Plan(given, known, {}, ()), environ))


def without_proxy(variable: str, names: str) -> str:
    """Return the note about a proxy."""
    return f"{variable} has no effect: Atlas connects directly to {names}"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": ""}, ""),
        ({"HTTPS_PROXY": "http://user:secret@proxy:3128"}, "HTTPS_PROXY a, b"),
        ({"https_proxy": "http://proxy:3128"}, "https_proxy a, b"),
        ({"ALL_PROXY": "socks5://proxy"}, "ALL_PROXY a, b"),
        ({"HTTP_PROXY": "http://proxy", "http_proxy": "http://proxy"}, ""),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "corp.test"}, "HTTPS_PROXY b"),
        ({"HTTPS_PROXY": "http://proxy", "no_proxy": " .corp.test, other.test:8443"}, ""),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "orp.test,*.other.test"}, "HTTPS_PROXY a"),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "*"}, ""),
    ],
)
def test_proxy_variables_that_have_no_effect(environ: Mapping[str, str], named: str) -> None:
    variable, _, apis = named.partition(" ")
    expected = [without_proxy(variable, apis)] if named else []
    assert said(APIS, environ) == expected


def test_no_note_contains_the_value_of_a_variable() -> None:
    environ = {"HTTPS_PROXY": "http://user:secret@proxy:3128", "SSL_CERT_DIR": "/secret"}
    assert "secret" not in " ".join(said(APIS, environ))


def test_a_proxy_for_plain_http() -> None:
    assert said({"a": "http://api.test"}, {"http_proxy": "x"})[0] == (without_proxy("http_proxy", "a"))


def test_the_keys_of_an_identity_provider_come_without_a_proxy_too() -> None:
    known = Options(listen=Listen("127.0.0.1", 8082), ca_file="/etc/ssl/certs/ca-certificates.crt")
    for keys, expected in (("https://idp.test/jwks", [without_proxy("ALL_PROXY", "the keys of idp")]), ("k.json", [])):
        given = configuration(http("a", "https://localhost:1"), providers=(provider(keys),))
        assert list(notes(Plan(given, known, {}, ()), {"ALL_PROXY": "http://proxy"})) == expected


@pytest.mark.parametrize(
    ("directory", "expected"), [("/etc/ssl/certs", False), ("/etc/ssl/certs/", False), ("/corp/certs", True)]
)
def test_a_folder_of_certificates(directory: str, expected: bool) -> None:
    assert bool(said(APIS, {"SSL_CERT_DIR": directory})) == expected


def test_plain_http_apis_get_http_1() -> None:
    (note,) = said({f"api{number}": "http://localhost:1" for number in range(5)}, {})
    assert note.startswith("api0, api1, api2 and 2 more: plain http APIs get HTTP/1.1")


def test_few_open_files() -> None:
    assert said(APIS, {}, open_files=10_240) == []
    assert said(APIS, {}, open_files=1_024)[0].startswith("480 client connections at most, since 1024 files may")


def test_a_run_prints_them_on_stderr(tmp_path: Path) -> None:
    with mom_run(tmp_path, environ={"HTTPS_PROXY": "http://u:hunter2@proxy.test", "SSL_CERT_DIR": "/none"}) as run:
        run.configure({"api": ("https://api.test", {})})
        run.start()
        assert f"note: {without_proxy('HTTPS_PROXY', 'api')}\n" in run.text
        assert "note: SSL_CERT_DIR has no effect" in run.text
        assert "hunter2" not in run.text


def test_values_of_the_wrong_form_are_reported_at_the_start_and_not_repeated(tmp_path: Path) -> None:
    with mom_run(tmp_path, environ={"TOKEN": "Bearer hunter2", "KEY": "'hunter2'"}) as run:
        run.configure({"api": ("https://api.test", {"Authorization": "Bearer ${{ TOKEN }}", "X-Key": "${{ KEY }}"})})
        run.start()
        assert "warning: the variable TOKEN begins with `Bearer`, which the header already has" in run.text
        assert "warning: the variable KEY has quotes around its value" in run.text
        assert "hunter2" not in run.text
