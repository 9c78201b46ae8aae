"""Whose token it is, and why no identity provider accepts it: a part of `mom.envoy.explain`.

What Envoy decides of it by the claims alone (`mom.envoy.jwt`, `mom.envoy.verified`); no signature is verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from mom.atlas.model import Configuration
from mom.atlas.policy import Claim
from mom.atlas.providers import audience_core
from mom.envoy import jwt
from mom.envoy.verdict import Miss, Verdict
from mom.gateway import ADAPTERS_PREFIX, ATLAS_PREFIX, CLOCK_SKEW_SECONDS, ErrorTypes
from mom.problems import Place


class _Trusted(NamedTuple):
    """Whose tokens are accepted, and which: an identity provider, or one of this machine's own keys (no place)."""

    name: str
    place: Place | None
    audience: str
    max_lifetime: int
    claims: Sequence[Claim] = ()


class _Objection(NamedTuple):
    """Why a provider does not accept a token. to: a part of it; claims are looked at behind the filter of tokens."""

    reason: str
    to: Literal["times", "audience", "claims"]


def refusal(
    configuration: Configuration,
    path: str,
    narrowed: str,
    claims: Mapping[str, object],
    *,
    own: Mapping[str, int],
    now: float | None,
) -> Verdict | None:
    """Return why no provider accepts the claims, None where one does, or where they do not say whose they are.

    path: of the request. narrowed: the path of the adapter on whose routes that is, empty for none. own: the issuers of
    this machine's own keys, each with the longest life of a token. now: None judges no times.
    """
    if claims.get("iss") is None:
        return None
    trusted = list(_trusted(configuration, claims, own))
    objections = [_objection(each, narrowed, claims, now) for each in trusted]
    refusing = [(each, objection) for each, objection in zip(trusted, objections, strict=True) if objection is not None]
    if len(refusing) < len(trusted):
        return None
    if not refusing:
        return _refused("no identity provider has the issuer of this token", path, (), is_audience=False)
    misses = [Miss(each.name, each.place, objection.reason) for each, objection in refusing if each.place is not None]
    # Envoy's response is about the last provider that it has tried, unless it has accepted the token.
    parts = [objection.to for _, objection in refusing]
    is_audience = parts[-1] == "audience" and "claims" not in parts
    reason = "the identity provider does not accept this token" if misses else refusing[-1][1].reason
    return _refused(reason, path, misses, is_audience=is_audience)


def claim_miss(wanted: Sequence[Claim], claims: Mapping[str, object]) -> str | None:
    """Return which of the wanted claims does not match, in words; None where all do."""
    missing = next((claim for claim in wanted if not claim.matches(claims)), None)
    return None if missing is None else f"the claim `{missing.name}` does not match"


def _refused(reason: str, path: str, misses: Sequence[Miss], *, is_audience: bool) -> Verdict:
    """Return the verdict. is_audience: whether Envoy refuses the token for its audience."""
    # A token for one adapter is valid, and not for what tells of the others (`mom.envoy.replies`).
    forbidden = is_audience and path.startswith(ATLAS_PREFIX)
    return Verdict(
        allowed=False,
        status=403 if forbidden else 401,
        error=ErrorTypes.NOT_ALLOWED if forbidden else ErrorTypes.INVALID_ACCESS_TOKEN,
        reason=reason,
        rule=misses[0].name if misses else "",
        place=misses[0].place if misses else None,
        misses=tuple(misses),
    )


def _trusted(configuration: Configuration, claims: Mapping[str, object], own: Mapping[str, int]) -> Iterator[_Trusted]:
    """Yield what has the issuer of the claims, in the order in which Envoy tries them."""
    issuer = claims.get("iss")
    if isinstance(issuer, str) and issuer in own:
        # Which gateways these are for is a matter of the run; the rest of an audience is not.
        for audience in _audiences(claims) or [""]:
            yield _Trusted("", None, audience.partition(ADAPTERS_PREFIX)[0], own[issuer])
    for _, provider in jwt.in_order(configuration.identity_providers):
        if provider.issuer == issuer:
            name = f"spec.identityProviders.{provider.name}"
            yield _Trusted(name, provider.place, provider.audience, provider.max_lifetime, provider.claims)


def _objection(trusted: _Trusted, narrowed: str, claims: Mapping[str, object], now: float | None) -> _Objection | None:
    """Return why a provider does not accept claims with its issuer; without `aud` that is left open, as are times."""
    expires, starts = claims.get("exp"), claims.get("nbf")
    if now is not None:
        if isinstance(starts, int | float) and starts > now + CLOCK_SKEW_SECONDS:
            return _Objection("it is not valid yet", "times")
        if isinstance(expires, int | float) and expires + CLOCK_SKEW_SECONDS < now:
            return _Objection("it expired", "times")
    if claims.get("aud") is not None and not _is_for(trusted.audience, narrowed, _audiences(claims)):
        return _Objection(f"its audience is not {trusted.audience}", "audience")
    if now is not None and isinstance(expires, int | float) and expires - now > trusted.max_lifetime:
        return _Objection(f"it is valid for longer than {trusted.max_lifetime:,} s (maxLifetime)", "times")
    missing = claim_miss(trusted.claims, claims)
    return None if missing is None else _Objection(missing, "claims")


def _audiences(claims: Mapping[str, object]) -> list[str]:
    given = claims.get("aud")
    return [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)]


def _is_for(audience: str, path: str, given: Sequence[str]) -> bool:
    """Whether an audience is the gateway's, or that with the path of the adapter after it (`mom.envoy.jwt`)."""
    accepted = {audience_core(audience), audience_core(f"{audience.rstrip('/')}{path}")}
    return bool(accepted & {audience_core(each) for each in given})
