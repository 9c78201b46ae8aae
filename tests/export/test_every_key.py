"""Every key of a configuration counts in an export, or is refused with its line: none is passed over in silence."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mom.atlas.schema_files import read_schema
from mom.envoy.options import Listen
from mom.export import envoy, refusals
from mom.export.model import Layout, Source
from mom.export.source import read
from mom.yamledit.source import decode
from tests import samples
from tests.envoy.certificates import self_signed

PROVIDER = """\
  identityProviders:
  - idp:
      issuer: https://idp.test/
      audience: https://atlas.test
      publicKey: https://idp.test/jwks
"""
# Of an HTTP adapter: what to add to `baseUrl: https://api.test`.
HTTP = {
    "headers": "headers: [{name: X-Key, value: '${{ TOKEN }}'}]",
    "basicAuth": "basicAuth: {username: me, password: '${{ TOKEN }}'}",
    "query": "query: [{name: key, value: '${{ TOKEN }}'}]",
    "oauth2": "oauth2: {tokenUrl: 'https://login.test/', clientId: me, clientSecret: '${{ TOKEN }}', scopes: [a]}",
    "tls": "tls: {caFile: ca.pem, certFile: client.pem, keyFile: client.key}",
    "proxy": "proxy: http://192.0.2.1:3128",
    "allow": "allow: [{methods: [GET], paths: [/a/**], claims: {groups: x}}]",
    "limits": "limits: {requestsPerMinute: 60, per: subject}",
    "timeout": "timeout: 30s",
    "retries": "retries: 2",
}
# Of an Atlas document.
ATLAS = {
    "owner": "  owner: example.com\n",
    "allow": "  allow: [{methods: [GET], claims: {groups: x}}]\n",
    "cors": "  cors: {origins: ['https://canvas.test']}\n",
    "exposedPorts": "  exposedPorts: {ingressHttpPort: 9000}\n",
}
IDENTITY_PROVIDER = {"claims": "      claims: {groups: x}\n", "maxLifetime": "      maxLifetime: 1h\n"}
# What `mom atlas run` serves no request by, either.
ELSEWHERE = {
    "smoke": "of mom atlas check",
    "gatewayRegistration": "of the original, which registers at a gateway",
    "apiAdapters": "the adapters themselves",
    "identityProviders": "each of its keys",
    "baseUrl": "in every sample here",
}
REFUSED = {
    "AWS": "  profiles: [{name: p, accessKeyId: '${{ A }}', secretAccessKey: '${{ B }}'}]\n",
    "Kubernetes": None,
    "clientId": "oauth2: {tokenUrl: 'https://login.test/', clientId: '${{ ID }}', clientSecret: '${{ TOKEN }}'}",
    "proxy": "proxy: http://proxy.test:3128",
}


def source(folder: Path, text: str) -> Source:
    """Return what is exported of a configuration."""
    return read(decode(text.encode(), str(folder / "atlas.yml")))[0]


def exported(given: Source, **layout: object) -> dict[str, str]:
    """Return the files of a source that nothing refuses, with the configuration's own port."""
    where = dataclasses.replace(Layout(listen=Listen("127.0.0.1", given.port)), **layout)  # type: ignore[arg-type]
    assert refusals.refusals(given, where) == []
    return {file.path: file.text for file in envoy.files(given, where)}


def http(more: str = "", base: str = "https://api.test", after: str = PROVIDER) -> str:
    """Return a configuration with one HTTP adapter."""
    lines = "".join(f"  {line}\n" for line in more.splitlines())
    return samples.atlas("api", after=after) + samples.http("api", base) + lines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files that samples name."""
    (tmp_path / "ca.pem").write_text(self_signed("api.test").write(tmp_path).chain.read_text())
    return tmp_path


def test_every_key_of_the_schemas_is_thought_of() -> None:
    known = {"HTTP": {"http2", *HTTP}, "Atlas": {*ATLAS}}
    files = {"HTTP": "adapters/v1alpha1/HTTP.json", "Atlas": "atlas/v1alpha1/Atlas.json"}
    for kind, file in files.items():
        keys = set(read_schema(file)["properties"]["spec"]["properties"])
        assert keys - {*known[kind], *ELSEWHERE} == set()


@pytest.mark.parametrize("key", HTTP)
def test_a_key_of_an_adapter_counts(folder: Path, key: str) -> None:
    plain, changed = source(folder, http()), source(folder, http(HTTP[key]))
    for credentials in ("/credentials", None):
        before, after = (exported(each, credentials=credentials)["envoy.json"] for each in (plain, changed))
        assert after != before


def test_http2_by_prior_knowledge_counts(folder: Path) -> None:
    base = "http://api.test"
    assert exported(source(folder, http("http2: prior-knowledge", base))) != exported(source(folder, http(base=base)))


@pytest.mark.parametrize("key", ATLAS)
def test_a_key_of_the_atlas_document_counts(folder: Path, key: str) -> None:
    assert exported(source(folder, http(after=PROVIDER + ATLAS[key]))) != exported(source(folder, http()))


@pytest.mark.parametrize("key", IDENTITY_PROVIDER)
def test_a_key_of_an_identity_provider_counts(folder: Path, key: str) -> None:
    assert exported(source(folder, http(after=PROVIDER + IDENTITY_PROVIDER[key]))) != exported(source(folder, http()))


@pytest.mark.parametrize("what", REFUSED)
def test_what_needs_mom_is_refused_at_its_line(folder: Path, what: str) -> None:
    if what in {"AWS", "Kubernetes"}:
        text = samples.HEAD + PROVIDER + "  apiAdapters:\n" + samples.reference("x", what)
        text += f"---\napiVersion: {samples.ADAPTERS_VERSION}\nkind: {what}\nmetadata:\n  name: x\n"
        text += f"spec:\n{REFUSED[what]}" if REFUSED[what] else ""
    else:
        text = http(str(REFUSED[what]))
    (problem,) = refusals.refusals(source(folder, text), Layout(), with_mom="--with-mom")
    assert problem.rule == "needs-mom"
    assert problem.place.line > 1
    assert "--with-mom" in problem.hint
