"""What a verified token must be beyond what Envoy's filter looks at (`mom.envoy.jwt`): the check behind it.

RFC 7515 and RFC 7519 refuse more, and providers may demand claims. The check reads what the filter has recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from mom.atlas.model import IdentityProvider
from mom.atlas.policy import Claim
from mom.atlas.providers import accepted_claims
from mom.envoy import claims, jwt
from mom.envoy.claims import CLAIMS, FILTER
from mom.envoy.jwt import JOSE
from mom.envoy.messages import Json, extension, typed
from mom.envoy.options import Options
from mom.gateway import ALGORITHMS, HEALTH_PATHS, LAST_TIME

# What the header with a token's expiry does not have of any that is in range: `max_lifetime` lets none pass that is
# later, and what overflows is. There are several where a client repeats a token, and Envoy compares each.
_OUT_OF_RANGE = r"[0-9]{13}.*|.*[^0-9.].*"
# Without HS*: a key that must be secret cannot come from a public JWKS.
_ASYMMETRIC = "|".join(sorted(ALGORITHMS))
_RBAC = "envoy.extensions.filters.http.rbac.v3.RBAC"
_STATE = "envoy.extensions.filters.http.set_filter_state.v3.Config"
_KEY = "mom.kid"
# The id of the key that signed a verified token, for the access log.
KEY_ID = "%COALESCE({})%".format(
    json.dumps(
        {
            "operators": [
                {"command": "DYNAMIC_METADATA", "param": f"{FILTER}:{JOSE}:kid"},
                {"command": "FILTER_STATE", "param": f"{_KEY}:PLAIN"},
            ]
        }
    )
)
# The name of the filter that checks every verified token.
VERIFIED = "envoy.filters.http.rbac"
# The name of the policy that refuses what is not in order in a token although its signature is.
UNVERIFIED = "unverified"


def checks(providers: tuple[IdentityProvider, ...], options: Options) -> list[Json]:
    """Return the filters behind `jwt.authentication`, which refuse what it lets pass and should not."""
    fetched = jwt.any_fetched(providers, options)
    return [_verified(fetched=fetched), {**extension(_KEY, _STATE), "disabled": True}]


def for_routes(providers: Sequence[IdentityProvider], options: Options) -> Json:
    """Return the `typed_per_filter_config` of all routes: the claims that tokens of some providers must have.

    It takes the place of the check of every verified token. Which provider has verified a token shows in what is
    recorded: of a provider with claims its header, under a key of its own (`jwt.recorded_as`), and no `claims.EXPIRY`,
    so that it does not pass the check in the listener. So no moment between two files lets it pass without its claims.
    Empty without claims.
    """
    demanded = {jwt.recorded_as(provider, providers): accepted_claims(provider, providers) for provider in providers}
    if not any(demanded.values()):
        return {}
    rules = _verified_rules({JOSE: (), **demanded}, fetched=jwt.any_fetched(providers, options))
    return {VERIFIED: typed(f"{_RBAC}PerRoute", {"rbac": {"rules": rules}}), _KEY: typed(_STATE, _key_id(demanded))}


def _key_id(recorded: Iterable[str]) -> Json:
    """Return what keeps the id of the key for the access log, whose text does not name what providers there are."""
    operators = [{"command": "DYNAMIC_METADATA", "param": f"{FILTER}:{key}:kid"} for key in recorded]
    text = f"%COALESCE({json.dumps({'operators': operators})})%"
    value = {
        "object_key": _KEY,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": text}, "omit_empty_values": True},
        "skip_if_empty": True,
    }
    return {"on_request_headers": [value]}


def _verified(*, fetched: bool) -> Json:
    """Return the filter that lets only those verified tokens pass that `_verified_rules` describes."""
    return extension(VERIFIED, _RBAC, {"rules": _verified_rules({JOSE: ()}, fetched=fetched)})


def _verified_rules(demanded: Mapping[str, Sequence[Sequence[Claim]]], *, fetched: bool) -> Json:
    """Return the rules that let only those verified tokens pass that RFC 7515 and RFC 7519 do, too.

    demanded: the claims that a token must have, by the key under which its header is recorded: one of the sequences
    suffices; none demands nothing.

    `crit` names extensions that must be understood (RFC 7515, 4.1.11), and Envoy understands none. `exp` is in range:
    from 2^63 on Envoy's own arithmetic overflows, and `max_lifetime` has no effect. `fetched`: keys may come to Envoy
    unjudged, so the algorithm is checked here. It refuses what the filter before it did not look at, too: nothing is
    recorded then. A denial of all others, since Envoy writes down the name of what allows (2 % of a request).
    """
    verified = [_accepting(recorded, alternatives, fetched=fetched) for recorded, alternatives in demanded.items()]
    health = _one([{"url_path": {"path": {"exact": path}}} for path in HEALTH_PATHS])
    other = _all({"not_rule": _one(verified)}, {"not_rule": health})
    return {"action": "DENY", "policies": {UNVERIFIED: {"permissions": [other], "principals": [{"any": True}]}}}


def _accepting(recorded: str, demanded: Sequence[Sequence[Claim]], *, fetched: bool) -> Json:
    """Return which tokens pass whose header is recorded under that key, if it is."""
    asymmetric = {"string_match": {"safe_regex": {"regex": _ASYMMETRIC}}}
    algorithm = claims.in_token([recorded, "alg"], asymmetric if fetched else {"present_match": True})
    uncritical = {"not_rule": claims.in_token([recorded, "crit"], {"present_match": True})}
    if recorded == JOSE:
        present = {"header": {"name": claims.EXPIRY, "present_match": True}}
        late = {"header": {"name": claims.EXPIRY, "string_match": {"safe_regex": {"regex": _OUT_OF_RANGE}}}}
        return _all(present, {"not_rule": late}, uncritical, *([algorithm] if fetched else []))
    expiry = claims.in_token([CLAIMS, "exp"], {"double_match": {"range": {"start": 0, "end": LAST_TIME}}})
    having = [_one([_all(*map(claims.permission, each)) for each in demanded])] if demanded else []
    return _all(algorithm, uncritical, expiry, *having)


def _all(*permissions: Json) -> Json:
    return {"and_rules": {"rules": list(permissions)}}


def _one(permissions: list[Json]) -> Json:
    return {"or_rules": {"rules": permissions}}
