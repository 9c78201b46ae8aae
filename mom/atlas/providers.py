"""Which identity providers accept a token, and by which claims."""

from __future__ import annotations

from collections.abc import Sequence

from mom.atlas.model import IdentityProvider
from mom.atlas.policy import Claim


def audience_core(audience: str) -> str:
    """Return the part of an audience that Envoy compares: without http:// or https://, and without a last slash."""
    for scheme in ("http://", "https://"):
        if audience.startswith(scheme):
            audience = audience.removeprefix(scheme)
            break
    return audience.removesuffix("/")


def accepted_claims(provider: IdentityProvider, providers: Sequence[IdentityProvider]) -> tuple[tuple[Claim, ...], ...]:
    """Return the claims of which a token must have one set whole, once `provider` is the first to verify it.

    A token is accepted if any provider accepts it. Those with the same issuer, audience and keys verify the same
    tokens, but for `max_lifetime`; the first in the order of that is asked, so it speaks for those that allow longer
    lives. Empty: no claims are demanded.
    """
    alike = [
        other.claims
        for other in providers
        if _verifies(other) == _verifies(provider) and other.max_lifetime >= provider.max_lifetime
    ]
    return tuple(alike) if all(alike) else ()


def _verifies(provider: IdentityProvider) -> tuple[str, str, str]:
    return provider.issuer, audience_core(provider.audience), provider.public_key
