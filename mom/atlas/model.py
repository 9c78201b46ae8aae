"""An Atlas configuration as values, each with its place in the file, so that any later message can name it.

What is here has passed validation: `mom.atlas.load` builds it from a file; the Envoy translation takes it.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from mom.atlas.policy import AllowList, Claim
from mom.gateway import MAX_LIFETIME_SECONDS
from mom.problems import Place


class Adapter(Protocol):
    """What an adapter of any kind has. `mom.atlas.adapters` has a class for each kind, with its settings."""

    @property
    def kind(self) -> str:
        """The kind of its document."""

    @property
    def name(self) -> str:
        """Its `metadata.name`."""

    @property
    def place(self) -> Place:
        """Where its name is."""


class IdentityProvider(NamedTuple):
    """An issuer whose access tokens Atlas accepts. `public_key` is the URL or the file path of its JWKS.

    max_lifetime: seconds; a token whose expiry is further away is refused. claims: those that each token must have.
    """

    name: str
    public_key: str
    audience: str
    issuer: str
    place: Place
    max_lifetime: int = MAX_LIFETIME_SECONDS
    claims: tuple[Claim, ...] = ()


class Configuration(NamedTuple):
    """The stream's one Atlas document with the adapters that its `apiAdapters` names, in that order.

    allow: the list that a request to any adapter must pass, beside that of the adapter; None lets all pass.
    cors: the origins of the web pages that may call.
    """

    file: str
    name: str
    owner: str | None
    identity_providers: tuple[IdentityProvider, ...]
    adapters: tuple[Adapter, ...]
    ingress_http_port: int | None
    admin_port: int | None
    place: Place
    allow: AllowList | None = None
    cors: tuple[str, ...] = ()
