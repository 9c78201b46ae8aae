"""Claims of a verified token, as Envoy finds and compares them."""

from __future__ import annotations

from collections.abc import Iterable

from mom.atlas.policy import Claim, ClaimValue
from mom.envoy.messages import Json

# The filter that verifies tokens, and where in its metadata it leaves their claims.
FILTER = "envoy.filters.http.jwt_authn"
CLAIMS = "claims"
# The header in which it leaves a verified token's expiry for the check behind it. No client may send it.
EXPIRY = "mom-token-expiry"


def keys(claim: Claim) -> list[Json]:
    """Return the path to a claim in the metadata of the filter."""
    return [{"key": key} for key in (CLAIMS, *claim.path)]


def value(claim: Claim) -> Json:
    """Return a ValueMatcher: one of the claim's values, alone or in a list."""
    alone = [_exactly(each) for each in claim.values]
    listed = [{"list_match": {"one_of": each}} for each in alone]
    return {"or_match": {"value_matchers": [*alone, *listed]}}


def permission(claim: Claim) -> Json:
    """Return a Permission of RBAC: the token has one of the claim's values."""
    return in_token((CLAIMS, *claim.path), value(claim))


def in_token(path: Iterable[str], wanted: Json) -> Json:
    """Return a Permission of RBAC: what the filter has recorded at `path` is as `wanted`, a ValueMatcher, says."""
    matcher = {"filter": FILTER, "path": [{"key": key} for key in path], "value": wanted}
    return {"sourced_metadata": {"metadata_matcher": matcher}}


def _exactly(wanted: ClaimValue) -> Json:
    if isinstance(wanted, bool):
        return {"bool_match": wanted}
    return {"string_match": {"exact": wanted}} if isinstance(wanted, str) else {"double_match": {"exact": wanted}}
