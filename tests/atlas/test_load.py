"""A valid file becomes values with places; an invalid one an error with all of its problems."""

from __future__ import annotations

import pytest

from mom.atlas.adapters.http import Header, HttpAdapter
from mom.atlas.adapters.kubernetes import KubernetesAdapter
from mom.atlas.load import load
from mom.errors import MomError
from mom.problems import Place
from mom.yamledit.source import Source

FILE = """\
kind: Atlas
apiVersion: moment.dev/atlas/v1alpha1
metadata:
  name: atlas
spec:
  owner: example.com
  exposedPorts: {ingressHttpPort: 8082, adminPort: 9000}
  identityProviders:
    - auth0: &keys
        publicKey: https://login.example.com/jwks.json
        audience: https://atlas.example.com
        issuer: https://login.example.com/
    - auth0:
        <<: *keys
        issuer: https://login.example.org/
  apiAdapters:
    - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: Kubernetes, name: cluster}
    - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: second}
    - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: first}
---
# Another tool's document.
apiVersion: v1
kind: ConfigMap
---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: first
spec:
  baseUrl: https://first.example.com/api
  headers:
    - {name: Authorization, value: "Bearer ${{ FIRST }}"}
    - name: Accept
      value: text/plain
---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: second
spec:
  baseUrl: https://second.example.com
  headers:
---
apiVersion: moment.dev/adapters/v1alpha1
kind: Kubernetes
metadata:
  name: cluster
"""


def place(of: str) -> Place:
    """Return the place where the text `of`, which stands once, begins in the file."""
    assert FILE.count(of) == 1
    return Source("atlas.yml", FILE).place(FILE.index(of))


def test_a_file_becomes_values_in_the_order_of_its_references() -> None:
    found = load(Source("atlas.yml", FILE))
    assert (found.file, found.name, found.owner) == ("atlas.yml", "atlas", "example.com")
    assert (found.ingress_http_port, found.admin_port) == (8082, 9000)
    assert found.adapters == (
        KubernetesAdapter("cluster", place("cluster\n")),
        HttpAdapter("second", "https://second.example.com", (), place("second\nspec")),
        HttpAdapter(
            "first",
            "https://first.example.com/api",
            (
                Header("Authorization", "Bearer ${{ FIRST }}", place("Authorization")),
                Header("Accept", "text/plain", place("Accept")),
            ),
            place("first\nspec"),
        ),
    )
    assert found.place == place("atlas\nspec")


def test_identity_providers_of_a_list_keep_their_names_order_and_places() -> None:
    providers = load(Source("atlas.yml", FILE)).identity_providers
    assert [(provider.name, provider.issuer) for provider in providers] == [
        ("auth0", "https://login.example.com/"),
        ("auth0", "https://login.example.org/"),
    ]
    assert providers[1].public_key == providers[0].public_key
    assert [provider.place.line for provider in providers] == [9, 13]


def test_identity_providers_of_a_map_are_read_too() -> None:
    text = FILE.replace("    - auth0: &keys", "    a: &keys").replace("    - auth0:\n        <<", "    b:\n        <<")
    assert [provider.name for provider in load(Source("atlas.yml", text)).identity_providers] == ["a", "b"]


def test_what_is_left_out_is_none_or_empty() -> None:
    text = "apiVersion: moment.dev/atlas/v1alpha1\nkind: Atlas\nmetadata: {name: a}\nspec: {}\n"
    found = load(Source("atlas.yml", text))
    assert (found.owner, found.ingress_http_port, found.admin_port) == (None, None, None)
    assert (found.identity_providers, found.adapters) == ((), ())


def test_an_invalid_file_is_an_error_that_carries_every_problem() -> None:
    text = FILE.replace("https://first.example.com/api", "first.example.com").replace("name: second}", "name: third}")
    with pytest.raises(MomError) as caught:
        load(Source("atlas.yml", text))
    assert caught.value.message == "atlas.yml has 2 errors"
    assert [problem.rule for problem in caught.value.problems] == [
        "missing-document",
        "base-url",
        "unreferenced-document",
    ]


def test_warnings_alone_do_not_refuse_a_file() -> None:
    text = FILE.replace("https://second.example.com", "http://second.example.com")
    second = load(Source("atlas.yml", text)).adapters[1]
    assert isinstance(second, HttpAdapter)
    assert second.base_url == "http://second.example.com"
