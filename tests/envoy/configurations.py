"""Configuration values for tests, from a YAML text read without any of mom's own reading and checking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mom.atlas.adapters.http import Header, HttpAdapter
from mom.atlas.adapters.kubernetes import KubernetesAdapter
from mom.atlas.model import Adapter, Configuration, IdentityProvider
from mom.problems import Place

HERE = Place("atlas.yml", 1, 1)


def http(name: str, base_url: str, headers: Mapping[str, str] | None = None) -> HttpAdapter:
    """Return an adapter."""
    pairs = (headers or {}).items()
    return HttpAdapter(name, base_url, tuple(Header(key, value, HERE) for key, value in pairs), HERE)


AUDIENCE = "https://atlas.test"
ISSUER = "https://idp.test/"


def file_of(kind: str, name: str, content: str, more: str = "") -> str:
    """Return the text of a file with one adapter. content: the lines of its `spec`. more: further ones of the Atlas."""
    return f"""\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata:
  name: atlas
spec:
  identityProviders:
    idp: {{publicKey: keys.json, audience: "{AUDIENCE}", issuer: "{ISSUER}"}}
{more}  apiAdapters:
  - adapterRef: {{apiVersion: moment.dev/adapters/v1alpha1, kind: {kind}, name: {name}}}
---
apiVersion: moment.dev/adapters/v1alpha1
kind: {kind}
metadata:
  name: {name}
spec:
{content}"""


def provider(public_key: str, *, audience: str = AUDIENCE, issuer: str = ISSUER) -> IdentityProvider:
    """Return an identity provider named `idp`."""
    return IdentityProvider("idp", public_key, audience, issuer, HERE)


def configuration(*adapters: Adapter, providers: tuple[IdentityProvider, ...] = ()) -> Configuration:
    """Return a configuration of `adapters`."""
    return Configuration("atlas.yml", "test", "example.test", providers, adapters, None, None, HERE)


def read(text: str) -> Configuration:
    """Read the documents of an Atlas stream in which everything is as it should be."""
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    atlas = next(one for one in documents if one["kind"] == "Atlas")
    named = {(one["kind"], one["metadata"]["name"]): one for one in documents}
    references = [entry["adapterRef"] for entry in atlas["spec"].get("apiAdapters", [])]
    adapters: list[Adapter] = []
    for reference in references:
        if reference["kind"] != "HTTP":
            # None of them is served: what is in it does not matter.
            adapters.append(KubernetesAdapter(reference["name"], HERE, kind=reference["kind"]))
            continue
        spec = named["HTTP", reference["name"]]["spec"]
        headers = tuple(Header(one["name"], one["value"], HERE) for one in spec.get("headers", []))
        adapters.append(HttpAdapter(reference["name"], spec["baseUrl"], headers, HERE))
    providers = [
        IdentityProvider(name, one["publicKey"], one["audience"], one["issuer"], HERE)
        for entry in atlas["spec"].get("identityProviders", [])
        for name, one in entry.items()
    ]
    ports = atlas["spec"].get("exposedPorts", {})
    return Configuration(
        file="atlas.yml",
        name=atlas["metadata"]["name"],
        owner=atlas["spec"].get("owner"),
        identity_providers=tuple(providers),
        adapters=tuple(adapters),
        ingress_http_port=ports.get("ingressHttpPort"),
        admin_port=ports.get("adminPort"),
        place=HERE,
    )
