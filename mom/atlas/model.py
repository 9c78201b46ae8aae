"""An Atlas configuration as values, each with its place in the file, so that any later message can name it.

What is here has passed validation: `mom.atlas.load` builds it from a file; the Envoy translation takes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mom.gateway import MAX_LIFETIME_SECONDS
from mom.problems import Place


@dataclass(frozen=True, slots=True)
class Header:
    """A header that Atlas sets on each request to the API. `value` may hold environment references."""

    name: str
    value: str
    place: Place


@dataclass(frozen=True, slots=True)
class HttpAdapter:
    """A third-party HTTP API. Served under `/v1/apis/http/{name}/`, whose rest is appended to `base_url`."""

    name: str
    base_url: str
    headers: tuple[Header, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class OtherAdapter:
    """An adapter of a kind that the local run does not serve (AWS, Kubernetes, Moment, Postgres)."""

    kind: str
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An issuer whose access tokens Atlas accepts. `public_key` is the URL or the file path of its JWKS.

    max_lifetime: seconds; a token whose expiry is further away is refused.
    """

    name: str
    public_key: str
    audience: str
    issuer: str
    place: Place
    max_lifetime: int = MAX_LIFETIME_SECONDS


@dataclass(frozen=True, slots=True)
class Configuration:
    """The stream's one Atlas document with the adapters that its `apiAdapters` names, in that order."""

    file: str
    name: str
    owner: str | None
    identity_providers: tuple[IdentityProvider, ...]
    http_adapters: tuple[HttpAdapter, ...]
    other_adapters: tuple[OtherAdapter, ...]
    ingress_http_port: int | None
    admin_port: int | None
    place: Place
