"""What `validate` says of `basicAuth`, `query`, `tls` and `http2`, and what of them is hidden and compared."""

from __future__ import annotations

import pytest

from mom.atlas.adapters import encoded, kind_of
from mom.atlas.edit.change import HttpChanges, change_http_adapter
from mom.atlas.load import load
from mom.atlas.validate import validate
from mom.errors import MomError
from mom.run.redaction import redaction
from mom.yamledit.source import Source

ATLAS = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata:
  name: atlas
spec:
  apiAdapters:
  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: it}
---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: it
spec:
  baseUrl: https://api.example.com
"""
GOOD = """\
  basicAuth:
    username: ${{ WHO }}@example.com/token
    password: ${{ PASSWORD }}
  query:
  - name: api_key
    value: ${{ KEY }}
  - name: format
    value: json
"""


def source(spec: str) -> Source:
    """Return a file with one adapter that has `spec` beside its base URL."""
    return Source("atlas.yml", ATLAS + spec)


@pytest.mark.parametrize(
    "spec",
    [
        GOOD,
        "  basicAuth: {username: '${{ TOKEN }}'}\n",
        "  basicAuth: {username: api, password: '${{ TOKEN }}'}\n  headers:\n  - {name: X-Key, value: '${{ A }}'}\n",
        "  query:\n",
        "  tls: {caFile: ca.pem, certFile: client.pem, keyFile: client.key}\n",
    ],
)
def test_what_is_valid(spec: str) -> None:
    assert validate(source(spec)) == []


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("  basicAuth: x\n", [("wrong-type", "spec.basicAuth")]),
        ("  basicAuth: {user: a, username: b}\n", [("unknown-key", "spec.basicAuth.user")]),
        ("  basicAuth: {password: '${{ A }}'}\n", [("missing-key", "spec.basicAuth")]),
        ("  basicAuth: {username: 'a:b'}\n", [("credential-value", "spec.basicAuth.username")]),
        ('  basicAuth: {username: "a\\nb"}\n', [("credential-value", "spec.basicAuth.username")]),
        ("  basicAuth: {username: a, password: hunter22}\n", [("literal-secret", "spec.basicAuth.password")]),
        ("  basicAuth: {username: '${{ }}'}\n", [("environment-reference", "spec.basicAuth.username")]),
        (
            "  headers:\n  - {name: authorization, value: '${{ A }}'}\n  basicAuth: {username: a}\n",
            [("several-credentials", "spec.basicAuth")],
        ),
        ("  tls: {}\n", [("wrong-value", "spec.tls")]),
        ("  tls: {certFile: a.pem}\n", [("tls-files", "spec.tls")]),
        ("  tls: {caFile: '${{ CA }}'}\n", [("tls-files", "spec.tls.caFile")]),
        ("  http2: prior-knowledge\n", [("http2-over-tls", "spec.http2")]),
        ("  http2: true\n", [("unknown-value", "spec.http2")]),
        ("  query: [{name: key}]\n", [("missing-key", "spec.query[0]")]),
        ("  query: [{name: '', value: a}]\n", [("wrong-value", "spec.query[0].name")]),
        ("  query: [{name: key, value: ''}]\n", [("wrong-value", "spec.query[0].value")]),
        ("  query: [{name: api_key, value: abc}]\n", [("literal-secret", "spec.query[0].value")]),
        ("  query: [{name: a, value: b}, {name: a, value: c}]\n", [("repeated-parameter", "spec.query[1].name")]),
        ('  query: [{name: a, value: "b\\rc"}]\n', [("credential-value", "spec.query[0].value")]),
        ("  query: [{name: a, value: '${{ PATH }}'}]\n", [("environment-reference", "spec.query[0].value")]),
    ],
)
def test_what_is_not(spec: str, found: list[tuple[str, str]]) -> None:
    assert [(problem.rule, problem.path) for problem in validate(source(spec))] == found


def test_no_report_shows_a_password() -> None:
    (problem,) = validate(source("  basicAuth: {username: a, password: hunter22}\n"))
    assert "hunter22" not in f"{problem.message} {problem.hint} {problem.excerpt}"


def test_both_are_read_and_what_is_sent_is_hidden() -> None:
    variables = {"WHO": "me", "PASSWORD": "pä", "KEY": "a b/c"}
    configuration = load(source(GOOD))
    (adapter,) = configuration.adapters
    assert list(encoded(adapter, variables)) == ["bWVAZXhhbXBsZS5jb20vdG9rZW46cMOk", "a%20b%2Fc", "json"]
    hide = redaction(configuration, variables)
    assert hide("Basic bWVAZXhhbXBsZS5jb20vdG9rZW46cMOk ?api_key=a%20b%2Fc") == "Basic *** ?api_key=***"


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("PASSWORD }}", "OTHER }}", ["basicAuth"]),
        ("value: json", "value: xml", ["query"]),
        ("  query:\n  - name: api_key", "  headers: []\n  query:\n  - name: api_key", []),
    ],
)
def test_what_changed_is_named(old: str, new: str, parts: list[str]) -> None:
    (before,), (after,) = (load(source(text)).adapters for text in (GOOD, GOOD.replace(old, new)))
    assert kind_of(before).differences(before, after) == parts


@pytest.mark.parametrize(
    ("spec", "changes", "said"),
    [
        (GOOD, HttpChanges(headers=(("Authorization", "Bearer ${{ A }}"),)), "exclude each other"),
        ("  tls: {caFile: ca.pem}\n", HttpChanges(base_url="http://127.0.0.1:1"), "plain http"),
    ],
)
def test_set_refuses_what_would_not_be_valid(spec: str, changes: HttpChanges, said: str) -> None:
    with pytest.raises(MomError) as caught:
        change_http_adapter(source(spec), "it", changes)
    assert said in caught.value.message
